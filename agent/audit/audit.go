package audit

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/hashicorp/go-hclog"
)

const (
	mostLine    = 64 << 10
	defaultSize = 10 << 20
)

// Log is an audit file. Its zero value writes nothing. Fields are set before
// the first Write. Safe for concurrent use.
type Log struct {
	Path    string // empty: nothing is written
	MaxSize int64  // of one file, in bytes; 0: 10 MB
	Keep    int    // older files
	Logger  hclog.Logger

	mu   sync.Mutex
	file *os.File
	size int64
	err  error // why the last line was not written
	lost int   // lines, since one was written
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
	return l.close()
}

// note counts what was lost, and tells of the first and of the end.
func (l *Log) note(err error) {
	was := l.err
	l.err = err
	switch {
	case err != nil:
		l.lost++
		_ = l.close() // the next line begins with a fresh look at the file
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
	if err := l.ready(int64(line.Len())); err != nil {
		return err
	}
	n, err := l.file.Write(line.Bytes())
	if err != nil {
		// Also when this fails: open finds and ends the unfinished line.
		return errors.Join(err, l.file.Truncate(l.size))
	}
	l.size += int64(n)
	return nil
}

// ready has the file open, with room for so many bytes.
func (l *Log) ready(room int64) error {
	if l.file == nil {
		if err := l.open(); err != nil {
			return err
		}
	}
	most := l.MaxSize
	if most == 0 {
		most = defaultSize
	}
	if l.size == 0 || l.size+room <= most {
		return nil
	}
	return errors.Join(l.close(), l.rotate(), l.open())
}

// open opens the file for its owner only, and ends a line that was left unfinished.
func (l *Log) open() error {
	if err := os.MkdirAll(filepath.Dir(l.Path), 0o700); err != nil {
		return err
	}
	f, err := os.OpenFile(l.Path, os.O_CREATE|os.O_RDWR|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	size, err := f.Seek(0, io.SeekEnd)
	if err == nil {
		err = f.Chmod(0o600)
	}
	if err == nil && size > 0 {
		last := make([]byte, 1)
		if _, err = f.ReadAt(last, size-1); err == nil && last[0] != '\n' {
			_, err = f.WriteString("\n")
			size++
		}
	}
	if err != nil {
		return errors.Join(err, f.Close())
	}
	l.file, l.size = f, size
	return nil
}

func (l *Log) close() error {
	if l.file == nil {
		return nil
	}
	err := l.file.Close()
	l.file, l.size = nil, 0
	return err
}

// rotate moves every file to the next number; the oldest goes.
func (l *Log) rotate() error {
	if l.Keep == 0 {
		return os.Remove(l.Path)
	}
	for i := l.Keep - 1; i > 0; i-- {
		if err := os.Rename(l.numbered(i), l.numbered(i+1)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return os.Rename(l.Path, l.numbered(1))
}

func (l *Log) numbered(i int) string { return fmt.Sprintf("%s.%d", l.Path, i) }
