package management_test

import (
	"errors"
	"slices"
	"testing"

	"ldap-gateway/cloud/fault"
	"ldap-gateway/cloud/store"
)

// A username has no control characters, and an e-mail address is one; what a user has stays good, whatever it is.
func TestOddUsersAreRefused(t *testing.T) {
	w := open(t).world()
	by := w.as(store.RoleOwner)
	for _, c := range []struct {
		username, email string
		of              fault.Field // empty: it is taken
	}{
		{"eve", "", ""},
		{"eve smith", "eve@x", ""},
		{"é.雪", "é@雪.example", ""},
		{`CORP\eve`, "eve+tag@mail.example.com", ""},
		{"eve@x", `"odd"@x`, ""},
		{"eve\tsmith", "", fault.Username},
		{"eve\r\n", "", fault.Username},
		{"\x00eve", "", fault.Username},
		{"eve\x7f", "", fault.Username},
		{"eve\u0085", "", fault.Username},
		{"frank", "not-an-email", fault.Email},
		{"frank", "@x", fault.Email},
		{"frank", "frank@", fault.Email},
		{"frank", "frank@x y", fault.Email},
		{"frank", "frank@x\r\nBcc: all@x", fault.Email},
		{"frank", "frank\u00a0@x", fault.Email},
	} {
		u := store.User{Username: c.username, Email: c.email}
		err := w.CreateUser(t.Context(), by, &u)
		var l fault.List
		errors.As(err, &l)
		refused := slices.ContainsFunc(l, func(f fault.Fault) bool { return f.Field == c.of && f.Kind == fault.Invalid })
		if (c.of == "") != (err == nil) || c.of != "" && !refused {
			t.Errorf("%q, %q: %v, want %q", c.username, c.email, err, c.of)
		}
	}
	old := w.user
	old.Username, old.Email = "old\ttimes", "no address"
	must(t, w.Store.UpdateUser(t.Context(), &old))
	must(t, second(w.ChangeUser(t.Context(), by, old.ID, func(u *store.User) error { u.GivenName = "New"; return nil })))
}
