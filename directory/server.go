package directory

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

const (
	firstPause = 500 * time.Millisecond // a failed server is left alone for this long,
	lastPause  = 30 * time.Second       // doubled with each failure up to this
)

// ServerState is what is known of one server.
type ServerState struct {
	URL    string
	State  string // "up", "down" (put aside after a failure) or "unused" (not tried yet)
	Vendor string // empty until known
	Error  string // why it is down
	Told   string // the same, as it may be told elsewhere: see [Told]
	Since  time.Time
}

// server is one server of the list, with its connections.
type server struct {
	target
	client *Client
	dse    atomic.Pointer[rootDSE]
	turn   atomic.Uint32
	// noPages is until when pages are not asked for, in nanoseconds; 0: they may be.
	noPages atomic.Int64
	// certificate is the one that was shown last; nil before, and without TLS.
	certificate atomic.Pointer[x509.Certificate]
	slots       []slot      // service links
	finding     limiter     // searches for people and single entries
	grouping    limiter     // searches for somebody's groups
	asking      atomic.Bool // whether it is there at all
	shown       shown       // groups

	mu       sync.Mutex
	state    string
	since    time.Time
	err      error
	failures int
	failedAt time.Time
	cost     time.Duration // of the last failure, to whoever waited for it
	retryAt  time.Time     // by the prober
	binds    []*link       // idle bind links, the longest idle first
}

// slot holds one shared service link. One dial at a time fills it, in a goroutine of
// the client: a caller that gives up does not spoil it for the others.
type slot struct {
	mu      sync.Mutex
	link    *link
	dialing *dialing
}

type dialing struct {
	done chan struct{}
	link *link
	err  error
}

