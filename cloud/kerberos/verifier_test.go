package kerberos

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"

	"ldap-gateway/cloud/provisioner"
	"ldap-gateway/cloud/store"
	"ldap-gateway/cloud/store/storetest"
	"ldap-gateway/cloud/throttle"
	"ldap-gateway/cloud/vault"
	"ldap-gateway/directory/kdctest"
	"ldap-gateway/directory/sambatest"
)

// site is a cloud with one gateway and alice.
type site struct {
	*Verifier
	t       *testing.T
	gateway store.Gateway
	alice   store.User
	clock   time.Time // zero: the true one
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func newSite(t *testing.T, k store.Kerberos, correlation ...store.Correlation) *site {
	t.Helper()
	db, err := store.Open(t.Context(), storetest.File(t))
	check(t, err)
	t.Cleanup(func() { check(t, db.Close()) })
	env := store.Environment{Name: "E"}
	check(t, db.CreateEnvironment(t.Context(), &env))
	people := store.Population{EnvironmentID: env.ID, Name: "Default", Default: true}
	check(t, db.CreatePopulation(t.Context(), &people))
	s := &site{t: t, gateway: store.Gateway{
		EnvironmentID: env.ID,
		Name:          "HQ",
		Enabled:       true,
		Kerberos:      &k,
		UserTypes:     []store.UserType{{ID: "staff", Name: "Staff", UpdateOnSignOn: true}},
	}}
	check(t, db.CreateGateway(t.Context(), &s.gateway))
	s.alice = store.User{
		EnvironmentID: env.ID,
		PopulationID:  people.ID,
		Username:      "alice",
		Enabled:       true,
		GatewayID:     s.gateway.ID,
		UserTypeID:    "staff",
		Correlation:   correlation,
	}
	check(t, db.CreateUser(t.Context(), &s.alice))
	group := store.Group{EnvironmentID: env.ID, Name: "cn=g", SourceType: store.SourceGateway, SourceID: s.gateway.ID}
	check(t, db.Provision(t.Context(), func(tx *store.Tx) error {
		if err := tx.CreateGroups(t.Context(), []*store.Group{&group}); err != nil {
			return err
		}
		return tx.AddMemberships(t.Context(), env.ID, s.alice.ID, []store.Joined{{GroupID: group.ID}}, time.Now())
	}))
	s.Verifier = &Verifier{
		Store:       db,
		Vault:       must(vault.New(make([]byte, 32))),
		Provisioner: &provisioner.Provisioner{Store: db},
		Services:    []string{spn, "HTTP/localhost"},
		Logger:      hclog.NewNullLogger(),
		Now:         s.time,
	}
	return s
}

func (s *site) time() time.Time {
	if s.clock.IsZero() {
		return time.Now()
	}
	return s.clock
}

func (s *site) use(n NewKeys) store.KerberosKeys {
	s.t.Helper()
	k, err := s.Seal(s.gateway, n)
	check(s.t, err)
	check(s.t, s.Store.ReplaceKerberosKeys(s.t.Context(), &k, Retained(*s.gateway.Kerberos)))
	return k
}

func (s *site) send(header string) Answer {
	s.t.Helper()
	a, err := s.SignOn(s.t.Context(), Request{
		EnvironmentID: s.gateway.EnvironmentID,
		Header:        header,
		Address:       "192.0.2.9",
	})
	check(s.t, err)
	return a
}

// rows is everything of people and groups, as JSON.
func (s *site) rows() string {
	s.t.Helper()
	ctx, env := s.t.Context(), s.gateway.EnvironmentID
	users, _, err := s.Store.Users(ctx, env, store.UserFilter{}, store.Page{})
	check(s.t, err)
	for i := range users {
		users[i].LastSignOnAt = time.Time{} // worked out from the sign-ons
	}
	groups, err := s.Store.UserGroups(ctx, env, s.alice.ID)
	check(s.t, err)
	return string(must(json.Marshal([]any{users, groups})))
}

// curl asks a server of ours with a ticket cache, as a browser would, and returns
// the header that it sends.
func curl(t *testing.T, conf, cache string) string {
	t.Helper()
	sent := make(chan string, 8)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if h := r.Header.Get("Authorization"); h != "" {
			sent <- h
			return
		}
		w.Header().Set("WWW-Authenticate", "Negotiate")
		w.WriteHeader(http.StatusUnauthorized)
	}))
	defer srv.Close()
	cmd := exec.Command("curl", "-sS", "--negotiate", "-u", ":", strings.Replace(srv.URL, "127.0.0.1", "localhost", 1))
	cmd.Env = append(os.Environ(), "KRB5_CONFIG="+conf, "KRB5CCNAME=FILE:"+cache)
	out, err := cmd.CombinedOutput()
	select {
	case h := <-sent:
		return h
	default:
		t.Fatalf("curl sent no token: %s %v", out, err)
		return ""
	}
}

