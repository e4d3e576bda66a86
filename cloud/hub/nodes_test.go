package hub_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/nats-io/jwt/v2"
	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nkeys"

	"ldap-gateway/cloud/hub"
	"ldap-gateway/cloudlink/wire"
	"ldap-gateway/directory/directorytest"
)

// natsCluster is a real NATS cluster in the process, on loopback.
type natsCluster struct {
	t       *testing.T
	servers []*server.Server
	options []server.Options
}

func startNATS(t *testing.T, n int) *natsCluster {
	t.Helper()
	c := &natsCluster{t: t}
	for i := range n {
		o := server.Options{
			ServerName: string(rune('a' + i)),
			Host:       "127.0.0.1",
			Port:       -1,
			Username:   "cloud",
			Password:   "secret",
			NoSigs:     true,
			NoLog:      true,
			MaxPayload: 8 << 20,
			Cluster:    server.ClusterOpts{Name: "c", Host: "127.0.0.1", Port: -1},
		}
		if i > 0 {
			o.Routes = server.RoutesFromStr("nats://" + c.servers[0].ClusterAddr().String())
		}
		c.options = append(c.options, o)
		c.servers = append(c.servers, nil)
		c.start(i)
	}
	t.Cleanup(func() {
		for i := range c.servers {
			c.stop(i)
		}
	})
	return c
}

func (c *natsCluster) start(i int) {
	c.t.Helper()
	o := c.options[i]
	s, err := server.NewServer(&o)
	must(c.t, err)
	go s.Start()
	if !s.ReadyForConnections(10 * time.Second) {
		c.t.Fatal("NATS does not start")
	}
	c.options[i].Port = s.Addr().(*net.TCPAddr).Port // a restart comes back there
	if routes := s.ClusterAddr(); routes != nil {
		c.options[i].Cluster.Port = routes.Port
	}
	c.servers[i] = s
}

func (c *natsCluster) stop(i int) {
	c.servers[i].Shutdown()
	c.servers[i].WaitForShutdown()
}

func (c *natsCluster) url(i int) string { return "nats://cloud:secret@" + c.servers[i].Addr().String() }

// listen hears every message of the bus until the test ends.
func (c *natsCluster) listen(hear nats.MsgHandler) (*nats.Subscription, error) {
	c.t.Helper()
	conn, err := nats.Connect(c.url(0))
	must(c.t, err)
	c.t.Cleanup(conn.Close)
	sub, err := conn.Subscribe(">", hear)
	must(c.t, conn.Flush())
	return sub, err
}

// startNodes starts nodes of one cloud, each with a NATS server of its own.
func startNodes(t *testing.T, c *natsCluster) []*node {
	t.Helper()
	var urls []string
	for i := range c.servers {
		urls = append(urls, c.url(i))
	}
	return startNodesAt(t, urls...)
}

// startNodesAt starts nodes of one cloud, each at a NATS server.
func startNodesAt(t *testing.T, urls ...string) []*node {
	t.Helper()
	first := startStore(t)
	nodes := make([]*node, len(urls))
	for i, url := range urls {
		bus, err := hub.JoinBus(hub.BusConfig{URLs: []string{url}, Logger: hclog.NewNullLogger()})
		must(t, err)
		t.Cleanup(bus.Close)
		nodes[i] = &node{t: t, store: first.store, gateway: first.gateway, bus: bus}
		l, err := net.Listen("tcp", "127.0.0.1:0")
		must(t, err)
		nodes[i].serve(l, time.Second)
		t.Cleanup(nodes[i].close)
	}
	return nodes
}

// Every node asks the agents of all nodes, and knows what happens to them.
func TestNodesShareAgents(t *testing.T) {
	nodes := startNodes(t, startNATS(t, 2))
	a, b := nodes[0], nodes[1]
	m := a.start(ok)
	b.await("the other node knows the instance", func() bool { return b.live(m) })
	if r := b.signOn("x"); r.Outcome != wire.OutcomeOK || r.Instance != m.instance {
		t.Fatalf("%+v", r)
	}
	before := len(m.deliveries())
	b.hub.UserTypesChanged(b.gateway.ID)
	a.await("a change on one node is delivered by the other", func() bool { return len(m.deliveries()) > before })
	from := time.Now()
	must(t, b.store.RevokeInstance(t.Context(), b.gateway.EnvironmentID, b.gateway.ID, m.instance, "test", time.Now()))
	b.hub.Revoked(m.instance)
	a.await("the link is cut", func() bool { return !a.live(m) && !b.live(m) })
	if d := time.Since(from); d > 5*time.Second {
		t.Errorf("cut after %s", d)
	}
}

