package api_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"ldap-gateway/cloud/api"
	"ldap-gateway/cloud/store"
	"ldap-gateway/cloud/throttle"
	"ldap-gateway/cloudlink/wire"
)

// hrefs returns every link in a body.
func hrefs(body any) (all []string) {
	switch v := body.(type) {
	case map[string]any:
		for name, inner := range v {
			if href, is := inner.(string); is && name == "href" {
				all = append(all, href)
				continue
			}
			all = append(all, hrefs(inner)...)
		}
	case []any:
		for _, inner := range v {
			all = append(all, hrefs(inner)...)
		}
	}
	return all
}

// Every link in every answer leads somewhere: to what is read, or to what takes a POST.
func TestEveryLinkLeadsSomewhere(t *testing.T) {
	s := full(t)
	s.links.live = []api.LiveInstance{{ID: s.instance.ID}}
	seen, left := map[string]bool{}, []string{"", "/users", "/groups", "/populations", "/gateways", "/applications"}
	left = append(left, "/signOns", "/activities", "/administrators", "/roleGroups")
	for len(left) > 0 {
		path := left[0]
		left = left[1:]
		if seen[path] {
			continue
		}
		seen[path] = true
		a := s.send("GET", path, "")
		if a.status == http.StatusMethodNotAllowed && strings.Contains(a.header.Get("Allow"), "POST") {
			continue
		}
		a.want(http.StatusOK)
		for _, href := range hrefs(a.body) {
			path, below := strings.CutPrefix(href, s.address(""))
			if !below {
				t.Errorf("%s leads away: %s", path, href)
			}
			left = append(left, path)
		}
	}
	if len(seen) < 25 {
		t.Errorf("only %d places were found", len(seen))
	}
}

// Each property that a filter may name finds by it, and what is not so is not found.
func TestFiltersOfEveryProperty(t *testing.T) {
	s := full(t)
	for list, filters := range map[string]map[string]int{
		"/users": {
			`id eq "` + s.user.ID + `"`:                        1,
			`username eq "ADA"`:                                1,
			`username sw "ad"`:                                 1,
			`username co "d"`:                                  1,
			`email eq "ada@example.com"`:                       1,
			`externalId eq "7"`:                                1,
			`name.given eq "Ada"`:                              1,
			`name.given eq "ada"`:                              0,
			`name.family sw "By"`:                              1,
			`name.family sw "by"`:                              0,
			`population.id eq "` + s.population.ID + `"`:       1,
			`username eq "bob" or name.family eq "Byron"`:      1,
			`username eq "ada" and (email co "@" or id sw "")`: 1,
			`username eq "ada" and email eq "x"`:               0,
		},
		"/groups": {
			`id eq "` + s.jit.ID + `"`:           1,
			`name eq "CN=Cooks,DC=x"`:            1,
			`displayName sw "cook"`:              1,
			`displayName co "O"`:                 1,
			`externalId eq "none"`:               0,
			`sourceType eq "GATEWAY"`:            1,
			`sourceId eq "` + s.gateway.ID + `"`: 1,
			`directoryId eq "x"`:                 0,
			`population.id eq "none"`:            0,
			`name eq "readers" or name sw "cn="`: 2,
		},
		"/signOns": {
			`user.id eq "` + s.user.ID + `"`: 1,
			`user.id eq "none"`:              0,
		},
		"/activities": {
			`action eq "sign-on"`:                                           1,
			`signOn.id eq "` + s.signOn.ID + `"`:                            1,
			`subject eq "user:` + s.user.ID + `"`:                           1,
			`action eq "sign-on" and subject eq "user:` + s.user.ID + `"`:   1,
			`(action eq "sign-on") and actor eq "somebody else altogether"`: 0,
		},
	} {
		for filter, n := range filters {
			a := s.send("GET", list+"?filter="+url.QueryEscape(filter), "").want(http.StatusOK)
			if a.at("count") != fmt.Sprint(n) {
				t.Errorf("%s?filter=%s finds %s, want %d", list, filter, a.at("count"), n)
			}
		}
	}
}

