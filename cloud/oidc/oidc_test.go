package oidc_test

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/oauth2"

	"ldap-gateway/cloud/store"
	"ldap-gateway/cloud/vault"
)

func TestSignOnForAnApplication(t *testing.T) {
	s := start(t)
	c, _ := s.relying("profile", "email", "groups", "offline_access")
	b := s.browser()
	form := b.get(c.AuthCodeURL("state", oauth2.S256ChallengeOption("v"+oauth2.GenerateVerifier())))
	if form.status != 200 || !strings.Contains(form.page, "Wiki") || !strings.Contains(form.page, "Acme") {
		t.Fatalf("%d %s", form.status, form.page)
	}
	if wrong := b.signOn(form, "alice", "looking-glass"); !strings.Contains(wrong.page, "not right") ||
		strings.Contains(wrong.page, "looking-glass") {
		t.Errorf("%s", wrong.page)
	}
	code, verifier := b.code(c, oauth2.SetAuthURLParam("nonce", "n-1"))
	token, err := c.Exchange(t.Context(), code, oauth2.VerifierOption(verifier))
	check(t, err)
	claims := s.claims(token)
	for name, want := range map[string]string{
		"sub":                s.alice.ID,
		"preferred_username": "alice",
		"name":               "Alice Archer",
		"email":              "alice@acme.example",
		"nonce":              "n-1",
		"amr":                "[pwd]",
		"groups":             "[cn=a,dc=x cn=b,dc=x cn=b/c,dc=y readers]",
	} {
		if got := fmt.Sprint(claims[name]); got != want {
			t.Errorf("%s is %s, not %s", name, got, want)
		}
	}
	if status, info := s.userinfo(token.AccessToken); status != 200 || info["sub"] != s.alice.ID ||
		len(info["groups"].([]any)) != 4 {
		t.Errorf("%d %v", status, info)
	}
	// A second application's visit shows no form.
	if _, err := c.Exchange(t.Context(), first(b.code(c)), oauth2.VerifierOption("x")); err == nil {
		t.Error("a wrong verifier was taken")
	}
	again, err := c.TokenSource(t.Context(), &oauth2.Token{RefreshToken: token.RefreshToken}).Token()
	check(t, err)
	if fresh := s.claims(again); fresh["sub"] != s.alice.ID || fresh["auth_time"] != claims["auth_time"] ||
		again.RefreshToken == token.RefreshToken {
		t.Errorf("%v", fresh)
	}
}

func first(code, _ string) string { return code }

// TestRequestsAreRefused has applications ask for what they must not get.
func TestRequestsAreRefused(t *testing.T) {
	s := start(t)
	c, _ := s.relying()
	challenge := oauth2.S256ChallengeOption(oauth2.GenerateVerifier())
	param := oauth2.SetAuthURLParam
	for name, r := range map[string]struct {
		options []oauth2.AuthCodeOption
		says    string // in the address that the browser is sent to, or on the page
		sent    bool   // back to the application
	}{
		"noPKCE":         {nil, "invalid_request", true},
		"plain":          {[]oauth2.AuthCodeOption{param("code_challenge", strings.Repeat("x", 43)), param("code_challenge_method", "plain")}, "invalid_request", true},
		"noMethod":       {[]oauth2.AuthCodeOption{param("code_challenge", strings.Repeat("x", 43))}, "invalid_request", true},
		"implicit":       {[]oauth2.AuthCodeOption{challenge, param("response_type", "id_token token")}, "unsupported_response_type", true},
		"silent":         {[]oauth2.AuthCodeOption{challenge, param("prompt", "none")}, "login_required", true},
		"promptBoth":     {[]oauth2.AuthCodeOption{challenge, param("prompt", "none login")}, "invalid_request", true},
		"requestObject":  {[]oauth2.AuthCodeOption{challenge, param("request", "x.y.z")}, "request_not_supported", true},
		"redirect":       {[]oauth2.AuthCodeOption{challenge, param("redirect_uri", "https://evil.example/")}, "redirect_uri", false},
		"redirectPrefix": {[]oauth2.AuthCodeOption{challenge, param("redirect_uri", redirect+"/more")}, "redirect_uri", false},
		"client":         {[]oauth2.AuthCodeOption{challenge, param("client_id", "none")}, "client", false},
		"long":           {[]oauth2.AuthCodeOption{challenge, param("nonce", random(5000))}, "invalid_request", true},
		"noScope":        {[]oauth2.AuthCodeOption{challenge, param("scope", "")}, "invalid_scope", true},
	} {
		p := s.browser().get(c.AuthCodeURL("state", r.options...))
		answer, _ := url.ParseQuery(p.url.RawQuery + p.url.Fragment) // a fragment for what was implicit
		if sent := strings.HasPrefix(p.url.String(), redirect); sent != r.sent ||
			sent && answer.Get("state") != "state" {
			t.Errorf("%s: sent to %s", name, p.url)
		}
		if !strings.Contains(answer.Encode()+p.page, r.says) || strings.Contains(p.url.RawQuery, "code=") {
			t.Errorf("%s: %s\n%s", name, p.url, p.page)
		}
	}
}

