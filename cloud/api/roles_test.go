package api_test

import (
	"net/http"
	"testing"

	"ldap-gateway/cloud/api"
	"ldap-gateway/cloud/store"
	"ldap-gateway/cloud/vault"
)

// as gives the client of the test a role. A change of it ends the tokens; the test's
// is made good again.
func (s *site) as(role store.Role) {
	s.t.Helper()
	client, err := s.store.Client(s.t.Context(), s.env, s.client)
	s.must(err)
	client.Role = role
	s.must(s.store.UpdateClient(s.t.Context(), &client))
	s.send("GET", "/users", "").want(http.StatusUnauthorized)
	s.must(s.store.CreateToken(s.t.Context(), vault.HashSecret(s.token), client.ID, s.env, s.now.Add(api.TokenLife)))
}

// Each client does what its role says, and is refused the rest before anything
// is looked at.
func TestClientRoles(t *testing.T) {
	s := start(t)
	requests := []struct{ method, path, body string }{
		{"GET", "/users", ""}, {"GET", "/signOns/" + s.signOn.ID, ""}, {"POST", "/signOns", `{"username":"ada","password":"x"}`},
		{"POST", "/populations", `{"name":"more"}`}, {"DELETE", "/users/" + s.user.ID, ""},
	}
	for _, c := range []struct {
		role    store.Role
		allowed string
	}{
		{store.RoleReadOnly, "110 00"},
		{store.RoleSignOn, "011 00"},
		{"NONSENSE", "000 00"},
		{store.RoleIdentityAdmin, "111 11"},
	} {
		s.as(c.role)
		got := ""
		for i, r := range requests {
			if i == 3 {
				got += " "
			}
			a := s.send(r.method, r.path, r.body)
			got += map[bool]string{true: "1", false: "0"}[a.status < 300]
			if a.status >= 300 {
				a.want(http.StatusForbidden).has("code", "ACCESS_FAILED")
			}
		}
		if got != c.allowed {
			t.Errorf("%s: %s, want %s", c.role, got, c.allowed)
		}
	}
}
