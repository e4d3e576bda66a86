package store_test

import (
	"testing"
	"time"

	"ldap-gateway/cloud/store"
)

// Whoever may not sign on any more is signed off, and what was open does not come back with the leave to;
// no other change signs anybody off.
func TestWhoMayNotSignOnIsSignedOff(t *testing.T) {
	s := open(t)
	for name, row := range map[string]struct {
		before, after func(u *store.User)
		off           bool
	}{
		"disabled":             {func(*store.User) {}, func(u *store.User) { u.Enabled = false }, true},
		"locked":               {func(*store.User) {}, func(u *store.User) { u.Locked = true }, true},
		"disabled and locked":  {func(*store.User) {}, func(u *store.User) { u.Enabled, u.Locked = false, true }, true},
		"locked when disabled": {func(u *store.User) { u.Enabled = false }, func(u *store.User) { u.Locked = true }, false},
		"enabled":              {func(u *store.User) { u.Enabled = false }, func(u *store.User) { u.Enabled = true }, false},
		"another name":         {func(*store.User) {}, func(u *store.User) { u.GivenName = "Pepe" }, false},
	} {
		t.Run(name, func(t *testing.T) {
			w := build(t, s, name)
			ctx, u := t.Context(), w.user
			row.before(&u)
			must(t, s.UpdateUser(ctx, &u))
			app := store.Application{EnvironmentID: w.env.ID, Name: "App", Type: store.WebApplication, Enabled: true}
			must(t, s.CreateApplication(ctx, &app))
			by := store.SignedOn{UserID: u.ID}
			was, err := s.User(ctx, w.env.ID, u.ID)
			must(t, err)
			by.SignOffs = was.SignOffs
			grant := store.Authorization{
				EnvironmentID: w.env.ID, ApplicationID: app.ID, Request: []byte("{}"), SignedOn: by, ExpiresAt: time.Now().Add(time.Hour),
			}
			must(t, s.CreateAuthorization(ctx, &grant, nil))
			token := store.Token{
				EnvironmentID:   w.env.ID,
				ApplicationID:   app.ID,
				AuthorizationID: grant.ID,
				SignedOn:        by,
				AccessUntil:     time.Now().Add(time.Hour),
				ExpiresAt:       time.Now().Add(time.Hour),
			}
			must(t, s.AddToken(ctx, &token, nil, time.Now()))
			before, err := s.User(ctx, w.env.ID, u.ID)
			must(t, err)
			row.after(&u)
			must(t, s.UpdateUser(ctx, &u))
			u.Enabled, u.Locked = true, false
			must(t, s.UpdateUser(ctx, &u))
			after, err := s.User(ctx, w.env.ID, u.ID)
			must(t, err)
			_, n, err := s.TokenUsers(ctx, w.env.ID, app.ID)
			must(t, err)
			if off := after.SignOffs > before.SignOffs; off != row.off || (n == 0) != row.off {
				t.Errorf("signed off %v, %d tokens left", off, n)
			}
		})
	}
}