// Nodes know how many they are, as they come, go, die without a word, and while the bus is away.
func TestNodesKnowHowManyTheyAre(t *testing.T) {
	c := startNATS(t, 2)
	nodes := startNodesAt(t, c.url(0), c.url(1), c.url(0), c.url(1))
	all := func(n int, of ...*node) {
		t.Helper()
		of[0].await(fmt.Sprint("nodes are ", n), func() bool {
			return !slices.ContainsFunc(of, func(one *node) bool { return one.hub.Nodes() != n })
		})
	}
	all(4, nodes...)
	nodes[3].close()
	all(3, nodes[:3]...)
	nodes[2].bus.Close() // as one that is killed
	all(2, nodes[:2]...)
	c.stop(0)
	c.stop(1)
	all(1, nodes[:2]...)
	c.start(0)
	c.start(1)
	all(2, nodes[:2]...)
}

// What one node tells of tries the others hear, each once and it itself not; what crosses the bus
// names nobody.
func TestNodesHearTries(t *testing.T) {
	nodes := startNodes(t, startNATS(t, 3))
	heard := make([]chan hub.Try, len(nodes))
	for i, n := range nodes {
		heard[i] = make(chan hub.Try, 100)
		n.hub.HearTries(func(t hub.Try) { heard[i] <- t })
	}
	hear := func(i int) (t hub.Try, ok bool) {
		select {
		case t = <-heard[i]:
			return t, true
		case <-time.After(100 * time.Millisecond):
			return t, false
		}
	}
	for from := range nodes { // servers tell each other with a delay who listens
		for to := range nodes {
			nodes[0].await("the nodes hear each other", func() bool {
				nodes[from].hub.Tried(hub.Try{Key: fmt.Sprint("from ", from)})
				t, _ := hear(to)
				return from == to || t.Key == fmt.Sprint("from ", from)
			})
		}
	}
	for i := range nodes {
		for ok := true; ok; {
			_, ok = hear(i)
		}
	}
	told := []hub.Try{{Key: "\x00\xff no text"}, {Key: "a", Right: true}, {Key: "a"}, {Key: "a", Code: true}}
	for _, try := range told {
		nodes[0].hub.Tried(try)
	}
	nodes[1].hub.Tried(hub.Try{Key: "end"})
	for i, want := range [][]hub.Try{{{Key: "end"}}, told, append(told, hub.Try{Key: "end"})} {
		var got []hub.Try
		nodes[0].await("all is heard", func() bool {
			if t, ok := hear(i); ok {
				got = append(got, t)
			}
			return len(got) >= len(want)
		})
		if t, ok := hear(i); ok {
			got = append(got, t)
		}
		for _, w := range want {
			if !slices.Contains(got, w) {
				t.Errorf("node %d heard %v, not %v", i, got, w)
			}
		}
		if len(got) != len(want) {
			t.Errorf("node %d heard more: %v", i, got)
		}
	}
}

// A copy that is linked to another node than the original is found all the same.
func TestTwinOnAnotherNode(t *testing.T) {
	nodes := startNodes(t, startNATS(t, 2))
	m := nodes[0].start(ok)
	nodes[0].await("its epoch is confirmed", func() bool { return m.epoch.Load() == 1 })
	twin := &machine{instance: m.instance, seal: m.seal, keys: m.keys, person: &person{answer: ok}}
	twin.epoch.Store(m.epoch.Load())
	twin.forget(t)
	nodes[1].run(twin)
	nodes[0].await("the instance is in quarantine", func() bool {
		i, err := nodes[0].store.Instance(t.Context(), m.instance)
		return err == nil && !i.QuarantinedAt.IsZero()
	})
	nodes[0].await("neither has a link", func() bool { return !nodes[0].live(m) && !nodes[1].live(m) })
}

