package cloud

import (
	"context"
	"crypto/tls"
	"net"
	"sync"

	"ldap-gateway/cloud/throttle"
)

// inTurn has handshakes take turns while they compute: keys are agreed on and something is signed, a
// millisecond of a processor each, and whoever asks for one need be nobody. Of thousands of agents that
// come back at once each would wait for all others, and so would people who are in already. Whoever finds
// no room has the connection closed. One takes no turn while it waits for the client, nor for a
// certificate.
func inTurn(t *tls.Config, q *throttle.Queue) *tls.Config {
	t = t.Clone()
	t.GetConfigForClient = func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
		return nil, begin(hello, q)
	}
	if get := t.GetCertificate; get != nil {
		t.GetCertificate = func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
			ask := func() (*tls.Certificate, error) { return get(hello) }
			if c, is := hello.Conn.(*connection); is {
				return outside(c.handshake.Load(), ask)
			}
			return ask()
		}
	}
	return t
}

// handshake is one that is under way. Safe for concurrent use.
type handshake struct {
	queue *throttle.Queue
	ctx   context.Context // ends with it
	who   throttle.Who

	mu    sync.Mutex
	leave func() // ends its turn; nil: it has none
	over  bool
}

// begin takes the first turn of a handshake, at its first message.
func begin(hello *tls.ClientHelloInfo, q *throttle.Queue) error {
	s := &handshake{queue: q, ctx: hello.Context(), who: throttle.Who{Network: callerOf(hello)}}
	if err := s.take(); err != nil {
		return err
	}
	c, is := hello.Conn.(*connection)
	if is {
		c.handshake.Store(s)
	}
	context.AfterFunc(s.ctx, func() {
		s.end()
		if is {
			c.handshake.Store(nil)
		}
	})
	return nil
}

// take waits for a turn. Its error may be throttle.ErrFull; what is over needs none.
func (s *handshake) take() error {
	leave, err := s.queue.Enter(s.ctx, s.who)
	s.mu.Lock()
	defer s.mu.Unlock()
	over := s.over || s.ctx.Err() != nil
	switch {
	case over && err == nil:
		leave()
	case over:
	case err != nil:
		return err
	default:
		s.leave = leave
	}
	return nil
}

// rest gives its turn back.
func (s *handshake) rest() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.leave != nil {
		s.leave()
		s.leave = nil
	}
}

// end has it take no turn any more.
func (s *handshake) end() {
	s.mu.Lock()
	s.over = true
	s.mu.Unlock()
	s.rest()
}

// outside does what a handshake waits for, without a turn; nil is none.
func outside[T any](s *handshake, wait func() (T, error)) (T, error) {
	if s == nil {
		return wait()
	}
	s.rest()
	got, err := wait()
	if err == nil {
		err = s.take()
	}
	return got, err
}

// Read implements net.Conn.
func (c *connection) Read(b []byte) (int, error) {
	if s := c.handshake.Load(); s != nil {
		return outside(s, func() (int, error) { return c.Conn.Read(b) })
	}
	return c.Conn.Read(b)
}

// callerOf is the network that a handshake is with; empty when it is not known.
func callerOf(hello *tls.ClientHelloInfo) string {
	if hello.Conn == nil {
		return ""
	}
	host, _, err := net.SplitHostPort(hello.Conn.RemoteAddr().String())
	if err != nil {
		return ""
	}
	return throttle.Network(host)
}
