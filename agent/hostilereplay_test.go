package agent_test

import (
	"context"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"

	"ldap-gateway/agent"
	"ldap-gateway/agent/agenttest"
	"ldap-gateway/cloudlink/wire"
)

// TestHostileReplayAfterRestart sends one frame again after each of three restarts of
// the agent: it is bound for once.
func TestHostileReplayAfterRestart(t *testing.T) {
	h := newHostile(t, nil)
	h.link()
	m := h.message(func(m *wire.SignOn) {
		m.Revision, m.Password = 20, h.sealer.SealAt(m.ID, time.Now(), []byte("wrong"))
	})
	again := func() (r wire.SignOnResult) {
		agenttest.Must(t, h.ask(wire.KindSignOn, 5*time.Second, m).Decode(&r))
		return r
	}
	before := h.server.Binds(agenttest.AliceDN)
	if r := again(); r.Outcome != wire.OutcomeInvalidCredentials {
		t.Fatalf("%+v", r)
	}
	if r := again(); r.Outcome != wire.OutcomeNotAllowed || r.BindSent {
		t.Errorf("while it runs: %+v", r)
	}
	for range 3 {
		h.restart()
		h.link()
		if r := again(); r.Outcome != wire.OutcomeBusy || !r.KeyUnknown || r.BindSent {
			t.Errorf("after a restart: %+v", r)
		}
	}
	if n := h.server.Binds(agenttest.AliceDN) - before; n != 1+3 { // one each by link
		t.Errorf("%d binds", n)
	}
}

// restart ends the agent and begins another with its state and file.
func (h *hostile) restart() {
	h.t.Helper()
	h.conn.Cut()
	h.stop()
	agenttest.Must(h.t, <-h.ended)
	h.conn = nil
	h.run()
}

// run starts an agent with the file and the state folder.
func (h *hostile) run() {
	var ctx context.Context
	ctx, h.stop = context.WithCancel(context.Background())
	instance := &agent.Instance{File: h.file, State: h.state, Logger: hclog.NewNullLogger()}
	h.ended = make(chan error, 1)
	ended := h.ended
	go func() { ended <- instance.Run(ctx) }()
}
