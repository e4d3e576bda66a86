package e2e

import (
	"cmp"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"ldap-gateway/cloud/api/client"
	"ldap-gateway/cloud/store/pgtest"
)

// cluster is a world whose cloud has two nodes, on one PostgreSQL and one NATS
// server, behind a balancer. It has two agents.
type cluster struct {
	*world
	database *pgtest.Server
	bus      *server.Server
	balancer *balancer
	nodes    []*node
}

// node is one process of the cloud.
type node struct {
	name, listen string
	nats         string // file with the address of the bus; empty: that of the cluster
	*process
}

func newCluster(t *testing.T) *cluster {
	t.Helper()
	return newClusterOf(t, plan{})
}

// newClusterOf is newCluster before another directory.
func newClusterOf(t *testing.T, p plan) *cluster {
	t.Helper()
	c := &cluster{
		world:    &world{t: t, dir: t.TempDir(), update: true},
		database: pgtest.Start(t),
		balancer: startBalancer(t),
	}
	c.at = *c.startSlapd(p.slapd)
	must(t, os.WriteFile(c.dir+"/database", []byte(c.database.Database()+"\n"), 0o600))
	c.startBus(-1)
	must(t, os.WriteFile(c.dir+"/nats", []byte("nats://cloud:secret@"+c.bus.Addr().String()+"\n"), 0o600))
	out, err := exec.Command(programs+"/ldap-cloud", "init", "--database-file", c.dir+"/database", "--master-key", c.dir+"/master.key", "--json").Output()
	must(t, err)
	var setup struct{ EnvironmentID, ClientID, ClientSecret string }
	must(t, json.Unmarshal(out, &setup))
	c.url = c.balancer.server.URL
	c.api = &client.Client{URL: c.url, Environment: setup.EnvironmentID, ID: setup.ClientID, Secret: setup.ClientSecret}
	for _, name := range []string{"node1", "node2"} {
		n := &node{name: name, listen: "127.0.0.1:0"}
		c.nodes = append(c.nodes, n)
		c.run(n)
		c.balancer.add(n.listen)
	}
	c.awaitReady(2)
	c.makeGateway(nil)
	for _, name := range []string{"agent1", "agent2"} {
		c.addAgent(name, plan{policy: unlimited})
	}
	return c
}

// startBus starts a real NATS server in the process, at a port or any.
func (c *cluster) startBus(port int) {
	c.t.Helper()
	s, err := server.NewServer(&server.Options{
		Host:       "127.0.0.1",
		Port:       port,
		Username:   "cloud",
		Password:   "secret",
		NoSigs:     true,
		NoLog:      true,
		MaxPayload: 8 << 20,
	})
	must(c.t, err)
	go s.Start()
	if !s.ReadyForConnections(10 * time.Second) {
		c.t.Fatal("NATS does not start")
	}
	c.t.Cleanup(s.Shutdown)
	c.bus = s
}

// restartBus takes the bus away for a moment; it comes back at the port that it had.
func (c *cluster) restartBus(moment func()) {
	c.t.Helper()
	var port int
	_, err := fmt.Sscanf(c.bus.Addr().String(), "127.0.0.1:%d", &port)
	must(c.t, err)
	c.bus.Shutdown()
	c.bus.WaitForShutdown()
	moment()
	c.startBus(port)
}

// run starts a node; it comes back at the address that it had.
func (c *cluster) run(n *node) {
	c.t.Helper()
	n.process = start(c.t, c.dir+"/"+n.name+".log", programs+"/ldap-cloud", c.nodeArgs(n)...)
	n.line("ldap-cloud is ready: ")
	b, err := os.ReadFile(c.dir + "/" + n.name + ".log")
	must(c.t, err)
	_, after, _ := strings.Cut(string(b), "serving: address=")
	n.listen, _, _ = strings.Cut(after, " ")
}

func (c *cluster) nodeArgs(n *node) []string {
	return []string{"run", "--database-file", c.dir + "/database", "--master-key", c.dir + "/master.key", "--nats-file", cmp.Or(n.nats, c.dir+"/nats"),
		"--listen", n.listen, "--url", c.url, "--grace", "1s", "--trusted-proxy", "127.0.0.1/32", "--log-level", "debug"}
}

func (c *cluster) awaitReady(n int) {
	c.t.Helper()
	c.await(fmt.Sprintf("%d nodes are ready", n), func() bool { return c.balancer.ready() == n })
}

// TestRollingRestart replaces each node of the cloud and then each agent, while
// people sign on. Not one sign-on fails.
func TestRollingRestart(t *testing.T) {
	c := newCluster(t)
	first := c.mustSignOn("alice", "wonderland")
	l, end := c.startLoad(6)
	for range 2 {
		for _, n := range c.nodes {
			l.awaitMore(c.world, 50)
			n.stop()
			c.run(n)
			c.awaitReady(2)
			c.awaitInstances(2)
		}
		for _, m := range c.agents {
			l.awaitMore(c.world, 50)
			m.stop()
			c.runAgent(m)
		}
	}
	l.awaitMore(c.world, 50)
	end()
	t.Logf("%v, the slowest answer took %s", l.outcomes, l.slowest)
	for outcome, n := range l.outcomes {
		if outcome != "ok" {
			t.Errorf("%d sign-ons ended as %q", n, outcome)
		}
	}
	c.checkAfterFaults(first, l)
}

// TestNodeWaitsForWhatIsAway starts a node while neither database nor bus is there: it
// says so, waits, and serves once they are.
func TestNodeWaitsForWhatIsAway(t *testing.T) {
	c := newCluster(t)
	n := c.nodes[0]
	n.stop()
	c.database.Stop()
	port := c.bus.Addr().String()
	c.bus.Shutdown()
	c.bus.WaitForShutdown()
	log := c.dir + "/waiting.log"
	n.process = start(t, log, programs+"/ldap-cloud", c.nodeArgs(n)...)
	said := func(what string) func() bool {
		return func() bool {
			b, err := os.ReadFile(log)
			return err == nil && strings.Contains(string(b), what)
		}
	}
	c.await("it says that it waits", said("the database is away, trying again"))
	c.database.Restart()
	c.await("it serves without the bus", said("serving: address="))
	var bus int
	_, err := fmt.Sscanf(port, "127.0.0.1:%d", &bus)
	must(t, err)
	c.startBus(bus)
	c.awaitReady(2)
	c.awaitSignOn()
}

// TestNodesDie kills a node, and takes away for a while what the nodes share.
// Whoever gets an answer gets a typed one, and ten seconds later all is well.
func TestNodesDie(t *testing.T) {
	c := newCluster(t)
	first := c.mustSignOn("alice", "wonderland")
	l, end := c.startLoad(6)
	for name, fault := range map[string]func(){
		"node-killed":        func() { c.nodes[0].kill() },
		"database-restarted": func() { c.database.Restart() },
		"bus-restarted":      func() { c.restartBus(func() {}) },
	} {
		l.awaitMore(c.world, 50)
		fault()
		from := time.Now()
		c.await("sign-ons work again after "+name, func() bool { return l.wellSince(from, 2*time.Second) })
		t.Logf("%-20s the last failure came after %s", name, l.lastBad.Sub(from).Round(10*time.Millisecond))
		if !c.nodes[0].running() {
			c.run(c.nodes[0])
		}
		c.awaitReady(2)
		c.awaitInstances(2)
	}
	end()
	t.Logf("%v, the slowest answer took %s", l.outcomes, l.slowest)
	c.checkAfterFaults(first, l)
}
