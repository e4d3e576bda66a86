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
	want := map[string]string{"username": "alice", "name": " Müller", "email": "", "badge": "", "fixed": "always", "dollar": "5 $ or {x}"}
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

func TestCheck(t *testing.T) {
	for template, ok := range map[string]bool{
		"":                            true,
		"plain":                       true,
		"${ldapAttributes.mail}":      true,
		"a${ldapAttributes.a-b;x}b":   true,
		"${ldapAttributes.}":          false,
		"${ldapAttributes.mail":       false,
		"${mail}":                     false,
		"${ldapAttributes.ma il}":     false,
		"${ldapAttributes.(uid=*)}":   false,
		"${ldapAttributes.${nested}}": false,
	} {
		if err := Check(template); (err == nil) != ok {
			t.Errorf("%q: %v", template, err)
		}
	}
}
