package directory_test

import (
	"context"
	"crypto/sha256"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"ldap-gateway/directory"
	"ldap-gateway/directory/directorytest"
	"ldap-gateway/directory/slapdtest"
)

func TestSilentFirstServerCostsOneShortDeadlineOnce(t *testing.T) {
	first, _, both := twoServers(t, person("alice"))
	first.SetSilent(true)
	c := open(t, nil, "", both, func(cfg *directory.Config) { cfg.DialTimeout = 300 * time.Millisecond })
	ut := compile(t, persons())
	start := time.Now()
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if _, err := c.FindUser(t.Context(), ut, "alice"); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if d := time.Since(start); d > 2*time.Second {
		t.Errorf("the first sign-ons took %s", d)
	}
	start = time.Now()
	for range 5 {
		e := find(t, c, ut, "alice")
		if err := c.Bind(t.Context(), e.DN, "password"); err != nil {
			t.Fatal(err)
		}
	}
	if d := time.Since(start); d > 250*time.Millisecond {
		t.Errorf("later sign-ons waited for the silent server: %s", d)
	}
	if s := c.Servers(); s[0].State != "down" || s[0].Error == "" || s[1].State != "up" {
		t.Errorf("states %+v", s)
	}
	first.SetSilent(false)
	eventually(t, "the first server is taken back", func() bool { return c.Servers()[0].State == "up" })
	if e := find(t, c, ut, "alice"); e.Server != c.Servers()[0].URL {
		t.Errorf("asked %s after the first server came back", e.Server)
	}
}

func TestSearchIsRepeatedOnceElsewhere(t *testing.T) {
	first, second, both := twoServers(t, person("alice"))
	first.SetSearchFault(people, directorytest.Fault{Result: &directorytest.Result{Code: 52, Text: "shutting down"}})
	c := open(t, nil, "", both)
	e := find(t, c, compile(t, persons()), "alice")
	if e.Server != second.TLSURL() || first.Searches() != 1 || second.Searches() != 1 {
		t.Errorf("answered by %s; searches %d and %d", e.Server, first.Searches(), second.Searches())
	}
}

func TestSilentSearchIsRepeatedElsewhere(t *testing.T) {
	first, second, both := twoServers(t, person("alice"))
	first.SetSearchFault(people, directorytest.Fault{Silent: true})
	c := open(t, nil, "", both, func(cfg *directory.Config) { cfg.Timeout = 200 * time.Millisecond })
	if e := find(t, c, compile(t, persons()), "alice"); e.Server != second.TLSURL() {
		t.Errorf("answered by %s", e.Server)
	}
}

func TestGroupsAreReadFromTheServerThatFoundTheUser(t *testing.T) {
	first, second, both := twoServers(t, person("alice")+group("g", aliceDN))
	c, ut := open(t, nil, "", both), compile(t, persons())
	e := find(t, c, ut, "alice")
	e.Server = second.TLSURL()
	for range 2 {
		wantMembership(t, c.DirectGroups(t.Context(), ut, e), directory.Complete, "g")
	}
	if first.Searches() != 1 || second.Searches() != 2+2 { // a look for each kind of groups, once
		t.Errorf("searches %d and %d", first.Searches(), second.Searches())
	}
}

func TestCancelledSearchReturnsAtOnceAndHarmsNobody(t *testing.T) {
	s := inProcess(t, person("alice"))
	c := open(t, s.CA(), s.TLSURL(), func(cfg *directory.Config) { cfg.SearchConns = 1 })
	ut := compile(t, persons())
	find(t, c, ut, "alice")
	s.SetSearchFault(people, directorytest.Fault{Silent: true})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { _, err := c.FindUser(ctx, ut, "alice"); done <- err }()
	eventually(t, "the search arrives", func() bool { return s.Searches() == 2 })
	start := time.Now()
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) || time.Since(start) > time.Second {
		t.Errorf("got %v after %s", err, time.Since(start))
	}
	s.ClearFaults()
	find(t, c, ut, "alice")
	if n := s.Binds(slapdtest.ReaderDN); n != 1 {
		t.Errorf("%d service binds: the shared connection was cut", n)
	}
}

