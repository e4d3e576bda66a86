package signon

import (
	"testing"

	"ldap-gateway/cloudlink/wire"
)

// TestGroupsOfTheFormerGateway: who is moved to another gateway keeps none of them.
func TestGroupsOfTheFormerGateway(t *testing.T) {
	c := newCloud(t)
	c.setUpdate(&c.first)
	c.setUpdate(&c.second)
	r := right("ada", "1")
	r.Membership = &wire.Membership{Verdict: wire.VerdictComplete, Whole: true, Groups: []wire.Group{{DN: "cn=admins,ou=groups,dc=a", Name: "admins"}}}
	c.agents.answers[c.first.ID] = r
	so := c.signOn("ada", "x")
	n, err := c.Store.RelinkUsers(t.Context(), c.env, c.first.ID, "first-staff", c.second.ID, "second-staff")
	must(t, err)
	r = right("ada", "9")
	r.Membership = &wire.Membership{Verdict: wire.VerdictComplete, Whole: true}
	c.agents.answers[c.second.ID] = r
	so2 := c.signOn("ada", "x")
	t.Log(n, so.Outcome, so2.Outcome, so2.GatewayID == c.second.ID, so2.Verdict, so2.VerdictReason, so2.UpdateReason)
	all, err := c.Store.UserGroups(t.Context(), c.env, so.UserID)
	must(t, err)
	for _, m := range all {
		t.Errorf("still in %s of %s, doubt %q", m.Group.Name, m.Group.SourceID, m.Doubt)
	}
}

// TestGroupsOfTheFormerEntry: without updates, too, who is linked elsewhere keeps none of them, and has those
// of the new entry at the first sign-on.
func TestGroupsOfTheFormerEntry(t *testing.T) {
	c := newCloud(t)
	r := right("ada", "1")
	r.Membership = &wire.Membership{Verdict: wire.VerdictComplete, Whole: true, Groups: []wire.Group{{DN: "cn=admins,ou=groups,dc=a", Name: "admins"}}}
	c.agents.answers[c.first.ID] = r
	so := c.signOn("ada", "x")
	must(t, func() error {
		_, err := c.Store.RelinkUsers(t.Context(), c.env, c.first.ID, "first-staff", c.second.ID, "second-staff")
		return err
	}())
	r = right("ada", "9")
	r.Membership = &wire.Membership{Verdict: wire.VerdictComplete, Whole: true, Groups: []wire.Group{{DN: "cn=mine,ou=groups,dc=b", Name: "mine"}}}
	c.agents.answers[c.second.ID] = r
	so2 := c.signOn("ada", "x")
	t.Log(so2.Outcome, c.agents.asked[0].Want, so2.Verdict, so2.UpdateReason)
	all, _ := c.Store.UserGroups(t.Context(), c.env, so.UserID)
	for _, m := range all {
		if m.Group.SourceID == c.first.ID {
			t.Error("still in", m.Group.Name, "of the former gateway")
		}
	}
	if len(all) != 1 || all[0].Group.SourceID != c.second.ID {
		t.Errorf("%+v", all)
	}
}
