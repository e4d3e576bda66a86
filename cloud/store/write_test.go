package store_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"ldap-gateway/cloud/store"
)

// queue holds the turn until n writers wait for it, so that they share commits.
func queue(t *testing.T, s *store.Store, n int) {
	t.Helper()
	held := make(chan struct{})
	go func() {
		_ = s.Provision(t.Context(), func(*store.Tx) error { // may share the commit of who fails
			close(held)
			for tick := time.NewTicker(time.Millisecond); s.Waiting() < n; {
				select {
				case <-tick.C:
				case <-t.Context().Done():
					return t.Context().Err()
				}
			}
			return nil
		})
	}()
	<-held
}

// write adds a user, and then does what it is told.
func write(ctx context.Context, s *store.Store, w world, name string, then func() error) error {
	return s.Provision(ctx, func(tx *store.Tx) error {
		u := store.User{EnvironmentID: w.env.ID, PopulationID: w.population.ID, Username: name}
		if err := tx.CreateUser(ctx, &u); err != nil {
			return err
		}
		return then()
	})
}

// Writers that share a commit do not share their failures: what one of them
// takes back, gives up or breaks off stays with it.
func TestSharedCommit(t *testing.T) {
	s := open(t)
	w := build(t, s, "one")
	failed := errors.New("failed")
	ends := []struct {
		name string
		then func(cancel context.CancelFunc) error
		want error
	}{
		{"good", func(context.CancelFunc) error { return nil }, nil},
		{"fails", func(context.CancelFunc) error { return failed }, failed},
		{"cancelled", func(cancel context.CancelFunc) error { cancel(); return nil }, context.Canceled},
		{"panics", func(context.CancelFunc) error { panic(failed) }, failed},
	}
	const each = 50 // more in all than one commit takes
	queue(t, s, each*len(ends))
	var wg sync.WaitGroup
	for i := range each {
		for _, e := range ends {
			wg.Go(func() {
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				if err := recovered(func() error {
					return write(ctx, s, w, fmt.Sprint(e.name, i), func() error { return e.then(cancel) })
				}); !errors.Is(err, e.want) {
					t.Errorf("%s: %v", e.name, err)
				}
			})
		}
	}
	wg.Wait()
	for i := range each {
		for _, e := range ends {
			_, err := s.UserByUsername(t.Context(), w.env.ID, fmt.Sprint(e.name, i))
			if written := err == nil; written != (e.want == nil) {
				t.Errorf("%s %d: written %t, %v", e.name, i, written, err)
			}
		}
	}
}

// recovered returns what f panics with as its error.
func recovered(f func() error) (err error) {
	defer func() {
		if e, ok := recover().(error); ok {
			err = e
		}
	}()
	return f()
}

// Whoever queues behind others and does not want any more leaves nothing, and
// does not keep the others from their commit.
func TestCancelledInTheQueue(t *testing.T) {
	s := open(t)
	w := build(t, s, "one")
	queue(t, s, 2)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var wg sync.WaitGroup
	var cancelled, good error
	wg.Go(func() { cancelled = write(ctx, s, w, "cancelled", func() error { return nil }) })
	wg.Go(func() { good = write(t.Context(), s, w, "good", func() error { return nil }) })
	wg.Wait()
	want(t, cancelled, context.Canceled)
	must(t, good)
	_, err := s.UserByUsername(t.Context(), w.env.ID, "good")
	must(t, err)
}

// A writer that ends the transaction that others share makes all of them fail,
// and the next ones are none the worse.
func TestBrokenBatch(t *testing.T) {
	s := open(t)
	w := build(t, s, "one")
	queue(t, s, 3)
	var wg sync.WaitGroup
	for i := range 3 {
		wg.Go(func() {
			err := s.Provision(t.Context(), func(tx *store.Tx) error {
				if err := tx.CreateUser(t.Context(), &store.User{
					EnvironmentID: w.env.ID,
					PopulationID:  w.population.ID,
					Username:      fmt.Sprint("u", i),
				}); err != nil {
					return err
				}
				return tx.EndTransaction(t.Context())
			})
			if err == nil {
				t.Error("it was acknowledged")
			}
		})
	}
	wg.Wait()
	must(t, write(t.Context(), s, w, "good", func() error { return nil }))
	if p, err := s.Population(t.Context(), w.env.ID, w.population.ID); err != nil || p.UserCount != 2 {
		t.Errorf("%d users, %v", p.UserCount, err)
	}
}

// What is done by a transaction's view of the store is seen by what comes after it
// there, and is kept or undone with the rest.
func TestStoreOfATransaction(t *testing.T) {
	s := open(t)
	w := build(t, s, "one")
	refused := errors.New("refused")
	write := func(end error) error {
		return s.Provision(t.Context(), func(tx *store.Tx) error {
			in := tx.Store()
			u := store.User{EnvironmentID: w.env.ID, PopulationID: w.population.ID, Username: "grace"}
			if err := in.CreateUser(t.Context(), &u); err != nil {
				return err
			}
			u.Email = "grace@example.com"
			if err := in.UpdateUser(t.Context(), &u); err != nil {
				return err
			}
			if again, err := in.User(t.Context(), w.env.ID, u.ID); err != nil || again.Email != u.Email {
				t.Errorf("within it: %+v, %v", again, err)
			}
			if _, err := s.User(t.Context(), w.env.ID, u.ID); !errors.Is(err, store.ErrNotFound) {
				t.Errorf("others see it before the end: %v", err)
			}
			return end
		})
	}
	want(t, write(refused), refused)
	_, err := s.UserByUsername(t.Context(), w.env.ID, "grace")
	want(t, err, store.ErrNotFound)
	must(t, write(nil))
	u, err := s.UserByUsername(t.Context(), w.env.ID, "grace")
	if err != nil || u.Email != "grace@example.com" {
		t.Errorf("%+v, %v", u, err)
	}
}
