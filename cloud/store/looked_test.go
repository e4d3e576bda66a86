package store_test

import (
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"ldap-gateway/cloud/store"
	"ldap-gateway/cloud/store/pgtest"
)

// crowd is how many people TestPostgresLooksAtFew has, how many rows a read may look at, and after how often PostgreSQL
// plans a statement no more.
const (
	crowd      = 3000
	mayLook    = 700
	plannedFor = 7
)

// pages and counts look at as many rows as PostgreSQL finds cheapest, of so few people at all and of values that
// nobody has.
var pages = []string{
	"UsersNext", "UsersOfType", "UsersPrefix", "UsersSearched", "GroupsBySource", "SharedNames", "SharedDisplayNames",
	"Activities", "ActivitiesBy", "ActivitiesDone", "Populations", "Counts", "Hours",
}

// TestPostgresLooksAtFew: who or what is looked for alone is found without a look at everybody, also by what
// PostgreSQL planned while nobody was there and has not counted since: it does so by itself within a minute.
func TestPostgresLooksAtFew(t *testing.T) {
	where := pgtest.Start(t).Database()
	s := openAt(t, where)
	countsNothing(t, where)
	w := build(t, s, "one")
	r, looked, err := s.Look(t.Context())
	must(t, err)
	defer looked.Close()
	reads := alone(asked{ctx: t.Context(), r: r, world: w})
	for range plannedFor {
		for name, read := range reads {
			mustRead(t, name, read)
		}
	}
	fill(t, s, w)
	for name, read := range reads {
		clear(looked.Rows)
		mustRead(t, name, read)
		for query, n := range looked.Rows {
			if n > mayLook {
				t.Errorf("%s looks at %d rows: %s", name, n, query)
			}
		}
	}
}

// TestPostgresWritesLookAtFew is TestPostgresLooksAtFew of what a sign-on writes: it looks at what it writes of, and at
// nothing else of the environment, also where PostgreSQL takes a list for a long one.
func TestPostgresWritesLookAtFew(t *testing.T) {
	where := pgtest.Start(t).Database()
	s := openAt(t, where)
	w := build(t, s, "one")
	fill(t, s, w)
	_, looked, err := s.Look(t.Context())
	must(t, err)
	defer looked.Close()
	tx := looked.Writes(s)
	for round := range plannedFor {
		for _, many := range []int{1, 20} {
			writesOf(t, s, tx, w, 1+2*round, many)
		}
	}
	for query, n := range looked.Rows {
		if n > mayLook {
			t.Errorf("%d rows are looked at: %s", n, query)
		}
	}
}

// writesOf makes what sign-ons write of somebody, with so many groups.
func writesOf(t *testing.T, s *store.Store, tx *store.Tx, w world, person, many int) {
	t.Helper()
	ctx, env := t.Context(), w.env.ID
	u, err := s.PersonByUsername(ctx, env, fmt.Sprint("u", person))
	must(t, err)
	var names, ids []string
	for i := range many {
		names = append(names, store.NameKey(store.SourceGateway, fmt.Sprint("g", person+100+i)))
	}
	found, err := tx.GroupsByKey(ctx, env, store.SourceGateway, w.gateway.ID, names)
	must(t, err)
	_, err = tx.GroupsByDirectoryID(ctx, env, store.SourceGateway, w.gateway.ID, names)
	must(t, err)
	var joined []store.Joined
	for _, g := range found {
		ids, joined = append(ids, g.ID), append(joined, store.Joined{GroupID: g.ID})
	}
	must(t, tx.AddMemberships(ctx, env, u.ID, joined, time.Now()))
	must(t, tx.DoubtMemberships(ctx, env, u.ID, ids, "hidden", time.Now()))
	if n, err := s.CountGroupsOf(ctx, env, u.ID); err != nil || n < many {
		t.Fatalf("%d groups, %v", n, err)
	}
	_, err = tx.Still(ctx, env, store.Identified{By: u.Correlation[0], GatewayID: w.gateway.ID, UserID: u.ID}, many)
	must(t, err)
	must(t, tx.RemoveMemberships(ctx, env, u.ID, ids))
	u.GivenName += "x"
	must(t, tx.UpdateUser(ctx, &u))
	must(t, tx.RecordSignOn(ctx, &store.SignOn{EnvironmentID: env, UserID: u.ID, GatewayID: w.gateway.ID, Outcome: "ok"}))
}

