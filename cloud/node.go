package cloud

import (
	"cmp"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"sync"
	"time"

	"ldap-gateway/cloud/administrators"
	"ldap-gateway/cloud/alerts"
	"ldap-gateway/cloud/api"
	"ldap-gateway/cloud/audit"
	"ldap-gateway/cloud/console"
	"ldap-gateway/cloud/factors"
	"ldap-gateway/cloud/hub"
	"ldap-gateway/cloud/idp"
	"ldap-gateway/cloud/kerberos"
	"ldap-gateway/cloud/management"
	"ldap-gateway/cloud/metrics"
	"ldap-gateway/cloud/oidc"
	"ldap-gateway/cloud/outbound"
	"ldap-gateway/cloud/pairing"
	"ldap-gateway/cloud/provisioner"
	"ldap-gateway/cloud/samlidp"
	"ldap-gateway/cloud/signon"
	"ldap-gateway/cloud/signonpage"
	"ldap-gateway/cloud/store"
	"ldap-gateway/cloud/throttle"
	"ldap-gateway/cloud/vault"
	"ldap-gateway/cloud/web"
	"ldap-gateway/cloudlink/wire"
)

// node is a server with what it has opened.
// It is made once everything in it works, and only then answers.
type node struct {
	*Server
	db        *store.Store
	agents    *hub.Hub
	keys      *vault.Vault
	url       string   // that people know this cloud by
	audiences []string // that agents prove themselves to
	ending    <-chan struct{}
	counts    *metrics.Metrics
	providers *idp.Desk
	records   *provisioner.Provisioner
	archive   *archive // nil: what is deleted is not kept elsewhere
	audit     []*audit.Stream
	doors     *bounded
	fronts    *fronts
	bounds    *bounds
}

// floor is how long a sign-on by password that fails takes at least: longer than a
// directory near its agent takes for one.
// It is no secret: it makes the time of an answer say nothing.
const floor = 300 * time.Millisecond

// metrics are those of the node.
func (n *node) metrics() *metrics.Metrics {
	return metrics.New(metrics.Node{
		Version:     Version(),
		Links:       n.agents.All,
		Names:       n.namesOf,
		Size:        n.db.Size,
		Connections: n.doors.Connections,
		Bounds:      n.bounds.Bounds,
	})
}

// scrapeTime is how long names of gateways may take to be read for the metrics.
const scrapeTime = 2 * time.Second

// namesOf returns what gateways are called; nothing while the database is away.
func (n *node) namesOf(gateways []string) map[string]string {
	ctx, cancel := context.WithTimeout(context.Background(), scrapeTime)
	defer cancel()
	names, err := n.db.GatewayNames(ctx, gateways)
	if err != nil {
		return nil
	}
	return names
}

// handler says which room answers which path.
// The rooms meet here and nowhere else: each gets what it needs by an interface of its
// own, and none knows the others.
func (n *node) handler() http.Handler {
	codes, people := n.codes(), n.people()
	n.hearTries(codes, people)
	tickets := &kerberos.Verifier{
		Store:       n.db,
		Vault:       n.keys,
		Provisioner: n.records,
		Services:    services(n.audiences),
		Counted:     n.counts.SignOn,
		Logger:      n.Logger.Named("kerberos"),
		UnderWay:    &n.bounds.signOns,
		Bounds:      n.bounds.Bounds,
	}
	changes := &management.Service{
		Store:    n.db,
		Links:    n.agents,
		Keys:     tickets,
		Channels: n.post(),
		Vault:    n.keys,
		Reach:    n.reach(),
		URL:      n.url,
	}
	programs := (&api.Server{
		Store:      n.db,
		Management: changes,
		Logger:     n.Logger.Named("api"),
		SignOns:    apiSignOns{people},
		Links:      apiLinks{n.agents},
		URL:        n.url,
		Bounds:     n.bounds.Bounds,
	}).Handler()
	sessions := signonpage.NewSessions(n.db, n.secure())

	mux := http.NewServeMux()
	mux.HandleFunc("GET /live", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "live\n") })
	mux.HandleFunc("GET /ready", n.serveReady)
	mux.HandleFunc("GET "+wire.PathStatus, n.agents.ServeStatus)
	mux.Handle("POST "+wire.PathPair, codes)
	mux.HandleFunc("POST "+wire.PathShow, codes.ServeShow)
	mux.HandleFunc("POST "+wire.PathAwait, codes.ServeAwait)
	mux.HandleFunc("POST "+wire.PathUnpair, n.agents.ServeUnpair)
	mux.Handle("GET "+wire.PathConnect, n.agents)
	proofs := n.proofs()
	mux.Handle("/console/", n.console(changes, codes, sessions, tickets.Services, proofs))
	mux.Handle("/", n.environments(sessions, people, tickets, programs, proofs))
	return n.counts.Requests(n.Logger.Named("http"), roomOf, mux)
}

