package directory

import (
	"bytes"
	"crypto/tls"
	"fmt"
	"log"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"ldap-gateway/directory/directorytest"

	"github.com/go-ldap/ldap/v3"
)

// standstill is where go-ldap says what it does: a goroutine that has taken its first
// answer stands still there for a while, as on a machine that is overloaded, or halted to
// be moved.
type standstill struct {
	armed atomic.Bool
	wait  time.Duration
}

func (s *standstill) Write(p []byte) (int, error) {
	if bytes.Contains(p, []byte("got response")) && s.armed.Swap(false) {
		<-time.After(s.wait)
	}
	return len(p), nil
}

// TestStandstillLosesNoEntry: with a time-out of its own, go-ldap throws away what nobody
// takes in time, and then calls the search a success.
func TestStandstillLosesNoEntry(t *testing.T) {
	var ldif strings.Builder
	ldif.WriteString("dn: dc=x\nobjectClass: domain\ndc: x\n\n")
	for n := range 9 {
		fmt.Fprintf(&ldif, "dn: cn=g%d,dc=x\nobjectClass: groupOfNames\ncn: g%[1]d\nmember: dc=x\n\n", n)
	}
	s := directorytest.Start(t, directorytest.LDIF(t, ldif.String()))
	const timeout = 50 * time.Millisecond
	still := &standstill{wait: 3 * timeout}
	ldap.Logger(
		log.New(still, "", 0),
	) // for good: connections that are closing may still speak, and no other test has them speak
	for range 5 {
		still.armed.Store(true)
		c, err := Open(
			Config{
				Servers: []string{s.TLSURL()},
				BaseDN:  "dc=x",
				Timeout: timeout,
				TLS:     TLS{RootCAs: s.CA(), MinVersion: tls.VersionTLS13},
			},
		)
		if err != nil {
			t.Fatal(err)
		}
		l, err := c.list()[0].connect(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		l.ldap.Debug = true
		found, err := l.ldap.Search(
			ldap.NewSearchRequest(
				"dc=x",
				ldap.ScopeWholeSubtree,
				ldap.NeverDerefAliases,
				0,
				0,
				false,
				"(member=dc=x)",
				nil,
				nil,
			),
		)
		if err != nil || len(found.Entries) != 9 {
			t.Errorf("%d of 9 entries, and error %v", len(found.Entries), err)
		}
		if err := c.Close(); err != nil {
			t.Fatal(err)
		}
	}
}
