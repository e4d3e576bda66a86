package rotated

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"testing"
)

func read(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// TestRotates has every line in one of the files that are kept, whole.
func TestRotates(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sub", "log")
	f := &File{Path: path, MaxSize: 10, Keep: 2}
	for i := range 6 {
		if _, err := fmt.Fprintf(f, "line%d\n", i); err != nil {
			t.Fatal(err)
		}
		if i == 3 { // as at a restart
			if err := f.Close(); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if got := read(t, path) + read(t, path+".1") + read(t, path+".2"); got != "line5\nline4\nline3\n" {
		t.Errorf("%q", got)
	}
	if _, err := os.Stat(path + ".3"); err == nil {
		t.Error("more is kept than asked for")
	}
	if info, err := os.Stat(path); err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
		t.Error(info, err)
	}
}

// TestUnfinishedLineIsEnded has what the power cut short not run into the next line.
func TestUnfinishedLineIsEnded(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	if err := os.WriteFile(path, []byte("whole\nhal"), 0o600); err != nil {
		t.Fatal(err)
	}
	f := &File{Path: path}
	if _, err := f.Write([]byte("next\n")); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if got := read(t, path); got != "whole\nhal\nnext\n" {
		t.Errorf("%q", got)
	}
}
