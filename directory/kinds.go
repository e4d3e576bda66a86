package directory

import (
	"context"
	"sync"
	"time"

	"github.com/go-ldap/ldap/v3"
)

// kinds is which attributes hold members anywhere below one base of groups. A search by
// one that nothing has finds nothing, and without an index it goes through every entry.
type kinds struct {
	mu     sync.Mutex
	absent map[string]bool // attributes that no entry has; nil: not looked at yet
	next   time.Time       // when to look again
	look   chan struct{}   // closed when the look under way has ended; nil: none is
}

const (
	// kindsEvery is how often is looked again at the most, and kindsShare how much longer
	// than the look itself took is waited at the least: it may go through every entry.
	kindsEvery = time.Minute
	kindsShare = 200
)

// kindsBelow returns what is known of a base.
func (c *Client) kindsBelow(base string) *kinds {
	k, _ := c.kinds.LoadOrStore(foldDN(base), &kinds{})
	return k.(*kinds)
}

// present leaves out the ways whose attribute nothing has. The first caller looks, and
// everybody waits for that; later ones go by what was seen last, while one more look is
// under way. What could not be found out is taken to be there.
func (q *groupQuery) present(ctx context.Context, ways []way) []way {
	if q.dse.activeDirectory() {
		return ways
	}
	k := q.client.kindsBelow(q.base)
	absent := k.seen(ctx, func() { q.client.lookForKinds(k, q.entry.Server, q.base) })
	out := ways[:0:0]
	for _, w := range ways {
		if !absent[w.attribute] {
			out = append(out, w)
		}
	}
	return out
}

// seen returns what is absent. It starts a look when one is due.
func (k *kinds) seen(ctx context.Context, look func()) map[string]bool {
	k.mu.Lock()
	if k.look == nil && time.Now().After(k.next) {
		k.look = make(chan struct{})
		look()
	}
	absent, wait := k.absent, k.look
	k.mu.Unlock()
	if absent != nil || wait == nil {
		return absent
	}
	select {
	case <-wait:
	case <-ctx.Done():
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.absent
}

// lookForKinds looks in the background, over a connection of its own.
func (c *Client) lookForKinds(k *kinds, prefer, base string) {
	if !c.life.begin() {
		k.end(nil, 0)
		return
	}
	go func() {
		defer c.life.end()
		start := time.Now()
		ctx, cancel := context.WithTimeout(c.ctx, c.cfg.DialTimeout+2*c.cfg.Timeout)
		defer cancel()
		absent := c.absentBelow(ctx, prefer, base)
		k.mu.Lock()
		defer k.mu.Unlock()
		k.end(absent, time.Since(start))
	}()
}

// end takes in what a look saw; nil: nothing. The caller holds mu.
func (k *kinds) end(absent map[string]bool, took time.Duration) {
	k.absent, k.next = absent, time.Now().Add(max(kindsEvery, kindsShare*took))
	close(k.look)
	k.look = nil
}

// absentBelow returns which attributes of membership no entry has, besides member;
// empty when that could not be found out.
func (c *Client) absentBelow(ctx context.Context, prefer, base string) map[string]bool {
	absent := map[string]bool{}
	s := c.serverAt(prefer)
	if s == nil {
		return absent
	}
	l, err := s.extraLink(ctx)
	if err != nil {
		return absent
	}
	defer l.retire()
	for _, attribute := range c.memberAttributes() {
		if !l.enter() {
			return absent
		}
		found := l.search(ctx, ldap.NewSearchRequest(base, ldap.ScopeWholeSubtree, ldap.NeverDerefAliases, 1, 0, false,
			"("+attribute+"=*)", []string{"1.1"}, nil))
		absent[attribute] = found.err == nil && len(found.result.Entries)+len(found.result.Referrals) == 0
	}
	return absent
}

// serverAt returns the server with a URL, or the first that is up; nil when none is.
func (c *Client) serverAt(url string) *server {
	for _, s := range c.order(url) {
		if _, down := s.probeAt(); !down {
			return s
		}
	}
	return nil
}

// forgetKinds has every base be looked at again.
func (c *Client) forgetKinds() { c.kinds.Clear() }
