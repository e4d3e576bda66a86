package store_test

import (
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"ldap-gateway/cloud/store"
	"ldap-gateway/cloud/store/pgtest"
)

// BenchmarkTurnsOfTwoNodes is how long a node takes for a sign-on that changes an attribute, while another node of the same
// PostgreSQL writes nothing, or as many such sign-ons at once as it is named for: of the same environment, whose turns
// both take, or of another (elsewhere), which is no more than work for the same processors.
// The difference between the two is what it waits for turns of the other's.
func BenchmarkTurnsOfTwoNodes(b *testing.B) {
	where := pgtest.Start(b).Database()
	here, there := openAt(b, where), openAt(b, where)
	w := build(b, here, "one")
	fill(b, here, w)
	apart := elsewhere(b, here, w)
	fill(b, here, apart)
	for _, others := range []int{0, 1, 8, 64} {
		for name, at := range map[string]world{"others": w, "elsewhere": apart} {
			b.Run(fmt.Sprint(name, "-", others), func(b *testing.B) {
				beside(b, others, func(n int) { change(b, there, at, 1+n) }, func() { change(b, here, w, 0) })
			})
		}
	}
}

// beside reports how long something takes while so many others do something else all the time.
func beside(b *testing.B, others int, meanwhile func(n int), do func()) {
	stop := make(chan struct{})
	var busy sync.WaitGroup
	var did atomic.Int64
	begun := time.Now()
	for i := range others {
		busy.Go(func() {
			for n := 0; ; n++ {
				select {
				case <-stop:
					return
				default:
					meanwhile(i*40 + n%40)
					did.Add(1)
				}
			}
		})
	}
	var took []time.Duration
	for b.Loop() {
		from := time.Now()
		do()
		took = append(took, time.Since(from))
	}
	b.ReportMetric(float64(did.Load())/time.Since(begun).Seconds(), "others-per-s")
	close(stop)
	busy.Wait()
	slices.Sort(took)
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(took[len(took)/2].Seconds()*1000, "p50-ms")
	b.ReportMetric(took[len(took)*99/100].Seconds()*1000, "p99-ms")
}

// change writes what a sign-on does that has found one attribute changed, as it is planned before.
func change(b *testing.B, s *store.Store, w world, person int) {
	b.Helper()
	u, err := s.PersonByUsername(b.Context(), w.env.ID, fmt.Sprint("u", person%crowd))
	must(b, err)
	plan, err := s.Plan(func(tx *store.Tx) error {
		u.Attributes = map[string]string{"title": time.Now().String()}
		err := tx.UpdateUser(b.Context(), &u)
		if err == nil {
			err = tx.RecordSignOn(b.Context(), &store.SignOn{EnvironmentID: w.env.ID, UserID: u.ID, Outcome: "ok"})
		}
		return err
	})
	must(b, err)
	must(b, s.ProvisionIn(b.Context(), w.env.ID, func(tx *store.Tx) error { return tx.Carry(b.Context(), plan) }))
}
