package pgtest

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the database driver
)

// Password is that of the user "cloud", who owns every database.
const Password = "not so secret"

// Server is a running PostgreSQL.
type Server struct {
	t      testing.TB
	bin    string // folder with the programs
	dir    string
	port   int
	log    buffer
	cmd    *exec.Cmd
	exited chan struct{}
}

// Start starts PostgreSQL and fails the test when that is not possible.
func Start(t testing.TB) *Server {
	t.Helper()
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/postgres")
	if len(found) == 0 {
		t.Fatal(`PostgreSQL is not installed: run "make tools" or apt-get install postgresql`)
	}
	s := &Server{t: t, bin: filepath.Dir(found[len(found)-1])}
	s.prepare()
	t.Cleanup(s.Stop)
	for range 20 {
		s.port = 20000 + rand.IntN(12000)
		if s.run() {
			return s
		}
	}
	t.Fatalf("PostgreSQL did not start:\n%s", s.log.String())
	return nil
}

// prepare makes the folder: outside of t.TempDir, whose parent only root can enter.
func (s *Server) prepare() {
	s.t.Helper()
	dir, err := os.MkdirTemp("", "pgtest")
	s.must(err)
	s.dir = dir
	s.t.Cleanup(func() { _ = os.RemoveAll(dir) })
	secret := filepath.Join(dir, "password")
	s.must(os.WriteFile(secret, []byte(Password+"\n"), 0o600))
	if os.Getuid() == 0 {
		u, err := user.Lookup("postgres")
		s.must(err)
		uid, _ := strconv.Atoi(u.Uid)
		gid, _ := strconv.Atoi(u.Gid)
		s.must(os.Chown(dir, uid, gid))
		s.must(os.Chown(secret, uid, gid))
	}
	out, err := s.command("initdb", "-D", s.Data(), "-U", "cloud", "-A", "scram-sha-256", "--pwfile", secret, "-E", "UTF8",
		"--locale=C.UTF-8", "--locale-provider=icu", "--icu-locale=en-US", "--no-sync", "--no-instructions").CombinedOutput()
	if err != nil {
		s.t.Fatalf("initdb: %v\n%s", err, out)
	}
}

// Data returns the folder of all that the server keeps.
func (s *Server) Data() string { return filepath.Join(s.dir, "data") }

// command runs one of PostgreSQL's programs, which refuse to run as root.
func (s *Server) command(name string, args ...string) *exec.Cmd {
	line := append([]string{filepath.Join(s.bin, name)}, args...)
	if os.Getuid() == 0 {
		line = append([]string{"setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups", "--"}, line...)
	}
	cmd := exec.Command(line[0], line[1:]...)
	cmd.Dir = s.dir
	return cmd
}

// run starts the server and waits until it answers; false when it ended instead.
func (s *Server) run() bool {
	s.t.Helper()
	cmd := s.command("postgres",
		"-D", s.Data(),
		"-p", strconv.Itoa(s.port),
		"-k", s.dir,
		"-c", "listen_addresses=127.0.0.1",
		"-c", "fsync=off", // what is lost with the machine is a test
		"-c", "full_page_writes=off",
		"-c", "max_connections=300")
	exited := make(chan struct{})
	cmd.Stderr = &s.log
	s.must(cmd.Start())
	go func() {
		_ = cmd.Wait()
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
	db, err := sql.Open("pgx", s.url("postgres"))
	s.must(err)
	defer db.Close()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(20 * time.Second)
	for {
		select {
		case <-s.exited:
			return false
		case <-deadline:
			return false
		case <-tick.C:
		}
		if db.Ping() == nil {
			return true
		}
	}
}

// Stop ends the server at once, as its service does, and waits. Once is enough,
// more does no harm.
func (s *Server) Stop() {
	if s.cmd == nil {
		return
	}
	_ = s.cmd.Process.Signal(syscall.SIGINT)
	<-s.exited
	s.cmd = nil
}

// Restart stops the server and starts it on the same port. As whatever looks after a service
// it tries again: of a server that has crashed, processes may still hold what the next needs.
func (s *Server) Restart() {
	s.t.Helper()
	s.Stop()
	for range 5 {
		if s.run() {
			return
		}
	}
	s.t.Fatalf("PostgreSQL did not come back:\n%s", s.log.String())
}

// Address returns where the server listens.
func (s *Server) Address() string { return "127.0.0.1:" + strconv.Itoa(s.port) }

func (s *Server) url(database string) string {
	u := url.URL{
		Scheme:   "postgres",
		User:     url.UserPassword("cloud", Password),
		Host:     s.Address(),
		Path:     database,
		RawQuery: "sslmode=disable",
	}
	return u.String()
}

// Database makes an empty database and returns its URL, password included.
func (s *Server) Database() string {
	s.t.Helper()
	name, err := create(s.t.Context(), s.url("postgres"), "DATABASE")
	s.must(err)
	return s.url(name)
}

// create makes an empty database or schema in the server that admin is a URL of.
func create(ctx context.Context, admin, kind string) (name string, err error) {
	db, err := sql.Open("pgx", admin)
	if err != nil {
		return "", err
	}
	defer db.Close()
	name = fmt.Sprintf("t%016x", rand.Uint64())
	_, err = db.ExecContext(ctx, "CREATE "+kind+" "+name)
	return name, err
}

// Dump writes a copy of a database, as its administrator would, and returns the file.
func (s *Server) Dump(database string) (file string) {
	s.t.Helper()
	file = filepath.Join(s.dir, fmt.Sprintf("%016x.dump", rand.Uint64()))
	s.tool("pg_dump", "--format=custom", "--file="+file, database)
	return file
}

// PutBack replaces what is in a database by a copy that Dump wrote.
func (s *Server) PutBack(file, database string) {
	s.t.Helper()
	s.tool("pg_restore", "--clean", "--if-exists", "--single-transaction", "--dbname="+database, file)
}

// tool runs one of PostgreSQL's programs to its end.
func (s *Server) tool(name string, args ...string) {
	s.t.Helper()
	if out, err := s.command(name, args...).CombinedOutput(); err != nil {
		s.t.Fatalf("%s: %v\n%s", name, err, out)
	}
}

func (s *Server) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatalf("pgtest: %v", err)
	}
}

// buffer is what the server wrote to standard error.
type buffer struct {
	mu   sync.Mutex
	text strings.Builder
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(bytes.ToValidUTF8(p, nil))
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}
