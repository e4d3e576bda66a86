package signon

import (
	"slices"
	"sync"
	"time"
)

// Stats counts sign-ons between two heartbeats. Safe for concurrent use.
type Stats struct {
	mu    sync.Mutex
	since time.Time
	count int
	took  []time.Duration // of at most statsKeep sign-ons
}

// statsKeep bounds what the median is taken of.
const statsKeep = 512

// NewStats returns an empty Stats that begins now.
func NewStats() *Stats { return &Stats{since: time.Now()} }

func (s *Stats) add(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.count < statsKeep {
		s.took = append(s.took, d)
	} else {
		s.took[s.count%statsKeep] = d
	}
	s.count++
}

// Take returns the sign-ons a second and the median time of one since the last
// call, and starts over.
func (s *Stats) Take() (perSecond float64, median time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	if elapsed := now.Sub(s.since).Seconds(); elapsed > 0 {
		perSecond = float64(s.count) / elapsed
	}
	if n := len(s.took); n > 0 {
		slices.Sort(s.took)
		median = s.took[n/2]
	}
	s.since, s.count, s.took = now, 0, s.took[:0]
	return perSecond, median
}
