package hub

import (
	"testing"
	"testing/synctest"
	"time"

	"ldap-gateway/cloudlink/wire"
)

// TestRefusedForNowIsDeliveredLater has an instance take a user type later: it is sent
// again then, once, whatever the instance says of the time.
func TestRefusedForNowIsDeliveredLater(t *testing.T) {
	for _, c := range []struct {
		millis uint32
		after  time.Duration
	}{{180_000, 3 * time.Minute}, {1, time.Minute}, {1<<32 - 1, time.Hour}} {
		synctest.Test(t, func(t *testing.T) {
			l := &link{delivery: make(chan struct{}, 1)}
			for range 1000 { // an instance that answers all the time has one timer
				l.deliverLater([]wire.Refused{{ID: "a"}, {ID: "b", RetryMillis: c.millis}})
			}
			time.Sleep(c.after - time.Second)
			if len(l.delivery) != 0 {
				t.Error("too soon")
			}
			time.Sleep(2 * time.Second)
			if len(l.delivery) != 1 {
				t.Error("never")
			}
			<-l.delivery
			l.deliverLater([]wire.Refused{{ID: "a", RetryMillis: c.millis}})
			l.deliverLater([]wire.Refused{{ID: "a"}})
			time.Sleep(2 * time.Hour)
			if len(l.delivery) != 0 {
				t.Error("again, although it is refused for good")
			}
		})
	}
}
