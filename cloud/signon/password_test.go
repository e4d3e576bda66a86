package signon

import (
	"fmt"
	"strings"
	"testing"

	"ldap-gateway/cloud/store"
	"ldap-gateway/cloudlink/wire"
)

// allow turns the switch of a gateway's user type on.
func (c *cloud) allow(g *store.Gateway) {
	c.t.Helper()
	now, err := c.Store.Gateway(c.t.Context(), c.env, g.ID)
	must(c.t, err)
	now.UserTypes[0].AllowPasswords = true
	must(c.t, c.Store.UpdateGateway(c.t.Context(), &now))
	*g = now
}

func (c *cloud) answerChange(g store.Gateway, r wire.PasswordChanged) {
	if c.agents.changed == nil {
		c.agents.changed = map[string]wire.PasswordChanged{}
	}
	c.agents.changed[g.ID] = r
}

func (c *cloud) change(username, old, fresh string) Change {
	c.t.Helper()
	c.agents.changes, c.agents.saw = nil, nil
	oldBytes, newBytes := []byte(old), []byte(fresh)
	r, err := c.ChangePassword(c.t.Context(), ChangeRequest{
		EnvironmentID: c.env,
		Username:      username,
		Old:           oldBytes,
		New:           newBytes,
		Address:       "192.0.2.1",
		Actor:         "client:x",
	})
	must(c.t, err)
	if strings.Trim(string(oldBytes)+string(newBytes), "\x00") != "" {
		c.t.Errorf("kept %q and %q", oldBytes, newBytes)
	}
	if r.Message == "" || r.ID == "" {
		c.t.Errorf("%+v", r)
	}
	return r
}

// lastActivity is what the store has of the last change or sign-on.
func (c *cloud) lastActivity() store.Activity {
	c.t.Helper()
	all, _, err := c.Store.Activities(c.t.Context(), c.env, store.ActivityFilter{}, store.Page{})
	must(c.t, err)
	return all[0]
}

// TestChangeNeedsTheSwitch puts gateways that do not allow a change, or are switched off,
// before, between and behind one that does: the passwords and the name of somebody who
// may be at one of those go to none after it, and everybody reads one sentence. One that
// no instance has ever linked to has nobody.
func TestChangeNeedsTheSwitch(t *testing.T) {
	for name, k := range map[string]struct {
		first, second, third string
		asked                int
		want                 wire.Outcome
	}{
		"none":            {"off", "off", "off", 0, wire.OutcomeNotAllowed},
		"first":           {"off", "on", "on", 0, wire.OutcomeNotAllowed},
		"between":         {"on", "off", "on", 1, wire.OutcomeNotAllowed},
		"behind":          {"on", "on", "off", 2, wire.OutcomeNotAllowed},
		"gateway-first":   {"away", "on", "on", 0, wire.OutcomeNotAllowed},
		"gateway-between": {"on", "away", "on", 1, wire.OutcomeNotAllowed},
		"without-people":  {"empty", "empty", "on", 1, wire.OutcomeNoSuchUser},
		"all-allow":       {"on", "on", "on", 3, wire.OutcomeNoSuchUser},
		"nobody":          {"empty", "empty", "empty", 0, wire.OutcomeNotAllowed},
	} {
		t.Run(name, func(t *testing.T) {
			c := newCloud(t)
			third := c.gateway("third")
			for i, g := range []*store.Gateway{&c.first, &c.second, &third} {
				how := []string{k.first, k.second, k.third}[i]
				if how != "empty" {
					c.links(c.instance(*g))
				}
				if how == "on" || how == "away" {
					c.allow(g)
				}
				if g.Enabled = how != "away"; !g.Enabled {
					must(t, c.Store.UpdateGateway(t.Context(), g))
				}
				c.answerChange(*g, wire.PasswordChanged{Outcome: wire.OutcomeNoSuchUser})
			}
			r := c.change("new", "hunter2", "hunter3")
			if r.Outcome != k.want || len(c.agents.changes) != k.asked || r.Message != messageNotChanged {
				t.Errorf("%+v, asked %d times", r, len(c.agents.changes))
			}
		})
	}
}

func TestChangeIsAskedOfTheAgent(t *testing.T) {
	c := newCloud(t)
	c.allow(&c.second)
	c.answerChange(c.second, wire.PasswordChanged{Outcome: wire.OutcomeOK, BindSent: true})
	r := c.change("alice", "hunter2", "hunter3")
	if !r.OK() || r.Message != messageChanged || len(c.agents.changes) != 1 {
		t.Fatalf("%+v", r)
	}
	asked := c.agents.changes[0]
	if asked.Gateway != c.second.ID || asked.ID != r.ID || asked.Revision != c.second.Revision ||
		asked.Identifier != "alice" || strings.Join(c.agents.saw, " ") != "hunter2 hunter3" {
		t.Errorf("%+v saw %q", asked, c.agents.saw)
	}
}

