package rotated

import (
	"os"
	"path/filepath"
	"testing"
)

// TestFullDisk writes to the device that is always full, and then to the file
// itself, which is not.
func TestFullDisk(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	f := &File{Path: path, file: full}
	if n, err := f.Write([]byte("lost\n")); err == nil || n != 0 {
		t.Error("nothing is wrong with a full disk")
	}
	if _, err := f.Write([]byte("kept\n")); err != nil {
		t.Error(err)
	}
	if err := f.Close(); err != nil {
		t.Error(err)
	}
	if text, err := os.ReadFile(path); string(text) != "kept\n" {
		t.Errorf("%q %v", text, err)
	}
}
