package state

import (
	"errors"
	"os"
	"path/filepath"
	"sync"
)

// lines is a file that lines are added to, without waiting for the disk: it outlives
// the program, if not a power cut. Safe for concurrent use.
type lines struct {
	folder Folder
	name   string

	mu   sync.Mutex
	file *os.File // nil: not opened yet
}

func (l *lines) path() string { return filepath.Join(l.folder.path, l.name) }

// Close closes the file; a line that is added afterwards opens it again.
func (l *lines) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.close()
}

func (l *lines) close() error {
	if l.file == nil {
		return nil
	}
	err := l.file.Close()
	l.file = nil
	return err
}

// replace makes the file hold text and nothing else.
func (l *lines) replace(text []byte) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return errors.Join(l.close(), l.folder.write(l.name, text))
}

// add adds a line.
func (l *lines) add(line string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.file == nil {
		if err := makeFolder(l.folder.path); err != nil {
			return err
		}
		file, err := os.OpenFile(l.path(), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
		if err == nil {
			err = adopt(file, l.folder.path)
		}
		if err != nil {
			return err
		}
		l.file = file
	}
	_, err := l.file.WriteString(line)
	if err != nil {
		err = errors.Join(err, l.close())
	}
	return err
}
