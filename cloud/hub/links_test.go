package hub_test

import (
	"context"
	"flag"
	"fmt"
	"slices"
	"testing"
	"time"

	"ldap-gateway/cloud/hub"
	"ldap-gateway/cloudlink/wire"
)

var manyLinks = flag.Int("links", 200, "how many links of one gateway BenchmarkLinks has at most; both ends of each are in the process")

// BenchmarkLinks has sign-ons made by a gateway with ten links and by one with very many, in turns, and prints the
// medians and how much more the latter is.
func BenchmarkLinks(b *testing.B) {
	few, many := linked(b, 10), linked(b, *manyLinks)
	for b.Loop() {
		var took [2][]time.Duration
		for range 20 {
			for i, n := range []*node{few, many} {
				for range 50 {
					from := time.Now()
					n.mustSignOn(b)
					took[i] = append(took[i], time.Since(from))
				}
			}
		}
		median := func(all []time.Duration) float64 {
			slices.Sort(all)
			return float64(all[len(all)/2].Nanoseconds()) / 1000
		}
		a, z := median(took[0]), median(took[1])
		fmt.Printf("sign-on by a gateway with 10 links: %.0f µs, with %d: %.0f µs, ratio %.2f\n", a, *manyLinks, z, z/a)
		b.ReportMetric(z/a, "p50-ratio")
	}
	b.ReportMetric(0, "ns/op")
}

// linked is a node with so many links of its gateway.
func linked(b *testing.B, links int) *node {
	b.Helper()
	n := startNode(b, time.Minute)
	for range links {
		n.run(n.pair(ok))
	}
	n.awaitFor(5*time.Minute, "all are linked", func() bool { return len(n.hub.Live(n.gateway.ID)) == links })
	return n
}

func (n *node) mustSignOn(b *testing.B) {
	b.Helper()
	a := n.hub.SignOn(context.Background(), hub.Request{
		ID:         fmt.Sprint(time.Now().UnixNano()),
		Gateway:    n.gateway.ID,
		UserType:   "t1",
		Want:       wire.WantRecord,
		Identifier: "alice",
		Password:   []byte("hunter2"),
	})
	if a.Outcome != wire.OutcomeOK {
		b.Fatalf("%+v", a)
	}
}
