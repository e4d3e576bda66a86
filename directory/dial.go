package directory

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"sync"
	"time"

	ber "github.com/go-asn1-ber/asn1-ber"
	"github.com/go-ldap/ldap/v3"
)

// link is one LDAP connection. A service link is shared by many searches; a bind
// link belongs to one bind at a time and is never searched on.
type link struct {
	ldap   *ldap.Conn
	socket *socket
	framed *framed
	secure bool // TLS
	// certificate is the server's, nil without TLS.
	certificate *x509.Certificate
	server      *server
	born        time.Time
	idle        time.Time // since when, for a bind link in the pool

	types attributeTypes // of the server's schema

	mu      sync.Mutex
	users   int  // searches under way
	stuck   int  // of these, those that nobody waits for any more
	retired bool // no new ones; closed with the last that is not stuck
}

// connect makes the connection down to LDAP, with TLS when the URL wants it. The
// context bounds all of it. Nothing but a StartTLS request is ever sent in clear.
func (s *server) connect(ctx context.Context) (*link, error) {
	raw, err := s.client.cfg.Dial(ctx, "tcp", s.address)
	if err != nil {
		return nil, fmt.Errorf("connect to %s: %w", s.address, err)
	}
	sock := &socket{Conn: raw, timeout: s.client.cfg.Timeout}
	secure, err := s.secure(ctx, sock)
	if err != nil {
		_ = raw.Close()
		return nil, err
	}
	l := &link{socket: sock, server: s, born: time.Now()}
	if conn, ok := secure.(*tls.Conn); ok {
		l.secure, l.certificate = true, conn.ConnectionState().PeerCertificates[0]
	}
	l.framed = newFramed(secure)
	l.ldap = ldap.NewConn(l.framed, l.secure)
	l.ldap.Start() // without a time-out of its own: see limited
	if !s.client.links.add(l) {
		l.kill()
		return nil, ErrClosed
	}
	return l, nil
}

func (s *server) secure(ctx context.Context, sock *socket) (net.Conn, error) {
	if !s.target.tls {
		if s.client.cfg.AllowClearText {
			return sock, nil
		}
		if err := s.startTLS(ctx, sock); err != nil {
			return nil, err
		}
	}
	conn := tls.Client(sock, s.client.cfg.TLS.config(s.host))
	if err := conn.HandshakeContext(ctx); err != nil {
		return nil, fmt.Errorf("TLS with %s: %w", s.url, err)
	}
	s.certificate.Store(conn.ConnectionState().PeerCertificates[0]) // a server has to send one
	return conn, nil
}

const oidStartTLS = "1.3.6.1.4.1.1466.20037"

