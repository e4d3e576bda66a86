package store_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"ldap-gateway/cloud/store"
)

// more is how many groups are written at once here: more than one statement takes.
const more = 1203

// seen adds that many groups of the gateway.
func seen(t testing.TB, s *store.Store, w world, n int) (groups []*store.Group) {
	t.Helper()
	for i := range n {
		groups = append(groups, &store.Group{
			EnvironmentID: w.env.ID,
			Name:          fmt.Sprintf("cn=Group %04d,dc=example", i),
			DisplayName:   fmt.Sprintf("Group %04d", i),
			SourceType:    store.SourceGateway,
			SourceID:      w.gateway.ID,
			DirectoryID:   fmt.Sprint("id ", i),
		})
	}
	must(t, s.Provision(t.Context(), func(tx *store.Tx) error { return tx.CreateGroups(t.Context(), groups) }))
	return groups
}

// However many groups a directory has, they are found at once, by name and by ID.
func TestManyGroupsAtOnce(t *testing.T) {
	s := open(t)
	w := build(t, s, "one")
	ctx, e := t.Context(), w.env.ID
	var keys, ids []string
	for _, g := range seen(t, s, w, more) {
		keys, ids = append(keys, store.GroupKey(g.Name)), append(ids, g.DirectoryID)
	}
	must(t, s.Provision(ctx, func(tx *store.Tx) error {
		byKey, err := tx.GroupsByKey(ctx, e, store.SourceGateway, w.gateway.ID, append(keys, "none"))
		if err != nil || len(byKey) != more {
			t.Errorf("%d by key, %v", len(byKey), err)
		}
		byID, err := tx.GroupsByDirectoryID(ctx, e, store.SourceGateway, w.gateway.ID, append(ids, "none"))
		if err != nil || len(byID) != more {
			t.Errorf("%d by ID, %v", len(byID), err)
		}
		none, err := tx.GroupsByKey(ctx, e, store.SourceGateway, w.gateway.ID, nil)
		if len(none) > 0 {
			t.Errorf("no key finds %v", none)
		}
		return err
	}))
}

// Groups are found of their own source alone, by name in whatever spelling, by ID as it is.
func TestGroupsOfASource(t *testing.T) {
	s := open(t)
	w, other := build(t, s, "one"), build(t, s, "two")
	ctx := t.Context()
	must(t, s.Provision(ctx, func(tx *store.Tx) error {
		g := w.jit
		g.DirectoryID = "guid"
		return tx.UpdateGroup(ctx, &g)
	}))
	key := store.GroupKey("CN=Cooks,DC=example")
	for name, c := range map[string]struct {
		env    string
		kind   store.Source
		source string
		n      int
	}{
		"its own":             {w.env.ID, store.SourceGateway, w.gateway.ID, 1},
		"another gateway":     {w.env.ID, store.SourceGateway, "none", 0},
		"another kind":        {w.env.ID, store.SourceIDP, w.gateway.ID, 0},
		"another environment": {other.env.ID, store.SourceGateway, w.gateway.ID, 0},
	} {
		must(t, s.Provision(ctx, func(tx *store.Tx) error {
			byKey, err := tx.GroupsByKey(ctx, c.env, c.kind, c.source, []string{key})
			byID, other := tx.GroupsByDirectoryID(ctx, c.env, c.kind, c.source, []string{"guid", "GUID"})
			if len(byKey) != c.n || len(byID) != c.n {
				t.Errorf("%s: %d by name, %d by ID", name, len(byKey), len(byID))
			}
			return errors.Join(err, other)
		}))
	}
}

// Memberships are added with their stamp, taken away one or many, and no others with them.
func TestMembershipsOfATransaction(t *testing.T) {
	s := open(t)
	w, other := build(t, s, "one"), build(t, s, "two")
	ctx, e := t.Context(), w.env.ID
	groups := seen(t, s, w, more)
	var joined []store.Joined
	var ids []string
	for _, g := range groups {
		joined, ids = append(joined, store.Joined{GroupID: g.ID, Stamp: "stamp"}), append(ids, g.ID)
	}
	within := func(f func(tx *store.Tx) error) { t.Helper(); must(t, s.Provision(ctx, f)) }
	within(func(tx *store.Tx) error { return tx.AddMemberships(ctx, e, w.user.ID, joined, moment(1)) })
	all, err := s.UserGroups(ctx, e, w.user.ID)
	if err != nil || len(all) != more+1 {
		t.Fatalf("%d, %v", len(all), err)
	}
	i := slices.IndexFunc(all, func(m store.GroupMembership) bool { return m.Group.ID == ids[0] })
	if m := all[i]; m.Stamp != "stamp" || !m.Since.Equal(moment(1)) || m.Doubt != "" {
		t.Errorf("%+v", m)
	}
	within(func(tx *store.Tx) error { return tx.DoubtMemberships(ctx, e, w.user.ID, ids, "hidden", moment(2)) })
	doubted, err := s.DoubtedGroups(ctx, e)
	if err != nil || len(doubted) != store.MaxLimit || doubted[0].Doubt != "hidden" || doubted[0].Users != 1 {
		t.Errorf("%d in doubt, %v", len(doubted), err)
	}
	within(func(tx *store.Tx) error { return tx.DoubtMemberships(ctx, e, w.user.ID, ids[1:], "", time.Time{}) })
	doubted, err = s.GroupDoubts(ctx, e, ids[0])
	if err != nil || len(doubted) != 1 || doubted[0].GroupID != ids[0] || doubted[0].SourceID != w.gateway.ID {
		t.Errorf("%+v, %v", doubted, err)
	}

	within(func(tx *store.Tx) error { return tx.RemoveMemberships(ctx, other.env.ID, w.user.ID, ids) })
	within(func(tx *store.Tx) error { return tx.RemoveMemberships(ctx, e, other.user.ID, ids) })
	if all, err = s.UserGroups(ctx, e, w.user.ID); err != nil || len(all) != more+1 {
		t.Errorf("%d are left, %v", len(all), err)
	}
	within(func(tx *store.Tx) error { return tx.RemoveMemberships(ctx, e, w.user.ID, append(ids, "none")) })
	all, err = s.UserGroups(ctx, e, w.user.ID)
	if err != nil || len(all) != 1 || all[0].Group.ID != w.jit.ID {
		t.Errorf("%+v, %v", all, err)
	}
	want(t, s.Provision(ctx, func(tx *store.Tx) error {
		return tx.AddMemberships(ctx, e, w.user.ID, []store.Joined{{GroupID: w.jit.ID}}, moment(3))
	}), store.ErrConflict)
}