// TestSambaDomain signs alice on by her SID, with keys from a keytab and from the
// account's password, and through a change of the password.
func TestSambaDomain(t *testing.T) {
	dc := sambatest.Start(t, sambatest.Config{})
	dc.AddService("svc-sso", "Serv1ce.password", "HTTP/localhost")
	cache := dc.Cache("reader", sambatest.Password)
	header := curl(t, dc.ConfFile(), cache)

	byKeytab := newSite(t, store.Kerberos{RetainMinutes: 10})
	byKeytab.use(NewKeys{Keytab: must(os.ReadFile(dc.KeytabOf("HTTP/localhost")))})
	unknown := byKeytab.send(header)
	if unknown.Refusal == nil || unknown.Refusal.Reason != ReasonUnknown || unknown.SignOn.Outcome != "noSuchUser" {
		t.Fatalf("%+v", unknown)
	}
	proof, err := byKeytab.Explain(t.Context(), Request{EnvironmentID: byKeytab.gateway.EnvironmentID, Header: header})
	if r, ok := refusalOf(err); !ok || r.Reason != ReasonUnknown || !strings.HasPrefix(proof.SID, "S-1-5-21-") ||
		proof.Principal != "reader" || proof.Realm != sambatest.Realm {
		t.Fatalf("%+v %v", proof, err)
	}

	byPassword := newSite(t, store.Kerberos{RetainMinutes: 10}, store.Correlation{
		Attribute: "objectSid",
		Value:     proof.SID,
	})
	byPassword.use(NewKeys{Account: "svc-sso@ad.example.test", Password: "Serv1ce.password"})
	if a := byPassword.send(header); a.Refusal != nil || a.SignOn.UserID != byPassword.alice.ID ||
		a.SignOn.Username != "reader@"+sambatest.Realm {
		t.Fatalf("%+v", a)
	}

	// The password is changed: first here, then in the domain.
	byPassword.use(NewKeys{Account: "svc-sso@ad.example.test", Password: "Serv1ce.password2"})
	if a := byPassword.send(curl(t, dc.ConfFile(), cache)); a.Refusal != nil {
		t.Errorf("an old ticket while the old keys are retained: %v", a.Refusal)
	}
	dc.Modify("dn: CN=svc-sso,CN=Users," + sambatest.Suffix + "\nchangetype: modify\nreplace: unicodePwd\nunicodePwd: " + sambatest.UnicodePassword("Serv1ce.password2") + "\n-\n")
	if a := byPassword.send(curl(t, dc.ConfFile(), dc.Cache("reader", sambatest.Password))); a.Refusal != nil {
		t.Errorf("a new ticket: %v", a.Refusal)
	}
	old := curl(t, dc.ConfFile(), cache)
	byPassword.clock = time.Now().Add(11 * time.Minute)
	if a := byPassword.send(old); a.Refusal == nil || a.Refusal.Reason != ReasonIntegrity {
		t.Errorf("an old ticket when the old keys are gone: %+v", a)
	}
	if a := byKeytab.send(curl(t, dc.ConfFile(), dc.Cache("reader", sambatest.Password))); a.Refusal == nil ||
		a.Refusal.Reason != ReasonKey {
		t.Errorf("a new ticket and the old keytab: %+v", a.Refusal)
	}
}

// TestMITRealm signs alice on by her principal: MIT's PAC has no SID.
func TestMITRealm(t *testing.T) {
	kdc := kdctest.Start(t, kdctest.Config{Principals: []kdctest.Principal{{
		Name:     "alice",
		Password: "a",
	}, {Name: "bob", Password: "b"}, {Name: "HTTP/localhost"}}})
	s := newSite(t, store.Kerberos{
		Attribute: "uid",
		Value:     "${principal}",
	}, store.Correlation{Attribute: "uid", Value: "alice"})
	s.use(NewKeys{Keytab: must(os.ReadFile(kdc.Keytab("HTTP/localhost")))})
	if a := s.send(curl(t, kdc.ConfFile(), kdc.Cache("alice", "a"))); a.Refusal != nil ||
		a.SignOn.UserID != s.alice.ID {
		t.Errorf("%+v", a)
	}
	if a := s.send(curl(t, kdc.ConfFile(), kdc.Cache("bob", "b"))); a.Refusal == nil ||
		a.Refusal.Reason != ReasonUnknown || a.SignOn.UserID != "" {
		t.Errorf("%+v", a)
	}
}

