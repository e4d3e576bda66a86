package policy

import (
	"encoding/base64"
	"slices"
	"strings"
	"testing"

	"ldap-gateway/cloudlink/wire"
	"ldap-gateway/configs"
	"ldap-gateway/directory"
)

// TestValuesThatNameGroups has names that the policy keeps back stand in values of every
// form, whatever the attribute is called.
func TestValuesThatNameGroups(t *testing.T) {
	p := newPolicy(t, func(c *configs.Policy) {
		c.SearchBases, c.Groups.SearchBases = []string{"ou=people,dc=x"}, []string{"ou=groups,dc=x"}
		c.Groups.Include, c.Groups.Exclude = []string{"cn=cloud-*"}, []string{"*secret*"}
	})
	for value, kept := range map[string]bool{
		"cn=cloud-a,ou=groups,dc=x":                                 false,
		"uid=boss,ou=people,dc=x":                                   false,
		"cn=other,ou=groups,dc=x":                                   true, // not included
		"cn=cloud-secret,ou=groups,dc=x":                            true,
		"CN = Cloud-Secret , OU=Groups, DC=x":                       true,
		`cn=#0c0c636c6f75642d736563726574,ou=groups,dc=x`:           true,
		"uid=secret-agent,ou=people,dc=x":                           true,
		"cn=admins,ou=elsewhere,dc=x":                               true,
		"cn=admins,o=other":                                         true,
		"cn=secret":                                                 true,
		"cn=cloud-secret,ou=groups,dc=x#'0101'B":                    true,
		"cn=cloud-a,ou=groups,dc=x#'0101'B":                         false,
		"B:4:0101:CN=cloud-secret,OU=groups,DC=x":                   true,
		"S:3:abc:CN=other,OU=groups,DC=x":                           true,
		"<GUID=aa>;<SID=bb>;CN=cloud-secret,OU=groups,DC=x":         true,
		"<GUID=aa>;<SID=bb>;CN=cloud-a,OU=groups,DC=x":              false,
		"ldap:///cn=cloud-secret,ou=groups,dc=x??base":              true,
		"ldap://h:389/cn%3Dcloud-secret%2Cou%3Dgroups%2Cdc%3Dx?cn":  true,
		"member of: cn=cloud-secret,ou=groups,dc=x":                 true,
		"cn=cloud-secret,ou=groups,dc=x\ncn=cloud-a,ou=groups,dc=x": true,
		"see cn=cloud-secret,ou=groups,dc=x":                        true,
		"in cn=other,ou=groups,dc=x since May":                      true,
		"(|(memberOf=cn=other,ou=groups,dc=x)(a=b))":                true,
		"[cn=other,ou=groups,dc=x]":                                 true,
		"Main Street$cn=other,ou=groups,dc=x$Town":                  true,
		"uid=a,cn=cloud-secret,ou=groups,dc=x":                      true,
		"ldap:///cn%253Dother%252Cou%253Dgroups%252Cdc%253Dx":       true,
		"see cn=cloud-a,ou=groups,dc=x":                             false,
		"{cn=cloud-a,ou=groups,dc=x}":                               false,
		"a=b":                                                       false,
		"budget = 5, or more":                                       false,
		"plain text":                                                false,
		"":                                                          false,
		"https://example.com/?q=1&r=secret":                         false,
	} {
		if got := p.KeepsBack(value); got != kept {
			t.Errorf("%q: kept back %v, want %v", value, got, kept)
		}
	}
}

// TestKeptBackNamesInEveryForm has a name that is kept back stand after other text, from
// its root on, and escaped in the ways that values are.
func TestKeptBackNamesInEveryForm(t *testing.T) {
	p := newPolicy(t, func(c *configs.Policy) {
		c.SearchBases, c.Groups.SearchBases = []string{"ou=people,dc=x"}, []string{"ou=groups,dc=x"}
		c.Groups.Exclude = []string{"cn=secret*,*"}
	})
	forms := []string{
		"Member of, cn=secret-board,ou=groups,dc=x",
		"alice,cn=secret-board,ou=groups,dc=x",
		"Doe, Jane, cn=secret-board,ou=groups,dc=x, and others",
		"Board+cn=secret-board,ou=groups,dc=x",
		"a = , cn=secret-board,ou=groups,dc=x",
		"/dc=x/ou=groups/cn=secret-board",
		"https://x.test/tree/dc=x/ou=groups/cn=secret-board/members",
		`cn\=secret-board\,ou\=groups\,dc\=x`,
		`description=cn\=secret-board\,ou\=groups\,dc\=x`,
		`cn\3dsecret-board\2Cou\3Dgroups\2cdc\3dx`,
		`{"dn":"cn\u003dsecret-board,ou=groups,dc=x"}`,
		`{"dn":"cn=secret-board\u002cou=groups\u002cdc=x"}`,
		`{\"dn\":\"cn=secret-board,ou=groups,dc=x\"}`,
		"50% cn%3Dsecret-board%2Cou%3Dgroups%2Cdc%3Dx",
		"100%;cn%3dsecret-board,ou%3dgroups,dc%3dx; %zz",
		"cn&#61;secret-board&#44;ou&#61;groups&#44;dc&#61;x",
		"cn&#x3D;secret-board,ou&equals;groups,dc&equals;x",
		`cn\x3dsecret-board,ou=groups,dc=x`,
		"cn%255Cu003dsecret-board,ou=groups,dc=x",
	}
	for _, value := range forms {
		if !p.KeepsBack(value) {
			t.Errorf("leaves: %q", value)
		}
		if open := strings.ReplaceAll(value, "secret", "open"); p.KeepsBack(open) {
			t.Errorf("names a group that leaves, and is kept back: %q", open)
		}
	}
}

