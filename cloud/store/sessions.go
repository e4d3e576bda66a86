package store

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"time"
)

// session is what a browser's session has in the database.
type session struct {
	data    []byte
	expires time.Time
}

const sessionFields = `SELECT data, expires_at FROM sessions `

// scanSession reads what the session manager keeps, which is nobody's business here.
func scanSession(r row) (s session, err error) {
	err = r.Scan(fromBase64{&s.data}, at{&s.expires})
	return s, err
}

// sessionKey keeps the token itself out of the database: whoever reads it there
// cannot take over a session.
func sessionKey(token string) string {
	sum := sha256.Sum256([]byte(token))
	return inBase64(sum[:])
}

// FindSession returns what was committed under the token; false when there is
// nothing or it has expired.
func (r reader) FindSession(ctx context.Context, token string) (data []byte, found bool, err error) {
	s, err := queryOne(ctx, r.c, scanSession, sessionFields+`WHERE hash = $1 AND expires_at > $2`,
		sessionKey(token), micros(now()))
	if errors.Is(err, ErrNotFound) {
		return nil, false, nil
	}
	return s.data, err == nil && len(s.data) > 0, err
}

// lazily is how much longer a session is to last for that alone to be written: the session manager
// commits at each request, and a page is many.
const lazily = time.Minute

// CommitSession keeps data under the token until it expires, in place of what
// was there, and forgets some sessions that have expired. What DeleteSession forgot stays so.
// Where the data is kept already, and for as long but for a minute, nothing is written.
func (s *Store) CommitSession(ctx context.Context, token string, data []byte, expires time.Time) error {
	kept, err := queryOne(ctx, s.c, scanSession, sessionFields+`WHERE hash = $1`, sessionKey(token))
	if err == nil && bytes.Equal(kept.data, data) && expires.Sub(kept.expires).Abs() < lazily {
		return nil
	}
	return s.ProvisionIn(ctx, sessions, func(tx *Tx) error {
		if err := tx.forget(ctx, "sessions"); err != nil {
			return err
		}
		_, err := tx.c.exec(ctx, `
			INSERT INTO sessions (hash, data, expires_at)
			VALUES ($1, $2, $3)
			ON CONFLICT (hash) DO UPDATE SET data = excluded.data, expires_at = excluded.expires_at
			WHERE sessions.data <> ''`,
			sessionKey(token), inBase64(data), micros(expires))
		return err
	})
}

// endedFor is how long a session that has ended is known as one: longer than a request takes.
const endedFor = 10 * time.Minute

// DeleteSession forgets a session; it is no error when there is none.
// Its row stays for a while without what it held: a request that had read the session
// before would write it back, and whoever signed out would not be.
func (s *Store) DeleteSession(ctx context.Context, token string) error {
	return s.ProvisionIn(ctx, sessions, func(tx *Tx) error {
		_, err := tx.c.exec(ctx, `
			UPDATE sessions
			SET data = '', expires_at = $2
			WHERE hash = $1`,
			sessionKey(token), micros(now().Add(endedFor)))
		return err
	})
}

// Sessions is the store as the session manager of the console wants it, which
// hands over tokens in the clear and prefers the methods with a context.
type Sessions struct{ Store *Store }

// FindCtx is Store.FindSession.
func (s Sessions) FindCtx(ctx context.Context, token string) ([]byte, bool, error) {
	return s.Store.FindSession(ctx, token)
}

// CommitCtx is Store.CommitSession.
func (s Sessions) CommitCtx(ctx context.Context, token string, b []byte, expiry time.Time) error {
	return s.Store.CommitSession(ctx, token, b, expiry)
}

// DeleteCtx is Store.DeleteSession.
func (s Sessions) DeleteCtx(ctx context.Context, token string) error {
	return s.Store.DeleteSession(ctx, token)
}

// Find is FindCtx without a context.
func (s Sessions) Find(token string) ([]byte, bool, error) {
	return s.FindCtx(context.Background(), token)
}

// Commit is CommitCtx without a context.
func (s Sessions) Commit(token string, b []byte, expiry time.Time) error {
	return s.CommitCtx(context.Background(), token, b, expiry)
}

// Delete is DeleteCtx without a context.
func (s Sessions) Delete(token string) error { return s.DeleteCtx(context.Background(), token) }
