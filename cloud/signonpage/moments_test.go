package signonpage

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"ldap-gateway/cloud/store"
	"ldap-gateway/cloudlink/wire"
)

// moment is one between two requests of a person's: what came before, and what comes next.
type moment struct {
	flow         bool // they come for the application
	before, next func(p *partners, c *http.Client) answer
}

// at returns a request of a moment.
func at(method, path string, fields ...string) func(p *partners, c *http.Client) answer {
	return func(p *partners, c *http.Client) answer {
		if method == "GET" {
			return p.follow(c, p.get(c, path))
		}
		return p.follow(c, p.post(c, path, fields...))
	}
}

// returns is how a provider's answer comes back whose journey is under way.
func returns(flow string) moment {
	begun := func(p *partners, c *http.Client) answer {
		p.walk(p.visitor(), "/"+p.env+"/signon/idp/"+p.p.ID, "eve") // she is known
		a := p.do(c, "GET", "/"+p.env+"/signon/idp/"+p.p.ID+flow, nil)
		resp, err := c.Get(a.to + "&user=eve")
		check(p.t, err)
		_ = resp.Body.Close()
		to, err := url.Parse(resp.Header.Get("Location"))
		check(p.t, err)
		p.back = to.RequestURI()
		return answer{}
	}
	return moment{flow != "", begun, func(p *partners, c *http.Client) answer {
		return p.follow(c, p.do(c, "GET", p.back, nil))
	}}
}

// moments are all of those in which nothing more than a password, or a provider, is wanted.
func moments() map[string]moment {
	own := at("POST", "", "username", "alice", "password", "x")
	app := at("POST", "", "flow", "f1", "username", "alice", "password", "x")
	consent := func(p *partners, c *http.Client) answer {
		p.flow.Consent = true
		a := app(p, c)
		p.flow.Consent = false
		return a
	}
	return map[string]moment{
		"form":                       {false, at("GET", ""), own},
		"form for an application":    {true, at("GET", "?flow=f1"), app},
		"provider":                   returns(""),
		"provider, application":      returns("?flow=f1"),
		"own page":                   {false, own, at("GET", "")},
		"own page, sign off there":   {false, own, at("POST", "/sessions")},
		"own page, another password": {false, own, at("GET", "/password")},
		"own page, application":      {true, own, at("GET", "?flow=f1")},
		"own page, factors":          {false, own, at("GET", "/factors")},
		"asked to agree":             {true, consent, at("POST", "/confirm", "flow", "f1")},
		"signed on, and reloaded":    {true, app, at("GET", "?flow=f1")},
	}
}

// stricter are all that may have more be wanted from one moment to the next, of who comes for the application
// and of who comes for none.
var stricter = map[string]struct {
	own, app bool
	set      func(p *partners)
}{
	"the default policy": {true, true, func(p *partners) { p.asksFactor(true) }},
	"mfaEnabled": {true, true, func(p *partners) {
		all, _, err := p.db.Users(p.t.Context(), p.env, store.UserFilter{}, store.Page{})
		check(p.t, err)
		for _, u := range all {
			u.Kept.MFA = true
			check(p.t, p.db.UpdateUser(p.t.Context(), &u))
		}
	}},
	"a policy of the application": {false, true, func(p *partners) {
		p.flow.Policies = []string{p.policyWith("LOGIN", store.ActionMultiFactor)}
		p.leads(p.flow.Policies[0])
	}},
	"the policy of the application": {false, true, func(p *partners) {
		made, err := p.db.SignOnPolicy(p.t.Context(), p.env, p.flow.Policies[0])
		check(p.t, err)
		made.Actions = append(made.Actions, store.PolicyAction{ID: "mfa", Type: store.ActionMultiFactor, Priority: 9})
		check(p.t, p.db.SavePolicy(p.t.Context(), &made))
	}},
}

// leads has a policy lead to the provider, too.
func (p *partners) leads(policy string) {
	p.t.Helper()
	made, err := p.db.SignOnPolicy(p.t.Context(), p.env, policy)
	check(p.t, err)
	made.Actions[0].Providers = []string{p.p.ID}
	check(p.t, p.db.SavePolicy(p.t.Context(), &made))
}

