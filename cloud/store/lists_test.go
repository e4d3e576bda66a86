package store_test

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"ldap-gateway/cloud/store"
)

// paged reads a list page by page, and returns what it calls the items.
func paged[T any](
	t *testing.T, limit int, read func(page store.Page) ([]T, string, error), name func(T) string,
) (all []string) {
	t.Helper()
	page := store.Page{Limit: limit}
	for range 100 {
		items, next, err := read(page)
		must(t, err)
		for _, item := range items {
			all = append(all, name(item))
		}
		if len(items) > limit || next != "" && len(items) != limit {
			t.Fatalf("a page of %d has %d", limit, len(items))
		}
		if next == "" {
			return all
		}
		page.Cursor = next
	}
	t.Fatal("there is always another page")
	return nil
}

// listed are all lists, with what they are called that are in them, in their order.
func listed(ctx context.Context, t *testing.T, s *store.Store, w world) map[string]func(limit int) []string {
	e := w.env.ID
	return map[string]func(limit int) []string{
		"populations": func(limit int) []string {
			read := func(p store.Page) ([]store.Population, string, error) { return s.Populations(ctx, e, p) }
			return paged(t, limit, read, func(p store.Population) string { return p.Name })
		},
		"gateways": func(limit int) []string {
			read := func(p store.Page) ([]store.Gateway, string, error) { return s.Gateways(ctx, e, p) }
			return paged(t, limit, read, func(g store.Gateway) string { return g.Name })
		},
		"applications": func(limit int) []string {
			read := func(p store.Page) ([]store.Application, string, error) { return s.Applications(ctx, e, p) }
			return paged(t, limit, read, func(a store.Application) string { return a.Name })
		},
		"users": func(limit int) []string {
			read := func(p store.Page) ([]store.User, string, error) { return s.Users(ctx, e, store.UserFilter{}, p) }
			return paged(t, limit, read, func(u store.User) string { return u.Username })
		},
		"groups": func(limit int) []string {
			read := func(p store.Page) ([]store.Group, string, error) {
				return s.Groups(ctx, e, store.GroupFilter{}, p)
			}
			return paged(t, limit, read, func(g store.Group) string { return g.DisplayName })
		},
		"sign-ons": func(limit int) []string {
			read := func(p store.Page) ([]store.SignOn, string, error) {
				return s.SignOns(ctx, e, store.SignOnFilter{}, p)
			}
			return paged(t, limit, read, func(so store.SignOn) string { return so.Username })
		},
		"activities": func(limit int) []string {
			read := func(p store.Page) ([]store.Activity, string, error) {
				return s.Activities(ctx, e, store.ActivityFilter{Action: "listed"}, p)
			}
			return paged(t, limit, read, func(a store.Activity) string { return a.Text })
		},
	}
}

// named adds one of everything that there are lists of.
func named(t *testing.T, s *store.Store, w world, minute int, name string) {
	t.Helper()
	ctx, e := t.Context(), w.env.ID
	must(t, s.CreatePopulation(ctx, &store.Population{EnvironmentID: e, Name: name}))
	must(t, s.CreateGateway(ctx, &store.Gateway{EnvironmentID: e, Name: name}))
	must(t, s.CreateApplication(ctx, &store.Application{EnvironmentID: e, Name: name}))
	must(t, s.CreateUser(ctx, &store.User{EnvironmentID: e, PopulationID: w.population.ID, Username: name}))
	must(t, s.CreateGroup(ctx, &store.Group{EnvironmentID: e, Name: name}))
	must(t, s.RecordSignOn(ctx, &store.SignOn{EnvironmentID: e, Username: name, At: moment(minute)}))
	must(t, s.AddActivity(ctx, store.Activity{EnvironmentID: e, Action: "listed", Text: name, At: moment(minute)}))
}