// A token is given to who proves to be a client in one of the two ways of RFC 6749, by a
// form alone, and to nobody else.
func TestTokenRequests(t *testing.T) {
	s := start(t)
	grant := "grant_type=client_credentials"
	own := "&client_id=" + url.QueryEscape(s.client) + "&client_secret=" + url.QueryEscape(s.secret)
	for name, c := range map[string]struct {
		kind, body, user, password string
		status                     int
		code                       string
	}{
		"basic":           {"application/x-www-form-urlencoded", grant, s.client, url.QueryEscape(s.secret), 200, "<nil>"},
		"form":            {"application/x-www-form-urlencoded; charset=utf-8", grant + own, "", "", 200, "<nil>"},
		"basic counts":    {"application/x-www-form-urlencoded", grant + own, s.client, "wrong", 401, "invalid_client"},
		"broken encoding": {"application/x-www-form-urlencoded", grant, s.client, "%zz", 401, "invalid_client"},
		"no client":       {"application/x-www-form-urlencoded", grant, "", "", 401, "invalid_client"},
		"another client":  {"application/x-www-form-urlencoded", grant, "none", s.secret, 401, "invalid_client"},
		"no form":         {"application/json", `{"grant_type":"client_credentials"}`, s.client, s.secret, 400, "invalid_request"},
		"no kind":         {"", grant, s.client, s.secret, 400, "invalid_request"},
		"broken form":     {"application/x-www-form-urlencoded", "grant_type=%zz", s.client, s.secret, 400, "invalid_request"},
		"another grant":   {"application/x-www-form-urlencoded", "grant_type=password", s.client, s.secret, 400, "unsupported_grant_type"},
		"no grant":        {"application/x-www-form-urlencoded", "", s.client, s.secret, 400, "unsupported_grant_type"},
	} {
		r := httptest.NewRequestWithContext(t.Context(), "POST", "/"+s.env+"/as/token", strings.NewReader(c.body))
		if c.kind != "" {
			r.Header.Set("Content-Type", c.kind)
		}
		if c.user != "" {
			r.SetBasicAuth(c.user, c.password)
		}
		a := s.do(r)
		if a.status != c.status || a.at("error") != c.code || a.header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: %d %s", name, a.status, a.text)
		}
		if (a.status == 401) != (a.header.Get("WWW-Authenticate") != "") {
			t.Errorf("%s: the challenge is %q", name, a.header.Get("WWW-Authenticate"))
		}
	}
}

// A token is taken in whatever letters its scheme is written, and by itself alone.
func TestBearers(t *testing.T) {
	s := start(t)
	for header, status := range map[string]int{
		"Bearer " + s.token:  200,
		"bearer " + s.token:  200,
		"BEARER  " + s.token: 200,
		s.token:              401,
		"Basic " + s.token:   401,
		"Bearer":             401,
		"Bearer ":            401,
		"":                   401,
	} {
		r := httptest.NewRequestWithContext(t.Context(), "GET", "/v1/environments/"+s.env+"/users", nil)
		if header != "" {
			r.Header.Set("Authorization", header)
		}
		if a := s.do(r); a.status != status {
			t.Errorf("%q: %d", header, a.status)
		}
	}
}

// A sign-on is answered with what came of it, in the form that programs know, whatever
// it was.
// TestTooManySignOns: a program is told when to come again, whatever it wanted.
func TestTooManySignOns(t *testing.T) {
	s := start(t)
	s.signOns.err = fmt.Errorf("wrapped: %w", throttle.ErrFull)
	change := "/users/" + s.user.ID + "/password"
	for path, r := range map[string][2]string{
		"/signOns": {"POST", `{"username":"ada","password":"x"}`},
		change:     {"PUT", `{"currentPassword":"x","newPassword":"y"}`},
	} {
		a := s.send(r[0], path, r[1]).want(http.StatusServiceUnavailable)
		if a.has("code", "TEMPORARILY_UNAVAILABLE"); a.header.Get("Retry-After") == "" {
			t.Errorf("%s: it does not say when to come again", path)
		}
	}
}

