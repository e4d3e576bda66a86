package signonpage

import (
	"strings"
	"testing"

	"ldap-gateway/cloud/store"
)

// Whoever is disabled or locked between the proof and the page has no session, nor one that comes to life with
// the leave to sign on.
func TestDisabledBetweenProofAndPage(t *testing.T) {
	for name, row := range map[string]struct {
		proven func(*store.User)
		in     bool
	}{
		"nothing":  {nil, true},
		"renamed":  {func(u *store.User) { u.GivenName = "Alicia" }, true},
		"disabled": {func(u *store.User) { u.Enabled = false }, false},
		"locked":   {func(u *store.User) { u.Locked = true }, false},
	} {
		t.Run(name, func(t *testing.T) {
			s := start(t)
			c := s.visitor()
			s.proven = row.proven
			s.follow(c, s.post(c, "", "username", "alice", "password", "x"))
			u := s.alice
			u.Enabled, u.Locked = true, false
			check(t, s.db.UpdateUser(t.Context(), &u))
			if in := strings.Contains(s.get(c, "").page, "You are signed on"); in != row.in {
				t.Errorf("signed on: %v", in)
			}
		})
	}
}
