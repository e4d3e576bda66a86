//go:build unix

package state

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// TestFilesBelongToTheFoldersOwner has root write for the service's account.
func TestFilesBelongToTheFoldersOwner(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Fatal("run the tests as root, as those of real services need it")
	}
	f := At(filepath.Join(t.TempDir(), "state"))
	if err := f.Ready(); err != nil {
		t.Fatal(err)
	}
	const nobody = 65534
	if err := os.Chown(f.String(), nobody, nobody); err != nil {
		t.Fatal(err)
	}
	if err := f.SaveInstance(newInstance(t)); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(filepath.Join(f.String(), instanceFile))
	if err != nil {
		t.Fatal(err)
	}
	if owner := info.Sys().(*syscall.Stat_t); owner.Uid != nobody || owner.Gid != nobody {
		t.Errorf("belongs to %d:%d", owner.Uid, owner.Gid)
	}
}
