package signon

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hashicorp/go-hclog"
	"golang.org/x/time/rate"

	"ldap-gateway/agent/agenttest"
	"ldap-gateway/agent/policy"
	"ldap-gateway/cloudlink/wire"
	"ldap-gateway/configs"
	"ldap-gateway/directory"
	"ldap-gateway/directory/directorytest"
)

// desk is a Service on a directory in the process.
type desk struct {
	*Service
	t      *testing.T
	server *directorytest.Server
	sealer *wire.Sealer
}

func newDesk(t *testing.T, p configs.Policy) *desk {
	t.Helper()
	return newDeskOf(t, p, agenttest.People)
}

// newDeskOf is newDesk before a directory with these entries.
func newDeskOf(t *testing.T, p configs.Policy, ldif string) *desk {
	t.Helper()
	server := directorytest.Start(t, directorytest.LDIF(t, ldif))
	client, err := directory.Open(
		directory.Config{
			Servers: []string{server.TLSURL()},
			BaseDN:  "dc=x",
			TLS:     directory.TLS{RootCAs: server.CA()},
			Timeout: 5 * time.Second,
		},
	)
	agenttest.Must(t, err)
	t.Cleanup(func() { agenttest.Must(t, client.Close()) })
	rules, err := policy.New(p)
	agenttest.Must(t, err)
	private, public, err := wire.NewSealKey()
	agenttest.Must(t, err)
	opener, err := wire.NewOpener("i1", private)
	agenttest.Must(t, err)
	sealer, err := wire.NewSealer("i1", public)
	agenttest.Must(t, err)
	d := &desk{
		t:      t,
		server: server,
		sealer: sealer,
		Service: &Service{
			People:  client,
			Policy:  rules,
			Opener:  opener,
			Stats:   NewStats(),
			Guard:   &Guard{},
			Seen:    &Replays{},
			Persons: &Persons{},
			Changes: &Deliveries{},
			Logger:  hclog.NewNullLogger(),
		},
	}
	if a := d.UserTypes(wire.UserTypes{Revision: 1, Types: []wire.UserType{agenttest.Staff()}}); len(a.Refused) != 0 {
		t.Fatal(a.Refused)
	}
	return d
}

// ask makes a sign-on with a password sealed for it; change alters it.
func (d *desk) ask(id, who, password string, change ...func(*wire.SignOn)) wire.SignOnResult {
	d.t.Helper()
	m := wire.SignOn{
		ID:         id,
		UserType:   "staff",
		Revision:   1,
		Identifier: who,
		Want:       wire.WantRecord,
		Password:   d.sealer.Seal(id, []byte(password)),
	}
	for _, f := range change {
		f(&m)
	}
	r, _ := d.SignOn(d.t.Context(), m)
	return r
}

func TestSignOnBringsTheRecord(t *testing.T) {
	d := newDesk(t, agenttest.Policy())
	r := d.ask("1", "alice", "wonderland")
	if r.Outcome != wire.OutcomeOK || !r.BindSent || r.Entry.DN != agenttest.AliceDN || r.Server == "" {
		t.Fatalf("%+v", r)
	}
	if c := r.Entry.Correlation; len(c) != 1 || c[0].Value != agenttest.AliceUUID {
		t.Error(c)
	}
	if a := r.Entry.Attributes; len(a) != 3 || a["mail"][0] != "alice@x.test" {
		t.Errorf("leaves: %v", a)
	}
	if m := r.Membership; m.Verdict != wire.VerdictComplete || len(m.Groups) != 1 || m.Groups[0].Name != "child" {
		t.Errorf("%+v", m)
	}
}

// TestVerifyMakesNoGroupSearch counts, and shows the exception: an entry that is
// not the one the cloud knows is answered whole.
func TestVerifyMakesNoGroupSearch(t *testing.T) {
	d := newDesk(t, agenttest.Policy())
	verify := func(uuid string) func(*wire.SignOn) {
		return func(m *wire.SignOn) {
			m.Want, m.Known = wire.WantVerify, []wire.Correlation{{Attribute: "entryuuid", Value: strings.ToUpper(uuid)}}
		}
	}
	before := d.server.Searches()
	r := d.ask("1", "alice", "wonderland", verify(agenttest.AliceUUID))
	if r.Outcome != wire.OutcomeOK || r.Membership != nil || r.Entry.Attributes != nil || len(r.Entry.Correlation) != 1 {
		t.Errorf("%+v", r)
	}
	if n := d.server.Searches() - before; n > 2 { // the root DSE, once, and the entry
		t.Errorf("%d searches", n)
	}
	if r := d.ask("2", "alice", "wonderland", verify(agenttest.BobUUID)); r.Membership == nil ||
		r.Entry.Attributes == nil {
		t.Errorf("somebody else's entry: %+v", r)
	}
}

