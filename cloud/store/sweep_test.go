package store_test

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"ldap-gateway/cloud/store"
)

// record adds a sign-on of somebody, with an activity, some days before now.
func record(t *testing.T, s *store.Store, w world, now time.Time, days int, so store.SignOn) string {
	t.Helper()
	so.EnvironmentID, so.At = w.env.ID, now.AddDate(0, 0, -days)
	must(t, s.RecordSignOn(t.Context(), &so, store.Activity{Action: "sign-on"}))
	return so.ID
}

// TestSweep deletes what is older than an environment keeps, leaves what records are shown
// with, and touches no other environment.
func TestSweep(t *testing.T) {
	s := open(t)
	w, held := build(t, s, "one"), build(t, s, "held")
	ctx, now := t.Context(), time.Now().UTC()
	held.env.Settings.SignOnDays, held.env.Settings.ActivityDays = store.Forever, store.Forever
	must(t, s.UpdateEnvironment(ctx, &held.env))
	ok := store.SignOn{UserID: w.user.ID, Outcome: "ok", GatewayID: w.gateway.ID}
	proven, other, wrong := ok, ok, ok
	proven.Verdict, other.GatewayID, wrong.Outcome = "complete", "another", "invalidCredentials"
	otherProven := other
	otherProven.Verdict = "complete"
	gone := store.SignOn{UserID: "deleted", Outcome: "ok"}
	for i := range 450 { // several turns
		record(t, s, w, now, 200+i, wrong)
		record(t, s, w, now, 200+i, gone)
		record(t, s, held, now, 200+i, store.SignOn{Outcome: "ok", UserID: held.user.ID})
	}
	stay := map[string]bool{
		record(t, s, w, now, 300, ok):          false,
		record(t, s, w, now, 299, proven):      true, // the last that brought all groups through the gateway
		record(t, s, w, now, 298, otherProven): true,
		record(t, s, w, now, 297, ok):          true, // the last that succeeded
		record(t, s, w, now, 400, proven):      false,
		record(t, s, w, now, 179, wrong):       true, // not old
	}
	n, err := s.Sweep(ctx, now, nil)
	if err != nil || n.SignOns != 902 {
		t.Errorf("%+v, %v", n, err)
	}
	for id, want := range stay {
		if _, err := s.SignOn(ctx, w.env.ID, id); (err == nil) != want {
			t.Errorf("%s: %v, want it to stay: %t", id, err, want)
		}
	}
	list := func(env string) (n int) {
		page := store.Page{Limit: store.MaxLimit}
		for {
			all, next, err := s.Activities(ctx, env, store.ActivityFilter{Action: "sign-on"}, page)
			must(t, err)
			if n += len(all); next == "" {
				return n
			}
			page.Cursor = next
		}
	}
	if got := list(held.env.ID); got != 450 {
		t.Errorf("of what is kept for ever %d of 450 are there", got)
	}
	if got, want := list(w.env.ID), 2*166+5; got != want { // those of 365 days and less
		t.Errorf("%d activities are there, want %d", got, want)
	}
	w.env.Settings.ActivityDays = 180
	must(t, s.UpdateEnvironment(ctx, &w.env))
	if n, err = s.Sweep(ctx, now, nil); err != nil || n.SignOns != 0 || list(w.env.ID) != 1 {
		t.Errorf("again: %+v, %v", n, err)
	}
	if size, err := s.Size(ctx); err != nil || size < 1<<16 {
		t.Errorf("%d bytes, %v", size, err)
	}
}

// TestSweepsAtOnce: nodes that sweep together delete what one would.
func TestSweepsAtOnce(t *testing.T) {
	s := open(t)
	w, now := build(t, s, "one"), time.Now().UTC()
	for i := range 300 {
		record(t, s, w, now, 200+i, store.SignOn{Username: fmt.Sprint(i), Outcome: "noSuchUser"})
	}
	swept := make(chan int64)
	for range 4 {
		go func() {
			n, err := s.Sweep(t.Context(), now, nil)
			if err != nil {
				t.Error(err)
			}
			swept <- n.SignOns
		}()
	}
	var all int64
	for range 4 {
		all += <-swept
	}
	if all != 300 {
		t.Errorf("%d were deleted", all)
	}
}

// blocked is an archive that takes nothing of an environment until it is released, and counts by ID
// what it was given.
type blocked struct {
	began, free chan struct{}
	given       map[string]int
}

func (b *blocked) take(id string) {
	if b.given[id]++; len(b.given) == 1 {
		close(b.began)
		<-b.free
	}
}

