package store

import (
	"context"
	"database/sql"

	"github.com/pressly/goose/v3"
)

// accents is the migration from which on people and groups are found without regard to accents, and lists have
// more orders. The columns of most are filled by one statement; who has a letter that is not of ASCII is gone
// through one by one. A million users take some minutes on PostgreSQL, which writes each row anew.
func (s *Store) accents() *goose.Migration {
	return goose.NewGoMigration(39, &goose.GoFunc{RunTx: func(ctx context.Context, tx *sql.Tx) error {
		c := s.speak(tx)
		for _, statement := range []string{
			`ALTER TABLE users ADD COLUMN name_folded TEXT NOT NULL DEFAULT ''`,
			`ALTER TABLE cloud_groups ADD COLUMN found_by TEXT NOT NULL DEFAULT ''`,
			`UPDATE users SET name_folded = lower(trim(family_name || ' ' || given_name))
				WHERE family_name <> '' OR given_name <> ''`,
			`UPDATE cloud_groups SET found_by = display_folded || '
' || search_key`,
		} {
			if _, err := c.exec(ctx, statement); err != nil {
				return err
			}
		}
		t := &Tx{reader{c}, s.rows, s.each}
		if err := t.foldUsers(ctx); err != nil {
			return err
		}
		if err := t.foldGroups(ctx); err != nil {
			return err
		}
		for _, statement := range []string{
			`CREATE INDEX users_name ON users (environment_id, name_folded, id)`,
			`CREATE INDEX groups_changed ON cloud_groups (environment_id, updated_at, id)`,
		} {
			if _, err := c.exec(ctx, statement); err != nil {
				return err
			}
		}
		return nil
	}}, nil)
}

// foldUsers takes the accents off what users are found by.
func (tx *Tx) foldUsers(ctx context.Context) error {
	return everyPart(func(after string) (last string, err error) {
		users, err := queryAll(ctx, tx.c, func(r row) (u User, err error) {
			err = r.Scan(
				&u.ID, &u.EnvironmentID, &u.Username, &u.GivenName, &u.FamilyName, &u.Email, fromJSON{&u.Attributes},
			)
			return u, err
		}, `
			SELECT id, environment_id, username, given_name, family_name, email, attributes
			FROM users
			WHERE id > $1 AND octet_length(found_by || name_folded) <> length(found_by || name_folded)
			ORDER BY id LIMIT 1000`, after)
		for _, u := range users {
			last = u.ID
			if err == nil {
				_, err = tx.c.exec(ctx, `UPDATE users SET found_by = $1, name_folded = $2 WHERE id = $3`,
					u.foundBy(), u.nameKey(), u.ID)
			}
			if err == nil {
				err = tx.changeFound(ctx, &u)
			}
		}
		return last, err
	})
}

// foldGroups is foldUsers of groups.
func (tx *Tx) foldGroups(ctx context.Context) error {
	return everyPart(func(after string) (last string, err error) {
		groups, err := queryAll(ctx, tx.c, func(r row) (g Group, err error) {
			err = r.Scan(&g.ID, &g.Name, &g.DisplayName)
			return g, err
		}, `
			SELECT id, name, display_name
			FROM cloud_groups
			WHERE id > $1 AND octet_length(found_by) <> length(found_by)
			ORDER BY id LIMIT 1000`, after)
		for _, g := range groups {
			last = g.ID
			if err == nil {
				_, err = tx.c.exec(ctx, `UPDATE cloud_groups SET found_by = $1 WHERE id = $2`, g.foundBy(), g.ID)
			}
		}
		return last, err
	})
}

// everyPart calls part with where the one before ended, until there is none.
func everyPart(part func(after string) (last string, err error)) error {
	for after := ""; ; {
		last, err := part(after)
		if err != nil || last == "" {
			return err
		}
		after = last
	}
}
