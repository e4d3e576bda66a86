package kdctest_test

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"ldap-gateway/directory/kdctest"
)

// The KDC gives tickets for passwords, comes back with its principals, and does not
// lose the passwords of those whose keys were written into a key table.
func TestRealmComesBackWithItsPrincipals(t *testing.T) {
	s := kdctest.Start(t, kdctest.Config{Principals: []kdctest.Principal{
		{Name: "alice", Password: `pass "word"`}, {Name: "HTTP/localhost"}}})
	keytab, err := os.ReadFile(s.Keytab("alice", "HTTP/localhost"))
	if err != nil || !bytes.Contains(keytab, []byte("HTTP")) {
		t.Fatalf("%q, %v", keytab, err)
	}
	s.Add(kdctest.Principal{Name: "bob", Password: "secret", Options: "-pwexpire never"})
	s.Restart()
	for name, password := range map[string]string{"alice": `pass "word"`, "bob": "secret"} {
		if cache, err := os.ReadFile(s.Cache(name, password)); err != nil || !bytes.Contains(cache, []byte(name)) {
			t.Errorf("%s: %q, %v", name, cache, err)
		}
	}
	if !strings.Contains(s.Log(), "alice@"+kdctest.Realm) {
		t.Errorf("alice is not in the log:\n%s", s.Log())
	}
}
