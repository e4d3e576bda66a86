package oidc_test

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"golang.org/x/oauth2"

	"ldap-gateway/cloud/store"
)

// page makes an application without a secret.
func (s *site) page(name, kind string, redirects ...string) store.Application {
	s.t.Helper()
	a := store.Application{
		EnvironmentID: s.env,
		Name:          name,
		Type:          kind,
		Enabled:       true,
		Refresh:       true,
		RedirectURIs:  redirects,
		Groups:        store.GroupsClaim{Value: store.GroupNames},
	}
	check(s.t, s.db.CreateApplication(s.t.Context(), &a))
	return a
}

// TestOriginsOfSites: scripts of the sites of applications without a secret may read what
// is for those, and no others anything but what is public.
func TestOriginsOfSites(t *testing.T) {
	s := start(t)
	s.page("Page", store.SinglePage, "https://spa.test/cb", "http://localhost:3000/cb", "https://SPA.Test:8443/x?y=z")
	s.page("Default", store.SinglePage, "https://ports.test:443/cb", "http://[::1]:8080/cb")
	s.page("Wild", store.SinglePage, "https://a_b.test/cb")
	off := s.page("Off", store.SinglePage, "https://off.test/cb")
	off.Enabled = false
	check(t, s.db.UpdateApplication(t.Context(), &off))
	for origin, known := range map[string]bool{
		"https://spa.test":      true,
		"https://spa.test:8443": true,
		"http://localhost:3000": true,
		"https://ports.test":    true,
		"http://[::1]:8080":     true,
		"https://a_b.test":      true,
		"https://axb.test":      false, // _ is no wildcard
		"https://off.test":      false,
		"http://spa.test":       false,
		"https://spa.test:444":  false,
		"http://localhost:3001": false,
		"http://localhost":      false,
		"https://x.spa.test":    false,
		"https://spa.test.evil": false,
		"https://evil.example":  false,
		"https://app.example":   false, // has a secret
		"https://%":             false,
		"null":                  false,
		"":                      false,
	} {
		for path, public := range map[string]bool{
			"/.well-known/openid-configuration": true, "/jwks": true,
			"/token": false, "/userinfo": false, "/revoke": false,
		} {
			want := map[bool]string{true: origin}[known]
			if public {
				want = "*"
			}
			r := must(http.NewRequest("OPTIONS", s.server.Issuer(s.env)+path, nil))
			r.Header.Set("Origin", origin)
			r.Header.Set("Access-Control-Request-Method", "POST")
			resp := must(http.DefaultClient.Do(r))
			check(t, resp.Body.Close())
			if got := resp.Header.Get("Access-Control-Allow-Origin"); got != want || resp.StatusCode != 204 ||
				(want != "") != (resp.Header.Get("Access-Control-Allow-Headers") != "") {
				t.Errorf("%q asks ahead for %s: %d %q", origin, path, resp.StatusCode, got)
			}
			if public || path == "/userinfo" {
				resp, _ = s.ask(path, nil, "Origin", origin)
			} else {
				resp, _ = s.ask(path, url.Values{"token": {"x"}}, "Origin", origin)
			}
			if got := resp.Header.Get("Access-Control-Allow-Origin"); got != want {
				t.Errorf("%q asks %s: %q", origin, path, got)
			}
			if resp.Header.Get("Access-Control-Allow-Credentials") != "" {
				t.Errorf("%q: with cookies", path)
			}
		}
	}
	for _, path := range []string{"/authorize", "/authorize/callback", "/signoff", "/introspect"} {
		if resp, _ := s.ask(path, nil, "Origin", "https://spa.test"); resp.Header.Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("%s is read", path)
		}
	}
}

// TestAnswersAreForTheirSite: a site that may read answers reads none of another
// application.
func TestAnswersAreForTheirSite(t *testing.T) {
	s := start(t)
	one := s.page("One", store.SinglePage, "https://one.test/cb")
	s.page("Two", store.SinglePage, "https://two.test/cb")
	c, _ := s.relying("offline_access")
	c.ClientID, c.ClientSecret, c.RedirectURL = one.ID, "", one.RedirectURIs[0]
	verifier := oauth2.GenerateVerifier()
	b := s.browser()
	at := b.signOn(b.get(c.AuthCodeURL("state", oauth2.S256ChallengeOption(verifier))), "alice", "wonderland")
	token := must(c.Exchange(t.Context(), at.url.Query().Get("code"), oauth2.VerifierOption(verifier)))
	for path, form := range map[string]url.Values{
		"/userinfo": {"access_token": {token.AccessToken}},
		"/token":    {"grant_type": {"refresh_token"}, "refresh_token": {"x"}, "client_id": {one.ID}},
		"/revoke":   {"token": {"x"}, "client_id": {one.ID}},
	} {
		for _, origin := range []string{"https://one.test", "https://two.test"} {
			resp, body := s.ask(path, form, "Origin", origin)
			got := resp.Header.Get("Access-Control-Allow-Origin")
			if mine := strings.Contains(origin, "one"); mine != (got == origin) || !mine && got != "" {
				t.Errorf("%s of %s: %q %s", path, origin, got, body)
			}
			if !slices.Contains(resp.Header.Values("Vary"), "Origin") {
				t.Errorf("%s: Vary %q", path, resp.Header.Values("Vary"))
			}
		}
	}
}