func TestKnownPersonIsFoundUnderAnotherName(t *testing.T) {
	d := newDesk(t, agenttest.Policy())
	known := func(m *wire.SignOn) {
		m.Known = []wire.Correlation{{Attribute: "entryUUID", Value: agenttest.AliceUUID}}
	}
	if r := d.ask("1", "alice.archer", "wonderland", known); r.Outcome != wire.OutcomeOK ||
		r.Entry.DN != agenttest.AliceDN {
		t.Errorf("%+v", r)
	}
	if r := d.ask("2", "alice.archer", "wonderland"); r.Outcome != wire.OutcomeNoSuchUser {
		t.Errorf("%+v", r)
	}
}

func TestNothingIsAskedOfTheDirectory(t *testing.T) {
	d := newDesk(t, agenttest.Policy())
	for name, c := range map[string]struct {
		change func(*wire.SignOn)
		want   wire.Outcome
	}{
		"other-sign-on": {func(m *wire.SignOn) { m.ID = "another" }, wire.OutcomeNotAllowed},
		"altered":       {func(m *wire.SignOn) { m.Password.Ciphertext[0] ^= 1 }, wire.OutcomeNotAllowed},
		"empty":         {func(m *wire.SignOn) { m.Password = d.sealer.Seal(m.ID, nil) }, wire.OutcomeInvalidCredentials},
		"unknown-type":  {func(m *wire.SignOn) { m.UserType = "other" }, wire.OutcomeNotAllowed},
	} {
		t.Run(name, func(t *testing.T) {
			before := len(d.server.Operations())
			r := d.ask(name, "alice", "wonderland", c.change)
			if r.Outcome != c.want || r.BindSent || r.Reason == "" {
				t.Errorf("%+v", r)
			}
			if n := len(d.server.Operations()) - before; n != 0 {
				t.Errorf("%d operations", n)
			}
		})
	}
}

func TestUnknownSealingKeyIsToldBeforeAnyBind(t *testing.T) {
	d := newDesk(t, agenttest.Policy())
	d.sealer.Known(true) // the encapsulation is not sent
	if r := d.ask("1", "alice", "wonderland"); !r.KeyUnknown || r.BindSent || d.server.Binds(agenttest.AliceDN) != 0 {
		t.Errorf("%+v", r)
	}
	d.sealer.Known(false)
	if r := d.ask("1", "alice", "wonderland"); r.Outcome != wire.OutcomeOK {
		t.Errorf("the same sign-on with the key: %+v", r)
	}
}

func TestReplayedSignOnMakesNoSecondBind(t *testing.T) {
	d := newDesk(t, agenttest.Policy())
	m := wire.SignOn{
		ID:         "1",
		UserType:   "staff",
		Revision:   1,
		Identifier: "alice",
		Want:       wire.WantVerify,
		Password:   d.sealer.Seal("1", []byte("guess")),
	}
	first, _ := d.SignOn(t.Context(), m)
	second, _ := d.SignOn(t.Context(), m)
	if first.Outcome != wire.OutcomeInvalidCredentials || second.Outcome != wire.OutcomeNotAllowed || second.BindSent {
		t.Errorf("%+v\n%+v", first, second)
	}
	if n := d.server.Binds(agenttest.AliceDN); n != 1 {
		t.Errorf("%d binds", n)
	}
}

func TestRateOfThePolicy(t *testing.T) {
	d := newDesk(t, agenttest.Policy())
	d.Rate, d.Ceiling = rate.NewLimiter(0, 2), &Ceiling{}
	for i, want := range []wire.Outcome{wire.OutcomeOK, wire.OutcomeOK, wire.OutcomeBusy} {
		if r := d.ask(string(rune('a'+i)), "alice", "wonderland"); r.Outcome != want {
			t.Errorf("%d: %+v", i, r)
		}
		if met := d.Ceiling.Met(time.Now()); met != (want == wire.OutcomeBusy) {
			t.Errorf("%d: met is %t", i, met)
		}
	}
	if d.Ceiling.Met(time.Now().Add(hitFor)) {
		t.Error("it is told for too long")
	}
}

