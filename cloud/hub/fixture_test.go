package hub_test

import (
	"context"
	"crypto/ed25519"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/hashicorp/go-hclog"

	"ldap-gateway/cloud/hub"
	"ldap-gateway/cloud/store"
	"ldap-gateway/cloud/store/storetest"
	"ldap-gateway/cloudlink"
	"ldap-gateway/cloudlink/wire"
)

// nonceKey is that of each node's nonces.
const nonceKey = "nonces of this test"

// node is a hub with its store, its bus and a web server.
type node struct {
	t       testing.TB
	store   *store.Store
	hub     *hub.Hub
	bus     *hub.Bus // nil: it is the only one
	server  *httptest.Server
	gateway store.Gateway
}

func startNode(t testing.TB, heartbeat time.Duration) *node {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	return startNodeAt(t, l, heartbeat)
}

// startNodeAt is startNode on a listener.
func startNodeAt(t testing.TB, l net.Listener, heartbeat time.Duration) *node {
	t.Helper()
	n := startStore(t)
	n.serve(l, heartbeat)
	t.Cleanup(n.close)
	return n
}

// startStore makes a node that does not run yet.
func startStore(t testing.TB) *node {
	t.Helper()
	ctx := t.Context()
	db, err := store.Open(ctx, storetest.File(t))
	must(t, err)
	t.Cleanup(func() { must(t, db.Close()) })
	env := store.Environment{Name: "E"}
	must(t, db.CreateEnvironment(ctx, &env))
	n := &node{
		t:     t,
		store: db,
		gateway: store.Gateway{
			EnvironmentID: env.ID,
			Name:          "HQ",
			Vendor:        "OpenLDAP",
			Enabled:       true,
			UserTypes: []store.UserType{{
				ID:                "t1",
				Name:              "Staff",
				SearchBaseDN:      "dc=x",
				FilterPattern:     "(uid=${identifier})",
				Correlation:       []string{"entryUUID"},
				PasswordAuthority: "LDAP",
				Mappings:          []store.Mapping{{Name: "username", Value: "${ldapAttributes.uid}"}},
			}},
		},
	}
	must(t, db.CreateGateway(ctx, &n.gateway))
	return n
}

// serve starts a hub on a listener.
func (n *node) serve(l net.Listener, heartbeat time.Duration) {
	n.t.Helper()
	var err error
	n.hub, err = hub.New(hub.Config{
		Store:     n.store,
		Bus:       n.bus,
		Node:      "n1",
		Audiences: []string{"http://" + l.Addr().String()},
		Logger:    hclog.NewNullLogger(),
		Heartbeat: heartbeat,
		NonceKey:  []byte(nonceKey),
	})
	must(n.t, err)
	paths := http.NewServeMux()
	paths.Handle("/", n.hub)
	paths.HandleFunc("GET "+wire.PathStatus, n.hub.ServeStatus)
	paths.HandleFunc("POST "+wire.PathUnpair, n.hub.ServeUnpair)
	n.server = &httptest.Server{Listener: l, Config: &http.Server{Handler: paths}}
	n.server.Start()
}

func (n *node) close() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	n.hub.Close(ctx)
	n.server.Close()
}

