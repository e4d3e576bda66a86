package signon

import (
	"strings"
	"testing"

	"ldap-gateway/agent/agenttest"
	"ldap-gateway/cloudlink/wire"
)

// What a sign-on would bring is told without a password, when the file says so,
// and of what the policy keeps back there is a number and no name.
func TestExplained(t *testing.T) {
	p := agenttest.Policy()
	question := wire.Explain{ID: "x", UserType: "staff", Revision: 1, Identifier: "alice"}
	d := newDesk(t, p)
	if e, trace := d.Explain(t.Context(), question); e.Outcome != wire.OutcomeNotAllowed ||
		!strings.Contains(e.Reason, "policy.explain") ||
		e.Entry != nil ||
		trace.DN != "" || trace.Asked {
		t.Errorf("without the file's word: %+v", e)
	}
	if n := d.server.Searches(); n != 0 {
		t.Errorf("%d searches", n)
	}
	p.Explain = true
	d = newDesk(t, p)
	e, trace := d.Explain(t.Context(), question)
	if e.Outcome != wire.OutcomeOK || e.ID != "x" || trace.DN != agenttest.AliceDN || e.Entry.DN != agenttest.AliceDN ||
		e.Entry.Attributes["mail"][0] != "alice@x.test" ||
		len(e.Account) == 0 ||
		e.Method == "" {
		t.Errorf("%+v", e)
	}
	if m := e.Membership; m.Verdict != wire.VerdictComplete || len(m.Groups) != 1 || m.Groups[0].Name != "child" {
		t.Errorf("%+v", m)
	}
	if len(e.Skipped) != 1 || !strings.Contains(e.Skipped[0].Reason, "not direct") || e.Withheld != 0 {
		t.Errorf("%+v, %d withheld", e.Skipped, e.Withheld)
	}
	if r := d.ask("1", "alice", "wonderland"); len(r.Membership.Groups) != len(e.Membership.Groups) ||
		r.Membership.Groups[0] != e.Membership.Groups[0] {
		t.Errorf("a sign-on brings %+v", r.Membership)
	}

	p.Groups.Exclude = []string{"*"}
	d = newDesk(t, p)
	if e, _ := d.Explain(t.Context(), question); len(e.Membership.Groups) != 0 || len(e.Skipped) != 0 || e.Withheld != 2 {
		t.Errorf("the policy keeps back %d, and %+v", e.Withheld, e.Skipped)
	}
	question.Identifier = "nobody"
	if e, _ := d.Explain(t.Context(), question); e.Outcome != wire.OutcomeNoSuchUser || e.Entry != nil {
		t.Errorf("%+v", e)
	}
	p.Observe = true
	if e, _ := newDesk(t, p).Explain(t.Context(), question); e.Outcome != wire.OutcomeNotAllowed {
		t.Errorf("while observing: %+v", e)
	}
}
