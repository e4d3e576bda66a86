package directory

import (
	"context"
	"sync"
	"time"
)

// limiter bounds the searches of one kind that are under way at one server, by how
// long they take. As long as they take little longer than the fastest ones did, more
// are let in; when they take longer for each other's sake, fewer. So a burst waits here,
// in order, and not in a server that gets slower with each more. Its zero value works.
type limiter struct {
	mu      sync.Mutex
	limit   float64
	running int
	queue   []chan struct{} // who waits, the first first; closed when it is their turn
	fastest time.Duration   // that was seen
	since   time.Time       // of fastest
}

const (
	firstLimit = 8
	leastLimit = 2
	mostLimit  = 256
	// quick is what a search may take without anybody being asked to wait for it.
	quick = 20 * time.Millisecond
	// queueing is how many of those under way may wait in the server, by the ratio of
	// the fastest time to the present one: fewer, and more are let in; twice as many,
	// and fewer are.
	queueing = 4
	// tooSlow is a time at which there are too many, whatever the fastest was.
	tooSlow = 2 * time.Second
	// fastestFor is how long a fastest time counts before it is taken to be a little
	// longer: a directory grows.
	fastestFor = time.Minute
)

// enter waits for a turn; its error is the context's.
func (l *limiter) enter(ctx context.Context) error {
	l.mu.Lock()
	if l.limit == 0 {
		l.limit = firstLimit
	}
	if len(l.queue) == 0 && l.running < int(l.limit) {
		l.running++
		l.mu.Unlock()
		return nil
	}
	turn := make(chan struct{})
	l.queue = append(l.queue, turn)
	l.mu.Unlock()
	select {
	case <-turn:
		return nil
	case <-ctx.Done():
		l.giveUp(turn)
		return ctx.Err()
	}
}

// giveUp takes somebody out of the queue, whose turn may have come meanwhile.
func (l *limiter) giveUp(turn chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i, t := range l.queue {
		if t == turn {
			l.queue = append(l.queue[:i], l.queue[i+1:]...)
			return
		}
	}
	l.running--
	l.admit()
}

// leave ends a turn that took so long. answered is false when no answer came at all.
func (l *limiter) leave(took time.Duration, answered bool, now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.learn(took, answered, now)
	l.running--
	l.admit()
}

func (l *limiter) learn(took time.Duration, answered bool, now time.Time) {
	if !answered {
		l.limit = max(leastLimit, l.limit/2)
		return
	}
	switch {
	case l.fastest == 0 || took < l.fastest:
		l.fastest, l.since = took, now
	case now.Sub(l.since) > fastestFor:
		l.fastest, l.since = l.fastest+l.fastest/8, now
	}
	waiting := float64(l.running) * (1 - float64(max(l.fastest, quick))/float64(max(took, quick)))
	switch {
	case took > tooSlow:
		l.limit = max(leastLimit, l.limit*3/4)
	case waiting > 2*queueing:
		l.limit = max(leastLimit, l.limit-1)
	case waiting < queueing && l.running >= int(l.limit):
		l.limit = min(mostLimit, l.limit+1)
	}
}

// admit lets in whoever may. The caller holds mu.
func (l *limiter) admit() {
	for len(l.queue) > 0 && l.running < int(l.limit) {
		l.running++
		close(l.queue[0])
		l.queue = l.queue[1:]
	}
}
