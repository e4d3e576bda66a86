package throttle

import (
	"sync"
	"time"
)

// Kind names a bound of what is made, or is under way, before somebody is believed.
type Kind int

// The bounds that a node has, in the order in which they are shown.
const (
	Unwritten      Kind = iota // sign-ons, applications and administrators that were refused and are not written
	Tries                      // wrong passwords, tickets, codes and one-time passwords
	Messages                   // of applications that speak SAML
	Passkeys                   // questions about them
	Codes                      // that agents show
	Answers                    // of identity providers, and journeys there
	Names                      // names and networks that a throttle knows at once
	Lines                      // of the log
	SignOns                    // under way
	GatewaySignOns             // under way at one gateway
	Passwords                  // of administrators that are checked
	Tokens                     // answers to applications that cost a signature
	Handshakes                 // of TLS
	Arrivals                   // agents on their way in
	Exports                    // lists that are sent whole
	Streams                    // of activities
	Links                      // that one instance opens, and rotations of its keys
	Requests                   // of a client of the API
	kinds
)

// names are how metrics, alerts and SECURITY.md call the kinds.
var names = [kinds]string{
	"unwritten", "tries", "messages", "passkeys", "codes", "answers", "names", "lines", "signOns", "gatewaySignOns",
	"passwords", "tokens", "handshakes", "arrivals", "exports", "streams", "links", "requests",
}

// String returns the name of a kind.
func (k Kind) String() string { return names[k] }

// Kinds returns all, in their order.
func Kinds() (all []Kind) {
	for k := range kinds {
		all = append(all, k)
	}
	return all
}

// Bounds are all bounds of a node. The zero value is good; safe for concurrent use.
type Bounds struct {
	once sync.Once
	of   [kinds]Bound
}

// Of returns a bound; nil, which counts nothing, when b is nil.
func (b *Bounds) Of(k Kind) *Bound {
	if b == nil {
		return nil
	}
	b.once.Do(func() {
		for k := range b.of {
			b.of[k].full = &b.of[Names]
		}
	})
	return &b.of[k]
}

// lately is half of the time for which it is remembered what was refused.
const lately = 5 * time.Minute

// Bound counts what was refused because there was too much. The methods of a nil one do
// nothing. Safe for concurrent use.
type Bound struct {
	full *Bound // is told when a throttle knows too many names

	mu        sync.Mutex // guards what follows
	total     int
	now, past bites
}

// bites are what was refused within a time.
type bites struct {
	since time.Time
	all   int
	of    map[string]int // by network, of the frequent ones; the rarest are let go (Misra and Gries, 1982)
}

// mostFrequent is how many networks are told apart: one that has more than half is among them.
const mostFrequent = 32

// Bite counts one that was refused at a time to somebody of a network; empty: it is not known.
func (b *Bound) Bite(now time.Time, network string) {
	if b == nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.turn(now)
	b.total++
	b.now.add(network)
}

// tooMany counts that a throttle knows too many names, and forgets them all.
func (b *Bound) tooMany(now time.Time) {
	if b != nil {
		b.full.Bite(now, "")
	}
}

func (s *bites) add(network string) {
	s.all++
	if _, known := s.of[network]; !known && len(s.of) >= mostFrequent {
		for n := range s.of {
			if s.of[n]--; s.of[n] == 0 {
				delete(s.of, n)
			}
		}
		return
	}
	s.of[network]++
}

// turn begins a new time when the old one is over; the caller holds mu.
func (b *Bound) turn(now time.Time) {
	age := now.Sub(b.now.since)
	if b.now.of != nil && age > -disorder && age < lately {
		return
	}
	b.past = bites{}
	if age < 2*lately {
		b.past = b.now
	}
	b.now = bites{since: now, of: map[string]int{}}
}

// Total is how many were refused since the start.
func (b *Bound) Total() int {
	if b == nil {
		return 0
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.total
}

// Lately is how many were refused within the last five to ten minutes, and the network to
// which most of them were; empty when none stands out.
func (b *Bound) Lately(now time.Time) (n int, network string) {
	if b == nil {
		return 0, ""
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.turn(now)
	n = b.now.all + b.past.all
	for _, some := range []map[string]int{b.now.of, b.past.of} {
		for of := range some {
			if 2*(b.now.of[of]+b.past.of[of]) > n {
				network = of
			}
		}
	}
	return n, network
}
