package e2e

import (
	"testing"
	"time"
)

// awaitSignOn polls until a sign-on is ok, and returns how long that took.
func (w *world) awaitSignOn() time.Duration {
	w.t.Helper()
	from := time.Now()
	w.await("sign-ons work again", func() bool {
		var r signOn
		err := w.do("POST", "/signOns", map[string]string{"username": "alice", "password": "wonderland"}, &r)
		return err == nil && r.Outcome == "ok"
	})
	return time.Since(from)
}

// TestAnyOrderOfRestarts kills and restarts each of the three. Sign-ons work
// again by themselves, and the agent that was not killed never ends.
func TestAnyOrderOfRestarts(t *testing.T) {
	w := newWorld(t, plan{})
	w.awaitSignOn()
	agent := w.agents[0]
	for name, restart := range map[string]func(){
		"cloud-killed":      func() { w.cloud.kill(); w.restartCloud() },
		"cloud-stopped":     func() { w.cloud.stop(); w.restartCloud() },
		"directory-stopped": func() { w.slapd.Restart() },
		"directory-away": func() {
			w.slapd.Stop()
			if r := w.signOn("alice", "wonderland"); r.Outcome != "directoryUnavailable" && r.Outcome != "unknown" {
				t.Errorf("without a directory: %s", r.Outcome)
			}
			w.slapd.Restart()
		},
		"cloud-and-directory": func() { w.cloud.kill(); w.slapd.Restart(); w.restartCloud() },
	} {
		t.Run(name, func(t *testing.T) {
			restart()
			if d := w.awaitSignOn(); d > 10*time.Second {
				t.Errorf("only after %s", d)
			}
			if !agent.running() {
				t.Fatal("the agent ended")
			}
		})
	}
	t.Run("agent-killed", func(t *testing.T) {
		agent.kill()
		w.await("the cloud knows", func() bool { return w.signOn("alice", "wonderland").Outcome == "directoryUnavailable" })
		w.runAgent(agent)
		w.awaitSignOn()
	})
}

// TestAgentStartsBeforeEverything has an agent run before its cloud is there.
func TestAgentStartsBeforeEverything(t *testing.T) {
	w := newWorld(t, plan{})
	w.agents[0].stop()
	w.cloud.stop()
	w.slapd.Stop()
	m := w.agents[0]
	m.process = start(t, w.dir+"/agent1/log", programs+"/ldap-gateway", w.args("agent1", "run")...)
	w.restartCloud()
	w.slapd.Restart()
	w.awaitSignOn()
	if !m.running() {
		t.Error("the agent ended")
	}
}

// TestKilledCloudLosesNothingAcknowledged kills the cloud after each answer.
func TestKilledCloudLosesNothingAcknowledged(t *testing.T) {
	w := newWorld(t, plan{update: true})
	var acknowledged []signOn
	for range 5 {
		w.awaitInstances(1)
		acknowledged = append(acknowledged, w.mustSignOn("alice", "wonderland"), w.mustSignOn("bob", "builder"), w.signOn("alice", "guess"))
		w.cloud.kill()
		w.restartCloud()
	}
	for _, want := range acknowledged {
		var got signOn
		w.must("GET", "/signOns/"+want.ID, nil, &got)
		if got.Outcome != want.Outcome {
			t.Errorf("%+v, acknowledged was %+v", got, want)
		}
	}
	if _, groups := w.record(acknowledged[0].User.ID); groups != "cn=B cn=staff cn=unix" {
		t.Error(groups)
	}
}
