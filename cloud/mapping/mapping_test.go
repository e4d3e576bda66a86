package mapping

import (
	"reflect"
	"testing"

	"ldap-gateway/cloud/store"
)

func TestProperties(t *testing.T) {
	u := store.UserType{Mappings: []store.Mapping{
		{Name: "username", Value: "${ldapAttributes.uid}"},
		{Name: "name", Value: "${ldapAttributes.givenName} ${ldapAttributes.SN}"},
		{Name: "email", Value: "${ldapAttributes.mail}"},
		{Name: "badge", Value: "no ${ldapAttributes.badge}"},
		{Name: "fixed", Value: "always"},
		{Name: "dollar", Value: "5 $ or {x}"},
		{Name: Groups, Value: "${ldapAttributes.memberOf}"},
	}}
	got := Properties(u, map[string][]string{"UID": {"alice", "second"}, "sn": {"Müller"}, "mail": nil})
	want := map[string]string{
		"username": "alice",
		"name":     " Müller",
		"email":    "",
		"badge":    "",
		"fixed":    "always",
		"dollar":   "5 $ or {x}",
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %q", got)
	}
	if names := Attributes(u); !reflect.DeepEqual(names, []string{"uid", "givenName", "SN", "mail", "badge"}) {
		t.Error(names)
	}
	if !WantsGroups(u) || WantsGroups(store.UserType{}) {
		t.Error("groups")
	}
}

func TestTemplatesThatArePropertiesOfOneAttribute(t *testing.T) {
	for template, want := range map[string]string{
		"${ldapAttributes.mail}":                   "mail",
		"${ldapAttributes.userCertificate;binary}": "userCertificate;binary",
		"${ldapAttributes.2.5.4.3}":                "2.5.4.3",
		"":                                         "",
		"plain":                                    "",
		"mail":                                     "",
		"a${ldapAttributes.mail}":                  "",
		"${ldapAttributes.mail} ":                  "",
		"${ldapAttributes.a}${ldapAttributes.b}":   "",
		"${ldapAttributes.}":                       "",
		"${ldapAttributes.mail":                    "",
		"${mail}":                                  "",
		"${ldapAttributes.ma il}":                  "",
		"${ldapAttributes.(uid=*)}":                "",
		"${ldapAttributes.${nested}}":              "",
		"${ldapAttributes.1}":                      "",
		"${ldapAttributes.-a}":                     "",
		"${ldapAttributes.a;}":                     "",
	} {
		name, ok := Attribute(template)
		if ok != (want != "") || ok && name != want {
			t.Errorf("%q: %q, %v", template, name, ok)
		}
		if ok && Of(name) != template {
			t.Errorf("%q is not made again of %q", template, name)
		}
	}
}
