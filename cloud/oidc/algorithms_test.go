package oidc_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	gooidc "github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"ldap-gateway/cloud/oidc/clienttest"
	"ldap-gateway/cloud/store"
)

// header returns what the head of a JWT says, by name.
func header(t *testing.T, token string) map[string]any {
	t.Helper()
	head, _, _ := strings.Cut(token, ".")
	text, err := base64.RawURLEncoding.DecodeString(head)
	check(t, err)
	values := map[string]any{}
	check(t, json.Unmarshal(text, &values))
	return values
}

// TestAlgorithms: whatever is signed for an application is by the algorithm that it chose, is
// verified by the keys that are published, and is taken when it is shown again; also when
// keys have been made anew in between, and when the application has chosen anew.
func TestAlgorithms(t *testing.T) {
	for _, algorithm := range []string{"", store.RS256, store.ES256} {
		t.Run("by-"+algorithm, func(t *testing.T) {
			s := start(t)
			s.app.OpenID = store.OpenID{Algorithm: algorithm, JWT: true, Audiences: []string{orders}}
			s.app.Groups.Bytes = store.NoGroupBytes
			check(t, s.db.UpdateApplication(t.Context(), &s.app))
			want := s.app.Algorithm()
			c, provider := s.relying("groups", "offline_access")
			b := s.browser()
			code, verifier := b.code(c)
			token, err := c.Exchange(t.Context(), code, oauth2.VerifierOption(verifier))
			check(t, err)
			raw, _ := token.Extra("id_token").(string)
			id, err := provider.VerifierContext(t.Context(), &gooidc.Config{ClientID: s.app.ID}).Verify(t.Context(), raw)
			check(t, err)
			check(t, id.VerifyAccessToken(token.AccessToken)) // at_hash
			_, groups := s.ask("/groups", nil, "Authorization", "Bearer "+token.AccessToken)
			for name, jwt := range map[string]string{"id": raw, "access": token.AccessToken, "groups": groups} {
				if got := header(t, jwt)["alg"]; got != want {
					t.Errorf("the %s token is by %v", name, got)
				}
			}
			s.clock = 31 * 24 * time.Hour // other keys sign now
			other := map[string]string{store.RS256: store.ES256, store.ES256: store.RS256}[want]
			s.app.OpenID.Algorithm = other
			check(t, s.db.UpdateApplication(t.Context(), &s.app))
			again, err := c.TokenSource(t.Context(), &oauth2.Token{RefreshToken: token.RefreshToken}).Token()
			if err != nil { // its life is over by then
				code, verifier = s.browser().code(c)
				again, err = c.Exchange(t.Context(), code, oauth2.VerifierOption(verifier))
				check(t, err)
			}
			fresh, _ := again.Extra("id_token").(string)
			if h := header(t, fresh); h["alg"] != other || h["kid"] == header(t, raw)["kid"] {
				t.Errorf("%v", h)
			}
			p := s.browser().get(c.AuthCodeURL("s", oauth2.S256ChallengeOption(verifier), oauth2.SetAuthURLParam("id_token_hint", raw)))
			if !p.url.Query().Has("flow") { // an error would lead to the application
				t.Errorf("the old token is no hint any more: %s", p.url)
			}
		})
	}
}

// TestPublishedKeys: there is a key of each algorithm, those that every application knows
// first, and discovery tells no algorithm without one.
func TestPublishedKeys(t *testing.T) {
	s := start(t)
	var d struct {
		Keys       string   `json:"jwks_uri"`
		Algorithms []string `json:"id_token_signing_alg_values_supported"`
	}
	var set struct{ Keys []map[string]any }
	for address, into := range map[string]any{"/.well-known/openid-configuration": &d, "/jwks": &set} {
		resp, err := http.Get(s.server.Issuer(s.env) + address)
		check(t, err)
		check(t, json.NewDecoder(resp.Body).Decode(into))
		check(t, resp.Body.Close())
	}
	var by []string
	for _, k := range set.Keys {
		by = append(by, fmt.Sprint(k["alg"]))
		if kind := map[string]string{"RS256": "RSA", "ES256": "EC"}[fmt.Sprint(k["alg"])]; k["kty"] != kind || k["d"] != nil {
			t.Errorf("%v", k)
		}
	}
	if !slices.Equal(by, []string{"RS256", "ES256"}) || !slices.Equal(by, d.Algorithms) {
		t.Errorf("keys by %v, discovery %v", by, d.Algorithms)
	}
}

// TestClientsByES256: other people's programs take tokens by ES256 when they are told to.
func TestClientsByES256(t *testing.T) {
	for _, k := range clienttest.Kinds() {
		switch {
		case k.Name == "openid-client":
			s := start(t)
			s.app.OpenID.Algorithm = store.ES256
			at, _ := s.register(k, store.PKCES256, "ALGORITHM=ES256")
			if p := s.visit(at, "alice", "wonderland"); !strings.Contains(p.page, s.alice.ID) || !strings.Contains(p.page, `"active":true`) {
				t.Errorf("%s: %d %s %s", k.Name, p.status, p.url, p.page)
			}
		case k.Preset:
			s := start(t)
			at := s.byPreset(k, func(o *store.OpenID) { o.Algorithm = store.ES256 })
			if p := s.byPage(k, at); !strings.Contains(p.page, s.alice.ID) {
				t.Errorf("%s: %d %s %.600s", k.Name, p.status, p.url, p.page)
			}
		}
	}
}
