package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
)

var (
	// ErrPostgres says that PostgreSQL's own tools do this.
	ErrPostgres = errors.New("a PostgreSQL database is backed up by its own tools, such as pg_dump")
	// ErrDamaged says that a file is no database of this program, or not whole.
	ErrDamaged = errors.New("the file is damaged, or no database of this program")
)

// Backup writes a copy of an SQLite database into a new file, for its owner only.
// The copy is of one moment, also while a program serves from the database. The
// error wraps fs.ErrExist when the file is there already.
func Backup(ctx context.Context, database, to string) (err error) {
	if IsPostgres(database) {
		return ErrPostgres
	}
	f, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("backup: %w", err)
	}
	defer func() {
		if err = errors.Join(err, f.Close()); err != nil {
			err = errors.Join(fmt.Errorf("backup: %w", err), os.Remove(to))
		}
	}()
	path := (&url.URL{Path: filepath.ToSlash(database)}).EscapedPath()
	db, err := sql.Open("sqlite", "file:"+path+"?mode=ro&_pragma=busy_timeout(5000)")
	if err != nil {
		return err
	}
	defer db.Close()
	if _, err := db.ExecContext(ctx, `VACUUM INTO ?1`, to); err != nil {
		return err
	}
	return f.Sync()
}

// Whole looks whether a copy, as Backup wrote it, can be opened and is not damaged:
// ErrDamaged when it cannot be restored from. It changes nothing.
func Whole(ctx context.Context, file string) (err error) {
	path := (&url.URL{Path: filepath.ToSlash(file)}).EscapedPath()
	db, err := sql.Open("sqlite", "file:"+path+"?mode=ro&immutable=1")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if err := isWhole(ctx, db); err != nil {
		return err
	}
	var environments int
	if err := db.QueryRowContext(ctx, `SELECT count(*) FROM environments`).Scan(&environments); err != nil {
		return fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	return nil
}

// isWhole has SQLite look at every page.
func isWhole(ctx context.Context, db *sql.DB) error {
	var verdict string
	err := db.QueryRowContext(ctx, `PRAGMA integrity_check`).Scan(&verdict)
	switch {
	case err != nil:
		return fmt.Errorf("%w: %w", ErrDamaged, err)
	case verdict != "ok":
		return fmt.Errorf("%w: %s", ErrDamaged, strings.Join(strings.Fields(verdict), " "))
	}
	return nil
}

// Restored makes a copy of a database, as Backup wrote it, fit to be served from:
// it looks whether the copy is whole, brings its tables up to date, and forgets
// sessions and tokens. ErrDamaged when the copy is not whole.
func Restored(ctx context.Context, database string) (err error) {
	s, err := openFile(database)
	if err != nil {
		return fmt.Errorf("restore: %w", err)
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	if err := isWhole(ctx, s.w); err != nil {
		return err
	}
	if err := sqliteProduct().migrate(ctx, s); err != nil {
		return fmt.Errorf("restore: %w", err)
	}
	return s.ForgetSessions(ctx)
}

// ForgetSessions ends every session and makes every token worthless, of all
// environments: after a database has been put back, those that were ended since the copy
// would be good again.
func (s *Store) ForgetSessions(ctx context.Context) error {
	return s.Provision(ctx, func(tx *Tx) error {
		for _, statement := range []string{
			`DELETE FROM sessions`,
			`DELETE FROM person_sessions`,
			`DELETE FROM tokens`,
			`DELETE FROM application_tokens`,
			`DELETE FROM authorizations`,
		} {
			if _, err := tx.c.exec(ctx, statement); err != nil {
				return err
			}
		}
		return nil
	})
}
