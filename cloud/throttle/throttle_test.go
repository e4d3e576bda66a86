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
	for range 8 {
		w.Count("c", now)
	}
	if w.Wait("b", 2, now) == 0 {
		t.Error("twice as many as may in all, and nobody waits")
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

// Each key waits from its own first try on, whatever others do: when the waiting ends says nothing of
// when others were counted.
func TestEachKeyHasItsWindow(t *testing.T) {
	w := &Window{Length: time.Minute}
	at := func(seconds int) time.Time { return time.Unix(1_000_000+int64(seconds), 0) }
	w.Count("early", at(0))
	for _, first := range []int{1, 20, 59, 61, 150} {
		key := "first at " + fmt.Sprint(first)
		w.Count(key, at(first))
		w.Count("other", at(first+30))
		if d := w.Wait(key, 1, at(first+59)); d != time.Second {
			t.Errorf("%s waits %s a second before its end", key, d)
		}
		if d := w.Wait(key, 1, at(first+60)); d != 0 || w.Left(key, 1, at(first+60)) != 1 {
			t.Errorf("%s waits %s at its end", key, d)
		}
	}
	if w.Begin(at(400), Limit{"early", 1}); len(w.tries) != 1 {
		t.Errorf("%d keys are remembered that count no more", len(w.tries)-1)
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

func TestNetworks(t *testing.T) {
	for address, want := range map[string]string{
		"192.0.2.1":            "192.0.2.1",
		"::ffff:192.0.2.1":     "192.0.2.1",
		"2001:db8:1:2:3:4:5:6": "2001:db8:1:2::/64",
		"2001:db8:1:2:ffff::9": "2001:db8:1:2::/64",
		"fe80::1%eth0":         "fe80::/64",
		"":                     "",
		"no address":           "no address",
		"2001:db8:1:3:3:4:5:6": "2001:db8:1:3::/64",
	} {
		if got := Network(address); got != want {
			t.Errorf("%q: %q, want %q", address, got, want)
		}
	}
}

// Of all together no more begin than may, whatever their keys; but whoever comes from
// elsewhere than those who filled it still does, to an end.
func TestBeginInAll(t *testing.T) {
	const all = 1000
	crowds := map[string]func(i int) string{
		"one address":               func(int) string { return "192.0.2.1" },
		"addresses of one network":  func(i int) string { return fmt.Sprintf("192.0.2.%d", i%256) },
		"lines of one site":         func(i int) string { return fmt.Sprintf("2001:db8:1:%x::/64", i) },
		"four networks":             func(i int) string { return fmt.Sprintf("10.%d.0.1", i%4) },
		"lines of two sites, mixed": func(i int) string { return fmt.Sprintf("2001:db8:%x:%x::/64", i%2, i) },
	}
	now := time.Unix(1_000_000, 0)
	for name, of := range crowds {
		w := &Window{Length: time.Minute, InAll: all}
		went := 0
		for i := range 10 * all {
			if w.Begin(now, Limit{of(i), 10 * all}) == 0 {
				went++
			}
		}
		if went < all || went > all+4*all/100 {
			t.Errorf("%s: %d went", name, went)
		}
		for _, honest := range []string{"198.51.100.7", "2001:db8:ffff:1::/64", "a name"} {
			if w.Begin(now, Limit{honest, 1}) != 0 || w.Wait("203.0.113.1", 1, now) != 0 {
				t.Errorf("%s: %s waits for them", name, honest)
			}
			if w.Begin(now, Limit{honest, 1}) != time.Minute {
				t.Errorf("%s: %s has no limit any more", name, honest)
			}
		}
	}
	w := &Window{Length: time.Minute, InAll: all}
	went := 0
	for i := range 100 * all {
		if w.Begin(now, Limit{fmt.Sprintf("10.%d.%d.1", i/256%256, i%256), 1 << 30}) == 0 {
			went++
		}
	}
	if went != 2*all || w.Begin(now.Add(time.Minute), Limit{"10.0.0.1", 1}) != 0 {
		t.Errorf("from everywhere %d went, or not when the window was over", went)
	}
}

func TestSample(t *testing.T) {
	var s Sample
	now := time.Unix(1_000_000, 0)
	got := ""
	for range 5 {
		keep, first := s.Keep(now, "a", 2)
		got += fmt.Sprintf("%t %t ", keep, first)
	}
	if want := "true false true false false true false false false false "; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if keep, _ := s.Keep(now, "b", 2); !keep {
		t.Error("another kind is not kept")
	}
	if keep, _ := s.Keep(now.Add(sampleLength), "a", 2); !keep {
		t.Error("an hour later it is not kept")
	}
}

// TestWindowsBeginEmpty: a window that has counted nothing yet takes whatever it is asked, in any order.
func TestWindowsBeginEmpty(t *testing.T) {
	now := time.Now()
	for name, f := range map[string]func(*Window){
		"undo":   func(w *Window) { w.Undo("a", 1) },
		"forget": func(w *Window) { w.Undo("b", w.Forget("a")) },
		"wait":   func(w *Window) { w.Wait("a", 1, now) },
		"left":   func(w *Window) { w.Left("a", 1, now) },
		"count":  func(w *Window) { w.Count("a", now) },
		"begin":  func(w *Window) { w.Begin(now, Limit{Key: "a", Most: 1}) },
	} {
		w := &Window{Length: time.Minute}
		f(w)
		w.Undo("a", 5)
		if wait := w.Begin(now, Limit{Key: "a", Most: 1}); wait != 0 {
			t.Errorf("%s: waits %s", name, wait)
		}
	}
}
