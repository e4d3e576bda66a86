package oidc_test

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"

	gooidc "github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"ldap-gateway/cloud/store"
	"ldap-gateway/cloud/vault"
)

// The identifiers of the test's APIs.
const (
	orders   = "https://orders.example"
	invoices = "urn:example:invoices"
)

// api makes an application that is an API, and returns it with its secret.
func (s *site) api(name string, resources ...string) (store.Application, string) {
	s.t.Helper()
	secret, hash := vault.NewSecret()
	a := store.Application{
		EnvironmentID: s.env, Name: name, Type: store.WebApplication, Enabled: true, SecretHash: hash, RedirectURIs: []string{redirect},
		Groups: store.GroupsClaim{Value: store.GroupNames, Allow: []string{"readers"}},
		OpenID: store.OpenID{Resources: resources},
	}
	check(s.t, s.db.CreateApplication(s.t.Context(), &a))
	return a, secret
}

// tokensFor signs alice on for APIs.
func (s *site) tokensFor(c *oauth2.Config, resources ...string) *oauth2.Token {
	s.t.Helper()
	verifier := oauth2.GenerateVerifier()
	b := s.browser()
	address := c.AuthCodeURL("state", oauth2.S256ChallengeOption(verifier)) + "&" + url.Values{"resource": resources}.Encode()
	p := b.signOn(b.get(address), "alice", "wonderland")
	return must(c.Exchange(s.t.Context(), p.url.Query().Get("code"), oauth2.VerifierOption(verifier)))
}

// asks is what an application learns of a token, by its secret in the form or by Basic.
func (s *site) asks(a store.Application, secret, token string, basic bool) map[string]any {
	s.t.Helper()
	form, header := url.Values{"token": {token}}, []string{}
	if basic {
		header = []string{"Authorization", "Basic " + base64.StdEncoding.EncodeToString([]byte(a.ID+":"+secret))}
	} else {
		form = with(form, "client_id", a.ID, "client_secret", secret)
	}
	_, body := s.ask("/introspect", form, header...)
	var answer map[string]any
	check(s.t, json.Unmarshal([]byte(body), &answer))
	return answer
}

// TestAPIsAskAboutTokens: an API learns of tokens that are for it, and of no others, with
// the groups that it may know itself; in either format of tokens.
func TestAPIsAskAboutTokens(t *testing.T) {
	for _, jwt := range []bool{false, true} {
		s := start(t)
		s.app.OpenID.Audiences, s.app.OpenID.JWT = []string{orders, invoices}, jwt
		check(t, s.db.UpdateApplication(t.Context(), &s.app))
		c, provider := s.relying("groups", "offline_access")
		one, oneSecret := s.api("Orders", orders)
		two, twoSecret := s.api("Invoices", invoices, "https://more.example")
		none, noneSecret := s.api("None")
		token := s.tokensFor(c, orders)
		for _, basic := range []bool{true, false} {
			about := s.asks(one, oneSecret, token.AccessToken, basic)
			if about["active"] != true || about["sub"] != s.alice.ID || about["client_id"] != s.app.ID ||
				fmt.Sprint(about["groups"]) != "[readers]" || fmt.Sprint(about["aud"]) != "["+orders+"]" {
				t.Errorf("%v", about)
			}
			if about := s.asks(s.app, s.secret, token.AccessToken, basic); about["active"] != true ||
				len(about["groups"].([]any)) != 4 {
				t.Errorf("its own: %v", about)
			}
			if a, b := s.asks(two, twoSecret, token.AccessToken, basic), s.asks(none, noneSecret, token.AccessToken, basic); len(a) != 1 || len(b) != 1 {
				t.Errorf("others: %v %v", a, b)
			}
		}
		if status, info := s.userinfo(token.AccessToken); status != 200 || info["sub"] != s.alice.ID {
			t.Errorf("%d %v", status, info)
		}
		if plain := s.tokensFor(c); s.asks(one, oneSecret, plain.AccessToken, true)["active"] != false {
			t.Error("an API learns of a token that was not asked for it")
		}
		s.reads(provider, jwt, token.AccessToken)
		// An ID token is no access token, whatever signed it.
		if status, _ := s.userinfo(token.Extra("id_token").(string)); status != 401 {
			t.Errorf("an ID token: %d", status)
		}
		check(t, s.db.RevokeUserTokens(t.Context(), s.env, s.alice.ID, s.app.ID))
		if s.asks(one, oneSecret, token.AccessToken, true)["active"] != false {
			t.Error("a token that was taken back is active")
		}
	}
}