// forged is a site whose keys our own kdc has.
func forged(t *testing.T) *site {
	t.Helper()
	s := newSite(t, store.Kerberos{
		Attribute: "uid",
		Value:     "${principal}",
	}, store.Correlation{Attribute: "uid", Value: "alice"})
	s.clock = now
	s.use(NewKeys{Keytab: must(honest(now).keys(t).Marshal())})
	return s
}

func TestRecordIsNotTouched(t *testing.T) {
	s := forged(t)
	before := s.rows()
	a := s.send(honest(now).header(t))
	if a.Refusal != nil || a.SignOn.Method != store.ByKerberos || a.SignOn.Outcome != "ok" || a.SignOn.Updated ||
		a.SignOn.Verdict != "" || !strings.Contains(a.SignOn.UpdateReason, "Kerberos") {
		t.Errorf("%+v", a)
	}
	if after := s.rows(); after != before {
		t.Errorf("before %s\nafter  %s", before, after)
	}
	all, _, err := s.Store.Activities(
		t.Context(),
		s.gateway.EnvironmentID,
		store.ActivityFilter{SignOnID: a.SignOn.ID},
		store.Page{},
	)
	check(t, err)
	if len(all) != 1 || !strings.Contains(all[0].Text, "method: kerberos, record not refreshed") {
		t.Errorf("%+v", all)
	}
}

func TestReplay(t *testing.T) {
	s := forged(t)
	other := &Verifier{
		Store:       s.Store,
		Vault:       s.Vault,
		Provisioner: s.Provisioner,
		Services:    s.Services,
		Logger:      s.Logger,
		Now:         s.time,
	} // another node
	s.clock = time.Time{} // what the store forgets, it forgets by the true time
	header := honest(time.Now()).header(t)
	var wins, replays int
	var lock sync.Mutex
	var all sync.WaitGroup
	for i := range 1000 {
		all.Go(func() {
			d := []*Verifier{s.Verifier, other}[i%2]
			a, err := d.SignOn(t.Context(), Request{EnvironmentID: s.gateway.EnvironmentID, Header: header})
			lock.Lock()
			defer lock.Unlock()
			switch {
			case err != nil:
				t.Error(err)
			case a.Refusal == nil:
				wins++
			case a.Refusal.Reason == ReasonReplay:
				replays++
			}
		})
	}
	all.Wait()
	if wins != 1 || replays != 999 {
		t.Errorf("%d were taken, %d were replays", wins, replays)
	}
}

// TestForgeriesAreRecorded has each forgery refused, and in the activity log with its reason.
func TestForgeriesAreRecorded(t *testing.T) {
	s := forged(t)
	for name, c := range forgeries() {
		if c.forge == nil || c.accept != nil {
			continue // it is about keys that this site has not
		}
		k := honest(now)
		c.forge(&k)
		a := s.send(k.header(t))
		all, _, err := s.Store.Activities(
			t.Context(),
			s.gateway.EnvironmentID,
			store.ActivityFilter{SignOnID: a.SignOn.ID},
			store.Page{},
		)
		check(t, err)
		if a.Refusal == nil || a.Refusal.Reason != c.why || len(all) != 1 || all[0].Detail["why"] != string(c.why) ||
			a.SignOn.UserID != "" {
			t.Errorf("%s: %+v %+v", name, a, all)
		}
	}
}