// TestChangeThatASignOnOffersIsMadeThere has somebody new be told, at a gateway behind one
// that allows no changes, that the password is to be changed: it is, there and nowhere
// else. Another's sign-on, or one that told no such thing, leads nowhere.
func TestChangeThatASignOnOffersIsMadeThere(t *testing.T) {
	c := newCloud(t)
	c.links(c.instance(c.first))
	c.allow(&c.second)
	c.agents.answers[c.first.ID] = wire.SignOnResult{Outcome: wire.OutcomeNoSuchUser}
	c.agents.answers[c.second.ID] = wire.SignOnResult{Outcome: wire.OutcomePasswordMustChange, BindSent: true}
	c.answerChange(c.second, wire.PasswordChanged{Outcome: wire.OutcomeOK, BindSent: true})
	told := c.signOn("new", "hunter2")
	if !c.OffersChange(t.Context(), told) {
		t.Fatal("not offered")
	}
	c.agents.answers[c.second.ID] = wire.SignOnResult{Outcome: wire.OutcomeInvalidCredentials, BindSent: true}
	wrong := c.signOn("new", "hunter1")
	for name, k := range map[string]struct {
		username, signOn string
		want             wire.Outcome
	}{
		"told":       {"NEW", told.ID, wire.OutcomeOK},
		"another":    {"other", told.ID, wire.OutcomeNotAllowed},
		"not-told":   {"new", wrong.ID, wire.OutcomeNotAllowed},
		"made-up":    {"new", "x", wire.OutcomeNotAllowed},
		"no-sign-on": {"new", "", wire.OutcomeNotAllowed},
	} {
		c.agents.changes = nil
		r, err := c.ChangePassword(t.Context(), ChangeRequest{
			EnvironmentID: c.env,
			Username:      k.username,
			Old:           []byte("hunter2"),
			New:           []byte("hunter3"),
			SignOnID:      k.signOn,
		})
		if err != nil || r.Outcome != k.want || len(c.agents.changes) != map[bool]int{true: 1}[r.OK()] {
			t.Errorf("%s: %+v, asked %d times, %v", name, r, len(c.agents.changes), err)
		}
	}
}

// TestKnownPersonIsChangedAtTheirOwnGateway: another gateway's switch is nothing
// to somebody whose record says where their password is.
func TestKnownPersonIsChangedAtTheirOwnGateway(t *testing.T) {
	c := newCloud(t)
	c.allow(&c.second)
	c.agents.answers[c.first.ID] = right("alice", "u1")
	user := c.signOn("alice", "hunter2").UserID
	if r := c.change("alice", "hunter2", "hunter3"); r.Outcome != wire.OutcomeNotAllowed ||
		len(c.agents.changes) != 0 || r.UserID != user {
		t.Errorf("%+v", r)
	}
	c.allow(&c.first)
	c.answerChange(c.first, wire.PasswordChanged{Outcome: wire.OutcomeOK, BindSent: true})
	if r := c.change("alice", "hunter2", "hunter3"); !r.OK() || c.agents.changes[0].Gateway != c.first.ID ||
		c.agents.changes[0].Known[0].Value != "u1" {
		t.Errorf("%+v %+v", r, c.agents.changes)
	}
	if a := c.lastActivity(); a.Subject != "user:"+user {
		t.Errorf("%+v", a)
	}
}

func TestChangeGoesOnOnlyAfterNoSuchUser(t *testing.T) {
	for outcome, asked := range map[wire.Outcome]int{
		wire.OutcomeNoSuchUser:         2,
		wire.OutcomeInvalidCredentials: 1,
		wire.OutcomeUnknown:            1,
		wire.OutcomeNewPasswordRefused: 1,
		wire.OutcomeOK:                 1,
	} {
		t.Run(outcome.String(), func(t *testing.T) {
			c := newCloud(t)
			c.allow(&c.first)
			c.allow(&c.second)
			c.answerChange(c.first, wire.PasswordChanged{Outcome: outcome})
			c.answerChange(c.second, wire.PasswordChanged{Outcome: wire.OutcomeOK})
			if c.change("alice", "a", "b"); len(c.agents.changes) != asked {
				t.Errorf("%d asked, want %d", len(c.agents.changes), asked)
			}
		})
	}
}

