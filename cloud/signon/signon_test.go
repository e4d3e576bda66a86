package signon

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"

	"ldap-gateway/cloud/hub"
	"ldap-gateway/cloud/provisioner"
	"ldap-gateway/cloud/store"
	"ldap-gateway/cloud/store/storetest"
	"ldap-gateway/cloudlink/wire"
)

// agents answers as a test says, by gateway, and keeps what it was asked.
type agents struct {
	answers map[string]wire.SignOnResult // by gateway
	asked   []hub.Request
	changed map[string]wire.PasswordChanged // by gateway
	changes []hub.Change
	saw     []string              // passwords, as they were when asked
	sights  map[string]wire.Sight // by DN; what is not there was seen without the person
	looked  []hub.Look
}

func (a *agents) Look(_ context.Context, q hub.Look) []wire.Sight {
	a.looked = append(a.looked, q)
	out := make([]wire.Sight, len(q.Groups))
	for i, g := range q.Groups {
		out[i] = wire.Sight{Finding: wire.FindingSeen}
		if s, ok := a.sights[g.DN]; ok {
			out[i] = s
		}
	}
	return out
}

func (a *agents) SignOn(_ context.Context, ask hub.Request) hub.Answer {
	a.asked = append(a.asked, ask)
	a.saw = append(a.saw, string(ask.Password))
	return hub.Answer{SignOnResult: a.answers[ask.Gateway], Instance: "i"}
}

func (a *agents) ChangePassword(_ context.Context, c hub.Change) hub.Changed {
	a.changes = append(a.changes, c)
	a.saw = append(a.saw, string(c.Old), string(c.New))
	return hub.Changed{PasswordChanged: a.changed[c.Gateway], Instance: "i"}
}

