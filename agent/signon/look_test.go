package signon

import (
	"fmt"
	"testing"
	"time"

	"ldap-gateway/agent/agenttest"
	"ldap-gateway/cloudlink/wire"
	"ldap-gateway/directory"
)

const child = "cn=child,ou=groups,dc=x"

func (d *desk) look(id string, groups ...wire.LookGroup) wire.Looked {
	d.t.Helper()
	l, _ := d.Look(d.t.Context(), wire.Look{ID: id, UserType: "staff", Revision: 1, Groups: groups})
	if l.ID != id {
		d.t.Errorf("answer for %q", l.ID)
	}
	return l
}

func TestLookAfterASignOn(t *testing.T) {
	p := agenttest.Policy()
	p.Groups.Exclude = []string{"cn=secret*"}
	d := newDesk(t, p)
	if r := d.ask("1", "alice", "wonderland"); r.Membership.Unconfirmed || len(r.Membership.Groups) != 1 {
		t.Fatalf("%+v", r.Membership)
	}
	before := d.server.Searches()
	l := d.look("1", wire.LookGroup{DN: "cn=secret,ou=groups,dc=x"}, wire.LookGroup{DN: "cn=other,dc=y"})
	if d.server.Searches() > before+1 { // the person, and no group
		t.Error("the directory was asked about groups that may not leave")
	}
	for _, g := range l.Groups {
		if l.Outcome != wire.OutcomeOK || g != (wire.Sight{Finding: wire.FindingOutside}) {
			t.Errorf("%+v", l)
		}
	}
	d.ask("2", "alice", "wonderland")
	l = d.look(
		"2",
		wire.LookGroup{DN: child},
		wire.LookGroup{DN: "cn=missing,ou=groups,dc=x"},
		wire.LookGroup{DN: "cn=" + string(make([]byte, 9000))},
		wire.LookGroup{DN: "my_attr=x,ou=groups,dc=x"},
	)
	malformed := wire.Sight{Finding: wire.FindingUntellable, Reason: wire.LookMalformed}
	unseen := wire.Sight{Finding: wire.FindingUntellable, Reason: wire.LookNotVisible}
	want := []wire.Sight{{Finding: wire.FindingStill}, unseen, malformed, malformed}
	for i, g := range l.Groups {
		if g.Finding != want[i].Finding || g.Reason != want[i].Reason {
			t.Errorf("%d: %+v", i, g)
		}
	}
	if again := d.look("2", wire.LookGroup{DN: child}); again.Outcome != wire.OutcomeNotAllowed || len(again.Groups) != 0 {
		t.Errorf("a second question of one sign-on: %+v", again)
	}
}

// TestLookBelongsToASignOnThatEndedWell: nothing is told of anybody else.
func TestLookBelongsToASignOnThatEndedWell(t *testing.T) {
	d := newDesk(t, agenttest.Policy())
	d.ask("wrong", "alice", "guess")
	d.ask("verified", "alice", "wonderland", func(m *wire.SignOn) {
		m.Want, m.Known = wire.WantVerify, []wire.Correlation{{Attribute: "entryUUID", Value: agenttest.AliceUUID}}
	})
	d.ask("other type", "alice", "wonderland")
	for _, id := range []string{"wrong", "verified", "never"} {
		if l := d.look(id, wire.LookGroup{DN: child}); l.Outcome != wire.OutcomeNotAllowed || len(l.Groups) != 0 {
			t.Errorf("%s: %+v", id, l)
		}
	}
	if l, trace := d.Look(t.Context(), wire.Look{ID: "other type", UserType: "x", Groups: []wire.LookGroup{{DN: child}}}); l.Outcome != wire.OutcomeNotAllowed ||
		trace.DN != "" {
		t.Errorf("%+v", l)
	}
	observe := agenttest.Policy()
	observe.Observe = true
	d = newDesk(t, observe)
	d.ask("1", "alice", "wonderland")
	if l := d.look("1", wire.LookGroup{DN: child}); l.Outcome != wire.OutcomeNotAllowed {
		t.Errorf("while only observing: %+v", l)
	}
}

func TestLookIsBounded(t *testing.T) {
	d := newDesk(t, agenttest.Policy())
	d.ask("1", "alice", "wonderland")
	if e := d.looks.byID["1"].entry; e.Attributes != nil || e.TooLarge != nil {
		t.Errorf("values are kept for a question that is about none: %v", e.Attributes)
	}
	many := make([]wire.LookGroup, mostLooked+10)
	for i := range many {
		many[i].DN = fmt.Sprintf("cn=g%d,ou=groups,dc=x", i)
	}
	l := d.look("1", many...)
	for i, g := range l.Groups {
		if want := map[bool]wire.LookReason{true: wire.LookTooMany, false: wire.LookNotVisible}[i >= mostLooked]; g.Reason != want {
			t.Errorf("%d: %+v", i, g)
		}
	}
	d.ask("2", "alice", "wonderland")
	for range mostLooks {
		d.looks.enter()
	}
	if l := d.look("2", wire.LookGroup{DN: child}); l.Outcome != wire.OutcomeBusy {
		t.Errorf("%+v", l)
	}
}

func TestOnlyTheNewestSignOnsAreRemembered(t *testing.T) {
	var l looks
	start := time.Now()
	for i := range lookMemory + 5 {
		l.keep(&finished{id: fmt.Sprint(i), at: start})
	}
	if l.take("4", start) != nil || l.take("5", start) == nil || len(l.inOrder) != lookMemory {
		t.Errorf("%d are remembered", len(l.inOrder))
	}
	if l.take("6", start.Add(lookLife+1)) != nil {
		t.Error("one of long ago")
	}
	heavy := directory.Membership{Groups: make([]directory.Group, lookWeight)}
	l.keep(&finished{id: "heavy", at: start, membership: heavy})
	if l.take("heavy", start) != nil || l.take("7", start) != nil || l.weight != 0 {
		t.Errorf("weight %d", l.weight)
	}
	l.keep(&finished{id: "old", at: start})
	l.keep(&finished{id: "new", at: start.Add(lookLife + 1)})
	if len(l.inOrder) != 1 {
		t.Errorf("%d are remembered", len(l.inOrder))
	}
}
