package e2e

import (
	"fmt"
	"math/rand/v2"
	"net"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"
)

// cable is the network between an agent and its cloud, with faults.
type cable struct {
	listener net.Listener
	target   string
	name     string // that the near end is known by, over TLS; empty: its address, without

	mu    sync.Mutex
	hole  chan struct{} // while it is open nothing gets through; nil: healthy
	delay time.Duration // of each piece, give or take a half
	conns map[net.Conn]bool
}

func startCable(t testing.TB) *cable { return startCableAt(t, "127.0.0.1:0") }

func startCableAt(t testing.TB, address string) *cable {
	t.Helper()
	l, err := net.Listen("tcp", address)
	must(t, err)
	c := &cable{listener: l, conns: map[net.Conn]bool{}}
	go func() {
		for {
			near, err := l.Accept()
			if err != nil {
				return
			}
			far, err := net.Dial("tcp", c.target)
			if err != nil {
				_ = near.Close()
				continue
			}
			c.mu.Lock()
			c.conns[near], c.conns[far] = true, true
			c.mu.Unlock()
			go c.pump(near, far)
			go c.pump(far, near)
		}
	}()
	t.Cleanup(func() { _ = l.Close(); c.heal(); c.cut(false) })
	return c
}

func (c *cable) url() string {
	if c.name == "" {
		return "http://" + c.listener.Addr().String()
	}
	_, port, _ := net.SplitHostPort(c.listener.Addr().String())
	return "https://" + net.JoinHostPort(c.name, port)
}

func (c *cable) pump(from, to net.Conn) {
	defer from.Close()
	defer to.Close()
	b := make([]byte, 32<<10)
	for {
		n, err := from.Read(b)
		if err != nil {
			return
		}
		c.mu.Lock()
		hole, delay := c.hole, c.delay
		c.mu.Unlock()
		if hole != nil {
			<-hole
		}
		if delay > 0 {
			pause := time.NewTimer(delay/2 + rand.N(delay))
			<-pause.C
		}
		if _, err := to.Write(b[:n]); err != nil {
			return
		}
	}
}

// carries counts the ends of connections that are open.
func (c *cable) carries() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.conns)
}

// cut ends every connection; as a reset, without a word.
func (c *cable) cut(reset bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for conn := range c.conns {
		if tcp, ok := conn.(*net.TCPConn); ok && reset {
			_ = tcp.SetLinger(0)
		}
		_ = conn.Close()
		delete(c.conns, conn)
	}
}

// swallow lets nothing through until heal, and tells nobody.
func (c *cable) swallow() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.hole = make(chan struct{})
}

func (c *cable) slow(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.delay = d
}

func (c *cable) heal() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.delay = 0
	if c.hole != nil {
		close(c.hole)
		c.hole = nil
	}
}

// load signs on all the time and keeps what came of it.
type load struct {
	mu       sync.Mutex
	outcomes map[string]int
	slowest  time.Duration // since restart
	all      time.Duration // the slowest before
	lastOK   time.Time
	lastBad  time.Time
}

func (w *world) startLoad(atOnce int) (l *load, end func()) {
	l = &load{outcomes: map[string]int{}}
	stop := make(chan struct{})
	var wg sync.WaitGroup
	for range atOnce {
		wg.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				from := time.Now()
				var r signOn
				err := w.do("POST", "/signOns", map[string]string{"username": "alice", "password": "wonderland"}, &r)
				l.note(r.Outcome, err, time.Since(from))
				if err != nil {
					pause := time.NewTimer(20 * time.Millisecond)
					<-pause.C
				}
			}
		})
	}
	return l, func() { close(stop); wg.Wait() }
}

func (l *load) note(outcome string, err error, took time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err != nil { // the cloud itself is away: there is nobody to give an outcome
		outcome = "no cloud"
	} else {
		l.slowest = max(l.slowest, took)
	}
	if outcome == "ok" {
		l.lastOK = time.Now()
	} else {
		l.lastBad = time.Now()
	}
	l.outcomes[outcome]++
}

