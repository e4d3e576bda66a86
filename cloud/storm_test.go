package cloud

import (
	"flag"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"ldap-gateway/cloud/store"
)

var storm = flag.Int("storm", 200, "how many people whom nobody knows come at once in BenchmarkStorm")

const (
	stormAtOnce = 64 // of those who come at once, how many are under way
	knownAtOnce = 4  // of the others, who are known
)

// BenchmarkStorm has very many people sign on for the first time at once, as on the morning of a change, and prints
// how long others wait, whom the cloud knows, beside what they wait when it is quiet. "make scale" has 5000 come.
func BenchmarkStorm(b *testing.B) {
	for _, engine := range []string{"SQLite", "PostgreSQL"} {
		b.Run(engine, func(b *testing.B) {
			s := &scales{b: b}
			database := s.databases(engine)
			c := &scaled{siege: startSiegeAt(b, database(), func(*store.Store, string) {}), came: map[string]int{}}
			c.copies = c.crowd(1000, 500)
			c.between(func() { c.add(b) })
			for b.Loop() {
				c.storm(b)
			}
			b.ReportMetric(0, "ns/op")
		})
	}
}

// storm measures both.
func (c *scaled) storm(b *testing.B) {
	b.Helper()
	var drawn atomic.Int64
	known := func() string { return copyOf("person", int(drawn.Add(1))*37%1000) }
	c.atOnce(knownAtOnce, 200, known) // what is made once
	quiet := c.atOnce(knownAtOnce, 2000, known)
	var fresh atomic.Int64
	var beside []time.Duration
	over := make(chan struct{})
	var others sync.WaitGroup
	others.Go(func() {
		for {
			select {
			case <-over:
				return
			default:
				beside = append(beside, c.atOnce(knownAtOnce, 4*knownAtOnce, known)...)
			}
		}
	})
	from := time.Now()
	stormed := c.atOnce(stormAtOnce, *storm, func() string { return copyOf("person", 1000+int(fresh.Add(1))) })
	took := time.Since(from)
	close(over)
	others.Wait()
	ratio := percentile(beside, 99) / percentile(quiet, 99)
	fmt.Printf("%d new people in %s: %.0f a second, p50 %.0f ms; known people p50 %.1f ms, p99 %.1f ms (%d); "+
		"quiet %.1f, %.1f ms; ratio of p99 %.1f\n", *storm, took.Round(time.Millisecond),
		float64(*storm)/took.Seconds(), percentile(stormed, 50), percentile(beside, 50), percentile(beside, 99),
		len(beside), percentile(quiet, 50), percentile(quiet, 99), ratio)
	b.ReportMetric(ratio, "p99-ratio")
}

// atOnce has so many sign-ons made, some at once, and returns how long each took.
func (c *scaled) atOnce(atOnce, n int, name func() string) (all []time.Duration) {
	c.t.Helper()
	var left atomic.Int64
	left.Store(int64(n))
	var mu sync.Mutex
	var group sync.WaitGroup
	for range atOnce {
		group.Go(func() {
			for left.Add(-1) >= 0 {
				from := time.Now()
				var r signedOn
				err := c.do("POST", "/signOns", map[string]string{"username": name(), "password": "secret"}, &r)
				if err != nil || r.Outcome != "ok" {
					c.t.Errorf("%v: %+v", err, r)
					return
				}
				mu.Lock()
				all = append(all, time.Since(from))
				mu.Unlock()
			}
		})
	}
	group.Wait()
	return all
}

// percentile is one of some times, in milliseconds.
func percentile(all []time.Duration, p int) float64 {
	sorted := slices.Sorted(slices.Values(all))
	return float64(sorted[(len(sorted)-1)*p/100].Microseconds()) / 1000
}
