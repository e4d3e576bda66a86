package store

import (
	"context"
	"crypto/subtle"
)

const administratorColumns = `SELECT id, environment_id, name, password_hash, setup_hash, created_at FROM administrators`

func scanAdministrator(r row) (a Administrator, err error) {
	err = r.Scan(&a.ID, &a.EnvironmentID, &a.Name, &a.PasswordHash, fromBase64{&a.SetupHash}, at{&a.CreatedAt})
	return a, err
}

// CreateAdministrator adds a and fills in its ID and time. ErrConflict when the
// name is taken, in any environment: an administrator signs in by name alone.
func (s *Store) CreateAdministrator(ctx context.Context, a *Administrator) error {
	return s.Provision(ctx, func(tx *Tx) error {
		if err := newID(&a.ID); err != nil {
			return err
		}
		stamp(&a.CreatedAt)
		_, err := tx.c.exec(ctx, `INSERT INTO administrators (id, environment_id, name, name_folded, password_hash, setup_hash, created_at)
 VALUES ($1, $2, $3, $4, $5, $6, $7)`, a.ID, a.EnvironmentID, a.Name, Fold(a.Name), a.PasswordHash, inBase64(a.SetupHash), micros(a.CreatedAt))
		return err
	})
}

// Administrator returns the one of that name, without regard to case, or ErrNotFound.
func (r reader) Administrator(ctx context.Context, name string) (Administrator, error) {
	return queryOne(ctx, r.c, scanAdministrator, administratorColumns+` WHERE name_folded = $1`, Fold(name))
}

// UpdateAdministrator writes the name and the hashes of a.
func (s *Store) UpdateAdministrator(ctx context.Context, a *Administrator) error {
	return s.Provision(ctx, func(tx *Tx) error { return tx.updateAdministrator(ctx, *a) })
}

func (tx *Tx) updateAdministrator(ctx context.Context, a Administrator) error {
	return tx.c.execOne(ctx, `UPDATE administrators SET name = $1, name_folded = $2, password_hash = $3, setup_hash = $4 WHERE environment_id = $5 AND id = $6`,
		a.Name, Fold(a.Name), a.PasswordHash, inBase64(a.SetupHash), a.EnvironmentID, a.ID)
}

// SetUpAdministrator puts a password's hash in the place of the set-up secret
// with that hash, once. It returns ErrNotFound when the secret is not that
// administrator's, or not any more.
func (s *Store) SetUpAdministrator(ctx context.Context, name string, setupHash []byte, passwordHash string) (a Administrator, err error) {
	err = s.Provision(ctx, func(tx *Tx) error {
		if a, err = tx.Administrator(ctx, name); err != nil {
			return err
		}
		if len(a.SetupHash) == 0 || subtle.ConstantTimeCompare(setupHash, a.SetupHash) != 1 {
			return ErrNotFound
		}
		a.PasswordHash, a.SetupHash = passwordHash, nil
		return tx.updateAdministrator(ctx, a)
	})
	return a, err
}

// Administrators returns those of an environment by name, at most MaxLimit.
func (r reader) Administrators(ctx context.Context, env string) ([]Administrator, error) {
	return queryAll(ctx, r.c, scanAdministrator, administratorColumns+` WHERE environment_id = $1 ORDER BY name_folded LIMIT $2`, env, MaxLimit)
}