// okSince tells whether a sign-on has succeeded since then.
func (l *load) okSince(t time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.lastOK.After(t)
}

// restart begins to look for the slowest answer anew.
func (l *load) restart() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.slowest, l.all = 0, max(l.all, l.slowest)
}

func (l *load) slowestNow() time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.slowest
}

// wellSince tells whether nothing has failed for a while since t, or at all.
func (l *load) wellSince(t time.Time, while time.Duration) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	bad := l.lastBad
	if bad.Before(t) {
		bad = t
	}
	return l.lastOK.Sub(bad) > while
}

// awaitMore returns after so many more sign-ons that were ok.
func (l *load) awaitMore(w *world, n int) {
	w.t.Helper()
	count := func() int {
		l.mu.Lock()
		defer l.mu.Unlock()
		return l.outcomes["ok"]
	}
	from := count()
	w.await("people sign on", func() bool { return count() >= from+n })
}

// fault is what happens to a world for a while.
type fault struct {
	name string
	lets time.Duration // it be
	do   func()
	heal func() // nil: it heals by itself
}

// TestFaultsUnderLoad goes through what networks and machines do, while people
// sign on. Each sign-on ends in a typed outcome within its deadline, sign-ons
// work again within ten seconds after the fault, nobody is bound for twice,
// nobody loses a group, and a system outside is told all that happened.
func TestFaultsUnderLoad(t *testing.T) {
	clock := buildWithClock(t)
	cable := startCable(t)
	siem := startOutside(t)
	w := newWorld(t, plan{update: true, cable: cable, policy: unlimited, flags: siem.flags})
	first := w.mustSignOn("alice", "wonderland")
	w.agents[0].stop()
	disk := w.smallDisk("agent1")
	w.runWith = clock.command()
	w.runAgent(w.agents[0])
	l, end := w.startLoad(4)
	var report strings.Builder
	for _, f := range w.faults(clock, disk, l) {
		w.goThrough(f, l, &report)
	}
	end()
	t.Logf("\n%s%v", &report, l.outcomes)
	siem.tellsAll(w, time.Now().Add(-15*time.Second))
	w.checkAfterFaults(first, l)
}

func (w *world) faults(clock *wallClock, disk string, l *load) []fault {
	cable, agent := w.cable, w.agents[0]
	jump := func(seconds int) func() {
		return func() { // the held link first, then one that is opened with the wrong clock
			clock.set(w.t, seconds)
			l.awaitMore(w, 20)
			cable.cut(false)
			l.awaitMore(w, 20)
		}
	}
	back := func() { clock.set(w.t, 0); cable.cut(false) }
	var lost *packetLoss
	var empty func()
	return []fault{
		{"cut", 0, func() { cable.cut(false) }, nil},
		{"reset", 0, func() { cable.cut(true) }, nil},
		{"black-hole", 3 * time.Second, func() { cable.swallow() }, cable.heal},
		{"200-ms-jitter-loss", 5 * time.Second, func() { cable.slow(200 * time.Millisecond); lost = startLoss(w.t, cable, 5) }, func() { cable.heal(); lost.stop() }},
		{"reorder-by-reconnect", 0, func() { // answers on old links are late, and new ones are quick
			for range 4 {
				cable.slow(200 * time.Millisecond)
				l.awaitMore(w, 4)
				cable.heal()
				cable.cut(false)
				l.awaitMore(w, 4)
			}
		}, nil},
		{"cloud-killed", 0, func() { w.cloud.kill(); w.restartCloud() }, nil},
		{"agent-killed", 0, func() { agent.kill(); w.launchAgent(agent) }, nil},
		{"directory-restarted", 0, func() { w.slapd.Restart() }, nil},
		{"disk-full", time.Second, func() { empty = fill(w.t, disk); agent.kill(); w.launchAgent(agent) }, func() { empty() }},
		{"clock-hour-ahead", 0, jump(3600), back},
		{"clock-hour-behind", 0, jump(-3600), back},
		{"all-at-once", 0, func() { cable.cut(true); w.cloud.kill(); w.slapd.Restart(); w.restartCloud() }, nil},
	}
}

