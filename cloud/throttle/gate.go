package throttle

import (
	"context"
	"sync"
)

// Gate lets as many tries of a key be under way at once as may still go wrong: others
// wait until one has ended, so that many at once have no more tries than one after the
// other. The zero value is good; safe for concurrent use.
type Gate struct {
	mu    sync.Mutex
	crowd map[string]*crowd
}

// Share is how many tries of a key may be under way at one of so many nodes, where left may still go
// wrong at all of them; at least one, as no node knows what goes on at the others.
func Share(left, nodes int) int {
	if left <= 0 {
		return 0
	}
	return max(1, left/max(1, nodes))
}

// crowd is who tries one key.
type crowd struct {
	within, waiting int
	free            chan struct{} // closed when one has left
}

// Enter waits until a try of a key may begin, of which room tells how many may go wrong
// from now on; leave ends it. ok is false when there is no room, or ctx has ended.
func (g *Gate) Enter(ctx context.Context, key string, room func() int) (leave func(), ok bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.crowd == nil {
		g.crowd = map[string]*crowd{}
	}
	c := g.crowd[key]
	if c == nil {
		c = &crowd{free: make(chan struct{})}
		g.crowd[key] = c
	}
	c.waiting++
	defer func() { c.waiting--; g.forget(key, c) }()
	for {
		left := room()
		if left <= 0 || ctx.Err() != nil {
			return nil, false
		}
		if c.within < left {
			c.within++
			return func() { g.leave(key, c) }, true
		}
		free := c.free
		g.mu.Unlock()
		select {
		case <-free:
		case <-ctx.Done():
		}
		g.mu.Lock()
	}
}

func (g *Gate) leave(key string, c *crowd) {
	g.mu.Lock()
	defer g.mu.Unlock()
	c.within--
	close(c.free)
	c.free = make(chan struct{})
	g.forget(key, c)
}

// forget lets go of a key that nobody tries; the caller holds mu.
func (g *Gate) forget(key string, c *crowd) {
	if c.within == 0 && c.waiting == 0 {
		delete(g.crowd, key)
	}
}
