package store

import (
	"context"
	"time"
)

const pairingColumns = `
	SELECT id, environment_id, gateway_id, code_hash, created_by, created_at, expires_at, used_at,
		instance_id
	FROM pairings`

// pairingRow is a pairing with what no caller needs to know of it.
type pairingRow struct {
	Pairing
	usedAt   time.Time
	instance string
}

// scanPairing reads a code's hash and never a code: only who was given the code has it.
func scanPairing(r row) (p pairingRow, err error) {
	err = r.Scan(
		&p.ID,
		&p.EnvironmentID,
		&p.GatewayID,
		fromBase64{&p.CodeHash},
		&p.CreatedBy,
		at{&p.CreatedAt},
		at{&p.ExpiresAt},
		at{&p.usedAt},
		&p.instance,
	)
	return p, err
}

// CreatePairing adds p and fills in its ID and time. ErrNotFound when its
// environment has no such gateway, ErrConflict when the code is in use.
func (s *Store) CreatePairing(ctx context.Context, p *Pairing) error {
	return s.Provision(ctx, func(tx *Tx) error {
		if err := newID(&p.ID); err != nil {
			return err
		}
		stamp(&p.CreatedAt)
		_, err := tx.c.exec(ctx, `
			INSERT INTO pairings (id, environment_id, gateway_id, code_hash, created_by, created_at, expires_at,
				used_at)
			VALUES ($1, $2, $3, $4, $5, $6, $7, 0)`,
			p.ID,
			p.EnvironmentID,
			p.GatewayID,
			inBase64(p.CodeHash),
			p.CreatedBy,
			micros(p.CreatedAt),
			micros(p.ExpiresAt),
		)
		return err
	})
}

// Pairings returns those of a gateway that can still be used at now, the
// oldest first, at most MaxLimit.
func (r reader) Pairings(ctx context.Context, env, gateway string, now time.Time) ([]Pairing, error) {
	return queryAll(ctx, r.c, func(r row) (Pairing, error) {
		p, err := scanPairing(r)
		return p.Pairing, err
	}, pairingColumns+`
		WHERE environment_id = $1 AND gateway_id = $2 AND used_at = 0 AND expires_at > $3
		ORDER BY created_at, id LIMIT $4`,
		env, gateway, micros(now), MaxLimit)
}

// Paired returns a pairing, and the instance that was paired by it; one without an ID while none was.
// ErrNotFound when the gateway has no such pairing, or it was forgotten.
func (r reader) Paired(ctx context.Context, env, gateway, id string) (Pairing, Instance, error) {
	p, err := queryOne(ctx, r.c, scanPairing, pairingColumns+`
		WHERE id = $1 AND environment_id = $2 AND gateway_id = $3`, id, env, gateway)
	if err != nil || p.instance == "" {
		return p.Pairing, Instance{}, err
	}
	i, err := r.Instance(ctx, p.instance)
	return p.Pairing, i, err
}

// DeletePairing takes back a pairing; ErrNotFound when there is none.
func (s *Store) DeletePairing(ctx context.Context, env, gateway, id string) error {
	return s.Provision(ctx, func(tx *Tx) error {
		return tx.c.execOne(ctx, `DELETE FROM pairings WHERE environment_id = $1 AND gateway_id = $2 AND id = $3`,
			env, gateway, id)
	})
}

// RedeemPairing uses the code with that hash, once, to add inst to the
// gateway that the code is for. It returns the pairing and fills in the
// environment, gateway, ID, PairedAt and PairedBy of inst. ErrNotFound, ErrUsed
// or ErrExpired when the code is not good, and nothing is written then.
// Of many who redeem one code at once one wins, over all nodes: the update of used_at
// finds one row for one of them. An expired code is remembered for a while, so that an
// agent hears that it was right and late.
func (s *Store) RedeemPairing(ctx context.Context, codeHash []byte, now time.Time, inst *Instance) (Pairing, error) {
	var p pairingRow
	err := s.Provision(ctx, func(tx *Tx) (err error) {
		p, err = queryOne(ctx, tx.c, scanPairing, pairingColumns+` WHERE code_hash = $1`, inBase64(codeHash))
		switch {
		case err != nil:
			return err
		case !p.usedAt.IsZero():
			return ErrUsed
		case !now.Before(p.ExpiresAt):
			return ErrExpired
		}
		if err := newID(&inst.ID); err != nil {
			return err
		}
		if err := tx.c.execOne(ctx, `UPDATE pairings SET used_at = $1, instance_id = $2 WHERE id = $3 AND used_at = 0`,
			micros(now), inst.ID, p.ID); err != nil {
			return err
		}
		inst.EnvironmentID, inst.GatewayID = p.EnvironmentID, p.GatewayID
		inst.PairedAt, inst.PairedBy = now.UTC().Truncate(time.Microsecond), p.CreatedBy
		return tx.addInstance(ctx, inst)
	})
	if err != nil {
		return Pairing{}, err
	}
	return p.Pairing, nil
}

// PurgePairings forgets the pairings that expired before the given time.
func (s *Store) PurgePairings(ctx context.Context, before time.Time) error {
	return s.inTurns(ctx, "", func(ctx context.Context, tx *Tx) (bool, error) {
		return tx.forgetSome(ctx, "pairings", "id", before, sweptAtOnce)
	})
}
