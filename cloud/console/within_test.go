package console_test

import (
	"net/http"
	"strings"
	"testing"

	"ldap-gateway/cloud/administrators"
	"ldap-gateway/cloud/console"
	"ldap-gateway/cloud/throttle"
)

// TestLongAnswersAreBounded: of every page that sends a list whole, or goes on, so many are
// under way; beyond them it says when to come again, and every other page is as ever.
func TestLongAnswersAreBounded(t *testing.T) {
	s := open(t)
	v := s.admin()
	f := s.fill(s.env.ID, "")
	var leave []func()
	for _, q := range []*throttle.Queue{&s.exports, &s.streams} {
		q.Places = 1
		out, err := q.Enter(t.Context(), throttle.Who{Owner: "another"})
		s.must(err)
		leave = append(leave, out)
	}
	long := 0
	_, closed := console.Routes()
	for _, pattern := range closed {
		method, path := f.at(pattern)
		if method != "GET" {
			continue
		}
		r, err := http.NewRequestWithContext(t.Context(), method, s.url+path, nil)
		s.must(err)
		answer, err := v.client.Do(r)
		s.must(err)
		s.must(answer.Body.Close())
		is := strings.HasSuffix(path, "/export") || strings.HasSuffix(path, "/live")
		if full := answer.StatusCode == http.StatusServiceUnavailable; full != is || full != (answer.Header.Get("Retry-After") != "") {
			t.Errorf("%s: %d %v", path, answer.StatusCode, answer.Header)
		}
		kind := answer.Header.Get("Content-Type")
		if is {
			long++
		} else if strings.HasPrefix(kind, "text/csv") || strings.HasPrefix(kind, "text/event-stream") || strings.Contains(kind, "jsonl") {
			t.Errorf("%s is a list as a whole, and goes on without a bound", path)
		}
	}
	if long < 4 {
		t.Errorf("%d are long", long)
	}
	leave[0]()
	v.get("/console/users/export").is(http.StatusOK)
	v.get("/console/users/export").is(http.StatusOK)
}

// TestManyPasswordsAreChecked: who comes when too many wait is told when to come again, at
// sign-in and when an administrator sets the first password or another.
func TestManyPasswordsAreChecked(t *testing.T) {
	s := open(t)
	v := s.admin()
	full := func(a answer) {
		t.Helper()
		if a.is(http.StatusServiceUnavailable).header.Get("Retry-After") == "" {
			t.Errorf("%s: %v", a.what, a.header)
		}
	}
	s.passwords.Places, s.passwords.OfOwner = 2, 1
	for _, who := range []throttle.Who{administrators.Stranger("192.0.2.1", ""), administrators.Known("nobody")} {
		leave, err := s.passwords.Enter(t.Context(), who)
		s.must(err)
		defer leave()
	}
	full(s.visitor().post("/console/sign-in", "name", "admin", "password", password))
	full(s.visitor().post("/console/setup", "name", "admin", "secret", secret, "password", password, "again", password))
	full(v.post("/console/sign-in", "name", "admin", "password", password))
	full(v.post("/console/account/password", "current", password, "password", password+"!", "again", password+"!"))
}
