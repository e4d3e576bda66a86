package store_test

import (
	"database/sql"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"ldap-gateway/cloud/store"
)

// What has up to PeopleCounted is counted whenever it is asked for; what has more, once a minute at most.
func TestCounts(t *testing.T) {
	for name, first := range map[string]int{
		"none": 0, "few": 7, "as many as are counted": store.PeopleCounted - 1, "one more": store.PeopleCounted, "many": store.PeopleCounted + 500,
	} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "cloud.db")
			synctest.Test(t, func(t *testing.T) { countMembers(t, file, first) })
		})
	}
}

// countMembers has a group have so many members more than one, and then 20 more.
func countMembers(t *testing.T, file string, first int) {
	s := openAt(t, file)
	w := build(t, s, "one")
	db, err := sql.Open("sqlite", "file:"+file)
	must(t, err)
	defer db.Close()
	add := func(from, n int) {
		_, err := db.Exec(`
			INSERT INTO membership_rows (environment_id, user_id, group_id, since)
			WITH RECURSIVE n(i) AS (SELECT ? UNION ALL SELECT i + 1 FROM n WHERE i + 1 < ?)
			SELECT ?, 'u' || i, ?, 1 FROM n WHERE ? > 0`, from, from+n, w.env.ID, w.jit.ID, n)
		must(t, err)
	}
	is := func(want int) {
		t.Helper()
		g, err := s.Group(t.Context(), w.env.ID, w.jit.ID)
		must(t, err)
		all, _, err := s.Groups(t.Context(), w.env.ID, store.GroupFilter{Name: w.jit.Name}, store.Page{})
		must(t, err)
		if g.MemberCount != want || len(all) != 1 || all[0].MemberCount != want {
			t.Fatalf("%d and %+v members, want %d", g.MemberCount, all, want)
		}
	}
	g, err := s.Group(t.Context(), w.env.ID, w.jit.ID)
	must(t, err)
	before := g.MemberCount
	add(0, first)
	is(before + first)
	add(first, 20)
	if before+first > store.PeopleCounted {
		is(before + first)
		time.Sleep(time.Minute)
	}
	is(before + first + 20)
}
