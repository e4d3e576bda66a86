package signon

import (
	"strings"
	"testing"

	"ldap-gateway/cloudlink/wire"
)

// TestWhatWouldGoIsAskedAboutFirst, within the sign-on, and of the instance that answered.
func TestWhatWouldGoIsAskedAboutFirst(t *testing.T) {
	c := newCloud(t)
	c.setUpdate(&c.first)
	c.agents.answers[c.first.ID] = right("alice", "1", "stays", "left", "hidden", "still", "odd")
	first := c.signOn("alice", "x")
	if first.Outcome != "ok" || c.agents.looked != nil {
		t.Fatalf("%+v, asked %+v", first, c.agents.looked)
	}
	c.signOn("alice", "x")
	if c.agents.looked != nil {
		t.Errorf("nothing changed, and yet asked %+v", c.agents.looked)
	}
	c.agents.sights = map[string]wire.Sight{
		"cn=hidden": {Finding: wire.FindingUntellable, Reason: wire.LookMembersHidden},
		"cn=still":  {Finding: wire.FindingStill},
		"cn=odd":    {Finding: 77},
	}
	c.agents.answers[c.first.ID] = right("alice", "1", "stays")
	so := c.signOn("alice", "x")
	if so.Outcome != "ok" || so.Verdict != "partial" || len(so.Removed) != 1 ||
		!strings.Contains(so.VerdictReason, wire.LookMembersHidden.Words()) {
		t.Errorf("%+v", so)
	}
	if len(c.agents.looked) != 1 {
		t.Fatalf("asked %d times", len(c.agents.looked))
	}
	q := c.agents.looked[0]
	if q.ID != so.ID || q.Instance != "i" || q.Gateway != c.first.ID || q.UserType != "first-staff" ||
		len(q.Groups) != 4 {
		t.Errorf("%+v", q)
	}
	groups, err := c.Store.UserGroups(t.Context(), c.env, so.UserID)
	must(t, err)
	var have []string
	for _, m := range groups {
		have = append(have, m.Group.DisplayName+m.Doubt)
	}
	if got := strings.Join(have, " "); got != "hiddenmembersHidden oddnotAsked stays still" {
		t.Error(got)
	}
}

// TestValueThatIsTooLargeStays as the record has it: it is not known, and not none.
func TestValueThatIsTooLargeStays(t *testing.T) {
	c := newCloud(t)
	c.setUpdate(&c.first)
	c.agents.answers[c.first.ID] = right("alice", "1")
	first := c.signOn("alice", "x")
	large := right("alice", "1")
	delete(large.Entry.Attributes, "mail")
	large.Entry.TooLarge = []string{"Mail"}
	c.agents.answers[c.first.ID] = large
	if so := c.signOn("alice", "x"); so.Outcome != "ok" || so.Updated {
		t.Errorf("%+v", so)
	}
	if u, err := c.Store.User(t.Context(), c.env, first.UserID); err != nil || u.Email != "alice@x" {
		t.Errorf("%+v %v", u, err)
	}
	delete(large.Entry.Attributes, "mail")
	large.Entry.TooLarge = nil
	c.agents.answers[c.first.ID] = large
	c.signOn("alice", "x")
	if u, err := c.Store.User(t.Context(), c.env, first.UserID); err != nil || u.Email != "" {
		t.Errorf("without a value: %+v %v", u, err)
	}
}
