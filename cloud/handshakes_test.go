package cloud

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"io"
	"math/big"
	"net"
	"runtime"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"

	"ldap-gateway/cloud/throttle"
)

// certified returns a certificate that a key has made of itself.
func certified(t *testing.T, key crypto.Signer) tls.Certificate {
	t.Helper()
	like := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "x"}, NotAfter: time.Now().Add(time.Hour), DNSNames: []string{"x"},
	}
	der, err := x509.CreateCertificate(rand.Reader, like, like, key.Public(), key)
	must(t, err)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// TestHandshakesTakeTurns: with keys of every kind, given in either way, to clients of every
// version, a handshake waits for its turn, is closed and counted when none comes, and is as
// ever when one does; so is one that is resumed, as it agrees on keys too. Half of one, one that waits
// for its client, and what comes after one take none.
func TestHandshakesTakeTurns(t *testing.T) {
	ofRSA, err := rsa.GenerateKey(rand.Reader, 2048)
	must(t, err)
	ofEC, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	_, of25519, err := ed25519.GenerateKey(rand.Reader)
	must(t, err)
	for kind, key := range map[string]crypto.Signer{"RSA": ofRSA, "EC": ofEC, "Ed25519": of25519} {
		c := certified(t, key)
		for name, config := range map[string]*tls.Config{
			"given": {Certificates: []tls.Certificate{c}},
			"asked": {GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return &c, nil }},
		} {
			for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
				t.Run(kind+"-"+name+"-"+tls.VersionName(version)[4:], func(t *testing.T) {
					handshakes(t, config, version)
				})
			}
		}
	}
}

func handshakes(t *testing.T, config *tls.Config, version uint16) {
	var bounds throttle.Bounds
	q := &throttle.Queue{Places: 1, Bound: bounds.Of(throttle.Handshakes)}
	plain, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	listener := tls.NewListener(newBounded(plain, 100, nil, hclog.NewNullLogger()), inTurn(hardened(config), q))
	defer listener.Close()
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				if conn.(*tls.Conn).Handshake() == nil {
					_, _ = io.CopyN(conn, conn, 1)
				}
			}()
		}
	}()
	client := &tls.Config{
		InsecureSkipVerify: true, MinVersion: version, MaxVersion: version, ClientSessionCache: tls.NewLRUClientSessionCache(8),
	}
	dial := func() (*tls.ConnectionState, error) {
		conn, err := tls.Dial("tcp", listener.Addr().String(), client)
		if err != nil {
			return nil, err
		}
		defer conn.Close()
		state := conn.ConnectionState()
		_, err = conn.Write([]byte("x"))
		must(t, err)
		_, err = io.ReadFull(conn, make([]byte, 1))
		return &state, err
	}
	half, err := net.Dial("tcp", listener.Addr().String())
	must(t, err)
	defer half.Close()
	_, err = half.Write([]byte{22, 3, 1, 2})
	must(t, err)
	leave, err := q.Enter(t.Context(), throttle.Who{})
	must(t, err)
	if _, err := dial(); err == nil {
		t.Error("it took no turn")
	}
	if n, network := bounds.Of(throttle.Handshakes).Lately(time.Now()); n != 1 || network != "127.0.0.1" {
		t.Errorf("%d of %q were counted", n, network)
	}
	leave()
	_, err = dial()
	must(t, err)
	awaitNone(q)
	if state, err := dial(); err != nil || !state.DidResume {
		t.Errorf("it is not resumed: %v", err)
	}
	awaitNone(q)
	stuck := stuckClient(t, listener.Addr().String(), version)
	defer stuck.Close()
	awaitNone(q)
	leave, err = q.Enter(t.Context(), throttle.Who{})
	must(t, err)
	if _, err := dial(); err == nil {
		t.Error("one that is resumed took no turn")
	}
	leave()
	_, err = dial()
	must(t, err)
	awaitNone(q)
}

// awaitNone returns when no handshake has a turn.
func awaitNone(q *throttle.Queue) {
	for busy, _ := q.UnderWay(); busy > 0; busy, _ = q.UnderWay() {
		runtime.Gosched()
	}
}

// stuckClient is one in the midst of a handshake, which says nothing more.
func stuckClient(t *testing.T, address string, version uint16) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	must(t, err)
	half := &halfConn{Conn: conn, answered: make(chan struct{})}
	client := tls.Client(half, &tls.Config{InsecureSkipVerify: true, MinVersion: version, MaxVersion: version})
	go func() { _ = client.Handshake() }()
	<-half.answered
	return conn
}

// halfConn sends one message, and takes in the first of the answer alone.
type halfConn struct {
	net.Conn
	answered chan struct{}
}

func (c *halfConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	close(c.answered)
	if err == nil {
		_, err = io.Copy(io.Discard, c.Conn) // nothing comes after it
	}
	return n, err
}
