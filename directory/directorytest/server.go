package directorytest

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
)

// Server is an LDAP server in the process. The zero value holds no entries, has a
// certificate of its own for localhost and 127.0.0.1, and starts with Listen.
// Fields are set before the first Listen.
type Server struct {
	// RootDSE attributes replace the usual ones of that name; see ActiveDirectory.
	RootDSE map[string][]string
	// MemberOf says how memberOf is computed; with MemberOfNone it is what was loaded.
	MemberOf MemberOf
	// SizeLimit is the most entries that a search gets, all its pages together, as
	// OpenLDAP counts; 0 means all.
	SizeLimit int
	// MaxValues makes an attribute with more values come as name;range=0-N, as Active
	// Directory does; 0 means never.
	MaxValues int
	// RequireBind answers searches, except of the root DSE, with operationsError
	// while nobody is bound.
	RequireBind bool
	// Pages says what becomes of the paged results control.
	Pages Pages
	// MaxPage is the most entries of one answer, be it a page or not, as MaxPageSize of
	// Active Directory; 0 means no such limit.
	MaxPage int
	// WrongPassword and UnknownUser replace the bare result 49 for those two.
	WrongPassword, UnknownUser *Result
	// MinPassword is the least number of octets of a new password.
	MinPassword int
	// PasswordWriter is the DN that may change everybody's password, besides each person
	// their own; in Active Directory everybody may who knows the old one.
	PasswordWriter string
	// AttributeTypes are in the schema besides a few.
	AttributeTypes []string
	// NoStartTLS answers StartTLS with unavailable.
	NoStartTLS bool
	// Certificate replaces the generated one.
	Certificate *tls.Certificate

	mu        sync.Mutex
	tree      tree
	faults    faults
	hidden    map[string]Hiding // by folded DN
	log       []Operation
	overlaps  int
	listeners []net.Listener
	urls      map[string]string
	conns     map[*conn]struct{}
	nextConn  int
	authority *Authority
	tls       *tls.Config
	shown     tls.Certificate
	ctx       context.Context
	cancel    context.CancelFunc
	wg        sync.WaitGroup
}

// ErrClosed is returned by Listen after Close.
var ErrClosed = errors.New("directorytest: server is closed")

// Start starts a server on free ports of 127.0.0.1, in clear (with StartTLS) and
// with LDAPS, and closes it when the test ends. configure may set fields and load
// entries first.
func Start(t testing.TB, configure ...func(*Server)) *Server {
	t.Helper()
	s := &Server{}
	for _, c := range configure {
		c(s)
	}
	for _, listen := range []func(string) error{s.Listen, s.ListenTLS} {
		if err := listen("127.0.0.1:0"); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(s.Close)
	return s
}

// LDIF returns a configure function for Start that loads a text.
func LDIF(t testing.TB, text string) func(*Server) {
	return func(s *Server) {
		t.Helper()
		if err := s.LoadLDIF(strings.NewReader(text)); err != nil {
			t.Fatal(err)
		}
	}
}

// ActiveDirectory returns a root DSE like that of a domain controller.
func ActiveDirectory() map[string][]string {
	return map[string][]string{
		"supportedCapabilities": {"1.2.840.113556.1.4.800", "1.2.840.113556.1.4.1670"},
		"supportedControl":      {oidPaging},
	}
}

// Listen serves clear text, with StartTLS, on an address such as "127.0.0.1:0".
func (s *Server) Listen(address string) error { return s.listen(address, "ldap") }

// ListenTLS serves LDAPS.
func (s *Server) ListenTLS(address string) error { return s.listen(address, "ldaps") }

// URL returns "ldap://host:port" of the first Listen, or "".
func (s *Server) URL() string { return s.urls["ldap"] }

// TLSURL returns "ldaps://host:port" of the first ListenTLS, or "".
func (s *Server) TLSURL() string { return s.urls["ldaps"] }

// CA returns the authority of the generated certificate, nil before the first Listen
// or when Certificate was given.
func (s *Server) CA() *x509.CertPool {
	if s.authority == nil {
		return nil
	}
	return s.authority.Pool
}

// CAPEM returns the same authority as a file has it.
func (s *Server) CAPEM() []byte {
	if s.authority == nil {
		return nil
	}
	return s.authority.PEM
}

func (s *Server) listen(address, scheme string) error {
	if err := s.prepare(); err != nil {
		return err
	}
	l, err := net.Listen("tcp", address)
	if err != nil {
		return fmt.Errorf("directorytest: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ctx.Err() != nil {
		_ = l.Close()
		return ErrClosed
	}
	s.listeners = append(s.listeners, l)
	if s.urls[scheme] == "" {
		s.urls[scheme] = scheme + "://" + l.Addr().String()
	}
	s.wg.Go(func() { s.accept(l, scheme == "ldaps") })
	return nil
}

func (s *Server) prepare() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ctx != nil {
		return nil
	}
	certificate := s.Certificate
	if certificate == nil {
		authority, err := NewAuthority()
		if err != nil {
			return err
		}
		made, err := authority.Issue([]string{"localhost", "127.0.0.1", "::1"}, nil)
		if err != nil {
			return err
		}
		s.authority, certificate = authority, &made
	}
	s.shown = *certificate
	s.tls = &tls.Config{GetCertificate: s.show, MinVersion: tls.VersionTLS12}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	s.urls, s.conns = map[string]string{}, map[*conn]struct{}{}
	return nil
}

func (s *Server) show(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	shown := s.shown
	return &shown, nil
}

// Present shows another certificate to connections from now on.
func (s *Server) Present(c tls.Certificate) {
	s.mu.Lock()
	s.shown = c
	s.mu.Unlock()
}

func (s *Server) accept(l net.Listener, secure bool) {
	for {
		raw, err := l.Accept()
		if err != nil {
			return
		}
		c := s.admit(raw)
		if c == nil {
			_ = raw.Close()
			return
		}
		s.wg.Go(func() {
			defer s.dismiss(c)
			c.serve(secure)
		})
	}
}

// admit registers a connection; nil after Close.
func (s *Server) admit(raw net.Conn) *conn {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ctx.Err() != nil {
		return nil
	}
	s.nextConn++
	c := &conn{server: s, number: s.nextConn, raw: raw, stream: raw}
	c.ctx, c.cancel = context.WithCancel(s.ctx)
	s.conns[c] = struct{}{}
	return c
}

func (s *Server) dismiss(c *conn) {
	c.cancel()
	_ = c.raw.Close()
	c.busy.Wait()
	s.mu.Lock()
	delete(s.conns, c)
	s.mu.Unlock()
}

// CutConnections closes every connection, as a restart of the server would.
func (s *Server) CutConnections() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.conns {
		_ = c.raw.Close()
	}
}

// Connections returns how many are open.
func (s *Server) Connections() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.conns)
}

// Close stops listening, cuts every connection and waits for their goroutines. It may
// be called more than once, and on a server that never listened.
func (s *Server) Close() {
	s.mu.Lock()
	if s.cancel != nil {
		s.cancel()
	}
	for _, l := range s.listeners {
		_ = l.Close()
	}
	s.mu.Unlock()
	s.CutConnections()
	s.wg.Wait()
}