// TestCodesAreRefused has codes be redeemed as they must not be.
func TestCodesAreRefused(t *testing.T) {
	s := start(t)
	c, _ := s.relying()
	other := store.Application{
		EnvironmentID: s.env,
		Name:          "Other",
		Type:          store.WebApplication,
		Enabled:       true,
		RedirectURIs:  []string{redirect},
	}
	otherSecret, hash := vault.NewSecret()
	other.SecretHash = hash
	check(t, s.db.CreateApplication(t.Context(), &other))
	for name, redeem := range map[string]func(code, verifier string) (*oauth2.Token, error){
		"wrongVerifier": func(code, _ string) (*oauth2.Token, error) {
			return c.Exchange(t.Context(), code, oauth2.VerifierOption(oauth2.GenerateVerifier()))
		},
		"noVerifier": func(code, _ string) (*oauth2.Token, error) { return c.Exchange(t.Context(), code) },
		"wrongSecret": func(code, verifier string) (*oauth2.Token, error) {
			bad := *c
			bad.ClientSecret = "wrong"
			return bad.Exchange(t.Context(), code, oauth2.VerifierOption(verifier))
		},
		"noSecret": func(code, verifier string) (*oauth2.Token, error) {
			bad := *c
			bad.ClientSecret = ""
			return bad.Exchange(t.Context(), code, oauth2.VerifierOption(verifier))
		},
		"anotherApplication": func(code, verifier string) (*oauth2.Token, error) {
			bad := *c
			bad.ClientID, bad.ClientSecret = other.ID, otherSecret
			return bad.Exchange(t.Context(), code, oauth2.VerifierOption(verifier))
		},
		"anotherRedirect": func(code, verifier string) (*oauth2.Token, error) {
			bad := *c
			bad.RedirectURL = "https://app.example/other"
			return bad.Exchange(t.Context(), code, oauth2.VerifierOption(verifier))
		},
		"late": func(code, verifier string) (*oauth2.Token, error) {
			s.clock += 2 * time.Minute
			defer func() { s.clock = 0 }()
			return c.Exchange(t.Context(), code, oauth2.VerifierOption(verifier))
		},
	} {
		code, verifier := s.browser().code(c)
		if _, err := redeem(code, verifier); err == nil {
			t.Errorf("%s: a token came", name)
		}
		// Who has not proven to be the application costs it no code.
		again, spares := name != "late", name == "wrongSecret" || name == "noSecret"
		if again {
			if _, err := c.Exchange(t.Context(), code, oauth2.VerifierOption(verifier)); (err == nil) != spares {
				t.Errorf("%s: the code was good once more: %v", name, err == nil)
			}
		}
	}
}

