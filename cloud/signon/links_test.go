package signon

import (
	"testing"

	"ldap-gateway/cloud/store"
	"ldap-gateway/cloudlink/wire"
)

// A user type that looks nobody up is asked about those alone who are linked to it, and
// brings nothing of their record; the switch for updates changes nothing of that.
func TestWhoIsLinkedToAUserTypeWithoutALookup(t *testing.T) {
	c := newCloud(t)
	g, err := c.Store.Gateway(t.Context(), c.env, c.first.ID)
	must(t, err)
	kind := &g.UserTypes[0]
	kind.LinksOnly, kind.FilterPattern, kind.Mappings, kind.UpdateOnSignOn = true, "", nil, true
	must(t, c.Store.UpdateGateway(t.Context(), &g))
	c.agents.answers[c.first.ID] = right("alice", "u1", "g")
	c.agents.answers[c.second.ID] = wire.SignOnResult{Outcome: wire.OutcomeNoSuchUser}
	if c.signOn("alice", "x"); len(c.agents.asked) != 1 || c.agents.asked[0].Gateway != c.second.ID {
		t.Errorf("of a stranger: %+v", c.agents.asked)
	}
	p, err := c.Store.DefaultPopulation(t.Context(), c.env)
	must(t, err)
	u := store.User{
		EnvironmentID: c.env,
		PopulationID:  p.ID,
		Username:      "alice",
		Email:         "kept@example.com",
		Enabled:       true,
		GatewayID:     g.ID,
		UserTypeID:    kind.ID,
	}
	must(t, c.Store.CreateUser(t.Context(), &u))
	for range 2 {
		if so := c.signOn("alice", "x"); so.Outcome != "ok" || so.GatewayID != g.ID {
			t.Errorf("%+v", so)
		}
	}
	u, err = c.Store.User(t.Context(), c.env, u.ID)
	if err != nil || u.Username != "alice" || u.Email != "kept@example.com" || len(u.Correlation) != 1 {
		t.Errorf("%+v, %v", u, err)
	}
}

// A locked account is of no use, and nobody is asked about it.
func TestLockedAccounts(t *testing.T) {
	c := newCloud(t)
	c.agents.answers[c.first.ID] = right("alice", "u1")
	if so := c.signOn("alice", "x"); so.Outcome != "ok" {
		t.Fatalf("%+v", so)
	}
	u, err := c.Store.UserByUsername(t.Context(), c.env, "alice")
	must(t, err)
	u.Locked = true
	must(t, c.Store.UpdateUser(t.Context(), &u))
	if so := c.signOn("alice", "x"); so.Outcome != "notAllowed" || len(c.agents.asked) != 0 {
		t.Errorf("%+v", so)
	}
}
