package oidc_test

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"golang.org/x/oauth2"

	"ldap-gateway/cloud/store"
)

// person makes somebody besides alice.
func (s *site) person(name string) store.User {
	s.t.Helper()
	u := store.User{EnvironmentID: s.env, PopulationID: s.alice.PopulationID, Username: name, Email: name + "@acme.example", Enabled: true}
	check(s.t, s.db.CreateUser(s.t.Context(), &u))
	return u
}

// idTokenOf has somebody sign on in a browser of their own, and returns the ID token.
func (s *site) idTokenOf(c *oauth2.Config, name string) string {
	s.t.Helper()
	verifier := oauth2.GenerateVerifier()
	b := s.browser()
	p := b.signOn(b.get(c.AuthCodeURL("state", oauth2.S256ChallengeOption(verifier))), name, "wonderland")
	token := must(c.Exchange(s.t.Context(), p.url.Query().Get("code"), oauth2.VerifierOption(verifier)))
	return token.Extra("id_token").(string)
}

// ends says where a browser is: at a form, at the question whether to go on, or back at
// the application with a code or an error.
func (p place) ends() string {
	q := p.url.Query()
	switch {
	case !strings.HasPrefix(p.url.String(), redirect) && strings.Contains(p.page, "/signon/confirm"):
		return "asked"
	case !strings.HasPrefix(p.url.String(), redirect) && strings.Contains(p.page, `type="password"`):
		return "form"
	case q.Get("code") != "":
		return "code"
	}
	return q.Get("error")
}

// TestTheRightPerson: what an application says of whom it means is heeded, with a page and
// without, and never answered with somebody else.
func TestTheRightPerson(t *testing.T) {
	s := start(t)
	c, _ := s.relying()
	s.person("carol")
	b := s.browser()
	b.code(c) // alice is signed on
	hers, others := s.idTokenOf(c, "alice"), s.idTokenOf(c, "carol")
	s.clock = time.Second // a sign-on of this very second is not fresher than max_age=0
	for name, row := range map[string]struct {
		ask            url.Values
		silent, openly string
	}{
		"anybody":          {url.Values{}, "code", "code"},
		"her token":        {url.Values{"id_token_hint": {hers}}, "code", "code"},
		"another's token":  {url.Values{"id_token_hint": {others}}, "login_required", "form"},
		"no token":         {url.Values{"id_token_hint": {"x.y.z"}}, "login_required", "login_required"},
		"altered token":    {url.Values{"id_token_hint": {others[:len(others)-6] + "AAAAAA"}}, "login_required", "login_required"},
		"her name":         {url.Values{"login_hint": {"alice"}}, "code", "code"},
		"her name folded":  {url.Values{"login_hint": {"ALICE"}}, "code", "code"},
		"her address":      {url.Values{"login_hint": {"alice@acme.example"}}, "code", "code"},
		"her principal":    {url.Values{"login_hint": {"Alice@CORP.EXAMPLE"}}, "code", "code"},
		"her account":      {url.Values{"login_hint": {`CORP\alice`}}, "code", "code"},
		"another's name":   {url.Values{"login_hint": {"carol"}}, "login_required", "asked"},
		"nobody's name":    {url.Values{"login_hint": {"nobody"}}, "login_required", "asked"},
		"her token wins":   {url.Values{"id_token_hint": {hers}, "login_hint": {"carol"}}, "code", "code"},
		"old enough":       {url.Values{"max_age": {"3600"}}, "code", "code"},
		"too old":          {url.Values{"max_age": {"0"}}, "login_required", "form"},
		"choose":           {url.Values{"prompt": {"select_account"}}, "", "asked"},
		"agree":            {url.Values{"prompt": {"consent"}}, "", "asked"},
		"choose and agree": {url.Values{"prompt": {"consent select_account"}}, "", "asked"},
		"anew":             {url.Values{"prompt": {"login"}}, "", "form"},
		"anew and agree":   {url.Values{"prompt": {"login consent"}}, "", "form"},
		"unknown prompt":   {url.Values{"prompt": {"create"}}, "", "code"},
	} {
		options := []oauth2.AuthCodeOption{oauth2.S256ChallengeOption(oauth2.GenerateVerifier())}
		for param := range row.ask {
			options = append(options, oauth2.SetAuthURLParam(param, row.ask.Get(param)))
		}
		if p := b.get(c.AuthCodeURL("state", options...)); p.ends() != row.openly {
			t.Errorf("%s: %s %s\n%s", name, p.ends(), p.url, p.page)
		}
		if row.ask.Has("prompt") {
			continue
		}
		options = append(options, oauth2.SetAuthURLParam("prompt", "none"))
		if p := b.get(c.AuthCodeURL("state", options...)); p.ends() != row.silent {
			t.Errorf("%s in silence: %s %s\n%s", name, p.ends(), p.url, p.page)
		}
	}
}