// restartHub ends the hub and starts another at the same address.
func (n *node) restartHub() {
	n.t.Helper()
	address, heartbeat := n.server.Listener.Addr().String(), n.hub.Heartbeat
	n.close()
	l, err := net.Listen("tcp", address)
	must(n.t, err)
	n.serve(l, heartbeat)
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// person answers sign-ons as a test says. It opens the password as an agent does.
type person struct {
	opener *wire.Opener
	answer func(ctx context.Context, m wire.SignOn, password string) wire.SignOnResult

	look func(wire.Look) wire.Looked // nil: refused

	mu        sync.Mutex
	delivered []wire.UserTypes
	asked     int
}

func (p *person) UserTypes(_ context.Context, m wire.UserTypes) wire.UserTypesAnswer {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.delivered = append(p.delivered, m)
	return wire.UserTypesAnswer{Revision: m.Revision}
}

func (p *person) SignOn(ctx context.Context, m wire.SignOn) wire.SignOnResult {
	p.mu.Lock()
	p.asked++
	opener := p.opener
	p.mu.Unlock()
	password, err := opener.Open(m.ID, m.Password)
	if err != nil {
		return wire.SignOnResult{ID: m.ID, Outcome: wire.OutcomeBusy, KeyUnknown: true}
	}
	r := p.answer(ctx, m, string(password))
	if r.ID == "" {
		r.ID = m.ID
	}
	return r
}

// ChangePassword answers as for a sign-on, with both passwords.
func (p *person) ChangePassword(ctx context.Context, m wire.ChangePassword) wire.PasswordChanged {
	p.mu.Lock()
	p.asked++
	opener := p.opener
	p.mu.Unlock()
	old, err := opener.Open(wire.OldPassword(m.ID), m.Old)
	fresh, newErr := opener.Open(wire.NewPassword(m.ID), m.New)
	if err != nil || newErr != nil {
		return wire.PasswordChanged{ID: m.ID, Outcome: wire.OutcomeBusy, KeyUnknown: true}
	}
	r := p.answer(ctx, wire.SignOn{
		ID:         m.ID,
		UserType:   m.UserType,
		Revision:   m.Revision,
		Identifier: m.Identifier,
		Known:      m.Known,
	}, string(old)+"/"+string(fresh))
	out := wire.PasswordChanged{ID: m.ID, Outcome: r.Outcome, Reason: r.Reason, BindSent: r.BindSent}
	if r.ID != "" {
		out.ID = r.ID
	}
	if r.Outcome == wire.OutcomeNewPasswordRefused {
		out.Refusal = wire.PasswordRefusal(r.RetryMillis)
	}
	return out
}

func (p *person) count() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.asked
}

func ok(context.Context, wire.SignOn, string) wire.SignOnResult {
	return wire.SignOnResult{Outcome: wire.OutcomeOK, BindSent: true, Entry: &wire.Entry{DN: "uid=alice"}}
}

func fixed(r wire.SignOnResult) func(context.Context, wire.SignOn, string) wire.SignOnResult {
	return func(context.Context, wire.SignOn, string) wire.SignOnResult { return r }
}

// machine is a paired agent with a link.
type machine struct {
	person   *person
	epoch    atomic.Uint64
	policy   string // hash
	link     *cloudlink.Link
	instance string
	keys     cloudlink.Credential
	seal     []byte
	stop     func()
}

// pair makes an instance and does not run it yet.
func (n *node) pair(answer func(context.Context, wire.SignOn, string) wire.SignOnResult) *machine {
	n.t.Helper()
	ctx := n.t.Context()
	public, private, err := ed25519.GenerateKey(nil)
	must(n.t, err)
	sealPrivate, sealPublic, err := wire.NewSealKey()
	must(n.t, err)
	code := []byte(uuid.NewString())
	must(n.t, n.store.CreatePairing(ctx, &store.Pairing{
		EnvironmentID: n.gateway.EnvironmentID,
		GatewayID:     n.gateway.ID,
		CodeHash:      code,
		CreatedAt:     time.Now(),
		ExpiresAt:     time.Now().Add(time.Hour),
	}))
	i := store.Instance{
		ID:          uuid.NewString(),
		PublicKey:   public,
		SealKey:     sealPublic,
		Fingerprint: wire.Fingerprint(public, sealPublic),
	}
	_, err = n.store.RedeemPairing(ctx, code, time.Now(), &i)
	must(n.t, err)
	m := &machine{
		instance: i.ID,
		seal:     sealPrivate,
		person:   &person{answer: answer},
		keys:     cloudlink.Credential{Instance: i.ID, Key: private},
	}
	m.forget(n.t)
	return m
}

