package store_test

import (
	"slices"
	"strconv"
	"testing"
	"time"

	"ldap-gateway/cloud/store"
)

// Part by part a selection has all whom the list of that filter has, once, of a few and of more; and nobody who came
// after it was decided.
func TestSelectedAreThoseOfTheList(t *testing.T) {
	for _, many := range []int{57, 1100} {
		t.Run(strconv.Itoa(many), func(t *testing.T) {
			s := openAt(t, empty(t))
			w := build(t, s, "one")
			somePeople(t, s, w, many)
			for i := range 45 {
				g := store.Group{EnvironmentID: w.env.ID, Name: "g" + oddTexts[i%len(oddTexts)] + strconv.Itoa(i), DisplayName: "D"}
				must(t, s.CreateGroup(t.Context(), &g))
			}
			at := time.Now()
			later := store.User{
				EnvironmentID: w.env.ID, PopulationID: w.population.ID, Username: "member later", CreatedAt: at.Add(time.Minute),
			}
			must(t, s.CreateUser(t.Context(), &later))
			must(t, s.CreateGroup(t.Context(), &store.Group{EnvironmentID: w.env.ID, Name: "D later", CreatedAt: at.Add(time.Minute)}))
			for what, narrow := range narrowed(w) {
				f := store.UserFilter{Order: store.ByName, Descending: true}
				narrow(&f)
				whole, _ := walk(t, func(p store.Page) ([]store.User, string, error) { return s.Users(t.Context(), w.env.ID, f, p) }, store.MaxLimit)
				want := slices.DeleteFunc(ids(whole), func(id string) bool { return id == later.ID })
				all := selected(t, func(after string) ([]string, error) { return s.SelectedUsers(t.Context(), w.env.ID, f, at, after) })
				if !slices.Equal(all, slices.Sorted(slices.Values(want))) {
					t.Errorf("%s: %d, want %d", what, len(all), len(want))
				}
			}
			for _, f := range narrowedGroups(w) {
				f.Order = store.ByChange
				groups, _, err := s.Groups(t.Context(), w.env.ID, f, store.Page{Limit: store.MaxLimit})
				must(t, err)
				groups = slices.DeleteFunc(groups, func(g store.Group) bool { return g.CreatedAt.After(at) })
				all := selected(t, func(after string) ([]string, error) { return s.SelectedGroups(t.Context(), w.env.ID, f, at, after) })
				if !slices.Equal(all, slices.Sorted(slices.Values(groupIDs(groups)))) {
					t.Errorf("%+v: %d groups, want %d", f, len(all), len(groups))
				}
			}
		})
	}
}

// selected goes through the parts of a selection.
func selected(t *testing.T, next func(after string) ([]string, error)) (all []string) {
	t.Helper()
	for after := ""; ; after = all[len(all)-1] {
		some, err := next(after)
		must(t, err)
		if len(some) == 0 {
			return all
		}
		if all = append(all, some...); len(some) > 20 || !slices.IsSorted(all) {
			t.Fatalf("%d at once, or out of order", len(some))
		}
	}
}
