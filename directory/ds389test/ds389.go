package ds389test

import (
	"crypto/x509"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"ldap-gateway/directory/directorytest"

	"github.com/go-ldap/ldap/v3"
)

// Names and passwords that every server has.
const (
	Suffix   = "dc=example,dc=test"
	AdminDN  = "cn=Directory Manager"
	ReaderDN = "cn=reader," + Suffix
	Password = "Passw0rd.1" // of both
)

const (
	program  = "/usr/sbin/ns-slapd"
	instance = "test"
)

// Config says what to start; the zero value is an empty directory.
type Config struct {
	// SkipNested makes memberOf direct (memberOfSkipNested).
	SkipNested bool
}

// Server is a running 389 Directory Server.
type Server struct {
	t         testing.TB
	cfg       Config
	dir       string
	port      int // clear text; LDAPS is the next
	authority *directorytest.Authority
}

// Start makes an instance, starts it, and fails the test when that is not possible.
func Start(t testing.TB, cfg Config) *Server {
	t.Helper()
	for name, pkg := range map[string]string{
		program:    "389-ds-base",
		"dscreate": "389-ds-base",
		"certutil": "libnss3-tools",
		"openssl":  "openssl",
	} {
		if _, err := exec.LookPath(name); err != nil {
			t.Fatalf(`%s is not installed: run "make tools" or apt-get install %s`, name, pkg)
		}
	}
	if os.Getuid() != 0 {
		t.Fatal("dscreate needs root: run the tests as root, in a container if need be")
	}
	s := &Server{t: t, cfg: cfg, port: freePorts(t)}
	s.prepare()
	t.Cleanup(s.Stop)
	s.Restart()
	s.Modify(readerLDIF)
	return s
}

func freePorts(t testing.TB) int {
	t.Helper()
	for range 50 {
		// Below the ports of slapdtest: dscreate takes seconds until one is in use.
		port := 14000 + 2*rand.IntN(2900)
		if free(port) && free(port+1) {
			return port
		}
	}
	t.Fatal("no two free ports side by side")
	return 0
}

func free(port int) bool {
	l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	if err == nil {
		_ = l.Close()
	}
	return err == nil
}

// URL returns "ldap://127.0.0.1:port", which also speaks StartTLS.
func (s *Server) URL() string { return "ldap://" + s.address(0) }

// TLSURL returns "ldaps://127.0.0.1:port".
func (s *Server) TLSURL() string { return "ldaps://" + s.address(1) }

// CAFile returns the path of the authority's certificate.
func (s *Server) CAFile() string { return s.path("ca.crt") }

// CA returns the authority.
func (s *Server) CA() *x509.CertPool { return s.authority.Pool }

func (s *Server) address(n int) string {
	return net.JoinHostPort("127.0.0.1", strconv.Itoa(s.port+n))
}

func (s *Server) path(parts ...string) string {
	return filepath.Join(append([]string{s.dir}, parts...)...)
}

func (s *Server) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatalf("ds389test: %v", err)
	}
}

// Stop ends the server and waits for it. It goes by force: the data is thrown away,
// and an orderly end takes four seconds.
func (s *Server) Stop() {
	if p, err := os.FindProcess(s.pid()); err == nil && p.Pid > 0 {
		_ = p.Kill()
		s.until(10*time.Second, func() bool { return p.Signal(syscall.Signal(0)) != nil })
	}
	_ = os.Remove(s.pidFile())
}

// Restart stops the server if it runs and starts it on the same ports.
func (s *Server) Restart() {
	s.t.Helper()
	s.Stop()
	// it goes to the background by itself
	if out, err := s.command(program, "-D", s.instanceFolder(), "-i", s.pidFile()).CombinedOutput(); err != nil {
		s.t.Fatalf("ns-slapd: %v\n%s", err, out)
	}
	if !s.until(30*time.Second, s.answers) {
		text, _ := os.ReadFile(s.path("log", "slapd-"+instance, "errors"))
		s.t.Fatalf("ns-slapd did not start:\n%s", text)
	}
}

