package signonpage

import (
	"net/http"
	"regexp"
	"strings"
	"testing"

	"ldap-gateway/cloud/store"
)

var codeShown = regexp.MustCompile(`<code>([a-z2-7-]+)</code>`)

// codesIn are the recovery codes of a page.
func codesIn(a answer) (codes []string) {
	for _, m := range codeShown.FindAllStringSubmatch(a.page, -1) {
		codes = append(codes, m[1])
	}
	return codes
}

// comesFor is a browser in which alice gives what is asked for the application, as far as to the codes.
func (s *site) comesFor(secret string) (*http.Client, answer) {
	s.t.Helper()
	c := s.visitor()
	a := s.follow(c, s.post(c, "", "flow", "f1", "username", "alice", "password", "x"))
	path := "/factor"
	if secret == "" {
		path, secret = "/factor/new", secretShown.FindStringSubmatch(a.page)[1]
	}
	return c, s.follow(c, s.post(c, path, "flow", "f1", "code", s.code(secret)))
}

// TestRecoveryCodesCountOnceTheyAreKept, as the person says: a page that was lost, reloaded or opened twice costs
// nobody their codes. Until then none counts and the page comes again; of two windows those that are said to be kept
// are those that count; and those of before are good meanwhile.
func TestRecoveryCodesCountOnceTheyAreKept(t *testing.T) {
	s := start(t)
	s.asksFactor(true)
	c, a := s.comesFor("")
	if f := s.have(); len(codesIn(a)) != 10 || !f.Any() || f.Recovery.Made != 0 {
		t.Fatalf("%+v\n%s", f, a.page)
	}
	again := s.get(c, "/factor/codes?flow=f1") // a reload
	if len(codesIn(again)) != 10 || codesIn(again)[0] == codesIn(a)[0] {
		t.Fatalf("a reload shows %q", codesIn(again))
	}
	for name, form := range map[string][]string{
		"the first window": {"flow", "f1", "set", setOf(a)}, "no window": {"flow", "f1"},
	} {
		if told := s.post(c, "/factor/codes", form...); told.status != http.StatusConflict || len(codesIn(told)) != 10 ||
			!strings.Contains(told.page, "opened once more") || s.have().Recovery.Made != 0 {
			t.Errorf("%s: %d %s", name, told.status, told.page)
		}
	}
	again = s.get(c, "/factor/codes?flow=f1")
	if a := s.post(c, "/factor/codes", "flow", "f1", "set", setOf(again)); !inside(a) || s.have().Recovery.Left != 10 {
		t.Errorf("%d %s", a.status, a.page)
	}
	for _, action := range []string{"user.factor-added", "user.recovery-codes-made"} {
		all, _, err := s.db.Activities(t.Context(), s.env, store.ActivityFilter{Action: action}, store.Page{})
		if err != nil || len(all) != 1 || !strings.HasSuffix(all[0].Text, ", while they signed on") {
			t.Errorf("%+v, %v", all, err)
		}
	}
	s.later(halfLife)
	kept := codesIn(again)
	c = s.visitor()
	s.follow(c, s.post(c, "", "flow", "f1", "username", "alice", "password", "x"))
	if a := s.post(c, "/factor", "flow", "f1", "recovery", "1", "code", kept[0]); !inside(a) {
		t.Errorf("a code that was kept: %s", a.page)
	}
	s.get(c, "/factor/codes") // opened, and left
	if a := s.post(c, "/factor/codes"); a.status != http.StatusConflict || s.have().Recovery.Left != 9 {
		t.Errorf("%+v", s.have().Recovery)
	}
}

// TestCodesThatWereNotKeptComeAgain at each sign-on until they are, also for who went on without.
func TestCodesThatWereNotKeptComeAgain(t *testing.T) {
	s := start(t)
	s.asksFactor(true)
	c := s.visitor()
	a := s.follow(c, s.post(c, "", "flow", "f1", "username", "alice", "password", "x"))
	secret := secretShown.FindStringSubmatch(a.page)[1]
	s.post(c, "/factor/new", "flow", "f1", "code", s.code(secret))
	if a := s.get(c, "?flow=f1"); !inside(a) {
		t.Errorf("who has given the factor is kept out: %s", a.page)
	}
	for _, keeps := range []bool{false, true, true} {
		s.later(halfLife)
		had := s.have().Recovery.Made > 0
		c, a := s.comesFor(secret)
		if shown := len(codesIn(a)) == 10; shown == had {
			t.Fatalf("had %t, shown %t: %s", had, shown, a.page)
		}
		if keeps && !had {
			s.post(c, "/factor/codes", "flow", "f1", "set", setOf(a))
		}
	}
}

