package store_test

import (
	"testing"

	"ldap-gateway/cloud/store"
)

// BenchmarkRecordSignOn is one acknowledged row and its activity: alone, and
// with many people signing on at the same time.
func BenchmarkRecordSignOn(b *testing.B) {
	record := func(b *testing.B, s *store.Store, w world) {
		so := store.SignOn{EnvironmentID: w.env.ID, UserID: w.user.ID, Outcome: "ok", Verdict: "complete"}
		must(b, s.RecordSignOn(b.Context(), &so, store.Activity{Action: "sign-on"}))
	}
	b.Run("Alone", func(b *testing.B) {
		s := open(b)
		w := build(b, s, "one")
		for b.Loop() {
			record(b, s, w)
		}
	})
	b.Run("Parallel", func(b *testing.B) {
		s := open(b)
		w := build(b, s, "one")
		b.SetParallelism(32)
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				record(b, s, w)
			}
		})
	})
}
