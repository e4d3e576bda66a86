package e2e

import (
	"errors"
	"flag"
	"fmt"
	"ldap-gateway/cloud/api/client"
	"ldap-gateway/directory/slapdtest"
	"maps"
	"math/rand/v2"
	"net/http"
	"os"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"
)

var (
	torture = flag.Duration("torture", 25*time.Second, "how long a cloud of two nodes has faults; \"make long\" has it be an hour")
	seed    = flag.Uint64("seed", 0, "of the faults; 0: any")
)

// tortured is a cluster with faults, and what people were told meanwhile.
type tortured struct {
	*cluster
	random *rand.Rand
	cable  *cable     // between the second node and the bus
	clock  *wallClock // of the agents
	disks  []string   // of the agents

	mu    sync.Mutex
	told  map[string]answered // by sign-on
	tried map[string]int      // sign-ons by person
	last  map[bool]time.Time  // when one was answered well, and badly
}

// answered is what somebody was told of one sign-on.
type answered struct {
	signOn
	person string
	right  bool // the password was
}

const tormented = 40 // people

// TestTorture has nodes, agents, directory, database and bus killed, stopped, held and cut off
// at random while people sign on, and has them run out of disk and descriptors, and their
// clocks set. What was acknowledged is kept as it was told, nobody is
// there twice or in part, no password is tried more often than somebody signed on, and
// after each fault all is well within seconds.
func TestTorture(t *testing.T) {
	from := *seed
	if from == 0 {
		from = rand.Uint64()
	}
	t.Logf("-seed %d", from)
	c := &tortured{
		cluster: newClusterOf(t, plan{slapd: slapdtest.Config{LDIF: crowd(tormented)}}),
		random:  rand.New(rand.NewPCG(from, 1)),
		told:    map[string]answered{},
		tried:   map[string]int{},
		last:    map[bool]time.Time{},
	}
	c.cutTheSecondOff()
	c.onSmallDisks()
	stop := c.signPeopleOn(8)
	counts, worst, slow := map[string]int{}, time.Duration(0), ""
	faults := c.faults()
	names := slices.Sorted(maps.Keys(faults))
	for until := time.Now().Add(*torture); time.Now().Before(until); {
		name := names[c.random.IntN(len(names))]
		faults[name]()
		healed := time.Now()
		c.awaitReady(2)
		c.awaitInstances(2)
		c.await("all is well after "+name, func() bool { return c.wellFor(time.Second) })
		counts[name]++
		if took := time.Since(healed) - time.Second; took > worst {
			worst, slow = took, name
		}
	}
	stop()
	t.Logf("%v: well again after %s at the latest, which was %q", counts, worst.Round(10*time.Millisecond), slow)
	c.checkTold()
}

// cutTheSecondOff has the second node reach the bus by a cable.
func (c *tortured) cutTheSecondOff() {
	c.cable = startCable(c.t)
	c.cable.target = c.bus.Addr().String()
	n := c.nodes[1]
	n.nats = c.dir + "/nats2"
	must(c.t, os.WriteFile(n.nats, []byte("nats://cloud:secret@"+c.cable.listener.Addr().String()+"\n"), 0o600))
	n.stop()
	c.run(n)
	c.awaitReady(2)
	c.awaitInstances(2)
}

// faults are by name; each returns when what it took away is there again.
func (c *tortured) faults() map[string]func() {
	node, agent := c.anyNode, c.anyAgent
	moment := func() { <-time.After(time.Duration(c.random.IntN(1500)) * time.Millisecond) }
	faults := map[string]func(){
		"node killed":        func() { n := node(); n.kill(); moment(); c.run(n) },
		"node replaced":      func() { n := node(); n.stop(); c.run(n) },
		"node held":          func() { hold(node().process, moment) },
		"agent killed":       func() { m := agent(); m.kill(); moment(); c.runAgent(m) },
		"agent replaced":     func() { m := agent(); m.stop(); c.runAgent(m) },
		"agent held":         func() { hold(agent().process, moment) },
		"directory":          func() { c.slapd.Restart() },
		"database":           func() { c.database.Restart() },
		"bus":                func() { moment(); c.restartBus(moment) },
		"node without a bus": func() { c.cable.cut(true); moment() },
		"node cut off":       func() { c.cable.swallow(); moment(); c.cable.heal(); c.cable.cut(true) },
		"node and agent":     func() { n, m := node(), agent(); n.kill(); m.kill(); c.run(n); c.runAgent(m) },
		"node and database":  func() { n := node(); n.kill(); c.database.Restart(); c.run(n) },
	}
	maps.Copy(faults, c.shortages(moment))
	return faults
}

