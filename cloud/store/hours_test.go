package store_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"ldap-gateway/cloud/store"
)

// hours says how many sign-ons ended how, by hour since from, as in "0 ok 4ms: 2".
func hours(t *testing.T, r *store.Store, env string, from, now time.Time) string {
	t.Helper()
	all, _, err := r.HourCounts(t.Context(), env, from, now)
	must(t, err)
	sums := map[string]int{}
	for _, c := range all {
		sums[fmt.Sprintf("%v %s %v", c.Hour.Sub(from).Hours(), c.Outcome, c.AtMost())] += c.N
	}
	var lines []string
	for _, key := range slices.Sorted(maps.Keys(sums)) {
		lines = append(lines, fmt.Sprintf("%s: %d", key, sums[key]))
	}
	return strings.Join(lines, ", ")
}

// TestHours are the same however far they were counted, stay when the sign-ons go, and are
// of one environment.
func TestHours(t *testing.T) {
	s := open(t)
	w, other := build(t, s, "one"), build(t, s, "other")
	ctx, from := t.Context(), time.Date(2026, 3, 1, 10, 0, 0, 0, time.UTC)
	add := func(after time.Duration, outcome string, took time.Duration) {
		must(t, s.RecordSignOn(ctx, &store.SignOn{
			EnvironmentID: w.env.ID, At: from.Add(after), Outcome: outcome, Duration: took,
		}))
	}
	add(0, "ok", time.Millisecond)
	add(time.Hour-time.Microsecond, "ok", 3*time.Millisecond)
	add(time.Hour, "ok", 4*time.Millisecond)
	add(time.Hour+time.Minute, "busy", time.Hour)
	add(30*time.Hour, "ok", 1025*time.Millisecond)
	must(t, s.RecordSignOn(ctx, &store.SignOn{EnvironmentID: other.env.ID, At: from, Outcome: "ok"}))
	now := from.Add(30*time.Hour + 20*time.Minute)
	const want = "0 ok 1ms: 1, 0 ok 4ms: 1, 1 busy 32.768s: 1, 1 ok 4ms: 1, 30 ok 2.048s: 1"
	must(t, s.CountHours(ctx, from.Add(time.Hour+time.Minute))) // the first hour may get some still
	if got := hours(t, s, w.env.ID, from, from.Add(time.Hour+2*time.Minute)); got != strings.Split(want, ", 30")[0] {
		t.Errorf("before any was counted: %s", got)
	}
	for range 2 {
		must(t, s.CountHours(ctx, now))
		if got := hours(t, s, w.env.ID, from, now); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
	if got := hours(t, s, w.env.ID, from.Add(time.Hour), now); got != "0 busy 32.768s: 1, 0 ok 4ms: 1, 29 ok 2.048s: 1" {
		t.Errorf("from the second hour: %s", got)
	}
	_, err := s.Sweep(ctx, now.AddDate(1, 0, 0), nil)
	must(t, err)
	if got := hours(t, s, w.env.ID, from, now); !strings.HasPrefix(got, "0 ok 1ms: 1, 0 ok 4ms: 1, 1 busy") {
		t.Errorf("once the sign-ons are gone: %s", got)
	}
	if got := hours(t, s, other.env.ID, from, now); got != "0 ok 1ms: 1" {
		t.Errorf("of another environment: %s", got)
	}
	must(t, s.CountHours(ctx, now.AddDate(2, 0, 0)))
	if got := hours(t, s, w.env.ID, from, now.AddDate(2, 0, 0)); strings.Contains(got, "busy") {
		t.Errorf("after two years: %s", got)
	}
}

// TestHoursByTwoNodes are counted once.
func TestHoursByTwoNodes(t *testing.T) {
	s := open(t)
	w := build(t, s, "one")
	from := time.Date(2026, 3, 1, 10, 0, 0, 0, time.UTC)
	for i := range 40 {
		must(t, s.RecordSignOn(t.Context(), &store.SignOn{
			EnvironmentID: w.env.ID, At: from.Add(time.Duration(i) * time.Hour), Outcome: "ok",
		}))
	}
	now := from.Add(50 * time.Hour)
	if all, whole, err := s.HourCounts(t.Context(), w.env.ID, from, now); err != nil || whole || len(all) != 0 {
		t.Errorf("before anything is counted: %d, whole %t, %v", len(all), whole, err)
	}
	done := make(chan error)
	for range 4 {
		go func() { done <- s.CountHours(t.Context(), now) }()
	}
	for range 4 {
		must(t, <-done)
	}
	all, whole, err := s.HourCounts(t.Context(), w.env.ID, from, now)
	must(t, err)
	if len(all) != 40 || !whole {
		t.Errorf("%d, whole %t", len(all), whole)
	}
}