// Somebody on the bus announces a link of an instance with a key of their own: no
// password is sealed for it, and nothing is sent there.
func TestBusCannotNameAnotherKey(t *testing.T) {
	c := startNATS(t, 1)
	n := startNodes(t, c)[0]
	m := n.start(ok)
	_, public, err := wire.NewSealKey()
	must(t, err)
	lie, err := json.Marshal(hub.Live{
		Link:     "lie",
		Instance: m.instance,
		Gateway:  n.gateway.ID,
		SealKey:  public,
		Since:    time.Now().Add(time.Hour),
	})
	must(t, err)
	var asked atomic.Int64
	somebody, err := nats.Connect(c.url(0))
	must(t, err)
	t.Cleanup(somebody.Close)
	_, err = somebody.Subscribe("link.lie", func(*nats.Msg) { asked.Add(1) })
	must(t, err)
	must(t, somebody.Publish("presence", lie))
	n.await("it is believed to be live", func() bool { return n.hub.Live(n.gateway.ID)[0].Link == "lie" })
	ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
	defer cancel()
	a := n.hub.SignOn(ctx, hub.Request{
		ID:         "x",
		Gateway:    n.gateway.ID,
		UserType:   "t1",
		Identifier: "alice",
		Want:       wire.WantRecord,
		Password:   []byte("hunter2"),
	})
	if a.Outcome != wire.OutcomeDirectoryUnavailable || a.BindSent || asked.Load() != 0 {
		t.Errorf("%+v, asked %d times", a, asked.Load())
	}
}

// Whoever waits for an agent of a node that dies learns it soon, and that a bind
// may have happened.
func TestNodeDiesWhileAsked(t *testing.T) {
	nodes := startNodes(t, startNATS(t, 2))
	a, b := nodes[0], nodes[1]
	asked := make(chan struct{})
	m := a.start(func(ctx context.Context, _ wire.SignOn, _ string) wire.SignOnResult {
		close(asked)
		<-ctx.Done()
		return wire.SignOnResult{Outcome: wire.OutcomeTimeout}
	})
	b.await("the other node knows the instance", func() bool { return b.live(m) })
	go func() {
		<-asked
		a.bus.Close() // a process that is killed goes without a word
	}()
	from := time.Now()
	if r := b.signOn("x"); r.Outcome != wire.OutcomeUnknown || !r.BindSent {
		t.Errorf("%+v", r)
	}
	if d := time.Since(from); d > 3*time.Second {
		t.Errorf("after %s", d)
	}
}

// Nodes that lose their bus serve the links that they hold, at once; the others say that
// it is lost, as quickly. They come back by themselves, and make up for what they did not
// hear: here, that an instance was revoked.
func TestBusIsLostForAWhile(t *testing.T) {
	c := startNATS(t, 2)
	nodes := startNodes(t, c)
	a, b := nodes[0], nodes[1]
	kept, revoked := a.start(ok), a.start(ok)
	b.await("the other node knows both", func() bool { return b.live(kept) && b.live(revoked) })
	c.stop(0)
	a.await("the node goes to the other server", func() bool {
		return a.hub.Ready(t.Context()) == nil && b.signOn("x").Outcome == wire.OutcomeOK
	})
	c.stop(1)
	b.await("without links it is not ready", func() bool { return b.hub.Ready(t.Context()) != nil })
	from := time.Now()
	for range 10 {
		if r := b.signOn("x"); r.Outcome != wire.OutcomeDirectoryUnavailable || r.BindSent {
			t.Errorf("without a bus: %+v", r)
		}
		if r := a.signOn("x"); r.Outcome != wire.OutcomeOK {
			t.Errorf("by a link of its own: %+v", r)
		}
	}
	if d := time.Since(from); d > 2*time.Second {
		t.Errorf("20 sign-ons without a bus took %s", d)
	}
	if err := a.hub.Ready(t.Context()); err != nil {
		t.Errorf("a node with links is not ready: %v", err)
	}
	must(t, b.store.RevokeInstance(
		t.Context(),
		b.gateway.EnvironmentID,
		b.gateway.ID,
		revoked.instance,
		"test",
		time.Now(),
	))
	b.hub.Revoked(revoked.instance)
	a.await("who is revoked is cut, although nobody can say so", func() bool { return !a.live(revoked) && a.live(kept) })
	late := a.start(ok)
	c.start(0)
	c.start(1)
	for _, n := range nodes {
		n.await("it is ready again", func() bool { return n.hub.Ready(t.Context()) == nil })
		n.await("the revoked instance is cut", func() bool { return !n.live(revoked) })
		n.await("who came meanwhile is known", func() bool { return n.live(late) })
		n.await("sign-ons work", func() bool { return n.signOn("x").Outcome == wire.OutcomeOK })
	}
}

