package store

import (
	"context"
	"database/sql"
	"strings"

	"github.com/pressly/goose/v3"
)

// findable is the migration from which on people are found by any part of their names. What it makes
// differs by engine, and who is there already is put into it: a million users take some minutes.
func (s *Store) findable() *goose.Migration {
	return goose.NewGoMigration(26, &goose.GoFunc{RunTx: func(ctx context.Context, tx *sql.Tx) error {
		c := s.speak(tx)
		tables := postgresFound
		if c.fts {
			tables = sqliteFound
		}
		for statement := range strings.SplitSeq(tables, ";;") {
			if _, err := c.exec(ctx, statement); err != nil {
				return err
			}
		}
		return (&Tx{reader{c}, s.rows, s.each}).findEverybody(ctx)
	}}, nil)
}

// What people are found by, in either engine; statements are parted by two semicolons. The text itself is
// in the row of the user.
const (
	sqliteFound = `
		ALTER TABLE users ADD COLUMN found_by TEXT NOT NULL DEFAULT '';;
		CREATE TABLE user_texts (
			no             INTEGER PRIMARY KEY,
			environment_id TEXT NOT NULL,
			user_id        TEXT NOT NULL UNIQUE,
			FOREIGN KEY (environment_id, user_id) REFERENCES users (environment_id, id) ON DELETE CASCADE
		);;
		CREATE INDEX user_texts_user ON user_texts (environment_id, user_id);;
		CREATE VIRTUAL TABLE user_pieces USING fts5(
			pieces, content = '', contentless_delete = 1, detail = none, tokenize = ascii);;
		CREATE TRIGGER user_texts_gone AFTER DELETE ON user_texts BEGIN
			DELETE FROM user_pieces WHERE rowid = old.no;
		END`
	postgresFound = `
		ALTER TABLE users ADD COLUMN found_by TEXT NOT NULL DEFAULT '';;
		CREATE TABLE user_texts (
			environment_id TEXT NOT NULL,
			user_id        TEXT PRIMARY KEY,
			pieces         BIGINT[] NOT NULL,
			FOREIGN KEY (environment_id, user_id) REFERENCES users (environment_id, id) ON DELETE CASCADE
		);;
		CREATE INDEX user_texts_user ON user_texts (environment_id, user_id);;
		CREATE INDEX user_texts_pieces ON user_texts USING GIN (pieces)`
)

// findEverybody puts all users there are into what they are found by.
func (tx *Tx) findEverybody(ctx context.Context) error {
	for after := ""; ; {
		users, err := queryAll(ctx, tx.c, func(r row) (u User, err error) {
			err = r.Scan(
				&u.ID, &u.EnvironmentID, &u.Username, &u.GivenName, &u.FamilyName, &u.Email, fromJSON{&u.Attributes},
			)
			return u, err
		}, `
			SELECT id, environment_id, username, given_name, family_name, email, attributes
			FROM users
			WHERE id > $1
			ORDER BY id LIMIT 1000`, after)
		if err != nil || len(users) == 0 {
			return err
		}
		for _, u := range users {
			if _, err := tx.c.exec(ctx, `UPDATE users SET found_by = $1 WHERE id = $2`, u.foundBy(), u.ID); err != nil {
				return err
			}
			if err := tx.setFound(ctx, &u); err != nil {
				return err
			}
			after = u.ID
		}
	}
}
