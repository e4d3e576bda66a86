package throttle

import (
	"fmt"
	"sync"
	"testing"
	"time"
)

// TestBound counts what was refused, tells which network stands out, if one does, and forgets.
func TestBound(t *testing.T) {
	now := time.Unix(1_000_000, 0)
	tests := map[string]struct {
		of   func(i int) string
		want string
	}{
		"one":                 {func(int) string { return "10.0.0.1" }, "10.0.0.1"},
		"most of many":        {func(i int) string { return []string{"10.0.0.1", "10.0.0.1", net4(i, 9)}[i%3] }, "10.0.0.1"},
		"one after a crowd":   {func(i int) string { return map[bool]string{true: net4(i, 9), false: "2001:db8::/64"}[i < 300] }, "2001:db8::/64"},
		"two alike":           {func(i int) string { return fmt.Sprintf("10.0.0.%d", i%2) }, ""},
		"everywhere":          {func(i int) string { return net4(i, 1) }, ""},
		"nobody knows whence": {func(int) string { return "" }, ""},
	}
	for name, c := range tests {
		var all Bounds
		b := all.Of(Messages)
		for i := range 1000 {
			b.Bite(now.Add(time.Duration(i)*600*time.Millisecond/2), c.of(i))
		}
		n, network := b.Lately(now.Add(lately))
		if n != 1000 || network != c.want || b.Total() != 1000 {
			t.Errorf("%s: %d, %q of %d", name, n, network, b.Total())
		}
		if len(b.now.of) > mostFrequent {
			t.Errorf("%s: %d networks are kept", name, len(b.now.of))
		}
		if n, _ := b.Lately(now.Add(4 * lately)); n != 0 || b.Total() != 1000 {
			t.Errorf("%s: %d afterwards", name, n)
		}
	}
	var none *Bounds
	none.Of(Messages).Bite(now, "")
	if n, network := none.Of(Messages).Lately(now); n != 0 || network != "" || none.Of(Messages).Total() != 0 {
		t.Error("none counts")
	}
}

// TestBoundsAreTold: every throttle tells its bound of whom it refuses, with the network, and
// another when it knows too many names.
func TestBoundsAreTold(t *testing.T) {
	now := time.Unix(1_000_000, 0)
	for _, key := range []string{"10.0.0.1", "2001:db8::/64", "begin 10.0.0.1", "guess:x/ada 2001:db8::/64", "a name", ""} {
		var all Bounds
		w := &Window{Length: time.Minute, Bound: all.Of(Codes)}
		for range 3 {
			w.Begin(now, Limit{key, 1})
		}
		w.Wait(key, 1, now)
		n, network := all.Of(Codes).Lately(now)
		if n != 3 || network != networkIn(key) || (network == "") != (key == "a name" || key == "") {
			t.Errorf("%q: %d of %q", key, n, network)
		}
		for i := range maxKeys {
			w.Count(fmt.Sprint(i), now)
		}
		if all.Of(Names).Total() != 1 {
			t.Errorf("%q: %d names were too many", key, all.Of(Names).Total())
		}
	}
	var all Bounds
	s := &Sample{Bound: all.Of(Lines)}
	for range 5 {
		s.Keep(now, "a", 2)
	}
	if all.Of(Lines).Total() != 3 {
		t.Error(all.Of(Lines).Total())
	}
}

// TestKinds: every kind has a name of its own.
func TestKinds(t *testing.T) {
	seen := map[string]bool{}
	for _, k := range Kinds() {
		if k.String() == "" || seen[k.String()] {
			t.Errorf("%d is called %q", k, k)
		}
		seen[k.String()] = true
	}
}

// TestBoundsAreAskedForAtOnce: whoever looks at bounds meanwhile disturbs nobody who counts.
func TestBoundsAreAskedForAtOnce(t *testing.T) {
	var b Bounds
	var all sync.WaitGroup
	now := time.Now()
	for range 8 {
		all.Go(func() {
			for _, k := range Kinds() {
				b.Of(k).tooMany(now)
				b.Of(k).Bite(now, "n")
			}
		})
	}
	all.Wait()
	for _, k := range Kinds() {
		want := 8
		if k == Names {
			want += 8 * len(Kinds())
		}
		if n := b.Of(k).Total(); n != want {
			t.Errorf("%s: %d, want %d", k, n, want)
		}
	}
}