// goThrough lets a fault happen, and reports how it was.
func (w *world) goThrough(f fault, l *load, report *strings.Builder) {
	w.t.Helper()
	l.restart()
	f.do()
	over := time.NewTimer(f.lets)
	<-over.C
	if f.heal != nil {
		f.heal()
	}
	from := time.Now()
	w.await("sign-ons work again after "+f.name, func() bool { return l.okSince(from) })
	back := time.Since(from)
	fmt.Fprintf(report, "%-20s back after %-8s slowest answer %s\n", f.name, back.Round(10*time.Millisecond), l.slowestNow().Round(10*time.Millisecond))
	if back > 10*time.Second {
		w.t.Errorf("after %s sign-ons worked again only after %s", f.name, back)
	}
}

// packetLoss has the kernel drop packets of a cable, both ways.
type packetLoss struct {
	t     testing.TB
	rules [][]string
}

// startLoss drops percent of the packets. It needs root.
func startLoss(t testing.TB, c *cable, percent int) *packetLoss {
	t.Helper()
	_, port, err := net.SplitHostPort(c.listener.Addr().String())
	must(t, err)
	l := &packetLoss{t: t}
	t.Cleanup(l.stop)
	for _, end := range []string{"--dport", "--sport"} {
		rule := []string{"INPUT", "-i", "lo", "-p", "tcp", end, port, "-m", "statistic", "--mode", "random", "--probability", fmt.Sprintf("0.%02d", percent), "-j", "DROP"}
		iptables(t, "-I", rule)
		l.rules = append(l.rules, rule)
	}
	return l
}

// stop ends the loss. Once is enough, more does no harm.
func (l *packetLoss) stop() {
	for _, rule := range l.rules {
		iptables(l.t, "-D", rule)
	}
	l.rules = nil
}

func iptables(t testing.TB, do string, rule []string) {
	t.Helper()
	if out, err := exec.Command("iptables", append([]string{"-w", do}, rule...)...).CombinedOutput(); err != nil {
		t.Fatalf("iptables: %v\n%s(the test needs root and iptables)", err, out)
	}
}

func (w *world) checkAfterFaults(first signOn, l *load) {
	w.t.Helper()
	known := map[string]bool{
		"ok":                   true,
		"no cloud":             true,
		"directoryUnavailable": true,
		"unknown":              true,
		"timeout":              true,
		"busy":                 true,
	}
	signOns := 1
	for outcome, n := range l.outcomes {
		signOns += n
		if !known[outcome] {
			w.t.Errorf("%d sign-ons ended as %q", n, outcome)
		}
	}
	if slowest := max(l.all, l.slowest); slowest > 16*time.Second {
		w.t.Errorf("an answer took %s", slowest)
	}
	if _, groups := w.record(first.User.ID); groups != "cn=B cn=staff cn=unix" {
		w.t.Errorf("groups %q", groups)
	}
	w.slapd.Stop()
	if n := w.slapd.Binds(aliceDN); n > signOns {
		w.t.Errorf("%d binds for %d sign-ons", n, signOns)
	}
}

// TestFullDiskServesAll has the state folder on a disk without room.
func TestFullDiskServesAll(t *testing.T) {
	w := newWorld(t, plan{})
	w.agents[0].stop()
	fill(t, w.smallDisk("agent1"))
	w.runAgent(w.agents[0])
	w.awaitSignOn()
	w.agents[0].kill()
	w.runAgent(w.agents[0]) // an epoch that was not kept is no copy
	w.awaitSignOn()
	if w.quarantined() {
		t.Error("a full disk is taken for a copy")
	}
}
