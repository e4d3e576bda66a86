package console

import (
	"fmt"
	"ldap-gateway/cloud/store"
	"slices"
	"time"
)

// Routes returns the patterns that need no session, and those that do.
func Routes() (open, closed []string) {
	c := &console{Server: &Server{}}
	for p := range c.open() {
		open = append(open, p)
	}
	for p := range c.closed() {
		closed = append(closed, p)
	}
	slices.Sort(open)
	slices.Sort(closed)
	return open, closed
}

// OutcomeWords is outcomeWords, and ChartTall chartTall.
var OutcomeWords = outcomeWords

const ChartTall = chartTall

// Rectangles returns the top and the height of every rectangle of a day's chart.
func Rectangles(counts []store.HourCount, from time.Time) (all []string) {
	for _, b := range chartOf(counts, from, spans[0]).Bars {
		if b.OK > 0 {
			all = append(all, fmt.Sprint(b.OKTop, b.OKTall))
		}
		if b.Failed > 0 {
			all = append(all, fmt.Sprint(b.FailedTop, b.FailedTall))
		}
	}
	return all
}
