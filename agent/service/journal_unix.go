//go:build unix

package service

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"syscall"
	"unicode"

	"github.com/hashicorp/go-hclog"
)

const journalSocket = "/run/systemd/journal/socket"

// Logger logs to out; where out is journald's, by journald's protocol, so that
// each field of a line is one of the journal's. No field is longer than 4 KB.
func Logger(opts hclog.LoggerOptions, out io.Writer) hclog.Logger { return bounded{logger(opts, out)} }

func logger(opts hclog.LoggerOptions, out io.Writer) hclog.Logger {
	opts.Output = out
	if !journals(out, os.Getenv("JOURNAL_STREAM")) {
		return hclog.New(&opts)
	}
	c, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: journalSocket, Net: "unixgram"})
	if err != nil {
		return hclog.New(&opts)
	}
	refused := opts // of the journal
	opts.Output = io.Discard
	logger := hclog.NewInterceptLogger(&opts)
	logger.RegisterSink(&journal{to: c, level: logger, otherwise: hclog.New(&refused)})
	return logger
}

// journals tells whether out is the stream that systemd names as its journal's.
func journals(out io.Writer, stream string) bool {
	f, ok := out.(*os.File)
	if !ok || stream == "" {
		return false
	}
	info, err := f.Stat()
	if err != nil {
		return false
	}
	s, ok := info.Sys().(*syscall.Stat_t)
	return ok && fmt.Sprintf("%d:%d", s.Dev, s.Ino) == stream
}

// journal sends each line as one datagram.
type journal struct {
	to        io.Writer
	level     interface{ GetLevel() hclog.Level }
	otherwise hclog.Logger
}

// Accept implements hclog.SinkAdapter.
func (j *journal) Accept(name string, level hclog.Level, msg string, args ...interface{}) {
	if level < j.level.GetLevel() {
		return
	}
	if _, err := j.to.Write(entry(name, level, msg, args)); err != nil {
		j.otherwise.ResetNamed(name).Log(level, msg, args...)
	}
}

// priorities are those of syslog(3).
var priorities = map[hclog.Level]int{hclog.Error: 3, hclog.Warn: 4, hclog.Info: 6, hclog.Debug: 7, hclog.Trace: 7}

// entry is a line in the format of systemd's journal (Native Journal Protocol).
func entry(name string, level hclog.Level, msg string, args []any) []byte {
	var out bytes.Buffer
	var fields bytes.Buffer
	if name != "" {
		field(&fields, "LDAP_GATEWAY_LOGGER", name)
	}
	for i := 0; i+1 < len(args); i += 2 {
		field(&fields, "LDAP_GATEWAY_"+fieldName(fmt.Sprint(args[i])), fmt.Sprint(args[i+1]))
	}
	field(&out, "MESSAGE", line(name, msg, args))
	field(&out, "PRIORITY", fmt.Sprint(priorities[level]))
	field(&out, "SYSLOG_IDENTIFIER", Name)
	out.Write(fields.Bytes())
	return out.Bytes()
}

// fieldName writes signOn as SIGN_ON: journald takes capitals, digits and
// underscores.
func fieldName(key string) string {
	var out strings.Builder
	for i, r := range key {
		switch {
		case r > unicode.MaxASCII || !unicode.IsLetter(r) && !unicode.IsDigit(r):
			r = '_'
		case unicode.IsUpper(r) && i > 0:
			out.WriteByte('_')
		}
		out.WriteRune(unicode.ToUpper(r))
	}
	return out.String()
}

// field writes one; a value of several lines has its length in front.
func field(w *bytes.Buffer, name, value string) {
	w.WriteString(name)
	if !strings.Contains(value, "\n") {
		w.WriteString("=" + value + "\n")
		return
	}
	w.WriteByte('\n')
	_ = binary.Write(w, binary.LittleEndian, uint64(len(value)))
	w.WriteString(value + "\n")
}
