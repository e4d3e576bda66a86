package signonpage

import (
	"fmt"
	"html"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"ldap-gateway/cloudlink/wire"
)

// changes sends the form for another password, with a code when there is one.
func (s *site) changes(c *http.Client, code string) answer {
	s.t.Helper()
	form := url.Values{"username": {"alice"}, "password": {"x"}, "new": {"y"}, "again": {"y"}}
	if code != "" {
		form.Set("code", code)
	}
	return s.do(c, "POST", "/"+s.env+"/signon/password", form, "Sec-Fetch-Site", "same-origin")
}

// changedIt tells whether the directory was asked to change the password.
func (s *site) changedIt() bool {
	return slices.ContainsFunc(s.asked, func(p string) bool { return strings.Contains(p, ">") })
}

// TestChangeWantsTheFactor: a password alone changes none of somebody who has a second factor, or is to have
// one, from wherever: of nobody who is signed on, of a session by password, of who has been told to change it.
// With the factor it does. Before the password is shown nobody hears who has one.
func TestChangeWantsTheFactor(t *testing.T) {
	for name, come := range map[string]func(s *site, c *http.Client){
		"nobody": func(*site, *http.Client) {},
		"told to": func(s *site, c *http.Client) {
			s.outcome, s.offers = "passwordMustChange", true
			s.post(c, "", "username", "alice", "password", "x")
		},
		"a session by password": func(s *site, c *http.Client) { s.post(c, "", "username", "alice", "password", "x") },
	} {
		for _, w := range []struct{ has, mfa, policy bool }{
			{}, {has: true}, {mfa: true}, {policy: true}, {true, true, false}, {true, false, true},
		} {
			t.Run(fmt.Sprintf("%s/has:%t/user:%t/policy:%t", name, w.has, w.mfa, w.policy), func(t *testing.T) {
				s := start(t)
				s.taken, s.changed.Outcome = true, wire.OutcomeOK
				secret := ""
				if w.has {
					secret, _ = s.has()
				}
				c := s.visitor()
				come(s, c)
				s.mfa(w.mfa)
				s.asksFactor(w.policy)
				a := s.changes(c, "")
				wanted := w.has || w.mfa || w.policy
				if free := !wanted || name == "told to" && !w.has; s.changedIt() != free {
					t.Fatalf("changed: %t, %d %s", s.changedIt(), a.status, a.page)
				}
				if !w.has {
					return
				}
				if s.changes(c, "000000"); s.changedIt() {
					t.Fatal("changed by a wrong code")
				}
				if a := s.changes(c, s.code(secret)); !s.changedIt() {
					t.Errorf("not changed with the code: %d %s", a.status, a.page)
				}
			})
		}
	}
}

// TestChangeByWayOfAnApplication: an application whose policy asks for nothing is no way to change a password
// where the default policy asks for a second factor.
func TestChangeByWayOfAnApplication(t *testing.T) {
	for _, session := range []bool{false, true} {
		s := start(t)
		s.taken, s.changed.Outcome = true, wire.OutcomeOK
		c := s.visitor()
		if session {
			s.post(c, "", "username", "alice", "password", "x")
		}
		s.asksFactor(true)
		s.flow.Policies = []string{s.policyWith("LOGIN")}
		a := s.post(c, "/password", "flow", "f1", "username", "alice", "password", "x", "new", "y", "again", "y")
		if s.changedIt() {
			t.Errorf("session %t: %d %s", session, a.status, a.page)
		}
	}
}

// TestWrongPasswordTellsOfNoFactor: whoever does not know the password reads the same of who has a second
// factor and of who has none.
func TestWrongPasswordTellsOfNoFactor(t *testing.T) {
	pages := map[bool]string{}
	for _, has := range []bool{true, false} {
		s := start(t)
		s.taken, s.outcome, s.changed.Outcome = true, "invalidCredentials", wire.OutcomeInvalidCredentials
		if has {
			s.has()
		}
		a := s.changes(s.visitor(), "")
		pages[has] = fmt.Sprint(a.status, strings.Contains(a.page, `name="code"`), strings.Contains(a.page, `role="alert"`))
	}
	if pages[true] != pages[false] {
		t.Errorf("%q and %q", pages[true], pages[false])
	}
}

// throughFactor gives the factor that a page asks for, or sets one up, and goes on as far as it leads.
func (s *site) throughFactor(c *http.Client, a answer, secret string) answer {
	s.t.Helper()
	form := url.Values{"flow": {"f1"}}
	path := "/" + s.env + "/signon/factor"
	if secret == "" {
		m := regexp.MustCompile(`<code>([A-Z2-7]+)</code>`).FindStringSubmatch(a.page)
		if m == nil {
			return a
		}
		path, secret = path+"/new", m[1]
	}
	form.Set("code", s.code(secret))
	a = s.follow(c, s.do(c, "POST", path, form, "Sec-Fetch-Site", "same-origin"))
	if set := setOf(a); set != "" {
		form.Set("set", set)
		a = s.do(c, "POST", "/"+s.env+"/signon/factor/codes", form, "Sec-Fetch-Site", "same-origin")
	}
	for range 3 {
		a = s.follow(c, a)
		next := regexp.MustCompile(`content="0; url=(/[^"]+)"`).FindStringSubmatch(a.page)
		if next == nil || strings.Contains(next[1], "/completed/") {
			break
		}
		a = s.do(c, "GET", html.UnescapeString(next[1]), nil)
	}
	return a
}

// TestFactorIsNoWayAroundTheSignOn: the addresses of the factor's pages lead into no application that would not
// have taken the sign-on of before: by its policy, its age, or without being asked about.
func TestFactorIsNoWayAroundTheSignOn(t *testing.T) {
	for name, set := range map[string]func(s *site){
		"a provider's policy": func(s *site) { s.flow.Policies = []string{s.policyWith("IDENTITY_PROVIDER")} },
		"an old sign-on":      func(s *site) { s.flow.MaxAge = 1 },
		"anew":                func(s *site) { s.flow.Anew, s.flow.MaxAge = true, 0 },
		"choose":              func(s *site) { s.flow.Choose = true },
		"another's hint":      func(s *site) { s.flow.LoginHint = "mei" },
		"another":             func(s *site) { s.flow.Subject = "somebody-else" },
	} {
		for _, has := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s/has:%t", name, has), func(t *testing.T) {
				s := start(t)
				s.taken = true
				secret := ""
				if has {
					secret, _ = s.has()
				}
				c := s.visitor()
				s.post(c, "", "username", "alice", "password", "x")
				s.clock += 2e9
				set(s)
				s.flow.Factor = true
				path := "/factor"
				if !has {
					path = "/factor/new"
				}
				a := s.follow(c, s.get(c, path+"?flow=f1"))
				if a.status != http.StatusOK {
					return // nothing is asked
				}
				if last := s.throughFactor(c, a, secret); strings.Contains(last.to+last.page, "/completed/") {
					t.Errorf("the application was told: %d %q %s", last.status, last.to, last.page)
				}
			})
		}
	}
}