// between starts a site whose application may have a policy of its own that asks for a password alone.
func between(t *testing.T, own bool) *partners {
	t.Helper()
	p := startPartners(t)
	p.withGateway()
	p.changed.Outcome = wire.OutcomeOK
	if own {
		p.flow.Policies = []string{p.policyWith("LOGIN")}
		p.leads(p.flow.Policies[0])
	}
	return p
}

// TestWhatIsWantedNowCounts: whatever has more be wanted between two requests, the next one asks for it, and for
// what is lacking alone; with a factor and without one. After it everybody is where they wanted.
func TestWhatIsWantedNowCounts(t *testing.T) {
	for name, m := range moments() {
		for change, by := range stricter {
			for _, has := range []bool{true, false} {
				asks := by.own && !m.flow || by.app && m.flow
				if has && strings.HasPrefix(name, "provider") {
					continue // of who comes by it nobody has one
				}
				t.Run(fmt.Sprintf("%s/%s/has:%t", name, change, has), func(t *testing.T) {
					p := between(t, change == "the policy of the application")
					secret := ""
					if has {
						secret, _ = p.has()
					}
					c := p.visitor()
					m.before(p, c)
					by.set(p)
					a := m.next(p, c)
					if name == "own page, factors" && has {
						asks = true // as always
					}
					if inside(a) == asks || passwordField.MatchString(a.page) {
						t.Fatalf("asked: %t, and it is %d to %q: %s", asks, a.status, a.to, a.page)
					}
					if asks {
						p.gives(c, a, secret)
					}
				})
			}
		}
	}
}

// TestWhatIsWantedNoMoreIsNotAskedFor: whoever is at a page that asks for a second factor goes on without when none
// is wanted any more, whatever they answer; for what else they come, they are not signed on by it.
func TestWhatIsWantedNoMoreIsNotAskedFor(t *testing.T) {
	pages := map[string]func(p *partners, c *http.Client) answer{
		"seen":         at("GET", "/factor?flow=f1"),
		"answered":     at("POST", "/factor", "flow", "f1", "code", "000000"),
		"set up":       at("GET", "/factor/new?flow=f1"),
		"was set up":   at("POST", "/factor/new", "flow", "f1", "code", "000000"),
		"for no other": at("GET", "/factor"),
	}
	for name, next := range pages {
		for want, by := range stricter {
			for _, has := range []bool{true, false} {
				t.Run(fmt.Sprintf("%s/%s/has:%t", name, want, has), func(t *testing.T) {
					p := between(t, true)
					if has {
						p.has()
					}
					loose := p.flow.Policies
					if by.own { // an application's own policy is all that there is for it
						loose, p.flow.Policies = nil, nil
					}
					by.set(p)
					c := p.visitor()
					if a := at("POST", "", "flow", "f1", "username", "alice", "password", "x")(p, c); inside(a) {
						t.Fatal(a.page)
					}
					p.loosen(want, loose)
					if a := next(p, c); inside(a) != (name != "for no other") {
						t.Errorf("%d to %q: %s", a.status, a.to, a.page)
					}
				})
			}
		}
	}
}

// loosen takes back what made more be wanted.
func (p *partners) loosen(want string, policies []string) {
	p.t.Helper()
	switch p.flow.Policies = policies; want {
	case "the default policy":
		p.asksFactor(false)
	case "mfaEnabled":
		u, err := p.db.User(p.t.Context(), p.env, p.alice.ID)
		check(p.t, err)
		u.Kept.MFA = false
		check(p.t, p.db.UpdateUser(p.t.Context(), &u))
	case "the policy of the application":
		made, err := p.db.SignOnPolicy(p.t.Context(), p.env, policies[0])
		check(p.t, err)
		made.Actions = made.Actions[:1]
		check(p.t, p.db.SavePolicy(p.t.Context(), &made))
	}
}
