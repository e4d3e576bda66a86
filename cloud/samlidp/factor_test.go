package samlidp_test

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"ldap-gateway/cloud/factors"
	"ldap-gateway/cloud/samlidp"
	"ldap-gateway/cloud/store"
)

const (
	classes   = "urn:oasis:names:tc:SAML:2.0:ac:classes:"
	refedsMFA = "https://refeds.org/profile/mfa"
)

// TestFactorsAreTold: an assertion says that there was a second factor, unless the application asked for other
// classes alone; a class that asks for one has it asked for, and where no page may be shown, there is nobody.
func TestFactorsAreTold(t *testing.T) {
	for name, c := range map[string]struct {
		policy  bool
		classes []string
		asked   bool
		told    string
	}{
		"nobody asks":               {false, nil, false, classes + "PasswordProtectedTransport"},
		"the policy":                {true, nil, true, refedsMFA},
		"the application":           {false, []string{refedsMFA}, true, refedsMFA},
		"a password is preferred":   {false, []string{classes + "PasswordProtectedTransport", refedsMFA}, false, classes + "PasswordProtectedTransport"},
		"a password would do":       {false, []string{refedsMFA, classes + "PasswordProtectedTransport"}, true, refedsMFA},
		"the policy, a password":    {true, []string{classes + "PasswordProtectedTransport"}, true, classes + "PasswordProtectedTransport"},
		"the policy, what is not":   {true, []string{classes + "X509"}, true, ""},
		"a class that is not, then": {false, []string{classes + "X509", refedsMFA}, true, refedsMFA},
	} {
		t.Run(name, func(t *testing.T) {
			s := start(t)
			s.change(func(a *store.Application) { a.SAML.Contexts = true })
			if c.policy {
				p := must(s.db.DefaultSignOnPolicy(t.Context(), s.env))
				p.Actions = append(p.Actions, store.PolicyAction{ID: "mfa", Type: store.ActionMultiFactor, Priority: 2})
				check(t, s.db.SavePolicy(t.Context(), &p))
			}
			key := must(s.factors.NewOneTime("Acme", s.alice))
			proof := func() string { return must(totp.GenerateCode(key.Secret(), s.now())) }
			check(t, s.factors.KeepOneTime(t.Context(), factors.Who{User: s.alice}, key, proof()))
			_, hashes := factors.NewCodes()
			check(t, s.factors.KeepCodes(t.Context(), factors.Who{User: s.alice}, hashes))
			s.clock += time.Minute
			text := s.ask()
			if len(c.classes) > 0 {
				text.inner = "<samlp:RequestedAuthnContext><saml:AuthnContextClassRef>" +
					strings.Join(c.classes, "</saml:AuthnContextClassRef><saml:AuthnContextClassRef>") +
					"</saml:AuthnContextClassRef></samlp:RequestedAuthnContext>"
			}
			b := s.browser()
			p := b.signOn(b.get(s.redirect(samlidp.SSOPath, text.xml(), "", nil)))
			if asked := strings.HasSuffix(p.url.Path, "/signon/factor"); asked != c.asked {
				t.Fatalf("asked: %v, %s", asked, p.url)
			}
			if c.asked {
				p = b.follow(b.went(b.http.PostForm(b.url+"/"+b.env+"/signon/factor", url.Values{
					"flow": {p.url.Query().Get("flow")}, "code": {proof()},
				})))
			}
			told := ""
			if class := b.response(p).FindElement("//AuthnContextClassRef"); class != nil {
				told = class.Text()
			}
			if told != c.told {
				t.Errorf("told %q, want %q", told, c.told)
			}
		})
	}
}

// TestFactorWithoutAPage: where no page may be shown, a session without the factor that is wanted is nobody.
func TestFactorWithoutAPage(t *testing.T) {
	s := start(t)
	b := s.browser()
	b.signOn(b.get(s.redirect(samlidp.SSOPath, s.ask().xml(), "", nil)))
	s.change(func(a *store.Application) { a.SAML.Contexts = true })
	for i, class := range []string{classes + "PasswordProtectedTransport", refedsMFA} {
		text := s.ask()
		text.id, text.attributes = "_silent"+class[len(class)-3:], `IsPassive="true"`
		text.inner = "<samlp:RequestedAuthnContext><saml:AuthnContextClassRef>" + class +
			"</saml:AuthnContextClassRef></samlp:RequestedAuthnContext>"
		p := b.get(s.redirect(samlidp.SSOPath, text.xml(), "", nil))
		if nobody := b.response(p).FindElement("//Assertion") == nil; nobody != (i == 1) {
			t.Errorf("%s: nobody %v, %s", class, nobody, p.page)
		}
	}
}
