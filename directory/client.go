package directory

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Client asks one directory through its servers. It is safe for concurrent use.
type Client struct {
	cfg       Config
	servers   atomic.Pointer[[]*server]
	discovery discovery
	ctx       context.Context // ends with Close
	cancel    context.CancelFunc
	life      lifecycle
	links     linkSet
	refusal   refusal
	binding   chan struct{} // one token for each user bind under way
	probing   atomic.Bool
	proving   atomic.Bool           // in the background
	proof     atomic.Pointer[proof] // nil: not tried yet
	proved    chan struct{}         // closed with the first proof
	proofMade sync.Once
	missed    atomic.Pointer[missed]      // nil: never
	partial   atomic.Pointer[partial]     // nil: never
	watching  atomic.Bool                 // the canary, in the background
	canary    atomic.Pointer[canaryState] // nil: not looked at yet
	kinds     sync.Map                    // *kinds by base of groups, folded
	referred  sync.Map                    // *server by URL, outside of the list
	netBIOS   atomic.Pointer[string]      // of the domain, once it was read
}

// Open checks the configuration and dials nothing. The error lists every mistake.
func Open(cfg Config) (*Client, error) {
	c := &Client{}
	errs := []error{cfg.check()}
	c.cfg = cfg.withDefaults()
	c.cfg.Servers = slices.Clone(cfg.Servers)
	var servers []*server
	for _, text := range c.cfg.Servers {
		t, err := parseTarget(text)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		servers = append(servers, c.newServer(t))
	}
	if err := errors.Join(errs...); err != nil {
		return nil, fmt.Errorf("directory configuration: %w", err)
	}
	c.servers.Store(&servers)
	c.proved = make(chan struct{})
	c.discovery.gate = make(chan struct{}, 1)
	c.refusal.gate = make(chan struct{}, 1)
	c.binding = make(chan struct{}, c.cfg.BindConns)
	c.ctx, c.cancel = context.WithCancel(context.Background())
	c.watch()
	return c, nil
}

// Close cuts every connection and waits until nothing that the client started is
// left. Calls under way return an error. It may be called more than once.
func (c *Client) Close() error {
	c.life.shut()
	c.cancel()
	for _, l := range c.links.shut() {
		l.kill()
	}
	c.life.wg.Wait()
	return nil
}

// Servers returns the state of each server, in the configured order.
func (c *Client) Servers() []ServerState {
	out := make([]ServerState, 0, len(c.list()))
	for _, s := range c.list() {
		out = append(out, s.snapshot())
	}
	return out
}

// order returns the servers to try: those not put aside, the preferred one first,
// and then, as a last resort, the others.
func (c *Client) order(prefer string) []*server {
	up, down := make([]*server, 0, len(c.list())), []*server(nil)
	for _, s := range c.list() {
		_, aside := s.probeAt()
		switch {
		case aside:
			down = append(down, s)
		case s.url == prefer:
			up = slices.Insert(up, 0, s)
		default:
			up = append(up, s)
		}
	}
	return append(up, down...)
}

// anotherUp says whether a server other than s could be asked.
func (c *Client) anotherUp(s *server) bool {
	return slices.ContainsFunc(c.list(), func(o *server) bool {
		_, aside := o.probeAt()
		return o != s && !aside
	})
}

// eachServer calls try with one server after the other until one answers. try must
// not have sent anything that may not be repeated when it fails.
func (c *Client) eachServer(ctx context.Context, prefer string, try func(*server) (*link, error)) (*link, error) {
	if err := c.located(ctx); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	var errs []error
	for _, s := range c.order(prefer) {
		err := s.tooSoon()
		if err == nil {
			var l *link
			if l, err = try(s); err == nil {
				return l, nil
			}
		}
		if ctx.Err() != nil {
			return nil, fmt.Errorf("%w: %w", ErrUnavailable, ctx.Err())
		}
		errs = append(errs, err)
		if refusedBind(err) || errors.Is(err, ErrClosed) {
			break
		}
	}
	return nil, fmt.Errorf("%w: %w", ErrUnavailable, errors.Join(errs...))
}

// probe takes servers back that were put aside, in one goroutine while there are any.
func (c *Client) probe() {
	if !c.probing.CompareAndSwap(false, true) {
		return
	}
	if !c.life.begin() {
		c.probing.Store(false)
		return
	}
	go func() {
		defer c.life.end()
		c.prober()
	}()
}

func (c *Client) prober() {
	for {
		s, at := c.nextProbe()
		if s == nil {
			c.probing.Store(false)
			if s, _ = c.nextProbe(); s == nil || !c.probing.CompareAndSwap(false, true) {
				return
			}
			continue
		}
		if !pause(c.ctx, time.Until(at)) {
			return
		}
		if now, down := s.probeAt(); down && !now.After(time.Now()) {
			s.tryAgain()
		}
	}
}

func (c *Client) nextProbe() (next *server, when time.Time) {
	for _, s := range c.list() {
		if at, down := s.probeAt(); down && (next == nil || at.Before(when)) {
			next, when = s, at
		}
	}
	return next, when
}

// pause returns false when the context ended first.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return ctx.Err() == nil
	case <-ctx.Done():
		return false
	}
}

// lifecycle counts what is under way, and lets nothing new start after shut.
type lifecycle struct {
	mu     sync.Mutex
	closed bool
	wg     sync.WaitGroup
}

func (l *lifecycle) begin() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.closed {
		l.wg.Add(1)
	}
	return !l.closed
}

func (l *lifecycle) end() { l.wg.Done() }

func (l *lifecycle) shut() {
	l.mu.Lock()
	l.closed = true
	l.mu.Unlock()
}

// linkSet knows every open connection, so that Close can cut them all.
type linkSet struct {
	mu     sync.Mutex
	closed bool
	all    map[*link]struct{}
}

// add is refused after shut.
func (s *linkSet) add(l *link) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	if s.all == nil {
		s.all = map[*link]struct{}{}
	}
	s.all[l] = struct{}{}
	return true
}

func (s *linkSet) remove(l *link) {
	s.mu.Lock()
	delete(s.all, l)
	s.mu.Unlock()
}

func (s *linkSet) shut() []*link {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	out := make([]*link, 0, len(s.all))
	for l := range s.all {
		out = append(out, l)
	}
	return out
}
