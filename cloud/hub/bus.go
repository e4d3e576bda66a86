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
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	"ldap-gateway/cloudlink/wire"
)

// Bus is the message bus between nodes.
type Bus struct {
	server *server.Server // nil: it is elsewhere
	Conn   *nats.Conn
}

// StartBus starts a bus in the process without a listener, for a cloud of one
// node: nothing outside the process reaches it.
func StartBus() (*Bus, error) {
	// A message holds a whole frame with what is around it. Signals are the program's
	// to handle.
	s, err := server.NewServer(&server.Options{DontListen: true, NoSigs: true, NoLog: true, MaxPayload: 2 * wire.MaxFrame})
	if err != nil {
		return nil, fmt.Errorf("message bus: %w", err)
	}
	go s.Start()
	if !s.ReadyForConnections(10 * time.Second) {
		s.Shutdown()
		return nil, errors.New("message bus: not ready after 10 s")
	}
	conn, err := nats.Connect("", nats.InProcessServer(s))
	if err != nil {
		s.Shutdown()
		return nil, fmt.Errorf("message bus: %w", err)
	}
	return &Bus{s, conn}, nil
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
// finds its way back by itself for ever; what was to be sent meanwhile fails at
// once rather than late.
func JoinBus(cfg BusConfig) (*Bus, error) {
	options := []nats.Option{
		nats.Name("ldap-cloud " + cfg.Node),
		nats.Timeout(5 * time.Second),
		// The way back is looked for without end, and nothing waits for it: a sign-on
		// that came late would be for nobody.
		nats.ReconnectBufSize(-1),
		nats.MaxReconnects(-1),
		nats.ReconnectWait(200 * time.Millisecond),
		nats.ReconnectJitter(200*time.Millisecond, 200*time.Millisecond),
		// With two pings unanswered a server is given up, so within fifteen seconds.
		nats.PingInterval(5 * time.Second),
		nats.MaxPingsOutstanding(2),
		nats.DisconnectErrHandler(func(_ *nats.Conn, err error) {
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
	if err != nil {
		return nil, fmt.Errorf("message bus: %w", err)
	}
	if secure != nil {
		options = append(options, nats.Secure(secure))
	}
	conn, err := nats.Connect(strings.Join(cfg.URLs, ","), options...)
	if err != nil {
		return nil, fmt.Errorf("message bus: %w", err) // its texts have no URL, so no password
	}
	// Found at the start, or it would be the first large answer that is lost.
	if most := conn.MaxPayload(); most < 2*wire.MaxFrame {
		conn.Close()
		return nil, fmt.Errorf("message bus: its max_payload is %d, and must be at least %d", most, 2*wire.MaxFrame)
	}
	return &Bus{Conn: conn}, nil
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

// Close ends the bus, or this node's part in it. Requests in progress fail.
func (b *Bus) Close() {
	b.Conn.Close()
	if b.server != nil {
		b.server.Shutdown()
		b.server.WaitForShutdown()
	}
}
