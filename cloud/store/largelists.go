package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/pressly/goose/v3"
)

// Memberships of a large list are written ahead of the turn that makes them true, some in each turn, so
// that nobody waits for thousands of rows. Each row names the list that brings it and the one that takes
// it away; the view that everything reads leaves out what a list brings that has not come yet, and what
// one takes that has. So one row more or less changes thousands of memberships at once.
const (
	// MembershipsAtOnce is how many memberships one turn writes.
	MembershipsAtOnce = 500
	// largeListLasts is for how long a list may be written: one that has not come then never will.
	largeListLasts = 2 * time.Minute
)

// LargeList is what a sign-on changes of one person's memberships, being written ahead.
type LargeList struct {
	s         *Store
	id        int64
	env, user string
}

// shown is the condition that a row is a membership.
const shown = `came NOT IN (SELECT id FROM lists_coming) AND goes NOT IN (SELECT id FROM lists_gone)`

// largeLists is the migration that memberships are shown by. SQLite keeps the rows by user and group alone
// from then on, without a number each; a million take some seconds.
func (s *Store) largeLists() *goose.Migration {
	return goose.NewGoMigration(36, &goose.GoFunc{RunTx: func(ctx context.Context, tx *sql.Tx) error {
		rows := postgresRows
		if s.c.fts {
			rows = sqliteRows
		}
		for statement := range strings.SplitSeq(rows+shownTables, ";") {
			if _, err := tx.ExecContext(ctx, statement); err != nil {
				return err
			}
		}
		return nil
	}}, nil)
}

// The rows of memberships: those of a large list are there before the user whom it makes, and those of a group
// or user that goes after it, so that no foreign key holds them.
const (
	sqliteRows = `
		CREATE TABLE membership_rows (
			environment_id TEXT NOT NULL,
			user_id        TEXT NOT NULL,
			group_id       TEXT NOT NULL,
			since          BIGINT NOT NULL,
			stamp          TEXT NOT NULL DEFAULT '',
			doubt          TEXT NOT NULL DEFAULT '',
			doubted_at     BIGINT NOT NULL DEFAULT 0,
			came           BIGINT NOT NULL DEFAULT 0,
			goes           BIGINT NOT NULL DEFAULT 0,
			PRIMARY KEY (user_id, group_id)
		) WITHOUT ROWID;
		INSERT INTO membership_rows (environment_id, user_id, group_id, since, stamp, doubt, doubted_at)
		SELECT environment_id, user_id, group_id, since, stamp, doubt, doubted_at
		FROM memberships
		ORDER BY user_id, group_id;
		DROP TABLE memberships;`
	postgresRows = `
		ALTER TABLE memberships RENAME TO membership_rows;
		ALTER TABLE membership_rows ADD COLUMN came BIGINT NOT NULL DEFAULT 0;
		ALTER TABLE membership_rows ADD COLUMN goes BIGINT NOT NULL DEFAULT 0;
		ALTER TABLE membership_rows DROP CONSTRAINT memberships_environment_id_user_id_fkey;
		ALTER TABLE membership_rows DROP CONSTRAINT memberships_environment_id_group_id_fkey;
		DROP INDEX memberships_doubt;
		DROP INDEX memberships_group;`
	shownTables = `
		CREATE INDEX memberships_group ON membership_rows (group_id, user_id, environment_id, came, goes);
		CREATE INDEX memberships_doubt ON membership_rows (environment_id, group_id) WHERE doubt <> '';
		CREATE TABLE lists_coming (
			id             BIGINT NOT NULL PRIMARY KEY,
			environment_id TEXT NOT NULL REFERENCES environments (id),
			user_id        TEXT NOT NULL UNIQUE,
			begun          BIGINT NOT NULL
		);
		CREATE TABLE lists_gone (
			id             BIGINT NOT NULL PRIMARY KEY,
			environment_id TEXT NOT NULL REFERENCES environments (id),
			user_id        TEXT NOT NULL
		);
		CREATE INDEX lists_coming_environment ON lists_coming (environment_id);
		CREATE INDEX lists_gone_environment ON lists_gone (environment_id);
		CREATE VIEW memberships AS
		SELECT environment_id, user_id, group_id, since, stamp, doubt, doubted_at
		FROM membership_rows
		WHERE ` + shown
)

// BeginLargeList is before the memberships of a large list are written. ErrConflict while another of the
// same person is.
func (s *Store) BeginLargeList(ctx context.Context, env, user string) (*LargeList, error) {
	l := &LargeList{s: s, id: rand.Int64N(1<<62) + 1, env: env, user: user}
	late := micros(now().Add(-largeListLasts))
	if err := s.endAll(ctx, `lists_coming WHERE user_id = $1 AND begun < $2`, user, late); err != nil {
		return nil, err
	}
	return l, s.ProvisionIn(ctx, env, func(tx *Tx) error {
		_, err := tx.c.exec(ctx, `INSERT INTO lists_coming (id, environment_id, user_id, begun) VALUES ($1, $2, $3, $4)`,
			l.id, env, user, micros(now()))
		return err
	})
}