// TestTwoWindowsSetUpAFactor: in one browser they show one secret, so that what was read in one is right in the
// other; whoever is second is told what happened, in the same browser and in another, and nothing of theirs is kept.
func TestTwoWindowsSetUpAFactor(t *testing.T) {
	for _, flow := range []string{"", "f1"} {
		s := start(t)
		s.asksFactor(true)
		signOn := func() (*http.Client, string) {
			c := s.visitor()
			a := s.follow(c, s.post(c, "", "flow", flow, "username", "alice", "password", "x"))
			return c, secretShown.FindStringSubmatch(a.page)[1]
		}
		c, secret := signOn()
		other, others := signOn()
		if again := secretShown.FindStringSubmatch(s.get(c, "/factor/new?flow="+flow).page); secret == others || again[1] != secret {
			t.Fatalf("%s, then %s, and elsewhere %s", secret, again[1], others)
		}
		if a := s.post(c, "/factor/new", "flow", flow, "code", s.code(secret)); a.status != http.StatusSeeOther {
			t.Fatalf("%d %s", a.status, a.page)
		}
		before := s.have()
		for _, form := range [][]string{{"code", s.code(secret)}, {"code", "000000"}, {"answer", "{}"}} {
			a := s.post(c, "/factor/new", append(form, "flow", flow)...)
			if form[0] == "code" && (a.status != http.StatusConflict || !strings.Contains(a.page, "set up in another window")) {
				t.Errorf("the same browser, %q: %d %s", form, a.status, a.page)
			}
			a = s.post(other, "/factor/new", append(form, "flow", flow)...)
			if a.status != http.StatusConflict || !strings.Contains(a.page, "set up meanwhile") || !strings.Contains(a.page, `id="code"`) {
				t.Errorf("another browser, %q: %d %s", form, a.status, a.page)
			}
		}
		if now := s.have(); string(now.OneTime) != string(before.OneTime) || len(now.Passkeys) != 0 {
			t.Errorf("%+v", now)
		}
		s.later(halfLife / 2)
		if a := s.follow(other, s.post(other, "/factor", "flow", flow, "code", s.code(secret))); len(codesIn(a)) != 10 {
			t.Errorf("the one that was set up is not taken: %s", a.page)
		}
	}
}

// TestTenMinutesEnd with a page that says so and leads back, once; and somebody else who is to sign on ends them.
func TestTenMinutesEnd(t *testing.T) {
	for _, path := range []string{"/factor", "/factor/new", "/factor/codes"} {
		for _, flow := range []string{"", "f1"} {
			for _, post := range []bool{false, true} {
				s := start(t)
				s.asksFactor(true)
				s.has()
				c := s.visitor()
				s.follow(c, s.post(c, "", "flow", flow, "username", "alice", "password", "x"))
				s.later(halfLife)
				ask := func() answer {
					if post {
						return s.post(c, path, "flow", flow, "code", "000000")
					}
					return s.get(c, path+"?flow="+flow)
				}
				a := ask()
				leads := strings.Contains(a.page, `href="/`+s.env+`/signon`)
				if a.status != http.StatusForbidden || !strings.Contains(a.page, "That took too long") || !leads ||
					strings.Contains(a.page, "/decline?flow=f1") != (flow != "") || flow != "" && !strings.Contains(a.page, "signon?flow=f1") {
					t.Errorf("%s, %q: %d %q %s", path, flow, a.status, a.to, a.page)
				}
				if a := ask(); a.status != http.StatusSeeOther {
					t.Errorf("%s, %q, once more: %d %s", path, flow, a.status, a.page)
				}
			}
		}
	}
}

// TestSomebodyElseBeginsAnew: of whom was asked for a second factor nothing is left in a browser in which somebody
// else is to sign on.
func TestSomebodyElseBeginsAnew(t *testing.T) {
	for _, has := range []bool{true, false} {
		s := start(t)
		s.asksFactor(true)
		if has {
			s.has()
		}
		c := s.visitor()
		s.follow(c, s.post(c, "", "flow", "f1", "username", "alice", "password", "x"))
		if a := s.get(c, "?flow=f1&anew=1"); !passwordField.MatchString(a.page) {
			t.Fatal(a.page)
		}
		for _, path := range []string{"/factor", "/factor/new"} {
			if a := s.get(c, path+"?flow=f1"); a.status != http.StatusSeeOther || !strings.HasSuffix(a.to, "/signon?flow=f1") {
				t.Errorf("%s: %d %q %s", path, a.status, a.to, a.page)
			}
		}
	}
}