// What a transaction did is undone in whole when one part of it fails, or its caller
// gives it up.
func TestNothingOfWhatFails(t *testing.T) {
	s := open(t)
	w := build(t, s, "one")
	before := everything(t, s, w)
	failed := errors.New("failed")
	for name, c := range map[string]struct {
		then func(ctx context.Context, tx *store.Tx, give context.CancelFunc) error
		want error
	}{
		"its own error": {func(context.Context, *store.Tx, context.CancelFunc) error { return failed }, failed},
		"a conflict": {func(ctx context.Context, tx *store.Tx, _ context.CancelFunc) error {
			return tx.CreateUser(ctx, &store.User{
				EnvironmentID: w.env.ID,
				PopulationID:  w.population.ID,
				Username:      "josé",
			})
		}, store.ErrConflict},
		"no such reference": {func(ctx context.Context, tx *store.Tx, _ context.CancelFunc) error {
			return tx.CreateGroups(ctx, []*store.Group{{EnvironmentID: "none", Name: "x"}})
		}, store.ErrNotFound},
		"given up": {func(ctx context.Context, tx *store.Tx, give context.CancelFunc) error {
			give()
			return tx.AddActivity(ctx, store.Activity{EnvironmentID: w.env.ID})
		}, context.Canceled},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, give := context.WithCancel(t.Context())
			defer give()
			err := s.Provision(ctx, func(tx *store.Tx) error {
				u := store.User{EnvironmentID: w.env.ID, PopulationID: w.population.ID, Username: "new"}
				so := store.SignOn{EnvironmentID: w.env.ID, Username: "new"}
				if err := errors.Join(tx.CreateUser(ctx, &u), tx.RecordSignOn(ctx, &so)); err != nil {
					return err
				}
				return c.then(ctx, tx, give)
			})
			want(t, err, c.want)
			same(t, everything(t, s, w), before, nil)
			if all, _, err := s.SignOns(t.Context(), w.env.ID, store.SignOnFilter{}, store.Page{}); err != nil ||
				len(all) > 0 {
				t.Errorf("%+v, %v", all, err)
			}
		})
	}
}

// A sign-on is read as it was written, and lends its activities what they lack.
func TestSignOnsAreKept(t *testing.T) {
	s := open(t)
	w, other := build(t, s, "one"), build(t, s, "two")
	ctx := t.Context()
	so := store.SignOn{
		EnvironmentID: w.env.ID,
		At:            moment(3),
		Method:        store.ByKerberos,
		Username:      "José",
		UserID:        w.user.ID,
		GatewayID:     w.gateway.ID,
		UserTypeID:    "type",
		InstanceID:    "instance",
		Outcome:       store.SignedOnOK,
		Reason:        "reason",
		Message:       "Welcome.",
		Updated:       true,
		UpdateReason:  "2 properties",
		Verdict:       "complete",
		VerdictReason: "all were seen",
		Added:         []string{"a", "b"},
		Removed:       []string{"c"},
		Duration:      1500 * time.Microsecond,
		Address:       "192.0.2.1",
	}
	own := store.Activity{EnvironmentID: w.env.ID, At: moment(9), SignOnID: "another", Action: "own"}
	must(t, s.RecordSignOn(ctx, &so, store.Activity{Action: "lent"}, own))
	got, err := s.SignOn(ctx, w.env.ID, so.ID)
	same(t, got, so, err)
	_, err = s.SignOn(ctx, other.env.ID, so.ID)
	want(t, err, store.ErrNotFound)
	all, _, err := s.Activities(ctx, w.env.ID, store.ActivityFilter{}, store.Page{})
	must(t, err)
	if len(all) != 2 || all[0].Action != "own" || !all[0].At.Equal(moment(9)) || all[0].SignOnID != "another" {
		t.Fatalf("%+v", all)
	}
	if lent := all[1]; lent.SignOnID != so.ID || !lent.At.Equal(moment(3)) || lent.EnvironmentID != w.env.ID {
		t.Errorf("%+v", lent)
	}
	proven, err := s.GroupsProven(ctx, w.env.ID, w.user.ID, so.GatewayID)
	same(t, proven, moment(3), err)
	proven, err = s.GroupsProven(ctx, other.env.ID, w.user.ID, so.GatewayID)
	same(t, proven, time.Time{}, err)
	u, err := s.User(ctx, w.env.ID, w.user.ID)
	same(t, u.LastSignOnAt, moment(3), err)
	mine, _, err := s.SignOns(ctx, w.env.ID, store.SignOnFilter{UserID: w.user.ID}, store.Page{})
	same(t, mine, []store.SignOn{so}, err)
	none, _, err := s.SignOns(ctx, w.env.ID, store.SignOnFilter{UserID: "none"}, store.Page{})
	same(t, len(none), 0, err)
}
