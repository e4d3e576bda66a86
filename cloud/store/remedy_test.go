package store_test

import (
	"database/sql"
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"

	"ldap-gateway/cloud/store"
)

// What the engines say is told with what helps against it, and not what helps against something else.
func TestRemedies(t *testing.T) {
	file := filepath.Join(t.TempDir(), "a.db")
	ask := func(dsn string, statements ...string) (err error) {
		db, err := sql.Open("sqlite", dsn)
		must(t, err)
		db.SetMaxOpenConns(1)
		for _, s := range statements {
			if _, err = db.ExecContext(t.Context(), s); err != nil {
				break
			}
		}
		return errors.Join(err, db.Close())
	}
	const write = "INSERT INTO t VALUES (zeroblob(1000000))"
	must(t, ask(file, "CREATE TABLE t (b)"))
	for name, one := range map[string]struct {
		err  error
		want string
	}{
		"full":       {ask(file, "PRAGMA max_page_count=4", write), "make room on the disk"},
		"readonly":   {ask("file:"+file+"?mode=ro", write), "mounted for writing"},
		"cannotopen": {ask("file:"+filepath.Dir(file)+"?mode=rw", write), "mounted for writing"},
		"pgfull":     {&pgconn.PgError{Code: "53100"}, "disk of the PostgreSQL server"},
		"pgmany":     {&pgconn.PgError{Code: "53300"}, "max_connections"},
		"pgstandby":  {&pgconn.PgError{Code: "25006"}, "standby"},
		"pgstops":    {&pgconn.PgError{Code: "57P01"}, "PostgreSQL server runs"},
		"silent":     {store.ErrUnavailable, "answers"},
		"refused":    {ask(file, "no SQL"), ""},
		"pgrefused":  {&pgconn.PgError{Code: "23505"}, ""},
		"missing":    {store.ErrNotFound, ""},
	} {
		t.Run(name, func(t *testing.T) {
			if got := store.Remedy(one.err); one.err == nil || !strings.Contains(got, one.want) || one.want == "" && got != "" {
				t.Errorf("%v: %q", one.err, got)
			}
		})
	}
}
