package slapdtest

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"ldap-gateway/directory/directorytest"

	"github.com/go-ldap/ldap/v3"
)

const program = "/usr/sbin/slapd"

// Server is a running slapd.
type Server struct {
	t         testing.TB
	cfg       Config
	dir       string
	port      int // clear text; LDAPS is the next
	authority *directorytest.Authority
	log       logBuffer
	cmd       *exec.Cmd
	exited    chan struct{} // closed when cmd has ended and its log is complete
}

// Start starts slapd and fails the test when that is not possible.
func Start(t testing.TB, cfg Config) *Server {
	t.Helper()
	if _, err := os.Stat(program); err != nil {
		t.Fatal(`slapd is not installed: run "make tools" or apt-get install slapd`)
	}
	s := &Server{t: t, cfg: cfg}
	s.prepare()
	t.Cleanup(s.Stop)
	for range 20 {
		s.port = 20000 + 2*rand.IntN(6000)
		if s.run() {
			s.loadOnline()
			return s
		}
	}
	t.Fatalf("slapd did not start:\n%s", s.Log())
	return nil
}

// URL returns "ldap://127.0.0.1:port", which also speaks StartTLS.
func (s *Server) URL() string { return "ldap://" + s.address(0) }

// TLSURL returns "ldaps://127.0.0.1:port".
func (s *Server) TLSURL() string { return "ldaps://" + s.address(1) }

// PID returns the number of the process.
func (s *Server) PID() int { return s.cmd.Process.Pid }

// CAFile returns the path of the authority's certificate.
func (s *Server) CAFile() string { return filepath.Join(s.dir, "ca.crt") }

// CA returns the authority.
func (s *Server) CA() *x509.CertPool { return s.authority.Pool }

// Certificate makes one for a client, by the authority that the server knows.
func (s *Server) Certificate(name string) tls.Certificate {
	s.t.Helper()
	c, err := s.authority.Issue([]string{name}, nil)
	s.must(err)
	return c
}

func (s *Server) address(n int) string {
	return net.JoinHostPort("127.0.0.1", strconv.Itoa(s.port+n))
}

// Stop ends slapd and waits for it; the log is complete then. Once is enough, more
// does no harm.
func (s *Server) Stop() {
	if s.cmd == nil {
		return
	}
	_ = s.cmd.Process.Kill()
	<-s.exited
	s.cmd = nil
}

// Restart stops slapd and starts it on the same ports.
func (s *Server) Restart() {
	s.t.Helper()
	s.Stop()
	if !s.run() {
		s.t.Fatalf("slapd did not come back:\n%s", s.Log())
	}
}

// Reconfigure starts slapd again with another configuration, on the same data.
func (s *Server) Reconfigure(change func(*Config)) {
	s.t.Helper()
	change(&s.cfg)
	s.write("slapd.conf", []byte(s.cfg.conf(s.dir)))
	s.handOver()
	s.Restart()
}

func (s *Server) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatalf("slapdtest: %v", err)
	}
}

// prepare writes the folder: outside of t.TempDir, whose parent only root can enter.
func (s *Server) prepare() {
	s.t.Helper()
	dir, err := os.MkdirTemp("", "slapdtest")
	s.must(err)
	s.dir = dir
	s.t.Cleanup(func() { _ = os.RemoveAll(dir) })
	s.must(os.Mkdir(filepath.Join(dir, "db"), 0o755))
	s.writeCertificates()
	s.copyKerberos()
	s.write("slapd.conf", []byte(s.cfg.conf(dir)))
	content := s.cfg.ldif()
	if s.cfg.MemberOf {
		content = BaseLDIF
	}
	s.write("load.ldif", []byte(content))
	if s.cfg.ReplicaOf != "" {
		s.handOver()
		return
	}
	out, err := exec.Command(
		program,
		"-Tadd",
		"-q",
		"-f",
		filepath.Join(dir, "slapd.conf"),
		"-l",
		filepath.Join(dir, "load.ldif"),
	).CombinedOutput()
	if err != nil {
		s.t.Fatalf("slapadd: %v\n%s", err, out)
	}
	s.handOver()
}