func TestAnswersToSignOns(t *testing.T) {
	s := start(t)
	whole := s.signOn
	whole.Message, whole.Reason, whole.InstanceID = "Welcome.", "bound", s.instance.ID
	whole.GatewayID, whole.UserTypeID = s.gateway.ID, s.user.UserTypeID
	whole.Verdict, whole.VerdictReason, whole.Removed = "partial", "1 group is hidden", []string{"r"}
	whole.Duration, whole.Address = 2500*time.Microsecond, "192.0.2.1"
	for name, c := range map[string]struct {
		answer store.SignOn
		has    []string
	}{
		"all of it": {whole, []string{
			"outcome", "ok", "message", "Welcome.", "reason", "bound", "gateway.id", s.gateway.ID, "instance.id", s.instance.ID,
			"membership.verdict", "partial", "membership.reason", "1 group is hidden", "membership.removed.0", "r",
			"durationMillis", "2.5", "address", "192.0.2.1", "user.username", "ada", "groups.0.name", s.jit.Name,
		}},
		"nobody": {store.SignOn{ID: "x", Outcome: "noSuchUser"}, []string{
			"outcome", "noSuchUser", "user", "<nil>", "groups", "<nil>", "gateway", "<nil>", "membership", "<nil>",
		}},
		"who may not": {store.SignOn{ID: "x", Outcome: "notAllowed", UserID: s.user.ID}, []string{
			"outcome", "notAllowed", "user.id", s.user.ID, "user.username", "<nil>", "groups", "<nil>",
		}},
	} {
		s.signOns.answer = c.answer
		a := s.send("POST", "/signOns", `{"username":"ada","password":"x"}`).want(http.StatusCreated)
		if t.Run(name, func(t *testing.T) { a.t = t; a.has(c.has...) }); t.Failed() {
			return
		}
	}
	gone := whole
	gone.UserID = "gone"
	s.signOns.answer = gone // deleted after the sign-on: it was done, and no group is left
	a := s.send("POST", "/signOns", `{"username":"ada","password":"x"}`).want(http.StatusCreated)
	a.has("outcome", "ok", "user.username", "ada", "groups.0", "<nothing>")
}

// A password that is not changed says why, in the status, the property and the outcome.
func TestAnswersToPasswordChanges(t *testing.T) {
	s := start(t)
	path, body := "/users/"+s.user.ID+"/password", `{"currentPassword":"old","newPassword":"new","address":"192.0.2.1"}`
	for name, c := range map[string]struct {
		outcome      wire.Outcome
		refusal      wire.PasswordRefusal
		status       int
		code, target string
	}{
		"wrong":    {wire.OutcomeInvalidCredentials, 0, 400, "INVALID_DATA", "currentPassword"},
		"refused":  {wire.OutcomeNewPasswordRefused, wire.RefusalTooShort, 400, "INVALID_DATA", "newPassword"},
		"busy":     {wire.OutcomeBusy, 0, 429, "REQUEST_LIMITED", ""},
		"down":     {wire.OutcomeDirectoryUnavailable, 0, 503, "UNEXPECTED_ERROR", ""},
		"too slow": {wire.OutcomeTimeout, 0, 503, "UNEXPECTED_ERROR", ""},
		"unsure":   {wire.OutcomeUnknown, 0, 503, "UNEXPECTED_ERROR", ""},
	} {
		s.signOns.changed = api.ChangeAnswer{
			ID:      "c",
			Outcome: c.outcome,
			Refusal: c.refusal,
			Message: "Sorry.",
			Reason:  "because",
		}
		a := s.send("PUT", path, body).want(c.status).has(
			"code", c.code,
			"message", "Sorry.",
			"innerError.outcome", c.outcome.String(),
			"innerError.change", "c",
			"innerError.reason", "because",
		)
		if c.target == "" {
			a.has("details", "<nil>")
		} else {
			a.has("details.0.target", c.target)
		}
		if (a.at("innerError.refusal") != "<nil>") != (c.refusal != 0) {
			t.Errorf("%s: %s", name, a.text)
		}
	}
	s.signOns.changed = api.ChangeAnswer{Outcome: wire.OutcomeOK}
	s.send("PUT", path, body).want(http.StatusOK).has("status", "EXTERNAL")
	asked := s.signOns.change
	if s.signOns.password != "old new" || asked.Username != "ada" || asked.Address != "192.0.2.1" ||
		asked.Actor != "client:"+s.client {
		t.Errorf("%q, %+v", s.signOns.password, asked)
	}
	if strings.Trim(string(asked.Current)+string(asked.New), "\x00") != "" {
		t.Error("the passwords are still in memory")
	}
	s.signOns.err = errors.New("secret details")
	if a := s.send("PUT", path, body).want(http.StatusInternalServerError); strings.Contains(a.text, "secret") {
		t.Error(a.text)
	}
}

