package kdctest

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// Realm is the realm when Config names none.
const Realm = "KDC.EXAMPLE.TEST"

// Config says what to start; the zero value is a realm with nobody in it.
type Config struct {
	// Realm defaults to the constant.
	Realm string
	// Principals are made before the KDC starts.
	Principals []Principal
	// TicketLife of every ticket; default 1 h. The KDC counts in seconds.
	TicketLife time.Duration
}

// Principal is a person or a service of the realm.
type Principal struct {
	// Name is without the realm, as "alice" or "HTTP/id.example.com".
	Name string
	// Password is empty for a random key, which only a keytab can tell.
	Password string
	// Options are kadmin's, as in "-pwexpire yesterday +needchange"; may be empty.
	Options string
}

// Server is a running KDC.
type Server struct {
	t      testing.TB
	cfg    Config
	dir    string
	port   int
	probe  string        // key table of the principal that is asked for a ticket
	cmd    *exec.Cmd     // nil: stopped
	exited chan struct{} // closed when cmd has ended
}

const prober = "kdctest"

var needed = map[string]string{
	"krb5kdc": "krb5-kdc", "kdb5_util": "krb5-kdc", "kadmin.local": "krb5-admin-server", "kinit": "krb5-user",
}

// Start makes a realm, starts its KDC, and fails the test when that is not possible.
func Start(t testing.TB, cfg Config) *Server {
	t.Helper()
	for name, pkg := range needed {
		if program(name) == "" {
			t.Fatalf(`%s is not installed: run "make tools" or apt-get install %s`, name, pkg)
		}
	}
	if cfg.Realm == "" {
		cfg.Realm = Realm
	}
	if cfg.TicketLife == 0 {
		cfg.TicketLife = time.Hour
	}
	s := &Server{t: t, cfg: cfg}
	s.prepare()
	t.Cleanup(s.Stop)
	for range 20 {
		s.port = 26000 + rand.IntN(2000) // above those of slapdtest
		s.configure()
		if s.run() {
			return s
		}
	}
	t.Fatalf("krb5kdc did not start:\n%s", s.Log())
	return nil
}

// program returns the path of a program, also when only root has it on its path;
// empty when it is not installed.
func program(name string) string {
	for _, candidate := range []string{name, "/usr/sbin/" + name} {
		if path, err := exec.LookPath(candidate); err == nil {
			return path
		}
	}
	return ""
}

// Realm returns the realm's name.
func (s *Server) Realm() string { return s.cfg.Realm }

// Address returns "127.0.0.1:port", where the KDC answers over TCP and UDP.
func (s *Server) Address() string { return fmt.Sprintf("127.0.0.1:%d", s.port) }

// ConfFile returns the path of a krb5.conf that knows this realm, for KRB5_CONFIG.
func (s *Server) ConfFile() string { return s.path("krb5.conf") }

// Log returns what the KDC wrote so far, a line for each request.
func (s *Server) Log() string {
	text, err := os.ReadFile(s.path("kdc.log"))
	s.must(err)
	return string(text)
}

// Add makes another principal.
func (s *Server) Add(p Principal) {
	s.t.Helper()
	key := "-randkey"
	if p.Password != "" {
		key = "-pw " + quote(p.Password)
	}
	s.Admin(fmt.Sprintf("addprinc %s %s %s", p.Options, key, quote(p.Name)))
}

// Admin runs one command of kadmin, such as "cpw -randkey alice".
func (s *Server) Admin(command string) {
	s.t.Helper()
	s.tool("", "kadmin.local", "-r", s.cfg.Realm, "-q", command)
}

// Keytab writes the keys that the principals have now into a new key table, and
// returns its path. No key changes by that, so passwords stay good.
func (s *Server) Keytab(names ...string) string {
	s.t.Helper()
	dir, err := os.MkdirTemp(s.dir, "keytab")
	s.must(err)
	path := filepath.Join(dir, "keytab")
	for _, name := range names {
		s.Admin(fmt.Sprintf("ktadd -q -norandkey -k %s %s", path, quote(name)))
	}
	return path
}

// Cache gets a ticket-granting ticket with the principal's password, and returns the
// path of a new ticket cache, for KRB5CCNAME.
func (s *Server) Cache(name, password string) string {
	s.t.Helper()
	dir, err := os.MkdirTemp(s.dir, "cache")
	s.must(err)
	path := filepath.Join(dir, "cache")
	s.tool(password+"\n", "kinit", "-c", "FILE:"+path, name+"@"+s.cfg.Realm)
	return path
}

// Stop ends the KDC and waits for it. Once is enough, more does no harm.
func (s *Server) Stop() {
	if s.cmd == nil {
		return
	}
	_ = s.cmd.Process.Kill()
	<-s.exited
	s.cmd = nil
}

// Restart stops the KDC and starts it on the same port.
func (s *Server) Restart() {
	s.t.Helper()
	s.Stop()
	if !s.run() {
		s.t.Fatalf("krb5kdc did not come back:\n%s", s.Log())
	}
}

// run starts the KDC and waits until it gives a ticket; false when it ended instead.
func (s *Server) run() bool {
	s.t.Helper()
	cmd, exited := s.command("krb5kdc", "-n", "-r", s.cfg.Realm), make(chan struct{})
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
		if s.command("kinit", "-c", "FILE:"+s.path("probe.cache"), "-k", "-t", s.probe, prober).Run() == nil {
			return true
		}
	}
}

func (s *Server) path(name string) string { return filepath.Join(s.dir, name) }

func (s *Server) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatalf("kdctest: %v", err)
	}
}

// command runs one of Kerberos' programs on the files of the realm.
func (s *Server) command(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(program(name), args...)
	cmd.Env = append(os.Environ(), "LC_ALL=C", "KRB5_CONFIG="+s.ConfFile(), "KRB5_KDC_PROFILE="+s.path("kdc.conf"))
	return cmd
}

func (s *Server) tool(stdin, name string, args ...string) {
	s.t.Helper()
	cmd := s.command(name, args...)
	cmd.Stdin = strings.NewReader(stdin)
	out, err := cmd.CombinedOutput()
	// kadmin.local ends with success whatever became of the command.
	if err != nil || strings.Contains(string(out), " while ") {
		s.t.Fatalf("%s %q: %v\n%s", name, args, err, out)
	}
}

// quote puts a word into the quotes that kadmin understands.
func quote(word string) string { return `"` + strings.ReplaceAll(word, `"`, `""`) + `"` }
