package directory_test

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"regexp"
	"slices"
	"strings"
	"time"

	"ldap-gateway/directory"
	"ldap-gateway/directory/directorytest"
)

func certificateCases() []conformanceCase {
	none := func(*x509.Certificate) {}
	return []conformanceCase{
		{"certificate with a common name only", badCertificate(nil, none, `only the common name "server"`, "pin = ")},
		{
			"certificate for another name",
			badCertificate([]string{"other.example.test"}, none, "other.example.test", `server_name = "other.example.test"`),
		},
		{
			"certificate expired",
			badCertificate([]string{"127.0.0.1"}, func(c *x509.Certificate) { c.NotAfter = time.Now().Add(-time.Minute) },
				"valid from", "renew"),
		},
		{"certificate self-signed", selfSigned},
		{"certificate with a negative serial number", negativeSerial},
		{"certificate that ends within 30 days", endingSoon},
	}
}

// tlsRow returns the row of Check about TLS.
func (s *scene) tlsRow(change func(*directory.Config)) directory.Check {
	s.Helper()
	rows := s.open(change).Check(s.Context())
	at := slices.IndexFunc(rows, func(row directory.Check) bool { return row.Name == "TLS" })
	return rows[at]
}

var pinLine = regexp.MustCompile(`pin = \["sha256:([0-9a-f]{64})"\]`)

// badCertificate wants the row to fail with these words, and the pin that its remedy
// names to make a connection.
func badCertificate(names []string, spoil func(*x509.Certificate), words ...string) func(*scene) {
	return func(s *scene) {
		authority, err := directorytest.NewAuthority()
		s.must(err)
		certificate, err := authority.Issue(names, spoil)
		s.must(err)
		s.wantBadCertificate(certificate, authority.Pool, words...)
	}
}

func (s *scene) wantBadCertificate(certificate tls.Certificate, roots *x509.CertPool, words ...string) {
	s.Helper()
	s.present(s.T, certificate)
	believe := func(cfg *directory.Config) { cfg.TLS = directory.TLS{RootCAs: roots, ServerName: "127.0.0.1"} }
	row := s.tlsRow(believe)
	for _, word := range words {
		if row.State != directory.Failed || !strings.Contains(row.Detail+" "+row.Remedy, word) {
			s.Errorf("%v: %s\n%s\nwant %q", row.State, row.Detail, row.Remedy, word)
		}
	}
	if _, err := s.open(believe).FindUser(s.Context(), s.ut, "anybody"); err == nil {
		s.Error("the certificate was believed")
	}
	found := pinLine.FindStringSubmatch(row.Remedy)
	if found == nil {
		return
	}
	pin, err := hex.DecodeString(found[1])
	s.must(err)
	pinned := func(cfg *directory.Config) { cfg.TLS = directory.TLS{PinsSHA256: [][]byte{pin}} }
	if row := s.tlsRow(pinned); row.State == directory.Failed {
		s.Errorf("with the pin: %+v", row)
	}
}

func selfSigned(s *scene) {
	certificate, err := directorytest.SelfSigned([]string{"127.0.0.1"})
	s.must(err)
	s.wantBadCertificate(certificate, x509.NewCertPool(), "ca_file", "pin = ")
}

func negativeSerial(s *scene) {
	certificate, err := directorytest.NegativeSerial([]string{"127.0.0.1"})
	s.must(err)
	s.wantBadCertificate(certificate, x509.NewCertPool(), "serial number is negative", "pin = ")
}

func endingSoon(s *scene) {
	authority, err := directorytest.NewAuthority()
	s.must(err)
	host := "127.0.0.1"
	certificate, err := authority.Issue([]string{host},
		func(c *x509.Certificate) {
			c.NotBefore, c.NotAfter = time.Now().AddDate(-1, 0, 0), time.Now().Add(29*24*time.Hour)
		})
	s.must(err)
	s.present(s.T, certificate)
	row := s.tlsRow(func(cfg *directory.Config) { cfg.TLS = directory.TLS{RootCAs: authority.Pool, ServerName: host} })
	if row.State != directory.Warning || !strings.Contains(row.Detail, "28 days") ||
		!strings.Contains(row.Remedy, "renew") {
		s.Errorf("%+v", row)
	}
}
