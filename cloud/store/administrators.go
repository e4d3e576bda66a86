package store

import (
	"cmp"
	"context"
	"crypto/subtle"
	"time"
)

const administratorColumns = `
	SELECT id, environment_id, name, role, password_hash, setup_hash, setup_until, totp, created_at
	FROM administrators`

// scanAdministrator leaves totp_step out: which one-time passwords were used is asked
// and told within one transaction, and nowhere else.
func scanAdministrator(r row) (a Administrator, err error) {
	err = r.Scan(
		&a.ID,
		&a.EnvironmentID,
		&a.Name,
		&a.Role,
		&a.PasswordHash,
		fromBase64{&a.SetupHash},
		at{&a.SetupUntil},
		fromBase64{&a.TOTP},
		at{&a.CreatedAt},
	)
	return a, err
}

// CreateAdministrator adds a and fills in its ID and time; without a role it is
// an owner. ErrConflict when the name is taken, in any environment: an
// administrator signs in by name alone.
// The name is unique in the whole cloud and not only in the environment, for it is
// typed before anybody knows which environment it is for.
func (s *Store) CreateAdministrator(ctx context.Context, a *Administrator) error {
	return s.Provision(ctx, func(tx *Tx) error {
		if err := newID(&a.ID); err != nil {
			return err
		}
		stamp(&a.CreatedAt)
		a.Role = cmp.Or(a.Role, RoleOwner)
		_, err := tx.c.exec(ctx, `
			INSERT INTO administrators (id, environment_id, name, name_folded, role, password_hash, setup_hash,
				setup_until, totp, created_at)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
			a.ID,
			a.EnvironmentID,
			a.Name,
			Fold(a.Name),
			a.Role,
			a.PasswordHash,
			inBase64(a.SetupHash),
			micros(a.SetupUntil),
			inBase64(a.TOTP),
			micros(a.CreatedAt),
		)
		return err
	})
}

// Administrator returns the one of that name, without regard to case, or ErrNotFound.
func (r reader) Administrator(ctx context.Context, name string) (Administrator, error) {
	return queryOne(ctx, r.c, scanAdministrator, administratorColumns+` WHERE name_folded = $1`, Fold(name))
}

// AdministratorByID returns an administrator of an environment, or ErrNotFound.
func (r reader) AdministratorByID(ctx context.Context, env, id string) (Administrator, error) {
	return queryOne(ctx, r.c, scanAdministrator, administratorColumns+` WHERE environment_id = $1 AND id = $2`, env, id)
}

// FirstAdministrator returns one of any environment who has set a password; while nobody has,
// the oldest.
func (r reader) FirstAdministrator(ctx context.Context) (Administrator, error) {
	return queryOne(ctx, r.c, scanAdministrator, administratorColumns+`
		ORDER BY password_hash = '', created_at, id LIMIT 1`)
}

// Administrators returns those of an environment by name, at most MaxLimit.
func (r reader) Administrators(ctx context.Context, env string) ([]Administrator, error) {
	return queryAll(ctx, r.c, scanAdministrator, administratorColumns+`
		WHERE environment_id = $1
		ORDER BY name_folded LIMIT $2`,
		env, MaxLimit)
}

// UpdateAdministrator writes the name, the role and the hashes of a.
// ErrLastOwner when no owner would be left.
func (s *Store) UpdateAdministrator(ctx context.Context, a *Administrator) error {
	return s.Provision(ctx, func(tx *Tx) error {
		if err := tx.updateAdministrator(ctx, *a); err != nil {
			return err
		}
		return tx.needOwner(ctx, a.EnvironmentID)
	})
}

// updateAdministrator writes without looking whether an owner is left: who sets up a
// first password takes no role away. ErrNotFound when there is none.
func (tx *Tx) updateAdministrator(ctx context.Context, a Administrator) error {
	return tx.c.execOne(ctx, `
		UPDATE administrators
		SET name = $1, name_folded = $2, role = $3, password_hash = $4, setup_hash = $5, setup_until = $6,
			totp = $7
		WHERE environment_id = $8 AND id = $9`,
		a.Name,
		Fold(a.Name),
		a.Role,
		a.PasswordHash,
		inBase64(a.SetupHash),
		micros(a.SetupUntil),
		inBase64(a.TOTP),
		a.EnvironmentID,
		a.ID,
	)
}

// needOwner returns ErrLastOwner when an environment has no owner.
// It counts after the write, in the same transaction, so that of two owners who take
// each other's role away at once the second is refused.
func (tx *Tx) needOwner(ctx context.Context, env string) error {
	n, err := queryOne(ctx, tx.c, value[int], `
		SELECT count(*)
		FROM administrators
		WHERE environment_id = $1 AND role = $2`,
		env, RoleOwner)
	if err == nil && n == 0 {
		return ErrLastOwner
	}
	return err
}

// DeleteAdministrator removes one with its passkeys. ErrNotFound when there is
// none, ErrLastOwner when no owner would be left.
func (s *Store) DeleteAdministrator(ctx context.Context, env, id string) error {
	return s.Provision(ctx, func(tx *Tx) error {
		if err := tx.c.execOne(ctx, `DELETE FROM administrators WHERE environment_id = $1 AND id = $2`, env, id); err != nil {
			return err
		}
		return tx.needOwner(ctx, env)
	})
}

// ResetAdministrator takes an administrator's password, one-time passwords, passkeys and
// recovery codes away, and puts the hash of a set-up secret in their place, which is good
// until then. ErrNotFound when there is none.
func (s *Store) ResetAdministrator(ctx context.Context, env, id string, setupHash []byte, until time.Time) error {
	return s.Provision(ctx, func(tx *Tx) error {
		for _, table := range []string{"passkeys", "recovery_codes"} {
			if _, err := tx.c.exec(ctx, `DELETE FROM `+table+` WHERE administrator_id = $1`, id); err != nil {
				return err
			}
		}
		return tx.c.execOne(ctx, `
			UPDATE administrators
			SET password_hash = '', totp = '', setup_hash = $1, setup_until = $2
			WHERE environment_id = $3 AND id = $4`,
			inBase64(setupHash), micros(until), env, id)
	})
}

// SetUpAdministrator puts a password's hash in the place of the set-up secret
// with that hash, once. It returns ErrNotFound when the secret is not that
// administrator's, or not any more.
func (s *Store) SetUpAdministrator(
	ctx context.Context, name string, setupHash []byte, now time.Time, passwordHash string,
) (a Administrator, err error) {
	err = s.Provision(ctx, func(tx *Tx) error {
		if a, err = tx.Administrator(ctx, name); err != nil {
			return err
		}
		if len(a.SetupHash) == 0 || subtle.ConstantTimeCompare(setupHash, a.SetupHash) != 1 {
			return ErrNotFound
		}
		if !a.SetupUntil.IsZero() && !now.Before(a.SetupUntil) {
			return ErrNotFound
		}
		a.PasswordHash, a.SetupHash, a.SetupUntil = passwordHash, nil, time.Time{}
		return tx.updateAdministrator(ctx, a)
	})
	return a, err
}

// UseOneTimePassword remembers the time step of a one-time password. ErrUsed
// when that step or a later one was used (RFC 6238 section 5.2).
// That holds over all nodes: of two who saw one code over somebody's shoulder, and use
// it at once, one comes in.
func (s *Store) UseOneTimePassword(ctx context.Context, env, id string, step int64) error {
	return s.Provision(ctx, func(tx *Tx) error {
		last, err := queryOne(ctx, tx.c, value[int64], `
			SELECT totp_step
			FROM administrators
			WHERE environment_id = $1 AND id = $2`,
			env, id)
		if err != nil {
			return err
		}
		if step <= last {
			return ErrUsed
		}
		return tx.c.execOne(ctx, `UPDATE administrators SET totp_step = $1 WHERE environment_id = $2 AND id = $3`,
			step, env, id)
	})
}
