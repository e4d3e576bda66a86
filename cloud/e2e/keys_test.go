package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// signOnsMeanwhile signs on without a pause until the returned function is
// called, which wants every one of them to have been ok.
func (w *world) signOnsMeanwhile() (end func() int) {
	stop := make(chan struct{})
	var wg sync.WaitGroup
	count := 0
	wg.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
			}
			var r signOn
			if err := w.do("POST", "/signOns", map[string]string{
				"username": "alice",
				"password": "wonderland",
			}, &r); err != nil || r.Outcome != "ok" {
				w.t.Errorf("meanwhile: %v %s %s", err, r.Outcome, r.Reason)
			}
			count++
		}
	})
	return func() int { close(stop); wg.Wait(); return count }
}

// TestRotatedKeysCostNoSignOn changes the keys by command while people sign on.
func TestRotatedKeysCostNoSignOn(t *testing.T) {
	w := newWorld(t, plan{policy: unlimited})
	w.mustSignOn("alice", "wonderland")
	before := w.instances()[0]
	end := w.signOnsMeanwhile()
	out, code := w.command("agent1", "", "rotate")
	n := end()
	after := w.instances()[0]
	if code != 0 || !strings.Contains(out, before.Fingerprint) || !strings.Contains(out, after.Fingerprint) || before.Fingerprint == after.Fingerprint || before.ID != after.ID {
		t.Errorf("%d %s\nbefore %+v\nafter  %+v", code, out, before, after)
	}
	t.Logf("%d sign-ons meanwhile", n)
	w.agents[0].stop()
	w.runAgent(w.agents[0]) // the new keys are the ones that were kept
	w.awaitSignOn()
}

// TestInterruptedRotationIsFinished has the agent die after the cloud took the
// new keys and before it learned of that.
func TestInterruptedRotationIsFinished(t *testing.T) {
	w := newWorld(t, plan{})
	state := filepath.Join(w.dir, "agent1", "state")
	old, err := os.ReadFile(filepath.Join(state, "instance.json"))
	must(t, err)
	if out, code := w.command("agent1", "", "rotate"); code != 0 {
		t.Fatal(out)
	}
	w.agents[0].kill()
	fresh, err := os.ReadFile(filepath.Join(state, "instance.json"))
	must(t, err)
	// As it was when the request was on its way: the old keys, and the new ones beside them.
	must(t, os.WriteFile(filepath.Join(state, "instance.json"), old, 0o600))
	must(t, os.WriteFile(filepath.Join(state, "next.json"), fresh, 0o600))
	w.runAgent(w.agents[0])
	w.awaitSignOn()
}

// copyState copies an agent's folder, file and state, under another name.
func (w *world) copyState(from, to string) {
	w.t.Helper()
	out, err := exec.Command("cp", "-a", filepath.Join(w.dir, from), filepath.Join(w.dir, to)).CombinedOutput()
	if err != nil {
		w.t.Fatalf("%s", out)
	}
}

// quarantined tells whether the one instance is, by what the activities say.
func (w *world) quarantined() bool { w.t.Helper(); return w.told("instance.quarantined") }

// told tells whether there is an activity.
func (w *world) told(action string) bool {
	w.t.Helper()
	var list struct {
		Embedded struct{ Activities []struct{ Action string } } `json:"_embedded"`
	}
	w.must("GET", `/activities?filter=action+eq+"`+action+`"`, nil, &list)
	return len(list.Embedded.Activities) > 0
}

// TestClonedStateIsQuarantined runs a copy of a state folder on another machine,
// after the original has moved on. Both are out until one is paired anew.
func TestClonedStateIsQuarantined(t *testing.T) {
	w := newWorld(t, plan{})
	w.awaitSignOn()
	w.copyState("agent1", "clone")
	w.agents[0].stop()
	w.runAgent(w.agents[0]) // a link later
	w.awaitSignOn()
	if w.quarantined() {
		t.Fatal("a restart is not a clone")
	}
	start(t, filepath.Join(w.dir, "clone.log"), programs+"/ldap-gateway", w.args("clone", "run")...)
	w.await("the instance is in quarantine", w.quarantined)
	w.await("and has no link", func() bool { return !w.instances()[0].Connected })
	if !w.agents[0].running() {
		t.Error("the agent ended")
	}
	if out, code := w.command("agent1", w.code(), "pair", "--replace"); code != 0 {
		t.Fatal(out)
	}
	w.awaitSignOn()
}

// TestRestoredStateIsQuarantined puts a state folder back as a backup does.
func TestRestoredStateIsQuarantined(t *testing.T) {
	w := newWorld(t, plan{})
	w.awaitSignOn()
	w.copyState("agent1", "backup")
	for range 2 {
		w.agents[0].stop()
		w.runAgent(w.agents[0])
		w.awaitSignOn()
	}
	w.agents[0].stop()
	must(t, os.RemoveAll(filepath.Join(w.dir, "agent1", "state")))
	must(t, os.Rename(filepath.Join(w.dir, "backup", "state"), filepath.Join(w.dir, "agent1", "state")))
	m := w.agents[0]
	m.process = start(t, filepath.Join(w.dir, "agent1", "log2"), programs+"/ldap-gateway", w.args("agent1", "run")...)
	w.await("the instance is in quarantine", w.quarantined)
	w.await("the agent says so", func() bool {
		b, err := os.ReadFile(filepath.Join(w.dir, "agent1", "log2"))
		return err == nil && strings.Contains(string(b), "restored from the past")
	})
}
