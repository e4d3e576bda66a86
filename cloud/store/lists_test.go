package store_test

import (
	"context"
	"errors"
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

// begun are all lists, each of which returns the cursor of what comes after a page.
func begun(ctx context.Context, s *store.Store, w world) map[string]func(p store.Page) (string, error) {
	e := w.env.ID
	lists := map[string]func(p store.Page) (string, error){
		"populations":  func(p store.Page) (string, error) { _, next, err := s.Populations(ctx, e, p); return next, err },
		"gateways":     func(p store.Page) (string, error) { _, next, err := s.Gateways(ctx, e, p); return next, err },
		"applications": func(p store.Page) (string, error) { _, next, err := s.Applications(ctx, e, p); return next, err },
		"sign-ons": func(p store.Page) (string, error) {
			_, next, err := s.SignOns(ctx, e, store.SignOnFilter{}, p)
			return next, err
		},
		"activities": func(p store.Page) (string, error) {
			_, next, err := s.Activities(ctx, e, store.ActivityFilter{}, p)
			return next, err
		},
		"groups of a user": func(p store.Page) (string, error) {
			_, next, err := s.UserGroupsPage(ctx, e, w.user.ID, p)
			return next, err
		},
		"members of a group": func(p store.Page) (string, error) {
			_, next, err := s.GroupMembers(ctx, e, w.group.ID, p)
			return next, err
		},
	}
	for _, order := range []store.UserOrder{store.ByUsername, store.ByName, store.ByEmail} {
		lists["users by "+string(order)] = func(p store.Page) (string, error) {
			_, next, err := s.Users(ctx, e, store.UserFilter{Order: order}, p)
			return next, err
		}
	}
	for _, order := range []store.GroupOrder{store.ByDisplayName, store.BySource, store.ByChange} {
		lists["groups by "+string(order)] = func(p store.Page) (string, error) {
			_, next, err := s.Groups(ctx, e, store.GroupFilter{Order: order}, p)
			return next, err
		}
	}
	return lists
}

// A cursor is of one list, in one order: any other list refuses it, as it does what somebody made up.
func TestCursors(t *testing.T) {
	s := open(t)
	w := build(t, s, "one")
	for minute, name := range []string{"a", "b", "c"} {
		named(t, s, w, minute, name)
		u, err := s.UserByUsername(t.Context(), w.env.ID, name)
		must(t, err)
		must(t, s.AddMember(t.Context(), w.env.ID, u.ID, w.group.ID, moment(minute)))
	}
	must(t, s.AddMember(t.Context(), w.env.ID, w.user.ID, w.group.ID, moment(1)))
	lists := begun(t.Context(), s, w)
	for of, list := range lists {
		cursor, err := list(store.Page{Limit: 1})
		must(t, err)
		if cursor == "" {
			t.Fatalf("%s has one page", of)
		}
		for at, other := range lists {
			_, err := other(store.Page{Cursor: cursor, Limit: 1})
			_, back := other(store.Page{Before: cursor, Limit: 1})
			if same := at == of; same != (err == nil) || same != (back == nil) || !same && !errors.Is(err, store.ErrCursor) {
				t.Errorf("%s takes a cursor of %s: %v, %v", at, of, err, back)
			}
		}
		for _, made := range []string{"x", "!", "W10", "bnVsbA", "WyJhIl0", "e30", "WzFd", cursor[1:], cursor + "A"} {
			_, err := list(store.Page{Cursor: made})
			want(t, err, store.ErrCursor)
		}
	}
}
