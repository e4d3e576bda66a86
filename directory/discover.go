package directory

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

const (
	discoverEvery = 5 * time.Minute // DNS is asked again, in case servers came or went
	discoverPause = 2 * time.Second // a failed look-up is not repeated sooner
)

// errNoServers is wrapped with the domain that has none.
var errNoServers = errors.New("DNS names no directory server that may be used")

// discovery remembers the last failure, so that a dead DNS is not asked at each sign-on.
type discovery struct {
	gate chan struct{} // holds one token while DNS is asked for the first servers

	mu       sync.Mutex
	err      error
	failedAt time.Time
}

func (d *discovery) recent() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.err != nil && time.Since(d.failedAt) < discoverPause {
		return d.err
	}
	return nil
}

func (d *discovery) note(err error) {
	d.mu.Lock()
	d.err, d.failedAt = err, time.Now()
	d.mu.Unlock()
}

// list returns the servers, in order of preference. It is empty while discovery has not
// found any.
func (c *Client) list() []*server {
	if known := c.servers.Load(); known != nil {
		return *known
	}
	return nil
}

// Undiscovered returns why DNS names no server, when that was the outcome of the last
// look-up and no server is known; else nil.
func (c *Client) Undiscovered() error {
	c.discovery.mu.Lock()
	defer c.discovery.mu.Unlock()
	if len(c.list()) > 0 {
		return nil
	}
	return c.discovery.err
}

// located waits for the first servers when they have to be discovered.
func (c *Client) located(ctx context.Context) error {
	if c.cfg.Discover == "" || len(c.list()) > 0 {
		return nil
	}
	select {
	case c.discovery.gate <- struct{}{}:
		defer func() { <-c.discovery.gate }()
	case <-ctx.Done():
		return ctx.Err()
	}
	if len(c.list()) > 0 {
		return nil
	}
	if err := c.discovery.recent(); err != nil {
		return err
	}
	bounded, cancel := context.WithTimeout(ctx, c.cfg.DialTimeout)
	defer cancel()
	if err := c.discover(bounded); err != nil {
		if ctx.Err() == nil {
			c.discovery.note(err)
		}
		return err
	}
	c.discovery.note(nil)
	c.keepDiscovering()
	return nil
}

// keepDiscovering asks DNS again and again, until Close. A failure changes nothing.
func (c *Client) keepDiscovering() {
	if !c.life.begin() {
		return
	}
	go func() {
		defer c.life.end()
		for pause(c.ctx, c.cfg.DiscoverEvery) {
			ctx, cancel := context.WithTimeout(c.ctx, c.cfg.DialTimeout)
			if err := c.discover(ctx); err != nil && c.ctx.Err() == nil {
				c.cfg.Logger.Warn("servers not discovered anew, the known ones stay", "error", err)
			}
			cancel()
		}
	}()
}

// discover asks DNS and takes over what it says.
func (c *Client) discover(ctx context.Context) error {
	var names []string
	if c.cfg.Site != "" { // [MS-ADTS] 6.3.2.3
		names = append(names, "_ldap._tcp."+c.cfg.Site+"._sites."+c.cfg.Discover)
	}
	names = append(names, "_ldap._tcp."+c.cfg.Discover)
	var targets []target
	var errs []error
	for _, name := range names {
		records, err := c.cfg.LookupSRV(ctx, name)
		if err != nil {
			errs = append(errs, err)
		}
		for _, r := range records {
			t, err := c.srvTarget(r)
			if err != nil {
				errs = append(errs, err)
			} else if !slices.ContainsFunc(targets, func(have target) bool { return have.url == t.url }) {
				targets = append(targets, t)
			}
		}
	}
	if len(targets) == 0 {
		return fmt.Errorf("%s: %w", c.cfg.Discover, errors.Join(append(errs, errNoServers)...))
	}
	c.adopt(targets)
	return nil
}

// srvTarget refuses hosts outside of the domain: the certificate is checked against the
// name that DNS gave, so that whoever can forge DNS could else send the service
// account's password to a host of his own that has a valid certificate.
func (c *Client) srvTarget(r *net.SRV) (target, error) {
	host := strings.ToLower(strings.TrimSuffix(r.Target, "."))
	domain := strings.ToLower(c.cfg.Discover)
	if host != domain && !strings.HasSuffix(host, "."+domain) {
		return target{}, fmt.Errorf("DNS names %q, which is not in %s", host, c.cfg.Discover)
	}
	scheme := "ldap"
	if r.Port == 636 {
		scheme = "ldaps"
	}
	return parseTarget(scheme + "://" + net.JoinHostPort(host, strconv.Itoa(int(r.Port))))
}

// adopt keeps the servers that are known already, with their connections, and their
// order when no server came or went.
func (c *Client) adopt(targets []target) {
	old := c.list()
	fresh := make([]*server, 0, len(targets))
	kept := 0
	for _, t := range targets {
		at := slices.IndexFunc(old, func(s *server) bool { return s.url == t.url })
		if at >= 0 {
			fresh, kept = append(fresh, old[at]), kept+1
		} else {
			fresh = append(fresh, c.newServer(t))
		}
	}
	if kept == len(old) && kept == len(fresh) {
		return
	}
	c.servers.Store(&fresh)
	var urls []string
	for _, s := range fresh {
		urls = append(urls, s.url)
	}
	c.cfg.Logger.Info("directory servers discovered", "domain", c.cfg.Discover, "servers", urls)
	for _, s := range old {
		if !slices.Contains(fresh, s) {
			s.leaveService()
		}
	}
}

func (c *Client) newServer(t target) *server {
	return &server{
		target: t,
		client: c,
		state:  stateUnused,
		since:  time.Now(),
		slots:  make([]slot, c.cfg.SearchConns),
	}
}

// leaveService lets what is under way finish, and closes the connections.
func (s *server) leaveService() {
	for i := range s.slots {
		at := &s.slots[i]
		at.mu.Lock()
		l := at.link
		at.link = nil
		at.mu.Unlock()
		if l != nil {
			l.retire()
		}
	}
	s.dropIdleBinds()
}
