//go:build unix

package cloud

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
)

// lock takes the lock of a file, which goes with it; errTaken when another has it. What root makes is the folder's
// owner's: the service, which runs as that one, takes it next time.
func lock(f *os.File) error {
	if info, err := os.Stat(filepath.Dir(f.Name())); err == nil && os.Geteuid() == 0 {
		if stat, ok := info.Sys().(*syscall.Stat_t); ok {
			err = f.Chown(int(stat.Uid), int(stat.Gid))
		}
		if err != nil {
			return err
		}
	}
	err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return errTaken
	}
	return err
}
