package oidc_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"ldap-gateway/cloud/store"
)

// profile is a provider as the tests of the OpenID Foundation see it: an application with a
// secret, let off PKCE, which those do not send, and a browser.
type profile struct {
	*site
	b *browser
}

// withQuery is registered besides redirect, with a query that stays.
const withQuery = "https://app.example/cb?foo=bar"

func startProfile(t *testing.T, session bool) *profile {
	t.Helper()
	p := &profile{site: start(t)}
	p.app.OpenID.PKCE = store.PKCEOptional
	p.app.RedirectURIs = append(p.app.RedirectURIs, withQuery)
	check(t, p.db.UpdateApplication(t.Context(), &p.app))
	p.b = p.browser()
	if session {
		p.code("scope", "openid")
	}
	return p
}

// wish is a request as usual, with changes: what is empty is left out.
func (p *profile) wish(change ...string) string {
	q := url.Values{
		"client_id": {p.app.ID}, "response_type": {"code"}, "redirect_uri": {redirect}, "scope": {"openid"},
		"state": {"st"}, "nonce": {"no"},
	}
	for i := 0; i < len(change); i += 2 {
		if q.Set(change[i], change[i+1]); change[i+1] == "" {
			q.Del(change[i])
		}
	}
	return p.server.Issuer(p.env) + "/authorize?" + q.Encode()
}

// code returns one, for which alice signs on if she must.
func (p *profile) code(change ...string) string {
	p.t.Helper()
	at := p.b.get(p.wish(change...))
	if at.url.Query().Has("flow") {
		at = p.b.signOn(at, "alice", "wonderland")
	}
	code := at.url.Query().Get("code")
	if code == "" {
		p.t.Fatalf("%v: %s %s", change, at.url, at.page)
	}
	return code
}

// outcome says what came of a request in a word: "code", "form" for one that asks somebody,
// "page" for one that says what is wrong, or an error of OAuth, after a # in the fragment.
func (p *profile) outcome(at place, state string) string {
	q, mark := at.url.Query(), ""
	if at.url.Fragment != "" {
		q, mark = must(url.ParseQuery(at.url.Fragment)), "#"
	}
	away := strings.HasPrefix(at.url.String(), redirect)
	switch {
	case away && (q.Get("state") != state || q.Get("iss") != p.server.Issuer(p.env)):
		return "wrong state or issuer: " + at.url.String()
	case away && (q.Has("access_token") || q.Has("id_token")):
		return "a token in an address"
	case away && q.Get("code") != "":
		return mark + "code"
	case away:
		return mark + q.Get("error")
	case at.status == http.StatusOK && strings.Contains(at.page, "<form"):
		return "form"
	}
	return fmt.Sprint("page ", at.status)
}

