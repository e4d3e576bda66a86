package signon

import (
	"sync"
	"time"
)

// replayLife is how long a sign-on's ID is remembered at the least. A sign-on
// lives seconds; its password cannot be opened for another ID.
const replayLife = 5 * time.Minute

// Replays remembers which sign-ons went as far as a bind.
type Replays struct {
	mu       sync.Mutex
	young    map[string]struct{}
	old      map[string]struct{}
	turnover time.Time
}

// known tells whether id went as far as a bind.
func (r *Replays) known(id string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	_, inYoung := r.young[id]
	_, inOld := r.old[id]
	return inYoung || inOld
}

// first tells whether id is new, and remembers it.
func (r *Replays) first(id string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if now := time.Now(); now.Sub(r.turnover) > replayLife {
		r.old, r.young, r.turnover = r.young, map[string]struct{}{}, now
	}
	_, inYoung := r.young[id]
	_, inOld := r.old[id]
	r.young[id] = struct{}{}
	return !inYoung && !inOld
}
