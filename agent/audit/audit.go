package audit

import (
	"bytes"
	"encoding/json"
	"fmt"
	"sync"
	"time"

	"github.com/hashicorp/go-hclog"

	"ldap-gateway/agent/rotated"
)

const mostLine = 64 << 10

// Log is an audit file. Its zero value writes nothing. Fields are set before
// the first Write. Safe for concurrent use.
type Log struct {
	Path    string // empty: nothing is written
	MaxSize int64  // of one file, in bytes; 0: 10 MB
	Keep    int    // older files
	Logger  hclog.Logger

	mu   sync.Mutex
	file *rotated.File // nil: not opened yet
	err  error         // why the last line was not written
	lost int           // lines, since one was written
}

// Write adds r, with the time when it has none. A line that cannot be written is lost.
func (l *Log) Write(r Record) {
	if l == nil || l.Path == "" {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if r.Time.IsZero() {
		r.Time = time.Now().UTC()
	}
	r.Event, r.Lost = r.event(), l.lost
	l.note(l.write(r))
}

// Err returns why the last line could not be written; nil when it was.
func (l *Log) Err() error {
	if l == nil {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.err
}

// Close closes the file. A Write after it opens it again.
func (l *Log) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.file == nil {
		return nil
	}
	return l.file.Close()
}

// note counts what was lost, and tells of the first and of the end.
func (l *Log) note(err error) {
	was := l.err
	l.err = err
	switch {
	case err != nil:
		l.lost++
		if was == nil && l.Logger != nil {
			l.Logger.Error("the audit file cannot be written, sign-ons go on without it", "path", l.Path, "error", err)
		}
	case was != nil && l.Logger != nil:
		l.Logger.Info("the audit file is written again", "path", l.Path, "lost", l.lost)
	}
	if err == nil {
		l.lost = 0
	}
}

func (l *Log) write(r Record) error {
	var line bytes.Buffer
	encoder := json.NewEncoder(&line)
	encoder.SetEscapeHTML(false) // filters are full of &, < and >
	if err := encoder.Encode(r); err != nil {
		return err
	}
	if line.Len() > mostLine {
		return fmt.Errorf("a line of %d bytes, at most %d", line.Len(), mostLine)
	}
	if l.file == nil {
		l.file = &rotated.File{Path: l.Path, MaxSize: l.MaxSize, Keep: l.Keep}
	}
	_, err := l.file.Write(line.Bytes())
	return err
}