// TestKeptBackNamesBesideOthers has a group that is kept back by its whole name stand with
// other names and text, as a value and within names.
func TestKeptBackNamesBesideOthers(t *testing.T) {
	const board = "cn=board,ou=groups,dc=x,dc=y"
	p := newPolicy(t, func(c *configs.Policy) {
		c.SearchBases, c.Groups.SearchBases = []string{"dc=x,dc=y"}, []string{"dc=x,dc=y"}
		c.Groups.Exclude = []string{board}
	})
	for _, form := range []string{
		"%s", "dn=%s", "role=%s", "1.%s", "1-%s", "%s;cn=open,ou=groups,dc=x,dc=y", "%s, cn=open,ou=groups,dc=x,dc=y",
		"%s|cn=open,ou=groups,dc=x,dc=y", "%s cn=open,ou=groups,dc=x,dc=y", "cn=open,ou=groups,dc=x,dc=y; %s",
		"member of %s, on monday, tuesday, wednesday, thursday, friday, saturday, sunday, and more, and more",
		strings.Repeat("k=v ", 64) + "%s", strings.Repeat("k=v ", 20_000) + "%s", `cn="see %s",dc=x,dc=y`, `cn="see %s"`,
		"%s, see a=b=c", "%s=", "https://x.test/?dn=%s&x=1", "cn=App (Prod),ou=groups,dc=x,dc=y (was %s)",
		strings.Repeat("a", 5000) + "=b,%s",
	} {
		if value := strings.ReplaceAll(form, "%s", board); !p.KeepsBack(value) {
			t.Errorf("leaves: %.200q", value)
		}
		for _, blank := range []string{"\u00a0", "\t", "\n", "\r\n ", "\u2003"} {
			if value := strings.ReplaceAll(form, "%s", strings.ReplaceAll(board, ",", ","+blank)); !p.KeepsBack(value) {
				t.Errorf("with other blanks leaves: %.200q", value)
			}
		}
	}
	if !p.KeepsBack(base64.StdEncoding.EncodeToString([]byte("f\xfcr " + board))) {
		t.Error("leaves as octets")
	}
	for _, value := range []string{
		"cn=App (Prod),ou=groups,dc=x,dc=y", "cn=open,ou=groups,dc=x,dc=y, since 2020",
		"uid=a=b,ou=people,dc=x,dc=y", base64.StdEncoding.EncodeToString([]byte("f\xfcr cn=open,ou=groups,dc=x,dc=y")),
	} {
		if p.KeepsBack(value) {
			t.Errorf("is kept back: %q", value)
		}
	}
}

// TestHonestNames of other trees leave where nothing is kept back.
func TestHonestNames(t *testing.T) {
	p := newPolicy(t, func(c *configs.Policy) { c.Groups.SearchBases = []string{"ou=groups,dc=x"} })
	for value, kept := range map[string]bool{
		"CN=Alice,O=Acme,C=DE": false, "l=5, o=3": false, "https://maps.test/?l=52.1,o=13.4": false,
		"X509:<I>DC=com,DC=ca,CN=CA<S>CN=Alice,C=DE": false, "Raum: st=3, l=Berlin": false, "mail=a@b.c,cn=Alice": false,
		"cn=a,ou=groups,dc=x": false, "uid=a,ou=people,dc=x": false, "cn=a,ou=elsewhere,dc=x": false,
	} {
		if p.KeepsBack(value) != kept {
			t.Errorf("%q: kept back %v", value, !kept)
		}
	}
}

