//go:build unix

package state

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"
)

// private returns ErrPermissions when the file at path is open to group or
// others; a missing file is private.
func private(path string) error {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("%w: run the command as the user that the service runs as, or name its folder with --state", err)
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 {
		return fmt.Errorf(
			"%s: %w (mode %04o): its keys may be known to others. Pair again with \"ldap-gateway pair --replace\", or, if "+
				"you are sure, chmod 600 it",
			path,
			ErrPermissions,
			mode,
		)
	}
	return nil
}

// makeFolder makes a folder for the owner only, if it is not there.
func makeFolder(path string) error { return os.MkdirAll(path, 0o700) }

// adopt gives a file of root's to whoever the folder belongs to: what "pair" writes
// as root the service must be able to read.
func adopt(file *os.File, folder string) error {
	if os.Geteuid() != 0 {
		return nil
	}
	info, err := os.Stat(folder)
	if err != nil {
		return err
	}
	owner, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return nil
	}
	return file.Chown(int(owner.Uid), int(owner.Gid))
}

// protect and unprotect do nothing: the mode of the file is the protection.
func protect(b []byte) ([]byte, error)   { return b, nil }
func unprotect(b []byte) ([]byte, error) { return b, nil }

// syncFolder makes a rename in path last through a power cut.
func syncFolder(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}
