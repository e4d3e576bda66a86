package directory_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"math/big"
	"strings"
	"testing"
	"time"

	"ldap-gateway/directory"
	"ldap-gateway/directory/directorytest"
	"ldap-gateway/directory/slapdtest"
)

// TestServersThatWantMoreOrLessOfTLS: check names the line, and the line helps.
func TestServersThatWantMoreOrLessOfTLS(t *testing.T) {
	for name, tc := range map[string]struct {
		lines  []string
		remedy string
		mend   func(*slapdtest.Server, *directory.Config)
	}{
		"a certificate of ours": {[]string{"TLSVerifyClient demand"}, "certificate = ", func(s *slapdtest.Server, cfg *directory.Config) {
			own := s.Certificate("gateway")
			cfg.TLS.Certificate = &own
		}},
		"the same with TLS 1.2": {[]string{"TLSVerifyClient demand", "TLSCipherSuite NORMAL:-VERS-ALL:+VERS-TLS1.2"}, "certificate = ", func(s *slapdtest.Server, cfg *directory.Config) {
			own := s.Certificate("gateway")
			cfg.TLS.Certificate = &own
		}},
		"RSA key exchange alone": {[]string{"TLSCipherSuite NORMAL:-VERS-ALL:+VERS-TLS1.2:-KX-ALL:+RSA"}, "old_key_exchange = true", func(_ *slapdtest.Server, cfg *directory.Config) {
			cfg.TLS.OldKeyExchange = true
		}},
	} {
		old, pin := rsaCertificate(t)
		t.Run(name, func(t *testing.T) {
			s := slapdtest.Start(t, slapdtest.Config{LDIF: person("alice"), TLS: tc.lines})
			s.Present(t, old)
			pinned := func(cfg *directory.Config) { cfg.TLS.PinsSHA256 = [][]byte{pin} }
			ut := compile(t, persons())
			told := ""
			for _, row := range open(t, s.CA(), s.TLSURL(), pinned).Check(t.Context()) {
				if row.State == directory.Failed {
					told += row.Name + ": " + row.Detail + ": " + row.Remedy + "\n"
				}
			}
			if !strings.Contains(told, tc.remedy) {
				t.Errorf("check says\n%swant %q", told, tc.remedy)
			}
			if _, err := open(t, s.CA(), s.TLSURL(), pinned).FindUser(t.Context(), ut, "alice"); err == nil {
				t.Error("the server takes everybody")
			}
			find(t, open(t, s.CA(), s.TLSURL(), pinned, func(cfg *directory.Config) { tc.mend(s, cfg) }), ut, "alice")
		})
	}
}

// rsaCertificate makes one by itself, and its pin: the key exchange by RSA needs one.
func rsaCertificate(t *testing.T) (tls.Certificate, []byte) {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		DNSNames:     []string{"localhost"},
		NotBefore:    time.Now().Add(-time.Hour),
		NotAfter:     time.Now().AddDate(1, 0, 0),
	}
	raw, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(raw)
	return tls.Certificate{Certificate: [][]byte{raw}, PrivateKey: key}, sum[:]
}

// TestSHA1IsTold has a known authority sign by SHA-1: check names the cause and a line
// that helps.
func TestSHA1IsTold(t *testing.T) {
	a, err := directorytest.NewAuthority()
	if err != nil {
		t.Fatal(err)
	}
	made, err := a.Issue([]string{"127.0.0.1"}, func(c *x509.Certificate) { c.SignatureAlgorithm = x509.ECDSAWithSHA1 })
	if err != nil {
		t.Fatal(err)
	}
	s := inProcess(t, person("alice"), func(s *directorytest.Server) { s.Certificate = &made })
	told := ""
	for _, row := range open(t, a.Pool, s.TLSURL()).Check(t.Context()) {
		if row.State == directory.Failed {
			told += row.Name + ": " + row.Detail + ": " + row.Remedy + "\n"
		}
	}
	sum := sha256.Sum256(made.Certificate[0])
	if !strings.Contains(told, "SHA1, which is broken") || !strings.Contains(told, fmt.Sprintf("pin = [\"sha256:%x\"]", sum)) {
		t.Errorf("check says\n%s", told)
	}
	pinned := func(cfg *directory.Config) { cfg.TLS.PinsSHA256 = [][]byte{sum[:]} }
	find(t, open(t, a.Pool, s.TLSURL(), pinned), compile(t, persons()), "alice")
}
