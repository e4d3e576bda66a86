package oidc_test

import (
	"encoding/json"
	"io"
	"mime"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"golang.org/x/oauth2"

	"ldap-gateway/cloud/store"
	"ldap-gateway/cloud/store/pgtest"
	"ldap-gateway/cloud/vault"
)

// tell is how a request of the table is refused.
type tell struct {
	status int
	code   string // of OAuth, in JSON or in the address; empty: none is told
	scheme string // of WWW-Authenticate; empty: there is none
	page   bool   // of ours, with an ID
}

// ask sends a request to an endpoint of the provider; a form makes it a POST.
func (s *site) ask(path string, form url.Values, header ...string) (*http.Response, string) {
	s.t.Helper()
	method, body := "GET", io.Reader(nil)
	if form != nil {
		method, body = "POST", strings.NewReader(form.Encode())
	}
	r := must(http.NewRequestWithContext(s.t.Context(), method, s.server.Issuer(s.env)+path, body))
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	resp := must((&http.Client{CheckRedirect: func(*http.Request, []*http.Request) error {
		return http.ErrUseLastResponse
	}}).Do(r))
	defer resp.Body.Close()
	return resp, string(must(io.ReadAll(resp.Body)))
}

// told holds an answer to what it must be.
func (s *site) told(name string, want tell, resp *http.Response, body string) {
	s.t.Helper()
	kind, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	scheme, _, _ := strings.Cut(resp.Header.Get("WWW-Authenticate"), " ")
	if resp.StatusCode != want.status || scheme != want.scheme {
		s.t.Errorf("%s: %d %q, not %d %q: %s", name, resp.StatusCode, scheme, want.status, want.scheme, body)
	}
	if resp.Header.Get("Cache-Control") != "no-store" || resp.StatusCode == 503 && resp.Header.Get("Retry-After") == "" {
		s.t.Errorf("%s: %v", name, resp.Header)
	}
	for _, inside := range []string{"Parent=", "ErrorType", "sql", "schema:"} {
		if strings.Contains(body, inside) {
			s.t.Errorf("%s: internals are told: %s", name, body)
		}
	}
	if want.page {
		policy := resp.Header.Get("Content-Security-Policy")
		if kind != "text/html" || !strings.Contains(body, "<h1>") || !strings.Contains(policy, "default-src 'none'") {
			s.t.Errorf("%s: no page of ours: %s %s", name, kind, body)
		}
		return
	}
	if want.code == "" {
		return
	}
	var e struct{ Error, Error_description string } //nolint:revive // as RFC 6749 has it
	if kind != "application/json" || json.Unmarshal([]byte(body), &e) != nil || e.Error != want.code ||
		e.Error_description == "" {
		s.t.Errorf("%s: %s %s", name, kind, body)
	}
}

// with is a form with more in it.
func with(form url.Values, pairs ...string) url.Values {
	more := url.Values{}
	for name, values := range form {
		more[name] = values
	}
	for i := 0; i+1 < len(pairs); i += 2 {
		more.Add(pairs[i], pairs[i+1])
	}
	return more
}

