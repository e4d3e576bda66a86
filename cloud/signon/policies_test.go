package signon

import (
	"fmt"
	"slices"
	"testing"

	"ldap-gateway/cloud/store"
	"ldap-gateway/cloudlink/wire"
)

// by has somebody sign on by a policy, and returns the gateways that were asked.
func (c *cloud) by(policy, username string) (so store.SignOn, asked []string) {
	c.t.Helper()
	c.agents.asked = nil
	so, err := c.SignOn(c.t.Context(), Request{
		EnvironmentID: c.env,
		Username:      username,
		Password:      []byte("x"),
		Policy:        policy,
	})
	must(c.t, err)
	for _, r := range c.agents.asked {
		asked = append(asked, r.Gateway)
	}
	return so, asked
}

// orders are all selections of some gateways, in all their orders.
func orders(of []store.Gateway) (all [][]store.Gateway) {
	all = [][]store.Gateway{nil}
	for i, g := range of {
		rest := slices.Delete(slices.Clone(of), i, i+1)
		for _, after := range orders(rest) {
			all = append(all, append([]store.Gateway{g}, after...))
		}
	}
	return all
}

// For an application with a policy of its own those gateways are asked that it names, in
// its order, and no other: for every choice of three, in every order. A name that a
// pattern gives to one is asked of no other, and neither is one that is switched off.
func TestPolicySaysWhoIsAsked(t *testing.T) {
	c := newCloud(t)
	third := c.gateway("third")
	third.UserTypes[0].Usernames = []string{"*@third.example"}
	must(t, c.Store.UpdateGateway(t.Context(), &third))
	off := c.gateway("off")
	off.Enabled = false
	must(t, c.Store.UpdateGateway(t.Context(), &off))
	for _, g := range []store.Gateway{c.first, c.second, third, off} {
		c.agents.answers[g.ID] = wire.SignOnResult{Outcome: wire.OutcomeNoSuchUser}
	}
	p := store.SignOnPolicy{EnvironmentID: c.env, Name: "Shop"}
	for n, order := range orders([]store.Gateway{c.first, c.second, third, off}) {
		login := store.PolicyAction{ID: "a", Type: store.ActionLogin, Priority: 2, Order: []store.UserTypeRef{}}
		var open, claimed []string
		for _, g := range order {
			login.Order = append(login.Order, store.UserTypeRef{Gateway: g.ID, UserType: g.UserTypes[0].ID})
			switch g.ID {
			case third.ID:
				claimed = append(claimed, g.ID)
			case c.first.ID, c.second.ID:
				open = append(open, g.ID)
			}
		}
		p.Actions = []store.PolicyAction{{ID: "b", Type: store.ActionIdentifierFirst, Priority: 1}, login}
		must(t, c.Store.SavePolicy(t.Context(), &p))
		for name, want := range map[string][]string{"new": open, "new@third.example": claimed} {
			so, asked := c.by(p.ID, fmt.Sprint(n, name)) // wrong passwords are counted by name
			if !slices.Equal(asked, want) {
				t.Errorf("%v, %s: asked %v, want %v", login.Order, name, asked, want)
			}
			if so.Outcome != wire.OutcomeNoSuchUser.String() || len(want) == 0 && so.Reason != outsidePolicy {
				t.Errorf("%s: %s", so.Outcome, so.Reason)
			}
		}
	}
	if _, asked := c.by("", "new"); len(asked) != 2 {
		t.Errorf("without a policy: %v", asked)
	}
	standard, err := c.Store.DefaultSignOnPolicy(t.Context(), c.env)
	must(t, err)
	if _, asked := c.by(standard.ID, "new"); len(asked) != 2 {
		t.Errorf("by the default one: %v", asked)
	}
	must(t, c.Store.DeletePolicy(t.Context(), c.env, p.ID))
	if _, asked := c.by(p.ID, "new"); asked != nil {
		t.Errorf("by one that is gone: %v", asked)
	}
}

// Whom the cloud knows is asked about where they are from, whichever policy it is, and a
// password is changed as it is proven.
func TestPolicyIsForNewPeople(t *testing.T) {
	c := newCloud(t)
	p := store.SignOnPolicy{EnvironmentID: c.env, Name: "Shop", Actions: []store.PolicyAction{{
		ID: "a", Type: store.ActionLogin, Priority: 1,
		Order: []store.UserTypeRef{{Gateway: c.second.ID, UserType: c.second.UserTypes[0].ID}},
	}}}
	must(t, c.Store.SavePolicy(t.Context(), &p))
	c.agents.answers[c.first.ID] = right("ann", "1")
	if so := c.signOn("ann", "x"); so.UserID == "" {
		t.Fatalf("%+v", so)
	}
	if so, asked := c.by(p.ID, "ann"); !slices.Equal(asked, []string{c.first.ID}) || so.UserID == "" {
		t.Errorf("%v: %+v", asked, so)
	}
	for _, g := range []*store.Gateway{&c.first, &c.second} {
		g.UserTypes[0].AllowPasswords = true
		must(t, c.Store.UpdateGateway(t.Context(), g))
	}
	c.agents.changed = map[string]wire.PasswordChanged{}
	change := ChangeRequest{EnvironmentID: c.env, Username: "new", Old: []byte("a"), New: []byte("b"), Policy: p.ID}
	_, err := c.ChangePassword(t.Context(), change)
	must(t, err)
	if len(c.agents.changes) != 1 || c.agents.changes[0].Gateway != c.second.ID {
		t.Errorf("%+v", c.agents.changes)
	}
}
