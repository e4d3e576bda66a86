package oidc_test

import (
	"errors"
	"strings"
	"testing"

	"golang.org/x/oauth2"

	"ldap-gateway/cloud/store"
)

// sent is what an application sends of PKCE, with a request and with a code.
type sent struct{ challenge, method, verifier string }

// with returns what of it goes with an authorization request.
func (p sent) with() (options []oauth2.AuthCodeOption) {
	if p.challenge != "" {
		options = append(options, oauth2.SetAuthURLParam("code_challenge", p.challenge))
	}
	if p.method != "" {
		options = append(options, oauth2.SetAuthURLParam("code_challenge_method", p.method))
	}
	return options
}

// TestPKCE goes through what an application may send, with each policy and for each type.
func TestPKCE(t *testing.T) {
	verifier := oauth2.GenerateVerifier()
	hash := oauth2.S256ChallengeFromVerifier(verifier)
	const no, refuses, gives = "at authorize", "at token", "tokens"
	rows := map[string]struct {
		sent
		s256, required, optional, public string // by policy; the last of a single page with OPTIONAL
	}{
		"S256":            {sent{hash, "S256", verifier}, gives, gives, gives, gives},
		"plain":           {sent{verifier, "plain", verifier}, no, gives, gives, no},
		"noMethod":        {sent{verifier, "", verifier}, no, gives, gives, no},
		"hashAsPlain":     {sent{hash, "", verifier}, no, refuses, refuses, no},
		"nothing":         {sent{}, no, no, gives, no},
		"verifierAlone":   {sent{"", "", verifier}, no, no, refuses, no},
		"methodAlone":     {sent{"", "S256", verifier}, no, no, no, no},
		"verifierLeft":    {sent{hash, "S256", ""}, refuses, refuses, refuses, refuses},
		"plainLeft":       {sent{verifier, "plain", ""}, no, refuses, refuses, no},
		"anotherVerifier": {sent{hash, "S256", oauth2.GenerateVerifier()}, refuses, refuses, refuses, refuses},
		"challengeItself": {sent{hash, "S256", hash}, refuses, refuses, refuses, refuses},
		"unknownMethod":   {sent{hash, "S512", verifier}, no, no, no, no},
		"otherCase":       {sent{hash, "s256", verifier}, no, no, no, no},
		"short":           {sent{"abcde", "S256", "abcde"}, no, no, no, no},
		"shortPlain":      {sent{"abcde", "plain", "abcde"}, no, no, no, no},
		"notBase64":       {sent{strings.Repeat("=", 43), "S256", verifier}, no, no, no, no},
		"longPlain":       {sent{strings.Repeat("a", 129), "plain", strings.Repeat("a", 129)}, no, no, no, no},
		"shortVerifier":   {sent{oauth2.S256ChallengeFromVerifier("abc"), "S256", "abc"}, refuses, refuses, refuses, refuses},
	}
	for policy, want := range map[string]func(name string) string{
		"":                 func(name string) string { return rows[name].s256 },
		store.PKCES256:     func(name string) string { return rows[name].s256 },
		store.PKCERequired: func(name string) string { return rows[name].required },
		store.PKCEOptional: func(name string) string { return rows[name].optional },
		"public":           func(name string) string { return rows[name].public },
	} {
		s := start(t)
		s.app.OpenID.PKCE = policy
		if policy == "public" {
			s.app.OpenID.PKCE, s.app.Type = store.PKCEOptional, store.SinglePage
		}
		check(t, s.db.UpdateApplication(t.Context(), &s.app))
		for name, row := range rows {
			if got := s.redeemed(row.sent); got != want(name) {
				t.Errorf("%q, %s: %s, not %s", policy, name, got, want(name))
			}
		}
	}
}

// redeemed tells how far an application comes with what it sends.
func (s *site) redeemed(p sent) string {
	s.t.Helper()
	c, _ := s.relying()
	b := s.browser()
	at := b.get(c.AuthCodeURL("state", p.with()...))
	if strings.HasPrefix(at.url.String(), redirect) {
		if at.url.Query().Get("error") != "invalid_request" {
			s.t.Errorf("%s", at.url)
		}
		return "at authorize"
	}
	code := b.signOn(at, "alice", "wonderland").url.Query().Get("code")
	var more []oauth2.AuthCodeOption
	if p.verifier != "" {
		more = append(more, oauth2.VerifierOption(p.verifier))
	}
	_, err := c.Exchange(s.t.Context(), code, more...)
	var e *oauth2.RetrieveError
	switch {
	case err == nil:
		return "tokens"
	case errors.As(err, &e) && e.ErrorCode == "invalid_grant":
		return "at token"
	}
	return err.Error()
}

// A policy that becomes stricter while somebody signs on counts for their code.
func TestPKCEIsLookedAtWhenUsed(t *testing.T) {
	s := start(t)
	for from, p := range map[string]sent{
		store.PKCEOptional: {},
		store.PKCERequired: {challenge: strings.Repeat("v", 43), method: "plain", verifier: strings.Repeat("v", 43)},
	} {
		s.app.OpenID.PKCE = from
		check(t, s.db.UpdateApplication(t.Context(), &s.app))
		c, _ := s.relying()
		b := s.browser()
		code := b.signOn(b.get(c.AuthCodeURL("state", p.with()...)), "alice", "wonderland").url.Query().Get("code")
		s.app.OpenID.PKCE = store.PKCES256
		check(t, s.db.UpdateApplication(t.Context(), &s.app))
		if _, err := c.Exchange(t.Context(), code, oauth2.VerifierOption(p.verifier)); code == "" || err == nil {
			t.Errorf("%s: the code %q was good", from, code)
		}
	}
}