// cloud is a desk with two gateways.
type cloud struct {
	*Service
	t             *testing.T
	agents        *agents
	env           string
	first, second store.Gateway
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func newCloud(t *testing.T) *cloud {
	t.Helper()
	db, err := store.Open(t.Context(), storetest.File(t))
	must(t, err)
	t.Cleanup(func() { must(t, db.Close()) })
	env := store.Environment{Name: "E"}
	must(t, db.CreateEnvironment(t.Context(), &env))
	must(t, db.CreatePopulation(t.Context(), &store.Population{EnvironmentID: env.ID, Name: "Default", Default: true}))
	c := &cloud{t: t, env: env.ID, agents: &agents{answers: map[string]wire.SignOnResult{}}}
	c.Service = &Service{
		Store:       db,
		Agents:      c.agents,
		Provisioner: &provisioner.Provisioner{Store: db},
		Logger:      hclog.NewNullLogger(),
	}
	c.first, c.second = c.gateway("first"), c.gateway("second")
	return c
}

func (c *cloud) gateway(name string) store.Gateway {
	c.t.Helper()
	g := store.Gateway{
		EnvironmentID: c.env,
		Name:          name,
		Enabled:       true,
		UserTypes: []store.UserType{{
			ID:                name + "-staff",
			Name:              "Staff",
			FilterPattern:     "(uid=${identifier})",
			PasswordAuthority: "LDAP",
			Correlation:       []string{"entryUUID"},
			Mappings: []store.Mapping{{
				Name:  "username",
				Value: "${ldapAttributes.uid}",
			}, {Name: "email", Value: "${ldapAttributes.mail}"},
				{Name: "memberOfExternalGroups", Value: "${ldapAttributes.memberOf}"}},
		}},
	}
	must(c.t, c.Store.CreateGateway(c.t.Context(), &g))
	return g
}

func (c *cloud) setUpdate(g *store.Gateway) {
	c.t.Helper()
	now, err := c.Store.Gateway(c.t.Context(), c.env, g.ID)
	must(c.t, err)
	now.UserTypes[0].UpdateOnSignOn = true
	must(c.t, c.Store.UpdateGateway(c.t.Context(), &now))
	*g = now
}

func (c *cloud) signOn(username, password string) store.SignOn {
	c.t.Helper()
	c.agents.asked, c.agents.saw = nil, nil
	so, err := c.SignOn(c.t.Context(), Request{
		EnvironmentID: c.env,
		Username:      username,
		Password:      []byte(password),
		Address:       "192.0.2.1",
	})
	must(c.t, err)
	kept, err := c.Store.SignOn(c.t.Context(), c.env, so.ID)
	must(c.t, err)
	if kept.Outcome != so.Outcome || kept.Message != so.Message || so.Message == "" {
		c.t.Errorf("kept %+v, said %+v", kept, so)
	}
	return so
}

// right is what an agent says of a right password.
func right(uid, uuid string, groups ...string) wire.SignOnResult {
	r := wire.SignOnResult{
		Outcome:  wire.OutcomeOK,
		BindSent: true,
		Entry: &wire.Entry{
			DN:          "uid=" + uid,
			Correlation: []wire.Correlation{{Attribute: "entryUUID", Value: uuid}},
			Attributes:  map[string][]string{"uid": {uid}, "mail": {uid + "@x"}},
		},
		Membership: &wire.Membership{Verdict: wire.VerdictComplete},
	}
	for _, g := range groups {
		r.Membership.Groups = append(r.Membership.Groups, wire.Group{DN: "cn=" + g, Name: g})
	}
	return r
}

// verified is what an agent says when only the outcome was wanted.
func verified(r wire.SignOnResult) wire.SignOnResult {
	r.Entry = &wire.Entry{DN: r.Entry.DN, Correlation: r.Entry.Correlation}
	r.Membership = nil
	return r
}

func TestEmptyPasswordAsksNobody(t *testing.T) {
	c := newCloud(t)
	for _, name := range []string{"alice", "", strings.Repeat("x", 300), "\xff"} {
		if so := c.signOn(name, ""); so.Outcome != "invalidCredentials" || len(c.agents.asked) != 0 {
			t.Errorf("%q: %+v", name, so)
		}
	}
	if so := c.signOn("", "x"); so.Outcome != "invalidCredentials" || len(c.agents.asked) != 0 {
		t.Errorf("%+v", so)
	}
}

func TestPasswordIsOverwritten(t *testing.T) {
	c := newCloud(t)
	password := []byte("hunter2")
	_, err := c.SignOn(t.Context(), Request{EnvironmentID: c.env, Username: "alice", Password: password})
	must(t, err)
	if string(password) != "\x00\x00\x00\x00\x00\x00\x00" || c.agents.saw[0] != "hunter2" {
		t.Errorf("%q, the agent saw %q", password, c.agents.saw)
	}
}

// TestUnknownPersonIsAskedForInOrder goes on to the next user type only after
// "no such user".
func TestUnknownPersonIsAskedForInOrder(t *testing.T) {
	c := newCloud(t)
	for outcome, asked := range map[wire.Outcome]int{
		wire.OutcomeNoSuchUser:           2,
		wire.OutcomeInvalidCredentials:   1,
		wire.OutcomeDirectoryUnavailable: 1,
		wire.OutcomeUnknown:              1,
		wire.OutcomeAmbiguousUser:        1,
		wire.OutcomeBusy:                 1,
		wire.OutcomeNotAllowed:           1,
		wire.OutcomeAccountLocked:        1,
	} {
		c.agents.answers[c.first.ID] = wire.SignOnResult{Outcome: outcome}
		c.agents.answers[c.second.ID] = wire.SignOnResult{Outcome: wire.OutcomeNoSuchUser}
		if so := c.signOn("alice", "x"); so.Outcome != outcome.String() || len(c.agents.asked) != asked {
			t.Errorf("%s: asked %d times, %+v", outcome, len(c.agents.asked), so)
		}
		if c.agents.asked[0].Want != wire.WantRecord || c.agents.asked[0].Known != nil {
			t.Errorf("%+v", c.agents.asked[0])
		}
	}
	c.agents.answers[c.first.ID] = wire.SignOnResult{Outcome: wire.OutcomeNoSuchUser}
	c.agents.answers[c.second.ID] = right("alice", "u1", "g")
	if so := c.signOn("alice", "x"); so.Outcome != "ok" || so.GatewayID != c.second.ID || len(so.Added) != 1 {
		t.Errorf("%+v", so)
	}
	if c.signOn("alice", "x"); len(c.agents.asked) != 1 || c.agents.asked[0].Gateway != c.second.ID {
		t.Errorf("known now: %+v", c.agents.asked)
	}
}

func TestKnownPersonIsVerifiedUnlessUpdatesAreOn(t *testing.T) {
	c := newCloud(t)
	c.agents.answers[c.first.ID] = right("alice", "u1", "g1")
	c.signOn("alice", "x")
	c.agents.answers[c.first.ID] = verified(right("alice", "u1"))
	so := c.signOn("ALICE", "x")
	if a := c.agents.asked[0]; a.Want != wire.WantVerify || len(a.Known) != 1 || a.Known[0].Value != "u1" {
		t.Errorf("%+v", a)
	}
	if so.Outcome != "ok" || so.Updated || !strings.Contains(so.UpdateReason, "off") {
		t.Errorf("%+v", so)
	}
	c.setUpdate(&c.first)
	c.agents.answers[c.first.ID] = right("alice", "u1", "g2")
	so = c.signOn("alice", "x")
	if a := c.agents.asked[0]; a.Want != wire.WantRecord || a.Revision != c.first.Revision {
		t.Errorf("%+v", a)
	}
	if !so.Updated || len(so.Added) != 1 || len(so.Removed) != 1 {
		t.Errorf("%+v", so)
	}
}

// TestAnotherEntryUnderAKnownName has a new person be given the name of one who left.
func TestAnotherEntryUnderAKnownName(t *testing.T) {
	c := newCloud(t)
	c.agents.answers[c.first.ID] = right("alice", "u1", "admins")
	old := c.signOn("alice", "x")
	c.agents.answers[c.first.ID] = right("alice", "u2")
	so := c.signOn("alice", "x")
	if so.Outcome != "notAllowed" || so.UserID == "" || so.Message != messageWrong {
		t.Errorf("%+v", so)
	}
	if groups, err := c.Store.UserGroups(t.Context(), c.env, old.UserID); err != nil || len(groups) != 1 {
		t.Errorf("the record of the other person changed: %v %v", groups, err)
	}
}

func TestDisabled(t *testing.T) {
	c := newCloud(t)
	c.agents.answers[c.first.ID] = right("alice", "u1")
	so := c.signOn("alice", "x")
	u, err := c.Store.User(t.Context(), c.env, so.UserID)
	must(t, err)
	u.Enabled = false
	must(t, c.Store.UpdateUser(t.Context(), &u))
	for _, name := range []string{"alice", "alice@other-name"} {
		if so := c.signOn(name, "x"); so.Outcome != "notAllowed" || so.Message != messageWrong {
			t.Errorf("%s: %+v", name, so)
		}
	}
	u.Enabled = true
	must(t, c.Store.UpdateUser(t.Context(), &u))
	g := c.first
	g.Enabled, g.Revision = false, 0
	must(t, c.Store.UpdateGateway(t.Context(), &g))
	if so := c.signOn("alice", "x"); so.Outcome != "notAllowed" || len(c.agents.asked) != 0 {
		t.Errorf("gateway off: %+v", so)
	}
}

// TestGuessingAtTheDisabledWaits does so though no agent is asked.
func TestGuessingAtTheDisabledWaits(t *testing.T) {
	c := newCloud(t)
	c.agents.answers[c.first.ID] = right("alice", "u1")
	u, err := c.Store.User(t.Context(), c.env, c.signOn("alice", "x").UserID)
	must(t, err)
	u.Enabled = false
	must(t, c.Store.UpdateUser(t.Context(), &u))
	for range wrongPerPerson {
		if so := c.signOn("alice", "x"); so.Outcome != "notAllowed" {
			t.Fatalf("%+v", so)
		}
	}
	if so := c.signOn("alice", "x"); so.Outcome != "busy" || so.Message != messageLater {
		t.Errorf("%+v", so)
	}
}

func TestNoGateway(t *testing.T) {
	c := newCloud(t)
	for _, g := range []store.Gateway{c.first, c.second} {
		must(t, c.Store.DeleteGateway(t.Context(), c.env, g.ID, true))
	}
	if so := c.signOn("alice", "x"); so.Outcome != "noSuchUser" || so.Message != messageWrong {
		t.Errorf("%+v", so)
	}
}

func TestVerdicts(t *testing.T) {
	c := newCloud(t)
	c.setUpdate(&c.first)
	c.agents.answers[c.first.ID] = right("alice", "u1", "g1", "g2")
	c.signOn("alice", "x")
	c.agents.sights = map[string]wire.Sight{"cn=g2": {Finding: wire.FindingUntellable, Reason: wire.LookNotVisible}}
	for verdict, want := range map[wire.Verdict]string{
		wire.VerdictPartial: "partial",
		wire.VerdictUnknown: "unknown",
		wire.Verdict(9):     "unknown",
	} {
		r := right("alice", "u1", "g1")
		r.Membership.Verdict, r.Membership.Reason = verdict, "size limit"
		c.agents.answers[c.first.ID] = r
		if so := c.signOn("alice", "x"); so.Verdict != want || len(so.Removed) != 0 ||
			!strings.HasPrefix(so.VerdictReason, "size limit") {
			t.Errorf("%+v", so)
		}
	}
}

// TestMessagesDoNotTell holds the table: the outcomes that some directories give
// to any password all read alike.
func TestMessagesDoNotTell(t *testing.T) {
	for o := wire.OutcomeOK; o <= wire.OutcomeUnknown; o++ {
		if messages[o] == "" {
			t.Errorf("no sentence for %s", o)
		}
	}
	for _, o := range []wire.Outcome{
		wire.OutcomeNoSuchUser,
		wire.OutcomeAmbiguousUser,
		wire.OutcomeAccountLocked,
		wire.OutcomeAccountDisabled,
		wire.OutcomeNotAllowed,
	} {
		if Message(o) != Message(wire.OutcomeInvalidCredentials) {
			t.Errorf("%s tells: %q", o, Message(o))
		}
	}
	if Message(wire.Outcome(99)) == "" {
		t.Error("no sentence for what is not known")
	}
}

// TestGuessingWaits guesses at names, of which the directory says whatever reads as a
// wrong password: all wait alike, and nobody's directory hears of it.
func TestGuessingWaits(t *testing.T) {
	c := newCloud(t)
	now := time.Now()
	c.Now = func() time.Time { return now }
	for _, answer := range []wire.SignOnResult{{
		Outcome:  wire.OutcomeInvalidCredentials,
		BindSent: true,
	}, {Outcome: wire.OutcomeNoSuchUser}, {Outcome: wire.OutcomeAmbiguousUser},
		{Outcome: wire.OutcomeAccountLocked}, {
			Outcome:  wire.OutcomeAccountDisabled,
			BindSent: true,
		}, {Outcome: wire.OutcomeNotAllowed, BindSent: true}} {
		c.agents.answers[c.first.ID], c.agents.answers[c.second.ID] = answer, answer
		name := answer.Outcome.String()
		for range wrongPerPerson {
			if so := c.signOn(name, "x"); so.Outcome != answer.Outcome.String() {
				t.Fatalf("%+v", so)
			}
		}
		if so := c.signOn(strings.ToUpper(name), "x"); so.Outcome != "busy" || so.Message != messageLater ||
			len(c.agents.asked) != 0 {
			t.Errorf("%+v", so)
		}
	}
	if so := c.signOn("another", "x"); so.Outcome == "busy" {
		t.Errorf("%+v", so)
	}
	now = now.Add(throttleWindow)
	c.agents.answers[c.first.ID] = right("alice", "u1")
	for range 2 * wrongPerPerson {
		if so := c.signOn("alice", "x"); so.Outcome != "ok" {
			t.Fatalf("right passwords: %+v", so)
		}
	}
}

// TestHeldBackByTheFileIsNoGuess: whom the agent's file holds back, before any password is tried, signs on as soon
// as it does not, known or new, however often they were refused.
func TestHeldBackByTheFileIsNoGuess(t *testing.T) {
	for _, known := range []bool{false, true} {
		c := newCloud(t)
		in := right("alice", "u1")
		c.agents.answers[c.first.ID] = in
		if known {
			c.signOn("alice", "x")
		}
		c.agents.answers[c.first.ID] = wire.SignOnResult{Outcome: wire.OutcomeNotAllowed}
		for range 3 * wrongPerAddress {
			if so := c.signOn("alice", "x"); so.Outcome != "notAllowed" || so.Message != messageWrong {
				t.Fatalf("%+v", so)
			}
		}
		c.agents.answers[c.first.ID] = in
		if so := c.signOn("alice", "x"); so.Outcome != "ok" {
			t.Errorf("known %t: %+v", known, so)
		}
	}
}

func TestGuessingFromOneAddressWaits(t *testing.T) {
	c := newCloud(t)
	c.agents.answers[c.first.ID] = wire.SignOnResult{Outcome: wire.OutcomeInvalidCredentials, BindSent: true}
	for i := range wrongPerAddress {
		c.signOn(fmt.Sprint("user", i), "x")
	}
	if so := c.signOn("somebody", "x"); so.Outcome != "busy" {
		t.Errorf("%+v", so)
	}
}

// TestAnAgentSpeaksForItsOwnGatewayOnly has the second gateway's agent say that
// it knows the first one's person.
func TestAnAgentSpeaksForItsOwnGatewayOnly(t *testing.T) {
	c := newCloud(t)
	c.agents.answers[c.first.ID] = right("alice", "u1", "admins")
	first := c.signOn("alice", "x")
	c.agents.answers[c.first.ID] = wire.SignOnResult{Outcome: wire.OutcomeNoSuchUser}
	c.agents.answers[c.second.ID] = right("alice", "u1", "cn=admins", "evil")
	so := c.signOn("alice@somewhere", "x")
	if so.Outcome != "notAllowed" || !strings.Contains(so.Reason, "taken") {
		t.Errorf("%+v", so)
	}
	groups, err := c.Store.UserGroups(t.Context(), c.env, first.UserID)
	must(t, err)
	if len(groups) != 1 || groups[0].Group.SourceID != c.first.ID {
		t.Errorf("%+v", groups)
	}
}

// TestTooManyGroups has an agent bring more than anyone has.
func TestTooManyGroups(t *testing.T) {
	c := newCloud(t)
	c.setUpdate(&c.first)
	r := right("alice", "u1")
	for i := range mostGroups + 5 {
		r.Membership.Groups = append(r.Membership.Groups, wire.Group{DN: fmt.Sprint("cn=g", i), Name: "g"})
	}
	c.agents.answers[c.first.ID] = r
	if so := c.signOn("alice", "x"); so.Verdict != "partial" || len(so.Added) != mostGroups ||
		!strings.Contains(so.VerdictReason, "10005 groups") {
		t.Errorf("%s %s %d", so.Verdict, so.VerdictReason, len(so.Added))
	}
}

// Whoever adds or renames a gateway puts it before no other: the oldest is asked first.
func TestANewGatewayIsAskedLast(t *testing.T) {
	c := newCloud(t)
	c.gateway("!AAA")
	c.second.Name = "  zero"
	must(t, c.Store.UpdateGateway(t.Context(), &c.second))
	routes, err := Routes(t.Context(), c.Store, c.env)
	must(t, err)
	var names []string
	for _, r := range routes {
		names = append(names, r.Gateway.Name)
	}
	if want := []string{"first", "  zero", "!AAA"}; !slices.Equal(names, want) {
		t.Errorf("asked in the order %q, want %q", names, want)
	}
}
