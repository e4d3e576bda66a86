package oidc_test

import (
	"fmt"
	"testing"

	"golang.org/x/oauth2"

	"ldap-gateway/cloud/store"
)

// provider makes an identity provider.
func (s *site) provider(name string) string {
	s.t.Helper()
	p := store.IdentityProvider{
		EnvironmentID: s.env,
		Name:          name,
		Type:          store.OpenIDConnect,
		Config: store.ProviderConfig{
			First: name == "first",
			OIDC:  &store.OIDCConfig{Issuer: "https://" + name + ".example.org"},
		},
	}
	check(s.t, s.db.CreateIdentityProvider(s.t.Context(), &p))
	return p.ID
}

// came puts alice into a just-in-time group of a source.
func (s *site) came(kind store.Source, id, name string) *store.Group {
	s.t.Helper()
	g := &store.Group{EnvironmentID: s.env, Name: name, DisplayName: name, SourceType: kind, SourceID: id}
	check(s.t, s.db.Provision(s.t.Context(), func(tx *store.Tx) error {
		if err := tx.CreateGroups(s.t.Context(), []*store.Group{g}); err != nil {
			return err
		}
		return tx.AddMemberships(s.t.Context(), s.env, s.alice.ID, []store.Joined{{GroupID: g.ID}}, s.now())
	}))
	return g
}

// groupsAs is what an application learns under a rule.
func (s *site) groupsAs(c *oauth2.Config, rule store.GroupsClaim) string {
	s.t.Helper()
	s.app.Groups = rule
	check(s.t, s.db.UpdateApplication(s.t.Context(), &s.app))
	code, verifier := s.browser().code(c)
	token, err := c.Exchange(s.t.Context(), code, oauth2.VerifierOption(verifier))
	check(s.t, err)
	groups := fmt.Sprint(s.claims(token)["groups"])
	if _, info := s.userinfo(token.AccessToken); fmt.Sprint(info["groups"]) != groups {
		s.t.Errorf("userinfo: %v", info["groups"])
	}
	return groups
}

// TestGroupsOfAnotherSource are no application's by their name, whatever it is called,
// unless its rule names that source, or the group by its ID.
func TestGroupsOfAnotherSource(t *testing.T) {
	s := start(t)
	relying, _ := s.relying("groups")
	check(t, s.db.CreateGateway(t.Context(), &store.Gateway{EnvironmentID: s.env, Name: "Headquarters"}))
	gateways, _, err := s.db.Gateways(t.Context(), s.env, store.Page{})
	check(t, err)
	gateway := gateways[0].ID
	partner, other := s.provider("partner"), s.provider("other")
	s.came(store.SourceGateway, gateway, "cn=admins,dc=y")
	s.came(store.SourceIDP, partner, "cn=admins,dc=y")
	s.came(store.SourceIDP, partner, "CN=Admins,dc=y")
	forged := s.came(store.SourceIDP, other, "cn=owners,dc=y")
	s.came(store.SourceIDP, other, "readers")
	for name, c := range map[string]struct {
		rule store.GroupsClaim
		want string
	}{
		"a pattern":            {store.GroupsClaim{Allow: []string{"*,dc=y"}}, "[cn=admins,dc=y cn=b/c,dc=y]"},
		"its own groups":       {store.GroupsClaim{Allow: []string{"readers"}}, "[readers]"},
		"a partner's":          {store.GroupsClaim{Allow: []string{"*admins*"}, Sources: []string{partner}}, "[CN=Admins,dc=y cn=admins,dc=y]"},
		"another's":            {store.GroupsClaim{Allow: []string{"*,dc=y"}, Sources: []string{other}}, "[cn=b/c,dc=y cn=owners,dc=y]"},
		"nobody's any more":    {store.GroupsClaim{Allow: []string{"*admins*"}, Sources: []string{"gone"}}, "[]"},
		"both":                 {store.GroupsClaim{Allow: []string{"cn=admins,*"}, Sources: []string{partner, gateway}}, "[CN=Admins,dc=y cn=admins,dc=y cn=admins,dc=y]"},
		"by its ID":            {store.GroupsClaim{Allow: []string{forged.ID}}, "[cn=owners,dc=y]"},
		"a name that is an ID": {store.GroupsClaim{Allow: []string{partner}}, "[]"},
	} {
		c.rule.Value = store.GroupNames
		if got := s.groupsAs(relying, c.rule); got != c.want {
			t.Errorf("%s: %s", name, got)
		}
	}
	all := s.groupsAs(relying, store.GroupsClaim{Value: store.GroupNames})
	if all != "[cn=a,dc=x cn=admins,dc=y cn=b,dc=x cn=b/c,dc=y readers]" {
		t.Error(all)
	}
	objects := s.groupsAs(relying, store.GroupsClaim{Value: store.GroupObjects, Allow: []string{forged.ID}})
	want := fmt.Sprintf("[map[displayName:cn=owners,dc=y id:%s name:cn=owners,dc=y sourceId:%s sourceType:IDP]]", forged.ID, other)
	if objects != want {
		t.Error(objects)
	}
}

// TestGroupsWithoutGateway: the first provider stands in for gateways, until there is one.
func TestGroupsWithoutGateway(t *testing.T) {
	s := start(t)
	c, _ := s.relying("groups")
	first, second := s.provider("first"), s.provider("second")
	s.came(store.SourceIDP, first, "staff")
	s.came(store.SourceIDP, second, "owners")
	rule := store.GroupsClaim{Value: store.GroupNames, Allow: []string{"staff", "owners"}}
	if got := s.groupsAs(c, rule); got != "[staff]" {
		t.Error(got)
	}
	g := store.Gateway{EnvironmentID: s.env, Name: "Headquarters"}
	check(t, s.db.CreateGateway(t.Context(), &g))
	if got := s.groupsAs(c, rule); got != "[]" {
		t.Error(got)
	}
	check(t, s.db.DeleteGateway(t.Context(), s.env, g.ID, true))
	check(t, s.db.DeleteIdentityProvider(t.Context(), s.env, first, true))
	if got := s.groupsAs(c, rule); got != "[]" {
		t.Errorf("another took its place: %s", got)
	}
}