// TestTextWithEqualsSigns names nothing, whatever is kept back.
func TestTextWithEqualsSigns(t *testing.T) {
	for _, exclude := range [][]string{nil, {"*"}, {"*secret*"}, {"cn=*,*"}} {
		p := newPolicy(t, func(c *configs.Policy) { c.Groups.Exclude = exclude })
		for _, value := range []string{
			"https://img.test/p?w=10,h=20", "room=5,floor=2", "x=1, y=2", "SIP=2001,PIN=4", "key=abc,val=def",
			"Floor = 5, Room = 12", "https://x.test/a=1,b=2", "mailto:a@x?subject=a,b=c", "/floor=1/room=2", "a=b", "100% sure",
			"Caf\u00e9", `C:\Users\alice`, "AT&T", "1+1=2, 2+2=4", "=", "==", "a==,b==", "aGVsbG8gd29ybGQ=",
		} {
			if p.KeepsBack(value) {
				t.Errorf("%q is kept back by %q", value, exclude)
			}
		}
	}
}

func TestCutOfAnEntry(t *testing.T) {
	p := newPolicy(t, func(c *configs.Policy) { c.Groups.Exclude = []string{"*secret*"} })
	e := directory.Entry{DN: "uid=secretary,ou=people,dc=x",
		Attributes: map[string][]string{
			"seeAlso": {"cn=secret,ou=groups,dc=x", "cn=open,ou=groups,dc=x"}, "owner;x-a": {"cn=secret,ou=groups,dc=x"},
			"entryDN": {"UID=Secretary,ou=people,dc=x"}, "sn": {"Secret"},
		},
		Correlation: []directory.Value{
			{Attribute: "seeAlso", Value: "cn=secret,ou=groups,dc=x"},
			{Attribute: "uid", Value: "secretary"},
		},
	}
	cut, kept := p.Cut(e)
	if len(cut.Attributes) != 3 || !slices.Equal(cut.Attributes["seeAlso"], []string{"cn=open,ou=groups,dc=x"}) ||
		len(cut.Correlation) != 1 || kept["seeAlso"] != 2 || kept["owner;x-a"] != 1 || len(kept) != 2 {
		t.Errorf("%+v, %v", cut, kept)
	}
	if len(e.Attributes["seeAlso"]) != 2 || len(e.Correlation) != 2 {
		t.Errorf("the entry itself was cut: %+v", e)
	}
	m := p.Groups(
		directory.Membership{Groups: []directory.Group{{DN: "cn=open,ou=groups,dc=x", Name: "cn=secret,ou=groups,dc=x"}}},
	)
	if m.Groups[0].Name != "" {
		t.Errorf("%+v", m.Groups)
	}
}

// TestAttributesThatNameGroups are no attributes, whatever the file says.
func TestAttributesThatNameGroups(t *testing.T) {
	for _, name := range []string{"memberOf", "isMemberOf", "ISMEMBEROF;binary", "groupMembership", "tokenGroups", "msDS-memberOfTransitive", "nsRole"} {
		p := newPolicy(t, func(c *configs.Policy) { c.Attributes, c.FilterAttributes = []string{name}, []string{name} })
		if p.MayLeave(name) || len(p.Refuse(wire.UserType{SearchBase: "dc=x", Correlation: []string{name}}, nil)) == 0 {
			t.Errorf("%s leaves", name)
		}
	}
	p := newPolicy(t, func(c *configs.Policy) {
		c.FilterAttributes, c.Groups.Exclude = []string{"isMemberOf", "seeAlso"}, []string{"*secret*"}
	})
	for _, a := range []directory.Assertion{
		{Attribute: "isMemberOf", Match: directory.MatchEquality, Value: "cn=secret,ou=groups,dc=x"},
		{Attribute: "isMemberOf", Match: directory.MatchSubstrings, Value: "cn=sec"},
		{Attribute: "isMemberOf", Match: directory.MatchEquality, Value: "${identifier}"},
		{Attribute: "seeAlso", Match: directory.MatchEquality, Value: "cn=secret,ou=groups,dc=x"},
	} {
		if len(p.Refuse(wire.UserType{SearchBase: "dc=x"}, []directory.Assertion{a})) == 0 {
			t.Errorf("%+v may be asked for", a)
		}
	}
	if r := p.Refuse(wire.UserType{SearchBase: "ou=people,dc=x"}, []directory.Assertion{{Attribute: "isMemberOf", Match: directory.MatchEquality, Value: "cn=open,ou=groups,dc=x"}}); len(
		r,
	) > 0 {
		t.Error(r)
	}
}

