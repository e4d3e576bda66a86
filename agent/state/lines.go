package state

import (
	"bufio"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
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

// Bounds, in bytes, of what is read. They are far above what is written, and what is
// beyond counts as damaged.
const (
	mostLine  = 4 << 10
	mostLines = 64 << 20
)

// UnreadableError says that a file is there and what it holds could not be read. It is
// left as it is.
type UnreadableError struct {
	Path string
	Err  error
}

// Error names the file.
func (e *UnreadableError) Error() string {
	return fmt.Sprintf("%s cannot be read, and is left as it is: %v", e.Path, e.Err)
}

// Unwrap returns why.
func (e *UnreadableError) Unwrap() error { return e.Err }

func (l *lines) path() string { return filepath.Join(l.folder.path, l.name) }

// read gives each line, oldest first, to a function that tells whether it makes sense
// of it, and returns whether all of them did, to the end of the file. No file is
// fs.ErrNotExist; any other error is an *UnreadableError.
func (l *lines) read(each func(line string) bool) (whole bool, err error) {
	info, err := os.Stat(l.path())
	if errors.Is(err, fs.ErrNotExist) {
		return true, fs.ErrNotExist
	}
	if err == nil && !info.Mode().IsRegular() { // a pipe would be waited for
		err = errors.New("it is no regular file")
	}
	if err != nil {
		return false, &UnreadableError{l.path(), err}
	}
	file, err := os.Open(l.path())
	if err != nil {
		return false, &UnreadableError{l.path(), err}
	}
	defer file.Close()
	whole, err = readLines(io.LimitReader(file, mostLines), each)
	if err != nil {
		return false, &UnreadableError{l.path(), err}
	}
	return whole && 0 < info.Size() && info.Size() <= mostLines, nil
}

// readLines is read of what a file holds. A line that is too long, or cut, costs
// itself alone.
func readLines(r io.Reader, each func(line string) bool) (whole bool, err error) {
	whole = true
	for b := bufio.NewReaderSize(r, mostLine); ; {
		line, err := b.ReadSlice('\n')
		tooLong := errors.Is(err, bufio.ErrBufferFull)
		for errors.Is(err, bufio.ErrBufferFull) {
			_, err = b.ReadSlice('\n')
		}
		switch {
		case tooLong:
			whole = false
		case err == nil:
			whole = each(string(line[:len(line)-1])) && whole
		case len(line) > 0: // the last one, without its end
			whole = each(string(line)) && false
		}
		if errors.Is(err, io.EOF) {
			return whole, nil
		}
		if err != nil {
			return false, err
		}
	}
}

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

// add adds a line. After an error the file ends without the end of a line, which tells
// whoever reads it: replace it before the next one.
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
	n, err := l.file.WriteString(line)
	if err == nil {
		return nil
	}
	if n == 0 {
		l.cut() // best effort: of a disk that takes nothing at all nothing can be told
	}
	return errors.Join(err, l.close())
}

// cut takes the end of the last line away, which needs no room.
func (l *lines) cut() {
	if info, err := l.file.Stat(); err == nil && info.Size() > 0 {
		_ = l.file.Truncate(info.Size() - 1)
	}
}

// hashOf reads a hash as the files have it.
func hashOf(text string) (who [16]byte, ok bool) {
	b, err := hex.DecodeString(text)
	if err != nil || len(b) != len(who) {
		return who, false
	}
	return [16]byte(b), true
}
