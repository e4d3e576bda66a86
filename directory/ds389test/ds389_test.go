package ds389test_test

import (
	"crypto/tls"
	"slices"
	"testing"

	"ldap-gateway/directory/ds389test"

	"github.com/go-ldap/ldap/v3"
)

const content = `dn: uid=alice,ou=people,dc=example,dc=test
objectClass: inetOrgPerson
objectClass: nsMemberOf
uid: alice
cn: alice
sn: alice

dn: cn=child,ou=groups,dc=example,dc=test
objectClass: groupOfNames
objectClass: nsMemberOf
cn: child
member: uid=alice,ou=people,dc=example,dc=test

dn: cn=parent,ou=groups,dc=example,dc=test
objectClass: groupOfNames
cn: parent
member: cn=child,ou=groups,dc=example,dc=test
`

// The server comes back with its data, and its memberOf is the transitive one that
// makes it worth starting.
func TestServerComesBackWithItsData(t *testing.T) {
	s := ds389test.Start(t, ds389test.Config{})
	s.Modify(content)
	s.Restart()
	c, err := ldap.DialURL(s.TLSURL(), ldap.DialWithTLSConfig(&tls.Config{RootCAs: s.CA()}))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	if err := c.Bind(ds389test.ReaderDN, ds389test.Password); err != nil {
		t.Fatal(err)
	}
	found, err := c.Search(
		ldap.NewSearchRequest(
			ds389test.Suffix,
			ldap.ScopeWholeSubtree,
			ldap.NeverDerefAliases,
			0,
			0,
			false,
			"(uid=alice)",
			[]string{"memberOf"},
			nil,
		),
	)
	if err != nil || len(found.Entries) != 1 {
		t.Fatalf("found %v, %v", found, err)
	}
	got := found.Entries[0].GetAttributeValues("memberOf")
	slices.Sort(got)
	if want := []string{"cn=child,ou=groups,dc=example,dc=test", "cn=parent,ou=groups,dc=example,dc=test"}; !slices.Equal(
		got,
		want,
	) {
		t.Errorf("memberOf %q, want %q", got, want)
	}
}
