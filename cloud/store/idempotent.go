package store

import (
	"context"
	"errors"
	"time"
)

// onceTime is how long an answer is kept for a request that comes again.
const onceTime = 24 * time.Hour

// IdempotentRequest is a request that a client may send again without doing it again.
type IdempotentRequest struct {
	EnvironmentID, ClientID string
	KeyHash                 []byte // of what the client calls it
	Request                 []byte // what tells it from another under the same key
	Status                  int    // of the answer; 0: there is none yet
	Body                    []byte // of the answer
	CreatedAt               time.Time
}

// BeginRequest notes a request before it is done. When it was noted before, it
// returns what is kept of it, and nothing is written. What is older than a day
// is forgotten.
// The row is written before the request is done, and kept whatever becomes of the node:
// better that a client hears that it cannot be told than that something is done twice.
func (s *Store) BeginRequest(ctx context.Context, o IdempotentRequest) (before *IdempotentRequest, err error) {
	err = s.Provision(ctx, func(tx *Tx) error {
		if _, err := tx.c.exec(ctx, `
			DELETE FROM once
			WHERE (client_id, key_hash) IN (
				SELECT client_id, key_hash FROM once WHERE created_at < $1 ORDER BY created_at LIMIT $2)`,
			micros(now().Add(-onceTime)), forgotten); err != nil {
			return err
		}
		found, err := queryOne(ctx, tx.c, scanIdempotentRequest, `
			SELECT environment_id, client_id, key_hash, request, status, body, created_at
			FROM once
			WHERE client_id = $1 AND key_hash = $2`,
			o.ClientID, inBase64(o.KeyHash))
		if err == nil {
			before = &found
		}
		if !errors.Is(err, ErrNotFound) {
			return err
		}
		_, err = tx.c.exec(ctx, `
			INSERT INTO once (client_id, key_hash, environment_id, request, status, body, created_at)
			VALUES ($1, $2, $3, $4, 0, '', $5)`,
			o.ClientID, inBase64(o.KeyHash), o.EnvironmentID, inBase64(o.Request), micros(now()))
		return err
	})
	return before, err
}

// scanIdempotentRequest reads what is kept of a request; a status of 0 says that it is
// under way, or was cut off.
func scanIdempotentRequest(r row) (o IdempotentRequest, err error) {
	err = r.Scan(
		&o.EnvironmentID,
		&o.ClientID,
		fromBase64{&o.KeyHash},
		fromBase64{&o.Request},
		&o.Status,
		fromBase64{&o.Body},
		at{&o.CreatedAt},
	)
	return o, err
}

// EndRequest keeps the answer to a request that was begun; without a status the
// request is forgotten, so that it can be made again.
func (s *Store) EndRequest(ctx context.Context, o IdempotentRequest) error {
	return s.Provision(ctx, func(tx *Tx) error {
		if o.Status == 0 {
			_, err := tx.c.exec(ctx, `DELETE FROM once WHERE client_id = $1 AND key_hash = $2`, o.ClientID, inBase64(o.KeyHash))
			return err
		}
		return tx.c.execOne(ctx, `UPDATE once SET status = $1, body = $2 WHERE client_id = $3 AND key_hash = $4`,
			o.Status, inBase64(o.Body), o.ClientID, inBase64(o.KeyHash))
	})
}
