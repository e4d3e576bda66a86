package store

import (
	"context"
	"time"
)

const certificateColumns = `
	SELECT id, environment_id, name, usage, der, sealed, created_at, is_default
	FROM certificates`

// scanCertificate reads a key as it is sealed; without one it is somebody else's
// certificate.
func scanCertificate(r row) (c Certificate, err error) {
	err = r.Scan(
		&c.ID,
		&c.EnvironmentID,
		&c.Name,
		&c.Usage,
		fromBase64{&c.DER},
		fromBase64{&c.Sealed},
		at{&c.CreatedAt},
		&c.Default,
	)
	return c, err
}

// CreateCertificate adds c and fills in its time; whoever seals its key has chosen
// its ID, else it gets one.
func (s *Store) CreateCertificate(ctx context.Context, c *Certificate) error {
	return s.Provision(ctx, func(tx *Tx) error {
		if err := newID(&c.ID); err != nil {
			return err
		}
		stamp(&c.CreatedAt)
		_, err := tx.c.exec(ctx, `INSERT INTO certificates (id, environment_id, name, usage, der, sealed, created_at)
 VALUES `+placeholders(1, 1, 7),
			c.ID,
			c.EnvironmentID,
			c.Name,
			c.Usage,
			inBase64(c.DER),
			inBase64(c.Sealed),
			micros(c.CreatedAt),
		)
		return err
	})
}

// Certificate returns one, or ErrNotFound.
func (r reader) Certificate(ctx context.Context, env, id string) (Certificate, error) {
	return queryOne(ctx, r.c, scanCertificate, certificateColumns+` WHERE environment_id = $1 AND id = $2`, env, id)
}

// Certificates lists the oldest first: others' and our own.
func (r reader) Certificates(ctx context.Context, env string, page Page) ([]Certificate, string, error) {
	l := list{query: certificateColumns, key: "created_at", id: "id", word: "certificate", time: true}
	l.where("environment_id = ?", env)
	return queryPage(ctx, r.c, l, page, scanCertificate, func(c Certificate) (any, string) {
		return micros(c.CreatedAt), c.ID
	})
}

// DeleteCertificate removes one; ErrNotFound when there is none.
// Whether a provider names it is not asked here: settings are JSON, and refer to
// nothing.
func (s *Store) DeleteCertificate(ctx context.Context, env, id string) error {
	return s.Provision(ctx, func(tx *Tx) error {
		return tx.c.execOne(ctx, `DELETE FROM certificates WHERE environment_id = $1 AND id = $2`, env, id)
	})
}

// KeepArrival keeps what a proven answer said until its browser comes for it, and
// forgets some that have expired. Key is random; only its hash is kept.
func (s *Store) KeepArrival(ctx context.Context, env string, key string, sealed []byte, expires time.Time) error {
	return s.Provision(ctx, func(tx *Tx) error {
		if err := tx.forget(ctx, "arrivals"); err != nil {
			return err
		}
		_, err := tx.c.exec(ctx, `
			INSERT INTO arrivals (key_hash, environment_id, sealed, expires_at)
			VALUES ($1, $2, $3, $4)`,
			sessionKey(key), env, inBase64(sealed), micros(expires))
		return err
	})
}

// TakeArrival returns what was kept under a key, once; ErrNotFound when there is
// nothing, or it has expired at now.
// Of two who come with one key, on whatever nodes, one gets it.
func (s *Store) TakeArrival(ctx context.Context, env, key string, now time.Time) (sealed []byte, err error) {
	err = s.Provision(ctx, func(tx *Tx) error {
		sealed, err = queryOne(ctx, tx.c, func(r row) (b []byte, err error) {
			err = r.Scan(fromBase64{&b})
			return b, err
		}, `SELECT sealed FROM arrivals WHERE key_hash = $1 AND environment_id = $2 AND expires_at > $3`,
			sessionKey(key), env, micros(now))
		if err != nil {
			return err
		}
		return tx.c.execOne(ctx, `DELETE FROM arrivals WHERE key_hash = $1`, sessionKey(key))
	})
	return sealed, err
}