func (c *tortured) anyNode() *node     { return c.nodes[c.random.IntN(len(c.nodes))] }
func (c *tortured) anyAgent() *machine { return c.agents[c.random.IntN(len(c.agents))] }

// hold stops a program for a while, as a machine that is short of time does.
func hold(p *process, moment func()) {
	_ = p.cmd.Process.Signal(syscall.SIGSTOP)
	moment()
	_ = p.cmd.Process.Signal(syscall.SIGCONT)
}

// signPeopleOn has so many sign on at a time, one in ten by a wrong password, until the
// returned function is called.
func (c *tortured) signPeopleOn(atOnce int) (stop func()) {
	over := make(chan struct{})
	var all sync.WaitGroup
	for range atOnce {
		all.Go(func() {
			for !isClosed(over) {
				a := answered{person: fmt.Sprintf("person%d", rand.IntN(tormented)), right: rand.IntN(10) > 0}
				password := map[bool]string{true: "secret", false: "wrong"}[a.right]
				err := c.do("POST", "/signOns", map[string]string{"username": a.person, "password": password}, &a.signOn)
				c.note(a, err)
				if err != nil {
					<-time.After(20 * time.Millisecond)
				}
			}
		})
	}
	return func() { close(over); all.Wait() }
}

func (c *tortured) note(a answered, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.tried[a.person]++
	if err == nil {
		c.told[a.ID] = a
	}
	good := err == nil && (a.Outcome == "ok" || !a.right || a.Outcome == "accountLocked" || a.Outcome == "busy")
	c.last[good] = time.Now()
}

// wellFor tells whether sign-ons have been answered well for a time, and still are.
func (c *tortured) wellFor(d time.Duration) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.Since(c.last[false]) > d && time.Since(c.last[true]) < d
}

// checkTold compares what people were told with what is kept, and with the directory.
func (c *tortured) checkTold() {
	c.t.Helper()
	outcomes, refused := map[string]int{}, 0
	for id, want := range c.told {
		outcomes[want.Outcome]++
		var got signOn
		err := c.do("GET", "/signOns/"+id, nil, &got)
		var missing *client.Error
		if errors.As(err, &missing) && missing.Status == http.StatusNotFound && want.Outcome != "ok" {
			refused++ // of those that are refused so many are written within an hour
			continue
		}
		must(c.t, err)
		if got.Outcome != want.Outcome || got.User.ID != want.User.ID {
			c.t.Errorf("kept is %+v, told was %+v", got, want)
		}
		if want.Outcome == "ok" && (!want.right || want.User.Username != want.person) {
			c.t.Errorf("%s was signed on as %q, by the right password: %v", want.person, want.User.Username, want.right)
		}
	}
	c.nothingIsHalfThere(c.t, 0)
	c.t.Logf("%d sign-ons were acknowledged: %v; %d refused ones were counted and not written", len(c.told), outcomes, refused)
	if outcomes["ok"] < 50 {
		c.t.Error("too few signed on for this to say anything")
	}
	c.slapd.Stop()
	for person, tried := range c.tried {
		if binds := c.slapd.Binds("uid=" + person + ",ou=people,dc=example,dc=test"); binds > tried {
			c.t.Errorf("%s signed on %d times, and was bound as %d times", person, tried, binds)
		}
	}
}
