package provisioner

import (
	"maps"
	"slices"
	"testing"
	"time"

	"ldap-gateway/cloud/store"
	"ldap-gateway/cloud/store/storetest"
)

// Groups that others change between the plan and the record are told as they are kept.
func TestGroupsToldAreThoseKept(t *testing.T) {
	db, err := store.Open(t.Context(), storetest.Where(t))
	noError(t, err)
	defer db.Close()
	ctx := t.Context()
	env := store.Environment{Name: "E"}
	noError(t, db.CreateEnvironment(ctx, &env))
	population := store.Population{EnvironmentID: env.ID, Name: "P"}
	noError(t, db.CreatePopulation(ctx, &population))
	g := store.Gateway{EnvironmentID: env.ID, Name: "G", UserTypes: []store.UserType{{ID: "t", Name: "T"}}}
	noError(t, db.CreateGateway(ctx, &g))
	value := store.Correlation{Attribute: "uid", Value: "ada"}
	u := store.User{EnvironmentID: env.ID, PopulationID: population.ID, Username: "ada", Enabled: true,
		GatewayID: g.ID, UserTypeID: "t", Correlation: []store.Correlation{value}}
	noError(t, db.CreateUser(ctx, &u))
	all := map[string]*store.Group{}
	for _, name := range []string{"a", "b", "c", "d"} {
		all[name] = &store.Group{EnvironmentID: env.ID, Name: name, SourceType: store.SourceGateway, SourceID: g.ID}
	}
	noError(t, db.Provision(ctx, func(tx *store.Tx) error {
		return tx.CreateGroups(ctx, slices.Collect(maps.Values(all)))
	}))
	groups := func(names string) (some []store.Group) {
		some = []store.Group{}
		for _, name := range names {
			some = append(some, *all[string(name)])
		}
		return some
	}
	for _, kept := range []string{"", "a", "ab", "abcd", "bc"} {
		noError(t, db.Provision(ctx, func(tx *store.Tx) error {
			if err := tx.RemoveMemberships(ctx, env.ID, u.ID, idsOf(groups("abcd"))); err != nil {
				return err
			}
			var joined []store.Joined
			for _, id := range idsOf(groups(kept)) {
				joined = append(joined, store.Joined{GroupID: id})
			}
			return tx.AddMemberships(ctx, env.ID, u.ID, joined, time.Now())
		}))
		for _, planned := range []string{"", "a", "b", "ab", "cd", "abc", "abcd"} {
			p := &Provisioner{Store: db}
			s := &step{id: Identity{EnvironmentID: env.ID}, so: &store.SignOn{EnvironmentID: env.ID, UserID: u.ID}}
			s.change.User, s.change.Groups = u, groups(planned)
			noError(t, p.unchanged(ctx, s, store.Identified{UserID: u.ID, GatewayID: g.ID, By: value}))
			told, want := idsOf(s.change.Groups), idsOf(groups(kept))
			slices.Sort(told)
			slices.Sort(want)
			if !slices.Equal(told, want) {
				t.Errorf("planned of %q, kept are %q: told are %d", planned, kept, len(told))
			}
		}
	}
}

func noError(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
