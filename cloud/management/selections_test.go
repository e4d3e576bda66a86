package management_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	m "ldap-gateway/cloud/management"
	"ldap-gateway/cloud/store"
)

// selecting are the activities of what is done with all that a filter finds.
var selecting = []string{"users.disabled", "users.enabled", "users.signed-off", "users.deleted", "groups.deleted"}

// selects does a deed with all that there are.
func selects(deed m.Deed) func(ctx context.Context, w *world, by m.By) error {
	return func(ctx context.Context, w *world, by m.By) error { return w.Select(ctx, by, m.Selection{Deed: deed}) }
}

// crowd makes users and groups that a search for "crowd" finds, some of each kind, of which one each gives more than
// an identity administrator has, and one group is named by an application.
func (w *world) crowd(n int) {
	w.t.Helper()
	ctx := w.t.Context()
	for i := range n {
		u := store.User{
			EnvironmentID: w.env, PopulationID: w.population.ID, Username: fmt.Sprintf("crowd%02d", i), Enabled: i%2 == 0,
		}
		must(w.t, w.Store.CreateUser(ctx, &u))
		g := store.Group{EnvironmentID: w.env, Name: fmt.Sprintf("crowd%02d", i)}
		must(w.t, w.Store.CreateGroup(ctx, &g))
		switch i {
		case 5:
			must(w.t, w.Store.AddMember(ctx, w.env, u.ID, g.ID, time.Now()))
			w.give(g, store.RoleOwner)
		case 6:
			w.applies(func(a *store.Application) { a.OpenID.Access = []string{g.ID} })
		}
	}
}

// crowded are what is left of a crowd: the users with their states, and the groups.
func (w *world) crowded() (users, groups []string) {
	w.t.Helper()
	all, _, err := w.Store.Users(w.t.Context(), w.env, store.UserFilter{Search: "crowd"}, store.Page{Limit: store.MaxLimit})
	must(w.t, err)
	for _, u := range all {
		users = append(users, fmt.Sprint(u.Username, " ", u.Enabled, " ", u.SignOffs))
	}
	found, _, err := w.Store.Groups(w.t.Context(), w.env, store.GroupFilter{Search: "crowd"}, store.Page{Limit: store.MaxLimit})
	must(w.t, err)
	for _, g := range found {
		groups = append(groups, g.Name)
	}
	return users, groups
}

// told are the activities of selections, the oldest first.
func (w *world) told() (all []store.Activity) {
	w.t.Helper()
	for _, a := range w.activities() {
		if slices.Contains(selecting, a.Action) {
			all = append([]store.Activity{a}, all...)
		}
	}
	return all
}

// toldOfEach counts the activities of one user or group, of which each is told once at most.
func (w *world) toldOfEach() int {
	w.t.Helper()
	of := map[string]bool{}
	for _, a := range w.activities() {
		if slices.Contains([]string{"user.updated", "user.signed-off", "user.deleted", "group.deleted"}, a.Action) {
			if of[a.Subject] {
				w.t.Errorf("%s is told twice", a.Subject)
			}
			of[a.Subject] = true
		}
	}
	return len(of)
}

// A deed is done with all that a filter finds and with nobody else: not with those who may do more than whoever acts,
// with groups that an application names, or in another environment. Two activities tell of it: that it was
// decided, and with how many it was done; and one of each with whom it was.
func TestAllThatAFilterFinds(t *testing.T) {
	h := open(t)
	const n = 47
	users, groups := store.UserFilter{Search: "crowd"}, store.GroupFilter{Search: "crowd"}
	enabled, byName := users, users
	enabled.State, byName.Order, byName.Descending = store.UserEnabled, store.ByName, true
	for name, c := range map[string]struct {
		selection  m.Selection
		done, left int
		each       int                // of how many there is an activity
		is         func(i int) string // user i is so afterwards, but the fifth; empty: gone
	}{
		"disable": {m.Selection{Deed: m.DisableUsers, Users: users}, n - 1, 1, 24, func(i int) string {
			return fmt.Sprint("false ", 1-i%2) // whoever could sign on is signed off
		}},
		"disable the enabled": {m.Selection{Deed: m.DisableUsers, Users: enabled}, 24, 0, 24, func(i int) string {
			return fmt.Sprint("false ", 1-i%2)
		}},
		"enable":   {m.Selection{Deed: m.EnableUsers, Users: byName}, n - 1, 1, 22, func(int) string { return "true 0" }},
		"sign off": {m.Selection{Deed: m.SignOffUsers, Users: users}, n - 1, 1, n - 1, func(i int) string { return fmt.Sprint(i%2 == 0, " 1") }},
		"delete":   {m.Selection{Deed: m.DeleteUsers, Users: users}, n - 1, 1, n - 1, func(int) string { return "" }},
		"groups":   {m.Selection{Deed: m.DeleteGroups, Groups: groups}, n - 2, 2, n - 2, func(i int) string { return fmt.Sprint(i%2 == 0, " 0") }},
		"nobody":   {m.Selection{Deed: m.DeleteUsers, Users: store.UserFilter{Search: "nobody"}}, 0, 0, 0, func(i int) string { return fmt.Sprint(i%2 == 0, " 0") }},
	} {
		t.Run(strings.ReplaceAll(name, " ", "_"), func(t *testing.T) {
			w, theirs := h.world(), h.world()
			w.crowd(n)
			theirs.crowd(n)
			before := theirs.rows()
			c.selection.Words = "q=crowd"
			must(t, w.Select(t.Context(), w.as(store.RoleIdentityAdmin), c.selection))
			must(t, w.Finish(t.Context())) // what a loaded machine has not done within the moment
			var want []string
			for i := range n {
				is := c.is(i)
				if i == 5 {
					is = "false 0"
				}
				if is != "" {
					want = append(want, fmt.Sprintf("crowd%02d %s", i, is))
				}
			}
			got, groups := w.crowded()
			if !slices.Equal(got, want) {
				t.Errorf("%q\nwant %q", got, want)
			}
			if left := c.selection.Deed == m.DeleteGroups; left != slices.Equal(groups, []string{"crowd05", "crowd06"}) || !left && len(groups) != n {
				t.Errorf("groups: %q", groups)
			}
			all := w.told()
			if len(all) != 2 || all[0].Detail["filter"] != "q=crowd" || all[1].Detail["filter"] != "q=crowd" ||
				fmt.Sprint(all[1].Detail["done"], all[1].Detail["left"]) != fmt.Sprint(c.done, c.left) {
				t.Errorf("%+v", all)
			}
			if each := w.toldOfEach(); each != c.each {
				t.Errorf("%d activities of those with whom it was done, want %d", each, c.each)
			}
			if goings, err := w.Store.Goings(t.Context()); err != nil || len(goings) > 0 {
				t.Errorf("%+v, %v", goings, err)
			}
			if theirs.rows() != before {
				t.Error("something of another environment changed")
			}
		})
	}
}

