package store_test

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"ldap-gateway/cloud/store"
)

// TestServiceProviders are found by what they call themselves, which no two of an environment
// do.
func TestServiceProviders(t *testing.T) {
	s := open(t)
	w := build(t, s, "one")
	other := build(t, s, "two")
	a := store.Application{
		EnvironmentID: w.env.ID, Name: "Wiki", Protocol: store.SAML, Type: store.CustomApplication, Enabled: true,
		SAML: store.ServiceProvider{
			EntityID: "https://sp.example", ACS: []string{"https://sp.example/acs"}, ACSIndexes: []int{1}, AssertionSeconds: 60,
			AssertionSigned: true, AccessRule: store.AccessRule{Access: []string{"g"}}, MostGroups: 7,
		},
	}
	must(t, s.CreateApplication(t.Context(), &a))
	got, err := s.ApplicationByEntity(t.Context(), w.env.ID, "https://sp.example")
	must(t, err)
	if fmt.Sprintf("%+v", got) != fmt.Sprintf("%+v", a) {
		t.Errorf("%+v\n%+v", got, a)
	}
	for env, entity := range map[string]string{other.env.ID: "https://sp.example", w.env.ID: "HTTPS://sp.example", "": ""} {
		if _, err := s.ApplicationByEntity(t.Context(), env, entity); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("%q %q: %v", env, entity, err)
		}
	}
	twin := a
	twin.ID, twin.Name = "", "Twin"
	if err := s.CreateApplication(t.Context(), &twin); !errors.Is(err, store.ErrConflict) {
		t.Error(err)
	}
	for _, name := range []string{"OIDC 1", "OIDC 2"} { // have no entity ID, both
		must(t, s.CreateApplication(t.Context(), &store.Application{EnvironmentID: w.env.ID, Name: name, Type: store.WebApplication}))
	}
	a.SAML.EntityID = "https://moved.example"
	must(t, s.UpdateApplication(t.Context(), &a))
	if _, err := s.ApplicationByEntity(t.Context(), w.env.ID, "https://moved.example"); err != nil {
		t.Error(err)
	}
	plain, _, err := s.Applications(t.Context(), w.env.ID, store.Page{})
	must(t, err)
	if plain[0].Protocol != store.OpenIDConnect {
		t.Errorf("%+v", plain[0])
	}
}

// TestAnAuthorizationIsUsedOnce has many answer one wish at once: one wins, and nobody else signs on
// for it then.
func TestAnAuthorizationIsUsedOnce(t *testing.T) {
	s := open(t)
	w := build(t, s, "one")
	a := application(t, s, w)
	now := time.Now()
	use := func() error {
		return s.CreateAuthorization(t.Context(), &store.Authorization{
			ID:            "wish",
			EnvironmentID: w.env.ID,
			ApplicationID: a.ID,
			Request:       []byte(`{"told":1}`),
			SignedOn:      store.SignedOn{UserID: w.user.ID, SignOnID: "s", Method: "password", At: now},
			ExpiresAt:     now.Add(time.Minute),
		}, nil)
	}
	if all, err := s.UsedAt(t.Context(), w.env.ID, "s"); err != nil || len(all) != 0 {
		t.Errorf("%v %v", all, err)
	}
	var wins atomic.Int64
	var all sync.WaitGroup
	for range 50 {
		all.Go(func() {
			switch err := use(); {
			case err == nil:
				wins.Add(1)
			case !errors.Is(err, store.ErrConflict):
				t.Error(err)
			}
		})
	}
	all.Wait()
	if wins.Load() != 1 {
		t.Errorf("%d wins", wins.Load())
	}
	used, err := s.UsedAt(t.Context(), w.env.ID, "s")
	must(t, err)
	if len(used) != 1 || string(used[0].Request) != `{"told":1}` || used[0].SignedOn.UserID != w.user.ID {
		t.Errorf("%+v", used)
	}
	for _, signOn := range []string{"", "other"} {
		if all, err := s.UsedAt(t.Context(), w.env.ID, signOn); err != nil || len(all) != 0 {
			t.Errorf("%q: %v %v", signOn, all, err)
		}
	}
}

// TestOneKeyIsTheDefault of an environment, and it is one of ours.
func TestOneKeyIsTheDefault(t *testing.T) {
	s := open(t)
	w := build(t, s, "one")
	other := build(t, s, "two")
	var ids []string
	for i, sealed := range [][]byte{[]byte("x"), []byte("x"), nil} {
		c := store.Certificate{EnvironmentID: w.env.ID, Name: fmt.Sprint(i), Usage: "SIGNING", DER: []byte("d"), Sealed: sealed}
		must(t, s.CreateCertificate(t.Context(), &c))
		ids = append(ids, c.ID)
	}
	if _, err := s.DefaultKey(t.Context(), w.env.ID); !errors.Is(err, store.ErrNotFound) {
		t.Error(err)
	}
	for _, id := range []string{ids[0], ids[1], ids[1], ids[0]} {
		must(t, s.SetDefaultKey(t.Context(), w.env.ID, id))
		if c, err := s.DefaultKey(t.Context(), w.env.ID); err != nil || c.ID != id || !c.Default {
			t.Errorf("%+v %v", c, err)
		}
	}
	for env, id := range map[string]string{w.env.ID: ids[2], other.env.ID: ids[0]} {
		if err := s.SetDefaultKey(t.Context(), env, id); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("%v", err)
		}
	}
	if c, err := s.DefaultKey(t.Context(), w.env.ID); err != nil || c.ID != ids[0] {
		t.Errorf("what was refused took it away: %+v %v", c, err)
	}
}

// TestAloneWith what may identify somebody.
func TestAloneWith(t *testing.T) {
	s := open(t)
	w := build(t, s, "one")
	u := w.user
	u.Email, u.ExternalID = "Ada@x.example", "e1"
	must(t, s.UpdateUser(t.Context(), &u))
	alone := func(email, want bool) {
		t.Helper()
		if is, err := s.AloneWith(t.Context(), u, email); err != nil || is != want {
			t.Errorf("%v %v", is, err)
		}
	}
	alone(true, true)
	alone(false, true)
	double := store.User{EnvironmentID: w.env.ID, PopulationID: u.PopulationID, Username: "double", Email: "ada@X.example", ExternalID: "E1"}
	must(t, s.CreateUser(t.Context(), &double))
	alone(true, false)
	alone(false, true)
	double.ExternalID = "e1"
	must(t, s.UpdateUser(t.Context(), &double))
	alone(false, false)
}
