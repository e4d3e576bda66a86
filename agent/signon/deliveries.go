package signon

import (
	"crypto/sha256"
	"fmt"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"ldap-gateway/cloudlink/wire"
)

// Deliveries bounds how often a cloud changes what it asks: a user type is a
// question to the directory, and who may change it at will can ask everything. It
// outlives a link, and is safe for concurrent use.
//
// What an instance is delivered first of all is let through, and what was taken before
// is not counted again, also by the program before this one: see [Deliveries.Know].
type Deliveries struct {
	mu      sync.Mutex
	tokens  *rate.Limiter     // nil: nothing was delivered since the start
	have    map[typeHash]bool // nil: nothing was delivered ever
	refused time.Time         // when a change was refused last; zero: never
}

// typeHash names all that a user type asks.
type typeHash [sha256.Size]byte

func hashOf(t wire.UserType) typeHash {
	b, err := wire.Marshal(t)
	if err != nil {
		return typeHash{} // what cannot be written was never read
	}
	return sha256.Sum256(b)
}

// Know takes in what was delivered before the program was started.
func (d *Deliveries) Know(types []wire.UserType) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.have = map[typeHash]bool{}
	for _, t := range types {
		d.have[hashOf(t)] = true
	}
}

// admit tells which of the types, in order, are taken; perHour of them may be new.
func (d *Deliveries) admit(types []wire.UserType, perHour int) []bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	first := d.have == nil
	limit := rate.Limit(perHour) / rate.Limit(time.Hour/time.Second)
	if d.tokens == nil {
		d.tokens = rate.NewLimiter(limit, perHour)
	}
	d.tokens.SetLimit(limit)
	d.tokens.SetBurst(perHour)
	if first || len(d.have) > mostHashes {
		d.have = map[typeHash]bool{}
	}
	taken := make([]bool, len(types))
	for i, t := range types[:min(len(types), mostTypes)] {
		hash := hashOf(t)
		taken[i] = first || d.have[hash] || d.tokens.Allow()
		if taken[i] {
			d.have[hash] = true
		} else {
			d.refused = time.Now()
		}
	}
	return taken
}

// mostHashes bounds how many user types are remembered as taken before.
const mostHashes = 10_000

// Refused tells whether a change was refused within the last hour.
func (d *Deliveries) Refused() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return !d.refused.IsZero() && time.Since(d.refused) < time.Hour
}

// tooOften is why a change is refused.
func tooOften(perHour int) string {
	return fmt.Sprintf(
		"user types changed more often than policy.user_type_changes_per_hour (%d) allows: this one is taken in %s",
		perHour,
		changeEvery(perHour).Round(time.Second),
	)
}

// changeEvery is the time between two changes that are taken.
func changeEvery(perHour int) time.Duration { return time.Hour / time.Duration(max(1, perHour)) }
