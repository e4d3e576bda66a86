package audit

import (
	"os"
	"path/filepath"
	"testing"
)

// TestFullDisk writes to the device that is always full.
func TestFullDisk(t *testing.T) {
	path := filepath.Join(t.TempDir(), "audit.jsonl")
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	l := &Log{Path: path, file: full}
	l.Write(signOn(1))
	if l.Err() == nil {
		t.Error("nothing is wrong with a full disk")
	}
	l.Write(signOn(2)) // on the file itself, which is not full
	if got := lines(t, path); len(got) != 1 || got[0].Lost != 1 || got[0].SignOn.ID != "2" {
		t.Errorf("%+v", got)
	}
	if err := l.Close(); err != nil {
		t.Error(err)
	}
}