func TestNobodyThereIsUnavailable(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	c := open(t, nil, "ldaps://"+address)
	ut := compile(t, persons())
	if _, err := c.FindUser(t.Context(), ut, "alice"); !errors.Is(err, directory.ErrUnavailable) {
		t.Errorf("FindUser: %v", err)
	}
	if err := c.Bind(t.Context(), aliceDN, "password"); !errors.Is(err, directory.ErrUnavailable) ||
		errors.Is(err, directory.ErrAnswerLost) {
		t.Errorf("Bind: %v", err)
	}
	wantMembership(t, c.DirectGroups(t.Context(), ut, directory.Entry{DN: aliceDN}), directory.Unknown, "")
}

func TestRefusedStartTLSSendsNothingInClear(t *testing.T) {
	s := inProcess(t, person("alice"), func(s *directorytest.Server) { s.NoStartTLS = true })
	c := open(t, s.CA(), s.URL())
	_, err := c.FindUser(t.Context(), compile(t, persons()), "alice")
	var result *directory.ResultError
	if !errors.As(err, &result) || result.Op != "StartTLS" || !strings.Contains(result.Remedy, "ldaps://") {
		t.Errorf("FindUser: %v", err)
	}
	if err := c.Bind(t.Context(), aliceDN, "password"); !errors.Is(err, directory.ErrUnavailable) {
		t.Errorf("Bind: %v", err)
	}
	if ops := s.Operations(); len(ops) != 0 {
		t.Errorf("sent in clear: %+v", ops)
	}
}

func TestStartTLSAndAllowedClearText(t *testing.T) {
	onBothURLs := func(url string, ca *x509.CertPool) {
		for _, clear := range []bool{false, true} {
			c := open(t, ca, url, func(cfg *directory.Config) { cfg.AllowClearText = clear })
			e := find(t, c, compile(t, persons()), "alice")
			if err := c.Bind(t.Context(), e.DN, "password"); err != nil {
				t.Errorf("clear text %v: %v", clear, err)
			}
		}
	}
	real := slapdtest.Start(t, slapdtest.Config{LDIF: person("alice")})
	onBothURLs(real.URL(), real.CA())
	s := inProcess(t, person("alice"))
	onBothURLs(s.URL(), s.CA())
	if ops := s.Operations(); !ops[0].Secure || ops[len(ops)-1].Secure {
		t.Errorf("first %+v, last %+v", ops[0], ops[len(ops)-1])
	}
}

func TestServerThatGoesSilentAfterStartTLSIsBounded(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	defer wg.Wait()
	defer func() { _ = l.Close() }()
	hold, release := context.WithCancel(t.Context())
	defer release()
	wg.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			// "yes" to StartTLS, message 1, and then nothing
			_, _ = conn.Write([]byte{0x30, 0x0c, 2, 1, 1, 0x78, 7, 0x0a, 1, 0, 4, 0, 4, 0})
			context.AfterFunc(hold, func() { _ = conn.Close() })
		}
	})
	c := open(t, nil, "ldap://"+l.Addr().String(),
		func(cfg *directory.Config) { cfg.DialTimeout = 200 * time.Millisecond })
	start := time.Now()
	_, err = c.FindUser(t.Context(), compile(t, persons()), "alice")
	if !errors.Is(err, directory.ErrUnavailable) || time.Since(start) > 2*time.Second {
		t.Errorf("got %v after %s", err, time.Since(start))
	}
}

// A service account whose password changed must not be locked by the agent.
func TestRefusedServiceAccountIsNotHammered(t *testing.T) {
	first, second, both := twoServers(t, person("alice"))
	c := open(t, nil, "", both, func(cfg *directory.Config) { cfg.BindPassword, cfg.SearchConns = "changed", 4 })
	ut := compile(t, persons())
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			_, err := c.FindUser(t.Context(), ut, "alice")
			var result *directory.ResultError
			if !errors.Is(err, directory.ErrUnavailable) || !errors.As(err, &result) ||
				!strings.Contains(result.Remedy, "service account") {
				t.Errorf("got %v", err)
			}
			if errors.Is(err, directory.ErrInvalidCredentials) {
				t.Error("looks like a wrong password of the user")
			}
		})
	}
	wg.Wait()
	if n := first.Binds(slapdtest.ReaderDN) + second.Binds(slapdtest.ReaderDN); n != 1 {
		t.Errorf("%d service binds with a wrong password, want 1", n)
	}
}

