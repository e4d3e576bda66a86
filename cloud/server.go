package cloud

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"os"
	"strings"
	"time"

	"github.com/hashicorp/go-hclog"

	"ldap-gateway/cloud/audit"
	"ldap-gateway/cloud/hub"
	"ldap-gateway/cloud/provisioner"
	"ldap-gateway/cloud/store"
	"ldap-gateway/cloud/throttle"
	"ldap-gateway/cloud/vault"
)

// Server is one running node of a cloud.
// It is started once, by Run.
type Server struct {
	Database  string        // that Init filled: as Database returns it
	MasterKey string        // file; empty: in the data folder, or a systemd credential
	Bus       hub.BusConfig // that the nodes share; without URLs this is the only node
	Listen    string        // address, as in "127.0.0.1:8080"
	URLs      []string      // that people and agents know this cloud by; none: the address
	TLS       *tls.Config
	ACME      *ACME           // certificates are had by it, instead of TLS; nil: they are not
	Proxies   []netip.Prefix  // that are believed when they say whom they speak for; none: no proxy is
	Metrics   string          // address at which metrics are served, for a Prometheus server; empty: nowhere
	SMTP      string          // host:port of the mail server; empty: nothing is mailed
	MailFrom  string          // address that mails come from
	Webhooks  []netip.Prefix  // networks that webhooks may be in although they are not public
	Providers []netip.Prefix  // networks that identity providers may be in although they are not public
	Backups   *Backups        // nil: the database is not copied
	ArchiveTo string          // folder for what is deleted for its age; empty: it is not kept
	AuditTo   []*audit.Target // that are told what happens
	Grace     time.Duration   // how long a stopping node answers while /ready says no
	Logger    hclog.Logger
	Bounds    *throttle.Bounds // count what is refused; nil: those of this node alone
	Ready     func(url string) // called once it answers; nil: nobody

	heartbeat time.Duration // of links; 0: the hub's own
}

// ErrUsage says that a server was told what cannot be.
var ErrUsage = errors.New("wrong usage")

// drainTime is how long answers under way have when the server stops.
// It is longer than a directory has for a bind, and shorter than what a service manager
// waits before it kills.
const drainTime = 10 * time.Second

// Run serves until ctx ends. It returns an error when it cannot start.
// Everything is opened in the order in which it can fail for the operator's sake: what
// is wrong with flags and files is told before the database is touched. What was opened
// is closed in the other order.
func (s *Server) Run(ctx context.Context) (err error) {
	release, err := alone(s.Database)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, release()) }()
	certificates, err := s.certificates()
	if err != nil {
		return err
	}
	kept, err := s.folders()
	if err != nil {
		return err
	}
	listener, err := s.listen()
	if err != nil {
		return err
	}
	defer listener.Close()
	db, err := s.openCloud(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	keys, err := s.vault(ctx, db)
	if err != nil {
		return err
	}
	certificates.keepIn(db, keys)
	bus, err := s.bus()
	if err != nil {
		return err
	}
	defer bus.Close()
	agents, err := s.hub(db, bus, keys, s.audiences(listener))
	if err != nil {
		return err
	}
	n := &node{
		Server:    s,
		db:        db,
		agents:    agents,
		keys:      keys,
		url:       s.url(listener),
		audiences: s.audiences(listener),
		ending:    ctx.Done(),
		records:   &provisioner.Provisioner{Store: db},
		archive:   kept,
		doors:     listener,
		fronts:    s.newFronts(),
		bounds:    newBounds(s.counts()),
	}
	n.audit, n.counts = n.streams(), n.metrics()
	n.providers = n.newProviders()
	defer n.watch(ctx)()
	defer n.serveMetrics()()
	return n.serve(ctx)
}

// openCloud opens a database that a cloud is in.
func (s *Server) openCloud(ctx context.Context) (*store.Store, error) {
	db, err := s.open(ctx)
	if err != nil {
		return nil, err
	}
	if all, err := db.Environments(ctx); err != nil || len(all) == 0 {
		return nil, errors.Join(err, noCloud(s.Database), db.Close())
	}
	return db, nil
}

// vault opens the vault, with the master key of this database.
func (s *Server) vault(ctx context.Context, db *store.Store) (*vault.Vault, error) {
	keys, err := openVault(s.MasterKey, s.Database)
	if err != nil {
		return nil, err
	}
	return keys, ofDatabase(ctx, db, keys)
}

// newFronts knows the proxies in front.
func (s *Server) newFronts() *fronts {
	return &fronts{
		trusted: s.Proxies,
		logger:  s.Logger.Named("http"),
		now:     time.Now,
		lines:   throttle.Sample{Bound: s.counts().Of(throttle.Lines)},
	}
}

// folders makes those that a node writes into beside its database.
func (s *Server) folders() (*archive, error) {
	if err := s.Backups.check(s.Database); err != nil {
		return nil, err
	}
	return archiveTo(s.ArchiveTo)
}

// openAgain is how long a node that starts waits before it tries its database again.
const openAgain = 2 * time.Second

// open opens the database. One that is away is waited for, as long as it takes: a node
// that ended would be started again and again.
func (s *Server) open(ctx context.Context) (*store.Store, error) {
	for {
		db, err := store.Open(ctx, s.Database)
		if !store.IsPostgres(s.Database) || !errors.Is(err, store.ErrUnavailable) || ctx.Err() != nil {
			return db, err
		}
		s.Logger.Error("the database is away, trying again: nothing is served until it is there", "error", err)
		select {
		case <-time.After(openAgain):
		case <-ctx.Done():
		}
	}
}