// forget drops the sealing keys, as a restart does.
func (m *machine) forget(t testing.TB) {
	t.Helper()
	opener, err := wire.NewOpener(m.instance, m.seal)
	must(t, err)
	m.person.mu.Lock()
	m.person.opener = opener
	m.person.mu.Unlock()
}

// run links a machine until the test or m.stop ends it.
func (n *node) run(m *machine) {
	n.t.Helper()
	base, err := url.Parse(n.server.URL)
	must(n.t, err)
	client := &http.Client{Transport: &http.Transport{}}
	m.keys.Epoch, m.keys.Keep = m.epoch.Load, func(e uint64) error { m.epoch.Store(e); return nil }
	m.link = &cloudlink.Link{
		URL:        base,
		Client:     client,
		Credential: m.keys,
		Handler:    m.person,
		Handlers:   256,
		DrainTime:  time.Second,
		Hello:      func() wire.Hello { return wire.Hello{Software: "t", Hostname: m.instance, PolicyHash: m.policy} },
		Heartbeat:  func() wire.Heartbeat { return wire.Heartbeat{} },
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() { defer close(ended); _ = m.link.Run(ctx) }()
	m.stop = func() { cancel(); <-ended; client.CloseIdleConnections() }
	n.t.Cleanup(m.stop)
}

// start pairs and links one machine, and waits until the hub knows it.
func (n *node) start(answer func(context.Context, wire.SignOn, string) wire.SignOnResult) *machine {
	n.t.Helper()
	m := n.pair(answer)
	n.run(m)
	n.await("the instance is live", func() bool { return n.live(m) && len(m.deliveries()) > 0 })
	return m
}

func (m *machine) deliveries() []wire.UserTypes {
	m.person.mu.Lock()
	defer m.person.mu.Unlock()
	return m.person.delivered
}

func (n *node) live(m *machine) bool { return n.liveSince(m, time.Time{}) }

func (n *node) liveSince(m *machine, from time.Time) bool {
	for _, l := range n.hub.Live(n.gateway.ID) {
		if l.Instance == m.instance && !l.Leaving && l.Since.After(from) {
			return true
		}
	}
	return false
}

// await polls until the condition holds, and fails the test after ten seconds.
func (n *node) await(what string, holds func() bool) {
	n.t.Helper()
	n.awaitFor(10*time.Second, what, holds)
}

// awaitFor is await with another limit.
func (n *node) awaitFor(most time.Duration, what string, holds func() bool) {
	n.t.Helper()
	limit := time.NewTimer(most)
	defer limit.Stop()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-tick.C:
		case <-limit.C:
			n.t.Fatalf("within %s it did not come true that %s", most, what)
		}
	}
}

func (n *node) signOn(password string) hub.Answer {
	n.t.Helper()
	ctx, cancel := context.WithTimeout(n.t.Context(), 5*time.Second)
	defer cancel()
	g, err := n.store.GatewayByID(ctx, n.gateway.ID)
	must(n.t, err)
	return n.hub.SignOn(ctx, hub.Request{
		ID:         uuid.NewString(),
		Gateway:    n.gateway.ID,
		UserType:   "t1",
		Revision:   g.Revision,
		Identifier: "alice",
		Want:       wire.WantRecord,
		Password:   []byte(password),
	})
}

// Look answers as a test says, and refuses otherwise.
func (p *person) Look(_ context.Context, m wire.Look) wire.Looked {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.look != nil {
		return p.look(m)
	}
	return wire.Looked{ID: m.ID, Outcome: wire.OutcomeNotAllowed}
}

// Explain implements cloudlink.Handler.
func (*person) Explain(_ context.Context, m wire.Explain) wire.Explained {
	return wire.Explained{ID: m.ID, Outcome: wire.OutcomeNotAllowed}
}
