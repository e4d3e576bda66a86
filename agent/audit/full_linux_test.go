package audit

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// TestFullDisk has the disk be full, and then not: the line after says how many
// were lost.
func TestFullDisk(t *testing.T) {
	disk := t.TempDir()
	if err := syscall.Mount("tmpfs", disk, "tmpfs", 0, "size=64k"); err != nil {
		t.Fatal("run the tests as root: ", err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(disk, 0) })
	filler, path := filepath.Join(disk, "filler"), filepath.Join(disk, "audit.jsonl")
	if err := os.WriteFile(filler, make([]byte, 64<<10), 0o600); err != nil {
		t.Fatal(err)
	}
	l := &Log{Path: path}
	l.Write(signOn(1))
	if l.Err() == nil {
		t.Error("nothing is wrong with a full disk")
	}
	if err := os.Remove(filler); err != nil {
		t.Fatal(err)
	}
	l.Write(signOn(2))
	if got := lines(t, path); len(got) != 1 || got[0].Lost != 1 || got[0].SignOn.ID != "2" {
		t.Errorf("%+v", got)
	}
	if err := l.Close(); err != nil {
		t.Error(err)
	}
}