// startTLS speaks the one exchange before the handshake by hand: go-ldap's knows
// neither context nor deadline. It reads exactly one message and not an octet more,
// so nothing that an attacker put behind the answer can be taken for TLS content.
func (s *server) startTLS(ctx context.Context, sock *socket) error {
	stop := context.AfterFunc(ctx, func() { _ = sock.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	request := ber.NewSequence("LDAPMessage")
	request.AppendChild(ber.NewInteger(ber.ClassUniversal, ber.TypePrimitive, ber.TagInteger, 1, "messageID"))
	op := ber.Encode(ber.ClassApplication, ber.TypeConstructed, ldap.ApplicationExtendedRequest, nil, "ExtendedRequest")
	op.AppendChild(ber.NewString(ber.ClassContext, ber.TypePrimitive, 0, oidStartTLS, "requestName"))
	request.AppendChild(op)
	conn := newFramed(octetwise{sock})
	if _, err := conn.Write(request.Bytes()); err != nil {
		return fmt.Errorf("StartTLS with %s: %w", s.url, err)
	}
	answer, err := ber.ReadPacket(conn)
	if err != nil {
		return fmt.Errorf("StartTLS with %s: %w", s.url, err)
	}
	err = ldap.GetLDAPError(answer)
	if e, ok := answered(err); ok {
		out := resultError(s.url, "StartTLS", e)
		out.Remedy = "the server does not offer StartTLS: use ldaps://; nothing was sent in clear text"
		return out
	}
	if err != nil {
		return fmt.Errorf("StartTLS with %s: %w", s.url, err)
	}
	return ctx.Err()
}

// connectService is connect plus the service bind and the reading of the root DSE.
func (s *server) connectService(ctx context.Context) (*link, error) {
	l, err := s.connect(ctx)
	if err != nil {
		return nil, err
	}
	stop := context.AfterFunc(ctx, l.cut)
	defer stop()
	if err = l.serviceBind(ctx); err == nil {
		err = l.readRootDSE()
	}
	if err == nil {
		err = ctx.Err()
	}
	if err != nil {
		l.kill()
		return nil, err
	}
	return l, nil
}

func (l *link) serviceBind(ctx context.Context) error {
	cfg := l.server.client.cfg
	switch {
	case cfg.Kerberos != nil:
		return l.kerberosBind(ctx)
	case cfg.OwnIdentity:
		return l.ownIdentityBind()
	case cfg.BindDN == "":
		return nil
	}
	_, err := l.ldap.SimpleBind(&ldap.SimpleBindRequest{Username: cfg.BindDN, Password: string(cfg.BindPassword)})
	if e, ok := answered(err); ok {
		return serviceBindError(l.server.url, e)
	}
	if err != nil {
		return fmt.Errorf("service bind at %s: %w", l.server.url, err)
	}
	return nil
}

func serviceBindError(server string, e *ldap.Error) *ResultError {
	out := resultError(server, opServiceBind, e)
	if e.ResultCode == ldap.LDAPResultInvalidCredentials {
		out.Remedy = serviceAccountRemedy(out.Text)
	}
	return out
}

// badBindings is SEC_E_BAD_BINDINGS: the domain controller wants the bind tied to the
// TLS connection (LdapEnforceChannelBinding), which is done on Windows only.
const badBindings = 0x80090346

const bindingsRemedy = "the domain controller requires channel binding: bind the service account with dn and " +
	"password, or on Windows with own_identity"

func serviceAccountRemedy(text string) string {
	code, ok := subCode(text)
	if kind, known := accountBySubCode(code); ok && known {
		return "service account: " + kind.String()
	}
	if ok && code == badBindings {
		return bindingsRemedy
	}
	return "check the service account's name, and its password or key"
}

// usable says whether another operation may start on the link.
func (l *link) usable() bool {
	return !l.ldap.IsClosing() && time.Since(l.born) < l.server.client.cfg.Lifetime
}

// silentSince tells whether nothing has come on a link that worked before: what is
// between may have forgotten it without a word.
func (l *link) silentSince(moment time.Time) bool {
	heard := l.framed.heard.Load()
	return heard != 0 && heard < moment.UnixNano()
}

// limited bounds one operation by Timeout. go-ldap's own time-out must not be used for
// that: with one it throws an answer away that nobody has taken in time, and a search
// whose entries were thrown away ends as if it had been complete.
func (l *link) limited(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, l.server.client.cfg.Timeout)
}

// cut drops the connection without waiting; whoever is using it gets an error.
func (l *link) cut() {
	_ = l.socket.Close()
	l.framed.exchange.end(net.ErrClosed)
}

// kill drops the connection and waits until go-ldap's goroutines are gone. The
// socket goes first: go-ldap's own Close waits for a writer that may be stuck.
func (l *link) kill() {
	l.cut()
	_ = l.ldap.Close()
	l.server.client.links.remove(l)
}

// enter counts a search in; it is refused on a link that should not be used any more.
func (l *link) enter() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.retired || !l.usable() {
		return false
	}
	l.users++
	return true
}

func (l *link) leave() { l.left(false) }

// left counts a search out; wasStuck says that giveUp was called for it.
func (l *link) left(wasStuck bool) {
	l.mu.Lock()
	l.users--
	if wasStuck {
		l.stuck--
	}
	last := l.retired && l.users == l.stuck
	l.mu.Unlock()
	if last {
		l.kill()
	}
}

// giveUp is for a search that got no answer in time. It ends when the link is closed,
// which it is as soon as no other search waits there with better hope.
func (l *link) giveUp() {
	l.mu.Lock()
	l.stuck++
	l.retired = true
	last := l.users == l.stuck
	l.mu.Unlock()
	if last {
		l.kill()
	}
}

// retire lets searches under way finish, and closes the link after the last.
func (l *link) retire() {
	l.mu.Lock()
	first, idle := !l.retired, l.users == l.stuck
	l.retired = true
	l.mu.Unlock()
	if first && idle {
		l.kill()
	}
}