// TestNamesBelowOneThatIsKeptBack name it as well, however its pattern begins.
func TestNamesBelowOneThatIsKeptBack(t *testing.T) {
	p := newPolicy(t, func(c *configs.Policy) { c.Groups.Include, c.Groups.Exclude = nil, []string{"cn=secret*,*"} })
	for value, kept := range map[string]bool{
		"cn=secret-board,ou=groups,dc=x":           true,
		"uid=a,cn=secret-board,ou=groups,dc=x":     true,
		"x=1,uid=a,cn=Secret-board,ou=groups,dc=x": true,
		"see uid=a,cn=secret-board,ou=groups,dc=x": true,
		"uid=a,cn=open-board,ou=groups,dc=x":       false,
		"uid=a,ou=people,dc=x":                     false,
		"uid=a+cn=secret-board,ou=groups,dc=x":     true,
		"member of cn=open-board,ou=groups,dc=x":   false,
	} {
		if got := p.KeepsBack(value); got != kept {
			t.Errorf("%q: kept back %v, want %v", value, got, kept)
		}
	}
}

// TestEntriesThatAreKeptBack: groups that do not leave are nobody; people are not groups.
func TestEntriesThatAreKeptBack(t *testing.T) {
	p := newPolicy(t, func(c *configs.Policy) { c.Groups.Exclude = []string{"cn=secret*,*"} })
	all := newPolicy(t, func(c *configs.Policy) { c.Groups.Exclude = []string{"*"} })
	some := newPolicy(t, func(c *configs.Policy) { c.Groups.Include = []string{"cn=cloud-*,*"} })
	for _, c := range []struct {
		policy  *Policy
		dn      string
		classes []string
		want    bool
	}{
		{p, "cn=secret-a,ou=groups,dc=x", []string{"top", "groupOfNames"}, true},
		{p, "CN=Secret-A,ou=groups,dc=x", []string{"GROUP"}, true},
		{p, "cn=secret-a,ou=groups,dc=x", nil, true},
		{p, "cn=secret-a,ou=groups,dc=x", []string{"top", "oddGroup"}, true},
		{p, "cn=child,cn=secret-a,ou=groups,dc=x", []string{"posixGroup"}, true},
		{p, "cn=child,cn=secret-a,ou=groups,dc=x", nil, true},
		{p, "gidNumber=5+cn=secret,ou=groups,dc=x", []string{"posixGroup"}, true},
		{p, "cn=secret-a,ou=groups,dc=x", []string{"posixGroup", "posixAccount"}, true},
		{p, "cn=secret-agent,ou=people,dc=x", []string{"top", "inetOrgPerson"}, false},
		{p, "cn=open,ou=groups,dc=x", []string{"groupOfNames"}, false},
		{p, "cn=open,ou=groups,dc=y", []string{"groupOfNames"}, true},
		{p, "uid=alice,ou=people,dc=y", nil, false},
		{all, "uid=alice,ou=people,dc=x", []string{"user"}, false},
		{all, "cn=a,dc=x", []string{"group"}, true},
		{some, "uid=alice,ou=people,dc=x", []string{"person"}, false},
		{some, "uid=alice,ou=people,dc=x", nil, false},
		{some, "cn=a,dc=x", []string{"group"}, true},
		{some, "cn=cloud-a,dc=x", []string{"group"}, false},
		{some, "uid=alice,ou=people,dc=x", []string{"inetOrgPerson", "posixAccount", "posixGroup"}, false},
		{some, "cn=admin,dc=x", []string{"organizationalRole", "simpleSecurityObject"}, false},
		{p, "cn=secret-a,ou=groups,dc=x", []string{"inetOrgPerson", "posixGroup"}, true},
		{some, "cn=a,dc=x", []string{"nisNetgroup"}, true},
		{some, "cn=a,dc=x", []string{"top", "nsRoleDefinition", "nsFilteredRoleDefinition"}, true},
		{some, "cn=a,dc=x", []string{"univentionGroup"}, true},
		{some, "cn=a,dc=x", []string{"nisMailAlias"}, true},
		{some, "cn=a,dc=x", []string{"ACMEGROUP"}, true},
		{some, "cn=cloud-a,dc=x", []string{"dynGroup"}, false},
	} {
		if got := c.policy.KeepsBackEntry(c.dn, c.classes); got != c.want {
			t.Errorf("%s %v: %v", c.dn, c.classes, got)
		}
	}
	for _, group := range []string{"cn=secret,dc=x", "cn=child,cn=secret-a,dc=x", "cn=deep,ou=a,cn=secret-a,dc=x"} {
		if p.LeaveOut(group) == "" {
			t.Errorf("%s leaves, and the name of one above it that is kept back", group)
		}
	}
}
