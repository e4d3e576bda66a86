package rotated

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
)

const defaultSize = 10 << 20

// File is a file that is rotated. Fields are set before the first Write. Safe for
// concurrent use.
type File struct {
	Path    string
	MaxSize int64 // of one file, in bytes; 0: 10 MB
	Keep    int   // older files

	mu   sync.Mutex
	file *os.File
	size int64
}

var _ io.WriteCloser = (*File)(nil)

// Write adds a line, which has its end. It returns 0 and why when that is not so.
func (f *File) Write(line []byte) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.write(line); err != nil {
		_ = f.close()
		return 0, err
	}
	return len(line), nil
}

// Close closes the file. A Write after it opens it again.
func (f *File) Close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.close()
}

func (f *File) write(line []byte) error {
	if err := f.ready(int64(len(line))); err != nil {
		return err
	}
	n, err := f.file.Write(line)
	if err != nil {
		// Also when this fails: open finds and ends the unfinished line.
		return errors.Join(err, f.file.Truncate(f.size))
	}
	f.size += int64(n)
	return nil
}

// ready has the file open, with room for so many bytes.
func (f *File) ready(room int64) error {
	if f.file == nil {
		if err := f.open(); err != nil {
			return err
		}
	}
	most := f.MaxSize
	if most == 0 {
		most = defaultSize
	}
	if f.size == 0 || f.size+room <= most {
		return nil
	}
	return errors.Join(f.close(), f.rotate(), f.open())
}

// open opens the file for its owner only, and ends a line that was left unfinished.
func (f *File) open() error {
	if err := os.MkdirAll(filepath.Dir(f.Path), 0o700); err != nil {
		return err
	}
	file, err := os.OpenFile(f.Path, os.O_CREATE|os.O_RDWR|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	size, err := file.Seek(0, io.SeekEnd)
	if err == nil {
		err = file.Chmod(0o600)
	}
	if err == nil && size > 0 {
		last := make([]byte, 1)
		if _, err = file.ReadAt(last, size-1); err == nil && last[0] != '\n' {
			_, err = file.WriteString("\n")
			size++
		}
	}
	if err != nil {
		return errors.Join(err, file.Close())
	}
	f.file, f.size = file, size
	return nil
}

func (f *File) close() error {
	if f.file == nil {
		return nil
	}
	err := f.file.Close()
	f.file, f.size = nil, 0
	return err
}

// rotate moves every file to the next number; the oldest goes.
func (f *File) rotate() error {
	if f.Keep == 0 {
		return os.Remove(f.Path)
	}
	for i := f.Keep - 1; i > 0; i-- {
		if err := os.Rename(f.numbered(i), f.numbered(i+1)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return os.Rename(f.Path, f.numbered(1))
}

func (f *File) numbered(i int) string { return fmt.Sprintf("%s.%d", f.Path, i) }
