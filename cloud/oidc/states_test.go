package oidc_test

import (
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"golang.org/x/oauth2"

	"ldap-gateway/cloud/store"
)

// grant is everything that one sign-on of alice's brought, at each stage of its way.
type grant struct {
	*site
	c              *oauth2.Config
	browser        *browser // in which she has signed on
	token          *oauth2.Token
	code, verifier string // not redeemed yet
}

// uses are what can be done with a grant, by the endpoint of the discovery document that
// it is done at. Each returns the status, the OAuth error and whether anything was had.
var uses = map[string]func(g *grant) (status int, code string, had bool){
	"authorization_endpoint": func(g *grant) (int, string, bool) {
		p := g.browser.get(g.c.AuthCodeURL("state", oauth2.S256ChallengeOption(oauth2.GenerateVerifier())))
		return p.status, "", p.url.Query().Get("code") != ""
	},
	"token_endpoint": func(g *grant) (int, string, bool) {
		_, err := g.c.Exchange(g.t.Context(), g.code, oauth2.VerifierOption(g.verifier))
		return refusedAs(err)
	},
	"token_endpoint, refresh": func(g *grant) (int, string, bool) {
		_, err := g.c.TokenSource(g.t.Context(), &oauth2.Token{RefreshToken: g.token.RefreshToken}).Token()
		return refusedAs(err)
	},
	"userinfo_endpoint": func(g *grant) (int, string, bool) {
		status, info := g.userinfo(g.token.AccessToken)
		code, _ := info["error"].(string)
		return status, code, info["sub"] != nil
	},
	"introspection_endpoint": func(g *grant) (int, string, bool) {
		status, answer := g.post("/introspect", g.token.AccessToken)
		return status, "", answer["active"] == true
	},
	"revocation_endpoint": func(g *grant) (int, string, bool) {
		status, _ := g.post("/revoke", g.token.RefreshToken)
		return status, "", false
	},
	"pushed_authorization_request_endpoint": func(g *grant) (int, string, bool) {
		resp, _ := g.ask("/par", url.Values{"client_id": {g.app.ID}, "client_secret": {g.secret}, "redirect_uri": {redirect}})
		return resp.StatusCode, "", false
	},
	"end_session_endpoint": func(g *grant) (int, string, bool) {
		p := g.browser.get(g.server.Issuer(g.env) + "/signoff?" + url.Values{
			"id_token_hint": {g.token.Extra("id_token").(string)},
		}.Encode())
		return p.status, "", false
	},
}

// refusedAs parts an answer of the token endpoint.
func refusedAs(err error) (status int, code string, had bool) {
	var e *oauth2.RetrieveError
	if errors.As(err, &e) {
		return e.Response.StatusCode, e.ErrorCode, false
	}
	return http.StatusOK, "", err == nil
}

// post sends a token as the application does.
func (g *grant) post(path, token string) (status int, answer map[string]any) {
	g.t.Helper()
	r := must(http.NewRequestWithContext(g.t.Context(), "POST", g.server.Issuer(g.env)+path,
		strings.NewReader(url.Values{"token": {token}}.Encode())))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.SetBasicAuth(g.app.ID, g.secret)
	resp := must(http.DefaultClient.Do(r))
	defer resp.Body.Close()
	_ = json.NewDecoder(resp.Body).Decode(&answer)
	return resp.StatusCode, answer
}

// ends are the states in which nothing of a grant is good.
var ends = map[string]func(s *site){
	"application disabled": func(s *site) {
		s.app.Enabled = false
		check(s.t, s.db.UpdateApplication(s.t.Context(), &s.app))
	},
	"application deleted": func(s *site) { check(s.t, s.db.DeleteApplication(s.t.Context(), s.env, s.app.ID)) },
	"person disabled": func(s *site) {
		s.alice.Enabled = false
		check(s.t, s.db.UpdateUser(s.t.Context(), &s.alice))
	},
	"person deleted": func(s *site) { check(s.t, s.db.DeleteUser(s.t.Context(), s.env, s.alice.ID)) },
	"provider disabled": func(s *site) {
		s.through.Enabled = false
		check(s.t, s.db.UpdateIdentityProvider(s.t.Context(), &s.through))
	},
	"provider deleted": func(s *site) {
		check(s.t, s.db.DeleteIdentityProvider(s.t.Context(), s.env, s.through.ID, true))
	},
}

// TestStatesAreLookedAtWhenUsed walks each endpoint of the discovery document with each
// state that ends what came of a sign-on.
func TestStatesAreLookedAtWhenUsed(t *testing.T) {
	endpointsAreWalked(t)
	for _, end := range slices.Sorted(maps.Keys(ends)) {
		t.Run(strings.ReplaceAll(end, " ", "-"), func(t *testing.T) {
			t.Parallel()
			for name, use := range uses {
				g := granted(t)
				ends[end](g.site)
				status, code, had := use(g)
				if had || status >= http.StatusInternalServerError {
					t.Errorf("%s: %d %s, something was had: %v", name, status, code, had)
				}
				if want := []string{"invalid_client", "invalid_grant"}; strings.HasPrefix(name, "token") &&
					!slices.Contains(want, code) {
					t.Errorf("%s: the error is %q", name, code)
				}
				if name == "userinfo_endpoint" && code != "invalid_token" {
					t.Errorf("%s: the error is %q", name, code)
				}
			}
		})
	}
	t.Run("none", func(t *testing.T) {
		for name, use := range uses {
			if name == "revocation_endpoint" || name == "end_session_endpoint" || strings.HasPrefix(name, "pushed") {
				continue // they give nothing
			}
			if status, code, had := use(granted(t)); !had {
				t.Errorf("%s: nothing was had: %d %s", name, status, code)
			}
		}
	})
}

// endpointsAreWalked fails for an endpoint that a later change adds without a use.
func endpointsAreWalked(t *testing.T) {
	t.Helper()
	s := start(t)
	var d map[string]any
	resp := must(http.Get(s.server.Issuer(s.env) + "/.well-known/openid-configuration"))
	defer resp.Body.Close()
	check(t, json.NewDecoder(resp.Body).Decode(&d))
	for name := range d {
		if strings.HasSuffix(name, "_endpoint") && uses[name] == nil {
			t.Errorf("%s is in no row", name)
		}
	}
}

// granted has alice sign on through an identity provider, once with tokens and once with a
// code that waits.
func granted(t *testing.T) *grant {
	t.Helper()
	s := start(t)
	s.through = store.IdentityProvider{EnvironmentID: s.env, Name: "Elsewhere", Type: store.OpenIDConnect, Enabled: true}
	check(t, s.db.CreateIdentityProvider(t.Context(), &s.through))
	// With a gateway the page asks for a password and sends nobody straight to the provider.
	check(t, s.db.CreateGateway(t.Context(), &store.Gateway{EnvironmentID: s.env, Name: "Here", Enabled: true}))
	c, _ := s.relying("offline_access")
	g := &grant{site: s, c: c, browser: s.browser()}
	code, verifier := g.browser.code(c)
	token, err := c.Exchange(t.Context(), code, oauth2.VerifierOption(verifier))
	check(t, err)
	g.token = token
	g.code, g.verifier = g.browser.code(c)
	return g
}
