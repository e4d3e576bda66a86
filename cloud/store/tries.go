package store

import (
	"context"
	"errors"
	"time"
)

// Tries bounds how often something may be tried within a window, over all nodes. Key is
// what is tried, as in an account and which proof of it: one that a stranger can make up
// is for the throttle room.
type Tries struct {
	Key    string
	Most   int64
	Window time.Duration
}

// tried is how often something was tried, and until when that counts.
type tried struct{ n, until int64 }

func scanTried(r row) (t tried, err error) {
	err = r.Scan(&t.n, &t.until)
	return t, err
}

// BeginTry counts one try before it is made, so that of many at once no more begin than
// may; or returns how long to wait, having counted nothing. Whoever is to wait anyhow takes no
// turn of those who write.
func (s *Store) BeginTry(ctx context.Context, t Tries, now time.Time) (wait time.Duration, err error) {
	if _, wait, err = s.Tried(ctx, t, now); err != nil || wait > 0 {
		return wait, err
	}
	err = s.ProvisionIn(ctx, tries, func(tx *Tx) error {
		_, wait, err = tx.Tried(ctx, t, now)
		if err != nil || wait > 0 {
			return err
		}
		return tx.countTry(ctx, t, now)
	})
	return wait, err
}

// CountTry counts one try. The window begins with the first. As all that writes tries it
// takes the turn of that table: who holds several rows of it never waits for another who does.
func (s *Store) CountTry(ctx context.Context, t Tries, now time.Time) error {
	return s.ProvisionIn(ctx, tries, func(tx *Tx) error { return tx.countTry(ctx, t, now) })
}

// Tried returns how often something was tried within its window, and how long to wait
// before it may be tried again; zero when it may be.
func (r reader) Tried(ctx context.Context, t Tries, now time.Time) (n int64, wait time.Duration, err error) {
	have, err := queryOne(ctx, r.c, scanTried, `SELECT tried, expires_at FROM tries WHERE key_hash = $1`,
		sessionKey(t.Key))
	if errors.Is(err, ErrNotFound) {
		err = nil
	}
	n, wait = have.at(t, now)
	return n, wait, err
}

// at returns what counts of it at a time, and how long to wait when that is too much.
func (have tried) at(t Tries, now time.Time) (n int64, wait time.Duration) {
	left := time.UnixMicro(have.until).Sub(now)
	switch {
	case left <= 0:
		return 0, 0
	case have.n < t.Most:
		return have.n, 0
	}
	return have.n, left
}

func (tx *Tx) countTry(ctx context.Context, t Tries, now time.Time) error {
	_, err := tx.c.exec(ctx, `
		INSERT INTO tries (key_hash, tried, expires_at)
		VALUES ($1, 1, $2)
		ON CONFLICT (key_hash) DO UPDATE SET
			tried = CASE WHEN tries.expires_at <= $3 THEN 1 ELSE tries.tried + 1 END,
			expires_at = CASE WHEN tries.expires_at <= $3 THEN excluded.expires_at ELSE tries.expires_at END`,
		sessionKey(t.Key), micros(now.Add(t.Window)), micros(now))
	return err
}

// UndoTry takes back one try that BeginTry counted at a time and that came to nothing. When
// its window is over there is nothing to take back: the tries of the next one stay.
func (s *Store) UndoTry(ctx context.Context, t Tries, begun time.Time) error {
	return s.ProvisionIn(ctx, tries, func(tx *Tx) error {
		_, err := tx.c.exec(ctx, `
			UPDATE tries
			SET tried = tried - 1
			WHERE key_hash = $1 AND tried > 0 AND expires_at <= $2`,
			sessionKey(t.Key), micros(begun.Add(t.Window)))
		return err
	})
}

// ForgetTries takes back what was counted of keys, as after a try that went right.
func (s *Store) ForgetTries(ctx context.Context, keys ...string) error {
	return s.ProvisionIn(ctx, tries, func(tx *Tx) error {
		for _, key := range keys {
			if _, err := tx.c.exec(ctx, `DELETE FROM tries WHERE key_hash = $1`, sessionKey(key)); err != nil {
				return err
			}
		}
		return nil
	})
}
