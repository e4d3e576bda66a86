package oidc_test

import (
	"net/url"
	"strings"
	"testing"

	"golang.org/x/oauth2"
)

// TestSignOffReturns goes through what an application may send to have somebody signed off.
func TestSignOffReturns(t *testing.T) {
	const bye, asks, off = "https://app.example/bye", "asks", "off"
	s := start(t)
	c, _ := s.relying()
	other := s.page("Other", "WEB_APP", redirect)
	for name, row := range map[string]struct {
		hint, client, to, state bool
		more                    url.Values
		ends                    string // where the browser is; an address, or a page
		signedOn                bool   // still, before anybody pressed anything
	}{
		"nothing":         {ends: asks, signedOn: true},
		"client":          {client: true, ends: asks, signedOn: true},
		"clientTo":        {client: true, to: true, state: true, ends: asks, signedOn: true},
		"hint":            {hint: true, ends: off},
		"hintTo":          {hint: true, to: true, ends: bye},
		"hintToState":     {hint: true, to: true, state: true, ends: bye + "?state=a%26b"},
		"hintClientTo":    {hint: true, client: true, to: true, ends: bye},
		"hintToElsewhere": {hint: true, more: url.Values{"post_logout_redirect_uri": {"https://evil.example/"}}, ends: ">You are signed off</h1>"},
		"toElsewhere":     {client: true, more: url.Values{"post_logout_redirect_uri": {"https://evil.example/"}}, ends: "not registered", signedOn: true},
		"badHint":         {to: true, more: url.Values{"id_token_hint": {"x"}}, ends: "not of here", signedOn: true},
		"hintOfAnother":   {hint: true, more: url.Values{"client_id": {other.ID}}, ends: "another application", signedOn: true},
		"nobodyToSay":     {to: true, ends: asks, signedOn: true},
		"unknownClient":   {to: true, more: url.Values{"client_id": {"none"}}, ends: "not known", signedOn: true},
	} {
		b := s.browser()
		code, verifier := b.code(c)
		q := url.Values{}
		if row.hint {
			q.Set("id_token_hint", must(c.Exchange(t.Context(), code, oauth2.VerifierOption(verifier))).Extra("id_token").(string))
		}
		if row.client {
			q.Set("client_id", s.app.ID)
		}
		if row.to {
			q.Set("post_logout_redirect_uri", bye)
		}
		if row.state {
			q.Set("state", "a&b")
		}
		for k, v := range row.more {
			q[k] = v
		}
		p := b.get(s.server.Issuer(s.env) + "/signoff?" + q.Encode())
		switch row.ends {
		case asks:
			if !strings.Contains(p.page, "Sign off?") || row.client != strings.Contains(p.page, "Wiki") {
				t.Errorf("%s does not ask: %s", name, p.page)
			}
		case off:
			if !strings.Contains(p.page, "You are signed off") {
				t.Errorf("%s: %s", name, p.page)
			}
		default:
			if p.url.String() != row.ends && !strings.Contains(p.page, row.ends) || strings.Contains(p.url.Host, "evil") {
				t.Errorf("%s: %s %s", name, p.url, p.page)
			}
		}
		if is := b.get(s.url + "/" + s.env + "/signon").page; strings.Contains(is, "You are signed on") != row.signedOn {
			t.Errorf("%s: still signed on: %v", name, !row.signedOn)
		}
	}
}

// TestSignOffAsksAndReturns: without an ID token the person is asked, and then led back
// with the state; who is signed on nowhere is led back at once.
func TestSignOffAsksAndReturns(t *testing.T) {
	s := start(t)
	c, _ := s.relying()
	q := url.Values{"client_id": {s.app.ID}, "post_logout_redirect_uri": {"https://app.example/bye"}, "state": {"z"}}
	b := s.browser()
	if p := b.get(s.server.Issuer(s.env) + "/signoff?" + q.Encode()); p.url.String() != "https://app.example/bye?state=z" {
		t.Errorf("nobody is signed on: %s", p.url)
	}
	b.code(c)
	p := b.get(s.server.Issuer(s.env) + "/signoff?" + q.Encode())
	form := hidden(p.page)
	if form.Get("state") != "z" {
		t.Fatal(p.page)
	}
	p = b.went(b.http.PostForm(s.url+"/"+s.env+"/signon/off", form))
	if !strings.Contains(p.page, `content="0; url=https://app.example/bye?state=z"`) {
		t.Error(p.page)
	}
	// An address that was put into the page by somebody else is none.
	b.code(c)
	form.Set("post_logout_redirect_uri", "https://evil.example/")
	if p = b.went(b.http.PostForm(s.url+"/"+s.env+"/signon/off", form)); strings.Contains(p.page, "evil") || p.status != 404 {
		t.Errorf("%d %s", p.status, p.page)
	}
}
