package hub_test

import (
	"bytes"
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/nats-io/nats.go"

	"ldap-gateway/cloud/hub"
	"ldap-gateway/cloudlink/wire"
)

func (n *node) change(old, fresh string) hub.Changed {
	n.t.Helper()
	ctx, cancel := context.WithTimeout(n.t.Context(), 5*time.Second)
	defer cancel()
	g, err := n.store.GatewayByID(ctx, n.gateway.ID)
	must(n.t, err)
	return n.hub.ChangePassword(ctx, hub.Change{
		ID:         uuid.NewString(),
		Gateway:    n.gateway.ID,
		UserType:   "t1",
		Revision:   g.Revision,
		Identifier: "alice",
		Known:      []wire.Correlation{{Attribute: "entryUUID", Value: "u1"}},
		Old:        []byte(old),
		New:        []byte(fresh),
	})
}

// TestChangeArrivesSealed listens to the bus, on which neither password is.
func TestChangeArrivesSealed(t *testing.T) {
	c := startNATS(t, 2)
	nodes := startNodes(t, c)
	n := nodes[1]
	var got atomic.Value
	m := nodes[0].start(func(ctx context.Context, s wire.SignOn, passwords string) wire.SignOnResult {
		got.Store(passwords + "/" + s.UserType + "/" + s.Identifier + "/" + s.Known[0].Value)
		return ok(ctx, s, passwords)
	})
	n.await("the other node knows the instance", func() bool { return n.live(m) })
	var heard atomic.Int64
	sub, err := c.listen(func(m *nats.Msg) {
		heard.Add(1)
		if bytes.Contains(m.Data, []byte("hunter")) {
			t.Errorf("%s carries a password", m.Subject)
		}
	})
	must(t, err)
	defer func() { must(t, sub.Unsubscribe()) }()
	for range 2 { // with the encapsulation, and without
		if c := n.change("hunter2", "hunter3"); c.Outcome != wire.OutcomeOK || c.Instance != m.instance || !c.BindSent {
			t.Fatalf("%+v", c)
		}
	}
	if got.Load() != "hunter2/hunter3/t1/alice/u1" {
		t.Error(got.Load())
	}
	n.await("both ways were heard", func() bool { return heard.Load() >= 4 })
}

// TestChangeIsHandedOn by the same rule as a sign-on: only while no bind can have happened.
func TestChangeIsHandedOn(t *testing.T) {
	for name, c := range map[string]struct {
		first wire.SignOnResult
		asked int
	}{
		"busy":        {wire.SignOnResult{Outcome: wire.OutcomeBusy}, 2},
		"busy-bound":  {wire.SignOnResult{Outcome: wire.OutcomeBusy, BindSent: true}, 1},
		"refused":     {wire.SignOnResult{Outcome: wire.OutcomeNewPasswordRefused, BindSent: true}, 1},
		"unknown":     {wire.SignOnResult{Outcome: wire.OutcomeUnknown, BindSent: true}, 1},
		"other-id":    {wire.SignOnResult{ID: "another", Outcome: wire.OutcomeOK}, 1},
		"not-allowed": {wire.SignOnResult{Outcome: wire.OutcomeNotAllowed}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			n := startNode(t, time.Second)
			first, second := n.start(fixed(c.first)), n.start(fixed(c.first))
			r := n.change("x", "y")
			if asked := first.person.count() + second.person.count(); asked != c.asked {
				t.Errorf("%d instances asked, want %d: %+v", asked, c.asked, r)
			}
			if c.first.ID != "" && (r.Outcome != wire.OutcomeUnknown || !r.BindSent) {
				t.Errorf("%+v", r)
			}
		})
	}
}

// TestRefusalsThatAreNotKnown: the set is closed, whatever an agent says.
func TestRefusalsThatAreNotKnown(t *testing.T) {
	for said, want := range map[uint32]wire.PasswordRefusal{
		4:   wire.RefusalInHistory,
		0:   wire.RefusalOther,
		200: wire.RefusalOther,
	} {
		n := startNode(t, time.Second)
		n.start(fixed(wire.SignOnResult{Outcome: wire.OutcomeNewPasswordRefused, BindSent: true, RetryMillis: said}))
		if r := n.change("x", "y"); r.Outcome != wire.OutcomeNewPasswordRefused || r.Refusal != want {
			t.Errorf("%d: %+v", said, r)
		}
	}
}

// TestSignOnIsNeverARefusedPassword: that outcome is of a change.
func TestSignOnIsNeverARefusedPassword(t *testing.T) {
	n := startNode(t, time.Second)
	n.start(fixed(wire.SignOnResult{Outcome: wire.OutcomeNewPasswordRefused, BindSent: true}))
	if a := n.signOn("x"); a.Outcome != wire.OutcomeUnknown {
		t.Errorf("%+v", a)
	}
}
