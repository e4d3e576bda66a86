package store

import (
	"cmp"
	"context"
	"errors"
	"time"
)

// ErrCloned says that an instance claims an epoch that is not its own: its state
// was copied to another machine, or restored from the past.
var ErrCloned = errors.New("the instance's state was copied or restored")

// mostAhead is how much further than the database an instance may have come. Links
// are a few a minute at most, so that no database lacks more; it keeps a made-up number
// from using up all that there are.
const mostAhead = 1 << 32

// epochs is how far an instance has come: each link begins a new epoch.
type epochs struct {
	now, before int64
	confirmed   bool // the instance has kept now
}

// scanEpochs reads what AdvanceEpoch decides on.
func scanEpochs(r row) (e epochs, err error) {
	err = r.Scan(&e.now, &e.before, &e.confirmed)
	return e, err
}

// AdvanceEpoch begins a new epoch for a link of an instance that claims to have
// come as far as claimed, and returns it. The epoch before is a good claim too
// until the new one is confirmed: the instance may have been cut off before it
// learned of it. A claim of the past is ErrCloned: it is what tells two machines with
// one key apart, since both claim the same epoch and the second to come finds it taken;
// an instance that is restored from a backup claims one of the past as well.
//
// A claim of what is to come is good, and missing says how many epochs the database
// lacks: all epochs are made here, so that it is the database which went back. Who has
// the key and makes such a claim up is found out when the true instance comes, whose
// claim is of the past then. The first sets InitializedAt: no link is without it.
func (s *Store) AdvanceEpoch(ctx context.Context, id string, claimed uint64) (next, missing uint64, err error) {
	err = s.ProvisionIn(ctx, links, func(tx *Tx) error {
		e, err := queryOne(ctx, tx.c, scanEpochs, `
			SELECT epoch, epoch_before, epoch_confirmed
			FROM instances
			WHERE id = $1`,
			id)
		if err != nil {
			return err
		}
		if e, missing, err = e.claimed(claimed); err != nil {
			return err
		}
		next = uint64(e.now)
		return tx.c.execOne(ctx, `
			UPDATE instances
			SET epoch = $1, epoch_before = $2, epoch_confirmed = $3,
				initialized_at = CASE initialized_at WHEN 0 THEN $4 ELSE initialized_at END
			WHERE id = $5`,
			e.now, e.before, false, micros(now()), id)
	})
	return next, missing, err
}

// claimed returns the epochs after a link that claims one, or ErrCloned.
func (e epochs) claimed(epoch uint64) (next epochs, missing uint64, err error) {
	now := uint64(max(e.now, 0)) // a version before left -1 after a restore
	switch {
	case epoch > now+mostAhead:
		return e, 0, ErrCloned
	case epoch >= now:
		return epochs{now: int64(epoch) + 1, before: int64(epoch)}, epoch - now, nil
	case epoch == uint64(e.before) && !e.confirmed:
		return epochs{now: e.now + 1, before: e.before}, 0, nil
	}
	return e, 0, ErrCloned
}

// Arrival is an agent that has proven to be an instance, by a proof that is remembered until it expires.
type Arrival struct {
	Instance string
	Nonce    []byte
	Expires  time.Time
	Nonced   bool   // the nonce is ours, which is kept of the instance
	Claimed  uint64 // epoch
}

// BeginLink is UseAssertion, GaveNonce and AdvanceEpoch in one transaction: thousands may come at once. The
// proof is used up also when the claim is ErrCloned.
func (s *Store) BeginLink(ctx context.Context, a Arrival) (next, missing uint64, err error) {
	var cloned error
	err = s.ProvisionIn(ctx, links, func(tx *Tx) error {
		within := tx.Store()
		if err := within.UseAssertion(ctx, a.Nonce, a.Expires); err != nil {
			return err
		}
		if a.Nonced {
			if err := within.GaveNonce(ctx, a.Instance); err != nil {
				return err
			}
		}
		var err error
		next, missing, err = within.AdvanceEpoch(ctx, a.Instance, a.Claimed)
		if errors.Is(err, ErrCloned) { // which is found before anything is written of the epoch
			cloned, err = err, nil
		}
		return err
	})
	return next, missing, cmp.Or(err, cloned)
}

// QuarantineInstance keeps an instance out until it is paired anew. The first reason stays.
func (s *Store) QuarantineInstance(ctx context.Context, id, reason string, at time.Time) error {
	return s.Provision(ctx, func(tx *Tx) error {
		return tx.c.execOne(ctx, `
			UPDATE instances
			SET quarantine = CASE quarantined_at WHEN 0 THEN $1 ELSE quarantine END,
				quarantined_at = CASE quarantined_at WHEN 0 THEN $2 ELSE quarantined_at END
			WHERE id = $3`,
			reason, micros(at), id)
	})
}

// RotateKeys replaces an instance's public keys.
// Keys come both at once, and the fingerprint with them: what an administrator compares
// is never that of a mixture. ErrNotFound when there is no such instance.
func (s *Store) RotateKeys(ctx context.Context, id string, public, seal []byte, fingerprint string) error {
	return s.Provision(ctx, func(tx *Tx) error {
		return tx.c.execOne(ctx, `UPDATE instances SET public_key = $1, seal_key = $2, fingerprint = $3 WHERE id = $4`,
			inBase64(public), inBase64(seal), fingerprint, id)
	})
}
