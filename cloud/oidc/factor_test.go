package oidc_test

import (
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"
	"golang.org/x/oauth2"

	"ldap-gateway/cloud/factors"
	"ldap-gateway/cloud/store"
)

// asksFactor has the default policy ask for a second factor.
func (s *site) asksFactor() {
	s.t.Helper()
	p := must(s.db.DefaultSignOnPolicy(s.t.Context(), s.env))
	p.Actions = append(p.Actions, store.PolicyAction{ID: "mfa", Type: store.ActionMultiFactor, Priority: 2})
	check(s.t, s.db.SavePolicy(s.t.Context(), &p))
}

// hasFactor gives alice one-time passwords, and returns the proof of now each time that it is asked, a minute
// later than before, and a recovery code.
func (s *site) hasFactor() (proof func() string, recovery string) {
	s.t.Helper()
	key := must(s.factors.NewOneTime("Acme", s.alice))
	proof = func() string {
		s.clock += time.Minute
		return must(totp.GenerateCode(key.Secret(), s.now()))
	}
	who := factors.Who{User: s.alice}
	check(s.t, s.factors.KeepOneTime(s.t.Context(), who, key, proof()))
	codes, hashes := factors.NewCodes()
	check(s.t, s.factors.KeepCodes(s.t.Context(), who, hashes))
	return proof, codes[0]
}

// gives gives a second factor on the page that asks for it.
func (b *browser) gives(at place, code string) place {
	b.t.Helper()
	if !strings.HasSuffix(at.url.Path, "/signon/factor") {
		b.t.Fatalf("no factor is asked for: %s\n%s", at.url, at.page)
	}
	p := b.went(b.http.PostForm(b.url+"/"+b.env+"/signon/factor", url.Values{
		"flow": {at.url.Query().Get("flow")}, "code": {code},
	}))
	if _, after, found := strings.Cut(p.page, `content="0; url=`); found {
		next, _, _ := strings.Cut(after, `"`)
		return b.get(b.url + strings.ReplaceAll(next, "&amp;", "&"))
	}
	return p
}

// TestFactorsAreTold: an ID token, userinfo's kin and what comes of a refresh token say that there was a second
// factor, and which, in the words of RFC 8176; a context that asks for one has it asked for.
func TestFactorsAreTold(t *testing.T) {
	for name, c := range map[string]struct {
		policy   bool
		wanted   string // contexts
		recovery bool
		acr, amr string
	}{
		"nobody asks":                {false, "", false, "password", "[pwd]"},
		"the policy":                 {true, "", false, "mfa", "[pwd otp mfa]"},
		"the policy, a code":         {true, "", true, "mfa", "[pwd mfa]"},
		"the application":            {false, "mfa", false, "mfa", "[pwd otp mfa]"},
		"by its other name":          {false, "https://refeds.org/profile/mfa", false, "https://refeds.org/profile/mfa", "[pwd otp mfa]"},
		"after one that is not":      {false, "urn:x mfa", false, "mfa", "[pwd otp mfa]"},
		"a password is preferred":    {false, "password mfa", false, "password", "[pwd]"},
		"the policy, and a password": {true, "password", false, "mfa", "[pwd otp mfa]"},
	} {
		t.Run(name, func(t *testing.T) {
			s := start(t)
			proof, code := s.hasFactor()
			if c.policy {
				s.asksFactor()
			}
			conf, _ := s.relying("offline_access")
			b, verifier := s.browser(), oauth2.GenerateVerifier()
			p := b.signOn(b.get(conf.AuthCodeURL("state", oauth2.S256ChallengeOption(verifier),
				oauth2.SetAuthURLParam("acr_values", c.wanted))), "alice", "wonderland")
			if strings.Contains(c.amr, "mfa") {
				if !c.recovery {
					code = proof()
				}
				p = b.gives(p, code)
			}
			token, err := conf.Exchange(t.Context(), p.url.Query().Get("code"), oauth2.VerifierOption(verifier))
			check(t, err)
			claims := s.claims(token)
			if claims["acr"] != c.acr || fmt.Sprint(claims["amr"]) != c.amr {
				t.Errorf("acr %v, amr %v", claims["acr"], claims["amr"])
			}
			again, err := conf.TokenSource(t.Context(), &oauth2.Token{RefreshToken: token.RefreshToken}).Token()
			check(t, err)
			if claims := s.claims(again); fmt.Sprint(claims["amr"]) != c.amr {
				t.Errorf("after a refresh: amr %v", claims["amr"])
			}
		})
	}
}

// TestFactorWithoutAPage: where no page may be shown, a session without the factor that is wanted is nobody, and
// one with it is somebody; a sign-on anew asks for it anew, and ends.
func TestFactorWithoutAPage(t *testing.T) {
	s := start(t)
	proof, _ := s.hasFactor()
	conf, _ := s.relying()
	b := s.browser()
	ask := func(params ...string) place {
		var more []oauth2.AuthCodeOption
		for i := 0; i < len(params); i += 2 {
			more = append(more, oauth2.SetAuthURLParam(params[i], params[i+1]))
		}
		return b.get(conf.AuthCodeURL("state", append(more, oauth2.S256ChallengeOption(oauth2.GenerateVerifier()))...))
	}
	if p := b.signOn(ask(), "alice", "wonderland"); p.url.Query().Get("code") == "" {
		t.Fatalf("%s", p.url)
	}
	if p := ask("prompt", "none"); p.url.Query().Get("code") == "" {
		t.Errorf("nobody wants a factor: %s", p.url)
	}
	s.asksFactor()
	for _, acr := range []string{"", "mfa"} {
		if p := ask("prompt", "none", "acr_values", acr); p.url.Query().Get("error") != "login_required" {
			t.Errorf("a factor is lacking: %s", p.url)
		}
	}
	if p := b.gives(ask(), proof()); p.url.Query().Get("code") == "" {
		t.Errorf("stepped up: %s", p.url)
	}
	if p := ask("prompt", "none"); p.url.Query().Get("code") == "" {
		t.Errorf("the factor was given: %s", p.url)
	}
	p := b.signOn(ask("prompt", "login"), "alice", "wonderland")
	if p = b.gives(p, proof()); p.url.Query().Get("code") == "" {
		t.Errorf("anew: %s", p.url)
	}
}
