package sambatest_test

import (
	"crypto/tls"
	"testing"

	"ldap-gateway/directory/sambatest"

	"github.com/go-ldap/ldap/v3"
)

// The domain controller answers with its own certificate authority, takes changes and
// comes back with them.
func TestDomainControllerComesBackWithItsData(t *testing.T) {
	s := sambatest.Start(t, sambatest.Config{})
	s.Modify("dn: OU=kept," + sambatest.Suffix + "\nobjectClass: organizationalUnit\n")
	s.Restart()
	c, err := ldap.DialURL(s.TLSURL(), ldap.DialWithTLSConfig(&tls.Config{RootCAs: s.CA(), ServerName: sambatest.Host}))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	if err := c.Bind(sambatest.ReaderDN, sambatest.Password); err != nil {
		t.Fatal(err)
	}
	found, err := c.Search(
		ldap.NewSearchRequest(
			sambatest.Suffix,
			ldap.ScopeWholeSubtree,
			ldap.NeverDerefAliases,
			0,
			0,
			false,
			"(ou=kept)",
			nil,
			nil,
		),
	)
	if err != nil || len(found.Entries) != 1 {
		t.Fatalf("found %v, %v", found, err)
	}
}
