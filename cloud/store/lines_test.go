package store_test

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"ldap-gateway/cloud/store"
)

// TestSignOnsAreAmongActivities: sign-ons that have no row among the activities are in their lists as
// if they had, in order, by every filter, on pages of every size, forth and back, and for systems
// outside; so they are when they have got one, since they are too old to be kept.
func TestSignOnsAreAmongActivities(t *testing.T) {
	s := open(t)
	w, now := build(t, s, "one"), time.Now().UTC().Truncate(time.Microsecond)
	another := build(t, s, "another")
	all := mixed(t, s, w.env.ID, now)
	mixed(t, s, another.env.ID, now)
	check := func() {
		t.Helper()
		for _, f := range filters(all, now) {
			want := among(all, f)
			for _, limit := range []int{1, 7, 1000} {
				if got := walked(t, s, w.env.ID, f, limit); !slices.Equal(got, want) {
					t.Fatalf("%+v by %d: %d of %d, or in another order", f, limit, len(got), len(want))
				}
			}
		}
		var told []string
		mark := store.AuditMark{EnvironmentID: w.env.ID, At: now.AddDate(-1, 0, 0)}
		for {
			some, err := s.ActivitiesAfter(t.Context(), mark, now.Add(time.Hour), 9)
			must(t, err)
			if len(some) == 0 {
				break
			}
			for _, a := range some {
				told = append(told, fmt.Sprint(a))
			}
			last := some[len(some)-1]
			mark.At, mark.ActivityID = last.At, last.ID
		}
		slices.Reverse(told)
		if !slices.Equal(told, among(all, store.ActivityFilter{})) {
			t.Errorf("systems outside are told %d of %d, or in another order", len(told), len(all))
		}
	}
	check()
	w.env.Settings.SignOnDays, w.env.Settings.ActivityDays = 1, store.Forever
	must(t, s.UpdateEnvironment(t.Context(), &w.env))
	n, err := s.Sweep(t.Context(), now.AddDate(0, 0, 2), nil)
	if err != nil || n.SignOns == 0 || n.Activities != 0 {
		t.Fatalf("%+v, %v", n, err)
	}
	check()
	w.env.Settings.ActivityDays = 1
	must(t, s.UpdateEnvironment(t.Context(), &w.env))
	if _, err := s.Sweep(t.Context(), now.AddDate(0, 0, 2), nil); err != nil || len(walked(t, s, w.env.ID, store.ActivityFilter{}, 9)) != 0 {
		t.Errorf("what is too old is there still, %v", err)
	}
}

// mixed makes activities and sign-ons, many of one time, and returns them as activities.
func mixed(t *testing.T, s *store.Store, env string, now time.Time) (all []store.Activity) {
	t.Helper()
	for i := range 60 {
		at := now.Add(-time.Duration(rand.N(20)) * time.Second)
		user := fmt.Sprint("u", i%3)
		if i%2 == 0 {
			a := store.Activity{EnvironmentID: env, At: at, Actor: "system", Action: "group.created", Subject: "user:" + user,
				Text: fmt.Sprintf("Made 100%% of group_%d", i), Detail: map[string]any{"n": "x"}}
			must(t, s.AddActivity(t.Context(), a))
			continue
		}
		so := store.SignOn{EnvironmentID: env, At: at, Method: store.ByPassword, UserID: user, Outcome: "ok",
			Updated: i%5 == 0, UpdateReason: "nothing changed", Line: fmt.Sprintf("Ada_%d signed on (100%%)", i)}
		if i%7 == 0 { // as an older program kept it, or one that failed
			so.Line, so.Outcome = "", "noSuchUser"
		}
		must(t, s.RecordSignOn(t.Context(), &so))
	}
	page := store.Page{Limit: store.MaxLimit}
	rows, _, err := s.Activities(t.Context(), env, store.ActivityFilter{Action: "group.created"}, page)
	must(t, err)
	signOns, _, err := s.SignOns(t.Context(), env, store.SignOnFilter{}, page)
	must(t, err)
	all = rows
	for _, so := range signOns {
		if so.Line != "" {
			who := "user:" + so.UserID
			all = append(all, store.Activity{ID: so.ID, EnvironmentID: env, At: so.At, Action: "sign-on", Actor: who, Subject: who,
				SignOnID: so.ID, Text: so.Line, Detail: map[string]any{
					"outcome": "ok", "method": "password", "updated": so.Updated, "reason": "nothing changed"}})
		}
	}
	if len(rows) != 30 || len(all) < 50 {
		t.Fatalf("%d activities, %d in all", len(rows), len(all))
	}
	return all
}

// filters are those that an administrator may set, alone and together.
func filters(all []store.Activity, now time.Time) (fs []store.ActivityFilter) {
	for _, action := range []string{"", "sign-on", "group.created", "none"} {
		for _, actor := range []string{"", "user:u1", "system", "instance:u1", "u1"} {
			for _, subject := range []string{"", "user:u1", "user:u2"} {
				for _, text := range []string{"", "ADA_", "100%", "_1", "made"} {
					fs = append(fs, store.ActivityFilter{Action: action, Actor: actor, Subject: subject, Text: text})
				}
			}
		}
	}
	for _, a := range all[len(all)-5:] {
		fs = append(fs, store.ActivityFilter{SignOnID: a.SignOnID},
			store.ActivityFilter{From: a.At}, store.ActivityFilter{Until: a.At}, store.ActivityFilter{From: a.At, Until: now})
	}
	return fs
}

// among is what of all a filter leaves, the newest first, in words.
func among(all []store.Activity, f store.ActivityFilter) (left []string) {
	is := func(wanted, value string) bool { return wanted == "" || wanted == value }
	sorted := slices.Clone(all)
	slices.SortFunc(sorted, func(a, b store.Activity) int {
		return cmp.Or(b.At.Compare(a.At), strings.Compare(b.ID, a.ID))
	})
	for _, a := range sorted {
		if is(f.Action, a.Action) && is(f.Actor, a.Actor) && is(f.Subject, a.Subject) && is(f.SignOnID, a.SignOnID) &&
			strings.Contains(strings.ToLower(a.Text), strings.ToLower(f.Text)) &&
			!a.At.Before(f.From) && (f.Until.IsZero() || a.At.Before(f.Until)) {
			left = append(left, fmt.Sprint(a))
		}
	}
	return left
}

// walked goes through a list page by page, and back again from its end.
func walked(t *testing.T, s *store.Store, env string, f store.ActivityFilter, limit int) (all []string) {
	t.Helper()
	page, parts, before := store.Page{Limit: limit}, [][]string{}, ""
	for {
		page.Previous = &before
		some, next, err := s.Activities(t.Context(), env, f, page)
		must(t, err)
		var part []string
		for _, a := range some {
			part = append(part, fmt.Sprint(a))
		}
		all, parts = append(all, part...), append(parts, part)
		if next == "" {
			break
		}
		page.Cursor = next
	}
	for i := len(parts) - 2; i >= 0; i-- {
		some, _, err := s.Activities(t.Context(), env, f, store.Page{Limit: limit, Before: before, Previous: &before})
		must(t, err)
		if len(some) != len(parts[i]) || fmt.Sprint(some[0]) != parts[i][0] {
			t.Fatalf("back to part %d: %d", i, len(some))
		}
	}
	return all
}
