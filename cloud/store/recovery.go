package store

import (
	"context"
	"time"
)

// RecoveryCodes are how many codes somebody has who has lost the second factor.
type RecoveryCodes struct{ Made, Left int }

func scanRecoveryCodes(r row) (c RecoveryCodes, err error) {
	err = r.Scan(&c.Made, &c.Left)
	return c, err
}

// RecoveryCodes returns how many an administrator has; none of one who never made any.
func (r reader) RecoveryCodes(ctx context.Context, administrator string) (RecoveryCodes, error) {
	return queryOne(ctx, r.c, scanRecoveryCodes, `
		SELECT count(*), coalesce(sum(CASE WHEN used_at = 0 THEN 1 ELSE 0 END), 0)
		FROM recovery_codes
		WHERE administrator_id = $1`,
		administrator)
}

// SetRecoveryCodes keeps the hashes of new codes in the place of those of before; none takes
// them away. ErrNotFound when there is no such administrator.
func (s *Store) SetRecoveryCodes(ctx context.Context, administrator string, hashes [][]byte) error {
	return s.Provision(ctx, func(tx *Tx) error {
		if _, err := tx.c.exec(ctx, `DELETE FROM recovery_codes WHERE administrator_id = $1`, administrator); err != nil {
			return err
		}
		for _, hash := range hashes {
			_, err := tx.c.exec(ctx, `
				INSERT INTO recovery_codes (administrator_id, code_hash, used_at)
				VALUES ($1, $2, 0)`,
				administrator, inBase64(hash))
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// UseRecoveryCode uses the code with that hash up, over all nodes. ErrNotFound when it is none
// of that administrator's, or was used before.
func (s *Store) UseRecoveryCode(ctx context.Context, administrator string, hash []byte, now time.Time) error {
	return s.Provision(ctx, func(tx *Tx) error {
		return tx.c.execOne(ctx, `
			UPDATE recovery_codes
			SET used_at = $1
			WHERE administrator_id = $2 AND code_hash = $3 AND used_at = 0`,
			micros(now), administrator, inBase64(hash))
	})
}
