package e2e

import (
	"bytes"
	"encoding/json"
	"net/url"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// TestKeysAreChangedFromTheConsole has an administrator want other keys: the
// agent makes them, and sign-ons go on. Keys of just now it keeps.
func TestKeysAreChangedFromTheConsole(t *testing.T) {
	w := newWorld(t, plan{})
	w.awaitInstances(1)
	before := w.instances()[0]
	v := w.administrator()
	path := "/console/gateways/" + w.gateway + "/instances/" + before.ID + "/rotate"
	v.post(path, url.Values{})
	w.mustSignOn("alice", "wonderland")

	agent := w.agents[0]
	agent.stop()
	file := filepath.Join(w.dir, agent.name, "state", "instance.json")
	b, err := os.ReadFile(file)
	must(t, err)
	var kept struct{ KeysSince time.Time }
	must(t, json.Unmarshal(b, &kept))
	old, err := json.Marshal(kept.KeysSince)
	must(t, err)
	older, err := json.Marshal(kept.KeysSince.Add(-time.Hour))
	must(t, err)
	must(t, os.WriteFile(file, bytes.ReplaceAll(b, old, older), 0o600))
	w.runAgent(agent)
	w.awaitSignOn()
	if now := w.instances()[0]; now.Fingerprint != before.Fingerprint {
		t.Error("keys that are younger than a minute were changed")
	}
	v.post(path, url.Values{})
	w.await("the fingerprint is another", func() bool { return w.instances()[0].Fingerprint != before.Fingerprint })
	w.mustSignOn("alice", "wonderland")
}
