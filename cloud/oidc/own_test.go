package oidc_test

import (
	"fmt"
	"testing"

	"golang.org/x/oauth2"

	"ldap-gateway/cloud/store"
)

// An application gets the claims that it was given, and nothing of a scope that it was not
// granted, whatever it asks for.
func TestClaimsAndGrantsOfAnApplication(t *testing.T) {
	s := start(t)
	c, _ := s.relying("profile", "email", "groups")
	s.alice.Attributes = map[string]string{"primaryPhone": "+1.555"}
	check(t, s.db.UpdateUser(t.Context(), &s.alice))
	for name, c2 := range map[string]struct {
		kept store.ApplicationKept
		want map[string]string // by claim; empty: it is not there
	}{
		"nothing said": {store.ApplicationKept{}, map[string]string{"email": "alice@acme.example", "tel": ""}},
		"claims": {store.ApplicationKept{Attributes: []store.ApplicationAttribute{
			{Name: "tel", Value: "${user.primaryPhone}"}, {Name: "family", Value: "${user.name.family}"},
			{Name: "none", Value: "${user.title}"},
		}}, map[string]string{"tel": "+1.555", "family": "Archer", "none": "", "email": "alice@acme.example"}},
		"one scope": {store.ApplicationKept{Scopes: []string{"profile"}}, map[string]string{
			"preferred_username": "alice", "email": "", "groups": "",
		}},
		"no scope": {store.ApplicationKept{Scopes: []string{}}, map[string]string{
			"preferred_username": "", "email": "", "groups": "", "sub": s.alice.ID,
		}},
	} {
		s.app.Kept = c2.kept
		check(t, s.db.UpdateApplication(t.Context(), &s.app))
		code, verifier := s.browser().code(c)
		token, err := c.Exchange(t.Context(), code, oauth2.VerifierOption(verifier))
		check(t, err)
		_, info := s.userinfo(token.AccessToken)
		for where, claims := range map[string]map[string]any{"ID token": s.claims(token), "UserInfo": info} {
			for claim, want := range c2.want {
				got, there := claims[claim]
				if there != (want != "") || there && fmt.Sprint(got) != want {
					t.Errorf("%s, %s: %s is %v", name, where, claim, got)
				}
			}
		}
	}
}

// A claim of an application's own is told where it is to be told, and everywhere where
// nothing was said.
func TestClaimsGoWhereTheyAreMeant(t *testing.T) {
	s := start(t)
	c, _ := s.relying("profile")
	no, yes := new(bool), new(true)
	for _, c2 := range []struct {
		token, info *bool
		want        string // where the claim is
	}{
		{nil, nil, "ID token UserInfo "},
		{yes, yes, "ID token UserInfo "},
		{no, nil, "UserInfo "},
		{nil, no, "ID token "},
		{no, no, ""},
	} {
		s.app.Kept = store.ApplicationKept{Attributes: []store.ApplicationAttribute{
			{Name: "family", Value: "${user.name.family}", InIDToken: c2.token, InUserInfo: c2.info},
		}}
		check(t, s.db.UpdateApplication(t.Context(), &s.app))
		code, verifier := s.browser().code(c)
		token, err := c.Exchange(t.Context(), code, oauth2.VerifierOption(verifier))
		check(t, err)
		_, info := s.userinfo(token.AccessToken)
		got := ""
		if s.claims(token)["family"] != nil {
			got += "ID token "
		}
		if info["family"] != nil {
			got += "UserInfo "
		}
		if got != c2.want {
			t.Errorf("told in %q, not in %q", got, c2.want)
		}
	}
}
