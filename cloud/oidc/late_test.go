package oidc_test

import (
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"golang.org/x/oauth2"
)

// TestSlowBodyGetsWhatIsNow: a request whose body comes after a change goes by what is then, at whichever endpoint.
func TestSlowBodyGetsWhatIsNow(t *testing.T) {
	for change, set := range map[string]func(s *site){
		"the application is disabled": func(s *site) {
			s.app.Enabled = false
			check(s.t, s.db.UpdateApplication(s.t.Context(), &s.app))
		},
		"the address is taken away": func(s *site) {
			s.app.RedirectURIs = []string{"https://app.example/other"}
			check(s.t, s.db.UpdateApplication(s.t.Context(), &s.app))
		},
		"a second factor":             stricter["a policy of the application"],
		"a factor by default":         (*site).asksFactor,
		"a policy that leads nowhere": stricter["a policy that leads elsewhere"],
		"others alone":                func(s *site) { s.rule(false, "gone") },
	} {
		t.Run(change, func(t *testing.T) {
			s := start(t)
			conf, _ := s.relying()
			b := s.browser()
			b.code(conf)
			wish := conf.AuthCodeURL("state", oauth2.S256ChallengeOption(strings.Repeat("v", 43)))
			at, form, _ := strings.Cut(wish, "?")
			if p := b.went(b.http.Post(at, "application/x-www-form-urlencoded", strings.NewReader(form))); p.url.Query().Get("code") == "" {
				t.Fatalf("before: %d %s", p.status, p.url)
			}
			body, sends := io.Pipe()
			begun := make(chan struct{})
			go func() {
				_, _ = io.WriteString(sends, form[:10]) // the server has the request, and asks for more
				<-begun
				_, _ = io.WriteString(sends, form[10:])
				_ = sends.Close()
			}()
			b.code(conf) // settings are in memory
			got := make(chan place)
			go func() { got <- b.went(b.http.Post(at, "application/x-www-form-urlencoded", body)) }()
			set(s)
			close(begun)
			if p := <-got; p.url.Query().Get("code") != "" || strings.Contains(p.url.String(), "/cb?code") {
				t.Errorf("%d %s", p.status, p.url)
			}
		})
	}
}

// TestBodyThatBreaksOff is refused as one that cannot be read, and one that is too long as that.
func TestBodyThatBreaksOff(t *testing.T) {
	s := start(t)
	for length, want := range map[int]int{0: http.StatusBadRequest, 70 << 10: http.StatusRequestEntityTooLarge} {
		form := "grant_type=authorization_code&code=" + strings.Repeat("x", length)
		p := s.browser().went(http.Post(s.server.Issuer(s.env)+"/token", "application/x-www-form-urlencoded", strings.NewReader(form)))
		if want == http.StatusBadRequest && p.status == http.StatusUnauthorized { // nobody has proven anything
			continue
		}
		if p.status != want {
			t.Errorf("%d letters: %d %s", length, p.status, p.page)
		}
	}
}

// TestSignedOffEndsCodes: a code of before a sign-off gives nothing after it, however somebody was signed off.
func TestSignedOffEndsCodes(t *testing.T) {
	for how, off := range map[string]func(s *site, b *browser, hint string){
		"by the application": func(s *site, b *browser, hint string) {
			b.get(s.server.Issuer(s.env) + "/signoff?" + url.Values{"id_token_hint": {hint}}.Encode())
		},
		"everywhere": func(s *site, _ *browser, _ string) {
			check(s.t, s.db.SignOffUser(s.t.Context(), s.env, s.alice.ID))
		},
		"disabled, and enabled again": func(s *site, _ *browser, _ string) {
			for _, s.alice.Enabled = range []bool{false, true} {
				check(s.t, s.db.UpdateUser(s.t.Context(), &s.alice))
			}
		},
	} {
		t.Run(how, func(t *testing.T) {
			s := start(t)
			conf, _ := s.relying()
			b := s.browser()
			hint := b.idToken(conf, "alice")
			code, verifier := b.code(conf)
			off(s, b, hint)
			if token, err := conf.Exchange(t.Context(), code, oauth2.VerifierOption(verifier)); err == nil {
				t.Errorf("the code gave %v", token)
			}
			if p := b.get(conf.AuthCodeURL("state", oauth2.S256ChallengeOption(verifier))); p.url.Query().Get("code") != "" {
				t.Errorf("the session goes on: %s", p.url)
			}
		})
	}
}

// TestSignedOffAtTheSameMoment: of whatever is asked for while somebody is signed off everywhere nothing is left.
func TestSignedOffAtTheSameMoment(t *testing.T) {
	s := start(t)
	conf, _ := s.relying()
	for round := range 12 {
		b := s.browser()
		b.code(conf)
		const many = 6
		codes := make(chan [2]string, many)
		for range many {
			go func() {
				verifier := oauth2.GenerateVerifier()
				p := b.get(conf.AuthCodeURL("state", oauth2.S256ChallengeOption(verifier)))
				codes <- [2]string{p.url.Query().Get("code"), verifier}
			}()
		}
		var tokens []string
		first := <-codes
		exchanged := make(chan *oauth2.Token)
		go func() {
			token, _ := conf.Exchange(t.Context(), first[0], oauth2.VerifierOption(first[1]))
			exchanged <- token
		}()
		check(t, s.db.SignOffUser(t.Context(), s.env, s.alice.ID))
		if token := <-exchanged; token != nil {
			tokens = append(tokens, token.AccessToken)
		}
		for range many - 1 {
			late := <-codes
			if token, err := conf.Exchange(t.Context(), late[0], oauth2.VerifierOption(late[1])); err == nil {
				tokens = append(tokens, token.AccessToken)
			}
		}
		for _, access := range tokens {
			if status, _ := s.userinfo(access); status != http.StatusUnauthorized {
				t.Fatalf("round %d: a token opens something after the sign-off: %d", round, status)
			}
		}
	}
}