func TestChangeIsAnActivityWithoutPasswords(t *testing.T) {
	c := newCloud(t)
	c.allow(&c.first)
	for _, r := range []wire.PasswordChanged{{Outcome: wire.OutcomeOK}, {
		Outcome: wire.OutcomeNewPasswordRefused,
		Refusal: wire.RefusalInHistory,
		Reason:  "19",
	}} {
		c.answerChange(c.first, r)
		c.change("alice", "hunter2", "hunter3")
		a := c.lastActivity()
		if text := fmt.Sprint(a); strings.Contains(text, "hunter") || a.Actor != "client:x" {
			t.Error(text)
		}
		if want := map[wire.Outcome]string{
			wire.OutcomeOK:                 "password.changed",
			wire.OutcomeNewPasswordRefused: "password.notChanged",
		}[r.Outcome]; a.Action != want {
			t.Errorf("%+v", a)
		}
	}
	if a := c.lastActivity(); a.Detail["refusal"] != "inHistory" || a.Detail["reason"] != "19" {
		t.Errorf("%+v", a.Detail)
	}
}

func TestImplausibleChangesAskNobody(t *testing.T) {
	c := newCloud(t)
	c.allow(&c.first)
	for name, want := range map[string]Change{
		"alice//new": {Outcome: wire.OutcomeInvalidCredentials},
		"//new":      {Outcome: wire.OutcomeInvalidCredentials},
		"alice/old/": {Outcome: wire.OutcomeNewPasswordRefused, Refusal: wire.RefusalTooShort},
	} {
		part := strings.Split(name, "/")
		if r := c.change(part[0], part[1], part[2]); r.Outcome != want.Outcome || r.Refusal != want.Refusal ||
			len(c.agents.changes) != 0 {
			t.Errorf("%q: %+v", name, r)
		}
	}
}

// TestChangeMessagesDoNotTell: what a person reads shows neither that an account
// exists nor how it is, unless the old password was right.
func TestChangeMessagesDoNotTell(t *testing.T) {
	for o := wire.OutcomeOK; o <= wire.OutcomeUnknown; o++ {
		m := ChangeMessage(o, 0)
		if wrong := Message(o) == messageWrong; wrong != (m == messageNotChanged) {
			t.Errorf("%s: %q", o, m)
		}
	}
	seen := map[string]bool{}
	for r := wire.RefusalOther; r.Known(); r++ {
		m := ChangeMessage(wire.OutcomeNewPasswordRefused, r)
		if seen[m] || m == "" {
			t.Errorf("%s: %q", r, m)
		}
		seen[m] = true
	}
	if ChangeMessage(wire.OutcomeNewPasswordRefused, 99) != ChangeMessage(wire.OutcomeNewPasswordRefused, wire.RefusalOther) {
		t.Error("a reason that is not known has no sentence")
	}
}

// TestGuessingByChangesWaits: wrong old passwords and wrong sign-ons are counted together.
func TestGuessingByChangesWaits(t *testing.T) {
	c := newCloud(t)
	c.allow(&c.first)
	c.answerChange(c.first, wire.PasswordChanged{Outcome: wire.OutcomeInvalidCredentials, BindSent: true})
	c.answerChange(c.second, wire.PasswordChanged{Outcome: wire.OutcomeInvalidCredentials, BindSent: true})
	for range wrongPerPerson {
		c.change("alice", "guess", "new")
	}
	if r := c.change("alice", "guess", "new"); r.Outcome != wire.OutcomeBusy || len(c.agents.changes) != 0 {
		t.Errorf("%+v", r)
	}
	if so := c.signOn("alice", "guess"); so.Outcome != "busy" || len(c.agents.asked) != 0 {
		t.Errorf("%+v", so)
	}
}

// TestHeldBackChangesAreNoGuesses: what the agent's file holds back is not counted, what this end refuses in its place is.
func TestHeldBackChangesAreNoGuesses(t *testing.T) {
	c := newCloud(t)
	c.allow(&c.first)
	c.answerChange(c.first, wire.PasswordChanged{Outcome: wire.OutcomeNotAllowed})
	for range 3 * wrongPerPerson {
		if r := c.change("alice", "right", "new"); r.Outcome != wire.OutcomeNotAllowed {
			t.Fatalf("%+v", r)
		}
	}
	c.answerChange(c.first, wire.PasswordChanged{Outcome: wire.OutcomeNoSuchUser})
	for range wrongPerPerson {
		c.change("nobody", "guess", "new") // asked of the first, and not allowed at the second
	}
	if r := c.change("nobody", "guess", "new"); r.Outcome != wire.OutcomeBusy {
		t.Errorf("%+v", r)
	}
}

func TestChangeIsOffered(t *testing.T) {
	c := newCloud(t)
	c.agents.answers[c.first.ID] = wire.SignOnResult{Outcome: wire.OutcomePasswordMustChange, BindSent: true}
	so := c.signOn("alice", "hunter2")
	if c.OffersChange(t.Context(), so) {
		t.Error("offered although the switch is off")
	}
	c.allow(&c.first)
	if !c.OffersChange(t.Context(), so) {
		t.Error("not offered")
	}
	if so.Outcome = "invalidCredentials"; c.OffersChange(t.Context(), so) {
		t.Error("offered to somebody who gave a wrong password")
	}
}
