package cloud

import (
	"errors"
	"io"
	"os"

	"golang.org/x/sys/unix"
)

// lock takes the lock of a file, which goes with it; errTaken when another has it. It is one of the open file and not
// of the process, so that it stays when the process opens the file once more and closes that.
func lock(f *os.File) error {
	err := unix.FcntlFlock(f.Fd(), unix.F_OFD_SETLK, &unix.Flock_t{
		Type:   unix.F_WRLCK,
		Whence: io.SeekStart,
		Start:  lockAt,
		Len:    1,
	})
	if errors.Is(err, unix.EAGAIN) || errors.Is(err, unix.EACCES) {
		return errTaken
	}
	return err
}
