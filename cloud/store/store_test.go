package store_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ldap-gateway/cloud/store"
	"ldap-gateway/cloud/store/pgtest"
	"ldap-gateway/cloud/store/storetest"

	"github.com/alexedwards/scs/v2"
	"github.com/google/uuid"
)

// world is an environment with one of everything.
type world struct {
	env        store.Environment
	population store.Population
	gateway    store.Gateway
	user       store.User
	group      store.Group // ordinary
	jit        store.Group
}

// TestPostgres runs every test here that opens a store with open on PostgreSQL.
func TestPostgres(t *testing.T) { pgtest.Again(t) }

// open opens an empty store: in a file, or wherever TestPostgres wants it.
func open(t testing.TB) *store.Store {
	t.Helper()
	return openAt(t, empty(t))
}

// empty returns where an empty store is to be.
func empty(t testing.TB) string {
	t.Helper()
	where := storetest.Where(t)
	if store.IsPostgres(where) {
		return where
	}
	odd := filepath.Join(filepath.Dir(where), "a b?c.db")
	must(t, os.Rename(where, odd))
	return odd
}

func openAt(t testing.TB, where string) *store.Store {
	t.Helper()
	s, err := store.Open(t.Context(), where)
	must(t, err)
	t.Cleanup(func() { must(t, s.Close()) })
	if tt, is := t.(*testing.T); is && !store.IsPostgres(where) {
		s.ExplainAll(func(query string, steps []string) { checkPlan(tt, query, steps) })
	}
	return s
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func want(t testing.TB, err, target error) {
	t.Helper()
	if !errors.Is(err, target) {
		t.Fatalf("error is %v, want %v", err, target)
	}
}

func build(t testing.TB, s *store.Store, name string) world {
	t.Helper()
	ctx := t.Context()
	w := world{env: store.Environment{Name: name}}
	must(t, s.CreateEnvironment(ctx, &w.env))
	e := w.env.ID
	w.population = store.Population{EnvironmentID: e, Name: "Staff"}
	must(t, s.CreatePopulation(ctx, &w.population))
	w.gateway = store.Gateway{
		EnvironmentID: e,
		Name:          "Head office",
		Vendor:        "OpenLDAP",
		Enabled:       true,
		UserTypes:     []store.UserType{{Name: "people", PopulationID: w.population.ID}},
	}
	must(t, s.CreateGateway(ctx, &w.gateway))
	w.user = store.User{
		EnvironmentID: e,
		PopulationID:  w.population.ID,
		Username:      "José",
		Email:         "jose@example.com",
		Enabled:       true,
		GatewayID:     w.gateway.ID,
		UserTypeID:    w.gateway.UserTypes[0].ID,
		DN:            "uid=jose,dc=example",
		Attributes:    map[string]string{"title": "cook"},
		Correlation:   []store.Correlation{{Attribute: "entryUUID", Value: "1-2-3"}, {Attribute: "uid", Value: "jose"}},
	}
	must(t, s.CreateUser(ctx, &w.user))
	w.group = store.Group{EnvironmentID: e, Name: "readers"}
	must(t, s.CreateGroup(ctx, &w.group))
	w.jit = store.Group{
		EnvironmentID: e,
		Name:          "cn=cooks,dc=example",
		DisplayName:   "Cooks",
		SourceType:    store.SourceGateway,
		SourceID:      w.gateway.ID,
	}
	must(t, s.Provision(ctx, func(tx *store.Tx) error {
		if err := tx.CreateGroups(ctx, []*store.Group{&w.jit}); err != nil {
			return err
		}
		return tx.AddMemberships(ctx, e, w.user.ID, []store.Joined{{GroupID: w.jit.ID}}, time.UnixMicro(5))
	}))
	return w
}

func TestReopen(t *testing.T) {
	where := empty(t)
	s, err := store.Open(t.Context(), where)
	must(t, err)
	w := build(t, s, "one")
	must(t, s.Close())
	s = openAt(t, where)
	must(t, s.Ping(t.Context()))
	u, err := s.User(t.Context(), w.env.ID, w.user.ID)
	must(t, err)
	if fmt.Sprint(u) != fmt.Sprint(w.user) {
		t.Errorf("read    %v\nwritten %v", u, w.user)
	}
	if id, err := uuid.Parse(u.ID); err != nil || id.Version() != 7 {
		t.Errorf("ID %q is no UUID of version 7", u.ID)
	}
}

// Whatever is looked up with the ID of another environment is not found, or
// counts as nothing, and is not changed.
func TestEnvironmentsApart(t *testing.T) {
	s := open(t)
	ours, theirs := build(t, s, "ours"), build(t, s, "theirs")
	ctx, e := t.Context(), theirs.env.ID
	for name, call := range map[string]func() error{
		"Population":   func() error { _, err := s.Population(ctx, e, ours.population.ID); return err },
		"Gateway":      func() error { _, err := s.Gateway(ctx, e, ours.gateway.ID); return err },
		"User":         func() error { _, err := s.User(ctx, e, ours.user.ID); return err },
		"Group":        func() error { _, err := s.Group(ctx, e, ours.group.ID); return err },
		"AddMember":    func() error { return s.AddMember(ctx, e, ours.user.ID, theirs.group.ID, time.Now()) },
		"AddMember2":   func() error { return s.AddMember(ctx, e, theirs.user.ID, ours.group.ID, time.Now()) },
		"RemoveMember": func() error { return s.RemoveMember(ctx, e, ours.user.ID, ours.jit.ID) },
		"DeleteUser":   func() error { return s.DeleteUser(ctx, e, ours.user.ID) },
		"DeleteGroup":  func() error { return s.DeleteGroup(ctx, e, ours.group.ID) },
		"DeleteGateway": func() error {
			return s.DeleteGateway(ctx, e, ours.gateway.ID, true)
		},
		"DeletePopulation": func() error { return s.DeletePopulation(ctx, e, ours.population.ID) },
		"UpdateUser":       func() error { u := ours.user; u.EnvironmentID = e; return s.UpdateUser(ctx, &u) },
		"UpdateGroup":      func() error { g := ours.group; g.EnvironmentID = e; return s.UpdateGroup(ctx, &g) },
		"UpdateGateway":    func() error { g := ours.gateway; g.EnvironmentID = e; return s.UpdateGateway(ctx, &g) },
		"CreateUser": func() error {
			return s.CreateUser(ctx, &store.User{EnvironmentID: e, PopulationID: ours.population.ID, Username: "x"})
		},
		"CreatePairing": func() error {
			return s.CreatePairing(ctx, &store.Pairing{
				EnvironmentID: e,
				GatewayID:     ours.gateway.ID,
				CodeHash:      []byte("x"),
			})
		},
		"RelinkUsers": func() error {
			_, err := s.RelinkUsers(ctx, e, theirs.gateway.ID, "", ours.gateway.ID, ours.gateway.UserTypes[0].ID)
			return err
		},
		"Memberships": func() error {
			return s.Provision(ctx, func(tx *store.Tx) error {
				return tx.AddMemberships(ctx, e, theirs.user.ID, []store.Joined{{GroupID: ours.jit.ID}}, time.Now())
			})
		},
	} {
		t.Run(name, func(t *testing.T) { want(t, call(), store.ErrNotFound) })
	}
	found, err := s.UsersByCorrelation(ctx, e, ours.gateway.ID, "entryUUID", "1-2-3")
	if err != nil || len(found) != 0 {
		t.Errorf("by correlation: %v, %v", found, err)
	}
	u, err := s.User(ctx, ours.env.ID, ours.user.ID)
	if err != nil || fmt.Sprint(u) != fmt.Sprint(ours.user) {
		t.Errorf("ours is now %v, %v", u, err)
	}
}

func TestUsernames(t *testing.T) {
	s := open(t)
	w := build(t, s, "one")
	for _, name := range []string{"José", "JOSÉ", "jose\u0301", "JOSE\u0301"} {
		u, err := s.UserByUsername(t.Context(), w.env.ID, name)
		if err != nil || u.ID != w.user.ID {
			t.Errorf("%+q: %v, %v", name, u.ID, err)
		}
		p, err := s.PersonByUsername(t.Context(), w.env.ID, name)
		same(t, p, u, err) // who has never signed on, and is linked to nobody
		again := store.User{EnvironmentID: w.env.ID, PopulationID: w.population.ID, Username: name}
		want(t, s.CreateUser(t.Context(), &again), store.ErrConflict)
	}
	for _, name := range []string{"Jose", "straße", "strasse", "ﬁ", "fi"} {
		other := store.User{EnvironmentID: w.env.ID, PopulationID: w.population.ID, Username: name}
		must(t, s.CreateUser(t.Context(), &other))
	}
}

func TestFold(t *testing.T) {
	for _, c := range []struct{ a, b string }{
		{"K", "\u212a"},
		{"ſ", "S"},
		{"Σ", "ς"},
		{"ÅNGSTRÖM", "a\u030angstro\u0308m"},
		{"\u212b", "å"},
	} {
		if store.Fold(c.a) != store.Fold(c.b) {
			t.Errorf("%+q and %+q differ: %+q, %+q", c.a, c.b, store.Fold(c.a), store.Fold(c.b))
		}
	}
	if store.Fold("i") == store.Fold("İ") || store.Fold("i") == store.Fold("ı") {
		t.Error("simple folding keeps the Turkish letters apart")
	}
}

// TestFoldOfASCII holds what is quick to the long way, which any other character takes.
func TestFoldOfASCII(t *testing.T) {
	for c := range rune(128) {
		name := "a" + string(c) + "Z"
		if got, want := store.Fold(name), strings.TrimSuffix(store.Fold(name+"ß"), "ß"); got != want {
			t.Errorf("Fold(%q) = %q, the long way %q", name, got, want)
		}
		got, want := store.GroupKey(name), strings.TrimSuffix(store.GroupKey(name+"ß"), "ß")
		if got != want {
			t.Errorf("GroupKey(%q) = %q, the long way %q", name, got, want)
		}
	}
}

func TestGroupKey(t *testing.T) {
	for _, c := range []struct {
		a, b string
		same bool
	}{
		{"CN=Cooks,OU=Kitchen,DC=x", "cn=cooks, ou=kitchen , dc = x", true},
		{"cn=head  cooks,dc=x", "CN=Head Cooks,DC=x", true},
		{"cn=a+uid=b,dc=x", "cn=a + uid=b,dc=x", true},
		{" cn=a,dc=x ", "cn=a,dc=x", true},
		{`cn=a\, b,dc=x`, `cn=a\,b,dc=x`, false},
		{`cn=a\\, dc=x`, `cn=a\\,dc=x`, true},
		{`cn=a\ ,dc=x`, `cn=a,dc=x`, false},
		{"cn=a,dc=x", "cn=a,ou=b,dc=x", false},
	} {
		if got := store.GroupKey(c.a) == store.GroupKey(c.b); got != c.same {
			t.Errorf("%q %q: same is %t: %q %q", c.a, c.b, got, store.GroupKey(c.a), store.GroupKey(c.b))
		}
	}
}

var _ scs.CtxStore = store.Sessions{}

func TestSessions(t *testing.T) {
	s := open(t)
	sessions := store.Sessions{Store: s}
	must(t, sessions.Commit("token", []byte("a"), time.Now().Add(time.Hour)))
	must(t, sessions.Commit("token", []byte("b"), time.Now().Add(time.Hour)))
	must(t, sessions.Commit("old", []byte("c"), time.Now().Add(-time.Second)))
	b, found, err := sessions.Find("token")
	if err != nil || !found || !bytes.Equal(b, []byte("b")) {
		t.Errorf("found %q %t %v", b, found, err)
	}
	for _, token := range []string{"old", "none"} {
		if _, found, err := sessions.Find(token); found || err != nil {
			t.Errorf("%s: found %t %v", token, found, err)
		}
	}
	must(t, sessions.Delete("token"))
	must(t, sessions.Delete("token"))
	if _, found, _ := sessions.Find("token"); found {
		t.Error("still there")
	}
}

func TestCredentials(t *testing.T) {
	s := open(t)
	w := build(t, s, "one")
	ctx, now := t.Context(), time.Now()
	a := store.Administrator{EnvironmentID: w.env.ID, Name: "Ada", SetupHash: []byte{1}}
	must(t, s.CreateAdministrator(ctx, &a))
	want(t, s.CreateAdministrator(ctx, &store.Administrator{EnvironmentID: w.env.ID, Name: "ADA"}), store.ErrConflict)
	a.SetupHash, a.PasswordHash = nil, "x"
	must(t, s.UpdateAdministrator(ctx, &a))
	if got, err := s.Administrator(ctx, "ada"); err != nil || fmt.Sprint(got) != fmt.Sprint(a) {
		t.Errorf("%v, %v", got, err)
	}
	if all, err := s.Administrators(ctx, w.env.ID); err != nil || len(all) != 1 {
		t.Errorf("%v, %v", all, err)
	}
	c := store.Client{EnvironmentID: w.env.ID, Name: "terraform", SecretHash: []byte{7}}
	must(t, s.CreateClient(ctx, &c))
	must(t, s.CreateToken(ctx, []byte("h"), c.ID, w.env.ID, now.Add(time.Hour)))
	if got, err := s.TokenClient(ctx, []byte("h"), now); err != nil || fmt.Sprint(got) != fmt.Sprint(c) {
		t.Errorf("%v, %v", got, err)
	}
	_, err := s.TokenClient(ctx, []byte("h"), now.Add(time.Hour))
	want(t, err, store.ErrNotFound)
	want(t, s.CreateToken(ctx, []byte("i"), c.ID, build(t, s, "two").env.ID, now), store.ErrNotFound)
}

func TestCancelled(t *testing.T) {
	s := open(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := s.Environments(ctx)
	want(t, err, context.Canceled)
	want(t, s.CreateEnvironment(ctx, &store.Environment{Name: "x"}), context.Canceled)
}
