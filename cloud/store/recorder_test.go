package store_test

import (
	"database/sql"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"ldap-gateway/cloud/store"
	"ldap-gateway/cloud/store/pgtest"
)

// locked makes a statement in a transaction, and returns what ends that.
func locked(t *testing.T, db *sql.DB, statement string, args ...any) (release func()) {
	t.Helper()
	tx, err := db.Begin()
	must(t, err)
	_, err = tx.Exec(statement, args...)
	must(t, err)
	return func() { must(t, tx.Rollback()) }
}

// awaitLocked waits until somebody waits for a lock of the database.
func awaitLocked(t *testing.T, db *sql.DB) {
	t.Helper()
	for n := 0; n == 0; {
		must(t, db.QueryRow(`
			SELECT count(*) FROM pg_stat_activity
			WHERE datname = current_database() AND wait_event_type = 'Lock'`).Scan(&n))
	}
}

// Sign-ons of an environment whose rows are locked wait; those of another are recorded meanwhile.
func TestPostgresHoldsUpNoOtherEnvironment(t *testing.T) {
	where := pgtest.Start(t).Database()
	s := openAt(t, where)
	one, two := build(t, s, "one"), build(t, s, "two")
	db, err := sql.Open("pgx", where)
	must(t, err)
	defer db.Close()
	record := func(w world) {
		so := store.SignOn{EnvironmentID: w.env.ID, UserID: w.user.ID, Outcome: store.SignedOnOK}
		_, kept, err := s.RecordUnchanged(t.Context(), &so, w.identified())
		same(t, kept, true, err)
	}
	release := locked(t, db, `SELECT id FROM environments WHERE id = $1 FOR UPDATE`, one.env.ID)
	var wg sync.WaitGroup
	wg.Go(func() { record(one) })
	awaitLocked(t, db)
	for range 200 {
		wg.Go(func() { record(one) })
	}
	done := make(chan bool)
	go func() {
		for range 50 {
			record(two)
		}
		close(done)
	}()
	select {
	case <-done:
	case <-time.After(10 * time.Second):
		t.Error("another environment waits")
	}
	release()
	wg.Wait()
	<-done
}

// Of two people whose sign-ons have one ID, and are gathered, whoever is told that it is recorded is whose it is.
func TestPostgresRecordsOneOfTwoPeople(t *testing.T) {
	where := pgtest.Start(t).Database()
	s := openAt(t, where)
	w := build(t, s, "one")
	other := w
	other.user.ID, other.user.Username, other.user.Email = "", "other", "other@x"
	other.user.Correlation = []store.Correlation{{Attribute: "entryUUID", Value: "9-9"}}
	must(t, s.CreateUser(t.Context(), &other.user))
	db, err := sql.Open("pgx", where)
	must(t, err)
	defer db.Close()
	for round := range 20 {
		release := locked(t, db, `LOCK TABLE sign_ons IN EXCLUSIVE MODE`)
		var wg sync.WaitGroup
		record := func(of world, id string) {
			wg.Go(func() {
				so := store.SignOn{ID: id, EnvironmentID: w.env.ID, UserID: of.user.ID, Outcome: store.SignedOnOK}
				groups, kept, err := s.RecordUnchanged(t.Context(), &so, of.identified())
				if err != nil || !kept {
					same(t, kept, false, err)
					return
				}
				one, err := s.SignOn(t.Context(), w.env.ID, so.ID)
				same(t, one.UserID, of.user.ID, err)
				same(t, len(groups), map[bool]int{true: 1, false: 0}[of.user.ID == w.user.ID], nil)
			})
		}
		record(w, "")
		awaitLocked(t, db)
		for i := range 5 {
			record(w, fmt.Sprint("twin ", round, i))
			record(other, fmt.Sprint("twin ", round, i))
		}
		release()
		wg.Wait()
	}
}

// TestPostgresLooksAtWhoSignsOnAlone: before PostgreSQL has counted what is in its tables as after it, nobody else of the
// gateway is looked at.
func TestPostgresLooksAtWhoSignsOnAlone(t *testing.T) {
	where := pgtest.Start(t).Database()
	s := openAt(t, where)
	w := build(t, s, "one")
	must(t, s.Provision(t.Context(), func(tx *store.Tx) error {
		for i := range 300 {
			u := w.user
			u.ID, u.Username, u.Email = "", fmt.Sprint("u", i), fmt.Sprint("u", i, "@x")
			u.Correlation = []store.Correlation{{Attribute: "entryUUID", Value: fmt.Sprint("v", i)}}
			if err := tx.CreateUser(t.Context(), &u); err != nil {
				return err
			}
		}
		return nil
	}))
	db, err := sql.Open("pgx", where)
	must(t, err)
	defer db.Close()
	values := []string{"id", w.env.ID, "1", "password", "ada", w.user.ID, w.gateway.ID, "t", "i", "ok", "", "", "false", "",
		"", "", "null", "null", "1", "", "", "line", "0", w.env.ID, "entryuuid", "1-2-3", w.gateway.ID, w.user.ID}
	lists := make([]any, len(values))
	for i, v := range values {
		lists[i] = []string{v}
	}
	for _, counted := range []bool{false, true} {
		if counted {
			_, err := db.Exec("ANALYZE")
			must(t, err)
		}
		lists[0] = []string{fmt.Sprint("id ", counted)}
		rows, err := db.Query("EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF) "+store.RecordAll, lists...)
		must(t, err)
		for rows.Next() {
			var line string
			must(t, rows.Scan(&line))
			if strings.Contains(line, "Rows Removed by") || strings.Contains(line, "Seq Scan on users") ||
				strings.Contains(line, "Scan using users_") && !strings.Contains(line, "users_pkey") {
				t.Errorf("counted %t: %s", counted, line)
			}
		}
		must(t, rows.Err())
	}
}
