package e2e

import (
	"errors"
	"ldap-gateway/cloud/api/client"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// smallDisk puts an agent's state folder on a disk of 64 KiB. It needs root, as
// the tests of real services do.
func (w *world) smallDisk(name string) (at string) {
	w.t.Helper()
	return w.onDisk(filepath.Join(w.dir, name, "state"), "64k")
}

// onDisk moves a folder to a disk of a size.
func (w *world) onDisk(state, size string) (at string) {
	w.t.Helper()
	at = w.t.TempDir()
	w.mount(at, size)
	w.shell("cp", "-a", state+"/.", at)
	must(w.t, os.Rename(state, state+".real"))
	must(w.t, os.Symlink(at, state))
	return at
}

// toDisk is onDisk of a folder that is found by others than the test, who cannot look into
// its folders.
func (w *world) toDisk(folder, size string) {
	w.t.Helper()
	must(w.t, os.Rename(folder, folder+".real"))
	must(w.t, os.Mkdir(folder, 0o700))
	w.mount(folder, size)
	w.shell("cp", "-a", folder+".real/.", folder)
}

// mount has a folder be a disk of a size, until the test ends.
func (w *world) mount(at, size string) {
	w.t.Helper()
	w.shell("mount", "-t", "tmpfs", "-o", "size="+size+",mode=700", "tmpfs", at)
	w.t.Cleanup(func() { w.shell("umount", "-l", at) })
}

// shell runs a program that needs root.
func (w *world) shell(name string, args ...string) {
	w.t.Helper()
	if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
		w.t.Fatalf("%s: %v\n%s(the test needs root)", name, err, out)
	}
}

// fill leaves no byte on a disk; what it returns makes room again.
func fill(t testing.TB, at string) (empty func()) {
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

// TestCloudOnAFullDisk: the node is not ready, sign-ons are told to come back, and nobody's
// password is tried that could not be recorded; with room again all is well.
func TestCloudOnAFullDisk(t *testing.T) {
	w := newWorld(t, plan{policy: unlimited})
	w.mustSignOn("alice", "wonderland")
	w.cloud.stop()
	at := w.onDisk(w.dir+"/cloud", "6m")
	w.restartCloud()
	w.awaitSignOn()
	ready := func() int {
		resp, err := http.Get(w.url + "/ready")
		must(t, err)
		must(t, resp.Body.Close())
		return resp.StatusCode
	}
	empty := fill(t, at)
	signOn := func() error {
		return w.do("POST", "/signOns", map[string]string{"username": "alice", "password": "wonderland"}, nil)
	}
	w.await("sign-ons cannot be recorded", func() bool { return signOn() != nil })
	w.await("the node is not ready", func() bool { return ready() == http.StatusServiceUnavailable })
	before := w.slapd.Binds(aliceDN)
	for range 20 {
		var refused *client.Error
		if err := signOn(); !errors.As(err, &refused) || refused.Status != http.StatusServiceUnavailable {
			t.Errorf("%v", err)
		}
	}
	if n := w.slapd.Binds(aliceDN) - before; n > 0 {
		t.Errorf("%d passwords were tried", n)
	}
	empty()
	w.await("the node is ready", func() bool { return ready() == http.StatusOK })
	w.awaitSignOn()
}
