package signon

import (
	"strings"
	"testing"

	"ldap-gateway/cloud/store"
	"ldap-gateway/cloudlink/wire"
)

// isFor has a gateway's user type be for usernames.
func (c *cloud) isFor(g store.Gateway, enabled bool, patterns ...string) {
	c.t.Helper()
	now, err := c.Store.Gateway(c.t.Context(), c.env, g.ID)
	must(c.t, err)
	now.Enabled, now.UserTypes[0].Usernames = enabled, patterns
	must(c.t, c.Store.UpdateGateway(c.t.Context(), &now))
}

// TestNamesGoNowhereElse: what a gateway does not claim, and another does, it is never
// asked about, at a sign-on and at a change of password; and while it is away, people of
// the others wait for nobody.
func TestNamesGoNowhereElse(t *testing.T) {
	c := newCloud(t)
	third := c.gateway("third")
	away := absent{c.agents, map[string]bool{}}
	c.Service.Agents = away
	names := map[string]string{c.first.ID: "1", c.second.ID: "2", third.ID: "3"}
	for _, g := range []store.Gateway{c.first, c.second, third} {
		c.agents.answers[g.ID] = wire.SignOnResult{Outcome: wire.OutcomeNoSuchUser}
		c.allow(&g)
	}
	asked := func() (all string) {
		for _, a := range c.agents.asked {
			all += names[a.Gateway]
		}
		for _, a := range c.agents.changes {
			all += names[a.Gateway]
		}
		c.agents.asked, c.agents.changes = nil, nil
		return all
	}
	c.answerChange(c.first, wire.PasswordChanged{Outcome: wire.OutcomeNoSuchUser})
	c.answerChange(c.second, wire.PasswordChanged{Outcome: wire.OutcomeNoSuchUser})
	c.answerChange(third, wire.PasswordChanged{Outcome: wire.OutcomeNoSuchUser})
	set := func(second, third2 []string, thirdOn bool) {
		c.isFor(c.second, true, second...)
		c.isFor(third, thirdOn, third2...)
	}
	for _, k := range []struct {
		second, third []string
		thirdOn       bool
		name, want    string
	}{
		{nil, nil, true, "ada", "123"},
		{[]string{"*@b.test"}, nil, true, "ada@b.test", "2"},
		{[]string{"*@b.test"}, nil, true, "ADA@B.TEST", "2"},
		{[]string{"*@b.test"}, nil, true, "ada", "13"},
		{[]string{"*@b.test"}, []string{"*.test"}, true, "ada@b.test", "23"},
		{[]string{"*@b.test"}, []string{"*.test"}, true, "ada@c.test", "3"},
		{[]string{"*@b.test"}, []string{"*.test"}, false, "ada@c.test", ""}, // it is switched off
		{[]string{"*@b.test"}, []string{"*.test"}, false, "ada@b.test", "2"},
		{[]string{`B\*`, "*@b.test"}, nil, true, `b\ada`, "2"},
		{[]string{`B\*`, "*@b.test"}, nil, true, `a\b\ada`, "13"},
	} {
		set(k.second, k.third, k.thirdOn)
		c.signOn(k.name, "hunter2")
		if got := asked(); got != k.want {
			t.Errorf("%q with %q and %q: asked %q, want %q", k.name, k.second, k.third, got, k.want)
		}
		c.change(k.name, "hunter2", "hunter3")
		if got := asked(); got != k.want {
			t.Errorf("change of %q with %q and %q: asked %q, want %q", k.name, k.second, k.third, got, k.want)
		}
	}
	// The first is away, and people of the second sign on.
	set([]string{"*@b.test"}, nil, true)
	away.gateways[c.first.ID] = true
	c.agents.answers[c.second.ID] = right("ada@b.test", "1")
	if so := c.signOn("ada@b.test", "hunter2"); so.Outcome != "ok" {
		t.Errorf("%+v", so)
	}
}

// TestNamesOfOthersAreNotTaken by a gateway that says of somebody that they are.
func TestNamesOfOthersAreNotTaken(t *testing.T) {
	c := newCloud(t)
	c.isFor(c.second, true, "*@b.test")
	c.agents.answers[c.first.ID] = right("ada@b.test", "1")
	so := c.signOn("mallory", "x")
	if so.Outcome != "notAllowed" || so.UserID != "" || !strings.Contains(so.Reason, "another user type is for") {
		t.Errorf("%+v", so)
	}
	c.agents.answers[c.second.ID] = right("ada@b.test", "1")
	if so := c.signOn("ada@b.test", "x"); so.Outcome != "ok" || so.GatewayID != c.second.ID {
		t.Errorf("%+v", so)
	}
}

// TestRecordsOfBeforeAPattern: whom a gateway made a record of before the name was given to
// another is asked about nowhere, at a sign-on and at a change of password, until the
// record is where the name is.
func TestRecordsOfBeforeAPattern(t *testing.T) {
	c := newCloud(t)
	for _, g := range []store.Gateway{c.first, c.second} {
		c.allow(&g)
		c.answerChange(g, wire.PasswordChanged{Outcome: wire.OutcomeOK})
	}
	c.agents.answers[c.first.ID] = right("ada@b.test", "1")
	so := c.signOn("ada@b.test", "x")
	if so.Outcome != "ok" || so.GatewayID != c.first.ID {
		t.Fatalf("%+v", so)
	}
	for _, k := range []struct {
		first, second []string
		name          string
		asked         bool
	}{
		{nil, []string{"*@b.test"}, "ada@b.test", false},
		{nil, []string{"*@b.test"}, " ADA@b.test ", false},
		{[]string{"*@a.test"}, []string{"*@b.test"}, "ada@b.test", false},
		{[]string{"ada@b.test"}, []string{"*@b.test"}, "ada@b.test", true},
		{nil, []string{"*@c.test"}, "ada@b.test", true},
		{[]string{"*@a.test"}, nil, "ada@b.test", true},
	} {
		c.isFor(c.first, true, k.first...)
		c.isFor(c.second, true, k.second...)
		c.agents.asked, c.agents.changes = nil, nil
		so := c.signOn(k.name, "x")
		changed := c.change(k.name, "x", "y")
		if told := strings.Contains(so.Reason, "another user type"); told == k.asked || told != strings.Contains(changed.Reason, "another user type") {
			t.Errorf("%q with %q and %q: %s; %s", k.name, k.first, k.second, so.Reason, changed.Reason)
		}
		if asked := len(c.agents.asked) + len(c.agents.changes); (asked == 2) != k.asked || !k.asked && asked > 0 {
			t.Errorf("%q with %q and %q: %d asked", k.name, k.first, k.second, asked)
		}
	}
}
