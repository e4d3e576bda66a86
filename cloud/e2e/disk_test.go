package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// smallDisk puts an agent's state folder on a disk of 64 KiB. It needs root, as
// the tests of real services do.
func (w *world) smallDisk(name string) (at string) {
	w.t.Helper()
	state := filepath.Join(w.dir, name, "state")
	at = w.t.TempDir()
	run := func(name string, args ...string) {
		w.t.Helper()
		if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
			w.t.Fatalf("%s: %v\n%s(the test needs root)", name, err, out)
		}
	}
	run("mount", "-t", "tmpfs", "-o", "size=64k,mode=700", "tmpfs", at)
	w.t.Cleanup(func() { run("umount", "-l", at) })
	run("cp", "-a", state+"/.", at)
	must(w.t, os.Rename(state, state+".real"))
	must(w.t, os.Symlink(at, state))
	return at
}

// fill leaves no byte on a disk; what it returns makes room again.
func fill(t *testing.T, at string) (empty func()) {
	t.Helper()
	path := filepath.Join(at, "fill")
	f, err := os.Create(path)
	must(t, err)
	for b := make([]byte, 512); err == nil; {
		_, err = f.Write(b)
	}
	must(t, f.Close())
	return func() { must(t, os.Remove(path)) }
}
