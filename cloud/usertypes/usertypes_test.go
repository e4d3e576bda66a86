package usertypes_test

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"ldap-gateway/cloud/fault"
	"ldap-gateway/cloud/mapping"
	"ldap-gateway/cloud/store"
	"ldap-gateway/cloud/usertypes"
	"ldap-gateway/cloudlink/wire"
	"ldap-gateway/directory"
)

// people is a user type that nothing is wrong with.
func people() store.UserType {
	t := usertypes.Usual("OpenLDAP")
	t.ID, t.Name, t.SearchBaseDN, t.PopulationID = "1", "People", "ou=people,dc=example,dc=com", "p"
	return t
}

// The usual values are complete but for a name and a base, and what identifies a
// person for good is the vendor's own attribute.
func TestUsualValuesOfEveryVendor(t *testing.T) {
	identifying := map[string]string{
		"Microsoft Active Directory":                 "objectGUID",
		"Samba Active Directory":                     "objectGUID",
		"389 Directory Server":                       "nsUniqueId",
		"Oracle Directory Server Enterprise Edition": "nsUniqueId",
	}
	seen := map[string]bool{}
	for _, vendor := range usertypes.Vendors() {
		if seen[vendor] {
			t.Errorf("%s is there twice", vendor)
		}
		seen[vendor] = true
		usual := usertypes.Usual(vendor)
		if l := usertypes.Check(usual, nil); len(l) != 2 || l[0].Field != fault.TypeName ||
			l[1].Field != fault.SearchBase {
			t.Errorf("%s: %v", vendor, l)
		}
		want := identifying[vendor]
		if want == "" {
			want = "entryUUID"
		}
		if !strings.Contains(strings.Join(usual.Correlation, " "), want) {
			t.Errorf("%s: people are identified by %v", vendor, usual.Correlation)
		}
		if !mapping.WantsGroups(usual) || usual.UpdateOnSignOn || usual.AllowPasswords {
			t.Errorf("%s: groups are asked for, and the switches are off: %+v", vendor, usual)
		}
	}
	if got := usertypes.Usual("no such"); got.Correlation[0] != "entryUUID" {
		t.Errorf("a vendor that is not known: %v", got.Correlation)
	}
}