// TestReuseTakesBack uses a code and a refresh token a second time.
func TestReuseTakesBack(t *testing.T) {
	s := start(t)
	c, _ := s.relying("offline_access")
	code, verifier := s.browser().code(c)
	token, err := c.Exchange(t.Context(), code, oauth2.VerifierOption(verifier))
	check(t, err)
	if _, err := c.Exchange(t.Context(), code, oauth2.VerifierOption(verifier)); err == nil {
		t.Error("the code was good twice")
	}
	if status, _ := s.userinfo(token.AccessToken); status == 200 {
		t.Error("the access token is good after its code was used twice")
	}
	code, verifier = s.browser().code(c)
	token, err = c.Exchange(t.Context(), code, oauth2.VerifierOption(verifier))
	check(t, err)
	refresh := func(token string) (*oauth2.Token, error) {
		return c.TokenSource(t.Context(), &oauth2.Token{RefreshToken: token}).Token()
	}
	second, err := refresh(token.RefreshToken)
	check(t, err)
	if _, err := refresh(token.RefreshToken); err == nil {
		t.Error("the refresh token was good twice")
	}
	if _, err := refresh(second.RefreshToken); err == nil {
		t.Error("the second is good after the first was used twice")
	}
	if status, _ := s.userinfo(second.AccessToken); status == 200 {
		t.Error("the access token is good after a refresh token was used twice")
	}
}

func TestOneOfManyRedeems(t *testing.T) {
	s := start(t)
	c, _ := s.relying()
	for range 5 {
		code, verifier := s.browser().code(c)
		var wins int
		var lock sync.Mutex
		var all sync.WaitGroup
		for range 200 {
			all.Go(func() {
				if _, err := c.Exchange(t.Context(), code, oauth2.VerifierOption(verifier)); err == nil {
					lock.Lock()
					wins++
					lock.Unlock()
				}
			})
		}
		all.Wait()
		if wins != 1 {
			t.Errorf("%d of 200 won", wins)
		}
	}
}

// TestAnotherBrowserGetsNoCode has somebody be made to sign on for a request that
// another began: that other has the request's address, and not the session.
func TestAnotherBrowserGetsNoCode(t *testing.T) {
	s := start(t)
	c, _ := s.relying()
	mallory, alice := s.browser(), s.browser()
	form := mallory.get(c.AuthCodeURL("state", oauth2.S256ChallengeOption(oauth2.GenerateVerifier())))
	flow := form.url.Query().Get("flow")
	p := alice.went(alice.http.PostForm(s.url+"/"+s.env+"/signon", url.Values{
		"flow":     {flow},
		"username": {"alice"},
		"password": {"wonderland"},
	}))
	if !strings.Contains(p.page, "callback") {
		t.Fatal(p.page)
	}
	stolen := mallory.get(s.url + "/" + s.env + "/as/authorize/callback?id=" + flow)
	if stolen.url.Query().Get("code") != "" || !strings.Contains(stolen.page, "password") {
		t.Errorf("%s\n%s", stolen.url, stolen.page)
	}
}

func TestFreshSignOns(t *testing.T) {
	s := start(t)
	c, _ := s.relying()
	b := s.browser()
	b.code(c)
	s.clock = 10 * time.Minute
	for name, shows := range map[string]struct {
		option oauth2.AuthCodeOption
		form   bool
	}{
		"any":    {oauth2.SetAuthURLParam("x", "y"), false},
		"hour":   {oauth2.SetAuthURLParam("max_age", "3600"), false},
		"minute": {oauth2.SetAuthURLParam("max_age", "60"), true},
		"login":  {oauth2.SetAuthURLParam("prompt", "login"), true},
		"none":   {oauth2.SetAuthURLParam("prompt", "none"), false},
	} {
		p := b.get(c.AuthCodeURL("state", oauth2.S256ChallengeOption(oauth2.GenerateVerifier()), shows.option))
		if form := strings.Contains(p.page, `type="password"`); form != shows.form {
			t.Errorf("%s: %s\n%s", name, p.url, p.page)
		}
	}
}

