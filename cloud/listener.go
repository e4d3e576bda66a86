package cloud

import (
	"cmp"
	"crypto/tls"
	"errors"
	"ldap-gateway/cloud/store"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/go-hclog"
)

// What one connection may cost.
const (
	mostHeader = 128 << 10 // bytes: cookies, and a ticket of somebody in a thousand groups
	// answerTime is how long an answer may take from its request to its last byte; streams
	// ask for more while they go on.
	answerTime = 90 * time.Second
)

// hardened returns TLS as this cloud speaks it: HTTP/2 where a client knows it, and no
// suite of TLS 1.2 that is not both forward secret and authenticated (RFC 9325 section 4.2).
func hardened(t *tls.Config) *tls.Config {
	t = t.Clone()
	t.MinVersion = tls.VersionTLS12
	t.CipherSuites = []uint16{
		tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
		tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
		tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
		tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
		tls.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
		tls.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
	}
	return t
}

// transportSecurity has browsers ask for nothing but https from then on (RFC 6797).
// Behind a proxy that ends TLS it is said too: people reach this cloud by https.
func transportSecurity(secure bool, next http.Handler) http.Handler {
	if !secure {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Strict-Transport-Security", "max-age=31536000")
		next.ServeHTTP(w, r)
	})
}

// manyDescriptors is how many there are where nothing bounds them; more are not used.
const manyDescriptors = 32 << 10

// mostConnections is how many connections may be open when the process may have so many
// descriptors. The rest is kept back for the database, the bus and identity providers.
func mostConnections(descriptors int) int {
	descriptors = min(descriptors, manyDescriptors)
	return max(descriptors-min(descriptors/2, 512), 1)
}

// bounded is a listener of which at most so many connections are open at once. When there are
// more, one that waits without a request is closed for the newcomer: of the network that has
// the most, the one that has waited longest. Where all are at work the newcomer is closed,
// and so is one of a network that has three quarters of all at work: others get in.
// Safe for concurrent use.
type bounded struct {
	net.Listener
	most    int
	proxies []netip.Prefix // whose connections are of everybody, and not of one network
	logger  hclog.Logger

	mu     sync.Mutex // guards what follows
	open   map[*connection]struct{}
	of     map[netip.Prefix]int // how many are open
	closed int                  // since it was said last
	said   time.Time
	total  int       // closed ever, accepting that failed included
	last   time.Time // that one was
}

// connection is one that was let in.
type connection struct {
	net.Conn
	from    *bounded
	network netip.Prefix
	waits   time.Time // since when it has no request under way; zero: it has one

	handshake atomic.Pointer[handshake] // nil: none is under way
}

func newBounded(l net.Listener, most int, proxies []netip.Prefix, logger hclog.Logger) *bounded {
	return &bounded{
		Listener: l,
		most:     most,
		proxies:  proxies,
		logger:   logger,
		open:     map[*connection]struct{}{},
		of:       map[netip.Prefix]int{},
	}
}

// sayEvery is how often strangers can have one line written.
const sayEvery = time.Minute

// Accept returns the next connection that is let in.
// An error is in the log at once: what net/http says of it would be lost among what
// strangers bring about.
func (b *bounded) Accept() (net.Conn, error) {
	for {
		c, err := b.Listener.Accept()
		if err != nil {
			if !errors.Is(err, net.ErrClosed) {
				b.failed()
				b.say(func() { b.logger.Error("connections cannot be accepted", "error", err) })
			}
			return nil, err
		}
		in := &connection{Conn: c, from: b, network: networkOf(c.RemoteAddr()), waits: time.Now()}
		if out := b.enter(in); out != nil {
			_ = out.Close() // it is gone for us, whatever comes of it
		}
		if b.has(in) {
			return in, nil
		}
	}
}

