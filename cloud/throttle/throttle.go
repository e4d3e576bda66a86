package throttle

import (
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"
)

// maxKeys bounds the keys of one window. One more begins a new window: whoever
// can fill it so fast is to be stopped by address, elsewhere.
const maxKeys = 100_000

// Window counts by key. Its fields are set before the first use; safe for
// concurrent use.
type Window struct {
	Length time.Duration
	// InAll is how many tries of all keys together there may be; 0: any number. Beyond them
	// each neighbourhood of networks has a hundredth of it, up to InAll more: whoever brings
	// the others' share to its end comes from few of them.
	InAll int
	Bound *Bound // is told of tries that may not begin, or are to wait; nil: nobody is

	mu    sync.Mutex
	start time.Time
	tries map[string]int
	near  map[string]int // by neighbourhood, where InAll counts
	all   int
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
	w.tries[key]++
	w.all++
}

// Forget takes back what was counted for key, as after a try that went right, and
// returns how many tries that were.
func (w *Window) Forget(key string) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	n := w.tries[key]
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
	if w.full(near) || slices.ContainsFunc(limits, func(l Limit) bool { return w.tries[l.Key] >= l.Most }) {
		return w.refuse(now, limits[0].Key)
	}
	for _, l := range limits {
		w.tries[l.Key]++
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
	if left := w.tries[key] - n; left > 0 {
		w.tries[key] = left
	} else {
		delete(w.tries, key)
	}
}

// Wait returns how long key must wait, having most tries; zero when it need not.
func (w *Window) Wait(key string, most int, now time.Time) time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.turn(now)
	if w.tries[key] < most && !w.full(neighbourhood(key)) {
		return 0
	}
	return w.refuse(now, key)
}

// refuse has the bound count one more, and returns how long the window goes on.
func (w *Window) refuse(now time.Time, key string) time.Duration {
	w.Bound.Bite(now, networkIn(key))
	return w.start.Add(w.Length).Sub(now)
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
	return max(0, most-w.tries[key])
}

// turn begins a new window when the old one is over, full, or of the future.
func (w *Window) turn(now time.Time) {
	if len(w.tries) >= maxKeys {
		w.Bound.tooMany(now)
	}
	if w.tries == nil || len(w.tries) >= maxKeys || now.Sub(w.start) >= w.Length || now.Before(w.start) {
		w.start, w.tries, w.near, w.all = now, map[string]int{}, map[string]int{}, 0
	}
}
