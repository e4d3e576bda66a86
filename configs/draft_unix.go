//go:build unix

package configs

import (
	"os"
	"syscall"
)

// forGroup lets the group of the folder read a file in it: it is the service's.
func forGroup(f *os.File, folder string) error {
	info, err := os.Stat(folder)
	if err != nil {
		return err
	}
	if owner, ok := info.Sys().(*syscall.Stat_t); ok {
		if err := f.Chown(-1, int(owner.Gid)); err != nil {
			return err
		}
	}
	return f.Chmod(0o640)
}
