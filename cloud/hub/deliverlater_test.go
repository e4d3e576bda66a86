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
			l := &link{send: outbox{busy: true}} // by nobody, so that a wish stays
			wished := func() bool {
				l.send.mu.Lock()
				defer l.send.mu.Unlock()
				wish := l.send.types
				l.send.types = false
				return wish
			}
			for range 1000 { // an instance that answers all the time has one timer
				l.deliverLater([]wire.Refused{{ID: "a"}, {ID: "b", RetryMillis: c.millis}})
			}
			time.Sleep(c.after - time.Second)
			if wished() {
				t.Error("too soon")
			}
			time.Sleep(2 * time.Second)
			if !wished() {
				t.Error("never")
			}
			l.deliverLater([]wire.Refused{{ID: "a", RetryMillis: c.millis}})
			l.deliverLater([]wire.Refused{{ID: "a"}})
			time.Sleep(2 * time.Hour)
			if wished() {
				t.Error("again, although it is refused for good")
			}
		})
	}
}
