package store

import "context"

const passkeyColumns = `
	SELECT id, environment_id, administrator_id, '', name, credential, created_at, used_at
	FROM passkeys`

// scanPasskey reads the credential as the library of WebAuthn keeps it, public key and
// counter in it.
func scanPasskey(r row) (p Passkey, err error) {
	err = r.Scan(
		&p.ID,
		&p.EnvironmentID,
		&p.AdministratorID,
		&p.UserID,
		&p.Name,
		fromBase64{&p.Credential},
		at{&p.CreatedAt},
		at{&p.UsedAt},
	)
	return p, err
}

// Passkeys returns those of an administrator, the oldest first.
func (r reader) Passkeys(ctx context.Context, administrator string) ([]Passkey, error) {
	return queryAll(ctx, r.c, scanPasskey, passkeyColumns+` WHERE administrator_id = $1 ORDER BY created_at, id`,
		administrator)
}

// Passkey returns the one whose credential has that ID, or ErrNotFound.
func (r reader) Passkey(ctx context.Context, id string) (Passkey, error) {
	return queryOne(ctx, r.c, scanPasskey, passkeyColumns+` WHERE id = $1`, id)
}

// AddPasskey adds p. ErrConflict when its ID is known already, of whomever.
func (s *Store) AddPasskey(ctx context.Context, p *Passkey) error {
	return s.Provision(ctx, func(tx *Tx) error {
		stamp(&p.CreatedAt)
		_, err := tx.c.exec(ctx, `
			INSERT INTO passkeys (id, environment_id, administrator_id, name, credential, created_at, used_at)
			VALUES ($1, $2, $3, $4, $5, $6, $7)`,
			p.ID,
			p.EnvironmentID,
			p.AdministratorID,
			p.Name,
			inBase64(p.Credential),
			micros(p.CreatedAt),
			micros(p.UsedAt),
		)
		return err
	})
}

// UpdatePasskey writes the credential of p and when it was used.
// The counter in the credential grows with each use (WebAuthn section 6.1.1); that two
// use one at once costs no more than an older counter.
func (s *Store) UpdatePasskey(ctx context.Context, p *Passkey) error {
	return s.Provision(ctx, func(tx *Tx) error {
		return tx.c.execOne(ctx, `UPDATE passkeys SET credential = $1, used_at = $2 WHERE id = $3 AND administrator_id = $4`,
			inBase64(p.Credential), micros(p.UsedAt), p.ID, p.AdministratorID)
	})
}

// DeletePasskey removes one of an administrator's passkeys; ErrNotFound when
// it has no such.
func (s *Store) DeletePasskey(ctx context.Context, administrator, id string) error {
	return s.Provision(ctx, func(tx *Tx) error {
		return tx.c.execOne(ctx, `DELETE FROM passkeys WHERE administrator_id = $1 AND id = $2`, administrator, id)
	})
}
