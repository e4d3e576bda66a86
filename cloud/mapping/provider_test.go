package mapping

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"ldap-gateway/cloud/evidence"
	"ldap-gateway/cloud/store"
)

// person is what a provider says of somebody.
func person() evidence.Evidence {
	return evidence.Evidence{Subject: "s-1", Claims: []map[string]any{
		{"email": "info@x", "list": []any{"first", "second"}, "empty": "", "none": []any{}},
		{
			"email":                 "token@x",
			"name.family":           "Dotted",
			"name":                  map[string]any{"family": "Nested", "given": "Ada"},
			"resource_access":       map[string]any{"app.example.org": map[string]any{"roles": []any{"r"}}},
			"https://x/claims/name": "of a URL",
			"it's":                  "no",
			"a}b":                   "braced",
			"object":                map[string]any{"a": "b"},
			"null":                  nil,
			"true":                  true,
		},
	}}
}

func TestClaimed(t *testing.T) {
	for template, want := range map[string]string{
		"${providerAttributes.email}":                                    "info@x", // UserInfo wins
		"${providerAttributes.list}":                                     "first",
		"${providerAttributes.name.family}":                              "Dotted", // the whole name first
		"${providerAttributes.name.given}":                               "Ada",
		"${providerAttributes['name'].family}":                           "Nested",
		"${providerAttributes['name.family']}":                           "Dotted",
		"${providerAttributes['name.given']}":                            "", // always exact
		"${providerAttributes.resource_access['app.example.org'].roles}": "r",
		"${providerAttributes['https://x/claims/name']}":                 "of a URL",
		"${providerAttributes['a}b']}":                                   "braced",
		"${providerAttributes.Email}":                                    "", // JSON's names are exact
		"${providerAttributes.object}":                                   "",
		"${providerAttributes.true}":                                     "true",
		"${providerAttributes.null}":                                     "",
		"${providerAttributes.none}":                                     "",
		"${samlAssertion.subject}":                                       "s-1",
		"${providerAttributes.samlAssertion.externalId}":                 "s-1",
		"partner-${samlAssertion.subject}":                               "partner-s-1",
		"${providerAttributes.empty} ${providerAttributes.nothing}":      "",
		"fixed": "fixed",
		"${providerAttributes.name.given} ${providerAttributes.name.family}": "Ada Dotted",
	} {
		m := store.ProviderMapping{Name: "p", Value: template}
		if err := CheckClaims(m); err != nil {
			t.Errorf("%s: %v", template, err)
		}
		want := map[string]string{"p": want}
		maps.DeleteFunc(want, func(_, v string) bool { return v == "" })
		got := Claimed(store.IdentityProvider{Mappings: []store.ProviderMapping{m}}, person())
		if !maps.Equal(got, want) {
			t.Errorf("%s: %q, want %q", template, got, want)
		}
	}
}

func TestWrongClaims(t *testing.T) {
	for _, template := range []string{
		"${providerAttributes}", "${providerAttributes.}", "${providerAttributes.a..b}", "${providerAttributes.a.}",
		"${providerAttributes[a]}", "${providerAttributes['a'}", "${providerAttributes['']}", "${providerAttributes.a",
		"${ldapAttributes.mail}", "${mail}", "${}", "${providerAttributes.a b}", "${providerAttributesmail}",
		"${providerAttributes['a'b]}", "${samlAssertion.issuer}",
	} {
		if err := CheckClaims(store.ProviderMapping{Name: "p", Value: template}); err == nil {
			t.Errorf("%s: taken", template)
		}
	}
	for _, template := range []string{"", "x", "${samlAssertion.subject}", "g-${providerAttributes.groups}"} {
		if err := CheckClaims(store.ProviderMapping{Name: Groups, Value: template}); err == nil {
			t.Errorf("groups of %q: taken", template)
		}
	}
}

// TestClaimedFits: what is too long, or cannot be written, fills nothing; the rest does.
func TestClaimedFits(t *testing.T) {
	p := store.IdentityProvider{Mappings: []store.ProviderMapping{
		{Name: "username", Value: "${providerAttributes.v}"},
		{Name: "email", Value: "<${providerAttributes.v}>"},
		{Name: "title", Value: "fixed"},
	}}
	for value, want := range map[string][2]string{ // of the username and the e-mail
		"ada":                     {"ada", "<ada>"},
		"ada lovelace":            {"ada lovelace", "<ada lovelace>"},
		"a\nb":                    {"", "<a\nb>"},
		"a\r\nb":                  {"", "<a\r\nb>"},
		"a\tb":                    {"", "<a\tb>"},
		"a\x00b":                  {"", ""},
		"a\u009fb":                {"", ""},
		"a\xffb":                  {"", ""},
		"a\ufffdb":                {"", ""},
		strings.Repeat("ä", 1022): {strings.Repeat("ä", 1022), "<" + strings.Repeat("ä", 1022) + ">"},
		strings.Repeat("ä", 1024): {strings.Repeat("ä", 1024), ""},
		strings.Repeat("x", 1025): {"", ""},
		strings.Repeat("x", 5e5):  {"", ""},
	} {
		got := Claimed(p, evidence.Evidence{Claims: []map[string]any{{"v": value}}})
		if got["username"] != want[0] || got["email"] != want[1] || got["title"] != "fixed" {
			t.Errorf("%.20q: %.60q", value, got)
		}
	}
	of := store.IdentityProvider{Mappings: []store.ProviderMapping{{Name: "username", Value: "${samlAssertion.subject}"}}}
	if got := Claimed(of, evidence.Evidence{Subject: " ada\u00a0"}); got["username"] != "ada" {
		t.Errorf("%q", got)
	}
}

func TestAllClaimed(t *testing.T) {
	p := store.IdentityProvider{Mappings: []store.ProviderMapping{{Name: "x", Value: "${providerAttributes.list}"}}}
	if !AllClaimed(p, person()) {
		t.Error("all is there")
	}
	missing := p
	missing.Mappings = append(slices.Clone(p.Mappings), store.ProviderMapping{Name: "y", Value: "${providerAttributes.missing}"})
	if AllClaimed(missing, person()) {
		t.Error("one is missing")
	}
	for _, claim := range []string{"list", "none", "missing"} {
		p.Mappings = append(p.Mappings[:1:1], store.ProviderMapping{Name: Groups, Value: "${providerAttributes." + claim + "}"})
		if AllClaimed(p, person()) {
			t.Errorf("the groups of %s are all of every source", claim)
		}
	}
	if path, rule, mapped := GroupClaim(p); path.String() != "missing" || rule != "" || !mapped {
		t.Error(path, rule, mapped)
	}
}

func TestMissing(t *testing.T) {
	names := []string{"email", "name", "name.family", "https://x/claims/name"}
	for template, want := range map[string]string{
		"${providerAttributes.email}":                             "",
		"${providerAttributes.email} ${providerAttributes.phone}": "phone",
		"${providerAttributes.a} ${providerAttributes.b}":         "a|b",
		"${providerAttributes.name.given}":                        "", // its object came
		"${providerAttributes.address.street}":                    "address.street",
		"${providerAttributes['name.family']}":                    "",
		"${providerAttributes['name.given']}":                     "name.given",
		"${providerAttributes['https://x/claims/name']}":          "",
		"${providerAttributes.Email}":                             "Email",
		"${samlAssertion.subject}":                                "",
		"fixed":                                                   "",
		"${providerAttributes.":                                   "",
	} {
		if got := strings.Join(Missing(template, names), "|"); got != want {
			t.Errorf("%s: %q", template, got)
		}
	}
}