func TestPins(t *testing.T) {
	s := inProcess(t, person("alice"))
	block, _ := pem.Decode(s.CAPEM())
	authority := sha256.Sum256(block.Bytes)
	wrong := sha256.Sum256([]byte("wrong"))
	ut := compile(t, persons())
	c := open(t, nil, s.TLSURL(), func(cfg *directory.Config) { cfg.TLS.PinsSHA256 = [][]byte{wrong[:], authority[:]} })
	find(t, c, ut, "alice")
	c = open(t, s.CA(), s.TLSURL(), func(cfg *directory.Config) { cfg.TLS.PinsSHA256 = [][]byte{wrong[:]} })
	if _, err := c.FindUser(t.Context(), ut, "alice"); !errors.Is(err, directory.ErrUnavailable) {
		t.Errorf("wrong pin: %v", err)
	}
	c = open(t, nil, s.TLSURL(), func(cfg *directory.Config) {
		cfg.TLS.PinsSHA256, cfg.TLS.ServerName = [][]byte{authority[:]}, "other.test"
	})
	if _, err := c.FindUser(t.Context(), ut, "alice"); !errors.Is(err, directory.ErrUnavailable) {
		t.Errorf("pinned authority, wrong name: %v", err)
	}
}

func TestCloseEndsCallsUnderWay(t *testing.T) {
	s := inProcess(t, person("alice"))
	s.SetSearchFault(people, directorytest.Fault{Silent: true})
	s.SetBindFault(aliceDN, directorytest.Fault{Silent: true})
	c := open(t, s.CA(), s.TLSURL())
	ut := compile(t, persons())
	var wg sync.WaitGroup
	wg.Go(func() { _, _ = c.FindUser(t.Context(), ut, "alice") })
	wg.Go(func() { _ = c.Bind(t.Context(), aliceDN, "password") })
	eventually(t, "both arrive", func() bool { return s.Searches() == 1 && s.Binds(aliceDN) == 1 })
	start := time.Now()
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	wg.Wait()
	if d := time.Since(start); d > 2*time.Second {
		t.Errorf("took %s", d)
	}
	if _, err := c.FindUser(t.Context(), ut, "alice"); !errors.Is(err, directory.ErrUnavailable) {
		t.Errorf("after Close: %v", err)
	}
	if err := c.Bind(t.Context(), aliceDN, "password"); !errors.Is(err, directory.ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
}

// New connections fail while an old one still works: the server must come back all
// the same, and without being dialled in a loop.
func TestServerComesBackWhileAnOldConnectionWorks(t *testing.T) {
	s := inProcess(t, person("alice"))
	var broken atomic.Bool
	var dials atomic.Int32
	c := open(t, s.CA(), s.TLSURL(), func(cfg *directory.Config) {
		cfg.SearchConns = 1
		cfg.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
			dials.Add(1)
			if broken.Load() {
				return nil, errors.New("no more sockets")
			}
			return (&net.Dialer{}).DialContext(ctx, network, address)
		}
	})
	ut := compile(t, persons())
	find(t, c, ut, "alice")
	broken.Store(true)
	if err := c.Bind(t.Context(), aliceDN, "password"); !errors.Is(err, directory.ErrUnavailable) {
		t.Fatalf("Bind: %v", err)
	}
	if state := c.Servers()[0]; state.State != "down" || !strings.Contains(state.Error, "no more sockets") {
		t.Errorf("state %+v", state)
	}
	eventually(t, "the prober tries", func() bool { return dials.Load() > 2 })
	broken.Store(false)
	eventually(t, "the server is up", func() bool { return c.Servers()[0].State == "up" })
	if n := dials.Load(); n > 6 {
		t.Errorf("%d dials", n)
	}
	if err := c.Bind(t.Context(), aliceDN, "password"); err != nil {
		t.Error(err)
	}
}

