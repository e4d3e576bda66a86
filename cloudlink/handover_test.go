package cloudlink

import (
	"sync/atomic"
	"testing"
	"testing/synctest"
)

// TestHandlersShareGoroutines: so many handlers as are at work have a goroutine each, one that comes
// later takes one of these, and none is left after a beat, or once the session is over.
func TestHandlersShareGoroutines(t *testing.T) {
	for end, rest := range map[string]func(*session){
		"a beat":      (*session).dismiss,
		"the session": func(s *session) { close(s.over) },
	} {
		synctest.Test(t, func(t *testing.T) {
			s := &session{handlers: make(chan func()), over: make(chan struct{})}
			for _, atOnce := range []int{1, 5, 3, 8, 1, 8} {
				var ran atomic.Int64
				hold := make(chan struct{})
				for range atOnce {
					s.handOver(func() { <-hold; ran.Add(1) })
				}
				close(hold)
				synctest.Wait()
				if n := int(ran.Load()); n != atOnce {
					t.Errorf("%d of %d handlers ran", n, atOnce)
				}
			}
			if n := waiting(s); n != 8 {
				t.Errorf("%d goroutines wait after 8 handlers at once", n)
			}
			synctest.Wait()
			rest(s)
			s.running.Wait() // for ever, if one were left
			if n := waiting(s); n > 0 {
				t.Errorf("after %s %d goroutines are left", end, n)
			}
		})
	}
}

// waiting counts the goroutines that wait for a handler: so many take one at once.
func waiting(s *session) (n int) {
	synctest.Wait()
	hold := make(chan struct{})
	defer close(hold)
	for {
		select {
		case s.handlers <- func() { <-hold }:
			n++
		default:
			return n
		}
	}
}
