package store

import "context"

const personPasskeyColumns = `
	SELECT id, environment_id, '', user_id, name, credential, created_at, used_at
	FROM person_passkeys`

// PersonPasskeys returns those of a user, the oldest first.
func (r reader) PersonPasskeys(ctx context.Context, env, user string) ([]Passkey, error) {
	return queryAll(ctx, r.c, scanPasskey, personPasskeyColumns+`
		WHERE environment_id = $1 AND user_id = $2
		ORDER BY created_at, id LIMIT $3`, env, user, MostPersonPasskeys+1)
}

// MostPersonPasskeys is how many passkeys a user has at most.
const MostPersonPasskeys = 10

// AddPersonPasskey adds p. ErrConflict when its ID is known already, of whomever, or its user has
// MostPersonPasskeys; ErrNotFound when there is no such user.
func (s *Store) AddPersonPasskey(ctx context.Context, p *Passkey) error {
	return s.Provision(ctx, func(tx *Tx) error {
		have, err := tx.PersonPasskeys(ctx, p.EnvironmentID, p.UserID)
		if err != nil {
			return err
		}
		if len(have) >= MostPersonPasskeys {
			return ErrConflict
		}
		stamp(&p.CreatedAt)
		_, err = tx.c.exec(ctx, `
			INSERT INTO person_passkeys (id, environment_id, user_id, name, credential, created_at, used_at)
			VALUES ($1, $2, $3, $4, $5, $6, $7)`,
			p.ID,
			p.EnvironmentID,
			p.UserID,
			p.Name,
			inBase64(p.Credential),
			micros(p.CreatedAt),
			micros(p.UsedAt),
		)
		return err
	})
}

// UpdatePersonPasskey is UpdatePasskey for one of a user.
func (s *Store) UpdatePersonPasskey(ctx context.Context, p *Passkey) error {
	return s.Provision(ctx, func(tx *Tx) error {
		return tx.c.execOne(ctx, `
			UPDATE person_passkeys
			SET credential = $1, used_at = $2
			WHERE id = $3 AND environment_id = $4 AND user_id = $5`,
			inBase64(p.Credential), micros(p.UsedAt), p.ID, p.EnvironmentID, p.UserID)
	})
}

// DeletePersonPasskey removes one of a user's passkeys, and recovery codes with the last factor;
// ErrNotFound when there is no such.
func (s *Store) DeletePersonPasskey(ctx context.Context, env, user, id string) error {
	return s.Provision(ctx, func(tx *Tx) error {
		err := tx.c.execOne(ctx, `DELETE FROM person_passkeys WHERE environment_id = $1 AND user_id = $2 AND id = $3`,
			env, user, id)
		if err != nil {
			return err
		}
		return tx.dropPersonRecovery(ctx, env, user)
	})
}
