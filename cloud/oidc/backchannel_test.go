package oidc_test

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"

	gooidc "github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"ldap-gateway/cloud/oidc/clienttest"
)

// TestApplicationsAreTold: those that a session signed on for are told when it ends, by
// whichever way, and others are not.
func TestApplicationsAreTold(t *testing.T) {
	for _, way := range []string{"page", "hint"} {
		s := start(t)
		var told []string
		var mu sync.Mutex // both are told at once
		app := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			mu.Lock()
			defer mu.Unlock()
			told = append(told, r.URL.Path+" "+r.PostFormValue("logout_token"))
			if r.URL.Path == "/broken" {
				w.WriteHeader(http.StatusBadRequest)
			}
		}))
		t.Cleanup(app.Close)
		s.app.OpenID.BackChannel = app.URL + "/mine"
		check(t, s.db.UpdateApplication(t.Context(), &s.app))
		other, _ := s.api("Other") // that nobody signs on for
		other.OpenID.BackChannel = app.URL + "/other"
		check(t, s.db.UpdateApplication(t.Context(), &other))
		broken, secret := s.api("Broken")
		broken.OpenID.BackChannel = app.URL + "/broken"
		check(t, s.db.UpdateApplication(t.Context(), &broken))

		c, provider := s.relying()
		b := s.browser()
		code, verifier := b.code(c)
		token := must(c.Exchange(t.Context(), code, oauth2.VerifierOption(verifier)))
		second := *c
		second.ClientID, second.ClientSecret = broken.ID, secret
		code, verifier = b.code(&second)
		must(second.Exchange(t.Context(), code, oauth2.VerifierOption(verifier)))
		elsewhere := s.browser()
		elsewhere.code(c) // another session, whose code is not redeemed
		if way == "page" {
			b.went(b.http.PostForm(s.url+"/"+s.env+"/signon/off", nil))
		} else {
			b.get(s.server.Issuer(s.env) + "/signoff?id_token_hint=" + token.Extra("id_token").(string))
		}
		if len(told) != 2 {
			t.Fatalf("%s: %q", way, told)
		}
		for _, one := range told {
			path, raw, _ := strings.Cut(one, " ")
			if path != "/mine" {
				continue
			}
			logout, err := provider.VerifierContext(t.Context(), &gooidc.Config{ClientID: s.app.ID}).Verify(t.Context(), raw)
			check(t, err)
			var claims map[string]any
			check(t, logout.Claims(&claims))
			head, _, _ := strings.Cut(raw, ".")
			if kind := string(must(base64.RawURLEncoding.DecodeString(head))); !strings.Contains(kind, `"logout+jwt"`) {
				t.Error(kind)
			}
			if claims["sub"] != s.alice.ID || claims["sid"] != s.claims(token)["sid"] || claims["jti"] == nil || claims["nonce"] != nil ||
				!strings.Contains(fmt.Sprint(claims["events"]), "backchannel-logout") {
				t.Errorf("%v", claims)
			}
		}
		if p := elsewhere.get(s.url + "/" + s.env + "/signon"); !strings.Contains(p.page, "You are signed on") {
			t.Error("another session has ended, too")
		}
	}
}

// TestApacheIsTold: Apache's own module ends its session by it.
func TestApacheIsTold(t *testing.T) {
	for _, k := range clienttest.Kinds() {
		if k.Name != "apache" {
			continue
		}
		s := start(t)
		at := s.byPreset(k)
		s.app.OpenID.BackChannel = at.Redirect + "?logout=backchannel"
		check(t, s.db.UpdateApplication(t.Context(), &s.app))
		b := &browser{site: s, http: http.Client{Jar: must(cookiejar.New(nil)), Transport: html{}}}
		if p := b.signOn(b.get(at.URL+"/"), "alice", "wonderland"); !strings.Contains(p.page, s.alice.ID) {
			t.Fatal(p.page)
		}
		if p := b.get(at.URL + "/"); !strings.Contains(p.page, s.alice.ID) {
			t.Fatal(p.page)
		}
		r := must(http.NewRequest("POST", s.url+"/"+s.env+"/signon/off", strings.NewReader(url.Values{}.Encode())))
		b.went(b.http.Do(r))
		if p := b.get(at.URL + "/"); strings.Contains(p.page, s.alice.ID) || !strings.Contains(p.page, `type="password"`) {
			t.Errorf("she is still signed on at Apache: %s", p.page)
		}
	}
}
