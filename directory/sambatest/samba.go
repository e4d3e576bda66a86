package sambatest

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ldap-gateway/directory/directorytest"

	"github.com/go-ldap/ldap/v3"
)

// Names and passwords that every domain has.
const (
	Suffix   = "DC=ad,DC=example,DC=test"
	Realm    = "AD.EXAMPLE.TEST"
	Domain   = "ADTEST"
	Host     = "dc1.ad.example.test"
	AdminDN  = "CN=Administrator,CN=Users," + Suffix
	ReaderDN = "CN=reader,CN=Users," + Suffix // an ordinary user
	Password = "Passw0rd.1"                   // of both
	// LockoutThreshold is how many wrong passwords lock an account.
	LockoutThreshold = 3
)

// Config says what to start; the zero value is an empty domain.
type Config struct {
	// OwnCertificate leaves the certificate to Samba, which makes a self-signed one
	// with a negative serial number.
	OwnCertificate bool
	// SASLOverTLS takes GSSAPI binds under TLS that are not signed or sealed besides. By
	// default Samba refuses them, as a domain controller does that wants channel binding.
	SASLOverTLS bool
}

// Server is a running domain controller.
type Server struct {
	t         testing.TB
	cfg       Config
	dir       string
	ip        string
	authority *directorytest.Authority
	presented bool // by Present
	cmd       *exec.Cmd
	stdin     io.Closer     // samba ends with it
	exited    chan struct{} // closed when cmd has ended
}

var needed = map[string]string{
	"samba": "samba-ad-dc", "samba-tool": "samba-ad-dc", "ldbadd": "ldb-tools", "ldbmodify": "ldb-tools",
	"/usr/share/samba/setup/ad-schema": "samba-ad-provision",
}

// Start makes a domain, starts its controller, and fails the test when that is not
// possible.
func Start(t testing.TB, cfg Config) *Server {
	t.Helper()
	for name, pkg := range needed {
		if _, err := exec.LookPath(name); err != nil && !exists(name) {
			t.Fatalf(`%s is not installed: run "make tools" or apt-get install %s`, name, pkg)
		}
	}
	if os.Getuid() != 0 {
		t.Fatal(
			"a Samba domain controller needs root: its LDAP ports cannot be chosen; run the tests as root, in a container if " +
				"need be",
		)
	}
	s := &Server{t: t, cfg: cfg, ip: freeAddress(t)}
	s.prepare()
	t.Cleanup(s.Stop)
	if !s.run() {
		t.Fatalf("samba did not start:\n%s", s.Log())
	}
	return s
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return filepath.IsAbs(path) && err == nil
}

// freeAddress returns a loopback address on which nobody serves LDAP.
func freeAddress(t testing.TB) string {
	t.Helper()
	for range 20 {
		ip := fmt.Sprintf("127.%d.%d.%d", 1+rand.IntN(254), rand.IntN(256), 1+rand.IntN(254))
		if l, err := net.Listen("tcp", net.JoinHostPort(ip, "389")); err == nil {
			_ = l.Close()
			return ip
		}
	}
	t.Fatal("no loopback address with a free port 389")
	return ""
}

// URL returns "ldap://address", which also speaks StartTLS.
func (s *Server) URL() string { return "ldap://" + s.ip }

// TLSURL returns "ldaps://address".
func (s *Server) TLSURL() string { return "ldaps://" + s.ip }

// KDC returns "address:port" of the domain's Kerberos.
func (s *Server) KDC() string { return s.ip + ":88" }

// CAFile returns the path of the authority's certificate.
func (s *Server) CAFile() string { return s.path("ca.crt") }

// CA returns the authority; the certificate names Host and the address.
func (s *Server) CA() *x509.CertPool { return s.authority.Pool }

// Log returns what samba wrote so far.
func (s *Server) Log() string {
	text, err := os.ReadFile(s.path("samba.log"))
	s.must(err)
	return string(text)
}

func (s *Server) path(name string) string { return filepath.Join(s.dir, name) }

func (s *Server) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatalf("sambatest: %v", err)
	}
}

// Stop ends samba and waits for it. Once is enough, more does no harm.
func (s *Server) Stop() {
	if s.cmd == nil {
		return
	}
	_ = s.stdin.Close()
	_ = s.cmd.Process.Kill()
	<-s.exited
	s.cmd = nil
}

// Restart stops samba and starts it on the same address.
func (s *Server) Restart() {
	s.t.Helper()
	s.Stop()
	if !s.run() {
		s.t.Fatalf("samba did not come back:\n%s", s.Log())
	}
}

// run starts samba and waits until it answers; false when it ended instead.
func (s *Server) run() bool {
	s.t.Helper()
	log, err := os.Create(s.path("samba.log"))
	s.must(err)
	defer func() { _ = log.Close() }()
	// -i ends samba when its standard input does, so also when the test is killed.
	cmd, exited := exec.Command(
		"samba",
		"-i",
		"-M",
		"single",
		"--no-process-group",
		"--debug-stdout",
		"-s",
		s.conf(),
	), make(
		chan struct{},
	)
	cmd.Stdout, cmd.Stderr = log, log
	s.stdin, err = cmd.StdinPipe()
	s.must(err)
	s.must(cmd.Start())
	go func() {
		_ = cmd.Wait() // it is killed in the end, so there is always an error
		close(exited)
	}()
	s.cmd, s.exited = cmd, exited
	if s.answers() {
		return true
	}
	s.Stop()
	return false
}

func (s *Server) answers() bool {
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(30 * time.Second)
	for {
		select {
		case <-s.exited:
			return false
		case <-deadline:
			return false
		case <-tick.C:
		}
		if c, err := s.dial(); err == nil {
			_ = c.Close()
			return true
		}
	}
}

func (s *Server) dial() (*ldap.Conn, error) {
	return ldap.DialURL(s.TLSURL(), ldap.DialWithTLSConfig(s.tls()))
}

func (s *Server) writeCertificates() {
	s.t.Helper()
	authority, err := directorytest.NewAuthority()
	s.must(err)
	certificate, err := authority.Issue([]string{Host, s.ip}, nil)
	s.must(err)
	s.authority = authority
	s.write("ca.crt", string(authority.PEM))
	s.writeCertificate(certificate)
}

func (s *Server) writeCertificate(c tls.Certificate) {
	s.t.Helper()
	certificate, key, err := directorytest.CertificatePEM(c)
	s.must(err)
	s.write("server.crt", string(certificate))
	s.write("server.key", string(key))
}

// Present starts samba again with another certificate. Modify does not work any more
// when Start's authority has not signed it.
func (s *Server) Present(t *testing.T, c tls.Certificate) {
	t.Helper()
	s.writeCertificate(c)
	s.presented = true
	s.Restart()
}

func (s *Server) write(name, content string) {
	s.t.Helper()
	s.must(os.WriteFile(s.path(name), []byte(content), 0o600))
}

// tool runs one of Samba's programs on the files of the domain.
func (s *Server) tool(stdin, name string, args ...string) {
	s.t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Stdin = strings.NewReader(stdin)
	if out, err := cmd.CombinedOutput(); err != nil {
		s.t.Fatalf("%s: %v\n%s", name, err, out)
	}
}
