package throttle

import (
	"fmt"
	"testing"
	"time"
)

func TestWindow(t *testing.T) {
	w := &Window{Length: time.Minute, InAll: 5}
	now := time.Unix(1_000_000, 0)
	w.Count("a", now)
	if w.Wait("a", 2, now) != 0 {
		t.Error("one of two tries, and waits")
	}
	w.Count("a", now.Add(10*time.Second))
	if d := w.Wait("a", 2, now.Add(20*time.Second)); d != 40*time.Second {
		t.Errorf("waits %s", d)
	}
	if w.Wait("b", 2, now) != 0 {
		t.Error("another waits too")
	}
	w.Forget("a")
	if w.Wait("a", 2, now) != 0 {
		t.Error("forgotten, and waits")
	}
	for range 3 {
		w.Count("c", now)
	}
	if w.Wait("b", 2, now) == 0 {
		t.Error("five in all, and nobody waits")
	}
	if w.Wait("c", 2, now.Add(time.Minute)) != 0 || w.Wait("c", 2, now.Add(-time.Hour)) != 0 {
		t.Error("waits beyond the window, or because the clock went back")
	}
}

// Tries that begin are counted before they end, for each of their keys or for none.
func TestBegin(t *testing.T) {
	w := &Window{Length: time.Minute}
	now := time.Unix(1_000_000, 0)
	begin := func(name string) time.Duration { return w.Begin(now, Limit{name, 2}, Limit{"address", 3}) }
	for _, name := range []string{"ada", "ada"} {
		if begin(name) != 0 {
			t.Error("waits too early")
		}
	}
	if begin("ada") != time.Minute || begin("bob") != 0 {
		t.Error("a name's refused try counts for its address, or counts not at all")
	}
	if begin("eve") == 0 {
		t.Error("an address tries on with other names")
	}
	if n := w.Forget("ada"); n != 2 {
		t.Errorf("forgot %d", n)
	}
	w.Undo("address", 2)
	for range 2 {
		if begin("eve") != 0 {
			t.Error("what went right counts still")
		}
	}
	if begin("eve") == 0 {
		t.Error("her third try goes on")
	}
	if w.Begin(now.Add(time.Minute), Limit{"eve", 1}) != 0 {
		t.Error("waits beyond the window")
	}
}

func TestWindowIsBounded(t *testing.T) {
	w := &Window{Length: time.Hour}
	now := time.Unix(1_000_000, 0)
	for i := range 3 * maxKeys / 2 {
		w.Count(fmt.Sprint(i), now)
	}
	if len(w.tries) > maxKeys {
		t.Error(len(w.tries))
	}
}