func TestGroups(t *testing.T) {
	s := start(t)
	c, _ := s.relying("groups")
	signOn := func() map[string]any {
		t.Helper()
		code, verifier := s.browser().code(c)
		token, err := c.Exchange(t.Context(), code, oauth2.VerifierOption(verifier))
		check(t, err)
		claims := s.claims(token)
		_, info := s.userinfo(token.AccessToken)
		claims["userinfo"] = info["groups"]
		return claims
	}
	allow := func(patterns ...string) {
		t.Helper()
		s.app.Groups.Allow = patterns
		check(t, s.db.UpdateApplication(t.Context(), &s.app))
	}
	for _, rule := range []struct {
		allow []string
		want  string
	}{
		{[]string{"CN=b*"}, "[cn=b,dc=x cn=b/c,dc=y]"},
		{[]string{"*,dc=x"}, "[cn=a,dc=x cn=b,dc=x]"},
		{[]string{"read?rs", "[r]eaders"}, "[]"},
		{[]string{"readers"}, "[readers]"},
	} {
		allow(rule.allow...)
		if got := signOn(); fmt.Sprint(got["groups"]) != rule.want || fmt.Sprint(got["userinfo"]) != rule.want {
			t.Errorf("%v: %v", rule.allow, got)
		}
	}
}

func TestDisabledPeopleAndApplications(t *testing.T) {
	s := start(t)
	c, _ := s.relying("offline_access")
	b := s.browser()
	code, verifier := b.code(c)
	token, err := c.Exchange(t.Context(), code, oauth2.VerifierOption(verifier))
	check(t, err)
	s.alice.Enabled = false
	check(t, s.db.UpdateUser(t.Context(), &s.alice))
	if status, _ := s.userinfo(token.AccessToken); status != http.StatusUnauthorized {
		t.Errorf("userinfo: %d", status)
	}
	if _, err := c.TokenSource(t.Context(), &oauth2.Token{RefreshToken: token.RefreshToken}).Token(); err == nil {
		t.Error("refreshed")
	}
	p := b.get(c.AuthCodeURL("state", oauth2.S256ChallengeOption(oauth2.GenerateVerifier())))
	if p.url.Query().Get("code") != "" {
		t.Error("the session is still good")
	}
	s.app.Enabled = false
	check(t, s.db.UpdateApplication(t.Context(), &s.app))
	if p := b.get(c.AuthCodeURL(
		"state",
		oauth2.S256ChallengeOption(oauth2.GenerateVerifier()),
	)); p.status != http.StatusBadRequest {
		t.Errorf("%d %s", p.status, p.url)
	}
}

func TestSigningOff(t *testing.T) {
	s := start(t)
	c, _ := s.relying()
	b := s.browser()
	code, verifier := b.code(c)
	token, err := c.Exchange(t.Context(), code, oauth2.VerifierOption(verifier))
	check(t, err)
	signOff := s.server.Issuer(s.env) + "/signoff"
	if p := b.get(signOff); !strings.Contains(p.page, "Sign off") {
		t.Errorf("without a hint: %s", p.page)
	}
	if p := b.get(signOff + "?post_logout_redirect_uri=https://evil.example/&client_id=" + s.app.ID); strings.Contains(p.url.Host, "evil") {
		t.Error("sent anywhere")
	}
	q := url.Values{
		"id_token_hint":            {token.Extra("id_token").(string)},
		"post_logout_redirect_uri": {"https://app.example/bye"},
		"state":                    {"s"},
	}
	if p := b.get(signOff + "?" + q.Encode()); p.url.String() != "https://app.example/bye?state=s" {
		t.Errorf("%s", p.url)
	}
	if p := b.get(c.AuthCodeURL(
		"state",
		oauth2.S256ChallengeOption(oauth2.GenerateVerifier()),
	)); !strings.Contains(p.page, `type="password"`) {
		t.Error("the session is still good")
	}
	if status, _ := s.userinfo(token.AccessToken); status != http.StatusUnauthorized {
		t.Errorf("userinfo: %d", status)
	}
}