// TestWhoeverSignsOnForAnother: the form has the name that the token is of; somebody else's
// sign-on there brings the application no code.
func TestWhoeverSignsOnForAnother(t *testing.T) {
	s := start(t)
	c, _ := s.relying()
	carol := s.person("carol")
	hint := oauth2.SetAuthURLParam("id_token_hint", s.idTokenOf(c, "carol"))
	for who, want := range map[string]string{"alice": "login_required", "carol": "code"} {
		b := s.browser()
		b.code(c) // alice
		verifier := oauth2.GenerateVerifier()
		form := b.get(c.AuthCodeURL("state", hint, oauth2.S256ChallengeOption(verifier)))
		if !strings.Contains(form.page, `value="carol"`) || !strings.Contains(form.page, "Somebody else is signed on") {
			t.Error(form.page)
		}
		p := b.signOn(form, who, "wonderland")
		if p.ends() != want {
			t.Errorf("%s: %s", who, p.url)
		}
		if want != "code" {
			continue
		}
		token := must(c.Exchange(t.Context(), p.url.Query().Get("code"), oauth2.VerifierOption(verifier)))
		if got := s.claims(token)["sub"]; got != carol.ID {
			t.Errorf("the token is of %v", got)
		}
	}
}

// TestGoingOn: whoever is asked goes on, is somebody else, or does not.
func TestGoingOn(t *testing.T) {
	s := start(t)
	c, _ := s.relying("profile", "groups")
	s.person("carol")
	ask := func(b *browser, prompt string) place {
		return b.get(c.AuthCodeURL("state", oauth2.S256ChallengeOption(oauth2.GenerateVerifier()), oauth2.SetAuthURLParam("prompt", prompt)))
	}
	confirm := func(b *browser, flow string) place {
		p := b.went(b.http.PostForm(s.url+"/"+s.env+"/signon/confirm", url.Values{"flow": {flow}}))
		if _, after, found := strings.Cut(p.page, `content="0; url=`); found {
			next, _, _ := strings.Cut(after, `"`)
			return b.get(s.url + strings.ReplaceAll(next, "&amp;", "&"))
		}
		return p
	}
	for _, prompt := range []string{"select_account", "consent"} {
		b := s.browser()
		fresh := b.signOn(ask(b, prompt), "alice", "wonderland")
		if want := map[string]string{"select_account": "code", "consent": "asked"}[prompt]; fresh.ends() != want {
			t.Errorf("%s of somebody who signs on: %s\n%s", prompt, fresh.ends(), fresh.page)
		}
		p := ask(b, prompt)
		flow := p.url.Query().Get("flow")
		if !strings.Contains(p.page, "Go on as alice") || !strings.Contains(p.page, "Wiki") || !strings.Contains(p.page, "your name") {
			t.Error(p.page)
		}
		if got := s.browser().get(s.url + "/" + s.env + "/signon/decline?flow=" + flow); got.ends() != "access_denied" {
			t.Errorf("declined: %s", got.url)
		}
		if other := b.get(s.url + "/" + s.env + "/signon?flow=" + flow + "&anew=1"); other.ends() != "form" {
			t.Errorf("somebody else: %s", other.page)
		}
		if on := confirm(b, flow); on.ends() != "code" {
			t.Errorf("going on: %s\n%s", on.url, on.page)
		}
	}
	// Who was not asked is asked, and who is nobody signs on.
	b := s.browser()
	b.code(c)
	p := ask(b, "login")
	if on := confirm(b, p.url.Query().Get("flow")); on.ends() == "code" {
		t.Errorf("a fresh sign-on was asked for: %s", on.url)
	}
	if on := confirm(s.browser(), p.url.Query().Get("flow")); on.ends() != "form" {
		t.Errorf("nobody: %s", on.url)
	}
}

// TestContexts: tokens say by which context somebody signed on, and whether an e-mail
// address is known to be theirs.
func TestContexts(t *testing.T) {
	s := start(t)
	for _, verified := range []bool{true, false} {
		s.app.OpenID.EmailVerified = verified
		check(t, s.db.UpdateApplication(t.Context(), &s.app))
		c, _ := s.relying("email")
		code, verifier := s.browser().code(c, oauth2.SetAuthURLParam("acr_values", "kerberos"))
		token := must(c.Exchange(t.Context(), code, oauth2.VerifierOption(verifier)))
		claims := s.claims(token)
		_, info := s.userinfo(token.AccessToken)
		if claims["acr"] != "password" || (claims["email_verified"] == true) != verified || (info["email_verified"] == true) != verified {
			t.Errorf("%v %v", claims, info)
		}
	}
}
