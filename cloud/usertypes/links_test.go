package usertypes_test

import (
	"testing"

	"github.com/go-ldap/ldap/v3"

	"ldap-gateway/cloud/store"
	"ldap-gateway/cloud/usertypes"
)

// A user type that looks nobody up needs neither filter nor mapping, and finds who is
// linked by each attribute that identifies them.
func TestUserTypesWithoutALookup(t *testing.T) {
	kind := store.UserType{
		ID:           "1",
		Name:         "Linked",
		SearchBaseDN: "dc=example,dc=com",
		Correlation:  []string{"entryUUID", "uid"},
		LinksOnly:    true,
	}
	if l := usertypes.Check(kind, nil); len(l) > 0 {
		t.Errorf("%v", l)
	}
	got := usertypes.Compile(kind)
	if got.Filter != "(|(uid=${identifier}))" || got.Groups != nil || len(got.Attributes) > 0 {
		t.Errorf("%+v", got)
	}
	if _, err := ldap.CompileFilter(got.Filter); err != nil {
		t.Error(err)
	}
	kind.Correlation = []string{"objectGUID", "entryuuid", "DN"}
	if got := usertypes.Compile(kind).Filter; got != "(uid=${identifier})" {
		t.Errorf("nobody is found by what nobody types: %s", got)
	}
	kind.LinksOnly = false
	if l := usertypes.Check(kind, nil); len(l) != 2 {
		t.Errorf("%v", l)
	}
}