// What was begun goes on where it was left, by several nodes at once and with nobody twice; those who came after it was
// decided are not of it.
func TestASelectionGoesOn(t *testing.T) {
	w := open(t).world()
	ctx := t.Context()
	w.crowd(47)
	g, err := w.Decide(ctx, w.as(store.RoleOwner), m.Selection{Deed: m.SignOffUsers, Users: store.UserFilter{Search: "crowd"}})
	must(t, err)
	u := store.User{EnvironmentID: w.env, PopulationID: w.population.ID, Username: "crowd later", CreatedAt: time.Now().Add(time.Minute)}
	must(t, w.Store.CreateUser(ctx, &u))
	if _, more, err := w.Some(ctx, g); err != nil || !more {
		t.Fatal(more, err)
	}
	var nodes sync.WaitGroup
	for range 4 {
		nodes.Go(func() {
			if err := w.Finish(ctx); err != nil {
				t.Error(err)
			}
		})
	}
	nodes.Wait()
	users, _ := w.crowded()
	for _, one := range users {
		if later := strings.HasPrefix(one, "crowd later"); later != strings.HasSuffix(one, " 0") || !later && !strings.HasSuffix(one, " 1") {
			t.Errorf("%q", one)
		}
	}
	if all := w.told(); len(users) != 48 || len(all) != 2 || fmt.Sprint(all[1].Detail["done"], all[1].Detail["left"]) != "47 0" {
		t.Errorf("%d users, %+v", len(users), all)
	}
}

// Whoever loses the right to it has begun what ends there: by a lower role, or when they are no more.
func TestASelectionEndsWithTheRight(t *testing.T) {
	h := open(t)
	for name, lose := range map[string]func(w *world, by m.By) error{
		"lowered": func(w *world, by m.By) error {
			a, err := w.Store.AdministratorByID(t.Context(), w.env, by.ID)
			must(t, err)
			a.Role = store.RoleReadOnly
			return w.Store.UpdateAdministrator(t.Context(), &a)
		},
		"deleted": func(w *world, by m.By) error { return w.Store.DeleteAdministrator(t.Context(), w.env, by.ID) },
	} {
		t.Run(name, func(t *testing.T) {
			w := h.world()
			w.crowd(47)
			by := w.asAdmin(store.RoleIdentityAdmin)
			g, err := w.Decide(t.Context(), by, m.Selection{Deed: m.DeleteUsers, Users: store.UserFilter{Search: "crowd"}})
			must(t, err)
			_, _, err = w.Some(t.Context(), g)
			must(t, err)
			must(t, lose(w, by))
			must(t, w.Finish(t.Context()))
			if users, _ := w.crowded(); len(users) != 28 { // 20 were looked at, of whom one is an owner
				t.Errorf("%d are left", len(users))
			}
			if all := w.told(); len(all) != 2 || !strings.Contains(all[1].Text, "right to it was lost") {
				t.Errorf("%+v", all)
			}
			if goings, err := w.Store.Goings(t.Context()); err != nil || len(goings) > 0 {
				t.Errorf("%+v, %v", goings, err)
			}
		})
	}
}

// An environment goes with what was begun in it.
func TestASelectionGoesWithItsEnvironment(t *testing.T) {
	w := open(t).world()
	w.crowd(25)
	_, err := w.Decide(t.Context(), w.as(store.RoleOwner), m.Selection{Deed: m.DeleteUsers})
	must(t, err)
	must(t, w.Store.DeleteEnvironment(t.Context(), w.child.ID))
	must(t, w.Store.DeleteEnvironment(t.Context(), w.env))
	if goings, err := w.Store.Goings(t.Context()); err != nil || len(goings) > 0 {
		t.Errorf("%+v, %v", goings, err)
	}
}
