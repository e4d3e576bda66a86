package store_test

import (
	"testing"
	"time"

	"ldap-gateway/cloud/store"
	"ldap-gateway/cloud/store/pgtest"
)

// TestHungServerIsUnavailable: a PostgreSQL that stops without a word is found out within seconds, whoever
// asks and however many, by who reads as by who is about to write; all of it is over by itself.
func TestHungServerIsUnavailable(t *testing.T) {
	server := pgtest.Start(t)
	s := openAt(t, server.Database())
	w := build(t, s, "one")
	must(t, s.Writable(t.Context()))
	server.Hold()
	t.Cleanup(server.Release)
	from := time.Now()
	within := func(limit time.Duration, what string, f func() error) {
		t.Helper()
		from := time.Now()
		want(t, f(), store.ErrUnavailable)
		if d := time.Since(from); d > limit {
			t.Errorf("%s took %s", what, d)
		}
	}
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for ; time.Since(from) < 7*time.Second; <-tick.C { // what was written a moment ago is believed for a while
		asked := time.Now()
		err := s.Writable(t.Context())
		if d := time.Since(asked); d > 3*time.Second {
			t.Fatalf("whether it is writable took %s: %v", d, err)
		}
		if err != nil {
			break
		}
	}
	within(3*time.Second, "the first", func() error { return s.Writable(t.Context()) })
	for range 100 {
		within(time.Second, "who asks after that", func() error { return s.Writable(t.Context()) })
	}
	within(12*time.Second, "a read", func() error { _, err := s.Environment(t.Context(), w.env.ID); return err })
	server.Release()
	limit := time.After(30 * time.Second)
	for s.Writable(t.Context()) != nil {
		select {
		case <-limit:
			t.Fatal("it is not writable again")
		case <-tick.C:
		}
	}
	_, err := s.Environment(t.Context(), w.env.ID)
	must(t, err)
}