// TestEachRefusalIsRecorded has everything that is not taken in the activity log,
// with its reason.
func TestEachRefusalIsRecorded(t *testing.T) {
	s := forged(t)
	mallory := honest(now)
	mallory.client, mallory.claimed = []string{"mallory"}, []string{"mallory"}
	spoof := honest(now)
	spoof.ticketRealm = "TRUSTED.OTHER"
	for why, header := range map[Reason]string{
		ReasonUnknown:   mallory.header(t),
		ReasonRealm:     spoof.header(t),
		ReasonTooLarge:  "Negotiate " + strings.Repeat("A", 1<<20),
		ReasonMalformed: "Negotiate AAAA",
		ReasonNTLM:      "Negotiate TlRMTVNTUAABAAAA",
	} {
		a := s.send(header)
		all, _, err := s.Store.Activities(
			t.Context(),
			s.gateway.EnvironmentID,
			store.ActivityFilter{SignOnID: a.SignOn.ID},
			store.Page{},
		)
		check(t, err)
		if a.Refusal == nil || a.Refusal.Reason != why || len(all) != 1 || all[0].Detail["why"] != string(why) ||
			a.SignOn.Outcome == "ok" || a.SignOn.Message == "" {
			t.Errorf("%s: %+v %+v", why, a, all)
		}
	}
	s.alice.Enabled = false
	check(t, s.Store.UpdateUser(t.Context(), &s.alice))
	if a := s.send(honest(now).header(t)); a.Refusal == nil || a.Refusal.Reason != ReasonDisabled ||
		a.SignOn.UserID != s.alice.ID {
		t.Errorf("%+v", a)
	}
	s.gateway.Enabled = false
	check(t, s.Store.UpdateGateway(t.Context(), &s.gateway))
	if a := s.send(honest(now).header(t)); a.Refusal == nil || a.Refusal.Reason != ReasonOff {
		t.Errorf("%+v", a)
	}
	many := Request{EnvironmentID: s.gateway.EnvironmentID, Header: "Negotiate AAAA", Address: "192.0.2.1"}
	var all sync.WaitGroup
	var looked atomic.Int64
	for range 2 * wrongPerAddress { // at once
		all.Go(func() {
			a, err := s.SignOn(t.Context(), many)
			if err != nil {
				t.Error(err)
			}
			if a.SignOn.ID != "" {
				looked.Add(1)
			}
		})
	}
	all.Wait()
	if n := looked.Load(); n != wrongPerAddress {
		t.Errorf("%d tokens of one network were looked at", n)
	}
	if a, err := s.SignOn(t.Context(), many); err != nil || a.Refusal == nil || a.Refusal.Reason != ReasonBusy || a.SignOn.ID != "" {
		t.Errorf("%+v, %v", a, err)
	}
}

// TestNameOfAnother has a name be given to a new person: the SID tells.
func TestNameOfAnother(t *testing.T) {
	s := forged(t)
	d := domain{Verifier: s.Verifier, gateway: s.gateway}
	ticket := Ticket{Principal: "alice", Realm: realm, SID: "S-1-5-21-1-2-3-1104"}
	if u, err := d.find(t.Context(), ticket); err != nil || u.ID != s.alice.ID {
		t.Errorf("no SID in the record: %v", err)
	}
	s.alice.Correlation = append(s.alice.Correlation, store.Correlation{
		Attribute: "objectSid",
		Value:     "S-1-5-21-1-2-3-1100",
	})
	check(t, s.Store.UpdateUser(t.Context(), &s.alice))
	if u, err := d.find(t.Context(), ticket); err == nil {
		t.Errorf("taken for %s", u.Username)
	}
}

// TestTooManySignOns: what comes when too many are under way is looked at by nobody, nor written.
func TestTooManySignOns(t *testing.T) {
	s := newSite(t, store.Kerberos{})
	var bounds throttle.Bounds
	s.UnderWay = &throttle.Queue{Places: 1, Bound: bounds.Of(throttle.SignOns)}
	r := Request{EnvironmentID: s.gateway.EnvironmentID, Header: "Negotiate abc", Address: "192.0.2.1"}
	leave, err := s.UnderWay.Enter(t.Context(), throttle.Who{})
	check(t, err)
	if _, err := s.SignOn(t.Context(), r); !errors.Is(err, throttle.ErrFull) {
		t.Error(err)
	}
	if _, err := s.Explain(t.Context(), r); !errors.Is(err, throttle.ErrFull) {
		t.Error(err)
	}
	if n, network := bounds.Of(throttle.SignOns).Lately(time.Now()); n != 2 || network != "192.0.2.1" {
		t.Errorf("%d of %s were counted", n, network)
	}
	leave()
	if a, err := s.SignOn(t.Context(), r); err != nil || a.Refusal == nil {
		t.Errorf("%+v %v", a, err)
	}
	all, _, err := s.Store.SignOns(t.Context(), r.EnvironmentID, store.SignOnFilter{}, store.Page{})
	if check(t, err); len(all) != 1 {
		t.Errorf("%d sign-ons were written", len(all))
	}
}