func TestDiscoveryAndKeys(t *testing.T) {
	s := start(t)
	var d map[string]any
	resp := must(http.Get(s.server.Issuer(s.env) + "/.well-known/openid-configuration"))
	check(t, json.NewDecoder(resp.Body).Decode(&d))
	check(t, resp.Body.Close())
	for name, want := range map[string]string{
		"issuer":                           s.server.Issuer(s.env),
		"response_types_supported":         "[code]",
		"code_challenge_methods_supported": "[S256]",
		"grant_types_supported":            "[authorization_code refresh_token client_credentials]",
		"end_session_endpoint":             s.server.Issuer(s.env) + "/signoff",
	} {
		if fmt.Sprint(d[name]) != want {
			t.Errorf("%s is %v", name, d[name])
		}
	}
	ids := func() (ids []string) {
		t.Helper()
		var set struct{ Keys []map[string]any }
		resp := must(http.Get(d["jwks_uri"].(string)))
		check(t, json.NewDecoder(resp.Body).Decode(&set))
		check(t, resp.Body.Close())
		for _, k := range set.Keys {
			if k["d"] != nil || k["use"] != "sig" {
				t.Errorf("%v", k)
			}
			ids = append(ids, k["kid"].(string))
		}
		return ids
	}
	before := ids()
	s.clock = 31 * 24 * time.Hour
	if after := ids(); len(before) != 2 || len(after) != 4 || after[1] != before[0] || after[3] != before[1] {
		t.Errorf("%v, then %v", before, after)
	}
	if resp := must(http.Get(s.url + "/none/as/.well-known/openid-configuration")); resp.StatusCode != http.StatusNotFound {
		t.Errorf("%d", resp.StatusCode)
	}
}

func TestGrants(t *testing.T) {
	s := start(t)
	for grant, want := range map[string]string{
		"":         "invalid_request",
		"password": "unsupported_grant_type",
		"urn:ietf:params:oauth:grant-type:jwt-bearer": "unsupported_grant_type",
		"client_credentials":                          "the API's",
	} {
		resp := must(http.PostForm(
			s.server.Issuer(s.env)+"/token",
			url.Values{"grant_type": {grant}, "assertion": {"x"}},
		))
		if b := must(io.ReadAll(resp.Body)); !strings.Contains(string(b), want) {
			t.Errorf("%q: %s", grant, b)
		}
	}
	var retrieve *oauth2.RetrieveError
	c, _ := s.relying()
	if _, err := c.Exchange(t.Context(), "x"); !errors.As(err, &retrieve) || retrieve.ErrorCode != "invalid_grant" {
		t.Error(err)
	}
}

// TestACodeIsMadeOnce: a wish is answered once, whichever way its browser comes back, as long as it
// lasts: that is kept for longer than its code is good.
func TestACodeIsMadeOnce(t *testing.T) {
	s := start(t)
	c, _ := s.relying()
	b := s.browser()
	at := b.get(c.AuthCodeURL("state", oauth2.S256ChallengeOption(oauth2.GenerateVerifier())))
	if p := b.signOn(at, "alice", "wonderland"); p.url.Query().Get("code") == "" {
		t.Fatalf("%s\n%s", p.url, p.page)
	}
	for range 2 {
		if p := b.get(at.url.String()); p.url.Query().Has("code") || p.status != http.StatusBadRequest {
			t.Errorf("a second code: %d %s", p.status, p.url)
		}
	}
	now := time.Now()
	code, _ := s.browser().code(c)
	z, err := s.db.UseCode(t.Context(), s.env, vault.HashSecret(code), now, now.Add(time.Hour))
	if check(t, err); z.ExpiresAt.Before(now.Add(25 * time.Minute)) {
		t.Errorf("forgotten in %s", z.ExpiresAt.Sub(now))
	}
}