// TestProgramsAreRefusedInJSON walks what can be wrong with what programs send.
func TestProgramsAreRefusedInJSON(t *testing.T) {
	s := start(t)
	secret, hash := vault.NewSecret()
	public := store.Application{EnvironmentID: s.env, Name: "Page", Type: store.SinglePage, Enabled: true, RedirectURIs: []string{redirect}}
	bare := store.Application{EnvironmentID: s.env, Name: "Bare", Type: store.WebApplication, Enabled: true, RedirectURIs: []string{redirect}}
	off := store.Application{EnvironmentID: s.env, Name: "Off", Type: store.WebApplication, SecretHash: hash, RedirectURIs: []string{redirect}}
	for _, a := range []*store.Application{&public, &bare, &off} {
		check(t, s.db.CreateApplication(t.Context(), a))
	}
	who := func(id, secret string) url.Values { return url.Values{"client_id": {id}, "client_secret": {secret}} }
	mine := who(s.app.ID, s.secret)
	basic := func(id, secret string) string {
		r := must(http.NewRequest("GET", "/", nil))
		r.SetBasicAuth(id, secret)
		return r.Header.Get("Authorization")
	}
	client := tell{401, "invalid_client", "Basic", false}
	request, grant := tell{400, "invalid_request", "", false}, tell{400, "invalid_grant", "", false}
	// What is wrong with how an application shows itself is told alike wherever it does.
	for path, form := range map[string]url.Values{
		"/token":      {"grant_type": {"authorization_code"}, "code": {"x"}, "redirect_uri": {redirect}},
		"/revoke":     {"token": {"x"}},
		"/par":        {"response_type": {"code"}, "redirect_uri": {redirect}, "scope": {"openid"}},
		"/introspect": {"token": {"x"}},
	} {
		for name, row := range map[string]struct {
			form   url.Values
			header []string
			want   tell
		}{
			"nobody":          {form, nil, client},
			"unknown":         {with(form, "client_id", "none", "client_secret", "x"), nil, client},
			"wrongSecret":     {with(form, "client_id", s.app.ID, "client_secret", "x"), nil, client},
			"noSecret":        {with(form, "client_id", s.app.ID), nil, client},
			"secretNotMade":   {with(form, "client_id", bare.ID, "client_secret", "x"), nil, client},
			"disabled":        {with(form, "client_id", off.ID, "client_secret", secret), nil, client},
			"wrongBasic":      {form, []string{"Authorization", basic(s.app.ID, "x")}, client},
			"emptyBasic":      {form, []string{"Authorization", basic("", "")}, client},
			"badEscape":       {form, []string{"Authorization", basic(s.app.ID, "%zz")}, client},
			"otherScheme":     {with(form, "client_id", s.app.ID), []string{"Authorization", "Digest x"}, client},
			"brokenBasic":     {form, []string{"Authorization", "Basic !"}, client},
			"twoWays":         {with(form, "client_id", s.app.ID, "client_secret", s.secret), []string{"Authorization", basic(s.app.ID, s.secret)}, request},
			"twoApplications": {with(form, "client_id", bare.ID), []string{"Authorization", basic(s.app.ID, s.secret)}, request},
			"twice":           {with(form, "client_id", s.app.ID, "client_id", s.app.ID), nil, request},
			"notAForm":        {form, []string{"Content-Type", "application/json"}, request},
			"large":           {with(form, "x", strings.Repeat("x", 70<<10)), nil, tell{413, "invalid_request", "", false}},
		} {
			resp, body := s.ask(path, row.form, row.header...)
			s.told(path+" "+name, row.want, resp, body)
		}
	}
	for name, row := range map[string]struct {
		path string
		form url.Values
		want tell
	}{
		"noGrant":             {"/token", mine, request},
		"noCode":              {"/token", with(mine, "grant_type", "authorization_code"), request},
		"unknownCode":         {"/token", with(mine, "grant_type", "authorization_code", "code", "x", "redirect_uri", redirect), grant},
		"noRefresh":           {"/token", with(mine, "grant_type", "refresh_token"), request},
		"unknownRefresh":      {"/token", with(mine, "grant_type", "refresh_token", "refresh_token", "x"), grant},
		"mayNotRefresh":       {"/token", url.Values{"grant_type": {"refresh_token"}, "refresh_token": {"x"}, "client_id": {public.ID}}, tell{400, "unauthorized_client", "", false}},
		"password":            {"/token", with(mine, "grant_type", "password"), tell{400, "unsupported_grant_type", "", false}},
		"device":              {"/token", with(mine, "grant_type", "urn:ietf:params:oauth:grant-type:device_code"), tell{400, "unsupported_grant_type", "", false}},
		"exchange":            {"/token", with(mine, "grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"), tell{400, "unsupported_grant_type", "", false}},
		"clientCredentials":   {"/token", with(mine, "grant_type", "client_credentials"), tell{400, "unauthorized_client", "", false}},
		"pushNothing":         {"/par", mine, request},
		"pushElsewhere":       {"/par", with(mine, "redirect_uri", "https://evil.example/"), request},
		"pushWithoutPKCE":     {"/par", with(mine, "redirect_uri", redirect, "response_type", "code", "scope", "openid"), request},
		"pushOfPushed":        {"/par", with(mine, "redirect_uri", redirect, "request_uri", "urn:ietf:params:oauth:request_uri:x"), tell{400, "request_uri_not_supported", "", false}},
		"revokeNothing":       {"/revoke", mine, request},
		"revokeUnknown":       {"/revoke", with(mine, "token", "x"), tell{200, "", "", false}},
		"introspectNothing":   {"/introspect", mine, request},
		"introspectUnknown":   {"/introspect", with(mine, "token", "x"), tell{200, "", "", false}},
		"introspectByAnybody": {"/introspect", url.Values{"token": {"x"}, "client_id": {public.ID}}, client},
	} {
		resp, body := s.ask(row.path, row.form)
		s.told(name, row.want, resp, body)
	}
}

