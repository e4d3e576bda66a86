package api_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"ldap-gateway/cloud/store"
	"ldap-gateway/cloud/throttle"
)

// with makes a request with headers, given as names and values in turn.
func (s *site) with(method, path, body string, headers ...string) answer {
	s.t.Helper()
	r := httptest.NewRequestWithContext(s.t.Context(), method, "/v1/environments/"+s.env+path, strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer "+s.token)
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	return s.do(r)
}

// Of many at once that write what they have read, one does.
func TestIfMatch(t *testing.T) {
	s := start(t)
	path := "/groups/" + s.group.ID
	read := s.send("GET", path, "").want(http.StatusOK)
	etag := read.header.Get("ETag")
	s.with("GET", path, "", "If-None-Match", `"other", W/`+etag).want(http.StatusNotModified)
	s.with("GET", path, "", "If-None-Match", `"other"`).want(http.StatusOK)
	if s.send("GET", "/groups", "").header.Get("ETag") == "" {
		t.Error("a list has no validator")
	}
	s.with("PATCH", path, `{"description":"x"}`, "If-Match", `"other"`).want(http.StatusPreconditionFailed)
	var mu sync.Mutex
	got := map[int]int{}
	var all sync.WaitGroup
	for i := range 20 {
		all.Go(func() {
			a := s.with("PATCH", path, fmt.Sprintf(`{"description":"by %d"}`, i), "If-Match", etag)
			mu.Lock()
			defer mu.Unlock()
			got[a.status]++
		})
	}
	all.Wait()
	if got[http.StatusOK] != 1 || got[http.StatusPreconditionFailed] != 19 {
		t.Errorf("%v", got)
	}
	s.with("DELETE", path, "", "If-Match", etag).want(http.StatusPreconditionFailed)
	s.with("DELETE", path, "", "If-Match", "*").want(http.StatusNoContent)
	s.with("DELETE", path, "", "If-Match", "*").want(http.StatusNotFound)
}

// An If-Match that nothing obeys is refused by name before anything is done: whoever
// sends it believes that it counts.
func TestIfMatchIsNeverPassedOver(t *testing.T) {
	s := start(t)
	s.as(store.RoleOwner)
	s.waits("WAIT-0001")
	gateway, user := "/gateways/"+s.gateway.ID, "/users/"+s.user.ID
	posts := []struct{ path, body string }{
		{user + "/off", ""},
		{user + "/memberOfGroups", `{"id":"` + s.group.ID + `"}`},
		{gateway + "/userTypes/" + s.gateway.UserTypes[0].ID + "/relink", "{}"},
		{gateway + "/userTypes", "{}"},
		{gateway + "/kerberosKeys", "{}"},
		{gateway + "/pairings", `{"code":"WAIT-0001"}`},
		{gateway + "/credentials", ""},
		{gateway + "/instances/" + s.instance.ID + "/rotate", ""},
		{"/applications/" + s.application.ID + "/secret", ""},
		{"/administrators/" + s.administrator.ID + "/reset", ""},
		{"/groups", `{"name":"new"}`},
		{"/signOns", `{"username":"ada","password":"x"}`},
	}
	for _, p := range posts {
		s.with("POST", p.path, p.body, "If-Match", "*").refuses("If-Match").has("code", "INVALID_DATA")
	}
	u, err := s.store.User(t.Context(), s.env, s.user.ID)
	if err != nil || u.SignOffs != 0 || len(s.links.told) > 0 || s.signOns.asked.Username != "" {
		t.Errorf("something was done: %d, %v, %v", u.SignOffs, s.links.told, err)
	}
	if groups, err := s.store.UserGroups(t.Context(), s.env, s.user.ID); err != nil || len(groups) != 1 {
		t.Errorf("%d groups, %v", len(groups), err)
	}
	s.with("DELETE", user+"/secondFactor", "", "If-Match", "*").refuses("If-Match").has("code", "INVALID_REQUEST")
	s.with("DELETE", gateway+"/kerberosKeys/x", "", "If-Match", "*").refuses("If-Match")
	s.send("POST", user+"/off", "").want(http.StatusNoContent)
}

// However often a POST comes under one key, it is done once.
func TestIdempotencyKey(t *testing.T) {
	s := start(t)
	body := `{"name":"made once"}`
	var mu sync.Mutex
	got := map[string]int{}
	var all sync.WaitGroup
	for range 50 {
		all.Go(func() {
			a := s.with("POST", "/groups", body, "Idempotency-Key", "k1")
			mu.Lock()
			defer mu.Unlock()
			got[fmt.Sprint(a.status, " ", a.at("id"))]++
		})
	}
	all.Wait()
	again := s.with("POST", "/groups", body, "Idempotency-Key", "k1").want(http.StatusCreated)
	for what := range got {
		if !strings.HasPrefix(what, "409 ") && what != "201 "+again.at("id") {
			t.Errorf("%v, and later %s", got, again.at("id"))
		}
	}
	if found, _, err := s.store.Groups(
		t.Context(),
		s.env,
		store.GroupFilter{Name: "made once"},
		store.Page{},
	); err != nil || len(found) != 1 {
		t.Errorf("%d groups, %v", len(found), err)
	}
	s.with("POST", "/groups", `{"name":"another"}`, "Idempotency-Key", "k1").want(http.StatusUnprocessableEntity)
	s.with("POST", "/users", body, "Idempotency-Key", "k1").want(http.StatusUnprocessableEntity)
	s.with("POST", "/groups", `{"name":""}`, "Idempotency-Key", "k2").want(http.StatusBadRequest)
	s.with("POST", "/groups", `{"name":"put right"}`, "Idempotency-Key", "k2").want(http.StatusCreated)
	s.with("POST", "/groups", body, "Idempotency-Key", strings.Repeat("k", 256)).refuses("Idempotency-Key")

	path := "/gateways/" + s.gateway.ID + "/credentials"
	told := s.with("POST", path, "", "Idempotency-Key", "k3").want(http.StatusCreated).at("credential")
	if a := s.with("POST", path, "", "Idempotency-Key", "k3").want(http.StatusConflict); told == "" ||
		strings.Contains(a.text, told) {
		t.Error("a secret is told twice")
	}
}

func TestRateLimit(t *testing.T) {
	s := start(t)
	s.server.Requests, s.server.Bounds = 60, &throttle.Bounds{}
	for left := 9; left >= 0; left-- {
		a := s.send("GET", "/populations", "").want(http.StatusOK)
		if got, want := a.header.Get("RateLimit"), fmt.Sprintf(`"client";r=%d`, left); got != want ||
			a.header.Get("RateLimit-Policy") != `"client";q=60;w=60` {
			t.Errorf("%s, want %s", got, want)
		}
	}
	a := s.send("GET", "/populations", "").want(http.StatusTooManyRequests).has("code", "REQUEST_LIMITED")
	if a.header.Get("Retry-After") != "1" || s.server.Bounds.Of(throttle.Requests).Total() != 1 {
		t.Error(a.header, "or nobody counts it")
	}
	s.now = s.now.Add(1e9)
	s.send("GET", "/populations", "").want(http.StatusOK)
}

func TestCredentials(t *testing.T) {
	s := start(t)
	path := "/gateways/" + s.gateway.ID + "/credentials"
	made := s.send("POST", path, "").want(http.StatusCreated)
	if len(made.at("credential")) < 8 {
		t.Errorf("no code: %s", made.text)
	}
	id := made.at("id")
	s.send("GET", path+"/"+id, "").want(http.StatusOK).has("id", id, "credential", "<nil>")
	s.send("GET", path, "").want(http.StatusOK).has("count", "2")
	s.send("DELETE", path+"/"+id, "").want(http.StatusNoContent)
	s.send("GET", path+"/"+id, "").want(http.StatusNotFound)
}
