package administrators

import (
	"context"
	"errors"
	"sync"
)

// ErrBusy says that too many strangers have passwords checked at this moment.
var ErrBusy = errors.New("too many passwords are being checked")

// How many strangers may wait to have a password checked, each of which takes 64 MiB and
// a tenth of a second: in all, of one network, and for one name of a network.
const (
	mostWaiting   = 16
	mostOfNetwork = 8
	mostOfName    = 2
)

// Stranger is who has a password checked without having proven anything.
type Stranger struct{ Network, Name string }

// queue lets one stranger at a time have a password checked, and has few wait. Who is
// known by their browser, or has signed in, does not stand in it.
type queue struct {
	mu    sync.Mutex
	all   int
	of    map[Stranger]int // by network, and by name in a network
	place chan struct{}
}

// enter waits for the place, until leave is called. ErrBusy when the queue is full.
func (q *queue) enter(ctx context.Context, s Stranger) (leave func(), err error) {
	network := Stranger{Network: s.Network}
	if !q.count(s, network) {
		return nil, ErrBusy
	}
	out := func() { q.uncount(s, network) }
	select {
	case q.place <- struct{}{}:
		return func() { <-q.place; out() }, nil
	case <-ctx.Done():
		out()
		return nil, ctx.Err()
	}
}

func (q *queue) count(s, network Stranger) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.place == nil {
		q.place, q.of = make(chan struct{}, 1), map[Stranger]int{}
	}
	if q.all >= mostWaiting || q.of[network] >= mostOfNetwork || q.of[s] >= mostOfName {
		return false
	}
	q.all++
	q.of[s]++
	q.of[network]++
	return true
}

func (q *queue) uncount(all ...Stranger) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.all--
	for _, s := range all {
		if q.of[s]--; q.of[s] == 0 {
			delete(q.of, s)
		}
	}
}