// TestBearersAreRefused holds UserInfo to RFC 6750 section 3.
func TestBearersAreRefused(t *testing.T) {
	s := start(t)
	c, _ := s.relying()
	code, verifier := s.browser().code(c)
	token := must(c.Exchange(t.Context(), code, oauth2.VerifierOption(verifier))).AccessToken
	dead := tell{401, "invalid_token", "Bearer", false}
	for name, row := range map[string]struct {
		form   url.Values
		header []string
		want   tell
	}{
		"none":        {nil, nil, tell{401, "", "Bearer", false}},
		"emptyForm":   {url.Values{}, nil, tell{401, "", "Bearer", false}},
		"basic":       {nil, []string{"Authorization", "Basic eDp5"}, tell{401, "", "Bearer", false}},
		"empty":       {nil, []string{"Authorization", "Bearer "}, tell{401, "", "Bearer", false}},
		"unknown":     {nil, []string{"Authorization", "Bearer x"}, dead},
		"altered":     {nil, []string{"Authorization", "Bearer " + token[:len(token)-4] + "AAAA"}, dead},
		"idToken":     {nil, []string{"Authorization", "Bearer a.b.c"}, dead},
		"formUnknown": {url.Values{"access_token": {"x"}}, nil, dead},
		"twice":       {url.Values{"access_token": {token, token}}, nil, tell{400, "invalid_request", "Bearer", false}},
		"bothWays":    {url.Values{"access_token": {token}}, []string{"Authorization", "Bearer " + token}, tell{400, "invalid_request", "Bearer", false}},
		"good":        {nil, []string{"Authorization", "bearer " + token}, tell{200, "", "", false}},
		"goodForm":    {url.Values{"access_token": {token}}, nil, tell{200, "", "", false}},
	} {
		resp, body := s.ask("/userinfo", row.form, row.header...)
		s.told(name, row.want, resp, body)
	}
	if resp, body := s.ask("/userinfo?access_token="+url.QueryEscape(token), nil); resp.StatusCode != 401 {
		t.Errorf("by its address: %d %s", resp.StatusCode, body)
	}
}

// TestPeopleAreRefusedOnAPage: whoever came from an application that cannot be told sees a
// page of ours.
func TestPeopleAreRefusedOnAPage(t *testing.T) {
	s := start(t)
	base := url.Values{"client_id": {s.app.ID}, "redirect_uri": {redirect}, "response_type": {"code"}, "scope": {"openid"}}
	without := func(name string) url.Values { v := with(base); v.Del(name); return v }
	set := func(name, value string) url.Values { v := with(base); v.Set(name, value); return v }
	for name, path := range map[string]string{
		"nothing":            "/authorize",
		"noClient":           "/authorize?" + without("client_id").Encode(),
		"unknownClient":      "/authorize?" + set("client_id", "none").Encode(),
		"twoClients":         "/authorize?" + with(base, "client_id", "x").Encode(),
		"noRedirect":         "/authorize?" + without("redirect_uri").Encode(),
		"otherRedirect":      "/authorize?" + set("redirect_uri", "https://evil.example/").Encode(),
		"scriptRedirect":     "/authorize?" + set("redirect_uri", "javascript:alert(1)").Encode(),
		"twoRedirects":       "/authorize?" + with(base, "redirect_uri", "https://evil.example/").Encode(),
		"broken":             "/authorize?a=%zz",
		"unknownPushed":      "/authorize?client_id=" + s.app.ID + "&request_uri=urn:ietf:params:oauth:request_uri:x",
		"noFlow":             "/authorize/callback",
		"unknownFlow":        "/authorize/callback?id=x",
		"badHint":            "/signoff?id_token_hint=x",
		"otherSignOff":       "/signoff?client_id=" + s.app.ID + "&post_logout_redirect_uri=https://evil.example/",
		"unknownAtSignOff":   "/signoff?client_id=none&post_logout_redirect_uri=https://app.example/bye",
		"<script>x</script>": "/authorize?client_id=%3Cscript%3Ex%3C/script%3E&redirect_uri=x",
	} {
		resp, body := s.ask(path, nil)
		s.told(name, tell{status: 400, page: true}, resp, body)
		for _, lang := range []string{"de", "fr", "es"} {
			_, other := s.ask(path, nil, "Accept-Language", lang)
			if left := english.FindString(other); left != "" || !strings.Contains(other, `<html lang="`+lang+`">`) ||
				!strings.Contains(other, `href="/`+s.env+`/signon"`) || !strings.Contains(other, " Acme</p>") {
				t.Errorf("%s in %s says %q: %s", name, lang, left, other)
			}
		}
		if resp.Header.Get("Location") != "" || strings.Contains(body, "<script>x") {
			t.Errorf("%s: %s %s", name, resp.Header.Get("Location"), body)
		}
	}
}

