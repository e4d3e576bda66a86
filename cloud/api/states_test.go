package api_test

import (
	"net/http"
	"net/url"
	"testing"

	"ldap-gateway/cloud/store"
)

// TestStatesAreLookedAtWhenUsed has each state that ends a client end its token, and where
// the client itself has ended, the next one too.
func TestStatesAreLookedAtWhenUsed(t *testing.T) {
	for name, end := range map[string]struct {
		do   func(s *site, c *store.Client) error
		next int // status for a token that is asked for then
	}{
		"deleted": {func(s *site, c *store.Client) error {
			return s.store.DeleteClient(t.Context(), s.env, c.ID)
		}, http.StatusUnauthorized},
		"secret": {func(s *site, c *store.Client) error {
			c.SecretHash = []byte("another")
			return s.store.UpdateClient(t.Context(), c)
		}, http.StatusUnauthorized},
		"role": {func(s *site, c *store.Client) error {
			c.Role = store.RoleReadOnly
			return s.store.UpdateClient(t.Context(), c)
		}, http.StatusOK},
	} {
		t.Run(name, func(t *testing.T) {
			s := start(t)
			grant := url.Values{"grant_type": {"client_credentials"}}
			s.token = s.askToken(grant, s.client, s.secret).want(http.StatusOK).at("access_token")
			s.send("GET", "", "").want(http.StatusOK)
			c, err := s.store.Client(t.Context(), s.env, s.client)
			s.must(err)
			s.must(end.do(s, &c))
			s.send("GET", "", "").want(http.StatusUnauthorized)
			s.askToken(grant, s.client, s.secret).want(end.next)
		})
	}
}
