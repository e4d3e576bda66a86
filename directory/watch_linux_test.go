package directory_test

import (
	"syscall"
	"testing"
	"time"

	"ldap-gateway/directory"
	"ldap-gateway/directory/slapdtest"
)

// mostTries is a bind for each of the two connections that end while a directory goes, and that which is refused.
const mostTries = 3

// TestServersAreWatched: of a directory that has gone it is known without a sign-on, and that it is back. The service
// account is bound as often as connections are made, and a password that is wrong is not tried over and over.
func TestServersAreWatched(t *testing.T) {
	for _, way := range []struct {
		name     string
		goes     func(s *slapdtest.Server)
		comes    func(s *slapdtest.Server)
		lifetime time.Duration // of a connection
	}{
		{"it has ended", (*slapdtest.Server).Stop, (*slapdtest.Server).Restart, 0},
		{"it stands still", stands, goesOn, 0},
		{"the service account has another password", repassword("another"), repassword(slapdtest.Password), time.Second},
	} {
		t.Run(way.name, func(t *testing.T) {
			s := slapdtest.Start(t, slapdtest.Config{})
			c := open(t, s.CA(), s.TLSURL(), func(cfg *directory.Config) {
				cfg.WatchEvery, cfg.Timeout, cfg.DialTimeout = 100*time.Millisecond, time.Second, time.Second
				cfg.Lifetime = way.lifetime
			})
			_, err := c.AttributeNames(t.Context()) // as an agent asks when it begins
			must(t, err)
			awaitState(t, c, "up")
			before := s.Binds(slapdtest.ReaderDN)
			way.goes(s)
			awaitState(t, c, "down")
			if tries := s.Binds(slapdtest.ReaderDN) - before; tries > mostTries {
				t.Errorf("the service account was tried %d times until that was known", tries)
			}
			way.comes(s)
			awaitState(t, c, "up")
		})
	}
}

func stands(s *slapdtest.Server) { _ = syscall.Kill(s.PID(), syscall.SIGSTOP) }
func goesOn(s *slapdtest.Server) { _ = syscall.Kill(s.PID(), syscall.SIGCONT) }

// repassword gives the service account a password.
func repassword(to string) func(*slapdtest.Server) {
	return func(s *slapdtest.Server) {
		s.Modify("dn: " + slapdtest.ReaderDN + "\nchangetype: modify\nreplace: userPassword\nuserPassword: " + to + "\n\n")
	}
}

// awaitState waits until the only server is in a state, asking the directory nothing.
func awaitState(t *testing.T, c *directory.Client, want string) {
	t.Helper()
	limit := time.After(30 * time.Second)
	for tick := time.Tick(20 * time.Millisecond); ; {
		select {
		case <-tick:
			if c.Servers()[0].State == want {
				return
			}
		case <-limit:
			t.Fatalf("it is %+v, and not %s", c.Servers()[0], want)
		}
	}
}
