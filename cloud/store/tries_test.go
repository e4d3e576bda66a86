package store_test

import (
	"sync"
	"testing"
	"time"

	"ldap-gateway/cloud/store"
)

// TestTries: of two hundred at once as many begin as may, each key for itself; what went
// right is forgotten, and a window ends.
func TestTries(t *testing.T) {
	s := open(t)
	now := time.Unix(1_800_000_000, 0)
	tries := store.Tries{Key: "one-time/ada", Most: 10, Window: time.Hour}
	atOnce := func(n int, at time.Time) (begun int) {
		var all sync.WaitGroup
		var mu sync.Mutex
		for range n {
			all.Go(func() {
				wait, err := s.BeginTry(t.Context(), tries, at)
				if err != nil {
					t.Error(err)
				}
				if mu.Lock(); wait == 0 {
					begun++
				}
				mu.Unlock()
			})
		}
		all.Wait()
		return begun
	}
	if got := atOnce(200, now); got != 10 {
		t.Errorf("%d of 200 began", got)
	}
	if n, wait, err := s.Tried(t.Context(), tries, now.Add(20*time.Minute)); err != nil || n != 10 || wait != 40*time.Minute {
		t.Errorf("%d, waits %s, %v", n, wait, err)
	}
	other := tries
	other.Key = "one-time/bob"
	if wait, err := s.BeginTry(t.Context(), other, now); err != nil || wait != 0 {
		t.Errorf("another waits %s, %v", wait, err)
	}
	must(t, s.ForgetTries(t.Context(), other.Key))
	if got := atOnce(20, now.Add(time.Hour)); got != 10 {
		t.Errorf("in the next window %d began", got)
	}
	must(t, s.ForgetTries(t.Context(), tries.Key, other.Key))
	if got := atOnce(3, now); got != 3 {
		t.Errorf("after it was forgotten %d began", got)
	}
}

// TestUndoTry: a try that came to nothing is taken back, as far as its window goes on; no other is.
func TestUndoTry(t *testing.T) {
	s := open(t)
	now := time.Unix(1_800_000_000, 0)
	tries := store.Tries{Key: "password/ada", Most: 3, Window: time.Hour}
	begin := func(at time.Time) {
		t.Helper()
		if wait, err := s.BeginTry(t.Context(), tries, at); err != nil || wait != 0 {
			t.Fatal(wait, err)
		}
	}
	counted := func(at time.Time, want int64) {
		t.Helper()
		if n, _, err := s.Tried(t.Context(), tries, at); err != nil || n != want {
			t.Errorf("%d are counted, want %d: %v", n, want, err)
		}
	}
	must(t, s.UndoTry(t.Context(), tries, now)) // of a key that nobody tried
	counted(now, 0)
	begin(now)
	later := now.Add(59 * time.Minute)
	for range 5 {
		begin(later)
		begin(later)
		must(t, s.UndoTry(t.Context(), tries, later))
		must(t, s.UndoTry(t.Context(), tries, later))
	}
	counted(later, 1)
	begin(later)
	next := now.Add(time.Hour)
	begin(next)
	must(t, s.UndoTry(t.Context(), tries, later)) // its window is over
	counted(next, 1)
	must(t, s.UndoTry(t.Context(), store.Tries{Key: "password/bob", Window: time.Hour}, next))
	counted(next, 1)
	for range 3 {
		must(t, s.UndoTry(t.Context(), tries, next))
	}
	counted(next, 0)
	begin(next)
	counted(next, 1)
}
