package throttle

import (
	"math/rand/v2"
	"testing"
	"time"
)

// TestTimesOutOfOrder: of many at once, whose times come in any order, none is forgotten: neither a
// try, nor one that was begun, nor a line, nor what was refused.
func TestTimesOutOfOrder(t *testing.T) {
	base := time.Unix(1_000_000, 0)
	for name, step := range map[string]time.Duration{"nanosecond": 1, "millisecond": 1e6, "the longest that a request waits": 5e8} {
		var w, begun Window
		var written Sample
		var bound Bound
		w.Length, begun.Length = 10*time.Minute, 10*time.Minute
		kept, went := 0, 0
		for _, n := range rand.Perm(100) {
			now := base.Add(time.Duration(n) * step)
			w.Count("ada", now)
			if begun.Begin(now, Limit{Key: "ada", Most: 10}) == 0 {
				went++
			}
			if keep, _ := written.Keep(now, "line", 10); keep {
				kept++
			}
			bound.Bite(now, "192.0.2.1")
		}
		bites, _ := bound.Lately(base)
		if left := w.Left("ada", 100, base); left != 0 || went != 10 || kept != 10 || bites != 100 {
			t.Errorf("%s: %d tries are left, %d began, %d were written, %d refused", name, left, went, kept, bites)
		}
	}
}

// TestClockThatWasSet: a clock that is set back, however far, has nobody wait longer than a window
// and a minute.
func TestClockThatWasSet(t *testing.T) {
	base := time.Unix(1_000_000, 0)
	for _, back := range []time.Duration{time.Second, 59 * time.Second, time.Minute, time.Hour, 24 * time.Hour} {
		w := Window{Length: 10 * time.Minute}
		w.Count("ada", base)
		if wait := w.Wait("ada", 1, base.Add(-back)); wait > w.Length {
			t.Errorf("%s back: waits %s", back, wait)
		}
		if wait := w.Wait("ada", 1, base.Add(-back).Add(w.Length+disorder)); wait > 0 {
			t.Errorf("%s back: waits %s for ever", back, wait)
		}
	}
}
