package store

import (
	"cmp"
	"context"
	"time"
)

const (
	clientFields  = `SELECT c.id, c.environment_id, c.name, c.role, c.secret_hash, c.former_secret, c.created_at`
	clientColumns = clientFields + ` FROM clients c`
)

// fields are where clientFields are read to.
func (c *Client) fields() []any {
	return []any{
		&c.ID, &c.EnvironmentID, &c.Name, &c.Role, fromBase64{&c.SecretHash}, fromJSON{&c.Former}, at{&c.CreatedAt},
	}
}

// scanClient reads the hashes of the secrets as well: they are compared by the token endpoint
// and shown by nobody.
func scanClient(r row) (c Client, err error) {
	return c, r.Scan(c.fields()...)
}

// CreateClient adds c and fills in its ID and time; without a role it is an
// identity administrator.
func (s *Store) CreateClient(ctx context.Context, c *Client) error {
	return s.Provision(ctx, func(tx *Tx) error {
		if err := newID(&c.ID); err != nil {
			return err
		}
		stamp(&c.CreatedAt)
		c.Role = cmp.Or(c.Role, RoleIdentityAdmin)
		_, err := tx.c.exec(ctx, `
			INSERT INTO clients (id, environment_id, name, role, secret_hash, former_secret, created_at)
			VALUES ($1, $2, $3, $4, $5, $6, $7)`,
			c.ID, c.EnvironmentID, c.Name, c.Role, inBase64(c.SecretHash), inJSON(c.Former), micros(c.CreatedAt))
		return err
	})
}

// Client returns an API client, or ErrNotFound.
func (r reader) Client(ctx context.Context, env, id string) (Client, error) {
	return queryOne(ctx, r.c, scanClient, clientColumns+` WHERE c.environment_id = $1 AND c.id = $2`, env, id)
}

// Clients returns the API clients of an environment, the oldest first, at most
// MaxLimit.
func (r reader) Clients(ctx context.Context, env string) ([]Client, error) {
	return queryAll(ctx, r.c, scanClient, clientColumns+`
		WHERE c.environment_id = $1
		ORDER BY c.created_at, c.id LIMIT $2`,
		env, MaxLimit)
}

// UpdateClient writes the name, the role and the secrets' hashes of c, and ends
// its access tokens. ErrNotFound when there is none.
// A token carries no role and no secret of its own, yet it was given for those of then:
// whoever takes a right or a secret away wants it to end now and not within the hour.
func (s *Store) UpdateClient(ctx context.Context, c *Client) error {
	return s.Provision(ctx, func(tx *Tx) error {
		if err := tx.all(ctx, tokensOf(c.EnvironmentID, c.ID)); err != nil {
			return err
		}
		return tx.Store().SetClientSecrets(ctx, c)
	})
}

// SetClientSecrets is UpdateClient when nothing is taken away: its access tokens go on.
func (s *Store) SetClientSecrets(ctx context.Context, c *Client) error {
	return s.Provision(ctx, func(tx *Tx) error {
		return tx.c.execOne(ctx, `
			UPDATE clients
			SET name = $1, role = $2, secret_hash = $3, former_secret = $4
			WHERE environment_id = $5 AND id = $6`,
			c.Name, c.Role, inBase64(c.SecretHash), inJSON(c.Former), c.EnvironmentID, c.ID)
	})
}

// DeleteClient removes an API client with its access tokens; ErrNotFound when
// there is none.
func (s *Store) DeleteClient(ctx context.Context, env, id string) error {
	return s.Provision(ctx, func(tx *Tx) error {
		if err := tx.all(ctx, tokensOf(env, id)); err != nil {
			return err
		}
		return tx.c.execOne(ctx, `DELETE FROM clients WHERE environment_id = $1 AND id = $2`, env, id)
	})
}

// CreateToken remembers the hash of an access token of a client until it
// expires, and forgets some that have expired.
func (s *Store) CreateToken(ctx context.Context, hash []byte, clientID, env string, expires time.Time) error {
	return s.Provision(ctx, func(tx *Tx) error {
		if err := tx.forget(ctx, "tokens"); err != nil {
			return err
		}
		_, err := tx.c.exec(ctx, `INSERT INTO tokens (hash, environment_id, client_id, expires_at) VALUES ($1, $2, $3, $4)`,
			inBase64(hash), env, clientID, micros(expires))
		return err
	})
}

// TokenClient returns whose access token has that hash; ErrNotFound when there
// is none that is good at now.
func (r reader) TokenClient(ctx context.Context, hash []byte, now time.Time) (Client, error) {
	t, err := r.tokenClient(ctx, hash)
	if err == nil && !t.until.After(now) {
		err = ErrNotFound
	}
	if err != nil {
		return Client{}, err
	}
	return t.Client, nil
}

// tokenClient is whose an access token is, and until when.
type tokenClient struct {
	Client
	until time.Time
}

// tokenClient returns whose an access token is, also when it has expired; or ErrNotFound.
func (r reader) tokenClient(ctx context.Context, hash []byte) (tokenClient, error) {
	return queryOne(ctx, r.c, func(r row) (t tokenClient, err error) {
		return t, r.Scan(append(t.fields(), at{&t.until})...)
	}, clientFields+`, t.expires_at
		FROM clients c
		JOIN tokens t ON t.environment_id = c.environment_id AND t.client_id = c.id
		WHERE t.hash = $1`,
		inBase64(hash))
}
