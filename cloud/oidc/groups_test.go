package oidc_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	gooidc "github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"ldap-gateway/cloud/store"
)

// TestGroupsAreBoundedInBytes: it is bytes that break servers, not groups.
func TestGroupsAreBoundedInBytes(t *testing.T) {
	for name, row := range map[string]struct {
		groups, letters, bytes int
		kind                   string
		in                     bool // the ID token
	}{
		"none":                {0, 0, 0, store.GroupNames, true},
		"many short":          {100, 12, 0, store.GroupNames, true},
		"more than many":      {101, 12, 0, store.GroupNames, true},
		"sixty long":          {60, 92, 0, store.GroupNames, false},
		"a hundred long":      {100, 92, 0, store.GroupNames, false},
		"a thousand":          {1000, 12, 0, store.GroupNames, false},
		"one that is all":     {1, 2044, 0, store.GroupNames, true}, // ["…"] is two bytes of brackets and two of quotes
		"one that is more":    {1, 2045, 0, store.GroupNames, false},
		"long of few letters": {1, 1100, 0, "umlauts", false}, // two bytes each
		"more by choice":      {60, 92, 8000, store.GroupNames, true},
		"fewer by choice":     {3, 12, 10, store.GroupNames, false},
		"never":               {1, 12, store.NoGroupBytes, store.GroupNames, false},
		"never, of none":      {0, 0, store.NoGroupBytes, store.GroupNames, false},
		"as objects":          {20, 40, 0, store.GroupObjects, false},
		"as IDs":              {50, 92, 0, store.GroupIDs, true},
	} {
		t.Run(strings.ReplaceAll(name, " ", "-"), func(t *testing.T) {
			t.Parallel()
			s := start(t)
			for _, m := range must(s.db.UserGroups(t.Context(), s.env, s.alice.ID)) {
				check(t, s.db.RemoveMember(t.Context(), s.env, s.alice.ID, m.Group.ID))
			}
			letter := "x"
			if row.kind == "umlauts" {
				letter, row.kind = "ü", store.GroupNames
			}
			var all []string
			for i := range row.groups {
				no := fmt.Sprintf("%04d", i)
				all = append(all, no+strings.Repeat(letter, max(0, row.letters-4)))
			}
			s.join(all...)
			s.app.Groups = store.GroupsClaim{Value: row.kind, Bytes: row.bytes}
			check(t, s.db.UpdateApplication(t.Context(), &s.app))
			s.boundedGroups(row.groups, row.in, row.bytes)
		})
	}
}

// boundedGroups signs alice on, and looks for her groups wherever they may be.
func (s *site) boundedGroups(n int, in bool, bytes int) {
	s.t.Helper()
	c, provider := s.relying("groups")
	code, verifier := s.browser().code(c)
	token := must(c.Exchange(s.t.Context(), code, oauth2.VerifierOption(verifier)))
	claims := s.claims(token)
	_, info := s.userinfo(token.AccessToken)
	if got := len(info["groups"].([]any)); got != n || info["_claim_names"] != nil {
		s.t.Errorf("userinfo has %d of %d", got, n)
	}
	groups, there := claims["groups"].([]any)
	sources, _ := json.Marshal(claims["_claim_sources"])
	if there != in || in && len(groups) != n || (string(sources) == "null") != in {
		s.t.Fatalf("in the ID token: %d of %d, %s", len(groups), n, sources)
	}
	if size := len(token.Extra("id_token").(string)); bytes <= 0 && size > 4<<10 {
		s.t.Errorf("the ID token has %d bytes", size)
	}
	if in {
		return
	}
	if over, said := claims["groups_overflow"]; said != (bytes >= 0) || said && fmt.Sprint(over) != fmt.Sprint(n) {
		s.t.Errorf("groups_overflow is %v", over)
	}
	// Where the token says, they are, signed.
	var from struct {
		Groups struct {
			Endpoint string
			Access   string `json:"access_token"`
		}
	}
	check(s.t, json.Unmarshal(sources, &from))
	path := strings.TrimPrefix(from.Groups.Endpoint, s.server.Issuer(s.env))
	if resp, _ := s.ask(path, nil, "Authorization", "Bearer "+token.AccessToken); resp.StatusCode != http.StatusOK {
		s.t.Errorf("by the access token: %s", resp.Status)
	}
	resp, body := s.ask(path, nil, "Authorization", "Bearer "+from.Groups.Access)
	signed, err := provider.VerifierContext(s.t.Context(), &gooidc.Config{ClientID: s.app.ID}).Verify(s.t.Context(), body)
	if err != nil || resp.Header.Get("Content-Type") != "application/jwt" || signed.Subject != s.alice.ID {
		s.t.Fatalf("%v %s", err, body)
	}
	var told struct{ Groups []any }
	check(s.t, signed.Claims(&told))
	if len(told.Groups) != n {
		s.t.Errorf("%d of %d groups", len(told.Groups), n)
	}
	s.opensGroupsAlone(path, from.Groups.Access, token.AccessToken)
}

// opensGroupsAlone tries the token that an ID token carries for groups wherever a token may be shown, and
// after the access token that it came with was taken back.
func (s *site) opensGroupsAlone(path, groups, access string) {
	s.t.Helper()
	secret := []string{"Authorization", "Basic " + base64.StdEncoding.EncodeToString([]byte(s.app.ID+":"+s.secret))}
	if status, info := s.userinfo(groups); status != http.StatusUnauthorized {
		s.t.Errorf("userinfo: %d %v", status, info)
	}
	if _, body := s.ask("/introspect", url.Values{"token": {groups}}, secret...); !strings.Contains(body, `"active":false`) {
		s.t.Errorf("introspect: %s", body)
	}
	s.ask("/revoke", url.Values{"token": {groups}}, secret...)
	if status, _ := s.userinfo(access); status != http.StatusOK {
		s.t.Errorf("it takes back the access token: %d", status)
	}
	for _, other := range []string{groups[1:], groups + "A", access[:len(access)-2], "", "groups-"} {
		if resp, _ := s.ask(path, nil, "Authorization", "Bearer "+other); resp.StatusCode/100 != 4 {
			s.t.Errorf("%.20q: %s", other, resp.Status)
		}
	}
	s.ask("/revoke", url.Values{"token": {access}}, secret...)
	if resp, _ := s.ask(path, nil, "Authorization", "Bearer "+groups); resp.StatusCode != http.StatusUnauthorized {
		s.t.Errorf("outlives the access token: %s", resp.Status)
	}
}
