package store_test

import (
	"testing"
	"time"

	"ldap-gateway/cloud/store"
)

// A sign-on that changes nothing is recorded as long as it leads to the same record, whose
// person may sign on; otherwise nothing is written.
func TestRecordUnchanged(t *testing.T) {
	uuid := store.Correlation{Attribute: "ENTRYUUID", Value: "1-2-3"}
	for name, c := range map[string]struct {
		change func(s *store.Store, w *world) error // before the sign-on
		by     store.Correlation
		alone  bool // the ID alone says who it is
		kept   bool
	}{
		"nothing":               {nil, uuid, false, true},
		"by the ID":             {nil, store.Correlation{}, true, true},
		"another case of value": {nil, store.Correlation{Attribute: "uid", Value: "JOSE"}, false, false},
		"no such attribute":     {nil, store.Correlation{Attribute: "mail", Value: "1-2-3"}, false, false},
		"disabled": {func(s *store.Store, w *world) error {
			w.user.Enabled = false
			return s.UpdateUser(t.Context(), &w.user)
		}, uuid, false, false},
		"locked, by the ID": {func(s *store.Store, w *world) error {
			w.user.Locked = true
			return s.UpdateUser(t.Context(), &w.user)
		}, store.Correlation{}, true, false},
		"deleted": {func(s *store.Store, w *world) error {
			return s.DeleteUser(t.Context(), w.env.ID, w.user.ID)
		}, uuid, false, false},
		"deleted, by the ID": {func(s *store.Store, w *world) error {
			return s.DeleteUser(t.Context(), w.env.ID, w.user.ID)
		}, store.Correlation{}, true, false},
		"another value now": {func(s *store.Store, w *world) error {
			w.user.Correlation = []store.Correlation{{Attribute: "entryUUID", Value: "4-5-6"}}
			return s.UpdateUser(t.Context(), &w.user)
		}, uuid, false, false},
		"of no gateway now": {func(s *store.Store, w *world) error {
			w.user.GatewayID, w.user.UserTypeID = "", ""
			return s.UpdateUser(t.Context(), &w.user)
		}, uuid, false, false},
		"changed since": {func(s *store.Store, w *world) error {
			changed := w.user
			changed.Email = "another@example.com"
			return s.UpdateUser(t.Context(), &changed)
		}, uuid, false, false},
		"changed since, by the ID": {func(s *store.Store, w *world) error {
			changed := w.user
			changed.Email = "another@example.com"
			return s.UpdateUser(t.Context(), &changed)
		}, store.Correlation{}, true, false},
		"somebody else's as well": {func(s *store.Store, w *world) error {
			other := w.user
			other.ID, other.Username = "", "twin"
			return s.CreateUser(t.Context(), &other)
		}, uuid, false, false},
	} {
		t.Run(name, func(t *testing.T) {
			s := open(t)
			w := build(t, s, "one")
			user := w.user.ID
			if c.change != nil {
				must(t, c.change(s, &w))
			}
			of := store.Identified{UserID: user, GatewayID: w.gateway.ID, By: c.by, UpdatedAt: w.user.UpdatedAt}
			if c.alone {
				of.GatewayID = ""
			}
			for n, activities := range [][]store.Activity{{{Action: "told"}}, nil} {
				so := store.SignOn{EnvironmentID: w.env.ID, UserID: user, Outcome: store.SignedOnOK}
				_, kept, err := s.RecordUnchanged(t.Context(), &so, of, activities...)
				same(t, kept, c.kept, err)
				all, _, err := s.SignOns(t.Context(), w.env.ID, store.SignOnFilter{}, store.Page{})
				same(t, len(all) == n+1 && all[0].ID == so.ID, c.kept, err)
			}
			told, _, err := s.Activities(t.Context(), w.env.ID, store.ActivityFilter{Action: "told"}, store.Page{})
			same(t, len(told) == 1, c.kept, err)
		})
	}
}

// A plan reads, and writes nothing until it is carried out; what is not as it was planned
// for is refused, and nothing of the plan is kept.
func TestPlan(t *testing.T) {
	s := open(t)
	w := build(t, s, "one")
	ctx, e := t.Context(), w.env.ID
	carry := func(p *store.Plan) error {
		return s.Provision(ctx, func(tx *store.Tx) error { return tx.Carry(ctx, p) })
	}
	made := func(name string) int {
		t.Helper()
		all, _, err := s.Groups(ctx, e, store.GroupFilter{Name: name}, store.Page{})
		must(t, err)
		return len(all)
	}
	p, err := s.Plan(func(tx *store.Tx) error { _, err := tx.User(ctx, e, w.user.ID); return err })
	same(t, p.Writes(), false, err)
	_, err = s.Plan(func(tx *store.Tx) error { _, err := tx.User(ctx, e, "nobody"); return err })
	want(t, err, store.ErrNotFound)

	p, err = s.Plan(func(tx *store.Tx) error {
		groups := []*store.Group{{EnvironmentID: e, Name: "first"}, {EnvironmentID: e, Name: "second"}}
		if err := tx.CreateGroups(ctx, groups); err != nil {
			return err
		}
		joined := []store.Joined{{GroupID: groups[0].ID}, {GroupID: groups[1].ID}}
		return tx.AddMemberships(ctx, e, w.user.ID, joined, time.UnixMicro(5))
	})
	same(t, p.Writes(), true, err)
	same(t, made("first"), 0, nil)
	must(t, carry(p))
	same(t, made("first")+made("second"), 2, nil)
	want(t, carry(p), store.ErrConflict)
	got, err := s.GroupsOf(ctx, e, w.user.ID)
	same(t, len(got), 3, err)
	n, err := s.CountGroupsOf(ctx, e, w.user.ID)
	same(t, n, 3, err)

	p, err = s.Plan(func(tx *store.Tx) error {
		if err := tx.CreateGroups(ctx, []*store.Group{{EnvironmentID: e, Name: "third"}}); err != nil {
			return err
		}
		u := w.user
		u.Email = "another@example.com"
		return tx.UpdateUser(ctx, &u)
	})
	must(t, err)
	must(t, s.DeleteUser(ctx, e, w.user.ID))
	want(t, carry(p), store.ErrNotFound)
	same(t, made("third"), 0, nil)
}
