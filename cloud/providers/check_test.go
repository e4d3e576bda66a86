package providers_test

import (
	"testing"

	"ldap-gateway/cloud/fault"
	"ldap-gateway/cloud/providers"
	"ldap-gateway/cloud/store"
)

// TestPatternsOfWholeNames cannot leave the brackets that they are put into.
func TestPatternsOfWholeNames(t *testing.T) {
	for pattern, good := range map[string]bool{
		`a`:          true,
		`a|b`:        true,
		`(a|b)c`:     true,
		`(?i)admins`: true,
		`^a$`:        true,
		`\Qa.b\E`:    true,
		`[)]`:        true,
		`a)|(?:b`:    false,
		`a)|(b`:      false,
		`)(`:         false,
		`a)`:         false,
		`(a`:         false,
		`\Qa`:        false,
		`[a`:         false,
		`a\`:         false,
		``:           false,
	} {
		for _, field := range []fault.Field{fault.GroupInclude, fault.GroupExclude} {
			g := store.ProviderGroups{Include: []string{pattern}}
			if field == fault.GroupExclude {
				g = store.ProviderGroups{Exclude: []string{pattern}}
			}
			refused := false
			for _, f := range providers.Check(store.IdentityProvider{Config: store.ProviderConfig{Groups: g}}) {
				refused = refused || f.Field == field && f.Item == 1
			}
			if refused == good {
				t.Errorf("%s %q: refused %v", field, pattern, refused)
			}
		}
	}
}
