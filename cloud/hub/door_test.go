package hub

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"ldap-gateway/cloud/throttle"
)

// TestDoor: of a thousand agents that come at once so many are on their way in as have places, and
// each is in before the next begins; those who say nothing lose theirs after a second, and keep
// nobody out for longer. Who waits too long is counted and told to come again, and who goes away
// takes no place.
func TestDoor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bound := &throttle.Bound{}
		d := &door{make(chan struct{}, mostArriving), bound}
		var within, most, in atomic.Int64
		for range 1000 {
			go func() {
				arrived, err := d.enter(t.Context())
				if err != nil {
					t.Error(err)
					return
				}
				if n := within.Add(1); n > most.Load() {
					most.Store(n)
				}
				time.Sleep(10 * time.Millisecond)
				within.Add(-1)
				in.Add(1)
				arrived()
				arrived()
			}()
		}
		synctest.Wait()
		time.Sleep(15 * time.Millisecond)
		synctest.Wait()
		if in.Load() != mostArriving {
			t.Errorf("%d are in after the first round", in.Load())
		}
		time.Sleep(time.Second)
		synctest.Wait()
		if in.Load() != 1000 || most.Load() > mostArriving || len(d.places) != 0 {
			t.Errorf("%d in, %d at once, %d places are taken", in.Load(), most.Load(), len(d.places))
		}
		for range mostArriving * 10 { // they say nothing
			go func() {
				_, err := d.enter(t.Context())
				if err != nil && !errors.Is(err, errCrowd) {
					t.Error(err)
				}
			}()
		}
		synctest.Wait()
		gone, leave := context.WithCancel(t.Context())
		left := make(chan error)
		go func() { _, err := d.enter(gone); left <- err }()
		synctest.Wait()
		leave()
		if err := <-left; !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		time.Sleep(doorPatience + 2*arriveTime)
		synctest.Wait()
		if n := bound.Total(); n == 0 || n > mostArriving*3 || len(d.places) != 0 {
			t.Errorf("%d waited too long, %d places are taken", n, len(d.places))
		}
	})
}
