package cloudlinktest

import (
	"context"
	"crypto/ed25519"
	"crypto/tls"
	"encoding/json"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"

	"ldap-gateway/cloudlink/wire"
)

// Cloud is a cloud's end. Its zero value welcomes whoever proves the key; set
// the fields before Start.
type Cloud struct {
	Key       ed25519.PublicKey       // of the one instance
	Heartbeat time.Duration           // told in the welcome; 0: 10 s
	Version   uint16                  // told in the welcome; 0: the newest
	Refuse    func() *wire.Refusal    // asked at each dial; nil, or nil returned: no refusal
	Now       func() time.Time        // the cloud's clock; nil: time.Now
	Epoch     uint64                  // told in the welcome
	Claimed   atomic.Uint64           // epoch of the last assertion
	Deaf      atomic.Bool             // reads nothing after the welcome
	Mute      atomic.Bool             // answers no heartbeat
	Greet     func(*Conn) bool        // in the place of the welcome; true: send the welcome too; nil: only that
	Heartless bool                    // tells 0 as the heartbeat's interval
	Cert      *tls.Certificate        // of Serve; nil: plain http
	Certs     func() *tls.Certificate // of Start, for each connection; nil: plain http
	Address   string                  // of Serve; empty: a free port of 127.0.0.1
	Dials     atomic.Int64            // counts attempts, refused ones too
	Tap       func(message []byte)    // sees each message of the agent as it came; nil: nobody does
	NoNonces  bool                    // gives none, as a cloud of before
	Nonced    atomic.Int64            // counts proofs that carried one

	nonces wire.Nonces // of no key: whoever tests may forge them

	url   string
	links chan *Conn
	pipes chan net.Conn
	done  chan struct{}
	stop  sync.Once
}

// Serve serves over real sockets until the test ends, and returns the URL.
func (c *Cloud) Serve(t testing.TB, handler ...func(http.Handler) http.Handler) *url.URL {
	t.Helper()
	c.links, c.done = make(chan *Conn, 64), make(chan struct{})
	var h http.Handler = c
	for _, f := range handler {
		h = f(h)
	}
	srv := httptest.NewUnstartedServer(h)
	if c.Address != "" {
		l, err := net.Listen("tcp", c.Address)
		if err != nil {
			t.Fatal(err)
		}
		_ = srv.Listener.Close()
		srv.Listener = l
	}
	if c.Cert != nil {
		srv.TLS = &tls.Config{Certificates: []tls.Certificate{*c.Cert}, MinVersion: tls.VersionTLS12}
		srv.StartTLS()
	} else {
		srv.Start()
	}
	t.Cleanup(func() { c.Close(); srv.Close() })
	u, err := url.Parse(srv.URL)
	if err != nil {
		t.Fatal(err)
	}
	c.At(srv.URL)
	return u
}

// At says which URL agents have for the cloud, where it is not that of Serve.
func (c *Cloud) At(url string) { c.url = url }

// Start serves over pipes until the test ends.
func (c *Cloud) Start(t testing.TB) {
	c.url, c.links, c.pipes, c.done = c.Base().String(), make(chan *Conn, 64), make(chan net.Conn), make(chan struct{})
	srv := &http.Server{Handler: c}
	var served sync.WaitGroup
	served.Go(func() { _ = srv.Serve(c) })
	t.Cleanup(func() { c.Close(); _ = srv.Close(); served.Wait() })
}

