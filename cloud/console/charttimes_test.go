package console

import (
	"strings"
	"testing"
	"time"

	"ldap-gateway/cloud/store"
)

// TestChartHasTimes: each bar says what 95 of 100 of its own sign-ons took, the slowest is as tall as there is room,
// and a bar without any has none; whatever the span, and where all were fast or slower than any step.
func TestChartHasTimes(t *testing.T) {
	from := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	at := func(bar, pace, n int, s span) store.HourCount {
		return store.HourCount{Hour: from.Add(time.Duration(bar) * s.Bar), Pace: pace, N: n, Outcome: store.SignedOnOK}
	}
	for _, s := range spans {
		for name, c := range map[string]struct {
			counts []store.HourCount
			slow   []string // of the first bars
		}{
			"none":               {nil, []string{"", "", ""}},
			"all fast":           {[]store.HourCount{at(0, 0, 9, s), at(2, 0, 1, s)}, []string{"1 ms", "", "1 ms"}},
			"one of many slow":   {[]store.HourCount{at(0, 3, 99, s), at(0, 9, 1, s), at(1, 5, 4, s)}, []string{"8 ms", "32 ms", ""}},
			"some of many slow":  {[]store.HourCount{at(0, 3, 90, s), at(0, 9, 10, s)}, []string{"512 ms", "", ""}},
			"slower than a step": {[]store.HourCount{at(0, 99, 1, s), at(1, 1, 1, s)}, []string{"", "2 ms", ""}},
		} {
			drawn := chartOf(c.counts, from, s)
			tallest := 0
			for i, b := range drawn.Bars {
				tallest = max(tallest, b.SlowTall)
				if want := append(c.slow, make([]string, len(drawn.Bars))...)[i]; want != "" && b.Slow != want {
					t.Errorf("%s, %s, bar %d: %q, want %q", s.Name, name, i, b.Slow, want)
				}
				if (b.Slow != "") != (b.OK+b.Failed > 0) || b.SlowTop+b.SlowTall != timesTall && b.Slow != "" {
					t.Errorf("%s, %s, bar %d: %+v", s.Name, name, i, b)
				}
			}
			if some := len(c.counts) > 0; some != (tallest == timesTall-4) || some != (drawn.Slowest != "") {
				t.Errorf("%s, %s: the tallest is %d, %q", s.Name, name, tallest, drawn.Slowest)
			}
			for _, m := range drawn.Marks {
				if m.At.IsZero() == strings.Contains(m.Text, ":") {
					t.Errorf("%s: %+v", s.Name, m)
				}
			}
		}
	}
}
