package throttle

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"
)

// ErrFull says that too much of a kind is under way: whoever is told so may come again in a
// moment.
var ErrFull = errors.New("too much is under way")

// Who has something be under way. Whoever is told nothing of is one with all of whom that is
// true.
type Who struct {
	Owner   string // whom it is for, as an environment, a gateway or an account
	Network string // as [Network] returns it
	Name    string // that tells people of one network apart, as far as they say so
}

// Queue bounds what is under way at once, and is fair to those who wait: to owners, to
// neighbourhoods, to networks and to names, in this order. The next is of whom the least is
// under way, who came least often lately and had the fewest turns; of equals the newest, for
// which somebody waits still. Where too many wait one of those who have the most goes, and is
// told [ErrFull]. Its fields are set before the first use; nil has no bound. Safe for
// concurrent use.
type Queue struct {
	// What may be under way in all, of an owner, of a neighbourhood, of a network and of a name
	// in one; 0: any number.
	Places, OfOwner, OfNear, OfNetwork, OfName int
	// Spare has a hundredth of Places and OfOwner be each neighbourhood's, up to as many
	// again: whoever fills them up comes from few of those.
	Spare    bool
	Waiting  int           // so many more wait, half of them of one owner
	Patience time.Duration // that one of them has
	Memory   time.Duration // for which it counts who came, and had a turn; 0: it does not
	Bound    *Bound        // is told of those who were told ErrFull; nil: nobody is

	mu    sync.Mutex // guards what follows
	busy  int
	line  []*waiter
	loads [levels]map[string]*load
	since time.Time // that tries are counted
}

// The levels of fairness.
const (
	byOwner = iota
	byNear
	byNetwork
	byName
	levels
)

// load is what somebody has of a queue.
type load struct{ busy, waits, tries int }

// waiter is one who waits, or is under way.
type waiter struct {
	keys    [levels]string
	loads   [levels]*load
	network string
	done    chan struct{} // closed when it is decided: in tells how
	in      bool
}

// Enter waits until there is a place, which is had until leave is called. ErrFull when there
// is none soon; else the error is that of ctx.
func (q *Queue) Enter(ctx context.Context, who Who) (leave func(), err error) {
	if q == nil {
		return func() {}, nil
	}
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	w := q.join(who)
	err = q.wait(ctx, w)
	q.mu.Lock()
	defer q.mu.Unlock()
	if w.in {
		return sync.OnceFunc(func() { q.leave(w) }), nil
	}
	q.drop(w)
	if errors.Is(err, ErrFull) {
		q.Bound.Bite(time.Now(), w.network)
	}
	return nil, err
}

// wait returns when it is decided about somebody, or too late.
func (q *Queue) wait(ctx context.Context, w *waiter) error {
	select {
	case <-w.done: // as with most
		return ErrFull
	default:
	}
	patience := time.NewTimer(q.Patience)
	defer patience.Stop()
	select {
	case <-w.done:
	case <-patience.C:
	case <-ctx.Done():
		return ctx.Err()
	}
	return ErrFull
}

