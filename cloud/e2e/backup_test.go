package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"ldap-gateway/cloud/api/client"
)

// TestRestoredCloudGoesOn copies a cloud while people sign on, loses it, and makes
// it anew of the copy: the people and their groups are there, and the agent, which
// has gone on meanwhile, is no clone. A copied state folder still is.
func TestRestoredCloudGoesOn(t *testing.T) {
	w := newWorld(t, plan{})
	alice := w.mustSignOn("alice", "wonderland").User.ID
	run := func(want int, args ...string) string {
		t.Helper()
		cmd := exec.Command(programs+"/ldap-cloud", args...)
		out, _ := cmd.CombinedOutput()
		if cmd.ProcessState.ExitCode() != want {
			t.Fatalf("%v: exit %d\n%s", args, cmd.ProcessState.ExitCode(), out)
		}
		return string(out)
	}
	data, copied := w.dir+"/cloud", w.dir+"/copy"
	signing := make(chan struct{})
	go func() {
		defer close(signing)
		for range 20 {
			_ = w.do("POST", "/signOns", map[string]string{"username": "bob", "password": "builder"}, nil)
		}
	}()
	run(0, "backup", "--data", data, "--to", copied)
	<-signing
	run(1, "backup", "--data", data, "--to", copied)
	if info, err := os.Stat(copied); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", info, err)
	}
	run(1, "restore", "--data", data, "--from", copied)
	w.agents[0].stop() // a new epoch for each link
	w.runAgent(w.agents[0])
	w.cloud.kill()
	must(t, os.Rename(data, w.dir+"/lost"))
	if out := run(1, "restore", "--data", data, "--from", copied); !strings.Contains(out, "--master-key") {
		t.Error(out)
	}
	must(t, os.MkdirAll(data, 0o700))
	key, err := os.ReadFile(w.dir + "/lost/master.key")
	must(t, err)
	must(t, os.WriteFile(data+"/master.key", key, 0o600))
	must(t, os.WriteFile(w.dir+"/broken", []byte("SQLite format 3\x00 and then nothing"), 0o600))
	run(1, "restore", "--data", data, "--from", w.dir+"/broken")
	run(0, "restore", "--data", data, "--from", copied)
	if left, _ := filepath.Glob(data + "/restoring*"); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
	w.api = &client.Client{Environment: w.api.Environment, ID: w.api.ID, Secret: w.api.Secret} // the access token is gone
	w.restartCloud()
	w.awaitInstances(1)
	if r := w.mustSignOn("alice", "wonderland"); r.User.ID != alice || len(r.Groups) != 3 {
		t.Errorf("%+v", r)
	}
}