// Client returns a client whose every connection leads here.
func (c *Cloud) Client(t testing.TB) *http.Client {
	transport := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		near, far := net.Pipe()
		if c.Certs != nil {
			far = tls.Server(far, &tls.Config{Certificates: []tls.Certificate{*c.Certs()}, MinVersion: tls.VersionTLS12})
		}
		select {
		case c.pipes <- far:
			return near, nil
		case <-c.done:
			return nil, net.ErrClosed
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}

// Base returns where the cloud is for clients made by Client.
func (c *Cloud) Base() *url.URL {
	if c.Certs != nil {
		return &url.URL{Scheme: "https", Host: "127.0.0.1"}
	}
	return &url.URL{Scheme: "http", Host: "127.0.0.1"}
}

// Accept implements net.Listener.
func (c *Cloud) Accept() (net.Conn, error) {
	select {
	case conn := <-c.pipes:
		return conn, nil
	case <-c.done:
		return nil, net.ErrClosed
	}
}

// Close implements net.Listener.
func (c *Cloud) Close() error {
	c.stop.Do(func() { close(c.done) })
	return nil
}

// Addr implements net.Listener.
func (c *Cloud) Addr() net.Addr { return &net.UnixAddr{Name: "pipe"} }

// AwaitLink returns the next link that is up, and fails the test after a minute.
func (c *Cloud) AwaitLink(t testing.TB) *Conn {
	t.Helper()
	limit := time.NewTimer(time.Minute)
	defer limit.Stop()
	select {
	case conn := <-c.links:
		return conn
	case <-limit.C:
		t.Fatal("no link within a minute")
		return nil
	}
}

func (c *Cloud) now() time.Time {
	if c.Now != nil {
		return c.Now()
	}
	return time.Now()
}

// ServeHTTP opens a link.
func (c *Cloud) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if strings.HasSuffix(r.URL.Path, wire.PathStatus) {
		c.serveStatus(w)
		return
	}
	if r.Header.Get("Sec-WebSocket-Protocol") == wire.TrialSubprotocol {
		trial := &websocket.AcceptOptions{Subprotocols: []string{wire.TrialSubprotocol}}
		if ws, err := websocket.Accept(w, r, trial); err == nil {
			_ = ws.Close(websocket.StatusNormalClosure, "")
		}
		return
	}
	if r.Header.Get("Authorization") == "" {
		c.challenge(w)
		return
	}
	c.Dials.Add(1)
	if refusal := c.refusal(r); refusal != nil {
		refusal.Time = c.now()
		w.WriteHeader(http.StatusForbidden)
		_ = json.NewEncoder(w).Encode(refusal)
		return
	}
	ws, err := websocket.Accept(w, r, &websocket.AcceptOptions{Subprotocols: []string{wire.Subprotocol}})
	if err != nil {
		return
	}
	defer ws.CloseNow()
	ws.SetReadLimit(wire.MaxFrame)
	conn := &Conn{
		ws:         ws,
		cloud:      c,
		answers:    map[uint64]chan wire.Frame{},
		Heartbeats: make(chan wire.Heartbeat, 64),
		Rotations:  make(chan wire.Frame, 8),
		Going:      make(chan struct{}),
		Over:       make(chan struct{}),
	}
	conn.serve()
}

// challenge tells what a proof is to carry.
func (c *Cloud) challenge(w http.ResponseWriter) {
	refusal := wire.Refusal{Code: wire.RefusedAssertion, Message: "no proof came", Time: c.now()}
	if !c.NoNonces {
		refusal.Nonce = c.nonces.Give(c.now())
	}
	w.WriteHeader(http.StatusUnauthorized)
	_ = json.NewEncoder(w).Encode(refusal)
}

// serveStatus says who this is, and gives a nonce.
func (c *Cloud) serveStatus(w http.ResponseWriter) {
	s := wire.Status{Service: "ldap-cloud", Time: c.now(), Versions: wire.Versions()}
	if !c.NoNonces {
		s.Nonce = c.nonces.Give(c.now())
	}
	_ = json.NewEncoder(w).Encode(s)
}

func (c *Cloud) refusal(r *http.Request) *wire.Refusal {
	if c.Refuse != nil {
		if refusal := c.Refuse(); refusal != nil {
			return refusal
		}
	}
	a, err := wire.OpenAssertion(r.Header.Get("Authorization"), []string{c.url}, c.now(),
		func(string) (ed25519.PublicKey, error) { return c.Key, nil })
	if err != nil {
		return &wire.Refusal{Code: refusalCode(err), Message: err.Error()}
	}
	age, ours := c.nonces.Age(a.Nonce, c.now())
	if ours && age > wire.NonceLife {
		return &wire.Refusal{Code: wire.RefusedClock, Message: "an old nonce"}
	}
	if ours {
		c.Nonced.Add(1)
	}
	c.Claimed.Store(a.Epoch)
	return nil
}
