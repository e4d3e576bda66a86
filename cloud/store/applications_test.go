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

func application(t *testing.T, s *store.Store, w world) store.Application {
	t.Helper()
	a := store.Application{
		EnvironmentID: w.env.ID,
		Name:          "Wiki",
		Type:          store.WebApplication,
		Enabled:       true,
		RedirectURIs:  []string{"https://wiki.example/cb"},
		Refresh:       true,
		Groups:        store.GroupsClaim{Value: store.GroupNames, Allow: []string{"cn=*"}},
		SecretHash:    []byte("h"),
	}
	must(t, s.CreateApplication(t.Context(), &a))
	return a
}

func TestApplications(t *testing.T) {
	s := open(t)
	w := build(t, s, "one")
	a := application(t, s, w)
	if err := s.CreateApplication(t.Context(), &store.Application{
		EnvironmentID: w.env.ID,
		Name:          "WIKI",
	}); !errors.Is(err, store.ErrConflict) {
		t.Error(err)
	}
	a.Name, a.AskForTicket = "Docs", true
	must(t, s.UpdateApplication(t.Context(), &a))
	got, err := s.Application(t.Context(), w.env.ID, a.ID)
	must(t, err)
	if fmt.Sprintf("%+v", got) != fmt.Sprintf("%+v", a) {
		t.Errorf("%+v\n%+v", got, a)
	}
	if _, err := s.Application(t.Context(), "another", a.ID); !errors.Is(err, store.ErrNotFound) {
		t.Error(err)
	}
	must(t, s.DeleteApplication(t.Context(), w.env.ID, a.ID))
	if err := s.DeleteApplication(t.Context(), w.env.ID, a.ID); !errors.Is(err, store.ErrNotFound) {
		t.Error(err)
	}
}

// signedOn is an authorization with a code.
func signedOn(t *testing.T, s *store.Store, w world, a store.Application, code string) store.Authorization {
	t.Helper()
	z, err := grants(s, w, a.ID, "", code, time.Now().Add(time.Minute))
	must(t, err)
	return z
}

// TestACodeIsGoodOnce has many use it at once: one wins, and what it won is taken back.
func TestACodeIsGoodOnce(t *testing.T) {
	s := open(t)
	w := build(t, s, "one")
	a := application(t, s, w)
	z := signedOn(t, s, w, a, "code")
	now := time.Now()
	if _, err := s.UseCode(
		t.Context(),
		"another",
		[]byte("code"),
		now,
		now.Add(time.Hour),
	); !errors.Is(err, store.ErrNotFound) {
		t.Error(err)
	}
	var wins, reuses atomic.Int64
	var all sync.WaitGroup
	for range 1000 {
		all.Go(func() {
			got, err := s.UseCode(t.Context(), w.env.ID, []byte("code"), now, now.Add(time.Hour))
			switch {
			case err == nil:
				wins.Add(1)
				must(t, s.AddToken(t.Context(), &store.Token{
					ID:              "token",
					EnvironmentID:   w.env.ID,
					ApplicationID:   a.ID,
					AuthorizationID: got.ID,
					SignedOn:        got.SignedOn,
					AccessUntil:     now.Add(time.Hour),
					ExpiresAt:       now.Add(time.Hour),
				}, nil, now))
			case errors.Is(err, store.ErrReused):
				reuses.Add(1)
			default:
				t.Error(err)
			}
		})
	}
	all.Wait()
	if wins.Load() != 1 || reuses.Load() != 999 {
		t.Errorf("%d wins, %d reuses", wins.Load(), reuses.Load())
	}
	if _, err := s.Token(t.Context(), w.env.ID, "token", now); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("the token of %s is still good: %v", z.ID, err)
	}
	signedOn(t, s, w, a, "late")
	if _, err := s.UseCode(
		t.Context(),
		w.env.ID,
		[]byte("late"),
		now.Add(2*time.Minute),
		now.Add(time.Hour),
	); !errors.Is(err, store.ErrNotFound) {
		t.Error(err)
	}
}

