package throttle

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
)

// TestShare: nodes let no more tries be under way together than may go wrong, but for one at each.
func TestShare(t *testing.T) {
	for left := -1; left <= 100; left++ {
		for nodes := range 20 {
			got := Share(left, nodes)
			if together := got * nodes; left <= 0 && got != 0 || left > 0 && got < 1 || together > max(0, left, nodes) {
				t.Errorf("%d left, %d nodes: %d at each", left, nodes, got)
			}
		}
	}
}

// TestGate: of two hundred at once that all go wrong ten begin, and of those that all go
// right each does, no more than ten at a time.
func TestGate(t *testing.T) {
	for _, right := range []bool{false, true} {
		var g Gate
		var wrong, begun, within, most atomic.Int64
		var all sync.WaitGroup
		for range 200 {
			all.Go(func() {
				leave, ok := g.Enter(t.Context(), "ada", func() int { return 10 - int(wrong.Load()) })
				if !ok {
					return
				}
				begun.Add(1)
				if n := within.Add(1); n > most.Load() {
					most.Store(n)
				}
				if !right {
					wrong.Add(1)
				}
				within.Add(-1)
				leave()
			})
		}
		all.Wait()
		if want := map[bool]int64{false: 10, true: 200}[right]; begun.Load() != want || most.Load() > 10 || len(g.crowd) != 0 {
			t.Errorf("right %t: %d began, %d at once, %d keys are left", right, begun.Load(), most.Load(), len(g.crowd))
		}
	}
}

// Who goes away does not begin, and leaves nothing behind.
func TestGateIsLeft(t *testing.T) {
	var g Gate
	one := func() int { return 1 }
	leave, _ := g.Enter(t.Context(), "a", one)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, ok := g.Enter(ctx, "a", one); ok {
		t.Error("who has gone begins")
	}
	if other, ok := g.Enter(t.Context(), "b", one); !ok {
		t.Error("another key waits")
	} else {
		other()
	}
	leave()
	if len(g.crowd) != 0 {
		t.Errorf("%d keys are left", len(g.crowd))
	}
}
