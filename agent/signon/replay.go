package signon

import (
	"crypto/sha256"
	"iter"
	"sync"
	"time"
)

// replayLife is how long after it was sealed a password is tried, by the cloud's
// clock. A sign-on lives seconds; its password cannot be opened for another ID.
const replayLife = 5 * time.Minute

// replaysMost bounds the requests that are remembered.
const replaysMost = 100_000

// Answered keeps what a Replays remembers, so that it outlives the program. Requests
// are named by a hash, and told oldest first.
type Answered interface {
	Load(now time.Time, each func(who [16]byte, at uint64)) (floor uint64, err error)
	Add(who [16]byte, at uint64) error
	End() error
	Replace(floor uint64, all iter.Seq2[[16]byte, uint64]) error
}

// answeredRequest is who, as a hash, and when, by the cloud's clock in milliseconds;
// 0: nobody told.
type answeredRequest struct {
	who [16]byte
	at  uint64
}

// Replays remembers which requests went as far as a bind, and when the password of
// each was sealed. No clock makes it forget one: the oldest goes when there are too
// many, and from then on no password is tried that was sealed before the youngest that
// is gone. The same holds of what a journal may have lost.
type Replays struct {
	mu      sync.Mutex
	known   map[[16]byte]struct{}
	order   []answeredRequest // a ring, once it is full
	next    int               // of the ring: the oldest
	floor   uint64            // when what is forgotten was sealed, at the latest
	instead uint64            // of a floor that is too far ahead to be true; 0: it is not
	journal Answered          // nil: a restart forgets
	kept    kept
}

// Remember has it go on from what a journal kept, and keep it there from now on. An
// error says that it could not be read or written: then a restart forgets, unless a
// later request finds that it can be. A journal that cannot be read is not replaced,
// and no password is tried that was sealed before now.
func (r *Replays) Remember(j Answered) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.journal, r.kept = j, kept{read: r.read, rewrite: r.rewrite, most: 2 * replaysMost}
	r.kept.mend()
	return r.kept.lost
}

// read takes in what the journal kept; the caller holds mu.
func (r *Replays) read() error {
	now := time.Now()
	floor, err := r.journal.Load(now, func(who [16]byte, at uint64) { r.add(answeredRequest{who, at}) })
	if err != nil {
		floor = max(floor, uint64(max(0, now.UnixMilli())))
	}
	r.floor = max(r.floor, floor)
	return err
}

// End says in the journal that it lacks nothing, if so. Without it the next Remember
// has no password be tried that was sealed before then.
func (r *Replays) End() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.kept.lost != nil {
		r.kept.mend()
	}
	if r.journal == nil || r.kept.lost != nil {
		return r.kept.lost
	}
	return r.journal.End()
}

// Lost returns why a restart would forget; nil when it does not.
func (r *Replays) Lost() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.kept.lost
}

// has tells whether id went as far as a bind.
func (r *Replays) has(id string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	_, known := r.known[hashed(id)]
	return known
}

// forgotten tells whether a request whose password was sealed at a time may be one
// that is remembered no longer; never of one that tells no time.
func (r *Replays) forgotten(at uint64) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.below(at)
}

// mostAhead is how far a time of the cloud may be ahead of this machine's clock.
const mostAhead = time.Hour + mostFuture

// below is forgotten; the caller holds mu. A floor that is further ahead than any cloud
// is was made by a clock that was wrong, and would let nobody in: the moment at
// which that is seen stands in its place, as passwords of the future are not tried anyway.
func (r *Replays) below(at uint64) bool {
	now, floor := time.Now(), r.floor
	switch {
	case floor <= uint64(max(0, now.Add(mostAhead).UnixMilli())):
		r.instead = 0
	case r.instead == 0:
		r.instead = uint64(max(1, now.UnixMilli()))
	}
	if r.instead != 0 {
		floor = r.instead
	}
	return at != 0 && at <= floor
}

// first tells whether a request is new, and remembers it.
func (r *Replays) first(id string, at uint64) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	a := answeredRequest{hashed(id), at}
	if _, known := r.known[a.who]; known || r.below(at) {
		return false
	}
	r.add(a)
	r.kept.add(func() error { return r.journal.Add(a.who, a.at) })
	return true
}

// add remembers a request; the caller holds mu.
func (r *Replays) add(a answeredRequest) {
	if _, known := r.known[a.who]; known {
		return
	}
	if r.known == nil {
		r.known = map[[16]byte]struct{}{}
	}
	r.known[a.who] = struct{}{}
	if len(r.order) < replaysMost {
		r.order = append(r.order, a)
		return
	}
	gone := r.order[r.next]
	delete(r.known, gone.who)
	r.floor = max(r.floor, gone.at)
	r.order[r.next] = a
	r.next = (r.next + 1) % len(r.order)
}

// rewrite begins the journal anew with what is remembered; the caller holds mu.
func (r *Replays) rewrite() (lines int, err error) {
	return len(r.order), r.journal.Replace(r.floor, func(yield func([16]byte, uint64) bool) {
		for i := range r.order {
			if a := r.order[(r.next+i)%len(r.order)]; !yield(a.who, a.at) {
				return
			}
		}
	})
}

// hashed names a request.
func hashed(id string) [16]byte {
	sum := sha256.Sum256([]byte(id))
	return [16]byte(sum[:16])
}
