package oidc_test

import (
	"encoding/json"
	"net/url"
	"strings"
	"testing"
	"time"

	"golang.org/x/oauth2"
)

// TestPushedRequests: what an application pushes is what counts, for it alone, while it
// waits, and as the application is when the browser comes.
func TestPushedRequests(t *testing.T) {
	s := start(t)
	c, _ := s.relying()
	verifier := oauth2.GenerateVerifier()
	push := func() string {
		resp, body := s.ask("/par", url.Values{
			"client_id": {s.app.ID}, "client_secret": {s.secret}, "redirect_uri": {redirect}, "response_type": {"code"},
			"scope": {"openid profile"}, "state": {"pushed"}, "code_challenge": {oauth2.S256ChallengeFromVerifier(verifier)},
			"code_challenge_method": {"S256"},
		})
		var pushed struct {
			URI  string `json:"request_uri"`
			Life int    `json:"expires_in"`
		}
		check(t, json.Unmarshal([]byte(body), &pushed))
		if resp.StatusCode != 201 || pushed.Life <= 0 || !strings.HasPrefix(pushed.URI, "urn:ietf:params:oauth:request_uri:") {
			t.Fatalf("%d %s", resp.StatusCode, body)
		}
		return pushed.URI
	}
	visit := func(client, uri string, more ...string) place {
		return s.browser().get(s.server.Issuer(s.env) + "/authorize?" +
			with(url.Values{"client_id": {client}, "request_uri": {uri}}, more...).Encode())
	}
	uri := push()
	for range 2 { // a browser that is reloaded
		at := visit(s.app.ID, uri, "state", "another", "redirect_uri", "https://evil.example/", "scope", "openid groups")
		b := s.browser()
		p := b.signOn(at, "alice", "wonderland")
		if p.url.Query().Get("state") != "pushed" || !strings.HasPrefix(p.url.String(), redirect) {
			t.Fatalf("%s\n%s", p.url, p.page)
		}
		if _, err := c.Exchange(t.Context(), p.url.Query().Get("code"), oauth2.VerifierOption(verifier)); err != nil {
			t.Error(err)
		}
	}
	other := s.page("Other", "SINGLE_PAGE_APP", redirect)
	flow := s.browser().get(c.AuthCodeURL("state", oauth2.S256ChallengeOption(verifier))).url.Query().Get("flow")
	_, id, _ := strings.Cut(uri, "request_uri:")
	for name, p := range map[string]place{
		"another application":  visit(other.ID, uri),
		"no application":       visit("", uri),
		"a flow":               visit(s.app.ID, "urn:ietf:params:oauth:request_uri:"+flow),
		"as a flow":            s.browser().get(s.url + "/" + s.env + "/signon?flow=" + id),
		"as a flow's callback": s.browser().get(s.server.Issuer(s.env) + "/authorize/callback?id=" + id),
	} {
		if p.status < 400 || strings.Contains(p.page, `type="password"`) {
			t.Errorf("%s: %d %s", name, p.status, p.page)
		}
	}
	s.clock = 2 * time.Minute
	if p := visit(s.app.ID, uri); p.status != 400 {
		t.Errorf("late: %d", p.status)
	}
	uri = push()
	s.app.RedirectURIs = []string{"https://app.example/moved"}
	check(t, s.db.UpdateApplication(t.Context(), &s.app))
	if p := visit(s.app.ID, uri); p.status != 400 {
		t.Errorf("an address that is not registered any more: %d %s", p.status, p.url)
	}
}
