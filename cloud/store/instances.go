package store

import (
	"context"
	"errors"
	"time"
)

const instanceColumns = `
	SELECT id, environment_id, gateway_id, public_key, seal_key, fingerprint, hostname, software, system,
		paired_at, paired_by, paired_from, revoked_at, revoked_by, policy_hash, policy_changed_at, initialized_at,
		last_reported_at, quarantined_at, quarantine, nonced, bad_answer, bad_answer_at
	FROM instances`

// scanInstance leaves the epochs out, which AdvanceEpoch alone may look at.
func scanInstance(r row) (i Instance, err error) {
	err = r.Scan(
		&i.ID,
		&i.EnvironmentID,
		&i.GatewayID,
		fromBase64{&i.PublicKey},
		fromBase64{&i.SealKey},
		&i.Fingerprint,
		&i.Hostname,
		&i.Software,
		&i.System,
		at{&i.PairedAt},
		&i.PairedBy,
		&i.PairedFrom,
		at{&i.RevokedAt},
		&i.RevokedBy,
		&i.PolicyHash,
		at{&i.PolicyChangedAt},
		at{&i.InitializedAt},
		at{&i.LastReportedAt},
		at{&i.QuarantinedAt},
		&i.Quarantine,
		&i.Nonced,
		&i.BadAnswer,
		at{&i.BadAnswerAt},
	)
	return i, err
}

// addInstance adds an instance that has just been paired: it has come nowhere yet, so
// its first link must claim epoch 0. ErrNotFound when there is no such gateway.
func (tx *Tx) addInstance(ctx context.Context, i *Instance) error {
	if err := newID(&i.ID); err != nil {
		return err
	}
	_, err := tx.c.exec(ctx, `
		INSERT INTO instances (id, environment_id, gateway_id, public_key, seal_key, fingerprint, hostname,
			software, system, paired_at, paired_by, paired_from, revoked_at, revoked_by, policy_hash, initialized_at,
			last_reported_at, quarantined_at, quarantine, epoch, epoch_before, epoch_confirmed)
		VALUES `+placeholders(1, 1, 22),
		i.ID,
		i.EnvironmentID,
		i.GatewayID,
		inBase64(i.PublicKey),
		inBase64(i.SealKey),
		i.Fingerprint,
		i.Hostname,
		i.Software,
		i.System,
		micros(i.PairedAt),
		i.PairedBy,
		i.PairedFrom,
		micros(i.RevokedAt),
		i.RevokedBy,
		i.PolicyHash,
		micros(i.InitializedAt),
		micros(i.LastReportedAt),
		micros(i.QuarantinedAt),
		i.Quarantine,
		0,
		0,
		false,
	)
	return err
}

// Instance returns an instance of any environment, revoked ones too, or
// ErrNotFound. It is for the link's end, where an instance proves itself.
func (r reader) Instance(ctx context.Context, id string) (Instance, error) {
	return queryOne(ctx, r.c, scanInstance, instanceColumns+` WHERE id = $1`, id)
}

// Instances returns those of a gateway, revoked ones too, the oldest first, at
// most MaxLimit.
func (r reader) Instances(ctx context.Context, env, gateway string) ([]Instance, error) {
	return queryAll(ctx, r.c, scanInstance, instanceColumns+`
		WHERE environment_id = $1 AND gateway_id = $2
		ORDER BY paired_at, id LIMIT $3`,
		env, gateway, MaxLimit)
}

// RevokeInstance ends an instance's credential for good. The first time counts:
// revoking it again changes nothing.
func (s *Store) RevokeInstance(ctx context.Context, env, gateway, id, by string, at time.Time) error {
	return s.Provision(ctx, func(tx *Tx) error {
		return tx.c.execOne(ctx, `
			UPDATE instances
			SET revoked_by = CASE revoked_at WHEN 0 THEN $1 ELSE revoked_by END,
				revoked_at = CASE revoked_at WHEN 0 THEN $2 ELSE revoked_at END
			WHERE environment_id = $3 AND gateway_id = $4 AND id = $5`,
			by, micros(at), env, gateway, id)
	})
}

// InstanceReport is what an instance says of itself when a link opens, and
// from time to time. An empty field leaves what is known.
type InstanceReport struct {
	Hostname, Software, System, PolicyHash string
	Epoch                                  uint64 // that it has kept; one that is not the newest changes nothing
	At                                     time.Time
}

// ReportInstance writes a report; ErrNotFound when there is no such instance.
// When the policy of the file differs from what was told last, the time of it is kept:
// alerts tell of it. The first policy ever told is no change.
func (s *Store) ReportInstance(ctx context.Context, id string, r InstanceReport) error {
	return s.ProvisionIn(ctx, links, func(tx *Tx) error {
		return tx.c.execOne(ctx, `
			UPDATE instances
			SET last_reported_at = $1, hostname = coalesce($2, hostname), software = coalesce($3, software),
				system = coalesce($4, system), policy_hash = coalesce($5, policy_hash),
				policy_changed_at = CASE
					WHEN policy_hash <> '' AND policy_hash <> coalesce($5, policy_hash) THEN $1
					ELSE policy_changed_at
				END,
				epoch_confirmed = CASE epoch WHEN $6 THEN $7 ELSE epoch_confirmed END
			WHERE id = $8`,
			micros(r.At),
			orNull(r.Hostname),
			orNull(r.Software),
			orNull(r.System),
			orNull(r.PolicyHash),
			int64(r.Epoch),
			true,
			id,
		)
	})
}

// NoteBadAnswer keeps what an instance said that none of ours says; ErrNotFound when there
// is no such instance.
func (s *Store) NoteBadAnswer(ctx context.Context, id, what string, at time.Time) error {
	return s.ProvisionIn(ctx, links, func(tx *Tx) error {
		return tx.c.execOne(ctx, `UPDATE instances SET bad_answer = $1, bad_answer_at = $2 WHERE id = $3`,
			what, micros(at), id)
	})
}

// GaveNonce remembers that an instance has proven itself with a nonce of the cloud.
func (s *Store) GaveNonce(ctx context.Context, id string) error {
	return s.ProvisionIn(ctx, links, func(tx *Tx) error {
		return tx.c.execOne(ctx, `UPDATE instances SET nonced = $1 WHERE id = $2`, true, id)
	})
}

// UseAssertion remembers the nonce of an assertion until it expires; ErrUsed
// when it is remembered already. It forgets those that have expired.
func (s *Store) UseAssertion(ctx context.Context, nonce []byte, expires time.Time) error {
	return s.useOnce(ctx, links, nonce, expires)
}

// UseProof is UseAssertion for what an application of an environment proves itself by, which
// keeps no link waiting. What it is known by is of the caller's making.
func (s *Store) UseProof(ctx context.Context, env string, known []byte, expires time.Time) error {
	return s.useOnce(ctx, env, known, expires)
}

func (s *Store) useOnce(ctx context.Context, turn string, nonce []byte, expires time.Time) error {
	return s.ProvisionIn(ctx, turn, func(tx *Tx) error {
		if err := tx.forget(ctx, "assertions"); err != nil {
			return err
		}
		_, err := tx.c.exec(ctx, `INSERT INTO assertions (nonce, expires_at) VALUES ($1, $2)`,
			inBase64(nonce), micros(expires))
		if errors.Is(err, ErrConflict) {
			return ErrUsed
		}
		return err
	})
}
