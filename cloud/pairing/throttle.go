package pairing

import (
	"sync"
	"time"
)

const (
	throttleWindow  = 10 * time.Minute
	wrongPerAddress = 10
	wrongInAll      = 100
	// anywhere stands for all addresses together.
	anywhere = ""
)

// throttle counts wrong codes in a window of time, by address and in all. What
// it holds is bounded by wrongInAll.
type throttle struct {
	mu    sync.Mutex
	start time.Time
	wrong map[string]int
}

// count notes one wrong code from address.
func (t *throttle) count(address string, now time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.turn(now)
	t.wrong[address]++
	t.wrong[anywhere]++
}

// wait returns how long address must wait; zero when it need not.
func (t *throttle) wait(address string, now time.Time) time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.turn(now)
	if t.wrong[address] < wrongPerAddress && t.wrong[anywhere] < wrongInAll {
		return 0
	}
	return t.start.Add(throttleWindow).Sub(now)
}

// turn begins a new window when the old one is over.
func (t *throttle) turn(now time.Time) {
	if t.wrong == nil || now.Sub(t.start) >= throttleWindow || now.Before(t.start) {
		t.start, t.wrong = now, map[string]int{}
	}
}
