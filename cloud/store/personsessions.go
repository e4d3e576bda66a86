package store

import (
	"context"
	"errors"
	"time"
)

// PersonSession is where somebody is signed on: a browser, for an environment. What the browser holds names
// it, and is worth nothing when it is gone.
type PersonSession struct {
	ID, EnvironmentID string
	SignedOn          SignedOn
	SignOffs          int // of the user when it began
	Address, Browser  string
	BeganAt           time.Time
	ExpiresAt         time.Time
}

// MostPersonSessions is how many of somebody's sessions are listed.
const MostPersonSessions = 50

const personSessionColumns = `
	SELECT id, environment_id, signed_on, sign_offs, address, browser, began_at, expires_at
	FROM person_sessions`

func scanPersonSession(r row) (s PersonSession, err error) {
	err = r.Scan(
		&s.ID,
		&s.EnvironmentID,
		fromJSON{&s.SignedOn},
		&s.SignOffs,
		&s.Address,
		&s.Browser,
		at{&s.BeganAt},
		at{&s.ExpiresAt},
	)
	return s, err
}

// AddPersonSession adds s, in the place of the one with the ID former, if that is somebody's of its
// environment, and fills in its ID and when it began. It forgets some
// of those that have expired.
func (s *Store) AddPersonSession(ctx context.Context, one *PersonSession, former string) error {
	return s.ProvisionIn(ctx, one.EnvironmentID, func(tx *Tx) error {
		if err := newID(&one.ID); err != nil {
			return err
		}
		stamp(&one.BeganAt)
		if err := tx.forgetExpired(ctx, "person_sessions", one.EnvironmentID, now()); err != nil {
			return err
		}
		if former != "" {
			if _, err := tx.c.exec(ctx, `DELETE FROM person_sessions WHERE environment_id = $1 AND id = $2`,
				one.EnvironmentID, former); err != nil {
				return err
			}
		}
		_, err := tx.c.exec(ctx, `
			INSERT INTO person_sessions (id, environment_id, user_id, signed_on, sign_offs, address, browser,
				began_at, expires_at)
			VALUES `+placeholders(1, 1, 9),
			one.ID,
			one.EnvironmentID,
			one.SignedOn.UserID,
			inJSON(one.SignedOn),
			one.SignOffs,
			one.Address,
			one.Browser,
			micros(one.BeganAt),
			micros(one.ExpiresAt),
		)
		return err
	})
}

// PersonSessions lists the sessions of a user that have not ended, the newest first, at most
// MostPersonSessions.
func (r reader) PersonSessions(ctx context.Context, u User) ([]PersonSession, error) {
	return queryAll(ctx, r.c, scanPersonSession, personSessionColumns+`
		WHERE environment_id = $1 AND user_id = $2 AND sign_offs = $3 AND expires_at > $4
		ORDER BY began_at DESC, id DESC LIMIT $5`,
		u.EnvironmentID, u.ID, u.SignOffs, micros(now()), MostPersonSessions)
}

// HasPersonSession tells whether a session has not ended.
func (r reader) HasPersonSession(ctx context.Context, env, id string) (bool, error) {
	_, err := queryOne(ctx, r.c, value[string], `
		SELECT id FROM person_sessions
		WHERE id = $1 AND environment_id = $2 AND expires_at > $3`, id, env, micros(now()))
	if errors.Is(err, ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

// EndPersonSession ends a session of a user, wherever it is; ErrNotFound when there is none.
func (s *Store) EndPersonSession(ctx context.Context, env, user, id string) error {
	return s.ProvisionIn(ctx, env, func(tx *Tx) error {
		return tx.c.execOne(ctx, `DELETE FROM person_sessions WHERE environment_id = $1 AND user_id = $2 AND id = $3`,
			env, user, id)
	})
}
