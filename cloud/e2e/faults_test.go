package e2e

import (
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// cable is the network between an agent and its cloud, with faults.
type cable struct {
	listener net.Listener
	target   string

	mu    sync.Mutex
	hole  chan struct{} // while it is open nothing gets through; nil: healthy
	delay time.Duration // of each piece, give or take a half
	conns map[net.Conn]bool
}

func startCable(t *testing.T) *cable {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
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

func (c *cable) url() string { return "http://" + c.listener.Addr().String() }

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
	slowest  time.Duration
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

// TestFaultsUnderLoad goes through what networks and machines do, while people
// sign on. Each sign-on ends in a typed outcome within its deadline, sign-ons
// work again within ten seconds after the fault, nobody is bound for twice, and
// nobody loses a group.
func TestFaultsUnderLoad(t *testing.T) {
	cable := startCable(t)
	w := newWorld(t, plan{update: true, cable: cable, policy: unlimited})
	first := w.mustSignOn("alice", "wonderland")
	agent := w.agents[0]
	l, end := w.startLoad(4)
	var report strings.Builder
	for _, f := range []struct {
		name string
		lets time.Duration // the fault be
		do   func()
	}{
		{"cut", 0, func() { cable.cut(false) }},
		{"reset", 0, func() { cable.cut(true) }},
		{"black-hole", 3 * time.Second, func() { cable.swallow() }},
		{"200-ms-and-jitter", 3 * time.Second, func() { cable.slow(200 * time.Millisecond) }},
		{"cloud-killed", 0, func() { w.cloud.kill(); w.restartCloud() }},
		{"agent-killed", 0, func() { agent.kill(); w.launchAgent(agent) }},
		{"directory-restarted", 0, func() { w.slapd.Restart() }},
		{"all-at-once", 0, func() { cable.cut(true); w.cloud.kill(); w.slapd.Restart(); w.restartCloud() }},
	} {
		f.do()
		over := time.NewTimer(f.lets)
		<-over.C
		cable.heal()
		from := time.Now()
		w.await("sign-ons work again after "+f.name, func() bool { return l.okSince(from) })
		back := time.Since(from)
		fmt.Fprintf(&report, "%-20s back after %s\n", f.name, back.Round(10*time.Millisecond))
		if back > 10*time.Second {
			t.Errorf("after %s sign-ons worked again only after %s", f.name, back)
		}
	}
	end()
	t.Logf("\n%s%v, the slowest answer took %s", &report, l.outcomes, l.slowest)
	w.checkAfterFaults(first, l)
}

func (w *world) checkAfterFaults(first signOn, l *load) {
	w.t.Helper()
	known := map[string]bool{"ok": true, "no cloud": true, "directoryUnavailable": true, "unknown": true, "timeout": true, "busy": true}
	signOns := 1
	for outcome, n := range l.outcomes {
		signOns += n
		if !known[outcome] {
			w.t.Errorf("%d sign-ons ended as %q", n, outcome)
		}
	}
	if l.slowest > 16*time.Second {
		w.t.Errorf("an answer took %s", l.slowest)
	}
	if _, groups := w.record(first.User.ID); groups != "cn=B cn=staff cn=unix" {
		w.t.Errorf("groups %q", groups)
	}
	w.slapd.Stop()
	if n := w.slapd.Binds(aliceDN); n > signOns {
		w.t.Errorf("%d binds for %d sign-ons", n, signOns)
	}
}

// launchAgent starts a paired agent and does not wait for its link.
func (w *world) launchAgent(m *machine) {
	w.t.Helper()
	m.process = start(w.t, filepath.Join(w.dir, m.name, "log"), programs+"/ldap-gateway", w.args(m.name, "run")...)
}

// TestFullDiskServesAll has the state folder on a disk without room.
func TestFullDiskServesAll(t *testing.T) {
	w := newWorld(t, plan{})
	w.agents[0].stop()
	state := filepath.Join(w.dir, "agent1", "state")
	full := fullDisk(t, state)
	must(t, os.Rename(state, state+".real"))
	must(t, os.Symlink(full, state))
	w.runAgent(w.agents[0])
	w.awaitSignOn()
	w.agents[0].kill()
	w.runAgent(w.agents[0]) // an epoch that was not kept is no copy
	w.awaitSignOn()
	if w.quarantined() {
		t.Error("a full disk is taken for a copy")
	}
}
