package signon

import (
	"crypto/sha256"
	"errors"
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
	Load(each func(who [16]byte, at uint64)) (floor uint64, err error)
	Add(who [16]byte, at uint64) error
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
// is gone.
type Replays struct {
	mu      sync.Mutex
	known   map[[16]byte]struct{}
	order   []answeredRequest // a ring, once it is full
	next    int               // of the ring: the oldest
	floor   uint64            // when what is forgotten was sealed, at the latest
	journal Answered          // nil: a restart forgets
	lines   int               // of the journal
	lost    error             // why the journal is not written; nil: it is
}

// Remember has it go on from what a journal kept, and keep it there from now on. An
// error says that it could not be read or written: then a restart forgets.
func (r *Replays) Remember(j Answered) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	floor, err := j.Load(func(who [16]byte, at uint64) { r.add(answeredRequest{who, at}) })
	r.floor, r.journal = max(r.floor, floor), j
	return errors.Join(err, r.rewrite())
}

// Lost returns why a restart would forget; nil when it does not.
func (r *Replays) Lost() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.lost
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
	return at != 0 && at <= r.floor
}

// first tells whether a request is new, and remembers it.
func (r *Replays) first(id string, at uint64) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	a := answeredRequest{hashed(id), at}
	if _, known := r.known[a.who]; known || at != 0 && at <= r.floor {
		return false
	}
	r.add(a)
	if r.journal == nil {
		return true
	}
	if r.lines++; r.lines > 2*replaysMost {
		_ = r.rewrite() // which keeps why it did not
		return true
	}
	r.lost = r.journal.Add(a.who, a.at)
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
func (r *Replays) rewrite() error {
	r.lines, r.lost = len(r.order), r.journal.Replace(r.floor, func(yield func([16]byte, uint64) bool) {
		for i := range r.order {
			if a := r.order[(r.next+i)%len(r.order)]; !yield(a.who, a.at) {
				return
			}
		}
	})
	return r.lost
}

// hashed names a request.
func hashed(id string) [16]byte {
	sum := sha256.Sum256([]byte(id))
	return [16]byte(sum[:16])
}