// TestOutcomesOfTheDirectory goes through what a bind can bring.
func TestOutcomesOfTheDirectory(t *testing.T) {
	d := newDesk(t, agenttest.Policy())
	ad := func(data string) string {
		return "80090308: LdapErr: DSID-0C09041C, comment: AcceptSecurityContext error, data " + data + ", v4563"
	}
	for name, c := range map[string]struct {
		code uint16
		text string
		want wire.Outcome
	}{
		"wrong":       {49, "", wire.OutcomeInvalidCredentials},
		"wrong-ad":    {49, ad("52e"), wire.OutcomeInvalidCredentials},
		"disabled":    {49, ad("533"), wire.OutcomeAccountDisabled},
		"locked":      {49, ad("775"), wire.OutcomeAccountLocked},
		"expired":     {49, ad("701"), wire.OutcomeAccountExpired},
		"password":    {49, ad("532"), wire.OutcomePasswordExpired},
		"must-change": {49, ad("773"), wire.OutcomePasswordMustChange},
		"hours":       {49, ad("530"), wire.OutcomeLogonHours},
		"workstation": {49, ad("531"), wire.OutcomeLogonWorkstation},
		"signing":     {8, "strong auth", wire.OutcomeDirectoryUnavailable},
		"broken":      {80, "other", wire.OutcomeDirectoryUnavailable},
	} {
		t.Run(name, func(t *testing.T) {
			d.server.SetBindFault(agenttest.AliceDN,
				directorytest.Fault{Result: &directorytest.Result{Code: c.code, Text: c.text}})
			if r := d.ask(name, "alice", "wonderland"); r.Outcome != c.want || !r.BindSent || r.Entry != nil {
				t.Errorf("%+v", r)
			}
		})
	}
	d.server.ClearFaults()
	if r := d.ask("after", "alice", "wonderland"); r.Outcome != wire.OutcomeOK {
		t.Errorf("%+v", r)
	}
}

func TestEndOfTimeBeforeTheBindIsATimeout(t *testing.T) {
	d := newDesk(t, agenttest.Policy())
	d.server.SetSilent(true)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	r, _ := d.SignOn(
		ctx,
		wire.SignOn{
			ID:         "1",
			UserType:   "staff",
			Revision:   1,
			Identifier: "alice",
			Want:       wire.WantVerify,
			Password:   d.sealer.Seal("1", []byte("wonderland")),
		},
	)
	if r.Outcome != wire.OutcomeTimeout || r.BindSent {
		t.Errorf("%+v", r)
	}
}

// TestAnnouncedUserTypesAreAwaited has a sign-on overtake the delivery that it means.
func TestAnnouncedUserTypesAreAwaited(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rules, err := policy.New(agenttest.Policy())
		agenttest.Must(t, err)
		var u userTypes
		u.take(rules, &Deliveries{}, wire.UserTypes{Revision: 1})
		go func() {
			time.Sleep(time.Second)
			u.take(rules, &Deliveries{}, wire.UserTypes{Revision: 2, Types: []wire.UserType{agenttest.Staff()}})
		}()
		from := time.Now()
		if d := u.await(t.Context(), 2); d.revision != 2 || time.Since(from) != time.Second {
			t.Errorf("revision %d after %s", d.revision, time.Since(from))
		}
		from = time.Now()
		if d := u.await(t.Context(), 3); d.revision != 2 || time.Since(from) != deliveryWait {
			t.Errorf("revision %d after %s", d.revision, time.Since(from))
		}
	})
}

func TestStats(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := NewStats()
		for i := range 1000 {
			s.add(time.Duration(i) * time.Millisecond)
		}
		time.Sleep(10 * time.Second)
		if perSecond, median := s.Take(); perSecond != 100 || median == 0 || len(s.took) != 0 {
			t.Error(perSecond, median)
		}
		if perSecond, median := s.Take(); perSecond != 0 || median != 0 {
			t.Error(perSecond, median)
		}
	})
}