// TestAddressIsTakenAwayMeanwhile: what an application asked for before goes to no address that it has
// no more, with a code or without.
func TestAddressIsTakenAwayMeanwhile(t *testing.T) {
	s := start(t)
	c, _ := s.relying()
	wish := func(b *browser) place {
		return b.get(c.AuthCodeURL("state", oauth2.S256ChallengeOption(oauth2.GenerateVerifier())))
	}
	b, other := s.browser(), s.browser()
	at, declined := wish(b), wish(other).url.Query().Get("flow")
	s.app.RedirectURIs = []string{"https://app.example/moved"}
	check(t, s.db.UpdateApplication(t.Context(), &s.app))
	for name, p := range map[string]place{
		"a code":   b.signOn(at, "alice", "wonderland"),
		"declined": other.get(s.url + "/" + s.env + "/signon/decline?flow=" + declined),
	} {
		if p.status != http.StatusBadRequest || strings.HasPrefix(p.url.String(), redirect) {
			t.Errorf("%s: %d %s", name, p.status, p.url)
		}
	}
}

// random returns so many letters that nothing makes shorter.
func random(letters int) (text string) {
	for len(text) < letters {
		text += rand.Text()
	}
	return text[:letters]
}

// TestWishesAreCarried as long as they fit: what is too long is told to the application, with its
// state.
func TestWishesAreCarried(t *testing.T) {
	s := start(t)
	c, _ := s.relying()
	challenge := oauth2.S256ChallengeOption(oauth2.GenerateVerifier())
	for length, want := range map[int]string{1: "form", 100: "form", 1500: "form", 5000: "invalid_request", 20_000: "invalid_request"} {
		state := random(length)
		p := s.browser().get(c.AuthCodeURL(state, challenge))
		if p.ends() != want || want != "form" && p.url.Query().Get("state") != state {
			t.Errorf("a state of %d letters: %d %s", length, p.status, p.ends())
		}
	}
}

// TestTwoSecretsAtOnce: the secret before a new one proves the application at every endpoint
// that asks for it, in the form and by Basic, until its time is over, and no longer.
func TestTwoSecretsAtOnce(t *testing.T) {
	s := start(t)
	former := s.secret
	secret, hash := vault.NewSecret()
	s.app.Former = store.FormerSecret{Hash: s.app.SecretHash, Until: s.now().Add(time.Hour)}
	s.app.SecretHash = hash
	check(t, s.db.UpdateApplication(t.Context(), &s.app))
	proves := func(secret string, basic bool) bool {
		form, header := url.Values{"grant_type": {"authorization_code"}, "code": {"none"}, "token": {"none"}}, []string{}
		if basic {
			header = []string{"Authorization", "Basic " + base64.StdEncoding.EncodeToString([]byte(s.app.ID+":"+secret))}
		} else {
			form = with(form, "client_id", s.app.ID, "client_secret", secret)
		}
		_, token := s.ask("/token", form, header...)
		resp, _ := s.ask("/introspect", form, header...)
		refused := strings.Contains(token, "invalid_client")
		if refused != (resp.StatusCode == http.StatusUnauthorized) {
			t.Errorf("%s, but %d", token, resp.StatusCode)
		}
		return !refused
	}
	for _, basic := range []bool{true, false} {
		if !proves(secret, basic) || !proves(former, basic) || proves("another", basic) {
			t.Error("while both are good")
		}
	}
	s.clock += time.Hour
	for _, basic := range []bool{true, false} {
		if !proves(secret, basic) || proves(former, basic) {
			t.Error("after the time of the former")
		}
	}
	s.app.Former = store.FormerSecret{Until: s.now().Add(time.Hour)} // of one that had none
	check(t, s.db.UpdateApplication(t.Context(), &s.app))
	if proves("", true) {
		t.Error("no secret is a secret")
	}
}
