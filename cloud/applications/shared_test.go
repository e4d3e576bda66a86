package applications_test

import (
	"fmt"
	"strings"
	"testing"

	"ldap-gateway/cloud/applications"
	"ldap-gateway/cloud/store"
	"ldap-gateway/cloud/store/storetest"
)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// TestSharedNames: which groups an application cannot tell from those of another source, by
// what it learns of them, and of which sources.
func TestSharedNames(t *testing.T) {
	db, err := store.Open(t.Context(), storetest.File(t))
	must(t, err)
	t.Cleanup(func() { must(t, db.Close()) })
	env := store.Environment{Name: "Example"}
	must(t, db.CreateEnvironment(t.Context(), &env))
	hq := store.Gateway{EnvironmentID: env.ID, Name: "HQ", Vendor: "OpenLDAP"}
	partner := store.Gateway{EnvironmentID: env.ID, Name: "Partner", Vendor: "OpenLDAP"}
	idp := store.IdentityProvider{EnvironmentID: env.ID, Name: "Vendor", Type: store.OpenIDConnect, Config: store.ProviderConfig{
		First: true, OIDC: &store.OIDCConfig{Issuer: "https://vendor.example"},
	}}
	must(t, db.CreateGateway(t.Context(), &hq))
	must(t, db.CreateGateway(t.Context(), &partner))
	must(t, db.CreateIdentityProvider(t.Context(), &idp))
	add := func(kind store.Source, id string, names ...string) {
		var all []*store.Group
		for _, name := range names {
			name, display, _ := strings.Cut(name, "/")
			all = append(all, &store.Group{
				EnvironmentID: env.ID, Name: name, DisplayName: display, SourceType: kind, SourceID: id,
			})
		}
		must(t, db.Provision(t.Context(), func(tx *store.Tx) error { return tx.CreateGroups(t.Context(), all) }))
	}
	add("", "", "Staff/Staff")
	add(store.SourceGateway, hq.ID, "cn=backend,dc=x/backend", "cn=a,dc=x/a", "cn=staff,dc=x/Staff", "cn=b,dc=x/b")
	add(store.SourceGateway, partner.ID, "CN=Backend,dc=x/Backend", "cn=backend,dc=partner/BACKEND", "cn=c,dc=x/c")
	add(store.SourceIDP, idp.ID, "cn=a,dc=x/a", "Staff/staff")

	names := []string{"backend", "a", "staff"}
	rule := func(value string, allow []string, sources ...string) store.GroupsClaim {
		return store.GroupsClaim{Value: value, Allow: allow, Sources: sources}
	}
	for name, c := range map[string]struct {
		rule store.GroupsClaim
		want string // how many of each of the names, of the smaller source
	}{
		"usual-is-all-gateways":  {rule(store.GroupNames, nil), "1 0 0"},
		"one-gateway":            {rule(store.GroupNames, nil, hq.ID), "0 0 0"},
		"the-other":              {rule(store.GroupNames, nil, partner.ID), "0 0 0"},
		"both":                   {rule(store.GroupNames, nil, hq.ID, partner.ID), "1 0 0"},
		"a-gateway-and-provider": {rule(store.GroupNames, nil, hq.ID, idp.ID), "0 1 1"},
		"provider-and-our-own":   {rule(store.GroupNames, nil, idp.ID), "0 0 1"},
		"ids":                    {rule(store.GroupIDs, nil), "0 0 0"},
		"objects":                {rule(store.GroupObjects, nil, hq.ID, partner.ID, idp.ID), "0 0 0"},
		"display-names":          {rule(store.GroupDisplayNames, nil), "2 0 1"},
		"display-of-one":         {rule(store.GroupDisplayNames, nil, partner.ID), "0 0 0"},
		"only-others":            {rule(store.GroupNames, []string{"cn=c*"}), "0 0 0"},
		"only-those":             {rule(store.GroupNames, []string{"cn=back*,dc=x"}), "1 0 0"},
		"source-that-is-gone":    {rule(store.GroupNames, nil, hq.ID, "gone"), "0 0 0"},
	} {
		t.Run(name, func(t *testing.T) {
			a := store.Application{EnvironmentID: env.ID, Groups: c.rule, Protocol: store.OpenIDConnect}
			for range 2 {
				all, err := applications.SharedNames(t.Context(), db, a)
				must(t, err)
				counts := map[string]int{}
				for _, g := range all {
					counts[strings.ToLower(g.DisplayName)]++
				}
				got := fmt.Sprintf("%d %d %d", counts[names[0]], counts[names[1]], counts[names[2]])
				if got != c.want {
					t.Errorf("%s, want %s", got, c.want)
				}
				a.Protocol, a.Kept.Attributes = store.SAML, []store.ApplicationAttribute{
					{Name: "groups", Value: "${user.memberOfGroups}"},
				}
			}
			a.Kept.Attributes = nil
			if all, err := applications.SharedNames(t.Context(), db, a); err != nil || len(all) > 0 {
				t.Errorf("one of SAML that learns no groups: %v %v", all, err)
			}
		})
	}
}

// TestSharedNamesBeyondAPage: a name that many others come before, and a group that is named by
// its ID, are told as well.
func TestSharedNamesBeyondAPage(t *testing.T) {
	db, err := store.Open(t.Context(), storetest.File(t))
	must(t, err)
	t.Cleanup(func() { must(t, db.Close()) })
	env := store.Environment{Name: "Example"}
	must(t, db.CreateEnvironment(t.Context(), &env))
	one := store.Gateway{EnvironmentID: env.ID, Name: "One", Vendor: "OpenLDAP"}
	two := store.Gateway{EnvironmentID: env.ID, Name: "Two", Vendor: "OpenLDAP"}
	must(t, db.CreateGateway(t.Context(), &one))
	must(t, db.CreateGateway(t.Context(), &two))
	last := map[string]string{} // the IDs of the last group, by gateway
	for _, g := range []string{one.ID, two.ID} {
		for i := range 2*store.MostShared + 1 {
			group := store.Group{EnvironmentID: env.ID, Name: fmt.Sprintf("cn=%04d", i), DisplayName: fmt.Sprintf("%04d", i),
				SourceType: store.SourceGateway, SourceID: g}
			must(t, db.Provision(t.Context(), func(tx *store.Tx) error { return tx.CreateGroups(t.Context(), []*store.Group{&group}) }))
			last[g] = group.ID
		}
	}
	name := fmt.Sprintf("cn=%04d", 2*store.MostShared)
	for what, c := range map[string]struct {
		sources, allow []string
		want           int
	}{
		"the last name":         {nil, []string{name}, 1},
		"all":                   {nil, nil, store.MostShared},
		"one source":            {[]string{one.ID}, []string{name}, 0},
		"and another's by ID":   {[]string{one.ID}, []string{name, last[two.ID]}, 1},
		"another's by ID alone": {[]string{one.ID}, []string{last[two.ID]}, 0},
		"both by ID":            {[]string{"gone"}, []string{last[one.ID], last[two.ID]}, 2},
		"an ID of nobody's":     {[]string{one.ID}, []string{name, "gone"}, 0},
	} {
		for _, value := range []string{store.GroupNames, store.GroupDisplayNames} {
			a := store.Application{EnvironmentID: env.ID, Protocol: store.OpenIDConnect,
				Groups: store.GroupsClaim{Value: value, Sources: c.sources, Allow: c.allow}}
			if got, err := applications.SharedNames(t.Context(), db, a); err != nil || len(got) != c.want {
				t.Errorf("%s, %s: %d, %v, want %d", what, value, len(got), err, c.want)
			}
		}
	}
}
