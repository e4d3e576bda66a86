package signonpage

import (
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"ldap-gateway/cloud/store"
)

// later has time pass.
func (s *site) later(by time.Duration) { s.clock += by }

// signedOn is a browser in which alice has signed on, with the factor if she has one and it is asked for.
func (s *site) signedOn(secret string) *http.Client {
	s.t.Helper()
	c := s.visitor()
	a := s.follow(c, s.post(c, "", "username", "alice", "password", "x"))
	if strings.Contains(a.page, "One more step") {
		s.gives(c, a, secret)
	}
	return c
}

// have is what alice has.
func (s *site) have() store.PersonFactors {
	s.t.Helper()
	f, err := s.db.PersonFactors(s.t.Context(), s.env, s.alice.ID)
	check(s.t, err)
	return f
}

// changes are all that can be done to factors on a person's own pages.
var changes = map[string]func(s *site, c *http.Client) answer{
	"see":    func(s *site, c *http.Client) answer { return s.get(c, "/factors") },
	"set up": func(s *site, c *http.Client) answer { return s.get(c, "/factor/new?then=factors") },
	"keep": func(s *site, c *http.Client) answer {
		return s.post(c, "/factor/new", "then", "factors", "code", "000000")
	},
	"keep a passkey":   func(s *site, c *http.Client) answer { return s.post(c, "/factor/new", "answer", "{}") },
	"give up":          func(s *site, c *http.Client) answer { return s.post(c, "/factors", "do", "one-time") },
	"give up a key":    func(s *site, c *http.Client) answer { return s.post(c, "/factors", "do", "passkey", "id", "p") },
	"see codes":        func(s *site, c *http.Client) answer { return s.get(c, "/factor/codes?then=factors") },
	"keep codes":       func(s *site, c *http.Client) answer { return s.post(c, "/factor/codes", "then", "factors") },
	"the new's secret": func(s *site, c *http.Client) answer { return s.get(c, "/factor/new.png") },
}

// TestStolenSessionChangesNoFactor: with nothing but a session that is old, or whose factor was given long ago,
// nothing of somebody's factors is seen or changed; who has one is asked for it, who has none for the password.
func TestStolenSessionChangesNoFactor(t *testing.T) {
	for _, has := range []bool{true, false} {
		for name, change := range changes {
			s := start(t)
			secret, codes := "", []string(nil)
			if has {
				secret, codes = s.has()
				s.asksFactor(true)
			}
			c := s.signedOn(secret)
			s.later(halfLife)
			before := s.have()
			a := change(s, c)
			asked := strings.Contains(a.to, "/signon/factor") || strings.Contains(a.to, "anew=1") || a.status == http.StatusNotFound
			if after := s.have(); !asked || strings.Contains(a.page, "Remove") ||
				len(after.OneTime) != len(before.OneTime) || after.Recovery != before.Recovery {
				t.Errorf("has %v, %s: %d to %q, %v, %d codes\n%s", has, name, a.status, a.to, after.Recovery, len(codes), a.page)
			}
		}
	}
}

// TestOwnFactors: a person sets up a factor on their own page, proves it by a recovery code that is good once,
// makes other codes, replaces the factor and gives it up; all of that is told.
func TestOwnFactors(t *testing.T) {
	s := start(t)
	c := s.signedOn("")
	if a := s.get(c, ""); !strings.Contains(a.page, "/signon/factors") {
		t.Error("no link to it:", a.page)
	}
	if a := s.get(c, "/factors"); !strings.Contains(a.page, "Not set up.") || strings.Contains(a.page, "Remove") {
		t.Error(a.page)
	}
	_, codes := s.gives(c, s.get(c, "/factor/new?then=factors"), "")
	first := s.have()
	s.later(time.Hour)
	if a := s.follow(c, s.get(c, "/factors")); !strings.Contains(a.page, "One more step") || !strings.Contains(a.page, "recovery=1") {
		t.Fatal("not asked for it:", a.page)
	}
	for i, want := range []bool{true, false} {
		s.later(time.Hour)
		a := s.follow(c, s.post(c, "/factor", "then", "factors", "recovery", "1", "code", codes[0]))
		if strings.Contains(a.page, "Remove") != want {
			t.Errorf("code, use %d: %d %s", i+1, a.status, a.page)
		}
	}
	s.follow(c, s.post(c, "/factor", "then", "factors", "recovery", "1", "code", codes[1]))
	if a := s.get(c, "/factor/codes?then=factors"); strings.Count(a.page, "<code>") != 10 || strings.Contains(a.page, codes[2]) {
		t.Error(a.page)
	} else {
		s.post(c, "/factor/codes", "then", "factors", "set", setOf(a))
	}
	if a := s.get(c, "/factor/new?then=factors"); !strings.Contains(a.page, "takes the place") {
		t.Error(a.page)
	} else {
		s.setsUpAnew(c, a)
	}
	if now := s.have(); string(now.OneTime) == string(first.OneTime) || now.Recovery.Left != 10 {
		t.Errorf("%+v", now)
	}
	s.post(c, "/factors", "do", "one-time")
	if f := s.have(); f.Any() || f.Recovery.Made != 0 {
		t.Errorf("%+v", f)
	}
	all, _, err := s.db.Activities(t.Context(), s.env, store.ActivityFilter{Subject: "user:" + s.alice.ID}, store.Page{})
	check(t, err)
	told := map[string]int{}
	changed := []string{"user.factor-added", "user.factor-replaced", "user.factor-removed", "user.recovery-codes-made"}
	for _, a := range all {
		told[a.Action]++
		if slices.Contains(changed, a.Action) && !strings.HasSuffix(a.Text, ", on their own page") {
			t.Errorf("%+v", a)
		}
		if strings.Contains(a.Text, codes[0]) || a.Actor != "user:"+s.alice.ID || a.Detail["address"] == nil {
			t.Errorf("%+v", a)
		}
	}
	for _, want := range []string{
		"user.factor-added", "user.factor-replaced", "user.factor-proven", "user.factor-refused", "user.recovery-codes-made",
		"user.recovery-code-used", "user.factor-removed",
	} {
		if told[want] == 0 {
			t.Errorf("%s is not told: %v", want, told)
		}
	}
	if told["user.factor-added"] != 1 || told["user.factor-replaced"] != 1 {
		t.Errorf("%v", told)
	}
}

// setsUpAnew sets up one-time passwords in the place of others.
func (s *site) setsUpAnew(c *http.Client, a answer) {
	s.t.Helper()
	m := regexp.MustCompile(`<code>([A-Z2-7]+)</code>`).FindStringSubmatch(a.page)
	if m == nil {
		s.t.Fatal(a.page)
	}
	if a = s.follow(c, s.post(c, "/factor/new", "then", "factors", "code", s.code(m[1]))); !inside(a) {
		s.t.Errorf("%d %q %s", a.status, a.to, a.page)
	}
}

// TestWhoSetsAFactorUpByChoice may leave it, and reads nothing of what they have to do; who is to set one up may not.
func TestWhoSetsAFactorUpByChoice(t *testing.T) {
	for _, asked := range []bool{false, true} {
		s := start(t)
		s.asksFactor(asked)
		c := s.visitor()
		s.post(c, "", "username", "alice", "password", "x")
		a := s.follow(c, s.get(c, "/factor/new?then=factors"))
		must, may := strings.Contains(a.page, "from now on"), strings.Contains(a.page, `/signon/factors">Cancel</a>`)
		if a.status != http.StatusOK || must != asked || may == asked {
			t.Errorf("asked %t: %d, must %t, may %t: %s", asked, a.status, must, may, a.page)
		}
	}
}
