package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// fullDisk returns a folder with the files of another on a disk of their size,
// filled to the last byte. It needs root, as the tests of real services do.
func fullDisk(t *testing.T, from string) string {
	t.Helper()
	at := t.TempDir()
	run := func(name string, args ...string) {
		t.Helper()
		if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s(the test needs root)", name, err, out)
		}
	}
	run("mount", "-t", "tmpfs", "-o", "size=64k,mode=700", "tmpfs", at)
	t.Cleanup(func() { run("umount", "-l", at) })
	run("cp", "-a", from+"/.", at)
	fill := filepath.Join(at, "fill")
	f, err := os.Create(fill)
	must(t, err)
	for b := make([]byte, 512); err == nil; {
		_, err = f.Write(b)
	}
	must(t, f.Close())
	return at
}
