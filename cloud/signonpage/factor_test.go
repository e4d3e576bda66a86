package signonpage

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"ldap-gateway/cloud/factors"
	"ldap-gateway/cloud/store"
	"ldap-gateway/cloudlink/wire"
)

// asksFactor has the default policy ask for a second factor, or no more.
func (s *site) asksFactor(asks bool) {
	s.t.Helper()
	p, err := s.db.DefaultSignOnPolicy(s.t.Context(), s.env)
	if err != nil {
		p = store.SignOnPolicy{EnvironmentID: s.env, Name: "Single_Factor", Default: true}
	}
	p.Actions = nil
	if asks {
		p.Actions = []store.PolicyAction{{ID: "mfa", Type: store.ActionMultiFactor, Priority: 2}}
	}
	check(s.t, s.db.SavePolicy(s.t.Context(), &p))
}

// policyWith makes a policy of an application's own.
func (s *site) policyWith(types ...string) string {
	s.t.Helper()
	p := store.SignOnPolicy{EnvironmentID: s.env, Name: fmt.Sprint(types)}
	for i, kind := range types {
		p.Actions = append(p.Actions, store.PolicyAction{ID: kind, Type: kind, Priority: i + 1})
	}
	check(s.t, s.db.SavePolicy(s.t.Context(), &p))
	return p.ID
}

// has gives alice one-time passwords, and returns their secret and her recovery codes. An hour passes, so
// that no code of it was used.
func (s *site) has() (secret string, codes []string) {
	s.t.Helper()
	f := s.factors()
	key, err := f.NewOneTime("Acme", s.alice)
	check(s.t, err)
	check(s.t, f.KeepOneTime(s.t.Context(), factors.Who{User: s.alice}, key, s.code(key.Secret())))
	codes, hashes := factors.NewCodes()
	check(s.t, f.KeepCodes(s.t.Context(), factors.Who{User: s.alice}, hashes))
	s.clock += time.Hour
	return key.Secret(), codes
}

// code is what the authenticator app shows now.
func (s *site) code(secret string) string {
	s.t.Helper()
	code, err := totp.GenerateCode(secret, s.now())
	check(s.t, err)
	return code
}

// follow goes along with redirects on this site, and returns the last answer.
func (s *site) follow(c *http.Client, a answer) answer {
	s.t.Helper()
	for range 8 {
		if !strings.HasPrefix(a.to, "/"+s.env) {
			return a
		}
		a = s.do(c, "GET", a.to, nil)
	}
	s.t.Fatal("it leads round and round: ", a.to)
	return a
}

// wayIn is one by which a browser comes to be signed on, or goes on that is.
type wayIn struct {
	flow bool // it is for the application
	go_  func(s *site, c *http.Client) answer
}

// waysIn are all of those that begin with a proof; ofBefore all that begin with a session of before.
func waysIn() map[string]wayIn {
	ticket := []string{"Authorization", "Negotiate YII"}
	return map[string]wayIn{
		"password": {false, func(s *site, c *http.Client) answer {
			return s.post(c, "", "username", "alice", "password", "x")
		}},
		"password for an application": {true, func(s *site, c *http.Client) answer {
			return s.post(c, "", "flow", "f1", "username", "alice", "password", "x")
		}},
		"password, on to the console": {false, func(s *site, c *http.Client) answer {
			return s.post(c, "", "then", "console", "username", "alice", "password", "x")
		}},
		"password, on to another": {false, func(s *site, c *http.Client) answer {
			return s.post(c, "", "then", "password", "username", "alice", "password", "x")
		}},
		"ticket": {false, func(s *site, c *http.Client) answer { return s.get(c, "", ticket...) }},
		"ticket for an application": {true, func(s *site, c *http.Client) answer {
			return s.get(c, "?flow=f1", ticket...)
		}},
	}
}

func ofBefore() map[string]wayIn {
	get := func(more string) func(s *site, c *http.Client) answer {
		return func(s *site, c *http.Client) answer { return s.get(c, more) }
	}
	return map[string]wayIn{
		"page":              {false, get("")},
		"page of the off":   {false, get("/off")},
		"password":          {false, get("/password")},
		"then the password": {false, get("?then=password")},
		"console":           {false, get("?then=console")},
		"factors":           {false, get("/factors")},
		"application":       {true, get("?flow=f1")},
		"sessions": {false, func(s *site, c *http.Client) answer {
			return s.post(c, "/sessions")
		}},
		"the yes of an application": {true, func(s *site, c *http.Client) answer {
			return s.post(c, "/confirm", "flow", "f1")
		}},
		"what follows codes": {true, func(s *site, c *http.Client) answer {
			return s.post(c, "/factor/codes", "flow", "f1")
		}},
	}
}

// inside tells whether an answer is one that only somebody who has signed on gets.
func inside(a answer) bool {
	return strings.Contains(a.to+a.page, "/completed/") || strings.Contains(a.to, "/console/") ||
		strings.Contains(a.page, "You are signed on") ||
		strings.Contains(a.page, "is not changed here") || strings.Contains(a.page, "Your second factor")
}

