package samlidp_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"ldap-gateway/cloud/factors"
	"ldap-gateway/cloud/samlidp"
	"ldap-gateway/cloud/store"
)

// stricter are all that may have more be wanted of who has signed on and is in no assertion yet.
var stricter = map[string]func(s *site){
	"the default policy": func(s *site) {
		p := must(s.db.DefaultSignOnPolicy(s.t.Context(), s.env))
		p.Actions = append(p.Actions, store.PolicyAction{ID: "mfa", Type: store.ActionMultiFactor, Priority: 2})
		check(s.t, s.db.SavePolicy(s.t.Context(), &p))
	},
	"mfaEnabled": func(s *site) {
		s.alice.Kept.MFA = true
		check(s.t, s.db.UpdateUser(s.t.Context(), &s.alice))
	},
	"a policy of the application": func(s *site) {
		s.goesBy(store.PolicyAction{ID: "1", Type: store.ActionLogin, Priority: 1},
			store.PolicyAction{ID: "2", Type: store.ActionMultiFactor, Priority: 2})
	},
	elsewhere: func(s *site) {
		s.goesBy(store.PolicyAction{ID: "1", Type: store.ActionProvider, Priority: 1, Providers: []string{"other"}})
	},
}

const elsewhere = "a policy that leads elsewhere"

// goesBy has the application go by a policy of its own.
func (s *site) goesBy(actions ...store.PolicyAction) {
	s.t.Helper()
	p := store.SignOnPolicy{EnvironmentID: s.env, Name: "Of its own", Actions: actions}
	check(s.t, s.db.SavePolicy(s.t.Context(), &p))
	s.change(func(a *store.Application) {
		a.Kept.Policies = []store.PolicyAssignment{{ID: "1", Policy: p.ID, Priority: 1}}
	})
}

// upTo is a browser that stops before a path, and what takes that back.
func (b *browser) upTo(path string) (goOn func()) {
	follow := b.http.CheckRedirect
	b.http.CheckRedirect = func(r *http.Request, via []*http.Request) error {
		if strings.HasSuffix(r.URL.Path, path) {
			return http.ErrUseLastResponse
		}
		return follow(r, via)
	}
	return func() { b.http.CheckRedirect = follow }
}

// TestNoAssertionForLessThanIsWantedNow: whatever has more be wanted between the sign-on page and the assertion,
// there is none, but the page that asks for what is lacking alone, and where no page may be shown the answer that
// nobody is there; after it there is one.
func TestNoAssertionForLessThanIsWantedNow(t *testing.T) {
	for change, set := range stricter {
		for _, silent := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/silent:%t", change, silent), func(t *testing.T) {
				s := start(t)
				key := must(s.factors.NewOneTime("Acme", s.alice))
				proof := func() string { return must(totp.GenerateCode(key.Secret(), s.now())) }
				check(t, s.factors.KeepOneTime(t.Context(), factors.Who{User: s.alice}, key, proof()))
				_, hashes := factors.NewCodes()
				check(t, s.factors.KeepCodes(t.Context(), factors.Who{User: s.alice}, hashes))
				s.clock += time.Minute
				b, text := s.browser(), s.ask()
				at := b.get(s.redirect(samlidp.SSOPath, text.xml(), "", nil))
				if silent {
					b.signOn(at)
					text.id, text.attributes = "_silent", `IsPassive="true"`
				}
				goOn := b.upTo("/resume")
				var to string
				if silent {
					to = b.get(s.redirect(samlidp.SSOPath, text.xml(), "", nil)).url.String()
				} else {
					page := b.went(b.http.PostForm(b.url+"/"+b.env+"/signon", url.Values{
						"flow": {at.url.Query().Get("flow")}, "username": {"alice"}, "password": {"wonderland"},
					}))
					to = b.leads(page)
				}
				set(s)
				goOn()
				p := b.get(to)
				asked, answered := strings.HasSuffix(p.url.Path, "/signon/factor"), strings.Contains(p.page, "SAMLResponse")
				switch {
				case !strings.Contains(to, "/resume"), answered != silent:
					t.Fatalf("%s: %s\n%s", to, p.url, p.page)
				case silent:
					if b.response(p).FindElement("//Assertion") != nil {
						t.Errorf("%s", p.page)
					}
				case asked == (change == elsewhere), strings.Contains(p.page, `type="password"`):
					t.Errorf("%s\n%s", p.url, p.page)
				case asked:
					p = b.follow(b.went(b.http.PostForm(b.url+"/"+b.env+"/signon/factor", url.Values{
						"flow": {p.url.Query().Get("flow")}, "code": {proof()},
					})))
					if b.response(p).FindElement("//Assertion") == nil {
						t.Errorf("%s\n%s", p.url, p.page)
					}
				}
			})
		}
	}
}
