package agent_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"

	"ldap-gateway/agent"
	"ldap-gateway/agent/agenttest"
	"ldap-gateway/cloudlink/wire"
	"ldap-gateway/configs"
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

// TestHostileDeliveryAfterRestart: what a cloud delivers first after a start is no free
// round of questions, and what was refused before it is refused after it.
func TestHostileDeliveryAfterRestart(t *testing.T) {
	h := startHostile(t, func(g *configs.Gateway) { g.Policy.UserTypeChangesPerHour = 5 }, nil)
	h.link()
	asks := func(revision uint64) (taken int) {
		types := []wire.UserType{agenttest.Staff()}
		for i := range 50 {
			u := agenttest.Staff()
			u.ID, u.Filter = fmt.Sprint("q", i), fmt.Sprintf("(&(uid=${identifier})(objectClass=a%d))", i)
			types = append(types, u)
		}
		return len(types) - len(h.deliver(revision, types...).Refused)
	}
	if n := asks(21); n != 1+5 {
		t.Errorf("%d of 51 taken", n)
	}
	taken := 1 + 5
	for _, revision := range []uint64{21, 0, 0} {
		h.restart()
		h.conn = h.cloud.AwaitLink(t)
		n := asks(revision)
		if n > taken+5 {
			t.Errorf("%d taken at revision %d after another start, %d before it", n, revision, taken)
		}
		taken = n
	}
	h.deliver(0) // none at all
	h.restart()
	h.conn = h.cloud.AwaitLink(t)
	if n := asks(0); n > 5 {
		t.Errorf("%d taken after a start from none", n)
	}
}
