package hub

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/nats-io/nats.go"

	"ldap-gateway/cloudlink/wire"
)

// Bus is the message bus that the nodes of a cloud share. What each node can do without
// the others it does without it.
type Bus struct {
	Conn *nats.Conn
	back atomic.Pointer[func()] // called when the bus is there again, or for the first time

	// Both are kept here, as the connection's own methods wait for one that is being made: for
	// seconds, where nobody answers.
	lost  atomic.Bool
	times atomic.Int64 // that it came back
}

// BusConfig says where a NATS cluster is that all nodes share, and how this node
// proves itself there. Files are paths; empty ones are not used.
type BusConfig struct {
	URLs            []string // of some of its servers
	CredentialsFile string   // of NATS: a user's token and key
	CAFile          string   // PEM; empty: the system's
	CertFile        string   // PEM, with KeyFile: of this node
	KeyFile         string
	Node            string // name of this node
	Logger          hclog.Logger
}

// JoinBus connects to a NATS cluster, over TLS unless it is on this machine. It
// finds its way back by itself for ever, also when nobody answers at the start; what was
// to be sent meanwhile fails at once rather than late. Who is not let in, or finds a bus
// that is too small, gets an error.
func JoinBus(cfg BusConfig) (*Bus, error) {
	b := &Bus{}
	options, err := b.options(cfg)
	if err != nil {
		return nil, fmt.Errorf("message bus: %w", err)
	}
	servers := strings.Join(cfg.URLs, ",")
	b.Conn, err = nats.Connect(servers, options...)
	if away(err) {
		cfg.Logger.Error("the message bus is away, trying again: until then this node serves its own links alone",
			"error", err)
		b.lost.Store(true)
		b.Conn, err = nats.Connect(servers, append(options, nats.RetryOnFailedConnect(true))...)
	}
	if err != nil {
		return nil, fmt.Errorf("message bus: %w", err) // its texts have no URL, so no password
	}
	// Found at the start, or it would be the first large answer that is lost.
	if err := tooSmall(b.Conn); b.Conn.IsConnected() && err != nil {
		b.Conn.Close()
		return nil, err
	}
	return b, nil
}

// away tells whether nobody answered, rather than that somebody said no.
func away(err error) bool {
	var network *net.OpError
	dialled := errors.As(err, &network) && network.Op == "dial"
	return dialled || errors.Is(err, nats.ErrNoServers) || errors.Is(err, nats.ErrTimeout)
}

// tooSmall says that the bus cannot carry every frame.
func tooSmall(c *nats.Conn) error {
	if most := c.MaxPayload(); most < 2*wire.MaxFrame {
		return fmt.Errorf("message bus: its max_payload is %d, and must be at least %d", most, 2*wire.MaxFrame)
	}
	return nil
}

// options are those of the connection.
func (b *Bus) options(cfg BusConfig) ([]nats.Option, error) {
	options := []nats.Option{
		nats.Name("ldap-cloud " + cfg.Node),
		nats.Timeout(5 * time.Second),
		nats.NoEcho(), // what a node tells the others it knows
		// The way back is looked for without end, and nothing waits for it: a sign-on
		// that came late would be for nobody.
		nats.ReconnectBufSize(-1),
		nats.MaxReconnects(-1),
		nats.ReconnectWait(200 * time.Millisecond),
		nats.ReconnectJitter(200*time.Millisecond, 200*time.Millisecond),
		// With two pings unanswered a server is given up, so within six seconds.
		nats.PingInterval(2 * time.Second),
		nats.MaxPingsOutstanding(2),
		nats.ConnectHandler(func(c *nats.Conn) { b.isBack(cfg, c) }),
		nats.ReconnectHandler(func(c *nats.Conn) { b.times.Add(1); b.isBack(cfg, c) }),
		nats.DisconnectErrHandler(func(_ *nats.Conn, err error) {
			b.lost.Store(true)
			if err != nil {
				cfg.Logger.Error("the message bus is lost, trying again", "error", err)
			}
		}),
		nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) {
			cfg.Logger.Error("message bus", "error", err)
		}),
	}
	if cfg.CredentialsFile != "" {
		options = append(options, nats.UserCredentials(cfg.CredentialsFile))
	}
	secure, err := cfg.tls()
	if secure != nil {
		options = append(options, nats.Secure(secure))
	}
	return options, err
}

// isBack tells the hub that the bus is there.
func (b *Bus) isBack(cfg BusConfig, c *nats.Conn) {
	b.lost.Store(false)
	if err := tooSmall(c); err != nil {
		cfg.Logger.Error("large answers will be lost", "error", err)
	}
	if tell := b.back.Load(); tell != nil {
		(*tell)()
	}
}

// tls returns how to talk to the servers; nil when all of them are on this machine.
func (cfg BusConfig) tls() (*tls.Config, error) {
	local := cfg.CAFile == "" && cfg.CertFile == ""
	for _, text := range cfg.URLs {
		u, err := url.Parse(text)
		if err != nil || u.Scheme != "nats" && u.Scheme != "tls" || u.Hostname() == "" {
			return nil, errors.New("a server's URL looks like tls://HOST:4222")
		}
		local = local && u.Scheme == "nats" && (u.Hostname() == "localhost" || net.ParseIP(u.Hostname()).IsLoopback())
	}
	if local {
		return nil, nil
	}
	c := &tls.Config{MinVersion: tls.VersionTLS12}
	if cfg.CAFile != "" {
		pem, err := os.ReadFile(cfg.CAFile)
		if err != nil {
			return nil, err
		}
		c.RootCAs = x509.NewCertPool()
		if !c.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("%s has no certificate", cfg.CAFile)
		}
	}
	if cfg.CertFile != "" {
		pair, err := tls.LoadX509KeyPair(cfg.CertFile, cfg.KeyFile)
		if err != nil {
			return nil, err
		}
		c.Certificates = []tls.Certificate{pair}
	}
	return c, nil
}

// Close ends this node's part in the bus. Requests in progress fail.
func (b *Bus) Close() {
	if b != nil {
		b.Conn.Close()
	}
}

// connected tells whether the other nodes can be reached. A node that is alone is.
func (b *Bus) connected() bool { return b == nil || !b.lost.Load() }