// Forgive takes back what counts of a name in a network, as when its turn was well spent.
func (q *Queue) Forgive(who Who) {
	if q == nil {
		return
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	keys := who.keys()
	of := q.loads[byName][keys[byName]]
	if of == nil {
		return
	}
	n := of.tries
	for level, key := range keys {
		if l := q.loads[level][key]; l != nil {
			l.tries = max(0, l.tries-n)
			q.forget(level, key)
		}
	}
}

// UnderWay is how many are, and how many wait.
func (q *Queue) UnderWay() (busy, waiting int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.busy, len(q.line)
}

func (w Who) keys() [levels]string {
	return [levels]string{w.Owner, neighbourhood(w.Network), w.Network, w.Network + "\x00" + w.Name}
}

// join has somebody wait, and lets in who is next; of too many one is dropped.
func (q *Queue) join(who Who) *waiter {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.age(time.Now())
	w := &waiter{keys: who.keys(), network: who.Network, done: make(chan struct{})}
	for level, key := range w.keys {
		if q.loads[level][key] == nil {
			q.loads[level][key] = &load{}
		}
		w.loads[level] = q.loads[level][key]
		w.loads[level].waits++
		q.tried(w.loads[level])
	}
	q.line = append(q.line, w)
	q.serve()
	if out := q.crowdedOut(w); out != nil {
		q.drop(out)
		close(out.done)
	}
	return w
}

// tried counts that somebody came, or had a turn.
func (q *Queue) tried(l *load) {
	if q.Memory > 0 {
		l.tries++
	}
}

// age has tries be forgotten when their time is over, or there are too many to count.
func (q *Queue) age(now time.Time) {
	if q.loads[byName] != nil && len(q.loads[byName]) < maxKeys && (q.Memory == 0 || now.Sub(q.since) < q.Memory) {
		return
	}
	if len(q.loads[byName]) >= maxKeys {
		q.Bound.tooMany(now)
	}
	q.since = now
	for level := range q.loads {
		if q.loads[level] == nil {
			q.loads[level] = map[string]*load{}
		}
		for key, l := range q.loads[level] {
			l.tries = 0
			q.forget(level, key)
		}
	}
}

// serve lets in those for whom there is room.
func (q *Queue) serve() {
	for {
		w := q.next()
		if w == nil {
			return
		}
		q.line = slices.DeleteFunc(q.line, func(other *waiter) bool { return other == w })
		q.busy++
		for _, l := range w.loads {
			l.waits--
			l.busy++
			q.tried(l)
		}
		w.in = true
		close(w.done)
	}
}

// next is who comes next; nil when nobody has room.
func (q *Queue) next() (best *waiter) {
	for _, w := range q.line {
		if q.room(w) && (best == nil || !w.heavier(best, func(l *load) int { return l.busy + l.tries })) {
			best = w
		}
	}
	return best
}

// crowdedOut is who has to go when another waits; nil when nobody has.
func (q *Queue) crowdedOut(newest *waiter) (worst *waiter) {
	inAll, ofOwner := len(q.line) > q.Waiting, newest.loads[byOwner].waits > max(1, q.Waiting/2)
	if newest.in || !inAll && !ofOwner {
		return nil
	}
	for _, w := range q.line {
		mine := inAll || w.loads[byOwner] == newest.loads[byOwner]
		if mine && (worst == nil || w.heavier(worst, func(l *load) int { return l.busy + l.tries + l.waits })) {
			worst = w
		}
	}
	return worst
}

// heavier tells whether somebody has more than another, at the first level at which they differ.
func (w *waiter) heavier(other *waiter, weight func(*load) int) bool {
	for level, l := range w.loads {
		if mine, theirs := weight(l), weight(other.loads[level]); mine != theirs {
			return mine > theirs
		}
	}
	return false
}

// room tells whether one more may be under way.
func (q *Queue) room(w *waiter) bool {
	near := w.loads[byNear].busy
	for level, most := range [levels]int{byNear: q.OfNear, byNetwork: q.OfNetwork, byName: q.OfName} {
		if most > 0 && w.loads[level].busy >= most {
			return false
		}
	}
	return q.free(q.busy, q.Places, near) && q.free(w.loads[byOwner].busy, q.OfOwner, near)
}

// free tells whether of so many places, of which some are taken, one is a neighbourhood's.
func (q *Queue) free(taken, places, near int) bool {
	return places == 0 || taken < places || q.Spare && taken < 2*places && near < max(1, places/100)
}

// leave ends what was under way.
func (q *Queue) leave(w *waiter) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.busy--
	for level, l := range w.loads {
		l.busy--
		q.forget(level, w.keys[level])
	}
	q.serve()
}

// drop takes out one who waits; who does not is left.
func (q *Queue) drop(w *waiter) {
	at := slices.Index(q.line, w)
	if at < 0 {
		return
	}
	q.line = slices.Delete(q.line, at, at+1)
	for level, l := range w.loads {
		l.waits--
		q.forget(level, w.keys[level])
	}
}

// forget lets go of whom nothing is known any more.
func (q *Queue) forget(level int, key string) {
	if l := q.loads[level][key]; l != nil && *l == (load{}) {
		delete(q.loads[level], key)
	}
}
