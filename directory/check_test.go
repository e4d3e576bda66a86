package directory_test

import (
	"crypto/x509"
	"net"
	"strings"
	"testing"
	"time"

	"ldap-gateway/directory"
	"ldap-gateway/directory/directorytest"
	"ldap-gateway/directory/slapdtest"
)

// row returns the row of that name for the server at that place.
func row(t *testing.T, rows []directory.Check, server int, name string) directory.Check {
	t.Helper()
	for _, r := range rows {
		if r.Name == name {
			if server == 0 {
				return r
			}
			server--
		}
	}
	t.Fatalf("no row %q in %+v", name, rows)
	return directory.Check{}
}

func TestCheckOfAHealthyDirectory(t *testing.T) {
	whole := map[string]bool{"memberOf": true, "groups": true} // about the directory, not one server
	onBoth(t, slapdtest.Config{LDIF: person("alice") + group("staff", aliceDN)}, func(t *testing.T, b bed) {
		for _, r := range open(t, b.ca, b.url).Check(t.Context()) {
			if strings.Contains(r.Detail, "days left") {
				continue // the test's certificate lives for a day, which is a warning
			}
			if target := map[bool]string{true: suffix, false: b.url}[whole[r.Name]]; r.State != directory.OK ||
				r.Target != target {
				t.Errorf("%+v", r)
			}
		}
	})
}

func TestCheckStopsAtTheFirstFailure(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	s := inProcess(t, "")
	c := open(t, s.CA(), "", func(cfg *directory.Config) { cfg.Servers = []string{"ldaps://" + address, s.TLSURL()} })
	rows := c.Check(t.Context())
	if r := row(t, rows, 0, "TCP"); r.State != directory.Failed || r.Remedy == "" {
		t.Errorf("TCP: %+v", r)
	}
	for _, name := range []string{"TLS", "service bind", "base"} {
		if r := row(t, rows, 0, name); r.State != directory.NotTried {
			t.Errorf("%s: %+v", name, r)
		}
		if r := row(t, rows, 1, name); r.State == directory.NotTried || r.State == directory.Failed {
			t.Errorf("%s of the second server: %+v", name, r)
		}
	}
}

func TestCheckSaysWhatIsWrongWithACertificate(t *testing.T) {
	for name, tc := range map[string]struct {
		trusted bool
		change  func(*x509.Certificate)
		says    string
	}{
		"unknown-authority": {false, nil, `ca_file = "`},
		"pin-offered":       {false, nil, `pin = ["sha256:`},
		"other-name":        {true, func(c *x509.Certificate) { c.IPAddresses, c.DNSNames = nil, []string{"dc1.test"} }, `server_name = "dc1.test"`},
		"common-name-only":  {true, func(c *x509.Certificate) { c.IPAddresses = nil }, "only the common name"},
		"expired":           {true, func(c *x509.Certificate) { c.NotAfter = time.Now().Add(-time.Minute) }, "renew the certificate"},
		"client-only": {true, func(c *x509.Certificate) {
			c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
		}, "pin ="},
	} {
		t.Run(name, func(t *testing.T) {
			authority, err := directorytest.NewAuthority()
			if err != nil {
				t.Fatal(err)
			}
			certificate, err := authority.Issue([]string{"127.0.0.1"}, tc.change)
			if err != nil {
				t.Fatal(err)
			}
			s := inProcess(t, "", func(s *directorytest.Server) { s.Certificate = &certificate })
			pool := x509.NewCertPool()
			if tc.trusted {
				pool = authority.Pool
			}
			for _, url := range []string{s.TLSURL(), s.URL()} {
				rows := open(t, pool, url).Check(t.Context())
				if r := row(t, rows, 0, "TLS"); r.State != directory.Failed || !strings.Contains(r.Remedy, tc.says) {
					t.Errorf("%s: %+v, want a remedy with %s", url, r, tc.says)
				}
			}
			if n := s.Binds(""); n != 0 {
				t.Errorf("%d binds over a connection that is not believed", n)
			}
		})
	}
}