// wants are why a second factor is wanted, for an application and not.
var wants = map[string]struct {
	flow, asks bool
	set        func(s *site)
}{
	"nobody":                        {true, false, func(s *site) {}},
	"the default policy":            {true, true, func(s *site) { s.asksFactor(true) }},
	"the default policy, of none":   {false, true, func(s *site) { s.asksFactor(true) }},
	"the user":                      {true, true, func(s *site) { s.mfa(true) }},
	"the user, for none":            {false, true, func(s *site) { s.mfa(true) }},
	"the application":               {true, true, func(s *site) { s.flow.Factor = true }},
	"the policy of the application": {true, true, func(s *site) { s.flow.Policies = []string{s.policyWith("LOGIN", store.ActionMultiFactor)} }},
	"no policy of the application":  {true, false, func(s *site) { s.asksFactor(true); s.flow.Policies = []string{s.policyWith("LOGIN")} }},
	"the first after which one asks": {true, false, func(s *site) {
		s.flow.Policies = []string{s.policyWith("LOGIN"), s.policyWith("LOGIN", store.ActionMultiFactor)}
	}},
	"the policy of another application": {false, false, func(s *site) { s.policyWith("LOGIN", store.ActionMultiFactor) }},
}

func (s *site) mfa(on bool) {
	s.t.Helper()
	s.alice.Kept.MFA = on
	check(s.t, s.db.UpdateUser(s.t.Context(), &s.alice))
}

// TestNoWayPastTheFactor: whoever is asked for a second factor, on whatever way they came, with a factor or
// without, reaches nothing before it is given, and what they came for after.
func TestNoWayPastTheFactor(t *testing.T) {
	for way, in := range waysIn() {
		for want, w := range wants {
			for _, has := range []bool{true, false} {
				if in.flow != w.flow {
					continue
				}
				t.Run(fmt.Sprintf("%s/%s/has:%t", way, want, has), func(t *testing.T) {
					s := start(t)
					s.taken, s.changed.Outcome = true, wire.OutcomeOK
					secret := ""
					if has {
						secret, _ = s.has()
					}
					w.set(s)
					c := s.visitor()
					a := s.follow(c, in.go_(s, c))
					// The console is told of whoever has a factor.
					asks := w.asks || has && strings.Contains(way, "console")
					if inside(a) == asks {
						t.Fatalf("asked: %t, and it is %d to %q: %s", asks, a.status, a.to, a.page)
					}
					if asks {
						s.outside(c, secret)
						s.gives(c, a, secret)
					}
				})
			}
		}
	}
}

// outside fails if a browser, in which the first proof was given alone, reaches anything.
func (s *site) outside(c *http.Client, secret string) {
	s.t.Helper()
	r, err := http.NewRequest("GET", s.url, nil)
	check(s.t, err)
	for _, cookie := range c.Jar.Cookies(r.URL) {
		r.AddCookie(cookie)
	}
	if _, ok, err := NewSessions(s.db, false).PersonOf(r, s.env); ok || err != nil {
		s.t.Errorf("there is a session: %v", err)
	}
	for name, way := range ofBefore() {
		if a := way.go_(s, c); inside(a) {
			s.t.Errorf("%s is reached: %d %q %s", name, a.status, a.to, a.page)
		}
	}
	if secret == "" {
		return
	}
	// Who has a factor does not set up another in its place.
	for _, a := range []answer{s.get(c, "/factor/new"), s.post(c, "/factor/new", "code", "000000")} {
		if told := a.status == http.StatusConflict && !secretShown.MatchString(a.page); !told && !strings.HasSuffix(a.to, "/signon/factor") {
			s.t.Errorf("another factor can be set up: %d %q", a.status, a.to)
		}
	}
}

var hidden = regexp.MustCompile(`name="(flow|then)" value="([^"]*)"`)

// gives gives the factor that a page asks for, or sets one up, and fails unless that leads inside. It returns
// what was set up, and recovery codes that were shown.
func (s *site) gives(c *http.Client, a answer, secret string) (set string, codes []string) {
	s.t.Helper()
	form := url.Values{}
	for _, m := range hidden.FindAllStringSubmatch(a.page, -1) {
		form.Set(m[1], m[2])
	}
	path := "/" + s.env + "/signon/factor"
	if secret == "" {
		m := regexp.MustCompile(`<code>([A-Z2-7]+)</code>`).FindStringSubmatch(a.page)
		if m == nil {
			s.t.Fatalf("no factor can be set up: %s", a.page)
		}
		path, secret = path+"/new", m[1]
	}
	form.Set("code", "000000")
	if a := s.do(c, "POST", path, form, "Sec-Fetch-Site", "same-origin"); a.status != http.StatusForbidden || inside(a) {
		s.t.Errorf("a wrong code: %d %s", a.status, a.page)
	}
	form.Set("code", s.code(secret))
	a = s.follow(c, s.do(c, "POST", path, form, "Sec-Fetch-Site", "same-origin"))
	for _, m := range regexp.MustCompile(`<code>([a-z2-7-]+)</code>`).FindAllStringSubmatch(a.page, -1) {
		codes = append(codes, m[1])
	}
	if strings.HasSuffix(path, "/new") && len(codes) != 10 {
		s.t.Fatalf("%d recovery codes: %s", len(codes), a.page)
	}
	if len(codes) > 0 {
		form.Del("code")
		form.Set("set", setOf(a))
		a = s.do(c, "POST", "/"+s.env+"/signon/factor/codes", form, "Sec-Fetch-Site", "same-origin")
	}
	if a = s.follow(c, a); !inside(a) {
		s.t.Errorf("the factor leads to %d %q: %s", a.status, a.to, a.page)
	}
	return secret, codes
}

