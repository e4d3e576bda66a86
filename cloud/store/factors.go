package store

import (
	"context"
	"errors"
)

// PersonFactor returns the sealed secret of a user's one-time passwords, which
// open the console beside their account; nil when they have none.
func (r reader) PersonFactor(ctx context.Context, env, user string) (sealed []byte, err error) {
	sealed, err = queryOne(ctx, r.c, func(r row) (b []byte, err error) {
		err = r.Scan(fromBase64{&b})
		return b, err
	}, `SELECT totp FROM person_factors WHERE environment_id = $1 AND user_id = $2`, env, user)
	if errors.Is(err, ErrNotFound) {
		return nil, nil
	}
	return sealed, err
}

// SetPersonFactor keeps such a secret in the place of another; nil takes it away.
// ErrNotFound when there is no such user.
func (s *Store) SetPersonFactor(ctx context.Context, env, user string, sealed []byte) error {
	return s.Provision(ctx, func(tx *Tx) error {
		if sealed == nil {
			_, err := tx.c.exec(ctx, `DELETE FROM person_factors WHERE environment_id = $1 AND user_id = $2`, env, user)
			return err
		}
		// The foreign key tells a new row's environment from another; a row that is
		// there already must be asked.
		return tx.c.execOne(ctx, `
			INSERT INTO person_factors (user_id, environment_id, totp, totp_step)
			VALUES ($1, $2, $3, 0)
			ON CONFLICT (user_id) DO UPDATE
			SET totp = $3
			WHERE person_factors.environment_id = $2`,
			user, env, inBase64(sealed))
	})
}

// UsePersonOneTime remembers the time step of a user's one-time password. ErrUsed
// when that step or a later one was used; ErrNotFound when the user has none.
func (s *Store) UsePersonOneTime(ctx context.Context, env, user string, step int64) error {
	return s.Provision(ctx, func(tx *Tx) error {
		last, err := queryOne(ctx, tx.c, value[int64], `
			SELECT totp_step
			FROM person_factors
			WHERE environment_id = $1 AND user_id = $2`,
			env, user)
		if err != nil {
			return err
		}
		if step <= last {
			return ErrUsed
		}
		return tx.c.execOne(ctx, `UPDATE person_factors SET totp_step = $1 WHERE environment_id = $2 AND user_id = $3`,
			step, env, user)
	})
}
