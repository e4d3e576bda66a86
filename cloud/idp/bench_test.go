package idp_test

import (
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"ldap-gateway/cloud/idp/idptest"
)

// signOn signs somebody on by SAML with many groups, and returns how long the proof
// took and how long the records.
func (w *world) signOn(who string, groups []string) (proof, records time.Duration) {
	w.Helper()
	b := browser{}
	l, _ := w.letter(b)
	l.NameID, l.Attributes = who, idptest.Attribute("groups", groups...)
	answer := form(w.keys.Good(l), "")
	began := time.Now()
	key, err := w.Accept(w.Context(), w.env.ID, answer)
	w.must(err)
	proof = time.Since(began)
	began = time.Now()
	_, err = w.Arrive(w.Context(), w.env.ID, key, b.all, "192.0.2.1")
	w.must(err)
	return proof, time.Since(began)
}

func names(prefix string, n int) (all []string) {
	for i := range n {
		all = append(all, fmt.Sprintf("CN=%s-%05d,OU=Groups,DC=corp,DC=example,DC=com", prefix, i))
	}
	return all
}

// BenchmarkProviderGroups signs people on with ten thousand groups in one assertion:
// the first who makes the groups, one who joins them, and one for whom nothing changes.
// It tells the milliseconds of the proof and of the records apart.
func BenchmarkProviderGroups(b *testing.B) {
	for _, kind := range []string{"new groups", "new person", "unchanged"} {
		b.Run(kind, func(b *testing.B) {
			w := build(b)
			var proofs, records time.Duration
			if kind != "new groups" {
				w.signOn("zero", names("g", 10_000))
			}
			for i := range b.N {
				who, prefix := "zero", "g"
				switch kind {
				case "new groups":
					who, prefix = fmt.Sprint("p", i), fmt.Sprint("g", i)
				case "new person":
					who = fmt.Sprint("p", i)
				}
				proof, record := w.signOn(who, names(prefix, 10_000))
				proofs, records = proofs+proof, records+record
			}
			b.ReportMetric(float64(proofs.Milliseconds())/float64(b.N), "proof-ms")
			b.ReportMetric(float64(records.Milliseconds())/float64(b.N), "records-ms")
		})
	}
}

// BenchmarkBesideProviderGroups tells how long known people wait for their records, in
// milliseconds, alone and while others bring a thousand new groups each.
func BenchmarkBesideProviderGroups(b *testing.B) {
	w := build(b)
	w.signOn("known", names("few", 5))
	measure := func() (took []time.Duration) {
		for range 200 {
			_, records := w.signOn("known", names("few", 5))
			took = append(took, records)
		}
		slices.Sort(took)
		return took
	}
	var ended atomic.Bool
	for range b.N {
		alone := measure()
		done := make(chan int)
		ended.Store(false)
		go func() {
			n := 0
			for ; !ended.Load(); n++ {
				w.signOn(fmt.Sprint("crowd", n), names(fmt.Sprint("crowd", n), 1000))
			}
			done <- n
		}()
		beside := measure()
		ended.Store(true)
		b.ReportMetric(float64(<-done), "crowd")
		for name, took := range map[string][]time.Duration{"alone": alone, "beside": beside} {
			b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, name+"-p50-ms")
			b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1000, name+"-p99-ms")
		}
	}
}
