package store

import "context"

// ACME returns what is kept for certificates under a name, sealed; ErrNotFound
// when nothing is.
func (r reader) ACME(ctx context.Context, name string) ([]byte, error) {
	return queryOne(ctx, r.c, func(r row) (b []byte, err error) {
		err = r.Scan(fromBase64{&b})
		return b, err
	}, `SELECT sealed FROM acme WHERE name = $1`, name)
}

// KeepACME keeps it; nil forgets it.
func (s *Store) KeepACME(ctx context.Context, name string, sealed []byte) error {
	return s.Provision(ctx, func(tx *Tx) error {
		if sealed == nil {
			_, err := tx.c.exec(ctx, `DELETE FROM acme WHERE name = $1`, name)
			return err
		}
		_, err := tx.c.exec(ctx, `
			INSERT INTO acme (name, sealed)
			VALUES ($1, $2)
			ON CONFLICT (name) DO UPDATE SET sealed = $2`,
			name, inBase64(sealed))
		return err
	})
}