// english is what no page in another language has: its words, and stops that follow each other.
var english = regexp.MustCompile(`(?i)\b(the|that|your|which|here|again)\b|\.\)\.|\.\.`)

// TestApplicationsAreToldTheirErrors: once it is known where an application is, it is told
// there, in the way that it asked for.
func TestApplicationsAreToldTheirErrors(t *testing.T) {
	s := start(t)
	base := url.Values{
		"client_id": {s.app.ID}, "redirect_uri": {redirect}, "response_type": {"code"}, "scope": {"openid"}, "state": {"s&t=\"u"},
		"code_challenge": {oauth2.S256ChallengeFromVerifier("x")}, "code_challenge_method": {"S256"},
	}
	set := func(name, value string) url.Values { v := with(base); v.Set(name, value); return v }
	for name, row := range map[string]struct {
		form url.Values
		code string
	}{
		"maxAgeWord":     {set("max_age", "abc"), "invalid_request"},
		"maxAgeNegative": {set("max_age", "-1"), "invalid_request"},
		"maxAgeHuge":     {set("max_age", "99999999999999999999"), "invalid_request"},
		"noType":         {set("response_type", ""), "invalid_request"},
		"otherType":      {set("response_type", "foo"), "unsupported_response_type"},
		"hybrid":         {set("response_type", "code id_token"), "unsupported_response_type"},
		"otherMode":      {set("response_mode", "foo"), "invalid_request"},
		"jwtMode":        {set("response_mode", "query.jwt"), "invalid_request"},
		"request":        {set("request", "x.y.z"), "request_not_supported"},
		"requestURI":     {set("request_uri", "https://app.example/r"), "request_uri_not_supported"},
		"registration":   {set("registration", "{}"), "registration_not_supported"},
		"noScope":        {set("scope", ""), "invalid_scope"},
		"otherScope":     {set("scope", "profile"), "invalid_scope"},
		"noneLogin":      {set("prompt", "none login"), "invalid_request"},
		"twoStates":      {with(base, "nonce", "a", "nonce", "b"), "invalid_request"},
		"badHint":        {set("id_token_hint", "a.b.c"), "login_required"},
	} {
		for _, mode := range []string{"", "query", "fragment", "form_post"} {
			form := with(row.form)
			if name != "otherMode" && name != "jwtMode" {
				form.Set("response_mode", mode)
			}
			resp, body := s.ask("/authorize", form)
			to, _ := resp.Location()
			var got url.Values
			switch {
			case to != nil:
				got, _ = url.ParseQuery(to.RawQuery + to.EscapedFragment())
			case mode == "form_post":
				got = hidden(body)
			}
			if got.Get("error") != row.code || got.Get("state") != "s&t=\"u" || got.Get("iss") != s.server.Issuer(s.env) {
				t.Errorf("%s by %q: %d %v %s", name, mode, resp.StatusCode, to, body)
			}
		}
	}
}

