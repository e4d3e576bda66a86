package directory

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// toy is a server that works on some searches at once, each for a while, and on the
// others later: with more under way, each takes longer.
type toy struct {
	workers chan struct{}
	each    time.Duration
	inside  atomic.Int64
	most    atomic.Int64
}

func (s *toy) serve(l *limiter) time.Duration {
	if l.enter(context.Background()) != nil {
		return 0
	}
	n := s.inside.Add(1)
	for {
		if most := s.most.Load(); n <= most || s.most.CompareAndSwap(most, n) {
			break
		}
	}
	start := time.Now()
	s.workers <- struct{}{}
	time.Sleep(s.each)
	<-s.workers
	s.inside.Add(-1)
	took := time.Since(start)
	l.leave(took, true, time.Now())
	return took
}

// TestLimitFollowsWhatTheServerCanDo in synthetic time: a burst waits outside of a slow
// server, all of it is served as fast as the server can, and a quick one is not held up.
func TestLimitFollowsWhatTheServerCanDo(t *testing.T) {
	for name, tc := range map[string]struct {
		workers, burst int
		each           time.Duration
		most           int64
	}{
		"two slow workers":  {2, 400, 100 * time.Millisecond, firstLimit + 4},
		"one slower":        {1, 100, time.Second, firstLimit + 4},
		"many quick":        {64, 20000, time.Millisecond, mostLimit},
		"far and unhurried": {1000, 5000, 150 * time.Millisecond, mostLimit},
	} {
		synctest.Test(t, func(t *testing.T) {
			var l limiter
			s := &toy{workers: make(chan struct{}, tc.workers), each: tc.each}
			var wg sync.WaitGroup
			var slowest atomic.Int64
			start := time.Now()
			for range tc.burst {
				wg.Go(func() {
					took := int64(s.serve(&l))
					for old := slowest.Load(); took > old && !slowest.CompareAndSwap(old, took); old = slowest.Load() {
					}
				})
			}
			wg.Wait()
			took, best := time.Since(start), time.Duration(tc.burst/min(tc.workers, mostLimit))*tc.each
			if s.most.Load() > tc.most || took > best*3/2+4*time.Second {
				t.Errorf("%s: %d at once, at most %d; all took %s, at best %s", name, s.most.Load(), tc.most, took, best)
			}
			if l.running != 0 || len(l.queue) != 0 {
				t.Errorf("%s: %d run and %d wait in the end", name, l.running, len(l.queue))
			}
			t.Logf(
				"%s: %d at once, limit %.0f, slowest %s, all %s of %s",
				name,
				s.most.Load(),
				l.limit,
				time.Duration(slowest.Load()),
				took,
				best,
			)
		})
	}
}

// TestWaitingIsGivenUp takes nobody's turn away.
func TestWaitingIsGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var l limiter
		for range firstLimit {
			if err := l.enter(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		hurried, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		var after error
		var wg sync.WaitGroup
		wg.Go(func() { after = l.enter(hurried) })
		synctest.Wait()
		got := make(chan struct{})
		go func() { _ = l.enter(context.Background()); close(got) }()
		wg.Wait()
		if after == nil {
			t.Error("let in beyond the limit")
		}
		for range 2 * firstLimit { // no answer at all: half as many from now on
			l.leave(5*time.Second, false, time.Now())
			if l.running == 0 {
				break
			}
		}
		<-got
		if l.limit > firstLimit/2 || len(l.queue) != 0 {
			t.Errorf("limit %.0f, %d wait", l.limit, len(l.queue))
		}
	})
}