func TestRefreshTokensAreGoodOnce(t *testing.T) {
	s := open(t)
	w := build(t, s, "one")
	a := application(t, s, w)
	z := signedOn(t, s, w, a, "code")
	now := time.Now()
	_, err := s.UseCode(t.Context(), w.env.ID, []byte("code"), now, now.Add(time.Hour))
	must(t, err)
	add := func(refresh, replaces string) (string, error) {
		token := store.Token{
			EnvironmentID:   w.env.ID,
			ApplicationID:   a.ID,
			AuthorizationID: z.ID,
			Scopes:          []string{"openid"},
			RefreshHash:     []byte(refresh),
			SignedOn:        store.SignedOn{UserID: w.user.ID, Method: "password", At: now},
			AccessUntil:     now.Add(time.Hour),
			ExpiresAt:       now.Add(24 * time.Hour),
		}
		var before []byte
		if replaces != "" {
			before = []byte(replaces)
		}
		err := s.AddToken(t.Context(), &token, before, now)
		return token.ID, err
	}
	_, err = add("r1", "")
	must(t, err)
	second, err := add("r2", "r1")
	must(t, err)
	if got, err := s.TokenByRefresh(t.Context(), w.env.ID, []byte("r2"), now); err != nil || got.ID != second ||
		got.SignedOn.UserID != w.user.ID || got.Scopes[0] != "openid" {
		t.Errorf("%+v %v", got, err)
	}
	if _, err := add("r3", "r1"); !errors.Is(err, store.ErrReused) {
		t.Errorf("used twice: %v", err)
	}
	for _, refresh := range []string{"r1", "r2", "r3"} {
		if _, err := s.TokenByRefresh(t.Context(), w.env.ID, []byte(refresh), now); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("%s is still good: %v", refresh, err)
		}
	}
	_, err = add("r4", "")
	must(t, err)
	must(t, s.RevokeUserTokens(t.Context(), w.env.ID, w.user.ID, a.ID))
	if _, err := s.TokenByRefresh(t.Context(), w.env.ID, []byte("r4"), now); !errors.Is(err, store.ErrNotFound) {
		t.Error(err)
	}
}

func TestOneOfManyAddsASigningKey(t *testing.T) {
	s := open(t)
	w := build(t, s, "one")
	start := time.Now()
	add := func(algorithm, id string, at time.Time) {
		must(t, s.AddSigningKey(t.Context(), store.SigningKey{
			ID:            id + algorithm,
			EnvironmentID: w.env.ID,
			Algorithm:     algorithm,
			Sealed:        []byte("x"),
			CreatedAt:     at,
		}, at.Add(-time.Hour), at.Add(-2*time.Hour)))
	}
	for _, algorithm := range []string{store.RS256, store.ES256} { // each for itself
		for i := range 3 {
			add(algorithm, fmt.Sprint(i), start)
		}
		add(algorithm, "later", start.Add(90*time.Minute))
	}
	for _, algorithm := range []string{store.RS256, store.ES256} {
		keys, err := s.SigningKeys(t.Context(), w.env.ID, algorithm)
		must(t, err)
		if len(keys) != 2 || keys[0].ID != "later"+algorithm || keys[1].ID != "0"+algorithm || keys[0].Algorithm != algorithm {
			t.Errorf("%+v", keys)
		}
	}
}

// TestApplicationsAreFound by where they are, and by whom they signed on.
func TestApplicationsAreFound(t *testing.T) {
	s := open(t)
	w := build(t, s, "one")
	web := application(t, s, w) // has a secret
	for name, address := range map[string]string{"spa": "https://SPA.example:8443/cb", "wild": "https://s_a.example/cb", "sp%": "https://x.example/cb"} {
		must(t, s.CreateApplication(t.Context(), &store.Application{
			EnvironmentID: w.env.ID, Name: name, Type: store.SinglePage, RedirectURIs: []string{address},
			OpenID: store.OpenID{PKCE: store.PKCERequired, Audiences: []string{"https://api.example"}},
		}))
	}
	for host, want := range map[string]int{"spa.example": 1, "SPA.example": 1, "s_a.example": 1, "wiki.example": 0, "%": 0, "": 3} {
		got, err := s.PublicApplicationsAt(t.Context(), w.env.ID, host)
		must(t, err)
		if len(got) != want || want == 1 && got[0].PKCE() != store.PKCERequired {
			t.Errorf("%q: %+v", host, got)
		}
	}
	now := time.Now()
	signedOn(t, s, w, web, "code")
	if got, err := s.SignedOnAt(t.Context(), w.env.ID, "s"); err != nil || len(got) != 0 {
		t.Errorf("before a code was redeemed: %v %v", got, err)
	}
	z, err := s.UseCode(t.Context(), w.env.ID, []byte("code"), now, now.Add(time.Hour))
	must(t, err)
	for signOn, want := range map[string]int{z.SignedOn.SignOnID: 1, "": 0, "other": 0} {
		if got, err := s.SignedOnAt(t.Context(), w.env.ID, signOn); err != nil || len(got) != want {
			t.Errorf("%q: %v %v", signOn, got, err)
		}
	}
	token := store.Token{
		EnvironmentID: w.env.ID, ApplicationID: web.ID, AuthorizationID: z.ID, SignedOn: z.SignedOn,
		Resources: []string{"https://api.example"}, AccessUntil: now.Add(time.Hour), ExpiresAt: now.Add(time.Hour),
	}
	must(t, s.AddToken(t.Context(), &token, nil, now))
	if got, err := s.Token(t.Context(), w.env.ID, token.ID, now); err != nil || fmt.Sprint(got.Resources) != "[https://api.example]" {
		t.Errorf("%+v %v", got, err)
	}
}