// enter lets c in, and returns who is to go for it; that may be c.
func (b *bounded) enter(c *connection) (out *connection) {
	b.mu.Lock()
	defer b.mu.Unlock()
	crowded := b.of[c.network] >= max(b.most*3/4, 1) && !b.isProxy(c.network)
	if crowded || len(b.open) >= b.most {
		if out = b.longest(c.network, crowded); out == nil {
			out = c
		}
		b.closed++
		b.total, b.last = b.total+1, time.Now()
	}
	if out != nil && out != c {
		b.drop(out)
	}
	if out != c {
		b.open[c] = struct{}{}
		b.of[c.network]++
	}
	return out
}

// longest returns the connection that is to go; nil when none waits.
func (b *bounded) longest(network netip.Prefix, only bool) *connection {
	var waiting []*connection
	for c := range b.open {
		if !c.waits.IsZero() && (!only || c.network == network) {
			waiting = append(waiting, c)
		}
	}
	if len(waiting) == 0 {
		return nil
	}
	return slices.MinFunc(waiting, func(x, y *connection) int {
		return cmp.Or(cmp.Compare(b.of[y.network], b.of[x.network]), x.waits.Compare(y.waits))
	})
}

func (b *bounded) isProxy(network netip.Prefix) bool {
	return slices.ContainsFunc(b.proxies, network.Overlaps)
}

// has tells whether c was let in, and says now and then that some are not.
func (b *bounded) has(c *connection) bool {
	b.mu.Lock()
	_, in := b.open[c]
	closed := b.closed
	b.mu.Unlock()
	if closed > 0 {
		b.say(func() {
			b.logger.Warn("connections that waited were closed for others", "closed", closed, "most", b.most)
		})
	}
	return in
}

// say has one line written a minute.
func (b *bounded) say(line func()) {
	b.mu.Lock()
	due := time.Since(b.said) >= sayEvery
	if due {
		b.said, b.closed = time.Now(), 0
	}
	b.mu.Unlock()
	if due {
		line()
	}
}

// failed counts a connection that could not be accepted.
func (b *bounded) failed() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.total, b.last = b.total+1, time.Now()
}

// Connections returns how many are open, and how many were closed for others since the
// start, or could not be accepted.
func (b *bounded) Connections() (open, closed int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.open), b.total
}

// bitten is how long after a connection was closed for another it is told.
const bitten = 5 * time.Minute

// alerts tells that connections were closed for others not long ago.
func (b *bounded) alerts(now time.Time) []store.Alert {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.last.IsZero() || now.Sub(b.last) > bitten {
		return nil
	}
	return []store.Alert{nodeAlert("connectionsFull", "",
		"Let the process have more descriptors (LimitNOFILE), add a node, or keep strangers away before it",
		"as many connections are open as may be (%d): some are closed for others", b.most)}
}

// drop takes c out; the caller holds the lock.
func (b *bounded) drop(c *connection) {
	if _, in := b.open[c]; !in {
		return
	}
	delete(b.open, c)
	if b.of[c.network]--; b.of[c.network] == 0 {
		delete(b.of, c.network)
	}
}

// Close implements net.Conn.
func (c *connection) Close() error {
	c.from.mu.Lock()
	c.from.drop(c)
	c.from.mu.Unlock()
	return c.Conn.Close()
}

// state is told by net/http what a connection does.
// One that was hijacked is a link of an agent, which has proven itself: it never waits.
func (b *bounded) state(c net.Conn, now http.ConnState) {
	if t, is := c.(*tls.Conn); is {
		c = t.NetConn()
	}
	mine, is := c.(*connection)
	if !is {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	mine.waits = time.Time{}
	if now == http.StateNew || now == http.StateIdle {
		mine.waits = time.Now()
	}
}

// networkOf is the network of somebody's address: an IPv4 address, and of IPv6 the 64 bits
// that one connection to the Internet has.
func networkOf(a net.Addr) netip.Prefix {
	t, is := a.(*net.TCPAddr)
	if !is {
		return netip.Prefix{}
	}
	address, bits := t.AddrPort().Addr().Unmap().WithZone(""), 64
	if address.Is4() {
		bits = 32
	}
	network, _ := address.Prefix(bits) // the bits are its own
	return network
}