// turn writes some of a list. ErrStale when it was given up meanwhile: what was written of it then would be
// seen at once.
func (l *LargeList) turn(ctx context.Context, write func(tx *Tx) error) error {
	return l.s.ProvisionIn(ctx, l.env, func(tx *Tx) error {
		_, err := queryOne(ctx, tx.c, value[int64], `SELECT id FROM lists_coming WHERE id = $1`, l.id)
		if errors.Is(err, ErrNotFound) {
			return fmt.Errorf("%w: the list was given up", ErrStale)
		}
		if err != nil {
			return err
		}
		return write(tx)
	})
}

// Join writes the memberships of groups that the user is to join. ErrConflict when the user is in one of
// them already; ErrNotFound when there is no such group; ErrStale when the list was given up meanwhile.
func (l *LargeList) Join(ctx context.Context, groups []Joined, at time.Time) error {
	for some := range slices.Chunk(groups, MembershipsAtOnce) {
		if err := l.turn(ctx, func(tx *Tx) error {
			return tx.addMemberships(ctx, l.env, l.user, some, at, l.id)
		}); err != nil {
			return err
		}
	}
	return nil
}

// Leave marks the memberships of groups that the user is to leave. ErrStale is as in Join.
func (l *LargeList) Leave(ctx context.Context, groups []string) error {
	for some := range slices.Chunk(groups, MembershipsAtOnce) {
		if err := l.turn(ctx, func(tx *Tx) error {
			_, err := tx.c.exec(ctx, `
				UPDATE membership_rows
				SET goes = $1
				WHERE user_id = $2 AND environment_id = $3 AND group_id `+tx.c.among("$4")+` AND `+shown,
				l.id, l.user, l.env, tx.c.texts(some))
			return err
		}); err != nil {
			return err
		}
	}
	return nil
}

// Come makes true what was written of a list. ErrStale when it was given up meanwhile.
func (tx *Tx) Come(ctx context.Context, l *LargeList) error {
	err := tx.c.execOne(ctx, `DELETE FROM lists_coming WHERE id = $1`, l.id)
	if errors.Is(err, ErrNotFound) {
		return fmt.Errorf("%w: the list was given up", ErrStale)
	}
	if err != nil {
		return err
	}
	_, err = tx.c.exec(ctx, `INSERT INTO lists_gone (id, environment_id, user_id) VALUES ($1, $2, $3)`,
		l.id, l.env, l.user)
	return err
}

// End deletes, in turns, what nobody sees any more: of a list that has come what it took, and of one that
// has not what it brought. What it leaves when it fails goes with the next sweep.
func (l *LargeList) End(ctx context.Context) error {
	if err := l.s.Recount(ctx); err != nil {
		return err
	}
	for more := true; more; {
		err := l.s.ProvisionIn(ctx, l.env, func(tx *Tx) (err error) {
			more, err = tx.endSome(ctx, l)
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// endSome deletes some rows of a list, and the list with the last.
func (tx *Tx) endSome(ctx context.Context, l *LargeList) (more bool, err error) {
	const (
		hidden = `came = $2 AND came IN (SELECT id FROM lists_coming) OR goes = $2 AND goes IN (SELECT id FROM lists_gone)`
		some   = ` WHERE user_id = $1 AND group_id IN (SELECT group_id FROM membership_rows WHERE user_id = $1 AND `
	)
	for _, write := range []string{
		`DELETE FROM membership_rows` + some + `(` + hidden + `) LIMIT $3)`,
		`UPDATE membership_rows SET goes = 0` + some + `goes = $2 LIMIT $3)`,
	} {
		n, err := tx.c.exec(ctx, write, l.user, l.id, MembershipsAtOnce)
		if err != nil || n == MembershipsAtOnce {
			return true, err
		}
	}
	for _, table := range []string{"lists_coming", "lists_gone"} {
		_, err := tx.c.exec(ctx, `DELETE FROM `+table+` WHERE id = $1`, l.id)
		if err != nil {
			return false, err
		}
	}
	return false, nil
}

// endLists ends the lists that have come, and those that were begun before a time and have not.
func (s *Store) endLists(ctx context.Context, before time.Time) error {
	return errors.Join(
		s.endAll(ctx, `lists_coming WHERE begun < $1`, micros(before)),
		s.endAll(ctx, `lists_gone`),
	)
}

// endAll ends the lists that are found so.
func (s *Store) endAll(ctx context.Context, found string, args ...any) error {
	all, err := queryAll(ctx, s.c, func(r row) (l LargeList, err error) {
		err = r.Scan(&l.id, &l.env, &l.user)
		return l, err
	}, `SELECT id, environment_id, user_id FROM `+found+` ORDER BY id LIMIT 1000`, args...)
	for _, l := range all {
		l.s = s
		err = errors.Join(err, l.End(ctx))
	}
	return err
}
