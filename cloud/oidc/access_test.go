package oidc_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"golang.org/x/oauth2"

	"ldap-gateway/cloud/store"
)

// rule says who may use the application.
func (s *site) rule(all bool, groups ...string) {
	s.t.Helper()
	s.app.OpenID.AccessRule = store.AccessRule{Access: groups, AccessAll: all}
	check(s.t, s.db.UpdateApplication(s.t.Context(), &s.app))
}

// TestAccess: an application that is for groups is for those in them, by the ID of each.
func TestAccess(t *testing.T) {
	s := start(t)
	relying, _ := s.relying()
	provider := s.provider("partner")
	mine := s.came(store.SourceGateway, "hq", "cn=staff,dc=example").ID
	partners := s.came(store.SourceIDP, provider, "cn=crew,dc=example").ID
	theirs := &store.Group{EnvironmentID: s.env, Name: "cn=crew,dc=example", SourceType: store.SourceGateway, SourceID: "hq"}
	check(t, s.db.Provision(t.Context(), func(tx *store.Tx) error {
		return tx.CreateGroups(t.Context(), []*store.Group{theirs})
	}))
	for name, c := range map[string]struct {
		groups []string
		all    bool
		in     bool
	}{
		"no-rule":            {nil, false, true},
		"no-rule-all":        {nil, true, true},
		"in-it":              {[]string{mine}, false, true},
		"in-all":             {[]string{mine, partners}, true, true},
		"in-one-of-any":      {[]string{theirs.ID, partners}, false, true},
		"in-one-of-all":      {[]string{theirs.ID, partners}, true, false},
		"not-in-it":          {[]string{theirs.ID}, false, false},
		"named-alike":        {[]string{theirs.ID}, true, false},
		"gone":               {[]string{"gone"}, false, false},
		"gone-among-all":     {[]string{mine, "gone"}, true, false},
		"by-name-is-by-none": {[]string{"cn=staff,dc=example"}, false, false},
	} {
		t.Run(name, func(t *testing.T) {
			s.rule(c.all, c.groups...)
			b := s.browser()
			at := func(more ...oauth2.AuthCodeOption) place {
				verifier := oauth2.S256ChallengeOption(oauth2.GenerateVerifier())
				return b.get(relying.AuthCodeURL("state", append(more, verifier)...))
			}
			p := b.signOn(at(), "alice", "wonderland")
			if code := p.url.Query().Get("code"); (code != "") != c.in {
				t.Fatalf("%s %s", p.url, p.page)
			}
			if !c.in && (p.status != http.StatusForbidden || !strings.Contains(p.page, "Your account may not use Wiki.")) {
				t.Errorf("%d %s", p.status, p.page)
			}
			if p = at(); (p.url.Query().Get("code") != "") != c.in { // with the session
				t.Errorf("by the session: %s", p.url)
			}
			silent := at(oauth2.SetAuthURLParam("prompt", "none")).url.Query()
			if want := map[bool]string{true: "", false: "access_denied"}[c.in]; silent.Get("error") != want {
				t.Errorf("without a page: %v", silent)
			}
		})
	}
	told, _, err := s.db.Activities(t.Context(), s.env, store.ActivityFilter{Action: "application.denied"}, store.Page{})
	if err != nil || len(told) != 3 || told[0].Subject != "application:"+s.app.ID {
		t.Errorf("an administrator finds %d: %+v, %v", len(told), told, err)
	}
}

// TestAccessIsLookedAtBeforeConsent: who may not use an application is not asked to agree to
// what it learns, neither after a password nor by a session, and is told at once.
func TestAccessIsLookedAtBeforeConsent(t *testing.T) {
	s := start(t)
	relying, _ := s.relying()
	other := &store.Group{EnvironmentID: s.env, Name: "Others"}
	check(t, s.db.CreateGroup(t.Context(), other))
	for name, groups := range map[string][]string{"admitted": nil, "not-admitted": {other.ID}} {
		s.rule(false, groups...)
		b := s.browser()
		at := func() place {
			verifier := oauth2.S256ChallengeOption(oauth2.GenerateVerifier())
			return b.get(relying.AuthCodeURL("state", oauth2.SetAuthURLParam("prompt", "consent"), verifier))
		}
		for way, p := range map[string]place{"password": b.signOn(at(), "alice", "wonderland"), "session": at()} {
			asked := strings.Contains(p.page, "Go on as alice?")
			denied := p.status == http.StatusForbidden && strings.Contains(p.page, "Your account may not use Wiki.")
			if asked != (groups == nil) || denied == asked {
				t.Errorf("%s by %s: %d %s", name, way, p.status, p.page)
			}
		}
	}
}

// TestAccessIsLost: what was given while somebody might use the application opens nothing
// when they may not any more, and does again when they may.
func TestAccessIsLost(t *testing.T) {
	s := start(t)
	s.app.OpenID.Resources = []string{"https://api.example"}
	s.app.OpenID.Audiences = s.app.OpenID.Resources
	mine := &store.Group{EnvironmentID: s.env, Name: "Staff"}
	check(t, s.db.CreateGroup(t.Context(), mine))
	check(t, s.db.AddMember(t.Context(), s.env, s.alice.ID, mine.ID, s.now()))
	s.rule(false, mine.ID)
	relying, _ := s.relying("offline_access")
	code, verifier := s.browser().code(relying)
	token, err := relying.Exchange(t.Context(), code, oauth2.VerifierOption(verifier))
	check(t, err)
	late, verifier := s.browser().code(relying)
	check(t, s.db.RemoveMember(t.Context(), s.env, s.alice.ID, mine.ID))

	if status, _ := s.userinfo(token.AccessToken); status != http.StatusUnauthorized {
		t.Errorf("userinfo: %d", status)
	}
	for name, form := range map[string]url.Values{
		"code":    {"grant_type": {"authorization_code"}, "code": {late}, "code_verifier": {verifier}, "redirect_uri": {redirect}},
		"refresh": {"grant_type": {"refresh_token"}, "refresh_token": {token.RefreshToken}},
	} {
		form.Set("client_id", s.app.ID)
		form.Set("client_secret", s.secret)
		p := s.browser().went(http.PostForm(s.server.Issuer(s.env)+"/token", form))
		if p.status != http.StatusBadRequest || !strings.Contains(p.page, `"invalid_grant"`) ||
			!strings.Contains(p.page, "may not use this application") {
			t.Errorf("%s: %d %s", name, p.status, p.page)
		}
	}
	about := url.Values{"client_id": {s.app.ID}, "client_secret": {s.secret}, "token": {token.AccessToken}}
	p := s.browser().went(http.PostForm(s.server.Issuer(s.env)+"/introspect", about))
	if p.status != http.StatusOK || !strings.Contains(p.page, `"active":false`) {
		t.Errorf("introspection: %d %s", p.status, p.page)
	}
	check(t, s.db.AddMember(t.Context(), s.env, s.alice.ID, mine.ID, s.now()))
	if status, _ := s.userinfo(token.AccessToken); status != http.StatusOK {
		t.Errorf("userinfo of somebody who is back: %d", status)
	}
}