// setOf is which recovery codes a page shows.
func setOf(a answer) string {
	m := regexp.MustCompile(`name="set" value="([^"]*)"`).FindStringSubmatch(a.page)
	if m == nil {
		return ""
	}
	return m[1]
}

// TestStepUp: a session without a factor reaches what asks for none, and what asks for one after it was
// given, under a new token; where no page may be shown, nobody is signed on.
func TestStepUp(t *testing.T) {
	for name, way := range ofBefore() {
		t.Run(name, func(t *testing.T) {
			s := start(t)
			secret, _ := s.has()
			c := s.visitor()
			if a := s.follow(c, s.post(c, "", "username", "alice", "password", "x")); !inside(a) {
				t.Fatal(a.page)
			}
			s.asksFactor(true)
			for _, silent := range []bool{true, false} {
				if s.flow.Silent = silent; silent && !way.flow {
					continue
				}
				a := s.follow(c, way.go_(s, c))
				if inside(a) || silent && a.to != "/refused/f1" {
					t.Fatalf("silent: %t, %d %q: %s", silent, a.status, a.to, a.page)
				}
				if silent {
					continue
				}
				if way.flow && !strings.Contains(a.page, "One more step") {
					a = s.follow(c, s.get(c, "?flow=f1"))
				}
				before := s.token(c)
				s.gives(c, a, secret)
				if s.token(c) == before {
					t.Error("the token is the same")
				}
			}
		})
	}
}

// token is that of the session.
func (s *site) token(c *http.Client) string {
	s.t.Helper()
	u, err := url.Parse(s.url)
	check(s.t, err)
	for _, cookie := range c.Jar.Cookies(u) {
		if cookie.Name == "ldap-cloud-person" {
			return cookie.Value
		}
	}
	return ""
}

// TestStrangersTryNoFactor: without the first proof no factor is looked at, and none of somebody's tries is used up;
// what was given is good for ten minutes, and for nobody who may not sign on any more.
func TestStrangersTryNoFactor(t *testing.T) {
	s := start(t)
	secret, codes := s.has()
	s.asksFactor(true)
	for _, path := range []string{"/factor", "/factor/new"} {
		for range 15 {
			if a := s.post(s.visitor(), path, "code", s.code(secret)); !strings.HasSuffix(a.to, "/signon") {
				t.Fatalf("%s: %d %q", path, a.status, a.to)
			}
		}
	}
	half := func() *http.Client {
		c := s.visitor()
		if a := s.follow(c, s.post(c, "", "username", "alice", "password", "x")); !strings.Contains(a.page, "One more step") {
			t.Fatal(a.page)
		}
		return c
	}
	for name, end := range map[string]func(){
		"ten minutes": func() { s.clock += halfLife },
		"signed off":  func() { check(t, s.db.SignOffUser(t.Context(), s.env, s.alice.ID)) },
	} {
		c := half()
		end()
		if a := s.follow(c, s.post(c, "/factor", "code", s.code(secret))); inside(a) {
			t.Errorf("%s: %s", name, a.page)
		}
	}
	c := half()
	u, err := s.db.User(t.Context(), s.env, s.alice.ID)
	check(t, err)
	u.Enabled = false
	check(t, s.db.UpdateUser(t.Context(), &u))
	if a := s.follow(c, s.post(c, "/factor", "recovery", "1", "code", codes[0])); inside(a) {
		t.Errorf("disabled: %s", a.page)
	}
}

// TestHalfOfAnotherEndsASession: whoever gives the first proof in a browser of somebody else has that one signed
// off, and their own session goes on.
func TestHalfOfAnotherEndsASession(t *testing.T) {
	s := start(t)
	c := s.signedOn("")
	bob := s.alice
	bob.ID, bob.Username = "", "bob"
	check(t, s.db.CreateUser(t.Context(), &bob))
	s.asksFactor(true)
	alice := s.alice
	for _, who := range []store.User{alice, bob} {
		s.alice = who // who signs on
		s.follow(c, s.post(c, "", "username", who.Username, "password", "x"))
		s.asksFactor(false)
		if a := s.get(c, ""); strings.Contains(a.page, "You are signed on") != (who.ID == alice.ID) {
			t.Errorf("%s: %s", who.Username, a.page)
		}
		s.asksFactor(true)
	}
}