// reads holds an access token to RFC 9068, or to be one that cannot be read.
func (s *site) reads(provider *gooidc.Provider, jwt bool, access string) {
	s.t.Helper()
	verifier := provider.VerifierContext(s.t.Context(), &gooidc.Config{ClientID: orders})
	read, err := verifier.Verify(s.t.Context(), access)
	if (err == nil) != jwt {
		s.t.Fatalf("JWT %v: %v", jwt, err)
	}
	if !jwt {
		return
	}
	head, _, _ := strings.Cut(access, ".")
	if text := string(must(base64.RawURLEncoding.DecodeString(head))); !strings.Contains(text, `"typ":"at+jwt"`) {
		s.t.Error(text)
	}
	var claims map[string]any
	check(s.t, read.Claims(&claims))
	for name, want := range map[string]string{
		"sub": s.alice.ID, "client_id": s.app.ID, "scope": "openid groups offline_access", "amr": "[pwd]",
		"groups": "[cn=a,dc=x cn=b,dc=x cn=b/c,dc=y readers]",
	} {
		if fmt.Sprint(claims[name]) != want {
			s.t.Errorf("%s is %v", name, claims[name])
		}
	}
	for _, name := range []string{"jti", "iat", "exp", "auth_time"} {
		if claims[name] == nil {
			s.t.Errorf("%s is missing", name)
		}
	}
}

// TestResources: an application gets tokens for what it may call, as many of those as it
// asks for, fewer later, and never more.
func TestResources(t *testing.T) {
	s := start(t)
	s.app.OpenID.Audiences, s.app.OpenID.JWT = []string{orders, invoices}, true
	check(t, s.db.UpdateApplication(t.Context(), &s.app))
	c, _ := s.relying("offline_access")
	for _, bad := range []string{"https://other.example", orders + "/", orders + "#x", ""} {
		p := s.browser().get(c.AuthCodeURL("state", oauth2.S256ChallengeOption("x"), oauth2.SetAuthURLParam("resource", bad)))
		if got := p.url.Query().Get("error"); got != "invalid_target" && got != "invalid_request" {
			t.Errorf("%q: %s", bad, p.url)
		}
	}
	audience := func(access string) string {
		var claims struct{ Aud any }
		check(t, json.Unmarshal(must(base64.RawURLEncoding.DecodeString(strings.Split(access, ".")[1])), &claims))
		return fmt.Sprint(claims.Aud)
	}
	if got := audience(s.tokensFor(c).AccessToken); got != "["+s.server.Issuer(s.env)+"]" {
		t.Errorf("for nothing: %s", got)
	}
	token := s.tokensFor(c, orders, invoices)
	if got := audience(token.AccessToken); got != "["+orders+" "+invoices+"]" {
		t.Errorf("for both: %s", got)
	}
	refresh := func(refresh string, resources ...string) (access, next, code string) {
		form := url.Values{
			"grant_type": {"refresh_token"}, "refresh_token": {refresh}, "client_id": {s.app.ID}, "client_secret": {s.secret},
			"resource": resources,
		}
		_, body := s.ask("/token", form)
		var got struct {
			Access  string `json:"access_token"`
			Refresh string `json:"refresh_token"`
			Error   string
		}
		check(t, json.Unmarshal([]byte(body), &got))
		return got.Access, got.Refresh, got.Error
	}
	if _, _, code := refresh(token.RefreshToken, "https://other.example"); code != "invalid_target" {
		t.Errorf("more than was granted: %s", code)
	}
	access, next, _ := refresh(token.RefreshToken)
	if got := audience(access); got != "["+orders+" "+invoices+"]" {
		t.Errorf("again: %s", got)
	}
	// What the application may not call any more its tokens are not for.
	s.app.OpenID.Audiences = []string{invoices}
	check(t, s.db.UpdateApplication(t.Context(), &s.app))
	if access, _, _ = refresh(next); audience(access) != "["+invoices+"]" {
		t.Errorf("fewer: %s", audience(access))
	}
	var e *oauth2.RetrieveError
	_, err := c.Exchange(t.Context(), "x", oauth2.SetAuthURLParam("resource", orders))
	if !errors.As(err, &e) || !slices.Contains([]string{"invalid_grant", "invalid_target"}, e.ErrorCode) {
		t.Error(err)
	}
}
