package store_test

import (
	"context"
	"testing"
	"time"

	"ldap-gateway/cloud/store"
)

// wish adds an authorization that is kept until then.
func wish(t testing.TB, s *store.Store, w world, application string, until time.Time) store.Authorization {
	t.Helper()
	a := store.Authorization{
		EnvironmentID: w.env.ID,
		ApplicationID: application,
		Request:       []byte(`{"state":"x"}`),
		CreatedAt:     moment(0),
		ExpiresAt:     until,
	}
	must(t, s.CreateAuthorization(t.Context(), &a, nil))
	return a
}

// grants has one person sign on for an application by a code.
func grants(s *store.Store, w world, application, id, code string, until time.Time) (store.Authorization, error) {
	a := store.Authorization{
		ID:            id,
		EnvironmentID: w.env.ID,
		ApplicationID: application,
		Request:       []byte(`{"state":"x"}`),
		SignedOn: store.SignedOn{
			UserID: w.user.ID, SignOnID: "s", Method: store.ByIDP, Methods: "pwd otp", ProviderID: "p", At: moment(1),
			Factor: store.FactorOneTime,
		},
		CreatedAt: time.Now().UTC().Truncate(time.Microsecond),
		ExpiresAt: until,
	}
	return a, s.CreateAuthorization(context.Background(), &a, []byte(code))
}

// An authorization says who signed on. There is one of an ID, and of a code, and it ends with its
// time, its application and its environment.
func TestAuthorizations(t *testing.T) {
	s := open(t)
	w, other := build(t, s, "one"), build(t, s, "two")
	ctx, now := t.Context(), time.Now().UTC().Truncate(time.Microsecond)
	app := application(t, s, w)
	until := now.Add(time.Hour)
	a, err := grants(s, w, app.ID, "", "code", until)
	must(t, err)
	_, err = grants(s, w, app.ID, a.ID, "another", until)
	want(t, err, store.ErrConflict)
	_, err = grants(s, w, app.ID, "", "code", until)
	want(t, err, store.ErrConflict)
	_, err = grants(s, w, "none", "", "another", until)
	want(t, err, store.ErrNotFound)

	_, err = s.UseCode(ctx, other.env.ID, []byte("code"), now, now.Add(time.Hour))
	want(t, err, store.ErrNotFound)
	for _, late := range []time.Duration{0, time.Second, 50 * time.Minute} {
		_, err = s.UseCode(ctx, w.env.ID, []byte("code"), a.CreatedAt.Add(store.CodeLife+late), now.Add(time.Hour))
		want(t, err, store.ErrNotFound)
	}
	used, err := s.UseCode(ctx, w.env.ID, []byte("code"), now, now.Add(time.Hour))
	same(t, used, a, err)

	_, err = grants(s, w, app.ID, "", "last", until)
	must(t, err)
	must(t, s.DeleteApplication(ctx, w.env.ID, app.ID))
	_, err = s.UseCode(ctx, w.env.ID, []byte("last"), now, now.Add(time.Hour))
	want(t, err, store.ErrNotFound)
}

// What has expired is forgotten when the next comes.
func TestAuthorizationsAreForgotten(t *testing.T) {
	s := open(t)
	w := build(t, s, "one")
	app := application(t, s, w)
	old, err := grants(s, w, app.ID, "", "old", time.Now().Add(-time.Second))
	must(t, err)
	for _, code := range []string{"next", "code"} { // the first forgets, so that the second is none again
		_, err = grants(s, w, app.ID, map[string]string{"code": old.ID}[code], code, time.Now().Add(time.Minute))
		must(t, err)
	}
}