// proofs checks what administrators and people prove who they are by.
// It has every URL of the cloud, since a passkey is kept for a name and not for an
// address.
func (n *node) proofs() *administrators.Authenticator {
	return &administrators.Authenticator{
		Store:   n.db,
		Vault:   n.keys,
		URLs:    append(slices.Clone(n.URLs), n.url),
		Hashing: administrators.NewQueue(n.bounds.Of(throttle.Passwords)),
		Bounds:  n.bounds.Bounds,
	}
}

// console is where administrators see and steer environments.
func (n *node) console(
	changes *management.Service, codes *pairing.Broker, sessions *signonpage.Sessions,
	services []string, proofs *administrators.Authenticator,
) http.Handler {
	return (&console.Server{
		Store:      n.db,
		Management: changes,
		Logger:     n.Logger.Named("console"),
		Pairings:   codes,
		Links:      n.agents,
		Proofs:     proofs,
		Mails:      n.SMTP != "",
		Providers:  n.providers,
		People:     sessions,
		Services:   services,
		URL:        n.url,
		Bytes:      n.db.Size,
		Secure:     n.secure(),
		Ending:     n.ending,
		Exports:    &n.bounds.exports,
		Streams:    &n.bounds.streams,
		Bounds:     n.bounds.Bounds,
	}).Handler()
}

// providerTime is how long an identity provider has for one answer.
const providerTime = 10 * time.Second

// reach holds us to addresses that identity providers and applications name.
func (n *node) reach() outbound.Guard {
	return outbound.Guard{Allowed: n.Providers, Flag: "--provider-network"}
}

// newProviders signs people on through identity providers.
// They are at public addresses, or in networks that the operator allowed.
func (n *node) newProviders() *idp.Desk {
	return &idp.Desk{
		Store:       n.db,
		Vault:       n.keys,
		Provisioner: n.records,
		URL:         n.url,
		HTTP:        n.reach().Client(providerTime),
		Counted:     n.counts.SignOn,
		Logger:      n.Logger.Named("idp"),
	}
}

// environments answers below an environment's ID, and hands everything else to the API.
// The token endpoint is one for programs and applications: the provider hands on what
// is a program's.
func (n *node) environments(
	sessions *signonpage.Sessions, people *signon.Service, tickets *kerberos.Verifier, programs http.Handler,
	proofs *administrators.Authenticator,
) http.Handler {
	applications := &oidc.Server{
		Store:    n.db,
		Vault:    n.keys,
		URL:      n.url,
		Sessions: sessions,
		HTTP:     n.reach().Client(providerTime),
		Clients:  programs,
		Logger:   n.Logger.Named("oidc"),
		Bounds:   n.bounds.Bounds,
	}
	saml := &samlidp.Server{
		Store:    n.db,
		Vault:    n.keys,
		URL:      n.url,
		Secure:   n.secure(),
		Sessions: sessions,
		Keys:     n.providers.OwnKey,
		Ended:    applications.Ended,
		Logger:   n.Logger.Named("saml"),
		Bounds:   n.bounds.Bounds,
	}
	applications.Leave = saml.SignedOff
	page := &signonpage.Server{
		Store:     n.db,
		Passwords: people,
		Tickets:   tickets,
		Flows:     flows{applications, saml},
		Providers: n.providers,
		Factors:   &factors.Service{Store: n.db, Proofs: proofs},
		Sessions:  sessions,
		Logger:    n.Logger.Named("page"),
		Bounds:    n.bounds.Bounds,
	}
	applications.Pages, saml.Pages = page, page
	pages := sessions.Wrap(page.Handler())
	mux := http.NewServeMux()
	mux.Handle("/{e}/as/", &crowd{sessions.Wrap(applications.Handler()), &n.bounds.tokens, tokensFull})
	identity := &crowd{sessions.Wrap(saml.Handler()), &n.bounds.tokens, page.Busy}
	for _, path := range []string{"idp/", "resume", "metadata", "metadata/"} {
		mux.Handle("/{e}/saml20/"+path, identity)
	}
	for _, pattern := range []string{
		"/{e}/signon", "/{e}/signon/", "/{e}/rp/", "/{e}/saml20/", signonpage.StaticPath,
		"GET /{$}", "GET /{e}", "GET /{e}/{$}", "GET " + signonpage.ChangePath, "GET /{e}" + signonpage.ChangePath,
		"GET " + signonpage.RobotsPath, "GET " + signonpage.IconPath,
	} {
		mux.Handle(pattern, pages)
	}
	mux.Handle("/", lost(page, programs))
	return mux
}

