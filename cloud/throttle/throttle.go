package throttle

import (
	"maps"
	"net/netip"
	"strings"
	"sync"
	"time"
)

// maxKeys bounds the keys of one window. One more has all be forgotten: whoever
// can fill it so fast is to be stopped by address, elsewhere.
const maxKeys = 100_000

// disorder is by how much the times of calls at once may be out of order: each looks at the time
// before it has its turn. What is further back is a clock that was set.
const disorder = time.Minute

// Window counts by key, each from its first try on. Its fields are set before the first use; safe
// for concurrent use.
type Window struct {
	Length time.Duration
	// InAll is how many tries of all keys together there may be; 0: any number. Beyond them
	// each neighbourhood of networks has a hundredth of it, up to InAll more: whoever brings
	// the others' share to its end comes from few of them.
	InAll int
	Bound *Bound // is told of tries that may not begin, or are to wait; nil: nobody is

	mu    sync.Mutex
	tries map[string]tally
	start time.Time      // of what follows
	near  map[string]int // by neighbourhood, where InAll counts
	all   int
}

// tally is how often a key was tried, and until when that counts.
type tally struct {
	n     int
	until time.Time
}

// Network is the network that an address is in, in words: of IPv6 the 64 bits that one
// line gets, and else the address itself. What is no address is its own.
func Network(address string) string {
	a, err := netip.ParseAddr(address)
	if err != nil {
		return address
	}
	if a = a.Unmap(); a.Is4() {
		return a.String()
	}
	p, _ := a.WithZone("").Prefix(64) // of that many bits there is always one
	return p.String()
}

// Count notes one try that went wrong.
func (w *Window) Count(key string, now time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.turn(now)
	w.add(key, now)
	w.all++
}

// of is what counts of a key now; nothing when the clock went back behind its first try.
func (w *Window) of(key string, now time.Time) (t tally) {
	t = w.tries[key]
	if left := t.until.Sub(now); left <= 0 || left > w.Length+disorder {
		return tally{until: now.Add(w.Length)}
	}
	return t
}

// add counts one try of a key.
func (w *Window) add(key string, now time.Time) {
	t := w.of(key, now)
	t.n++
	w.tries[key] = t
}

// Forget takes back what was counted for key, as after a try that went right, and
// returns how many tries that were.
func (w *Window) Forget(key string) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	n := w.tries[key].n
	delete(w.tries, key)
	return n
}

// Limit is how many tries a key may have in a window. A key that is of a network ends with
// that, as [Network] returns it, after a space if there is more.
type Limit struct {
	Key  string
	Most int
}

// Begin counts a try for each key before it is made, so that many at once count
// too. When a key has had its most it counts nothing, and returns how long to wait.
func (w *Window) Begin(now time.Time, limits ...Limit) time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.turn(now)
	near := neighbourhood(limits[0].Key)
	var wait time.Duration
	for _, l := range limits {
		wait = max(wait, w.waits(near, l, now))
	}
	if wait > 0 {
		w.Bound.Bite(now, networkIn(limits[0].Key))
		return wait
	}
	for _, l := range limits {
		w.add(l.Key, now)
	}
	w.all++
	if w.InAll > 0 {
		w.near[near]++
	}
	return 0
}

// full tells whether there is no room for one more of a neighbourhood.
func (w *Window) full(near string) bool {
	if w.InAll == 0 || w.all < w.InAll {
		return false
	}
	return w.all >= 2*w.InAll || w.near[near] >= max(1, w.InAll/100)
}

// neighbourhood is what a network is among, which whoever has it gets as easily: 24 bits of
// IPv4, 48 of IPv6. What is no network is its own.
func neighbourhood(network string) string {
	p, err := netip.ParsePrefix(network)
	if err != nil {
		a, err := netip.ParseAddr(network)
		if err != nil {
			return network
		}
		p = netip.PrefixFrom(a, a.BitLen())
	}
	bits := 48
	if p.Addr().Is4() {
		bits = 24
	}
	wide, err := p.Addr().Prefix(bits)
	if err != nil {
		return network
	}
	return wide.String()
}

// Undo takes back n tries of a key, as far as there were any.
func (w *Window) Undo(key string, n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	t := w.tries[key]
	if t.n -= n; t.n > 0 {
		w.tries[key] = t
	} else {
		delete(w.tries, key)
	}
}

// Wait returns how long key must wait, having most tries; zero when it need not.
func (w *Window) Wait(key string, most int, now time.Time) time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.turn(now)
	wait := w.waits(neighbourhood(key), Limit{key, most}, now)
	if wait > 0 {
		w.Bound.Bite(now, networkIn(key))
	}
	return wait
}

// waits returns how long one of a neighbourhood must wait by a limit, and by that of all.
func (w *Window) waits(near string, l Limit, now time.Time) (wait time.Duration) {
	if t := w.of(l.Key, now); t.n >= l.Most {
		wait = min(t.until.Sub(now), w.Length)
	}
	if w.full(near) {
		wait = max(wait, min(w.start.Add(w.Length).Sub(now), w.Length))
	}
	return wait
}

// networkIn is the network that a key ends with; empty when it is of none.
func networkIn(key string) string {
	last := key[strings.LastIndexByte(key, ' ')+1:]
	if _, err := netip.ParseAddr(last); err == nil {
		return last
	}
	if _, err := netip.ParsePrefix(last); err == nil {
		return last
	}
	return ""
}

// Left returns how many tries a key has that may have most of them; 0 when it must wait.
func (w *Window) Left(key string, most int, now time.Time) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.turn(now)
	return max(0, most-w.of(key, now).n)
}

// turn begins to count all anew when the time for that is over, or of the future, and forgets keys
// that count no more; of too many it forgets all.
func (w *Window) turn(now time.Time) {
	full := len(w.tries) >= maxKeys
	if w.tries != nil && !full && now.Sub(w.start) < w.Length && now.Sub(w.start) > -disorder {
		return
	}
	w.start, w.near, w.all = now, map[string]int{}, 0
	maps.DeleteFunc(w.tries, func(key string, _ tally) bool { return w.of(key, now).n == 0 })
	if full {
		w.Bound.tooMany(now)
	}
	if w.tries == nil || len(w.tries) >= maxKeys/2 && full {
		w.tries = map[string]tally{}
	}
}