func (s *Server) pidFile() string        { return s.path("run", "slapd-"+instance+".pid") }
func (s *Server) instanceFolder() string { return s.path("etc", "dirsrv", "slapd-"+instance) }

func (s *Server) pid() int {
	text, err := os.ReadFile(s.pidFile())
	if err != nil {
		return 0
	}
	pid, _ := strconv.Atoi(strings.TrimSpace(string(text)))
	return pid
}

// until polls; false when the time was over first.
func (s *Server) until(limit time.Duration, holds func() bool) bool {
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(limit)
	for !holds() {
		select {
		case <-tick.C:
		case <-deadline:
			return false
		}
	}
	return true
}

func (s *Server) answers() bool {
	c, err := ldap.DialURL(s.URL())
	if err != nil {
		return false
	}
	defer func() { _ = c.Close() }()
	return c.Bind(AdminDN, Password) == nil
}

// Modify applies LDIF change records (add, modify, delete, modrdn) as the Directory
// Manager; a record without changetype is an add.
func (s *Server) Modify(ldif string) {
	s.t.Helper()
	c, err := ldap.DialURL(s.URL())
	s.must(err)
	defer func() { _ = c.Close() }()
	s.must(c.Bind(AdminDN, Password))
	s.must(directorytest.Apply(c, ldif))
}

// MustChange has an administrator set somebody's password while passwordMustChange is on,
// and waits until the server has noted that: it answers first.
func (s *Server) MustChange(dn, password string) {
	s.t.Helper()
	s.Modify("dn: cn=config\nchangetype: modify\nreplace: passwordMustChange\npasswordMustChange: on\n-\n\n" +
		"dn: " + dn + "\nchangetype: modify\nreplace: userPassword\nuserPassword: " + password + "\n-\n")
	c, err := ldap.DialURL(s.URL())
	s.must(err)
	defer func() { _ = c.Close() }()
	s.must(c.Bind(AdminDN, Password))
	request := ldap.NewSearchRequest(
		dn,
		ldap.ScopeBaseObject,
		ldap.NeverDerefAliases,
		0,
		0,
		false,
		"(passwordExpirationTime=19700101000000Z)",
		[]string{"1.1"},
		nil,
	)
	if !s.until(10*time.Second,
		func() bool { found, err := c.Search(request); return err == nil && len(found.Entries) == 1 }) {
		s.t.Fatalf("ds389test: the password of %s need not be changed", dn)
	}
}

// command runs with PREFIX, which is where 389's tools look for everything.
func (s *Server) command(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(name, args...)
	cmd.Env = append(os.Environ(), "PREFIX="+s.dir)
	return cmd
}

func (s *Server) tool(name string, args ...string) {
	s.t.Helper()
	if out, err := s.command(name, args...).CombinedOutput(); err != nil {
		s.t.Fatalf("%s: %v\n%s", name, err, out)
	}
}

func (s *Server) write(name, content string) {
	s.t.Helper()
	s.must(os.WriteFile(s.path(name), []byte(content), 0o644))
}

const readerLDIF = `dn: ou=people,` + Suffix + `
objectClass: organizationalUnit
ou: people

dn: ou=groups,` + Suffix + `
objectClass: organizationalUnit
ou: groups

dn: ` + ReaderDN + `
objectClass: organizationalRole
objectClass: simpleSecurityObject
cn: reader
userPassword: ` + Password + `

dn: ` + Suffix + `
changetype: modify
add: aci
aci: (targetattr != "userPassword")(version 3.0; acl "the gateway reads"; allow (read, search, compare) ` +
	`userdn = "ldap:///` + ReaderDN + `";)
aci: (targetattr = "userPassword")(version 3.0; acl "people change their own"; allow (write) userdn = "ldap:///self";)
-

`
