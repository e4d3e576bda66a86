package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestReloadCostsNoSignOn has the file read again, by command and by signal, while
// people sign on.
func TestReloadCostsNoSignOn(t *testing.T) {
	w := newWorld(t, plan{policy: unlimited})
	w.mustSignOn("alice", "wonderland")
	file := filepath.Join(w.dir, "agent1", "gateway.hcl")
	good, err := os.ReadFile(file)
	must(t, err)
	end := w.signOnsMeanwhile()
	for range 8 {
		if out, code := w.command("agent1", "", "reload"); code != 0 || !strings.Contains(out, "is in use") {
			t.Errorf("%d %s", code, out)
		}
	}
	narrow := strings.Replace(string(good), "policy {", "policy {\n  mode = \"observe\"", 1)
	must(t, os.WriteFile(file, []byte(narrow), 0o600))
	must(t, w.agents[0].cmd.Process.Signal(syscall.SIGHUP))
	w.await("the new policy is in use", func() bool {
		out, _ := w.command("agent1", "", "status")
		return strings.Contains(out, "observing")
	})
	t.Logf("%d sign-ons meanwhile", end())
	w.await("the cloud knows of the new policy", func() bool {
		var list struct {
			Embedded struct {
				Activities []struct{ Action string }
			} `json:"_embedded"`
		}
		w.must("GET", "/activities?limit=50", nil, &list)
		for _, a := range list.Embedded.Activities {
			if a.Action == "instance.policyChanged" {
				return true
			}
		}
		return false
	})
	w.refusesABadFile(t, file, narrow)
}

// refusesABadFile has the agent go on with the file before, and say so.
func (w *world) refusesABadFile(t *testing.T, file, before string) {
	t.Helper()
	must(t, os.WriteFile(file, []byte(before+"\nnonsense {}\n"), 0o600))
	if out, code := w.command("agent1", "", "reload"); code != 1 || !strings.Contains(out, "nonsense") {
		t.Errorf("%d %s", code, out)
	}
	w.mustSignOn("alice", "wonderland")
	if out, code := w.command("agent1", "", "status"); code != 0 || !strings.Contains(out, "fileRefused") || !strings.Contains(out, "observing") {
		t.Errorf("%d %s", code, out)
	}
	must(t, os.WriteFile(file, []byte(before+"\nmetrics {\n  listen = \"127.0.0.1:1\"\n}\n"), 0o600))
	if out, code := w.command("agent1", "", "reload"); code != 0 || !strings.Contains(out, "metrics: restart the gateway") {
		t.Errorf("%d %s", code, out)
	}
	if out, _ := w.command("agent1", "", "status"); strings.Contains(out, "fileRefused") || !strings.Contains(out, "restartNeeded") {
		t.Error(out)
	}
}
