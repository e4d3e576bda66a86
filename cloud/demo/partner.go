package demo

import (
	"context"
	"fmt"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"

	"ldap-gateway/cloud/idp/idptest"
)

// partner is the second source of the story: an identity provider that knows Alice.
type partner struct {
	*idptest.OpenID
	id      string // in the cloud
	mapping string // ID of the mapping of groups
}

// says has the provider say that Alice is in groups.
func (p *partner) says(groups ...string) {
	p.SetPerson("alice", idptest.Person{Token: map[string]any{"groups": groups}})
}

// startPartner makes the provider known to the cloud, with Alice's account there.
func (s *stage) startPartner(ctx context.Context, user string) (p *partner, err error) {
	p = &partner{OpenID: s.provider}
	var made struct{ ID string }
	err = s.api.Do(ctx, "POST", "/identityProviders", map[string]any{
		"name":                  "Partner",
		"type":                  "OPENID_CONNECT",
		"enabled":               true,
		"issuer":                p.URL,
		"authorizationEndpoint": p.URL + "/authorize",
		"tokenEndpoint":         p.URL + "/token",
		"jwksEndpoint":          p.URL + "/jwks",
		"clientId":              p.ClientID,
		"clientSecret":          p.Secret,
		"scopes":                []string{"openid"},
		"tellsUsername":         true,
	}, &made)
	if err != nil {
		return p, err
	}
	p.id, s.partner = made.ID, made.ID
	if p.mapping, err = s.mapGroups(ctx, p, "POST", "", "EMPTY_ONLY"); err != nil {
		return p, err
	}
	return p, s.api.Do(ctx, "POST", "/users/"+user+"/linkedAccounts", map[string]any{
		"externalId":       "sub-alice",
		"identityProvider": map[string]string{"id": p.id},
	}, nil)
}

// mapGroups says when the provider's groups are taken over, and returns the mapping's ID.
func (s *stage) mapGroups(ctx context.Context, p *partner, method, id, update string) (string, error) {
	var made struct{ ID string }
	err := s.api.Do(ctx, method, "/identityProviders/"+p.id+"/attributes"+id, map[string]string{
		"name":   "memberOfExternalGroups",
		"value":  "${providerAttributes.groups}",
		"update": update,
	}, &made)
	return made.ID, err
}

// browse signs Alice on at the provider, as her browser does.
func (s *stage) browse(ctx context.Context, p *partner) error {
	jar, err := cookiejar.New(nil)
	if err != nil {
		return err
	}
	at := s.api.URL + "/" + s.setup.EnvironmentID + "/signon/idp/" + p.id + "?hint=" + url.QueryEscape("alice")
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, at, nil)
	if err != nil {
		return err
	}
	browser := &http.Client{Jar: jar}
	defer browser.CloseIdleConnections()
	answer, err := browser.Do(r)
	if err != nil {
		return err
	}
	_ = answer.Body.Close() // the page is not read
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("the sign-on at the provider ended with %s: this is a defect", answer.Status)
	}
	return nil
}

// ofUser is one of a user's groups, as the API has it.
type ofUser struct{ DisplayName, SourceType string }

// theirs shows Alice's groups with where they come from, and fails the demo when those
// of the provider are not the ones that the story tells.
func (s *stage) theirs(ctx context.Context, user string, names ...string) error {
	var list struct {
		Embedded struct {
			GroupMemberships []ofUser
		} `json:"_embedded"`
	}
	if err := s.api.Do(ctx, "GET", "/users/"+user+"/memberOfGroups", nil, &list); err != nil {
		return err
	}
	var got []string
	for _, g := range list.Embedded.GroupMemberships {
		badge := "LDAP Gateway"
		if g.SourceType == "IDP" {
			badge = "External IdP"
			got = append(got, g.DisplayName)
		}
		s.say("     %-10s [Just-in-time] [%s]", g.DisplayName, badge)
	}
	if strings.Join(got, " ") != strings.Join(names, " ") {
		return fmt.Errorf("the cloud has the groups %v of the provider, which says %v: this is a defect", got, names)
	}
	return nil
}

// tellPartner plays the second story: the same person's groups, from somebody else.
func (s *stage) tellPartner(ctx context.Context, user string) error {
	p, err := s.startPartner(ctx, user)
	if err != nil {
		return err
	}
	p.says("backend", "board")
	s.say("8. A partner's identity provider, by OpenID Connect, knows Alice too: it says backend and board.")
	if err := s.browse(ctx, p); err != nil {
		return err
	}
	s.say("   She signs on there, and is signed on here. Two sources never share a group:")
	if err := s.theirs(ctx, user, "backend", "board"); err != nil {
		return err
	}
	p.says("backend", "audit")
	if err := s.browse(ctx, p); err != nil {
		return err
	}
	s.say("   Then it says backend and audit. Her groups there are mapped once: nothing changes.\n")
	if _, err := s.mapGroups(ctx, p, "PUT", "/"+p.mapping, "ALWAYS"); err != nil {
		return err
	}
	if err := s.browse(ctx, p); err != nil {
		return err
	}
	s.say("9. They are mapped at each sign-on now, and she signs on there again:")
	if err := s.theirs(ctx, user, "audit", "backend"); err != nil {
		return err
	}
	s.say("")
	return nil
}