// lost has a page tell people that nothing is at an address, and the API everybody else.
func lost(page *signonpage.Server, programs http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if web.Browser(r) && !api.Serves(r.URL.Path) {
			page.Nowhere(w, r, http.StatusNotFound)
			return
		}
		programs.ServeHTTP(w, r)
	})
}

// watch has alerts looked for until the returned function is called.
// Each node watches; the store has one of them tell.
func (n *node) watch(ctx context.Context) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	watch := &alerts.Watch{
		Store:  n.db,
		Links:  n.agents,
		Post:   n.post(),
		Logger: n.Logger.Named("alerts"),
	}
	copies := n.copier()
	watch.Node = func(ctx context.Context) ([]store.Alert, error) {
		all, err := n.ofCertificates(ctx, time.Now())
		clock, unknown := ofClock(ctx, n.db.Ahead)
		return slices.Concat(all, clock, copies.alerts(), n.archive.alerts(), n.auditAlerts(),
			n.doors.alerts(time.Now()), n.fronts.alerts(), n.boundAlerts(ctx, time.Now())), errors.Join(err, unknown)
	}
	var running sync.WaitGroup
	running.Go(func() { watch.Run(ctx) })
	running.Go(func() { n.providers.Run(ctx) })
	running.Go(func() { n.sweep(ctx) })
	running.Go(func() { n.finish(ctx) })
	running.Go(func() { n.watchWrites(ctx) })
	running.Go(func() { n.watchCertificates(ctx) })
	running.Go(func() { copies.run(ctx) })
	for _, s := range n.audit {
		running.Go(func() { s.Run(ctx) })
	}
	return func() { cancel(); running.Wait() }
}

// sweepEvery is how often a node deletes what is not kept any longer.
const sweepEvery = time.Hour

// sweep counts sign-ons by the hour, and deletes what is not kept any longer, now and then
// until ctx ends. The first time is a while after the start, and another one for each node.
func (n *node) sweep(ctx context.Context) {
	next := time.NewTimer(time.Minute + rand.N(sweepEvery/4))
	defer next.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-next.C:
		}
		if err := n.db.CountHours(ctx, time.Now()); err != nil && ctx.Err() == nil {
			n.Logger.Error("sign-ons were not all counted", "error", err)
		}
		swept, err := n.db.Sweep(ctx, time.Now(), n.archive.to())
		if err != nil && ctx.Err() == nil {
			n.Logger.Error("what is too old was not all deleted", "error", err)
		}
		if swept != (store.Swept{}) {
			n.Logger.Info("what was too old was deleted", "signOns", swept.SignOns, "activities", swept.Activities)
		}
		next.Reset(sweepEvery)
	}
}

// post tells alerts.
// It keeps nothing, so that each who asks has one.
func (n *node) post() *alerts.Post {
	return &alerts.Post{
		Vault:   n.keys,
		SMTP:    n.SMTP,
		From:    n.MailFrom,
		Allowed: n.Webhooks,
		URL:     n.url,
	}
}

// serveMetrics serves them at an address of their own until the returned function
// is called. That they cannot be stops nothing else.
func (n *node) serveMetrics() (stop func()) {
	if n.Metrics == "" {
		return func() {}
	}
	l, err := net.Listen("tcp", n.Metrics)
	if err != nil {
		n.Logger.Error("--metrics", "error", err)
		return func() {}
	}
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", n.counts.Handler())
	srv := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	go func() {
		if err := srv.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			n.Logger.Error("metrics are not served any more", "error", err)
		}
	}()
	n.Logger.Info("metrics are served", "address", l.Addr())
	return func() { _ = srv.Close() }
}

// services are the Kerberos names that people's browsers ask tickets for.
// One is made of each URL. An address of this machine has the name localhost as well,
// which is what browsers there ask for.
func services(urls []string) (names []string) {
	for _, text := range urls {
		u, err := url.Parse(text)
		if err != nil {
			continue // it is an audience of agents, and no more
		}
		names = append(names, "HTTP/"+u.Hostname())
		if a, err := netip.ParseAddr(u.Hostname()); err == nil && a.IsLoopback() {
			names = append(names, "HTTP/localhost")
		}
	}
	return names
}

// serveReady tells a balancer whether to send requests here.
// It is no while the node is about to stop, the database is away or takes no writes, or
// the bus is away and no agent linked, and yes again by itself. Whether any agent is
// connected is not asked else: that is no fault of this node.
func (n *node) serveReady(w http.ResponseWriter, r *http.Request) {
	if err := cmp.Or(n.agents.Ready(r.Context()), n.db.Writable(r.Context())); err != nil {
		n.Logger.Debug("not ready", "error", err)
		http.Error(w, "not ready", http.StatusServiceUnavailable) // why is nobody's business
		return
	}
	_, _ = io.WriteString(w, "ready\n")
}