// service returns a service link with this caller counted in; the caller must leave.
func (s *server) service(ctx context.Context) (*link, error) {
	at := &s.slots[int(s.turn.Add(1))%len(s.slots)]
	for range 3 {
		at.mu.Lock()
		if at.link != nil && at.link.enter() {
			l := at.link
			at.mu.Unlock()
			return l, nil
		}
		d, err := s.fill(at)
		at.mu.Unlock()
		if err != nil {
			return nil, err
		}
		select {
		case <-d.done:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		if d.err != nil {
			return nil, d.err
		}
		if d.link.enter() {
			return d.link, nil
		}
	}
	return nil, fmt.Errorf("%s: %w", s.url, errClosesAtOnce)
}

// errClosesAtOnce: a server that welcomes and hangs up must not be dialled for ever.
var errClosesAtOnce = errors.New("the server closes its connections at once")

// fill starts a dial for the slot unless one is under way. The caller holds at.mu.
func (s *server) fill(at *slot) (*dialing, error) {
	if at.dialing != nil {
		return at.dialing, nil
	}
	if !s.client.life.begin() {
		return nil, ErrClosed
	}
	d, old := &dialing{done: make(chan struct{})}, at.link
	at.link, at.dialing = nil, d
	go func() {
		defer s.client.life.end()
		d.link, d.err = s.dialService()
		at.mu.Lock()
		at.link, at.dialing = d.link, nil
		at.mu.Unlock()
		close(d.done)
		if old != nil {
			old.retire()
		}
	}()
	return d, nil
}

// dialService makes a service link within DialTimeout and keeps the books.
func (s *server) dialService() (*link, error) {
	leave, waited, err := s.client.refusal.enter(s.client.ctx)
	if err != nil {
		s.down(err, 0)
		return nil, err
	}
	defer leave()
	if waited { // for a dial that may have failed just now
		if err := s.tooSoon(); err != nil {
			return nil, err
		}
	}
	start := time.Now()
	ctx, cancel := context.WithTimeout(s.client.ctx, s.client.cfg.DialTimeout)
	defer cancel()
	l, err := s.connectService(ctx)
	if err != nil {
		s.client.refusal.note(err)
		s.down(err, time.Since(start))
		return nil, err
	}
	s.client.refusal.clear()
	s.up()
	return l, nil
}

// tryAgain is the prober's: it makes a new link even when an old one still works, since
// the failure may have been that no new ones could be made.
func (s *server) tryAgain() {
	l, err := s.dialService()
	if err != nil {
		return
	}
	for i := range s.slots {
		if s.slots[i].put(l) {
			return
		}
	}
	l.retire()
}

// put is refused while the slot has a link or is getting one.
func (at *slot) put(l *link) bool {
	at.mu.Lock()
	defer at.mu.Unlock()
	if at.link != nil || at.dialing != nil {
		return false
	}
	at.link = l
	return true
}

func (s *server) up() {
	s.mu.Lock()
	changed := s.state != stateUp
	if changed {
		s.state, s.since = stateUp, time.Now()
	}
	s.err, s.failures = nil, 0
	s.mu.Unlock()
	if changed {
		s.client.cfg.Logger.Info("directory server is up", "server", s.url, "vendor", s.vendor())
	}
	s.client.startProving()
	s.client.watchCanary()
}

// down puts the server aside for a growing while; the client's prober takes it back.
// cost is how long somebody waited for the failure.
func (s *server) down(err error, cost time.Duration) {
	if s.client.ctx.Err() != nil {
		return
	}
	s.mu.Lock()
	changed := s.state != stateDown
	if changed {
		s.state, s.since = stateDown, time.Now()
	}
	s.err, s.failedAt, s.cost = err, time.Now(), cost
	s.retryAt = s.failedAt.Add(min(firstPause<<min(s.failures, 10), lastPause))
	s.failures++
	s.mu.Unlock()
	if changed {
		s.client.cfg.Logger.Warn("directory server put aside", "server", s.url, "error", err)
	}
	s.client.probe()
}

// dropSilent gives service links up on which nothing has come since, as on the one that
// a search got no answer on: the next caller gets a new one.
func (s *server) dropSilent(since time.Time) {
	for i := range s.slots {
		at := &s.slots[i]
		at.mu.Lock()
		old := at.link
		if old != nil && old.silentSince(since) {
			at.link = nil
		} else {
			old = nil
		}
		at.mu.Unlock()
		if old != nil {
			old.retire()
		}
	}
}

// silent is for a server that did not answer in time. While another is up, this one is
// put aside. The only one may be slow and not dead: it is asked whether it is there,
// and stays until it is not.
func (s *server) silent(err error) {
	if s.client.anotherUp(s) {
		s.down(err, s.client.cfg.Timeout)
		return
	}
	if !s.asking.CompareAndSwap(false, true) {
		return
	}
	if !s.client.life.begin() {
		s.asking.Store(false)
		return
	}
	s.client.cfg.Logger.Warn("the only directory server is slow, or does not answer", "server", s.url, "error", err)
	go func() {
		defer s.client.life.end()
		defer s.asking.Store(false)
		s.tryAgain() // which puts it aside when it fails
	}()
}

const (
	stateUnused = "unused"
	stateUp     = "up"
	stateDown   = "down"
)

// probeAt returns when the prober should try the server; ok is false unless it is down.
func (s *server) probeAt() (at time.Time, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.retryAt, s.state == stateDown
}

// tooSoon returns the last failure for as long again as it cost. With no other server
// up, one that refused at once may be tried at once, and one that was silent for three
// seconds makes nobody wait during the next three.
func (s *server) tooSoon() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.state == stateDown && time.Since(s.failedAt) < s.cost {
		return fmt.Errorf("not tried again yet: %w", s.err)
	}
	return nil
}

func (s *server) snapshot() ServerState {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := ServerState{URL: s.url, State: s.state, Vendor: s.vendor(), Since: s.since}
	if s.err != nil {
		out.Error, out.Told = s.err.Error(), Told(s.err)
	}
	return out
}

func (s *server) vendor() string {
	if dse := s.dse.Load(); dse != nil {
		return dse.vendor
	}
	return s.client.cfg.Vendor
}