// token adds a token of a sign-on, with or without a refresh token.
func token(t testing.TB, s *store.Store, w world, from store.Authorization, refresh string, now time.Time) store.Token {
	t.Helper()
	k := store.Token{
		EnvironmentID:   w.env.ID,
		ApplicationID:   from.ApplicationID,
		AuthorizationID: from.ID,
		Scopes:          []string{"openid", "groups"},
		SignedOn:        store.SignedOn{UserID: w.user.ID, Method: store.ByPassword, At: moment(1)},
		AccessUntil:     now.Add(time.Minute),
		ExpiresAt:       now.Add(time.Hour),
	}
	if refresh != "" {
		k.RefreshHash = []byte(refresh)
	}
	must(t, s.AddToken(t.Context(), &k, nil, now))
	return k
}

// An access token is good for its time, a refresh token for a longer one, both in their
// own environment.
func TestTokens(t *testing.T) {
	s := open(t)
	w, other := build(t, s, "one"), build(t, s, "two")
	ctx, now := t.Context(), moment(5)
	app := application(t, s, w)
	a := wish(t, s, w, app.ID, time.Now().Add(time.Hour))
	plain, refreshed := token(t, s, w, a, "", now), token(t, s, w, a, "refresh", now)
	token(t, s, w, a, "", now) // a second without a refresh token is no conflict
	got, err := s.Token(ctx, w.env.ID, plain.ID, now)
	same(t, got, plain, err)
	got, err = s.TokenByRefresh(ctx, w.env.ID, []byte("refresh"), now.Add(2*time.Minute))
	same(t, got, refreshed, err)
	for name, err := range map[string]error{
		"late":         found(s.Token(ctx, w.env.ID, plain.ID, now.Add(time.Minute))),
		"elsewhere":    found(s.Token(ctx, other.env.ID, plain.ID, now)),
		"no such":      found(s.Token(ctx, w.env.ID, "none", now)),
		"late refresh": found(s.TokenByRefresh(ctx, w.env.ID, []byte("refresh"), now.Add(time.Hour))),
		"of others":    found(s.TokenByRefresh(ctx, other.env.ID, []byte("refresh"), now)),
		"none at all":  found(s.TokenByRefresh(ctx, w.env.ID, nil, now)),
		"empty":        found(s.TokenByRefresh(ctx, w.env.ID, []byte{}, now)),
	} {
		t.Run(name, func(t *testing.T) { want(t, err, store.ErrNotFound) })
	}
}

// Tokens are taken back by sign-on, by person and by application, and only those.
func TestTokensAreTakenBack(t *testing.T) {
	s := open(t)
	w, other := build(t, s, "one"), build(t, s, "two")
	ctx, now := t.Context(), moment(5)
	first := application(t, s, w)
	second := store.Application{EnvironmentID: w.env.ID, Name: "Second"}
	must(t, s.CreateApplication(ctx, &second))
	later := time.Now().Add(time.Hour)
	for name, c := range map[string]struct {
		take func(a store.Authorization) error
		left [3]bool // of the first sign-on, of the second, of the other application
	}{
		"a sign-on": {func(a store.Authorization) error {
			return s.RevokeAuthorization(ctx, w.env.ID, a.ID)
		}, [3]bool{false, true, true}},
		"a sign-on of another environment": {func(a store.Authorization) error {
			return s.RevokeAuthorization(ctx, other.env.ID, a.ID)
		}, [3]bool{true, true, true}},
		"a person at an application": {func(store.Authorization) error {
			return s.RevokeUserTokens(ctx, w.env.ID, w.user.ID, first.ID)
		}, [3]bool{false, false, true}},
		"a person": {func(store.Authorization) error {
			return s.RevokeUserTokens(ctx, w.env.ID, w.user.ID, "")
		}, [3]bool{false, false, false}},
		"a person elsewhere": {func(store.Authorization) error {
			return s.RevokeUserTokens(ctx, other.env.ID, w.user.ID, "")
		}, [3]bool{true, true, true}},
		"whoever is signed off": {func(store.Authorization) error {
			return s.SignOffUser(ctx, w.env.ID, w.user.ID)
		}, [3]bool{false, false, false}},
	} {
		t.Run(name, func(t *testing.T) {
			a, b := wish(t, s, w, first.ID, later), wish(t, s, w, first.ID, later)
			tokens := []store.Token{
				token(t, s, w, a, "", now),
				token(t, s, w, b, "", now),
				token(t, s, w, wish(t, s, w, second.ID, later), "", now),
			}
			must(t, c.take(a))
			for i, k := range tokens {
				_, err := s.Token(ctx, w.env.ID, k.ID, now)
				if (err == nil) != c.left[i] {
					t.Errorf("token %d: %v", i, err)
				}
			}
		})
	}
}