// copyKerberos takes the files over, since slapd may not be let where they are.
func (s *Server) copyKerberos() {
	s.t.Helper()
	for name, from := range map[string]string{"keytab": s.cfg.Keytab, "krb5.conf": s.cfg.KerberosConf} {
		if from == "" {
			continue
		}
		content, err := os.ReadFile(from)
		s.must(err)
		s.write(name, content)
	}
}

func (s *Server) write(name string, content []byte) {
	s.t.Helper()
	s.must(os.WriteFile(filepath.Join(s.dir, name), content, 0o600))
}

func (s *Server) writeCertificates() {
	s.t.Helper()
	authority, err := directorytest.NewAuthority()
	s.must(err)
	certificate, err := authority.Issue([]string{"localhost", "127.0.0.1"}, nil)
	s.must(err)
	s.authority = authority
	s.write("ca.crt", authority.PEM)
	s.writeCertificate(certificate)
}

func (s *Server) writeCertificate(c tls.Certificate) {
	s.t.Helper()
	certificate, key, err := directorytest.CertificatePEM(c)
	s.must(err)
	s.write("server.crt", certificate)
	s.write("server.key", key)
}

// Present starts slapd again with another certificate.
func (s *Server) Present(t *testing.T, c tls.Certificate) {
	t.Helper()
	s.writeCertificate(c)
	s.handOver()
	s.Restart()
}

// handOver gives the folder to nobody, when this is root.
func (s *Server) handOver() {
	s.t.Helper()
	if os.Getuid() != 0 {
		return
	}
	nobody, err := user.Lookup("nobody")
	s.must(err)
	uid, _ := strconv.Atoi(nobody.Uid)
	gid, _ := strconv.Atoi(nobody.Gid)
	s.must(filepath.WalkDir(s.dir, func(path string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return os.Chown(path, uid, gid)
	}))
}

// run starts slapd and waits until it answers; false when it ended instead.
func (s *Server) run() bool {
	s.t.Helper()
	listen := s.URL()
	if !s.cfg.NoTLS {
		listen += " " + s.TLSURL()
	}
	args := []string{"-f", filepath.Join(s.dir, "slapd.conf"), "-d", s.cfg.logLevel(), "-h", listen}
	if os.Getuid() == 0 {
		args = append(args, "-u", "nobody")
	}
	cmd, exited := exec.Command(program, args...), make(chan struct{})
	cmd.Env = append(os.Environ(), "KRB5_KTNAME="+filepath.Join(s.dir, "keytab"),
		"KRB5_CONFIG="+filepath.Join(s.dir, "krb5.conf"))
	cmd.Stderr = &s.log
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
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(10 * time.Second)
	for {
		select {
		case <-s.exited:
			return false
		case <-deadline:
			return false
		case <-tick.C:
		}
		if c, err := ldap.DialURL(s.URL()); err == nil {
			err = c.Bind(ReaderDN, Password)
			_ = c.Close()
			if err == nil {
				return true
			}
		}
	}
}

// logBuffer is what slapd wrote to standard error.
type logBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

// Log returns slapd's statistics log so far.
func (s *Server) Log() string {
	s.log.mu.Lock()
	defer s.log.mu.Unlock()
	return s.log.text.String()
}

// Binds counts the binds with this DN in the log so far, successful or not.
func (s *Server) Binds(dn string) int {
	return strings.Count(s.Log(), fmt.Sprintf(" BIND dn=%q method=", dn))
}

// Searches counts the searches below this base in the log so far.
func (s *Server) Searches(base string) int {
	return strings.Count(s.Log(), fmt.Sprintf(" SRCH base=%q ", base))
}
