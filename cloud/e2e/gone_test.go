package e2e

import (
	"testing"
	"time"
)

// TestGoneDirectoryIsTold: the handbook says that of a directory which has gone it is known within two minutes, while
// nobody signs on; and that it ends by itself.
func TestGoneDirectoryIsTold(t *testing.T) {
	t.Parallel() // it waits
	w := newWorld(t, plan{})
	w.slapd.Stop()
	w.awaitHealth("UNHEALTHY", 2*time.Minute)
	w.slapd.Restart()
	w.awaitHealth("HEALTHY", 2*time.Minute)
}

// awaitHealth waits until the only instance says of itself how it is.
func (w *world) awaitHealth(want string, limit time.Duration) {
	w.t.Helper()
	late, tick := time.After(limit), time.Tick(500*time.Millisecond)
	for {
		all := w.instances()
		if len(all) == 1 && all[0].HealthStatus == want {
			return
		}
		select {
		case <-tick:
		case <-late:
			w.t.Fatalf("the instance is %+v, and not %s", all, want)
		}
	}
}