// SignOns implements store.Archive.
func (b *blocked) SignOns(_ context.Context, all []store.SignOn) error {
	for _, s := range all {
		b.take(s.ID)
	}
	return nil
}

// Activities implements store.Archive.
func (b *blocked) Activities(_ context.Context, all []store.Activity) error {
	for _, a := range all {
		b.take(a.ID)
	}
	return nil
}

// TestArchiveHoldsNobody: while an archive takes its time the environment is written to, and another
// node sweeps all; each row is counted once, and given once by each.
func TestArchiveHoldsNobody(t *testing.T) {
	for kind, keep := range map[string]store.Settings{
		"sign-ons":   {ActivityDays: store.Forever},
		"activities": {SignOnDays: store.Forever, ActivityDays: 180},
	} {
		s := open(t)
		w, other, now := build(t, s, "one"), build(t, s, "two"), time.Now().UTC()
		for i := range 300 {
			record(t, s, w, now, 200+i, store.SignOn{Outcome: "noSuchUser"})
			record(t, s, other, now, 200+i, store.SignOn{Outcome: "noSuchUser"})
		}
		for _, e := range []store.Environment{w.env, other.env} {
			e.Settings = keep
			must(t, s.UpdateEnvironment(t.Context(), &e))
		}
		b := &blocked{began: make(chan struct{}), free: make(chan struct{}), given: map[string]int{}}
		swept := make(chan store.Swept)
		go func() {
			n, err := s.Sweep(t.Context(), now, b)
			if err != nil {
				t.Error(err)
			}
			swept <- n
		}()
		<-b.began
		must(t, s.Writable(t.Context()))
		record(t, s, w, now, 0, store.SignOn{Outcome: "ok", UserID: w.user.ID})
		n, err := s.Sweep(t.Context(), now, nil)
		must(t, err)
		close(b.free)
		first := <-swept
		if all := n.SignOns + n.Activities + first.SignOns + first.Activities; all != 600 {
			t.Errorf("%s: %+v and %+v were deleted", kind, n, first)
		}
		for id, times := range b.given {
			if times != 1 {
				t.Errorf("%s: %s was given %d times", kind, id, times)
			}
		}
	}
}

// TestFileGetsSmaller: what a sweep deletes of a file that this program made is given back.
func TestFileGetsSmaller(t *testing.T) {
	s, _ := onFile(t)
	w, now := build(t, s, "one"), time.Now().UTC()
	var old []store.Activity
	for range 5000 {
		old = append(old, store.Activity{EnvironmentID: w.env.ID, At: now.AddDate(-2, 0, 0), Text: strings.Repeat("x", 500)})
	}
	must(t, s.AddActivity(t.Context(), old...))
	before, err := s.Size(t.Context())
	must(t, err)
	n, err := s.Sweep(t.Context(), now, nil)
	must(t, err)
	after, err := s.Size(t.Context())
	if err != nil || n.Activities != 5000 || after > before/2 {
		t.Errorf("%d deleted, %d bytes before, %d after, %v", n.Activities, before, after, err)
	}
}

// TestWhatExpiresIsSwept: every table of what is good until a time is swept, whole, and
// what is good stays.
func TestWhatExpiresIsSwept(t *testing.T) {
	ctx, now := t.Context(), time.Now().UTC()
	s, err := store.Open(ctx, filepath.Join(t.TempDir(), "cloud.db")) // without a look at plans: the schema has none
	must(t, err)
	t.Cleanup(func() { must(t, s.Close()) })
	tables, err := s.TablesWith(ctx, "expires_at")
	must(t, err)
	kept := []string{"pairings", "kerberos_keys"} // they are shown when they are over, and deleted in another way
	for _, table := range tables {
		if !slices.Contains(store.Expiring(), table) && !slices.Contains(kept, table) {
			t.Errorf("%s is swept by nobody", table)
		}
	}
	if len(tables) < 8 {
		t.Errorf("only %v", tables)
	}
	for i := range 950 { // several turns
		key, expires := fmt.Sprint(i), now.Add(-time.Hour)
		if i >= 900 {
			expires = now.Add(time.Hour)
		}
		must(t, s.CommitSession(ctx, key, []byte("x"), expires))
		_, err := s.BeginTry(ctx, store.Tries{Key: key, Most: 1, Window: time.Minute}, expires)
		must(t, err)
	}
	_, err = s.Sweep(ctx, now, nil)
	must(t, err)
	for _, table := range []string{"sessions", "tries"} {
		if n, err := s.CountRows(ctx, table); err != nil || n != 50 {
			t.Errorf("%s: %d, %v", table, n, err)
		}
	}
}
