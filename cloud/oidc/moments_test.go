package oidc_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"golang.org/x/oauth2"

	"ldap-gateway/cloud/store"
)

// stricter are all that may have more be wanted of who has signed on and has no code yet.
var stricter = map[string]func(s *site){
	"the default policy": (*site).asksFactor,
	"mfaEnabled": func(s *site) {
		s.alice.Kept.MFA = true
		check(s.t, s.db.UpdateUser(s.t.Context(), &s.alice))
	},
	"a policy of the application": func(s *site) {
		p := store.SignOnPolicy{EnvironmentID: s.env, Name: "Strict", Actions: []store.PolicyAction{
			{ID: "1", Type: store.ActionLogin, Priority: 1}, {ID: "2", Type: store.ActionMultiFactor, Priority: 2},
		}}
		check(s.t, s.db.SavePolicy(s.t.Context(), &p))
		s.app.Kept.Policies = []store.PolicyAssignment{{ID: "1", Policy: p.ID, Priority: 1}}
		check(s.t, s.db.UpdateApplication(s.t.Context(), &s.app))
	},
	"a policy that leads elsewhere": func(s *site) {
		p := store.SignOnPolicy{EnvironmentID: s.env, Name: "Elsewhere", Actions: []store.PolicyAction{
			{ID: "1", Type: store.ActionProvider, Priority: 1, Providers: []string{"other"}},
		}}
		check(s.t, s.db.SavePolicy(s.t.Context(), &p))
		s.app.Kept.Policies = []store.PolicyAssignment{{ID: "1", Policy: p.ID, Priority: 1}}
		check(s.t, s.db.UpdateApplication(s.t.Context(), &s.app))
	},
}

// TestNoCodeForLessThanIsWantedNow: whatever has more be wanted between the sign-on page and the code, there is no
// code, but the page that asks for what is lacking alone, and where no page may be shown the answer that nobody is
// there; after it there is one.
func TestNoCodeForLessThanIsWantedNow(t *testing.T) {
	for change, set := range stricter {
		for _, silent := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/silent:%t", change, silent), func(t *testing.T) {
				s := start(t)
				proof, _ := s.hasFactor()
				conf, _ := s.relying()
				b := s.browser()
				long := strings.Repeat("n", 1200) // so long a wish is not answered at once
				ask := func(prompt string) place {
					return b.get(conf.AuthCodeURL("state", oauth2.S256ChallengeOption(oauth2.GenerateVerifier()),
						oauth2.SetAuthURLParam("nonce", long), oauth2.SetAuthURLParam("prompt", prompt)))
				}
				at, prompt := ask(""), ""
				if silent {
					b.signOn(at, "alice", "wonderland")
					prompt = "none"
				}
				follow := b.http.CheckRedirect
				b.http.CheckRedirect = func(r *http.Request, via []*http.Request) error { // as far as to the code
					if strings.Contains(r.URL.Path, "/authorize/callback") {
						return http.ErrUseLastResponse
					}
					return follow(r, via)
				}
				to := ""
				if silent {
					to = ask(prompt).url.String()
				} else {
					p := b.went(b.http.PostForm(b.url+"/"+b.env+"/signon", url.Values{
						"flow": {at.url.Query().Get("flow")}, "username": {"alice"}, "password": {"wonderland"},
					}))
					to = s.url + next(p.page)
				}
				set(s)
				b.http.CheckRedirect = follow
				p := b.get(to)
				asked := strings.HasSuffix(p.url.Path, "/signon/factor")
				elsewhere := change == "a policy that leads elsewhere"
				switch {
				case !strings.Contains(to, "/authorize/callback"), p.url.Query().Get("code") != "":
					t.Fatalf("%s: %s", to, p.url)
				case silent:
					if p.url.Query().Get("error") != "login_required" {
						t.Errorf("%s", p.url)
					}
				case asked == elsewhere, strings.Contains(p.page, `type="password"`):
					t.Errorf("%s\n%s", p.url, p.page)
				case asked:
					if p = b.gives(p, proof()); p.url.Query().Get("code") == "" {
						t.Errorf("%s\n%s", p.url, p.page)
					}
				}
			})
		}
	}
}

// next is where a page leads on.
func next(page string) string {
	_, after, _ := strings.Cut(page, `content="0; url=`)
	to, _, _ := strings.Cut(after, `"`)
	return strings.ReplaceAll(to, "&amp;", "&")
}