// TestBusIsCutOffInSilence stops every byte between one node and the bus, without a word
// to either. Nothing ends unknown: what another node's link would have to answer is not
// sent, and a link of the node's own goes on.
func TestBusIsCutOffInSilence(t *testing.T) {
	c := startNATS(t, 2)
	between := newCable(t, c.servers[1].Addr().String())
	nodes := startNodesAt(t, c.url(0), "nats://cloud:secret@"+between.Addr().String())
	a, b := nodes[0], nodes[1]
	far := a.start(ok)
	b.await("the other node knows the instance", func() bool { return b.live(far) })
	if r := b.signOn("x"); r.Outcome != wire.OutcomeOK {
		t.Fatalf("%+v", r)
	}
	between.cut()
	b.await("it is not ready without links", func() bool { return b.hub.Ready(t.Context()) != nil })
	from := time.Now()
	for range 5 {
		if r := b.signOn("x"); r.Outcome != wire.OutcomeDirectoryUnavailable || r.BindSent {
			t.Errorf("cut off: %+v", r)
		}
	}
	if d := time.Since(from); d > 2*time.Second {
		t.Errorf("five sign-ons took %s", d)
	}
	near := b.start(ok)
	for range 5 {
		if r := b.signOn("x"); r.Outcome != wire.OutcomeOK || r.Instance != near.instance {
			t.Errorf("by a link of its own: %+v", r)
		}
	}
	gone := b.start(ok)
	must(t, a.store.RevokeInstance(t.Context(), a.gateway.EnvironmentID, a.gateway.ID, gone.instance, "test", time.Now()))
	a.hub.Revoked(gone.instance)
	b.await("who is revoked is cut, although nobody can say so", func() bool { return !b.live(gone) && b.live(near) })
	between.mend()
	a.await("who came meanwhile is known", func() bool { return a.live(near) })
	near.stop()
	b.await("the other node's are asked again", func() bool { return b.signOn("x").Outcome == wire.OutcomeOK })
}

// TestSilentBusFreezesNobody: a bus that takes connections and says nothing, for longer than
// it takes to give it up and to try again, keeps nobody waiting who is asked by a link of
// the node.
func TestSilentBusFreezesNobody(t *testing.T) {
	c := startNATS(t, 1)
	between := newCable(t, c.servers[0].Addr().String())
	n := startNodesAt(t, "nats://cloud:secret@"+between.Addr().String())[0]
	n.start(ok)
	between.cut()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for until := time.Now().Add(11 * time.Second); time.Now().Before(until); <-tick.C {
		from := time.Now()
		if r := n.signOn("x"); r.Outcome != wire.OutcomeOK || time.Since(from) > 2*time.Second {
			t.Fatalf("after %s: %+v", time.Since(from), r)
		}
	}
}

// TestNodeStartsWithoutItsBus serves its own links meanwhile.
func TestNodeStartsWithoutItsBus(t *testing.T) {
	c := startNATS(t, 1)
	url := c.url(0)
	c.stop(0)
	n := startNodesAt(t, url)[0]
	m := n.start(ok)
	if r := n.signOn("x"); r.Outcome != wire.OutcomeOK || r.Instance != m.instance {
		t.Errorf("%+v", r)
	}
	c.start(0)
	other := startNodesAt(t, url)[0]
	other.store, other.gateway = n.store, n.gateway
	other.await("the other node knows the instance", func() bool { return other.live(m) })
}

// Who gives the wrong password, or none, is not let onto the bus.
func TestBusIsGuarded(t *testing.T) {
	c := startNATS(t, 1)
	for _, url := range []string{
		"nats://" + c.servers[0].Addr().String(),
		"nats://cloud:guess@" + c.servers[0].Addr().String(),
	} {
		if join(hub.BusConfig{URLs: []string{url}}) {
			t.Errorf("%s is let in", url)
		}
	}
	small := c.options[0]
	small.Port, small.MaxPayload, small.Cluster = -1, 1<<20, server.ClusterOpts{}
	c.options = append(c.options, small)
	c.servers = append(c.servers, nil)
	c.start(1)
	if join(hub.BusConfig{URLs: []string{c.url(1)}}) {
		t.Error("a bus is taken that cannot carry a frame")
	}
}

// join joins a bus, and says whether it was let in.
func join(cfg hub.BusConfig) bool {
	cfg.Logger = hclog.NewNullLogger()
	bus, err := hub.JoinBus(cfg)
	if err == nil {
		bus.Close()
	}
	return err == nil
}

