package directory_test

import (
	"context"
	"crypto/x509"
	"strings"
	"testing"
	"time"

	"ldap-gateway/directory"
	"ldap-gateway/directory/directorytest"
	"ldap-gateway/directory/slapdtest"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	suffix  = slapdtest.Suffix
	people  = "ou=people," + suffix
	groups  = "ou=groups," + suffix
	aliceDN = "uid=alice," + people
)

// bed is a directory that a test runs against, real or in the process.
type bed struct {
	url     string
	ca      *x509.CertPool
	binds   func(dn string) int
	restart func()
}

// onBoth runs a test against real slapd and against directorytest, on the same LDIF.
func onBoth(t *testing.T, cfg slapdtest.Config, test func(t *testing.T, b bed)) {
	t.Run("slapd", func(t *testing.T) {
		s := slapdtest.Start(t, cfg)
		test(t, bed{url: s.TLSURL(), ca: s.CA(), binds: s.Binds, restart: s.Restart})
	})
	t.Run("directorytest", func(t *testing.T) {
		s := inProcess(t, cfg.LDIF, func(s *directorytest.Server) { s.SizeLimit = cfg.SizeLimit })
		test(t, bed{url: s.TLSURL(), ca: s.CA(), binds: s.Binds, restart: s.CutConnections})
	})
}

func inProcess(t *testing.T, ldif string, configure ...func(*directorytest.Server)) *directorytest.Server {
	t.Helper()
	load := directorytest.LDIF(t, slapdtest.BaseLDIF+ldif)
	return directorytest.Start(t, append([]func(*directorytest.Server){load}, configure...)...)
}

// open opens a client as the reader; change may adjust the configuration.
func open(t testing.TB, ca *x509.CertPool, url string, change ...func(*directory.Config)) *directory.Client {
	t.Helper()
	cfg := directory.Config{
		Servers: []string{url}, BaseDN: suffix,
		BindDN: slapdtest.ReaderDN, BindPassword: slapdtest.Password,
		TLS: directory.TLS{RootCAs: ca},
	}
	for _, c := range change {
		c(&cfg)
	}
	c, err := directory.Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	return c
}

func persons() directory.UserTypeConfig {
	return directory.UserTypeConfig{
		ID: "1", Name: "persons", SearchBase: people,
		Filter:      "(&(objectClass=inetOrgPerson)(|(uid=${identifier})(mail=${identifier})))",
		Correlation: []string{"entryUUID", "uid"},
		Attributes:  []string{"uid", "CN", "mail"},
		Groups:      &directory.GroupRule{},
	}
}

func compile(t testing.TB, cfg directory.UserTypeConfig) *directory.UserType {
	t.Helper()
	ut, err := directory.Compile(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return ut
}

func find(t testing.TB, c *directory.Client, ut *directory.UserType, identifier string) directory.Entry {
	t.Helper()
	e, err := c.FindUser(t.Context(), ut, identifier)
	if err != nil {
		t.Fatalf("FindUser(%q): %v", identifier, err)
	}
	return e
}

func names(m directory.Membership) string {
	var out []string
	for _, g := range m.Groups {
		out = append(out, g.Name)
	}
	return strings.Join(out, " ")
}

func wantMembership(t testing.TB, m directory.Membership, verdict directory.Verdict, wantNames string) {
	t.Helper()
	if m.Verdict != verdict || names(m) != wantNames {
		t.Errorf("membership is %v (%s) with %q, want %v with %q", m.Verdict, m.Reason, names(m), verdict, wantNames)
	}
	if (m.Reason == "") != (m.Verdict == directory.Complete) {
		t.Errorf("verdict %v with reason %q", m.Verdict, m.Reason)
	}
}

// eventually polls until the condition holds.
func eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("never happened: %s", what)
		}
	}
}

func person(uid string, more ...string) string {
	return "dn: uid=" + uid + "," + people + "\nobjectClass: inetOrgPerson\nuid: " + uid + "\ncn: " + uid +
		"\nsn: x\nmail: " + uid + "@example.test\nuserPassword: password\n" + lines(more)
}

func group(cn string, members ...string) string {
	out := "dn: cn=" + cn + "," + groups + "\nobjectClass: groupOfNames\ncn: " + cn + "\n"
	for _, m := range members {
		out += "member: " + m + "\n"
	}
	return out + "\n"
}

func lines(more []string) string {
	out := ""
	for _, line := range more {
		out += line + "\n"
	}
	return out + "\n"
}