func TestWhatIsWrongWithAUserType(t *testing.T) {
	long := store.Mapping{Name: "username", Value: mapping.Of("uid")}
	for _, c := range []struct {
		name  string
		spoil func(*store.UserType)
		field fault.Field // empty: nothing is wrong
		kind  fault.Kind
		item  int
	}{
		{"nothing", func(*store.UserType) {}, "", 0, 0},
		{"no name", func(u *store.UserType) { u.Name = "" }, fault.TypeName, fault.Missing, 0},
		{"a name of another in other letters", func(u *store.UserType) { u.Name = "GUÉSTS" }, fault.TypeName, fault.Taken, 0},
		{"the incumbent's authority", func(u *store.UserType) { u.PasswordAuthority = "PING_ONE" }, fault.Authority, fault.Invalid, 0},
		{"an authority of nobody", func(u *store.UserType) { u.PasswordAuthority = "ldap" }, fault.Authority, fault.Invalid, 0},
		{"no authority", func(u *store.UserType) { u.PasswordAuthority = "" }, "", 0, 0},
		{"a base that is no DN", func(u *store.UserType) { u.SearchBaseDN = "people" }, fault.SearchBase, fault.Invalid, 0},
		{"usernames", func(u *store.UserType) { u.Usernames = []string{"*@example.com", `CORP\\*`, "ada"} }, "", 0, 0},
		{"every username", func(u *store.UserType) { u.Usernames = []string{"ada", "* *"} }, fault.TypeUsernames, fault.Invalid, 2},
		{"an empty username", func(u *store.UserType) { u.Usernames = []string{""} }, fault.TypeUsernames, fault.Invalid, 1},
		{"a username of control", func(u *store.UserType) { u.Usernames = []string{"a\nb*"} }, fault.TypeUsernames, fault.Invalid, 1},
		{"a long username", func(u *store.UserType) { u.Usernames = []string{strings.Repeat("a", 257)} }, fault.TypeUsernames, fault.Invalid, 1},
		{"many usernames", func(u *store.UserType) { u.Usernames = slices.Repeat([]string{"a"}, 101) }, fault.TypeUsernames, fault.Invalid, 0},
		{"no base", func(u *store.UserType) { u.SearchBaseDN = "" }, fault.SearchBase, fault.Missing, 0},
		{"a comparison with no attribute", func(u *store.UserType) { u.FilterPattern = "(:dn:2.5.13.5:=${identifier})" }, fault.Filter, fault.Invalid, 0},
		{"a comparison with a strange one", func(u *store.UserType) { u.FilterPattern = "(|(uid=${identifier})(u id=x))" }, fault.Filter, fault.Invalid, 0},
		{"everybody but one", func(u *store.UserType) { u.FilterPattern = "(!(uid=${identifier}))" }, fault.Filter, fault.Invalid, 0},
		{"everybody but one, deep inside", func(u *store.UserType) {
			u.FilterPattern = "(&(objectClass=*)(!(|(uid=a)(&(mail=${identifier})(o=x)))))"
		}, fault.Filter, fault.Invalid, 0},
		{"nobody who is disabled", func(u *store.UserType) { u.FilterPattern = "(&(!(disabled=TRUE))(uid=${identifier}))" }, "", 0, 0},
		{"no correlation", func(u *store.UserType) { u.Correlation = nil }, fault.Correlation, fault.Missing, 0},
		{"a correlation that is no attribute", func(u *store.UserType) { u.Correlation = []string{"uid", "a b"} }, fault.Correlation, fault.Invalid, 2},
		{"a correlation by OID", func(u *store.UserType) { u.Correlation = []string{"1.3.6.1.1.16.4"} }, "", 0, 0},
		{"no filter", func(u *store.UserType) { u.FilterPattern = "" }, fault.Filter, fault.Missing, 0},
		{"a filter for everybody", func(u *store.UserType) { u.FilterPattern = "(uid=*)" }, fault.Filter, fault.Invalid, 0},
		{"the identifier as attribute", func(u *store.UserType) { u.FilterPattern = "(${identifier}=x)" }, fault.Filter, fault.Invalid, 0},
		{"the identifier as filter", func(u *store.UserType) { u.FilterPattern = "(|(uid=a)${identifier})" }, fault.Filter, fault.Invalid, 0},
		{"an equal sign of another part", func(u *store.UserType) { u.FilterPattern = "(&(uid=a)(${identifier}))" }, fault.Filter, fault.Invalid, 0},
		{"another variable", func(u *store.UserType) { u.FilterPattern = "(&(uid=${identifier})(o=${realm}))" }, fault.Filter, fault.Invalid, 0},
		{"a filter that does not end", func(u *store.UserType) { u.FilterPattern = "(uid=${identifier}" }, fault.Filter, fault.Invalid, 0},
		{"the identifier twice, inside a value", func(u *store.UserType) {
			u.FilterPattern = "(|(uid=${identifier})(mail=${identifier}@example.com))"
		}, "", 0, 0},
		{"no mapping for username", func(u *store.UserType) { u.Mappings = u.Mappings[1:] }, fault.Mappings, fault.Missing, 0},
		{"a mapping without a name", func(u *store.UserType) {
			u.Mappings = []store.Mapping{long, {Name: "", Value: mapping.Of("sn")}}
		}, fault.MappingName, fault.Missing, 2},
		{"two mappings of one name", func(u *store.UserType) { u.Mappings = []store.Mapping{long, long} }, fault.MappingName, fault.Taken, 2},
		{"a mapping with text around it", func(u *store.UserType) {
			u.Mappings = []store.Mapping{{Name: "username", Value: "x" + mapping.Of("uid")}}
		}, fault.MappingValue, fault.Invalid, 1},
		{"a base of groups that is no DN", func(u *store.UserType) { u.Groups.SearchBaseDN = "x" }, fault.GroupBase, fault.Invalid, 0},
		{"a name of groups that is no attribute", func(u *store.UserType) { u.Groups.NameAttribute = "(cn)" }, fault.GroupName, fault.Invalid, 0},
		{"an identity of nothing", func(u *store.UserType) { u.Groups.Identity = "DN" }, fault.GroupIdentity, fault.Invalid, 0},
		{"an empty pattern to include", func(u *store.UserType) { u.Groups.Include = []string{"a*", ""} }, fault.GroupInclude, fault.Invalid, 2},
		{"an empty pattern to exclude", func(u *store.UserType) { u.Groups.Exclude = []string{""} }, fault.GroupExclude, fault.Invalid, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			u := people()
			c.spoil(&u)
			found := usertypes.Check(u, []store.UserType{{ID: "2", Name: "guésts"}})
			if c.field == "" {
				if len(found) > 0 {
					t.Errorf("found %v", found)
				}
				return
			}
			if len(found) != 1 || found[0].Field != c.field || found[0].Kind != c.kind || found[0].Item != c.item {
				t.Errorf("found %+v", found)
			}
			if len(found) == 1 && !strings.HasSuffix(found[0].Message, ".") {
				t.Errorf("%q is no sentence", found[0].Message)
			}
		})
	}
}

// Everything that is wrong is told at once.
func TestAllFaultsAreToldTogether(t *testing.T) {
	found := usertypes.Check(store.UserType{SearchBaseDN: "x", Groups: store.GroupRule{SearchBaseDN: "y"}}, nil)
	var fields []fault.Field
	for _, f := range found {
		fields = append(fields, f.Field)
	}
	want := []fault.Field{
		fault.TypeName,
		fault.SearchBase,
		fault.Correlation,
		fault.Filter,
		fault.Mappings,
		fault.GroupBase,
	}
	if !reflect.DeepEqual(fields, want) {
		t.Errorf("%v", fields)
	}
}

