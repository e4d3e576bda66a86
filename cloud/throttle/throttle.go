// Package throttle owns the counting of tries that went wrong: who made too many
// within a window of time has to wait until it is over.
//
// Called by pairing, for codes, by signon and console, for passwords. It knows
// keys and numbers only, keeps them in memory, and forgets them all when a window
// ends. What it holds is bounded by maxKeys.
package throttle

import (
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
	InAll  int // tries of all keys together after which everyone waits; 0: never

	mu    sync.Mutex
	start time.Time
	tries map[string]int
	all   int
}

// Count notes one try that went wrong.
func (w *Window) Count(key string, now time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.turn(now)
	w.tries[key]++
	w.all++
}

// Forget takes back what was counted for key, as after a try that went right.
func (w *Window) Forget(key string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.tries, key)
}

// Wait returns how long key must wait, having most tries; zero when it need not.
func (w *Window) Wait(key string, most int, now time.Time) time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.turn(now)
	if w.tries[key] < most && (w.InAll == 0 || w.all < w.InAll) {
		return 0
	}
	return w.start.Add(w.Length).Sub(now)
}

// turn begins a new window when the old one is over, full, or of the future.
func (w *Window) turn(now time.Time) {
	if w.tries == nil || len(w.tries) >= maxKeys || now.Sub(w.start) >= w.Length || now.Before(w.start) {
		w.start, w.tries, w.all = now, map[string]int{}, 0
	}
}
