package provisioner_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"ldap-gateway/cloud/provisioner"
	"ldap-gateway/cloud/store"
)

// What happened to a record, and to its groups, after the sign-on had read it is seen all the same: each of these
// ends as it does for a sign-on that reads the record when it is applied.
func TestKnownRecordHasChanged(t *testing.T) {
	for name, change := range map[string]func(ctx context.Context, s *store.Store, u store.User) error{
		"nothing": func(context.Context, *store.Store, store.User) error { return nil },
		"another e-mail": func(ctx context.Context, s *store.Store, u store.User) error {
			u.Email = "changed@x"
			return s.UpdateUser(ctx, &u)
		},
		"another name, and back": func(ctx context.Context, s *store.Store, u store.User) error {
			name := u.GivenName
			u.GivenName = "Augusta"
			if err := s.UpdateUser(ctx, &u); err != nil {
				return err
			}
			u.GivenName = name
			return s.UpdateUser(ctx, &u)
		},
		"disabled": func(ctx context.Context, s *store.Store, u store.User) error {
			u.Enabled = false
			return s.UpdateUser(ctx, &u)
		},
		"locked": func(ctx context.Context, s *store.Store, u store.User) error {
			u.Locked = true
			return s.UpdateUser(ctx, &u)
		},
		"deleted": func(ctx context.Context, s *store.Store, u store.User) error {
			return s.DeleteUser(ctx, u.EnvironmentID, u.ID)
		},
		"another entry's": func(ctx context.Context, s *store.Store, u store.User) error {
			u.Correlation = []store.Correlation{{Attribute: "entryUUID", Value: "b-2"}}
			return s.UpdateUser(ctx, &u)
		},
		"two of the value": func(ctx context.Context, s *store.Store, u store.User) error {
			u.ID, u.Username, u.Email = "", "twin", "twin@x"
			return s.CreateUser(ctx, &u)
		},
		"out of a group": func(ctx context.Context, s *store.Store, u store.User) error {
			all, err := s.UserGroups(ctx, u.EnvironmentID, u.ID)
			if err != nil {
				return err
			}
			return s.Provision(ctx, func(tx *store.Tx) error {
				return tx.RemoveMemberships(ctx, u.EnvironmentID, u.ID, []string{all[0].Group.ID})
			})
		},
		"a group called otherwise": func(ctx context.Context, s *store.Store, u store.User) error {
			all, err := s.UserGroups(ctx, u.EnvironmentID, u.ID)
			if err != nil {
				return err
			}
			g := all[0].Group
			g.DisplayName = "called otherwise"
			return s.Provision(ctx, func(tx *store.Tx) error { return tx.UpdateGroup(ctx, &g) })
		},
		"a group that is gone": func(ctx context.Context, s *store.Store, u store.User) error {
			all, err := s.UserGroups(ctx, u.EnvironmentID, u.ID)
			if err != nil {
				return err
			}
			return s.DeleteGroup(ctx, u.EnvironmentID, all[0].Group.ID)
		},
	} {
		t.Run(name, func(t *testing.T) {
			var ends []string
			for _, known := range []bool{false, true} {
				ends = append(ends, end(t, known, change))
			}
			if ends[0] != ends[1] {
				t.Errorf("read when it is applied:\n%s\nread before:\n%s", ends[0], ends[1])
			}
		})
	}
}

// end is how a sign-on ends before which a record was changed: after the sign-on had read it, or before.
func end(t *testing.T, known bool, change func(context.Context, *store.Store, store.User) error) string {
	t.Helper()
	w := build(t)
	first, _ := w.mustSignOn(w.ada("cooks", "bakers"))
	if _, so := w.mustSignOn(w.ada("cooks", "bakers")); so.Updated {
		t.Fatal("it was not settled")
	}
	id := w.ada("cooks", "bakers")
	u, err := w.store.PersonByUsername(t.Context(), w.env.ID, "ada")
	w.must(err)
	if known {
		id.Known = &u
	}
	w.must(change(t.Context(), w.node(), first.User))
	c, so, err := w.signOn(id)
	after, readErr := w.store.PersonByUsername(t.Context(), w.env.ID, "ada")
	if readErr != nil && !errors.Is(readErr, store.ErrNotFound) {
		t.Fatal(readErr)
	}
	return fmt.Sprintf("%v; %s; %q %q %v %v; groups %s; enabled %t\n%v", err, so.UpdateReason, after.Email,
		after.GivenName, after.Correlation, c.Created, w.groupsOf(after.ID), after.Enabled, displayed(c.Groups))
}

// displayed counts groups by what they are called.
func displayed(groups []store.Group) map[string]int {
	n := map[string]int{}
	for _, g := range groups {
		n[g.DisplayName]++
	}
	return n
}

// reading is a sign-on of somebody who is known, as far as it has read the record.
func reading(t *testing.T, update bool) (w *world, before store.User, id provisioner.Identity) {
	t.Helper()
	w = build(t)
	first, _ := w.mustSignOn(w.ada("cooks"))
	u, err := w.store.PersonByUsername(t.Context(), w.env.ID, "ada")
	w.must(err)
	id = w.ada("cooks")
	id.Known, id.Update = &u, update
	return w, first.User, id
}

// Whoever is called otherwise since the record was read is told by the name that they have, and not by one that somebody
// else has by now.
func TestRenamedMeanwhile(t *testing.T) {
	for _, update := range []bool{false, true} {
		w, u, id := reading(t, update)
		id.Mapped = []string{"email"}
		u.Username = "ada.old"
		w.must(w.store.UpdateUser(t.Context(), &u))
		w.person("ada")
		c, so := w.mustSignOn(id)
		if c.User.ID != u.ID || so.UserID != u.ID || c.User.Username != "ada.old" {
			t.Errorf("update %t: %s is told as %q", update, so.UserID, c.User.Username)
		}
	}
}

// Whoever has come to another user type while the directory was asked as the one of before says is not let in by
// that: the filter of the new one was not asked.
func TestMovedMeanwhile(t *testing.T) {
	for _, update := range []bool{false, true} {
		w, u, id := reading(t, update)
		u.UserTypeID = "another"
		w.must(w.store.UpdateUser(t.Context(), &u))
		_, _, err := w.signOn(id)
		want(t, err, provisioner.ErrMoved)
		if all, _, err := w.store.SignOns(t.Context(), w.env.ID, store.SignOnFilter{}, store.Page{}); len(all) != 1 {
			t.Errorf("update %t: %d sign-ons are recorded, %v", update, len(all), err)
		}
	}
}
