package store

import (
	"context"
	"time"
)

const requestColumns = `
	SELECT id, ticket_hash, code_hash, public_key, seal_key, fingerprint, hostname, software, address,
		created_at, expires_at, denied, instance_id
	FROM pairing_requests`

// scanRequest reads a request of an agent that shows a code; its keys are the public
// halves.
func scanRequest(r row) (p PairingRequest, err error) {
	err = r.Scan(
		&p.ID,
		fromBase64{&p.TicketHash},
		fromBase64{&p.CodeHash},
		fromBase64{&p.PublicKey},
		fromBase64{&p.SealKey},
		&p.Fingerprint,
		&p.Hostname,
		&p.Software,
		&p.Address,
		at{&p.CreatedAt},
		at{&p.ExpiresAt},
		&p.Denied,
		&p.InstanceID,
	)
	return p, err
}

// CreatePairingRequest adds p, fills in its ID and time, and forgets some that
// have expired. ErrConflict when its code is in use.
func (s *Store) CreatePairingRequest(ctx context.Context, p *PairingRequest) error {
	return s.Provision(ctx, func(tx *Tx) error {
		stamp(&p.CreatedAt)
		if err := newID(&p.ID); err != nil {
			return err
		}
		if _, err := tx.forgetSome(ctx, "pairing_requests", "id", p.CreatedAt, forgotten); err != nil {
			return err
		}
		_, err := tx.c.exec(ctx, `
			INSERT INTO pairing_requests (id, ticket_hash, code_hash, public_key, seal_key, fingerprint, hostname,
				software, address, created_at, expires_at, denied, instance_id)
			VALUES `+placeholders(1, 1, 13),
			p.ID,
			inBase64(p.TicketHash),
			inBase64(p.CodeHash),
			inBase64(p.PublicKey),
			inBase64(p.SealKey),
			p.Fingerprint,
			p.Hostname,
			p.Software,
			p.Address,
			micros(p.CreatedAt),
			micros(p.ExpiresAt),
			p.Denied,
			p.InstanceID,
		)
		return err
	})
}

// PairingRequestByTicket returns the request that an agent holds the ticket of,
// decided or not; ErrNotFound, or ErrExpired while nobody has decided in time.
func (r reader) PairingRequestByTicket(ctx context.Context, ticketHash []byte, now time.Time) (PairingRequest, error) {
	p, err := queryOne(ctx, r.c, scanRequest, requestColumns+` WHERE ticket_hash = $1`, inBase64(ticketHash))
	if err == nil && p.InstanceID == "" && !now.Before(p.ExpiresAt) {
		return p, ErrExpired
	}
	return p, err
}

// PairingRequestByCode returns the request that can still be decided;
// ErrNotFound, ErrUsed or ErrExpired.
func (r reader) PairingRequestByCode(ctx context.Context, codeHash []byte, now time.Time) (PairingRequest, error) {
	p, err := queryOne(ctx, r.c, scanRequest, requestColumns+` WHERE code_hash = $1`, inBase64(codeHash))
	switch {
	case err != nil:
		return p, err
	case p.Denied || p.InstanceID != "":
		return p, ErrUsed
	case !now.Before(p.ExpiresAt):
		return p, ErrExpired
	}
	return p, nil
}

// ApprovePairing makes an instance of a gateway of the agent that shows the code
// with that hash, once. It fills in what the request says of inst. Its errors are
// those of PairingRequestByCode, and ErrNotFound when there is no such gateway.
// Who approves has seen the fingerprint of the very keys that become the instance's:
// they are taken from the row and not from a later request of the agent.
func (s *Store) ApprovePairing(ctx context.Context, codeHash []byte, now time.Time, inst *Instance) error {
	return s.Provision(ctx, func(tx *Tx) error {
		p, err := tx.PairingRequestByCode(ctx, codeHash, now)
		if err != nil {
			return err
		}
		if _, err := tx.Gateway(ctx, inst.EnvironmentID, inst.GatewayID); err != nil {
			return err
		}
		inst.PublicKey, inst.SealKey, inst.Fingerprint = p.PublicKey, p.SealKey, p.Fingerprint
		inst.Hostname, inst.Software, inst.PairedFrom = p.Hostname, p.Software, p.Address
		inst.PairedAt = now.UTC().Truncate(time.Microsecond)
		if err := tx.addInstance(ctx, inst); err != nil {
			return err
		}
		return tx.decide(ctx, `instance_id = $1`, inst.ID, p.ID)
	})
}

// decide decides a request, once: of administrators of several environments who do at the
// same time one does, and the others get ErrUsed.
func (tx *Tx) decide(ctx context.Context, set string, value any, id string) error {
	n, err := tx.c.exec(ctx, `UPDATE pairing_requests SET `+set+` WHERE id = $2 AND instance_id = '' AND denied = $3`,
		value, id, false)
	if err == nil && n == 0 {
		err = ErrUsed
	}
	return err
}

// DenyPairing turns the agent away that shows the code with that hash. Its errors
// are those of PairingRequestByCode.
func (s *Store) DenyPairing(ctx context.Context, codeHash []byte, now time.Time) error {
	return s.Provision(ctx, func(tx *Tx) error {
		p, err := tx.PairingRequestByCode(ctx, codeHash, now)
		if err != nil {
			return err
		}
		return tx.decide(ctx, `denied = $1`, true, p.ID)
	})
}
