//go:build unix

package cloud

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"strconv"
	"syscall"
)

// checkOwner refuses root a folder that belongs to another account: the service,
// which runs as that one, could not open what would be made in it.
func checkOwner(folder string) error {
	info, err := os.Stat(folder)
	if errors.Is(err, fs.ErrNotExist) || os.Geteuid() != 0 {
		return nil
	}
	if err != nil {
		return err
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok || stat.Uid == 0 {
		return nil
	}
	owner := strconv.FormatUint(uint64(stat.Uid), 10)
	if u, err := user.LookupId(owner); err == nil {
		owner = u.Username
	}
	return fmt.Errorf(
		"%s belongs to %s, who could not read what root makes in it: repeat this with \"runuser -u %s --\" before it",
		folder,
		owner,
		owner,
	)
}