func TestCheckOfServiceBindAndBase(t *testing.T) {
	first, second, both := twoServers(t, "")
	c := open(t, nil, "", both, func(cfg *directory.Config) { cfg.BindPassword = "wrong" })
	rows := c.Check(t.Context())
	if r := row(t, rows, 0, "service bind"); r.State != directory.Failed || !strings.Contains(r.Remedy, "password") {
		t.Errorf("%+v", r)
	}
	if r := row(t, rows, 1, "service bind"); r.State != directory.NotTried {
		t.Errorf("a refused password was tried again: %+v", r)
	}
	if n := first.Binds("") + second.Binds(""); n != 1 {
		t.Errorf("%d binds, want 1", n)
	}
	c = open(t, nil, "", both, func(cfg *directory.Config) { cfg.BaseDN = "dc=elsewhere" })
	if r := row(t, c.Check(t.Context()), 0, "base"); r.State != directory.Failed || !strings.Contains(r.Remedy, suffix) {
		t.Errorf("%+v does not name what the server holds", r)
	}
	c = open(t, nil, "", both, func(cfg *directory.Config) { cfg.BindDN, cfg.BindPassword = "", "" })
	if r := row(t, c.Check(t.Context()), 0, "service bind"); r.State != directory.Warning {
		t.Errorf("anonymous: %+v", r)
	}
}

func TestCheckOfClearText(t *testing.T) {
	s := inProcess(t, "")
	c := open(t, nil, s.URL(), func(cfg *directory.Config) { cfg.AllowClearText = true })
	if r := row(t, c.Check(t.Context()), 0, "TLS"); r.State != directory.Warning || r.Remedy == "" {
		t.Errorf("%+v", r)
	}
}

func TestOpenNamesEveryMistake(t *testing.T) {
	_, err := directory.Open(directory.Config{
		Servers: []string{"dc1.example.test", "https://x", "ldaps://", "ldap://user@x"}, BaseDN: "example.test",
		BindDN: "cn=x", GroupsFrom: "tokenGroups", TLS: directory.TLS{PinsSHA256: [][]byte{{1}}}, Timeout: -1,
	})
	if err == nil {
		t.Fatal("no error")
	}
	for _, says := range []string{`"dc1.example.test"`, `"https://x"`, `"ldaps://"`, `user@x`, "base DN", "bind password", "groups from", "pin 01", "negative"} {
		if !strings.Contains(err.Error(), says) {
			t.Errorf("does not name %s: %v", says, err)
		}
	}
	if _, err := directory.Open(directory.Config{BindPassword: "x"}); err == nil ||
		!strings.Contains(err.Error(), "bind DN") {
		t.Errorf("password without DN: %v", err)
	}
}

// TestCertificatesEndByTheirLife warns of each kind of certificate once whatever renews it
// should have.
func TestCertificatesEndByTheirLife(t *testing.T) {
	const day = 24 * time.Hour
	for name, c := range map[string]struct {
		life, left time.Duration
		soon       bool
	}{
		"ten years, 31 days":   {3650 * day, 31 * day, false},
		"ten years, 29 days":   {3650 * day, 29 * day, true},
		"90 days, 29 left":     {90 * day, 29 * day, false}, // renewed at 30 by rule
		"90 days, 14 left":     {90 * day, 14 * day, true},
		"a month, ten left":    {30 * day, 10 * day, false},
		"a month, four left":   {30 * day, 4 * day, true},
		"a day, five hours":    {day, 5 * time.Hour, false},
		"a day, three hours":   {day, 3 * time.Hour, true},
		"over":                 {90 * day, -time.Hour, true},
		"ends before it began": {-day, -time.Hour, true},
	} {
		end := time.Now().Add(c.left)
		if got := directory.EndsSoon(&x509.Certificate{NotBefore: end.Add(-c.life), NotAfter: end}); got != c.soon {
			t.Errorf("%s: %t", name, got)
		}
	}
}