// countsNothing keeps PostgreSQL from counting by itself.
func countsNothing(t *testing.T, where string) {
	t.Helper()
	db, err := sql.Open("pgx", where)
	must(t, err)
	defer db.Close()
	for _, table := range []string{"users", "correlations", "cloud_groups", "membership_rows", "sign_ons", "activities"} {
		_, err := db.Exec("ALTER TABLE " + table + " SET (autovacuum_enabled = false)")
		must(t, err)
	}
}

// alone are the reads of one thing or what hangs on it.
func alone(a asked) map[string]func() error {
	reads := a.people()
	maps.Copy(reads, a.groups())
	maps.Copy(reads, a.others())
	maps.DeleteFunc(reads, func(name string, _ func() error) bool { return slices.Contains(pages, name) })
	return reads
}

func mustRead(t *testing.T, name string, read func() error) {
	t.Helper()
	if err := read(); err != nil && !errors.Is(err, store.ErrNotFound) {
		t.Fatal(name, err)
	}
}

// fill has people sign on for the first time, a few at once: each with groups, sign-ons and activities.
func fill(t testing.TB, s *store.Store, w world) {
	t.Helper()
	groups := make([]*store.Group, crowd/2)
	for i := range groups {
		groups[i] = &store.Group{EnvironmentID: w.env.ID, Name: fmt.Sprint("g", i), DisplayName: fmt.Sprint("G", i),
			SourceType: store.SourceGateway, SourceID: w.gateway.ID}
	}
	must(t, s.ProvisionIn(t.Context(), w.env.ID, func(tx *store.Tx) error { return tx.CreateGroups(t.Context(), groups) }))
	all := make([]int, crowd)
	for i := range all {
		all[i] = i
	}
	for few := range slices.Chunk(all, 20) {
		must(t, s.ProvisionIn(t.Context(), w.env.ID, func(tx *store.Tx) error {
			for _, i := range few {
				if err := arrive(t, tx, w, i, groups); err != nil {
					return err
				}
			}
			return nil
		}))
	}
}

// arrive makes a user as a first sign-on does.
func arrive(t testing.TB, tx *store.Tx, w world, i int, groups []*store.Group) error {
	t.Helper()
	u := w.user
	u.ID, u.Username, u.Email, u.DN = "", fmt.Sprint("u", i), fmt.Sprint("u", i, "@x"), fmt.Sprint("uid=u", i)
	u.Correlation = []store.Correlation{{Attribute: "entryUUID", Value: fmt.Sprint("v", i)}}
	err := tx.CreateUser(t.Context(), &u)
	joined := make([]store.Joined, 5)
	for k := range joined {
		joined[k].GroupID = groups[(i+k)%len(groups)].ID
	}
	if err == nil {
		err = tx.AddMemberships(t.Context(), w.env.ID, u.ID, joined, u.CreatedAt)
	}
	so := store.SignOn{
		EnvironmentID: w.env.ID, At: u.CreatedAt, Method: "password", Username: u.Username, UserID: u.ID,
		GatewayID: w.gateway.ID, Outcome: "success",
	}
	if err == nil {
		err = tx.RecordSignOn(t.Context(), &so, store.Activity{
			EnvironmentID: w.env.ID, Action: "user.created", Actor: "system", Subject: "user:" + u.ID, Text: "made",
		})
	}
	return err
}