// TestBasicProfile is the list of tests for a provider of the basic profile, of what a browser
// carries: whether somebody has signed on before, the change to the request, and what comes.
func TestBasicProfile(t *testing.T) {
	requests := []struct {
		name    string
		session bool
		change  []string
		want    string
	}{
		{"Response-code", true, nil, "code"},
		{"Response-code-first", false, nil, "form"},
		{"Response-Missing", true, []string{"response_type", ""}, "invalid_request"},
		{"Response-unknown", true, []string{"response_type", "foo"}, "unsupported_response_type"},
		{"nonce-NoReq-code", true, []string{"nonce", ""}, "code"},
		{"state-none", true, []string{"state", ""}, "code"},
		{"scope-profile", true, []string{"scope", "openid profile"}, "code"},
		{"scope-email", true, []string{"scope", "openid email"}, "code"},
		{"scope-address", true, []string{"scope", "openid address"}, "code"},
		{"scope-phone", true, []string{"scope", "openid phone"}, "code"},
		{"scope-All", true, []string{"scope", "openid profile email address phone"}, "code"},
		{"scope-unknown", true, []string{"scope", "openid foo"}, "code"},
		{"scope-without-openid", true, []string{"scope", "profile"}, "invalid_scope"},
		{"display-page", false, []string{"display", "page"}, "form"},
		{"display-popup", false, []string{"display", "popup"}, "form"},
		{"display-unknown", false, []string{"display", "foo"}, "form"},
		{"prompt-login", true, []string{"prompt", "login"}, "form"},
		{"prompt-none-NotLoggedIn", false, []string{"prompt", "none"}, "login_required"},
		{"prompt-none-LoggedIn", true, []string{"prompt", "none"}, "code"},
		{"prompt-none-login", true, []string{"prompt", "none login"}, "invalid_request"},
		{"prompt-select_account", true, []string{"prompt", "select_account"}, "form"},
		{"prompt-consent", true, []string{"prompt", "consent"}, "form"},
		{"Req-NotUsed", true, []string{"extra", "foobar"}, "code"},
		{"Req-ui_locales", false, []string{"ui_locales", "se de"}, "form"},
		{"Req-claims_locales", true, []string{"claims_locales", "se"}, "code"},
		{"Req-acr_values", true, []string{"acr_values", "1 2"}, "code"},
		{"Req-login_hint", false, []string{"login_hint", "alice"}, "form"},
		{"Req-max_age-10000", true, []string{"max_age", "10000"}, "code"},
		{"Req-max_age-0", true, []string{"max_age", "0"}, "form"},
		{"Req-max_age-none", false, []string{"max_age", "1", "prompt", "none"}, "login_required"},
		{"Req-max_age-text", true, []string{"max_age", "abc"}, "invalid_request"},
		{"Req-max_age-negative", true, []string{"max_age", "-1"}, "invalid_request"},
		{"Req-id_token_hint-garbage", true, []string{"id_token_hint", "x.y.z", "prompt", "none"}, "login_required"},
		{"claims-essential", true, []string{"claims", `{"userinfo":{"name":{"essential":true}}}`}, "code"},
		{"request-Unsigned", true, []string{"request", "eyJhbGciOiJub25lIn0.e30."}, "request_not_supported"},
		{"request_uri", true, []string{"request_uri", "https://app.example/r"}, "request_uri_not_supported"},
		{"registration", true, []string{"registration", "{}"}, "registration_not_supported"},
		{"redirect_uri-NotReg", true, []string{"redirect_uri", "https://other.example/cb"}, "page 400"},
		{"redirect_uri-Missing", true, []string{"redirect_uri", ""}, "page 400"},
		{"redirect_uri-Query-OK", true, []string{"redirect_uri", withQuery}, "code"},
		{"redirect_uri-Query-Added", true, []string{"redirect_uri", redirect + "?x=y"}, "page 400"},
		{"redirect_uri-Query-Mismatch", true, []string{"redirect_uri", redirect + "?foo=baz"}, "page 400"},
		{"redirect_uri-fragment", true, []string{"redirect_uri", redirect + "#x"}, "page 400"},
		{"redirect_uri-case", true, []string{"redirect_uri", "https://app.example/CB"}, "page 400"},
		{"client_id-unknown", true, []string{"client_id", "x"}, "page 400"},
		{"response_mode-unknown", true, []string{"response_mode", "foo"}, "invalid_request"},
		{"response_mode-jwt", true, []string{"response_mode", "query.jwt"}, "invalid_request"},
		{"challenge-short", true, []string{"code_challenge", "abcde", "code_challenge_method", "S256"}, "invalid_request"},
	}
	for _, flow := range []string{
		"token", "id_token", "id_token token", "code token", "code id_token", "code id_token token", "none",
	} { // the implicit and hybrid profiles, which are refused
		want := "#unsupported_response_type"
		if flow == "none" {
			want = "unsupported_response_type"
		}
		for _, session := range []bool{false, true} {
			requests = append(requests, struct {
				name    string
				session bool
				change  []string
				want    string
			}{"Response-" + strings.ReplaceAll(flow, " ", "+"), session, []string{"response_type", flow}, want})
		}
	}
	for _, session := range []bool{false, true} {
		p := startProfile(t, session)
		for _, r := range requests {
			if r.session != session {
				continue
			}
			state := "st"
			if len(r.change) > 0 && r.change[0] == "state" {
				state = ""
			}
			at := p.b.get(p.wish(r.change...))
			if got := p.outcome(at, state); got != r.want {
				t.Errorf("%s: %s, want %s: %s", r.name, got, r.want, at.url)
			}
			if r.name == "Req-login_hint" && !strings.Contains(at.page, `value="alice"`) {
				t.Error("the name is not filled in")
			}
			if r.name == "redirect_uri-Query-OK" && at.url.Query().Get("foo") != "bar" {
				t.Errorf("the query that is registered is gone: %s", at.url)
			}
		}
	}
}

