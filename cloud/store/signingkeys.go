package store

import (
	"context"
	"time"
)

// The algorithms of keys that sign tokens, as JOSE names them (RFC 7518 section 3.1).
const (
	RS256 = "RS256"
	ES256 = "ES256"
)

// SigningKey is a private key for tokens, sealed.
type SigningKey struct {
	ID, EnvironmentID string
	Algorithm         string
	Sealed            []byte
	CreatedAt         time.Time
}

// signingTable is where the keys of an algorithm are.
func signingTable(algorithm string) string {
	if algorithm == ES256 {
		return "ec_signing_keys"
	}
	return "signing_keys"
}

// SigningKeys returns the keys of an environment for an algorithm, the newest first.
func (r reader) SigningKeys(ctx context.Context, env, algorithm string) ([]SigningKey, error) {
	// scan reads the key as it is sealed; only the vault opens it.
	scan := func(r row) (SigningKey, error) {
		k := SigningKey{Algorithm: algorithm}
		err := r.Scan(&k.ID, &k.EnvironmentID, fromBase64{&k.Sealed}, at{&k.CreatedAt})
		return k, err
	}
	return queryAll(ctx, r.c, scan, `
		SELECT id, environment_id, sealed, created_at
		FROM `+signingTable(algorithm)+`
		WHERE environment_id = $1
		ORDER BY created_at DESC, id DESC`,
		env)
}

// AddSigningKey adds k, unless there is one of its algorithm that is newer than after: of
// several nodes that find the newest too old, one adds a key. It forgets those made before
// oldest.
// The private key comes sealed, and its public half is published for as long as tokens
// that it signed may be about: see oldest.
func (s *Store) AddSigningKey(ctx context.Context, k SigningKey, after, oldest time.Time) error {
	return s.ProvisionIn(ctx, k.EnvironmentID, func(tx *Tx) error {
		all, err := tx.SigningKeys(ctx, k.EnvironmentID, k.Algorithm)
		if err != nil || len(all) > 0 && all[0].CreatedAt.After(after) {
			return err
		}
		table := signingTable(k.Algorithm)
		if _, err := tx.c.exec(ctx, `DELETE FROM `+table+` WHERE environment_id = $1 AND created_at < $2`,
			k.EnvironmentID, micros(oldest)); err != nil {
			return err
		}
		_, err = tx.c.exec(ctx, `INSERT INTO `+table+` (id, environment_id, sealed, created_at) VALUES ($1, $2, $3, $4)`,
			k.ID, k.EnvironmentID, inBase64(k.Sealed), micros(k.CreatedAt))
		return err
	})
}