// An agent gets the filter and the attributes, and no template, population or
// switch that is only the cloud's.
func TestCompiledForTheWire(t *testing.T) {
	u := people()
	u.AllowPasswords = true
	u.Groups = store.GroupRule{
		SearchBaseDN:  "ou=groups,dc=example,dc=com",
		NameAttribute: "displayName",
		Identity:      usertypes.ByID,
		Include:       []string{"cn=a*"},
		Exclude:       []string{"cn=ab*"},
	}
	want := wire.UserType{
		ID:              "1",
		Name:            "People",
		SearchBase:      "ou=people,dc=example,dc=com",
		Filter:          "(&(objectClass=inetOrgPerson)(uid=${identifier}))",
		Correlation:     u.Correlation,
		Attributes:      []string{"uid", "givenName", "sn", "mail"},
		ChangePasswords: true,
		Groups: &wire.GroupRule{
			SearchBase:    "ou=groups,dc=example,dc=com",
			NameAttribute: "displayName",
			Include:       []string{"cn=a*"},
			Exclude:       []string{"cn=ab*"},
			WithID:        true,
		},
	}
	if got := usertypes.Compile(u); !reflect.DeepEqual(got, want) {
		t.Errorf("%+v", got)
	}
	u.Mappings = u.Mappings[:1]
	if got := usertypes.Compile(u); got.Groups != nil || len(got.Attributes) != 1 {
		t.Errorf("groups go to the agent although no mapping asks for them: %+v", got)
	}
}

// agents compiles a user type as an agent does.
func agents(u store.UserType) error {
	w := usertypes.Compile(u)
	cfg := directory.UserTypeConfig{
		ID:          w.ID,
		Name:        w.Name,
		SearchBase:  w.SearchBase,
		Filter:      w.Filter,
		Correlation: w.Correlation,
		Attributes:  w.Attributes,
	}
	if w.Groups != nil {
		cfg.Groups = &directory.GroupRule{
			SearchBase:    w.Groups.SearchBase,
			NameAttribute: w.Groups.NameAttribute,
			WithID:        w.Groups.WithID,
		}
	}
	_, err := directory.Compile(cfg)
	return err
}

// What is kept here an agent can compile: of filters, bases and attributes of all
// kinds, what the agent refuses is refused here.
func TestWhatIsKeptAnAgentCompiles(t *testing.T) {
	for _, vendor := range usertypes.Vendors() {
		u := usertypes.Usual(vendor)
		u.Name, u.SearchBaseDN = "People", "ou=people,dc=example,dc=com"
		if err := agents(u); err != nil {
			t.Errorf("%s: %v", vendor, err)
		}
	}
	for part, spoil := range map[string]struct {
		values []string
		set    func(u *store.UserType, value string)
	}{
		"filter": {[]string{
			"(uid=${identifier})", "uid=${identifier}", "(uid=${identifier}*)", "(uid=*${identifier}*)", "(uid:=${identifier})",
			"(uid:caseExactMatch:=${identifier})", "(:dn:2.5.13.5:=${identifier})", "(uid>=${identifier})", "(uid~=${identifier})",
			"(&(a=b)(|(uid=${identifier})(mail=${identifier})))", "( & (a=b) (uid=${identifier}))", "(!(uid=${identifier}))",
			"(&(!(a=b))(uid=${identifier}))", "(!(&(a=b)(uid=${identifier})))", "(uid=\\28${identifier}\\29)", "(uid=\\2${identifier})",
			"(${identifier}=x)", "(uid=${identifier}", "(uid=${identifier}))", "${identifier}", "(&${identifier})", "()", "(&)", "",
			"(uid=${identifer})", "(uid=x)", "(u id=${identifier})", "(=${identifier})", "(uid=${identifier})(uid=${identifier})",
		}, func(u *store.UserType, v string) { u.FilterPattern = v }},
		"base": {[]string{
			"dc=com", "ou=people,dc=example,dc=com", "OU=Pe\\,ople,DC=x", "", " ", "people", "=x", "ou=people,", "ou=people,,dc=x", "ou=a+cn=b,dc=x",
		}, func(u *store.UserType, v string) { u.SearchBaseDN = v }},
		"correlation": {[]string{
			"uid", "entryUUID", "2.5.4.3", "userCertificate;binary", "", "a b", "(uid)", "*", "uid=", "-uid", "1", "u_id", "é",
		}, func(u *store.UserType, v string) { u.Correlation = []string{v} }},
		"name of groups": {[]string{"cn", "displayName", "a b", "*"}, func(u *store.UserType, v string) { u.Groups.NameAttribute = v }},
	} {
		kept := 0
		for _, value := range spoil.values {
			u := people()
			spoil.set(&u, value)
			if len(usertypes.Check(u, nil)) > 0 {
				continue
			}
			kept++
			if err := agents(u); err != nil {
				t.Errorf("%s %q is kept, and no agent can use it: %v", part, value, err)
			}
		}
		if kept == 0 || kept == len(spoil.values) {
			t.Errorf("%s: %d of %d are kept", part, kept, len(spoil.values))
		}
	}
}