// A server that hangs up after the service bind is no endless work.
func TestServerThatHangsUpIsUnavailable(t *testing.T) {
	s := inProcess(t, person("alice"))
	s.SetSearchFault(people, directorytest.Fault{Close: true})
	c := open(t, s.CA(), s.TLSURL())
	if _, err := c.FindUser(t.Context(), compile(t, persons()), "alice"); !errors.Is(err, directory.ErrUnavailable) {
		t.Errorf("got %v", err)
	}
	if n := s.Searches(); n != 2 {
		t.Errorf("%d searches, want the first and one repetition", n)
	}
}

func TestBusySingleServerIsNotPutAside(t *testing.T) {
	s := inProcess(t, person("alice"))
	s.SetSearchFault(people, directorytest.Fault{Result: &directorytest.Result{Code: 51, Text: "busy"}})
	c, ut := open(t, s.CA(), s.TLSURL()), compile(t, persons())
	_, err := c.FindUser(t.Context(), ut, "alice")
	var result *directory.ResultError
	if !errors.As(err, &result) || result.Code != 51 {
		t.Errorf("got %v", err)
	}
	s.ClearFaults()
	find(t, c, ut, "alice")
}

func TestConnectionsAreReplacedAfterTheirLifetime(t *testing.T) {
	s := inProcess(t, person("alice"))
	c := open(t, s.CA(), s.TLSURL(),
		func(cfg *directory.Config) { cfg.Lifetime, cfg.SearchConns = 20*time.Millisecond, 1 })
	ut := compile(t, persons())
	eventually(t, "a second service bind and a second bind connection", func() bool {
		e := find(t, c, ut, "alice")
		if err := c.Bind(t.Context(), e.DN, "password"); err != nil {
			t.Fatal(err)
		}
		conns := map[int]bool{}
		for _, op := range s.Operations() {
			if op.Bind && op.DN == aliceDN {
				conns[op.Conn] = true
			}
		}
		return s.Binds(slapdtest.ReaderDN) > 1 && len(conns) > 1
	})
	eventually(t, "the old ones are closed", func() bool { return s.Connections() <= 2 })
}

// forgetful is what stands between and drops what it forgot, without a word.
type forgetful struct {
	net.Conn
	forgotten atomic.Bool
}

func (f *forgetful) Write(p []byte) (int, error) {
	if f.forgotten.Load() {
		return len(p), nil
	}
	return f.Conn.Write(p)
}

// TestForgottenConnectionCostsNoSignOn has all connections to the only server be
// forgotten: a search is tried once more, on a new one, and the server stays in service.
func TestForgottenConnectionCostsNoSignOn(t *testing.T) {
	s := inProcess(t, person("alice")+group("g", aliceDN))
	var mu sync.Mutex
	var all []*forgetful
	const timeout = 200 * time.Millisecond
	c := open(t, s.CA(), s.TLSURL(), func(cfg *directory.Config) {
		cfg.Timeout = timeout
		cfg.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
			raw, err := (&net.Dialer{}).DialContext(ctx, network, address)
			if err != nil {
				return nil, err
			}
			mu.Lock()
			defer mu.Unlock()
			all = append(all, &forgetful{Conn: raw})
			return all[len(all)-1], nil
		}
	})
	ut, start := compile(t, persons()), time.Now()
	for range 4 { // over both connections
		find(t, c, ut, "alice")
	}
	eventually(t, "the connections are old", func() bool { return time.Since(start) > 3*timeout })
	mu.Lock()
	for _, conn := range all {
		conn.forgotten.Store(true)
	}
	mu.Unlock()
	for range 4 {
		wantMembership(t, membership(t, c, ut, "alice"), directory.Complete, "g")
	}
	if state := c.Servers()[0]; state.State != "up" {
		t.Errorf("%+v", state)
	}
}
