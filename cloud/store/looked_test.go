package store_test

import (
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"

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
