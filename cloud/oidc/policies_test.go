package oidc_test

import (
	"slices"
	"testing"
	"time"

	"ldap-gateway/cloud/applications"
	"ldap-gateway/cloud/store"
)

// The sign-on policies of an application are those of its flows, the lowest priority first.
func TestFlowsHaveThePoliciesOfTheirApplication(t *testing.T) {
	s := start(t)
	for _, c := range []struct {
		given []store.PolicyAssignment
		want  []string
	}{
		{nil, nil},
		{[]store.PolicyAssignment{{Policy: "a", Priority: 4}}, []string{"a"}},
		{[]store.PolicyAssignment{{Policy: "a", Priority: 4}, {Policy: "b", Priority: 2}, {Policy: "c", Priority: 3}},
			[]string{"b", "c", "a"}},
	} {
		s.app.Kept.Policies = c.given
		check(t, s.db.UpdateApplication(t.Context(), &s.app))
		z := store.Authorization{
			EnvironmentID: s.env,
			ApplicationID: s.app.ID,
			Request:       []byte(`{}`),
			CreatedAt:     s.now(),
			ExpiresAt:     s.now().Add(time.Hour),
		}
		wish, err := applications.Wishes{Vault: s.server.Vault, Protocol: "OpenID Connect"}.Begin(&z)
		check(t, err)
		f, err := s.server.Flow(t.Context(), s.env, wish)
		check(t, err)
		if !slices.Equal(f.Policies, c.want) {
			t.Errorf("%+v: %v, want %v", c.given, f.Policies, c.want)
		}
	}
}