// redeem asks the token endpoint, with changes as in wish.
func (p *profile) redeem(code string, header []string, change ...string) (int, map[string]any) {
	p.t.Helper()
	form := url.Values{
		"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {redirect},
		"client_id": {p.app.ID}, "client_secret": {p.secret},
	}
	for i := 0; i < len(change); i += 2 {
		if form.Set(change[i], change[i+1]); change[i+1] == "" {
			form.Del(change[i])
		}
	}
	resp, body := p.ask("/token", form, header...)
	answer := map[string]any{}
	check(p.t, json.Unmarshal([]byte(body), &answer))
	return resp.StatusCode, answer
}

// TestBasicProfileTokens is the same of what the application carries itself.
func TestBasicProfileTokens(t *testing.T) {
	p := startProfile(t, true)
	other, secret := p.api("Other")
	basic := []string{"Authorization", "Basic " + base64.StdEncoding.EncodeToString([]byte(p.app.ID+":"+p.secret))}
	for _, c := range []struct {
		name   string
		header []string
		change []string
		want   string // "200 " or the status and the error
	}{
		{"ClientAuth-SecretPost", nil, nil, "200 "},
		{"ClientAuth-Basic", basic, []string{"client_id", "", "client_secret", ""}, "200 "},
		{"ClientAuth-both", basic, nil, "400 invalid_request"},
		{"ClientAuth-none", nil, []string{"client_secret", ""}, "401 invalid_client"},
		{"ClientAuth-wrong", nil, []string{"client_secret", "x"}, "401 invalid_client"},
		{"OAuth-other-client", nil, []string{"client_id", other.ID, "client_secret", secret}, "400 invalid_grant"},
		{"OAuth-other-redirect", nil, []string{"redirect_uri", withQuery}, "400 invalid_grant"},
		{"OAuth-no-redirect", nil, []string{"redirect_uri", ""}, "400 invalid_grant"},
		{"OAuth-verifier-for-no-challenge", nil, []string{"code_verifier", strings.Repeat("x", 43)}, "400 invalid_grant"},
		{"OAuth-no-code", nil, []string{"code", ""}, "400 invalid_request"},
		{"OAuth-no-grant", nil, []string{"grant_type", ""}, "400 invalid_request"},
		{"OAuth-other-grant", nil, []string{"grant_type", "password"}, "400 unsupported_grant_type"},
	} {
		status, answer := p.redeem(p.code(), c.header, c.change...)
		said, _ := answer["error"].(string)
		if got := fmt.Sprint(status, " ", said); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
	code := p.code("scope", "openid profile email")
	_, tokens := p.redeem(code, nil)
	access, raw := fmt.Sprint(tokens["access_token"]), fmt.Sprint(tokens["id_token"])
	var id map[string]any
	check(t, json.Unmarshal(must(base64.RawURLEncoding.DecodeString(strings.Split(raw, ".")[1])), &id))
	if id["iss"] != p.server.Issuer(p.env) || id["sub"] != p.alice.ID || id["nonce"] != "no" || id["at_hash"] == nil ||
		!strings.Contains(fmt.Sprint(id["aud"]), p.app.ID) || id["iat"] == nil || id["exp"] == nil || id["auth_time"] == nil ||
		header(t, raw)["alg"] != "RS256" || header(t, raw)["kid"] == nil || tokens["token_type"] != "Bearer" {
		t.Errorf("the ID token: %v, the answer: %v", id, tokens)
	}
	for name, ask := range map[string]func() (*http.Response, string){
		"UserInfo-Endpoint": func() (*http.Response, string) { return p.ask("/userinfo", nil, "Authorization", "Bearer "+access) },
		"UserInfo-Header": func() (*http.Response, string) {
			return p.ask("/userinfo", url.Values{}, "Authorization", "Bearer "+access)
		},
		"UserInfo-Body": func() (*http.Response, string) { return p.ask("/userinfo", url.Values{"access_token": {access}}) },
	} {
		var info map[string]any
		resp, body := ask()
		if resp.StatusCode != 200 || json.Unmarshal([]byte(body), &info) != nil || info["sub"] != id["sub"] ||
			info["email"] != "alice@acme.example" || info["name"] != "Alice Archer" {
			t.Errorf("%s: %s %s", name, resp.Status, body)
		}
	}
	if status, answer := p.redeem(code, nil); status != 400 || answer["error"] != "invalid_grant" {
		t.Errorf("OAuth-2nd: %d %v", status, answer)
	}
	if status, _ := p.userinfo(access); status != http.StatusUnauthorized {
		t.Errorf("OAuth-2nd-Revokes: %d", status)
	}
}

// TestProfileHints: an ID token of the person gets a code, one of somebody else none.
func TestProfileHints(t *testing.T) {
	p := startProfile(t, true)
	_, tokens := p.redeem(p.code(), nil)
	mine := fmt.Sprint(tokens["id_token"])
	if got := p.outcome(p.b.get(p.wish("prompt", "none", "id_token_hint", mine)), "st"); got != "code" {
		t.Errorf("id_token_hint: %s", got)
	}
	before := p.code()
	p.clock = 2 * time.Second
	at := p.b.get(p.wish("max_age", "1"))
	if got := p.outcome(at, "st"); got != "form" {
		t.Fatalf("max_age-1: %s", got)
	}
	again := p.b.signOn(at, "alice", "wonderland").url.Query().Get("code")
	times := map[string]float64{}
	for name, code := range map[string]string{"before": before, "again": again} {
		_, tokens := p.redeem(code, nil)
		var id map[string]any
		check(t, json.Unmarshal(must(base64.RawURLEncoding.DecodeString(strings.Split(fmt.Sprint(tokens["id_token"]), ".")[1])), &id))
		times[name], _ = id["auth_time"].(float64)
	}
	if times["before"] == 0 || times["before"] >= times["again"] {
		t.Errorf("max_age-1: auth_time stays: %v", times)
	}
}

// TestFormPostProfile: by form_post a code and an error are posted, with state and issuer, and in
// no address.
func TestFormPostProfile(t *testing.T) {
	p := startProfile(t, true)
	for change, want := range map[string]string{"scope=openid": `name="code"`, "scope=profile": `name="error" value="invalid_scope"`} {
		name, value, _ := strings.Cut(change, "=")
		at := p.b.get(p.wish("response_mode", "form_post", name, value))
		for _, text := range []string{
			want, `action="` + redirect + `"`, `name="state" value="st"`, `name="iss" value="` + p.server.Issuer(p.env) + `"`,
		} {
			if at.status != 200 || !strings.Contains(at.page, text) {
				t.Errorf("%s: %d, no %s in %s", change, at.status, text, at.page)
			}
		}
	}
}

// TestNoEndpoint: another method, path or environment is answered in JSON as well, and to
// which methods an endpoint is for.
func TestNoEndpoint(t *testing.T) {
	s := start(t)
	for _, c := range []struct {
		method, path string
		status       int
		allow        string
	}{
		{"GET", "/as/token", 405, "POST"}, {"PUT", "/as/token", 405, "POST"}, {"DELETE", "/as/introspect", 405, "POST"},
		{"GET", "/as/revoke", 405, "POST"}, {"GET", "/as/par", 405, "POST"}, {"POST", "/as/groups", 405, "GET"},
		{"POST", "/as/jwks", 405, "GET"}, {"PUT", "/as/userinfo", 405, "GET, POST"}, {"PATCH", "/as/authorize", 405, "GET, POST"},
		{"POST", "/as/.well-known/openid-configuration", 405, "GET"},
		{"GET", "/as/nope", 404, ""}, {"POST", "/as/", 404, ""}, {"GET", "/as/token/x", 404, ""}, {"GET", "/as/.well-known/x", 404, ""},
	} {
		for _, env := range []string{s.env, "none"} {
			r := must(http.NewRequest(c.method, s.url+"/"+env+c.path, nil))
			resp := must(http.DefaultClient.Do(r))
			var body struct{ Error, Error_description string }
			err := json.NewDecoder(resp.Body).Decode(&body)
			check(t, resp.Body.Close())
			if err != nil || resp.StatusCode != c.status || resp.Header.Get("Allow") != c.allow || body.Error != "invalid_request" ||
				resp.Header.Get("Content-Type") != "application/json" {
				t.Errorf("%s %s: %d, Allow %q, %+v, %v", c.method, c.path, resp.StatusCode, resp.Header.Get("Allow"), body, err)
			}
		}
	}
	gone := store.Environment{Name: "gone"}
	check(t, s.db.CreateEnvironment(t.Context(), &gone))
	check(t, must(http.Get(s.url+"/"+gone.ID+"/as/jwks")).Body.Close())
	check(t, s.db.DeleteEnvironment(t.Context(), gone.ID))
	for _, path := range []string{"/none/as/userinfo", "/" + gone.ID + "/as/jwks", "/" + gone.ID + "/as/.well-known/openid-configuration"} {
		resp := must(http.Get(s.url + path))
		check(t, resp.Body.Close())
		if resp.StatusCode != 404 || resp.Header.Get("Content-Type") != "application/json" {
			t.Errorf("%s: %d %s", path, resp.StatusCode, resp.Header.Get("Content-Type"))
		}
	}
}