// Every list has all and each once, in one order, however small its pages; what is of
// another environment is in none. Where letters beyond ASCII stand is the engine's.
func TestEveryListInPages(t *testing.T) {
	s := open(t)
	w, other := build(t, s, "one"), build(t, s, "two")
	names := []string{"b", "A", "d", "c", "e"}
	for minute, name := range names {
		named(t, s, w, minute, name)
	}
	named(t, s, other, 0, "theirs")
	backward := slices.Clone(names)
	slices.Reverse(backward)
	want := map[string][]string{
		"populations":  {"A", "b", "c", "d", "e", "Staff"},
		"gateways":     {"A", "b", "c", "d", "e", "Head office"},
		"applications": {"A", "b", "c", "d", "e"},
		"users":        {"A", "b", "c", "d", "e", "José"},
		"groups":       {"A", "b", "c", "Cooks", "d", "e", "readers"},
		"sign-ons":     backward,
		"activities":   backward,
	}
	for name, read := range listed(t.Context(), t, s, w) {
		for _, limit := range []int{1, 2, 3, 100} {
			if got := read(limit); !slices.Equal(got, want[name]) {
				t.Errorf("%s in pages of %d: %q", name, limit, got)
			}
		}
	}
}

// Rows of one time are told apart by their IDs, so none repeats and none is hidden.
func TestRowsOfOneMoment(t *testing.T) {
	s := open(t)
	w := build(t, s, "one")
	for i := range 7 {
		must(t, s.RecordSignOn(t.Context(), &store.SignOn{
			EnvironmentID: w.env.ID,
			Username:      fmt.Sprint(i),
			At:            moment(1),
		}))
	}
	read := listed(t.Context(), t, s, w)["sign-ons"]
	all := read(2)
	slices.Sort(all)
	if got := slices.Compact(all); len(got) != 7 {
		t.Errorf("%q", all)
	}
}

// A page is of the usual size unless it is asked for, and of no more than the most.
func TestSizesOfPages(t *testing.T) {
	s := open(t)
	w := build(t, s, "one")
	var all []store.Activity
	for range store.MaxLimit + 1 {
		all = append(all, store.Activity{EnvironmentID: w.env.ID})
	}
	must(t, s.AddActivity(t.Context(), all...))
	for limit, size := range map[int]int{
		-1:                   store.DefaultLimit,
		0:                    store.DefaultLimit,
		1:                    1,
		store.MaxLimit:       store.MaxLimit,
		store.MaxLimit + 500: store.MaxLimit,
	} {
		got, next, err := s.Activities(t.Context(), w.env.ID, store.ActivityFilter{}, store.Page{Limit: limit})
		if err != nil || len(got) != size || next == "" {
			t.Errorf("of %d: %d, %q, %v", limit, len(got), next, err)
		}
	}
}

// A cursor of another kind of list, or one that somebody made up, is told, or finds
// nothing that it should not.
func TestCursors(t *testing.T) {
	s := open(t)
	w := build(t, s, "one")
	named(t, s, w, 1, "a")
	named(t, s, w, 2, "b")
	ctx, e := t.Context(), w.env.ID
	_, byName, err := s.Users(ctx, e, store.UserFilter{}, store.Page{Limit: 1})
	must(t, err)
	for _, cursor := range []string{"x", "!", "W10", "bnVsbA", "WyJhIl0", byName} {
		page := store.Page{Cursor: cursor}
		if _, _, err = s.SignOns(ctx, e, store.SignOnFilter{}, page); cursor != "W10" || err != nil {
			want(t, err, store.ErrCursor)
		}
		if cursor == "x" || cursor == "!" {
			_, _, err = s.Users(ctx, e, store.UserFilter{}, page)
			want(t, err, store.ErrCursor)
		}
	}
	_, byTime, err := s.SignOns(ctx, e, store.SignOnFilter{}, store.Page{Limit: 1})
	must(t, err)
	all, next, err := s.Users(ctx, e, store.UserFilter{}, store.Page{Cursor: byTime})
	if err != nil || next != "" || slices.ContainsFunc(all, func(u store.User) bool { return u.EnvironmentID != e }) {
		t.Errorf("%v, %q, %v", all, next, err)
	}
}
