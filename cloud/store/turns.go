package store

import (
	"maps"
	"sync"
	"time"
)

// turns hands a turn, or one of several, from one to the next, fairly by what it is for: of those who
// wait goes first who is of the kind that has had the least time. So an environment that many write in
// at once, or whose turns are long, keeps the others waiting for one of its own, and not for all.
type turns struct {
	most int // turns there are; 0: one

	mu     sync.Mutex
	taken  int
	clock  time.Duration            // what the kind had had that was served last
	had    map[string]time.Duration // by kind, where that is more than the clock
	queues map[string]*queue        // of those who wait
	count  uint64                   // of what was queued or served
}

// queue is who waits of one kind, the first first.
type queue struct {
	waiting []chan struct{}
	since   uint64 // of kinds that have had as much goes first whose is least
}

// take waits for the turn; pass gives it to the next who waits.
func (t *turns) take(kind string) (pass func()) {
	t.mu.Lock()
	if t.taken < max(1, t.most) {
		t.taken++
		t.mu.Unlock()
		return t.passing(kind)
	}
	q := t.queues[kind]
	if q == nil {
		if t.queues == nil {
			t.queues = map[string]*queue{}
		}
		q = &queue{since: t.next()}
		t.queues[kind] = q
	}
	mine := make(chan struct{})
	q.waiting = append(q.waiting, mine)
	t.mu.Unlock()
	<-mine
	return t.passing(kind)
}

// next counts on.
func (t *turns) next() uint64 {
	t.count++
	return t.count
}

func (t *turns) passing(kind string) (pass func()) {
	began := time.Now()
	return func() { t.pass(kind, time.Since(began)) }
}

// mostHad is how many kinds are remembered before those are forgotten whose time counts no more.
const mostHad = 256

// pass ends a turn of a kind that took so long.
func (t *turns) pass(kind string, took time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.queues) == 0 { // who waits for nobody has used up nothing
		t.taken--
		clear(t.had)
		return
	}
	if t.had == nil {
		t.had = map[string]time.Duration{}
	}
	t.had[kind] = t.of(kind) + took
	next := t.first()
	t.clock = t.of(next)
	if len(t.had) > mostHad {
		maps.DeleteFunc(t.had, func(_ string, had time.Duration) bool { return had <= t.clock })
	}
	q := t.queues[next]
	mine := q.waiting[0]
	if q.waiting, q.since = q.waiting[1:], t.next(); len(q.waiting) == 0 {
		delete(t.queues, next)
	}
	close(mine)
}

// ahead is the kind that goes next; empty: nobody waits.
func (t *turns) ahead() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.first()
}

// of returns how much a kind has had; who comes anew begins where the others are.
func (t *turns) of(kind string) time.Duration { return max(t.clock, t.had[kind]) }

// first returns the kind among those who wait that goes next.
func (t *turns) first() (first string) {
	var least *queue
	for kind, q := range t.queues {
		if least == nil || t.of(kind) < t.of(first) || t.of(kind) == t.of(first) && q.since < least.since {
			first, least = kind, q
		}
	}
	return first
}
