package store

import (
	"context"
	"errors"
	"time"
)

// Factor is what somebody has proven beside the first proof of who they are.
type Factor string

// The factors that there are.
const (
	FactorOneTime  Factor = "otp"      // a one-time password
	FactorHardware Factor = "hwk"      // a passkey that cannot leave its device
	FactorSoftware Factor = "swk"      // a passkey that can
	FactorRecovery Factor = "recovery" // a recovery code
	FactorProvider Factor = "idp"      // what an identity provider asked for that is trusted with it
)

// PersonFactors is what a user has to prove who they are beside the first proof.
type PersonFactors struct {
	OneTime  []byte // sealed secret of one-time passwords; nil: none
	Passkeys []Passkey
	Recovery RecoveryCodes
}

// Any tells whether there is a factor; recovery codes only stand in for one.
func (f PersonFactors) Any() bool { return len(f.OneTime) > 0 || len(f.Passkeys) > 0 }

// PersonFactors returns all that a user has.
func (r reader) PersonFactors(ctx context.Context, env, user string) (f PersonFactors, err error) {
	if f.OneTime, err = r.PersonFactor(ctx, env, user); err != nil {
		return f, err
	}
	if f.Passkeys, err = r.PersonPasskeys(ctx, env, user); err != nil {
		return f, err
	}
	f.Recovery, err = r.PersonRecoveryCodes(ctx, env, user)
	return f, err
}

// PersonFactor returns the sealed secret of a user's one-time passwords; nil when they have none.
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

// SetPersonFactor keeps such a secret in the place of another; nil takes it away, and recovery
// codes with the last factor. ErrNotFound when there is no such user.
func (s *Store) SetPersonFactor(ctx context.Context, env, user string, sealed []byte) error {
	return s.Provision(ctx, func(tx *Tx) error {
		if sealed == nil {
			if err := tx.deleteOf(ctx, "person_factors", env, user); err != nil {
				return err
			}
			return tx.dropPersonRecovery(ctx, env, user)
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

// ForgetPersonFactors takes away all that a user has, as when it is lost: the next sign-on that asks
// for a second factor has them set up another.
func (s *Store) ForgetPersonFactors(ctx context.Context, env, user string) error {
	return s.Provision(ctx, func(tx *Tx) error {
		for _, table := range []string{"person_factors", "person_passkeys", "person_recovery_codes"} {
			if err := tx.deleteOf(ctx, table, env, user); err != nil {
				return err
			}
		}
		return nil
	})
}

// deleteOf deletes what a user has in a table.
func (tx *Tx) deleteOf(ctx context.Context, table, env, user string) error {
	_, err := tx.c.exec(ctx, `DELETE FROM `+table+` WHERE environment_id = $1 AND user_id = $2`, env, user)
	return err
}

// dropPersonRecovery takes the recovery codes of a user away who has no factor any more that they
// stand in for.
func (tx *Tx) dropPersonRecovery(ctx context.Context, env, user string) error {
	f, err := tx.PersonFactors(ctx, env, user)
	if err != nil || f.Any() {
		return err
	}
	return tx.deleteOf(ctx, "person_recovery_codes", env, user)
}

// PersonRecoveryCodes returns how many codes a user has; none of one who never made any.
func (r reader) PersonRecoveryCodes(ctx context.Context, env, user string) (RecoveryCodes, error) {
	return queryOne(ctx, r.c, scanRecoveryCodes, `
		SELECT count(*), coalesce(sum(CASE WHEN used_at = 0 THEN 1 ELSE 0 END), 0)
		FROM person_recovery_codes
		WHERE environment_id = $1 AND user_id = $2`,
		env, user)
}

// SetPersonRecoveryCodes keeps the hashes of new codes in the place of those of before. ErrNotFound
// when there is no such user.
func (s *Store) SetPersonRecoveryCodes(ctx context.Context, env, user string, hashes [][]byte) error {
	return s.Provision(ctx, func(tx *Tx) error {
		if err := tx.deleteOf(ctx, "person_recovery_codes", env, user); err != nil {
			return err
		}
		for _, hash := range hashes {
			_, err := tx.c.exec(ctx, `
				INSERT INTO person_recovery_codes (environment_id, user_id, code_hash, used_at)
				VALUES ($1, $2, $3, 0)`,
				env, user, inBase64(hash))
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// UsePersonRecoveryCode uses the code with that hash up, over all nodes. ErrNotFound when it is
// none of that user's, or was used before.
func (s *Store) UsePersonRecoveryCode(ctx context.Context, env, user string, hash []byte, now time.Time) error {
	return s.Provision(ctx, func(tx *Tx) error {
		return tx.c.execOne(ctx, `
			UPDATE person_recovery_codes
			SET used_at = $1
			WHERE environment_id = $2 AND user_id = $3 AND code_hash = $4 AND used_at = 0`,
			micros(now), env, user, inBase64(hash))
	})
}