// A bus over TLS that wants certificates of both sides, as between machines.
func TestBusOverTLS(t *testing.T) {
	authority, err := directorytest.NewAuthority()
	must(t, err)
	cert, err := authority.Issue([]string{"localhost"}, func(c *x509.Certificate) {
		c.ExtKeyUsage = append(c.ExtKeyUsage, x509.ExtKeyUsageClientAuth)
	})
	must(t, err)
	chain, key, err := directorytest.CertificatePEM(cert)
	must(t, err)
	dir := t.TempDir()
	for name, b := range map[string][]byte{"ca": authority.PEM, "cert": chain, "key": key} {
		must(t, os.WriteFile(filepath.Join(dir, name), b, 0o600))
	}
	c := &natsCluster{
		t:       t,
		servers: make([]*server.Server, 1),
		options: []server.Options{{
			Host:       "127.0.0.1",
			Port:       -1,
			NoSigs:     true,
			NoLog:      true,
			MaxPayload: 8 << 20,
			TLS:        true,
			TLSVerify:  true,
			TLSTimeout: 5,
			TLSConfig: &tls.Config{
				Certificates: []tls.Certificate{cert},
				ClientAuth:   tls.RequireAndVerifyClientCert,
				ClientCAs:    authority.Pool,
				MinVersion:   tls.VersionTLS12,
			},
		}},
	}
	c.start(0)
	t.Cleanup(func() { c.stop(0) })
	url := fmt.Sprintf("tls://localhost:%d", c.options[0].Port)
	full := hub.BusConfig{URLs: []string{url}, CAFile: dir + "/ca", CertFile: dir + "/cert", KeyFile: dir + "/key"}
	if !join(full) {
		t.Error("a node with its certificate stays outside")
	}
	for name, change := range map[string]func(*hub.BusConfig){
		"no certificate":      func(c *hub.BusConfig) { c.CertFile, c.KeyFile = "", "" },
		"another authority":   func(c *hub.BusConfig) { c.CAFile = "" },
		"authority not there": func(c *hub.BusConfig) { c.CAFile = dir + "/none" },
		"no authority in it":  func(c *hub.BusConfig) { c.CAFile = dir + "/key" },
		"another name":        func(n *hub.BusConfig) { n.URLs = []string{fmt.Sprintf("tls://127.0.0.1:%d", c.options[0].Port)} },
	} {
		cfg := full
		change(&cfg)
		if join(cfg) {
			t.Errorf("joined with %s", name)
		}
	}
}

// A node proves itself by a NATS credentials file.
func TestBusWithCredentials(t *testing.T) {
	operator, account := seedOf(t, nkeys.CreateOperator), seedOf(t, nkeys.CreateAccount)
	user := seedOf(t, nkeys.CreateUser)
	accountToken, err := jwt.NewAccountClaims(account.public).Encode(operator.pair)
	must(t, err)
	userToken, err := jwt.NewUserClaims(user.public).Encode(account.pair)
	must(t, err)
	resolver := &server.MemAccResolver{}
	must(t, resolver.Store(account.public, accountToken))
	c := &natsCluster{
		t:       t,
		servers: make([]*server.Server, 1),
		options: []server.Options{{
			Host:            "127.0.0.1",
			Port:            -1,
			NoSigs:          true,
			NoLog:           true,
			MaxPayload:      8 << 20,
			TrustedKeys:     []string{operator.public},
			AccountResolver: resolver,
		}},
	}
	c.start(0)
	t.Cleanup(func() { c.stop(0) })
	file, err := jwt.FormatUserConfig(userToken, user.seed)
	must(t, err)
	path := filepath.Join(t.TempDir(), "creds")
	must(t, os.WriteFile(path, file, 0o600))
	url := "nats://" + c.servers[0].Addr().String()
	if !join(hub.BusConfig{URLs: []string{url}, CredentialsFile: path}) {
		t.Error("a node with its credentials stays outside")
	}
	if join(hub.BusConfig{URLs: []string{url}}) {
		t.Error("joined without credentials")
	}
}

// identity is a key of NATS.
type identity struct {
	pair   nkeys.KeyPair
	public string
	seed   []byte
}

func seedOf(t *testing.T, create func() (nkeys.KeyPair, error)) identity {
	t.Helper()
	pair, err := create()
	must(t, err)
	public, err := pair.PublicKey()
	must(t, err)
	seed, err := pair.Seed()
	must(t, err)
	return identity{pair, public, seed}
}
