package directorytest

import (
	"bufio"
	"context"
	"crypto/tls"
	"io"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	ber "github.com/go-asn1-ber/asn1-ber"
	"github.com/go-ldap/ldap/v3"
)

const (
	oidStartTLS = "1.3.6.1.4.1.1466.20037"
	oidPaging   = "1.2.840.113556.1.4.319"
	oidPolicy   = "1.3.6.1.4.1.42.2.27.8.5.1"
)

// conn is one connection. Its reader starts a goroutine for each operation, since a
// real server answers them in any order.
type conn struct {
	server  *Server
	number  int
	raw     net.Conn
	stream  net.Conn // raw, or TLS over it
	reader  *bufio.Reader
	secure  bool
	ctx     context.Context
	cancel  context.CancelFunc
	busy    sync.WaitGroup
	pending atomic.Int32

	mu       sync.Mutex
	identity string
	pages    int // number of the paged search that the connection remembers
}

// message is one request, taken apart.
type message struct {
	id       int64
	op       *ber.Packet
	controls []ldap.Control // those that go-ldap can read
	policy   bool           // the client wants the password policy control
}

func (c *conn) serve(secure bool) {
	if c.server.silent() {
		c.swallow()
		return
	}
	if secure && c.handshake() != nil {
		return
	}
	c.reader = bufio.NewReader(c.stream)
	for {
		packet, err := ber.ReadPacket(c.reader)
		if err != nil {
			return
		}
		m, ok := parse(packet)
		if !ok || !c.dispatch(m) {
			return
		}
	}
}

// swallow reads until the client gives up, and never answers.
func (c *conn) swallow() { _, _ = io.Copy(io.Discard, c.raw) }

func (c *conn) handshake() error {
	conn := tls.Server(c.raw, c.server.tls)
	if err := conn.HandshakeContext(c.ctx); err != nil {
		return err
	}
	c.stream, c.secure = conn, true
	return nil
}

func parse(p *ber.Packet) (message, bool) {
	if len(p.Children) < 2 {
		return message{}, false
	}
	id, ok := p.Children[0].Value.(int64)
	m := message{id: id, op: p.Children[1]}
	if len(p.Children) > 2 {
		for _, child := range p.Children[2].Children {
			m.policy = m.policy || len(child.Children) > 0 && child.Children[0].Data.String() == oidPolicy
			if control, err := ldap.DecodeControl(child); err == nil {
				m.controls = append(m.controls, control)
			}
		}
	}
	return m, ok
}

// dispatch returns false when the connection should end.
func (c *conn) dispatch(m message) bool {
	switch m.op.Tag {
	case ldap.ApplicationUnbindRequest:
		return false
	case ldap.ApplicationAbandonRequest:
		return true
	case ldap.ApplicationExtendedRequest:
		return c.extended(m)
	case ldap.ApplicationBindRequest:
		if c.pending.Load() > 0 {
			c.server.mu.Lock()
			c.server.overlaps++
			c.server.mu.Unlock()
		}
		c.start(func() { c.bind(m) })
	case ldap.ApplicationSearchRequest:
		c.start(func() { c.search(m) })
	case ldap.ApplicationModifyRequest:
		c.busy.Go(func() { c.modify(m) })
	default:
		c.result(m, m.op.Tag+1, Result{Code: ldap.LDAPResultUnwillingToPerform, Text: "this server is read-only"}, nil)
	}
	return true
}

func (c *conn) start(f func()) {
	c.pending.Add(1) // until its result is written
	c.busy.Go(f)
}

// extended knows StartTLS, which runs in the reader, since nothing may be under way,
// and the change of a password.
func (c *conn) extended(m message) bool {
	refuse := func(code uint16, text string) bool {
		c.result(m, ldap.ApplicationExtendedResponse, Result{Code: code, Text: text}, nil)
		return true
	}
	name := ""
	if len(m.op.Children) > 0 {
		name = m.op.Children[0].Data.String()
	}
	switch {
	case name == oidPasswordModify:
		c.busy.Go(func() { c.passwordModify(m) })
		return true
	case name != oidStartTLS:
		return refuse(ldap.LDAPResultProtocolError, "unsupported extended operation")
	case c.secure || c.pending.Load() > 0:
		return refuse(ldap.LDAPResultOperationsError, "TLS already started or operations under way")
	case c.server.NoStartTLS:
		return refuse(ldap.LDAPResultUnavailable, "TLS is not available")
	}
	c.result(m, ldap.ApplicationExtendedResponse, Result{}, nil)
	if c.handshake() != nil {
		return false
	}
	c.reader = bufio.NewReader(c.stream)
	return true
}

// suffer goes through what a fault does before the answer; false means no answer.
func (c *conn) suffer(f Fault) bool {
	if f.Delay > 0 {
		timer := time.NewTimer(f.Delay)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-c.ctx.Done():
			return false
		}
	}
	if f.Close {
		_ = c.raw.Close()
	}
	return !f.Close && !f.Silent
}

func (c *conn) bind(m message) {
	if len(m.op.Children) < 3 {
		c.result(m, ldap.ApplicationBindResponse, Result{Code: ldap.LDAPResultProtocolError}, nil)
		return
	}
	dn, password := m.op.Children[1].Data.String(), m.op.Children[2].Data.String()
	simple := m.op.Children[2].Tag == 0
	c.server.record(Operation{
		Conn:     c.number,
		Identity: c.who(),
		Bind:     true,
		DN:       dn,
		Policy:   m.policy,
		Secure:   c.secure,
	})
	c.become("") // a bind in progress is anonymous (RFC 4511, 4.2.1)
	f := c.server.fault(binds, dn)
	if !c.suffer(f) {
		return
	}
	result := Result{Code: ldap.LDAPResultInvalidCredentials}
	switch {
	case !simple:
		result.Code = ldap.LDAPResultAuthMethodNotSupported
	case f.Result != nil && !f.OnlyIfRight:
		result = *f.Result
	default:
		result = c.server.checkPassword(dn, password)
		if f.Result != nil && result.Code == ldap.LDAPResultSuccess {
			result = *f.Result
		}
	}
	if result.Code == ldap.LDAPResultSuccess {
		c.become(dn)
	}
	c.result(m, ldap.ApplicationBindResponse, result, nil)
}

func (s *Server) checkPassword(dn, password string) Result {
	switch {
	case dn == "" && password == "":
		return Result{}
	case password == "":
		return Result{Code: ldap.LDAPResultUnwillingToPerform, Text: "unauthenticated bind (DN with no password) disallowed"}
	}
	key, err := foldDN(dn)
	if err != nil {
		return Result{Code: ldap.LDAPResultInvalidDNSyntax, Text: "invalid DN"}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.tree.byKey[key]
	switch {
	case e != nil && slices.Contains(e.values("userPassword"), password):
		return Result{}
	case e == nil && s.UnknownUser != nil:
		return *s.UnknownUser
	case e != nil && s.WrongPassword != nil:
		return *s.WrongPassword
	}
	return Result{Code: ldap.LDAPResultInvalidCredentials}
}

func (c *conn) who() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.identity
}

func (c *conn) become(dn string) {
	c.mu.Lock()
	c.identity = dn
	c.mu.Unlock()
}
