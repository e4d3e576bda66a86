package console

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"ldap-gateway/cloud/store"
)

// chart is sign-ons over time, drawn on the server: it needs no script.
type chart struct {
	Bars          []bar
	Total, Failed int
	Median, Slow  string // that half, and nineteen of twenty, took at most
	Failures      []failures
	Most          int    // of one bar
	Slowest       string // of the bars' times the longest
	Width, Height int
	Marks         []mark
	First, Last   time.Time
	Hourly        bool // the marks are times of day
}

// bar is the sign-ons of a while.
type bar struct {
	From, Until           time.Time
	OK, Failed            int
	X, Wide               int
	OKTop, OKTall         int
	FailedTop, FailedTall int
	Slow                  string // that nineteen of twenty took at most; empty: there were none
	SlowTop, SlowTall     int

	counts []store.HourCount
}

// failures are the sign-ons that ended so.
type failures struct {
	Outcome, Words string
	N              int
}

// mark is a time below the bars.
type mark struct {
	X    int
	Text string
	At   time.Time // as a time of day, which a script writes as the reader's clock has it; zero: it is a day
}

// The picture's size, in units that the page scales.
const (
	chartWide = 720
	chartTall = 160
	timesTall = 60 // of the times below it
)

// chartOf draws counts in the bars of a span that begins at from.
func chartOf(counts []store.HourCount, from time.Time, s span) chart {
	c := chart{Width: chartWide, Height: chartTall, First: from, Hourly: s.Bar == time.Hour}
	for i := range s.Bars {
		at := from.Add(time.Duration(i) * s.Bar)
		c.Bars = append(c.Bars, bar{From: at, Until: at.Add(s.Bar)})
	}
	c.Last = c.Bars[len(c.Bars)-1].Until
	failed := map[string]int{}
	for _, h := range counts {
		i := int(h.Hour.Sub(from) / s.Bar)
		if i < 0 || i >= len(c.Bars) {
			continue
		}
		c.Total += h.N
		c.Bars[i].counts = append(c.Bars[i].counts, h)
		if h.Outcome == store.SignedOnOK {
			c.Bars[i].OK += h.N
			continue
		}
		c.Bars[i].Failed += h.N
		c.Failed += h.N
		failed[h.Outcome] += h.N
	}
	c.Median, c.Slow = atMost(counts, c.Total, 50), atMost(counts, c.Total, 95)
	for outcome, n := range failed {
		c.Failures = append(c.Failures, failures{outcome, outcomeWords(outcome), n})
	}
	slices.SortFunc(c.Failures, func(a, b failures) int {
		return cmp.Or(cmp.Compare(b.N, a.N), cmp.Compare(a.Outcome, b.Outcome))
	})
	c.place(s)
	return c
}

// place gives each bar its rectangles, and the picture its times.
func (c *chart) place(s span) {
	longest := store.HourCount{}
	for _, b := range c.Bars {
		c.Most = max(c.Most, b.OK+b.Failed)
		if slow, some := within(b.counts, b.OK+b.Failed, 95); some && (longest.N == 0 || slow.AtMost() > longest.AtMost()) {
			longest = slow
		}
	}
	if longest.N > 0 {
		c.Slowest = took(longest)
	}
	step := chartWide / len(c.Bars)
	for i := range c.Bars {
		b := &c.Bars[i]
		b.X, b.Wide = i*step+1, step-2
		b.OKTall, b.FailedTall = tall(b.OK, c.Most, chartTall), tall(b.Failed, c.Most, chartTall)
		if slow, some := within(b.counts, b.OK+b.Failed, 95); some {
			b.Slow = took(slow)
			b.SlowTall = tall(int(slow.AtMost().Milliseconds()), int(longest.AtMost().Milliseconds()), timesTall)
			b.SlowTop = timesTall - b.SlowTall
		}
		b.OKTop = chartTall - b.OKTall
		b.FailedTop = b.OKTop - b.FailedTall
		if i%(len(c.Bars)/4) == 0 {
			c.Marks = append(c.Marks, s.mark(b.X, b.From))
		}
	}
}

// mark writes a time below the bars, in UTC.
func (s span) mark(x int, t time.Time) mark {
	if s.Bar == time.Hour {
		return mark{x, t.Format("15:04"), t}
	}
	return mark{X: x, Text: t.Format("2 Jan")}
}

// tall is the height of a number beside the largest, of so much room; what is not nothing is seen.
func tall(n, most, room int) int {
	if n == 0 || most == 0 {
		return 0
	}
	return max(2, n*(room-4)/most)
}

// atMost says what so many of a hundred sign-ons took at most; empty when there are none.
func atMost(counts []store.HourCount, total, percent int) string {
	if h, some := within(counts, total, percent); some {
		return took(h)
	}
	return ""
}

// within returns the counts of the slowest of so many of a hundred sign-ons; false when there are none.
func within(counts []store.HourCount, total, percent int) (slowest store.HourCount, some bool) {
	sorted := slices.Clone(counts)
	slices.SortFunc(sorted, func(a, b store.HourCount) int { return cmp.Compare(a.Pace, b.Pace) })
	seen := 0
	for _, h := range sorted {
		if seen += h.N; seen > 0 && seen*100 >= total*percent {
			return h, true
		}
	}
	return slowest, false
}

func took(h store.HourCount) string {
	d := h.AtMost()
	switch {
	case h.Slowest():
		return "more than " + d.Round(time.Second).String()
	case d < time.Second:
		return fmt.Sprintf("%d ms", d.Milliseconds())
	}
	return fmt.Sprintf("%.0f s", d.Seconds())
}