// hub returns what agents link to at this node.
// The key of its nonces is made of the master key, so that each node takes what another
// gave.
func (s *Server) hub(db *store.Store, bus *hub.Bus, keys *vault.Vault, audiences []string) (*hub.Hub, error) {
	nonceKey := keys.Derive("nonces of links")
	return hub.New(hub.Config{
		Store:     db,
		Bus:       bus,
		Node:      nodeName(),
		Audiences: audiences,
		Logger:    s.Logger.Named("hub"),
		Heartbeat: s.heartbeat,
		NonceKey:  nonceKey[:],
		Bounds:    s.counts(),
	})
}

// counts returns what counts what is refused.
func (s *Server) counts() *throttle.Bounds {
	if s.Bounds == nil {
		s.Bounds = &throttle.Bounds{}
	}
	return s.Bounds
}

// certificates has TLS take them from where ACME says; nil when it does not.
// They are taken from the store, which is opened later: nothing is asked for before
// that.
func (s *Server) certificates() (*acmeCertificates, error) {
	if s.ACME == nil {
		return nil, nil
	}
	made, err := newACME(*s.ACME, s.URLs)
	if err == nil {
		s.TLS = made.TLSConfig()
	}
	return made, err
}

// keepIn has certificates be kept in the store, sealed; nil has none.
func (c *acmeCertificates) keepIn(db *store.Store, keys *vault.Vault) {
	if c != nil {
		*c.kept = sealedCache{db, keys}
	}
}

// bus joins the one that the nodes share; nil when this is the only node.
func (s *Server) bus() (*hub.Bus, error) {
	if len(s.Bus.URLs) == 0 {
		return nil, nil
	}
	cfg := s.Bus
	cfg.Node, cfg.Logger = nodeName(), s.Logger.Named("bus")
	return hub.JoinBus(cfg)
}

// listen opens the address; plain HTTP stays on this machine.
// Passwords would cross the network in the clear.
func (s *Server) listen() (*bounded, error) {
	address, err := net.ResolveTCPAddr("tcp", s.Listen)
	if err != nil {
		return nil, fmt.Errorf("%w: --listen: %w", ErrUsage, err)
	}
	if s.TLS == nil && !address.IP.IsLoopback() {
		return nil, fmt.Errorf(
			"%w: --listen %s: plain HTTP is served on loopback addresses only."+
				" Give --tls-cert and --tls-key, or listen on 127.0.0.1 behind a proxy that ends TLS",
			ErrUsage, s.Listen,
		)
	}
	l, err := net.ListenTCP("tcp", address)
	if err != nil {
		return nil, err
	}
	return newBounded(l, mostConnections(descriptors()), s.Proxies, s.Logger.Named("http")), nil
}

// scheme is how the address itself is reached.
func (s *Server) scheme() string {
	if s.TLS != nil {
		return "https://"
	}
	return "http://"
}

// url is what the cloud is known by first.
// Links in mails and answers begin with it.
func (s *Server) url(l net.Listener) string {
	if len(s.URLs) > 0 {
		return s.URLs[0]
	}
	return s.scheme() + l.Addr().String()
}

// audiences are the URLs for which an agent's proof is taken: those configured,
// and the address itself.
// An assertion that was made for another cloud is not taken here: so the URL in an
// agent's file must be one of them, as it is written.
func (s *Server) audiences(l net.Listener) []string {
	return append([]string{s.scheme() + l.Addr().String()}, s.URLs...)
}

// nodeName is how this node is called in logs and on pages; it need not be unique.
func nodeName() string {
	name, err := os.Hostname()
	if err != nil {
		return "node"
	}
	return name
}

// secure tells whether people reach this cloud over TLS.
// Behind a proxy that ends TLS the URL says it.
func (s *Server) secure() bool {
	return s.TLS != nil || len(s.URLs) > 0 && strings.HasPrefix(s.URLs[0], "https://")
}

// serve answers until ctx ends, then stops in order: balancers and agents are told
// first, so that they are elsewhere before the last request is answered.
// Links outlive the requests, so the hub closes them when the last answer is out. A
// request that takes longer than drainTime is cut off.
func (n *node) serve(ctx context.Context) error {
	srv := &http.Server{
		Handler:           transportSecurity(n.secure(), n.fronts.wrap(caught(n.Logger, n.handler()))),
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       30 * time.Second,
		WriteTimeout:      answerTime,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    mostHeader,
		ConnState:         n.doors.state,
		ErrorLog:          n.Logger.Named("http").StandardLogger(&hclog.StandardLoggerOptions{ForceLevel: hclog.Debug}),
	}
	failed := make(chan error, 1)
	go func() {
		if n.TLS == nil {
			failed <- srv.Serve(n.doors)
			return
		}
		srv.TLSConfig = inTurn(hardened(n.TLS), &n.bounds.handshakes)
		failed <- srv.ServeTLS(n.doors, "", "")
	}()
	url := n.Server.url(n.doors)
	n.Logger.Info("serving", "address", n.doors.Addr(), "url", url, "database", shown(n.Database))
	if n.Ready != nil {
		n.Ready(url)
	}
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	n.Logger.Info("stopping", "grace", n.Grace)
	if n.Grace > 0 {
		n.agents.Leave()
		<-time.After(n.Grace)
	}
	stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainTime)
	defer cancel()
	err := srv.Shutdown(stop) // waits for requests; links are not among them
	n.agents.Close(stop)
	return err
}