// What is read of one kind of thing is never read of another: every body names its own
// environment and itself.
func TestEveryBodyIsOfItsEnvironment(t *testing.T) {
	s := full(t)
	for _, path := range []string{
		"/users",
		"/groups",
		"/populations",
		"/gateways",
		"/applications",
		"/administrators",
	} {
		name := strings.TrimPrefix(path, "/")
		a := s.send("GET", path, "").want(http.StatusOK)
		all, _ := a.body.(object)["_embedded"].(object)[name].([]any)
		if len(all) == 0 {
			t.Errorf("%s is empty", path)
		}
		for _, one := range all {
			item := answer{t: t, body: one}
			item.has("environment.id", s.env, "_links.self.href", s.address(path+"/"+item.at("id")))
			s.send("GET", path+"/"+item.at("id"), "").want(http.StatusOK).has("id", item.at("id"))
		}
	}
}

// Under one key a POST is done once, and with a secret only told once; an answer that
// was refused is no answer, so the request may come again.
func TestKeysOfEveryPost(t *testing.T) {
	s := full(t)
	gateway := "/gateways/" + s.gateway.ID
	for i, c := range []struct {
		path, body string
		again      int // the status of the second
	}{
		{"/users", `{"username":"new"}`, 201},
		{"/groups", `{"name":"new"}`, 201},
		{"/populations", `{"name":"new"}`, 201},
		{"/users/" + s.user.ID + "/off", "", 204},
		{gateway + "/instances/" + s.instance.ID + "/rotate", "", 202},
		{gateway + "/pairings", `{}`, 409},
		{gateway + "/credentials", "", 409},
		{"/applications/" + s.application.ID + "/secret", "{}", 409},
		{"/administrators", `{"name":"new","role":"OWNER"}`, 409},
		{"/administrators/" + s.administrator.ID + "/reset", "", 409},
	} {
		key := fmt.Sprint("key ", i)
		first := s.with("POST", c.path, c.body, "Idempotency-Key", key)
		if first.status >= 300 {
			t.Errorf("%s: %d %s", c.path, first.status, first.text)
		}
		notes := s.send("GET", "/activities?limit=1000", "").at("count")
		second := s.with("POST", c.path, c.body, "Idempotency-Key", key).want(c.again)
		if c.again < 300 && strings.TrimSpace(second.text) != strings.TrimSpace(first.text) {
			t.Errorf("%s: first %s\nthen %s", c.path, first.text, second.text)
		}
		if again := s.send("GET", "/activities?limit=1000", "").at("count"); again != notes {
			t.Errorf("%s was done twice", c.path)
		}
		s.with("POST", c.path, `{"other":1}`, "Idempotency-Key", key).want(http.StatusUnprocessableEntity)
	}
	s.with("POST", "/users", `{}`, "Idempotency-Key", "refused").refuses("username")
	s.with("POST", "/users", `{"username":"later"}`, "Idempotency-Key", "refused").want(http.StatusCreated)
	s.with("POST", "/users", `{}`, "Idempotency-Key", strings.Repeat("k", 256)).refuses("Idempotency-Key")
	// It is not looked at.
	s.with("PATCH", "/users/"+s.user.ID, `{}`, "Idempotency-Key", strings.Repeat("k", 256)).want(http.StatusOK)
}

// Who has no role for a path is refused before anything of the request is read.
func TestRolesComeFirst(t *testing.T) {
	s := start(t)
	s.as(store.RoleReadOnly)
	for _, route := range s.server.Routes() {
		method, path, _ := strings.Cut(route, " ")
		if method == "GET" || slices.Contains([]string{"POST /{e}/signOns"}, route) {
			continue
		}
		r := httptest.NewRequestWithContext(
			t.Context(),
			method,
			"/v1/environments"+s.fill(path),
			strings.NewReader("no JSON"),
		)
		r.Header.Set("Authorization", "Bearer "+s.token)
		s.do(r).want(http.StatusForbidden).has("code", "ACCESS_FAILED", "details", "<nil>")
	}
}