// hidden returns what a page would post by itself.
func hidden(page string) url.Values {
	v := url.Values{}
	for _, part := range strings.Split(page, `<input type="hidden" name="`)[1:] {
		name, rest, _ := strings.Cut(part, `" value="`)
		value, _, _ := strings.Cut(rest, `">`)
		v.Set(name, strings.NewReplacer("&#34;", `"`, "&amp;", "&", "&#43;", "+").Replace(value))
	}
	return v
}

// TestStoreAway: a database that is away is told as that at each endpoint, and never as
// something that an application or a person had done wrong.
func TestStoreAway(t *testing.T) {
	server := pgtest.Start(t)
	s := startOn(t, server.Database())
	c, _ := s.relying("offline_access")
	code, verifier := s.browser().code(c)
	token := must(c.Exchange(t.Context(), code, oauth2.VerifierOption(verifier)))
	server.Stop()
	mine := url.Values{"client_id": {s.app.ID}, "client_secret": {s.secret}}
	program := tell{503, "temporarily_unavailable", "", false}
	page := tell{status: 503, page: true}
	for name, row := range map[string]struct {
		path   string
		form   url.Values
		header []string
		want   tell
	}{
		"code":       {"/token", with(mine, "grant_type", "authorization_code", "code", "x", "redirect_uri", redirect), nil, program},
		"refresh":    {"/token", with(mine, "grant_type", "refresh_token", "refresh_token", token.RefreshToken), nil, program},
		"userinfo":   {"/userinfo", nil, []string{"Authorization", "Bearer " + token.AccessToken}, program},
		"introspect": {"/introspect", with(mine, "token", token.AccessToken), nil, program},
		"revoke":     {"/revoke", with(mine, "token", token.RefreshToken), nil, program},
		"jwks":       {"/jwks", nil, nil, program},
		"authorize":  {"/authorize?client_id=" + s.app.ID + "&redirect_uri=" + redirect, nil, nil, page},
		"callback":   {"/authorize/callback?id=x", nil, nil, page},
		"signoff":    {"/signoff?client_id=" + s.app.ID + "&post_logout_redirect_uri=https://app.example/bye", nil, nil, page},
		"signoffBy":  {"/signoff?id_token_hint=" + token.Extra("id_token").(string), nil, nil, page},
	} {
		resp, body := s.ask(row.path, row.form, row.header...)
		s.told(name, row.want, resp, body)
	}
}

// TestStoreFull: where nothing can be written, what only reads goes on, and a refresh token
// is not called bad, nor used up.
func TestStoreFull(t *testing.T) {
	at := t.TempDir()
	if out, err := exec.Command("mount", "-t", "tmpfs", "-o", "size=4m,mode=700", "tmpfs", at).CombinedOutput(); err != nil {
		t.Fatalf("mount: %v\n%s(the test needs root)", err, out)
	}
	t.Cleanup(func() { _ = exec.Command("umount", "-l", at).Run() })
	s := startOn(t, filepath.Join(at, "db"))
	c, _ := s.relying("offline_access")
	code, verifier := s.browser().code(c)
	token := must(c.Exchange(t.Context(), code, oauth2.VerifierOption(verifier)))
	filler := filepath.Join(at, "filler")
	_ = os.WriteFile(filler, make([]byte, 8<<20), 0o600) // until the disk is full
	mine := url.Values{"client_id": {s.app.ID}, "client_secret": {s.secret}}
	again := with(mine, "grant_type", "refresh_token", "refresh_token", token.RefreshToken)
	var resp *http.Response
	var body string
	for range 200 { // the last page of the journal has room for some
		if resp, body = s.ask("/token", again); resp.StatusCode != http.StatusOK {
			break
		}
		var got struct {
			Refresh string `json:"refresh_token"`
		}
		check(t, json.Unmarshal([]byte(body), &got))
		again.Set("refresh_token", got.Refresh)
	}
	s.told("refresh", tell{503, "temporarily_unavailable", "", false}, resp, body)
	if status, _ := s.userinfo(token.AccessToken); status != http.StatusOK {
		t.Errorf("userinfo: %d", status)
	}
	check(t, os.Remove(filler))
	if resp, body = s.ask("/token", again); resp.StatusCode != http.StatusOK {
		t.Errorf("with room again: %d %s", resp.StatusCode, body)
	}
}
