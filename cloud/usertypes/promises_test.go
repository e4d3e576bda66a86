package usertypes_test

import (
	"reflect"
	"strings"
	"testing"

	"ldap-gateway/cloud/fault"
	"ldap-gateway/cloud/mapping"
	"ldap-gateway/cloud/store"
	"ldap-gateway/cloud/usertypes"
)

// Whatever is kept of a filter, a base and an attribute, an agent can compile.
func FuzzWhatIsKeptAnAgentCompiles(f *testing.F) {
	for _, filter := range []string{
		"(uid=${identifier})",
		"(&(objectClass=person)(|(uid=${identifier})(mail=${identifier}@example.com)))",
		"(uid:caseExactMatch:=${identifier})",
		"(uid=\\28${identifier})",
		"(&(!(a=b))(uid=*${identifier}))",
		"(uid=${identifier}\\",
		"( & (a>=b)(uid~=${identifier}))",
		"(!(|(a=b)))(uid=${identifier})",
	} {
		f.Add(filter, "ou=people,dc=example,dc=com", "entryUUID")
	}
	f.Add("(uid=${identifier})", "ou=Pe\\2Cople+cn=x,dc=y", "userCertificate;binary")
	f.Add("(uid=${identifier})", "2.5.4.11=x", "2.5.4.3")
	f.Fuzz(func(t *testing.T, filter, base, attribute string) {
		u := people()
		u.FilterPattern, u.SearchBaseDN, u.Correlation = filter, base, []string{attribute}
		u.Groups.SearchBaseDN, u.Groups.NameAttribute = base, attribute
		if len(usertypes.Check(u, nil)) > 0 {
			return
		}
		if err := agents(u); err != nil {
			t.Errorf("filter %q, base %q and attribute %q are kept: %v", filter, base, attribute, err)
		}
	})
}

// Of a list each item that is wrong is told by its number, and what it is.
func TestEveryItemIsTold(t *testing.T) {
	u := people()
	u.Correlation = []string{"a b", "uid", "(c)"}
	u.Mappings = []store.Mapping{
		{Name: "username", Value: mapping.Of("uid")},
		{Name: "", Value: "plain"},
		{Name: "username", Value: mapping.Of("d e")},
		{Name: "email", Value: "${realm}"},
	}
	type place struct {
		field fault.Field
		item  int
		kind  fault.Kind
	}
	want := []place{
		{fault.Correlation, 1, fault.Invalid},
		{fault.Correlation, 3, fault.Invalid},
		{fault.MappingName, 2, fault.Missing},
		{fault.MappingValue, 2, fault.Invalid},
		{fault.MappingName, 3, fault.Taken},
		{fault.MappingValue, 3, fault.Invalid},
		{fault.MappingValue, 4, fault.Invalid},
	}
	var got []place
	var told []string
	for _, f := range usertypes.Check(u, nil) {
		got = append(got, place{f.Field, f.Item, f.Kind})
		told = append(told, f.Message)
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%+v", got)
	}
	for _, what := range []string{`"a b"`, `"(c)"`, `"plain"`, `"${ldapAttributes.d e}"`, `"${realm}"`} {
		if !strings.Contains(strings.Join(told, " "), what) {
			t.Errorf("%s is not named: %q", what, told)
		}
	}
}

// A name is another's in whatever letters and form it is written; its own other
// versions are not among the others.
func TestNamesOfUserTypes(t *testing.T) {
	others := []store.UserType{{Name: "José"}, {Name: "Straße"}}
	for name, taken := range map[string]bool{
		"José":       true,
		"JOSÉ":       true,
		"Jose\u0301": true, // the same, decomposed
		"Jose":       false,
		"STRAßE":     true,
		"strasse":    false, // simple case folding has no more letters than before
		"People":     false,
	} {
		u := people()
		u.Name = name
		found := usertypes.Check(u, others)
		if (len(found) > 0) != taken {
			t.Errorf("%s: %v", name, found)
		}
	}
}

// What is compiled asks for each attribute once, in the order of the mappings, and for
// none because of groups.
func TestAttributesThatAreAskedFor(t *testing.T) {
	u := people()
	u.Mappings = []store.Mapping{
		{Name: "username", Value: mapping.Of("uid")},
		{Name: "email", Value: mapping.Of("mail")},
		{Name: "externalId", Value: mapping.Of("UID")},
		{Name: mapping.Groups, Value: mapping.Of("memberOf")},
		{Name: "phone", Value: mapping.Of("telephoneNumber;lang-en")},
	}
	want := []string{"uid", "mail", "telephoneNumber;lang-en"}
	if got := usertypes.Compile(u).Attributes; !reflect.DeepEqual(got, want) {
		t.Errorf("%v", got)
	}
	u.Mappings = nil
	if got := usertypes.Compile(u); len(got.Attributes) > 0 || got.Groups != nil {
		t.Errorf("%+v", got)
	}
}

// Who changes the usual values for themselves changes them for nobody else.
func TestUsualValuesAreOnesOwn(t *testing.T) {
	for _, vendor := range usertypes.Vendors() {
		first, before := usertypes.Usual(vendor), usertypes.Usual(vendor)
		first.Mappings[0].Value, first.Correlation[0] = "spoilt", "spoilt"
		if got := usertypes.Usual(vendor); !reflect.DeepEqual(got, before) {
			t.Errorf("%s: %+v", vendor, got)
		}
	}
	vendors := usertypes.Vendors()
	vendors[0] = "spoilt"
	if usertypes.Vendors()[0] == "spoilt" {
		t.Error("the list of vendors is shared")
	}
}
