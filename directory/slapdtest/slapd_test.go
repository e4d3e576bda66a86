package slapdtest

import (
	"crypto/tls"
	"testing"

	"github.com/go-ldap/ldap/v3"
)

func TestPopulationOverLDAPSAndRestart(t *testing.T) {
	s := Start(t, Config{Users: 6, Groups: 3})
	for range 2 {
		c, err := ldap.DialURL(s.TLSURL(), ldap.DialWithTLSConfig(&tls.Config{RootCAs: s.CA()}))
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Bind(UserDN(4), "password"); err != nil {
			t.Fatal(err)
		}
		found, err := c.Search(
			ldap.NewSearchRequest(Suffix, ldap.ScopeWholeSubtree, 0, 0, 0, false, "(member="+UserDN(4)+")", []string{"cn"}, nil),
		)
		if err != nil || len(found.Entries) != 2 {
			t.Fatalf("groups of a generated user: %v, %v; want 2", found, err)
		}
		if err := c.Close(); err != nil {
			t.Fatal(err)
		}
		s.Restart()
	}
	s.Stop()
	if n := s.Binds(UserDN(4)); n != 2 {
		t.Errorf("the log counts %d binds, want 2", n)
	}
	if n := s.Searches(Suffix); n != 2 {
		t.Errorf("the log counts %d searches, want 2", n)
	}
}

func TestModifyAndMemberOfOverlay(t *testing.T) {
	s := Start(t, Config{Users: 2, Groups: 1, MemberOf: true})
	s.Modify(`dn: cn=late,ou=groups,dc=example,dc=test
objectClass: groupOfNames
cn: late
member: uid=user00000,ou=people,dc=example,dc=test

dn: uid=user00001,ou=people,dc=example,dc=test
changetype: modify
replace: mail
mail: new@example.test
-
delete: sn
-
add: sn
sn: X

dn: cn=late,ou=groups,dc=example,dc=test
changetype: modrdn
newrdn: cn=later
deleteoldrdn: 1
`)
	c, err := ldap.DialURL(s.URL())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	if err := c.Bind(ReaderDN, Password); err != nil {
		t.Fatal(err)
	}
	found, err := c.Search(
		ldap.NewSearchRequest(UserDN(0), ldap.ScopeBaseObject, 0, 0, 0, false, "(objectClass=*)", []string{"memberOf"}, nil),
	)
	if err != nil {
		t.Fatal(err)
	}
	if got := found.Entries[0].GetAttributeValues("memberOf"); len(got) != 2 {
		t.Errorf("memberOf = %q, want the generated group and the renamed one", got)
	}
}
