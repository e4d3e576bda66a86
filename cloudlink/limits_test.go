package cloudlink_test

import (
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"ldap-gateway/cloudlink"
	"ldap-gateway/cloudlink/cloudlinktest"
	"ldap-gateway/cloudlink/wire"
)

// TestAbsurdHeartbeatIsNotFollowed has a cloud ask for none, and for one in forty days.
func TestAbsurdHeartbeatIsNotFollowed(t *testing.T) {
	for name, c := range map[string]struct {
		cloud     *cloudlinktest.Cloud
		low, high int // heartbeats in ten minutes
	}{
		"zero":       {&cloudlinktest.Cloud{Heartless: true}, 500, 610},
		"forty-days": {&cloudlinktest.Cloud{Heartbeat: 40 * 24 * time.Hour}, 18, 22},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				conn := start(t, c.cloud, &slowHandler{}).cloud.AwaitLink(t)
				end := time.After(10 * time.Minute)
				for n := 0; ; n++ {
					select {
					case <-conn.Heartbeats:
					case <-end:
						if n < c.low || n > c.high {
							t.Errorf("%d heartbeats in ten minutes", n)
						}
						return
					}
				}
			})
		})
	}
}

// TestTalkingCloudThatReadsNothingIsLeft has it go on sending, which keeps it
// from looking dead.
func TestTalkingCloudThatReadsNothingIsLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cloud := &cloudlinktest.Cloud{}
		cloud.Deaf.Store(true)
		f := start(t, cloud, &slowHandler{})
		c := f.cloud.AwaitLink(t)
		synctest.Wait()
		f.cloud.Deaf.Store(false)
		from := time.Now()
		for c.Send(wire.Kind(200), 0, 0, nil) == nil { // a notice: nothing is to be answered
			time.Sleep(time.Second)
			if time.Since(from) > 5*time.Minute {
				t.Fatal("still there after five minutes")
			}
		}
		if d := time.Since(from); d > 40*time.Second {
			t.Errorf("left after %s", d)
		}
		f.cloud.AwaitLink(t)
	})
}

func TestBudgetIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := &slowHandler{release: make(chan struct{})}
		c := start(t, &cloudlinktest.Cloud{}, h).cloud.AwaitLink(t)
		from := time.Now()
		if r := result(t, <-ask(t, c, "1", 1000*time.Hour)); r.Outcome != wire.OutcomeTimeout ||
			time.Since(from) != time.Minute {
			t.Errorf("%+v after %s", r, time.Since(from))
		}
	})
}

// TestWatchTellsWhatHappens goes through every event.
func TestWatchTellsWhatHappens(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		var got []cloudlink.Event
		count := func(k cloudlink.EventKind) (n int) {
			mu.Lock()
			defer mu.Unlock()
			for _, e := range got {
				if e.Kind == k {
					n++
				}
			}
			return n
		}
		refuse := true
		cloud := &cloudlinktest.Cloud{Refuse: func() *wire.Refusal {
			if refuse {
				refuse = false
				return &wire.Refusal{Code: wire.RefusedGoingAway}
			}
			return nil
		}}
		h := &slowHandler{release: make(chan struct{})}
		f := start(t, cloud, h, func(l *cloudlink.Link) {
			l.Handlers = 1
			l.Watch = func(e cloudlink.Event) { mu.Lock(); defer mu.Unlock(); got = append(got, e) }
		})
		c := f.cloud.AwaitLink(t)
		first, second := ask(t, c, "1", time.Minute), ask(t, c, "2", time.Minute)
		<-second
		close(h.release)
		<-first
		if err := c.Send(wire.KindWelcome, 0, 0, wire.Welcome{}); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		f.stop()
		<-f.ended
		for k := cloudlink.EventOpened; k <= cloudlink.EventBusy; k++ {
			if count(k) != 1 {
				t.Errorf("event %d: %d times", k, count(k))
			}
		}
		mu.Lock()
		defer mu.Unlock()
		if last := got[len(got)-1]; last.Kind != cloudlink.EventClosed || last.Err != nil {
			t.Errorf("a stop is not a fault: %+v", last)
		}
	})
}