// TestNothingOfWhoWasSignedOff: what was decided before somebody was signed off, and kept after it, opens nothing: a
// code that is made late, one that is used late, a token that is made late of a code, and one in the place of another.
func TestNothingOfWhoWasSignedOff(t *testing.T) {
	for name, off := range map[string]func(s *store.Store, w world, app string) error{
		"everywhere": func(s *store.Store, w world, _ string) error { return s.SignOffUser(t.Context(), w.env.ID, w.user.ID) },
		"disabled": func(s *store.Store, w world, _ string) error {
			w.user.Enabled = false
			return s.UpdateUser(t.Context(), &w.user)
		},
		"deleted": func(s *store.Store, w world, _ string) error {
			_, err := s.LetGo(t.Context(), &store.Going{EnvironmentID: w.env.ID, Kind: store.UserGoes, Of: []string{w.user.ID}})
			return err
		},
		"of the application": func(s *store.Store, w world, app string) error {
			return s.RevokeUserTokens(t.Context(), w.env.ID, w.user.ID, app)
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := open(t)
			w, ctx, now := build(t, s, "one"), t.Context(), time.Now()
			w.user.Enabled = true
			must(t, s.UpdateUser(ctx, &w.user))
			app := store.Application{EnvironmentID: w.env.ID, Name: "App", Type: store.WebApplication, Enabled: true}
			must(t, s.CreateApplication(ctx, &app))
			u, err := s.User(ctx, w.env.ID, w.user.ID)
			must(t, err)
			by := store.SignedOn{UserID: u.ID, SignOffs: u.SignOffs}
			code := func(hash string) (store.Authorization, error) {
				a := store.Authorization{
					EnvironmentID: w.env.ID, ApplicationID: app.ID, Request: []byte("{}"), SignedOn: by, ExpiresAt: now.Add(time.Hour),
				}
				return a, s.CreateAuthorization(ctx, &a, []byte(hash))
			}
			token := func(of, refresh, replaces string) error {
				tk := store.Token{
					EnvironmentID: w.env.ID, ApplicationID: app.ID, AuthorizationID: of, SignedOn: by, RefreshHash: []byte(refresh),
					AccessUntil: now.Add(time.Hour), ExpiresAt: now.Add(time.Hour),
				}
				old := []byte(replaces)
				if replaces == "" {
					old = nil
				}
				return s.AddToken(ctx, &tk, old, now)
			}
			used, err := code("used")
			must(t, err)
			_, err = s.UseCode(ctx, w.env.ID, []byte("used"), now, now.Add(time.Hour))
			must(t, err)
			_, err = code("kept")
			must(t, err)
			must(t, token(used.ID, "refresh", ""))
			must(t, off(s, w, app.ID))
			_, madeLate := code("late")
			_, usedLate := s.UseCode(ctx, w.env.ID, []byte("kept"), now, now.Add(time.Hour))
			for refresh, replaces := range map[string]string{"late": "", "again": "refresh"} {
				_ = token(used.ID, refresh, replaces)
				if _, err := s.TokenByRefresh(ctx, w.env.ID, []byte(refresh), now); err == nil {
					t.Errorf("the token %q is good", refresh)
				}
			}
			if goes := name == "of the application"; (madeLate == nil) != goes || usedLate == nil && name != "deleted" { // of nobody nothing is given
				t.Errorf("a code made late: %v; used late: %v", madeLate, usedLate)
			}
			if _, err := s.TokenByRefresh(ctx, w.env.ID, []byte("refresh"), now); err == nil {
				t.Error("the token of before is good")
			}
		})
	}
}
