package cloud

import (
	"context"
	"crypto"
	"crypto/tls"
	"errors"
	"io"
	"net"

	"ldap-gateway/cloud/throttle"
)

// inTurn has the signatures of handshakes take turns: they are what a handshake costs, a
// millisecond of a processor each with a key of RSA, and whoever asks for one need be nobody.
// Whoever finds no room has the connection closed. A client that sends slowly takes no turn.
func inTurn(t *tls.Config, q *throttle.Queue) *tls.Config {
	t = t.Clone()
	get, own := t.GetCertificate, t.Certificates
	// With any there GetCertificate would not be asked by clients that name no server.
	t.Certificates = nil
	t.GetCertificate = func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
		var c *tls.Certificate
		var err error
		if get != nil {
			c, err = get(hello)
		}
		if c == nil && err == nil {
			c, err = oneOf(own, hello)
		}
		if err != nil {
			return nil, err
		}
		key, is := c.PrivateKey.(crypto.Signer)
		if !is {
			return c, nil
		}
		copied := *c
		copied.PrivateKey = turn{key, q, hello.Context(), throttle.Who{Network: callerOf(hello)}}
		return &copied, nil
	}
	return t
}

// oneOf returns the certificate that a client takes, or the first.
func oneOf(all []tls.Certificate, hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	for i := range all {
		if hello.SupportsCertificate(&all[i]) == nil {
			return &all[i], nil
		}
	}
	if len(all) == 0 {
		return nil, errors.New("there is no certificate")
	}
	return &all[0], nil
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

// turn is a key that signs when it is its caller's turn.
type turn struct {
	crypto.Signer
	queue *throttle.Queue
	ctx   context.Context // of the handshake: a signer is given none
	who   throttle.Who
}

// Sign implements crypto.Signer. Its error may be throttle.ErrFull.
func (s turn) Sign(rand io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	leave, err := s.queue.Enter(s.ctx, s.who)
	if err != nil {
		return nil, err
	}
	defer leave()
	return s.Signer.Sign(rand, digest, opts)
}
