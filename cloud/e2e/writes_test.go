package e2e

import (
	"database/sql"
	"fmt"
	"testing"

	_ "modernc.org/sqlite"
)

// counted are the tables of records. The sign-on itself is a row elsewhere.
var counted = []string{"users", "correlations", "cloud_groups", "membership_rows"}

// countWrites has the cloud's own database note every row that is written to a
// record from now on, and returns a function that counts them.
func (w *world) countWrites() func() int {
	w.t.Helper()
	db, err := sql.Open("sqlite", "file:"+w.dir+"/cloud/ldap-cloud.db?_pragma=busy_timeout(5000)")
	must(w.t, err)
	w.t.Cleanup(func() { must(w.t, db.Close()) })
	run := func(format string, args ...any) {
		w.t.Helper()
		_, err := db.ExecContext(w.t.Context(), fmt.Sprintf(format, args...))
		must(w.t, err)
	}
	run(`CREATE TABLE written (what TEXT)`)
	for _, table := range counted {
		for _, how := range []string{"INSERT", "UPDATE", "DELETE"} {
			run(`CREATE TRIGGER count_%[1]s_%[2]s AFTER %[2]s ON %[1]s BEGIN INSERT INTO written VALUES ('%[2]s %[1]s'); END`, table, how)
		}
	}
	return func() (n int) {
		w.t.Helper()
		must(w.t, db.QueryRowContext(w.t.Context(), `SELECT count(*) FROM written`).Scan(&n))
		return n
	}
}

// TestNothingChangedWritesNoRow counts in the running cloud's database: nothing
// with updates on and nothing changed, nothing with updates off and much changed,
// and something as soon as there is something to write.
func TestNothingChangedWritesNoRow(t *testing.T) {
	w := newWorld(t, plan{update: true})
	w.mustSignOn("alice", "wonderland")
	written := w.countWrites()
	for range 3 {
		w.mustSignOn("alice", "wonderland")
	}
	if n := written(); n != 0 {
		t.Errorf("updates on, nothing changed: %d rows", n)
	}
	w.setUpdate(false)
	w.slapd.Modify(member("spare", "add", aliceDN))
	w.mustSignOn("alice", "wonderland")
	if n := written(); n != 0 {
		t.Errorf("updates off: %d rows", n)
	}
	w.setUpdate(true)
	w.mustSignOn("alice", "wonderland")
	if n := written(); n == 0 {
		t.Error("the count does not count")
	}
}
