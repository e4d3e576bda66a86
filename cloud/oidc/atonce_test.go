package oidc_test

import (
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/oauth2"
)

// states are what may have become of alice, who has signed on.
var states = map[string]func(s *site, b *browser){
	"as she was":                    func(*site, *browser) {},
	"an hour ago":                   func(s *site, _ *browser) { s.clock += time.Hour },
	"by a clock that is behind":     func(s *site, _ *browser) { s.clock -= time.Minute },
	"nobody":                        func(_ *site, b *browser) { b.http.Jar = nil },
	"the default policy":            func(s *site, _ *browser) { s.asksFactor() },
	"mfaEnabled":                    func(s *site, _ *browser) { stricter["mfaEnabled"](s) },
	"a policy of the application":   func(s *site, _ *browser) { stricter["a policy of the application"](s) },
	"a policy that leads elsewhere": func(s *site, _ *browser) { stricter["a policy that leads elsewhere"](s) },
	"not admitted":                  func(s *site, _ *browser) { s.rule(false, "gone") },
	"not admitted, and a factor":    func(s *site, _ *browser) { s.rule(false, "gone"); s.asksFactor() },
	"disabled": func(s *site, _ *browser) {
		s.alice.Enabled = false
		check(s.t, s.db.UpdateUser(s.t.Context(), &s.alice))
	},
	"locked": func(s *site, _ *browser) {
		s.alice.Locked = true
		check(s.t, s.db.UpdateUser(s.t.Context(), &s.alice))
	},
	"signed off everywhere": func(s *site, _ *browser) {
		check(s.t, s.db.SignOffUser(s.t.Context(), s.env, s.alice.ID))
	},
	"signed off elsewhere": func(s *site, _ *browser) {
		all, err := s.db.PersonSessions(s.t.Context(), s.alice)
		check(s.t, err)
		for _, one := range all {
			check(s.t, s.db.EndPersonSession(s.t.Context(), s.env, s.alice.ID, one.ID))
		}
	},
}

// asked are wishes, by the parameters that they have besides.
var asked = []string{
	"", "prompt=none", "prompt=login", "prompt=consent", "prompt=select_account", "prompt=select_account consent",
	"max_age=0", "max_age=1800", "max_age=7200", "max_age=1800 prompt=none", "max_age=0 prompt=none",
	"login_hint=alice", "login_hint=ALICE@acme.example", "login_hint=bob", "login_hint=bob prompt=none",
	"id_token_hint=hers", "id_token_hint=hers login_hint=bob", "id_token_hint=hers prompt=select_account",
	"id_token_hint=his", "id_token_hint=his prompt=none", "acr_values=mfa", "acr_values=mfa prompt=none",
	"acr_values=kerberos", "response_mode=fragment", "response_mode=form_post", "ui_locales=de",
}

// anew is in a wish that no sign-on of before is good for.
var anew = regexp.MustCompile(`prompt=login|max_age=0`)

// drawn are what differs between two answers that say the same.
var drawn = regexp.MustCompile(`(flow|code)=[^&"]+|name="code" value="[^"]+"|value="[A-Za-z0-9_.-]{200,}"` +
	`|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|in (Activity|the log)`)

// TestAtOnceIsAsByThePage: who comes with a session gets the same answer whether the application's wish is answered
// at once or by way of the sign-on page, whatever it asks for and whatever has become of them; and what a page would
// ask nothing about is answered at once.
func TestAtOnceIsAsByThePage(t *testing.T) {
	for name, become := range states {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := start(t)
			s.hasFactor()
			bob := s.alice
			bob.ID, bob.Username, bob.Email = "", "bob", ""
			check(t, s.db.CreateUser(t.Context(), &bob))
			b := s.browser()
			conf, _ := s.relying("profile")
			hints := map[string]string{"hers": b.idToken(conf, "alice"), "his": s.browser().idToken(conf, "bob")}
			become(s, b)
			atOnce := 0
			for _, wish := range asked {
				short, hops := b.asks(conf, wish, hints, "")
				long, _ := b.asks(conf, wish, hints, strings.Repeat("n", 1200))
				if short != long {
					t.Errorf("%q: at once\n%s\nby the page\n%s", wish, short, long)
				}
				gets := strings.Contains(short, "code=")
				if gets && hops > 0 {
					t.Errorf("%q: %d redirects on the way to a code", wish, hops)
				}
				if gets && anew.MatchString(wish) {
					t.Errorf("%q: a code for a sign-on of before", wish)
				}
				if gets {
					atOnce++
				}
			}
			if may := slices.Contains([]string{"as she was", "an hour ago", "by a clock that is behind"}, name); may != (atOnce > 0) {
				t.Errorf("%d answered by a code", atOnce)
			}
		})
	}
}

// idToken signs somebody on, and returns what the application learns of it.
func (b *browser) idToken(c *oauth2.Config, name string) string {
	b.t.Helper()
	verifier := oauth2.GenerateVerifier()
	p := b.signOn(b.get(c.AuthCodeURL("state", oauth2.S256ChallengeOption(verifier))), name, "wonderland")
	token := must(c.Exchange(b.t.Context(), p.url.Query().Get("code"), oauth2.VerifierOption(verifier)))
	raw, _ := token.Extra("id_token").(string)
	return raw
}

// asks comes for a wish, and returns the answer without what is drawn anew each time, and how many redirects
// within the cloud there were before it.
func (b *browser) asks(c *oauth2.Config, wish string, hints map[string]string, nonce string) (answer string, hops int) {
	b.t.Helper()
	more := []oauth2.AuthCodeOption{oauth2.S256ChallengeOption(strings.Repeat("v", 43))}
	if nonce != "" {
		more = append(more, oauth2.SetAuthURLParam("nonce", nonce))
	}
	for name, value := range params(wish) {
		if name == "id_token_hint" {
			value = hints[value]
		}
		more = append(more, oauth2.SetAuthURLParam(name, value))
	}
	out := b.http.CheckRedirect
	defer func() { b.http.CheckRedirect = out }()
	b.http.CheckRedirect = func(r *http.Request, via []*http.Request) error {
		err := out(r, via)
		if err == nil {
			hops = len(via)
		}
		return err
	}
	p, to := b.get(c.AuthCodeURL("state", more...)), "a page"
	if strings.HasPrefix(p.url.String(), redirect) {
		to = p.url.String()
	}
	return drawn.ReplaceAllString(fmt.Sprintf("%d %s\n%s", p.status, to, p.page), "$1=…"), hops
}

// params reads name=value pairs; a word without a name belongs to the value before it.
func params(text string) map[string]string {
	all, last := map[string]string{}, ""
	for _, word := range strings.Fields(text) {
		name, value, named := strings.Cut(word, "=")
		if !named {
			all[last] += " " + word
			continue
		}
		all[name], last = value, name
	}
	return all
}
