package store

import (
	"context"
	"time"
)

// AuditMark is how far what happened in an environment was told to a system outside: up to
// and with that activity.
type AuditMark struct {
	Target, EnvironmentID string
	At                    time.Time
	ActivityID            string    // empty: nothing of that time
	NextAt                time.Time // when somebody may tell; later than now, a node does
}

func scanAuditMark(r row) (m AuditMark, err error) {
	err = r.Scan(&m.Target, &m.EnvironmentID, at{&m.At}, &m.ActivityID, at{&m.NextAt})
	return m, err
}

// AuditMark returns how far a target was told of an environment, or ErrNotFound.
func (r reader) AuditMark(ctx context.Context, env, target string) (AuditMark, error) {
	return queryOne(ctx, r.c, scanAuditMark, `
		SELECT target, environment_id, at, activity_id, next_at
		FROM audit_marks
		WHERE environment_id = $1 AND target = $2`,
		env, target)
}

// BeginAudit has a target be told of an environment what happens from a time on. It does
// nothing where that has begun.
func (s *Store) BeginAudit(ctx context.Context, env, target string, from time.Time) error {
	return s.ProvisionIn(ctx, env, func(tx *Tx) error {
		_, err := tx.c.exec(ctx, `
			INSERT INTO audit_marks (target, environment_id, at, activity_id, next_at)
			VALUES ($1, $2, $3, '', 0)
			ON CONFLICT (environment_id, target) DO NOTHING`,
			target, env, micros(from))
		return err
	})
}

// ClaimAudit has one node tell until a time, and returns from where; ErrStale while another
// does.
func (s *Store) ClaimAudit(ctx context.Context, env, target string, now, until time.Time) (m AuditMark, err error) {
	err = s.ProvisionIn(ctx, env, func(tx *Tx) error {
		n, err := tx.c.exec(ctx, `
			UPDATE audit_marks
			SET next_at = $1
			WHERE environment_id = $2 AND target = $3 AND next_at <= $4`,
			micros(until), env, target, micros(now))
		if err == nil && n == 0 {
			return ErrStale
		}
		if err == nil {
			m, err = tx.AuditMark(ctx, env, target)
		}
		return err
	})
	return m, err
}

// MoveAudit notes how far a target was told, and when it may be told more. ErrStale when
// somebody else has claimed it since: m.NextAt is what the caller claimed it until.
func (s *Store) MoveAudit(ctx context.Context, m AuditMark, to Activity, next time.Time) error {
	return s.ProvisionIn(ctx, m.EnvironmentID, func(tx *Tx) error {
		n, err := tx.c.exec(ctx, `
			UPDATE audit_marks
			SET at = $1, activity_id = $2, next_at = $3
			WHERE environment_id = $4 AND target = $5 AND next_at = $6`,
			micros(to.At), to.ID, micros(next), m.EnvironmentID, m.Target, micros(m.NextAt))
		if err == nil && n == 0 {
			err = ErrStale
		}
		return err
	})
}

// ActivitiesAfter returns what happened after a mark and before a time, the oldest first, at
// most so many.
func (r reader) ActivitiesAfter(ctx context.Context, m AuditMark, until time.Time, most int) ([]Activity, error) {
	args := []any{m.EnvironmentID, micros(m.At), m.ActivityID, micros(until), most}
	all, err := queryAll(ctx, r.c, scanActivity, activityColumns+`
		WHERE environment_id = $1 AND (at, id) > ($2, $3) AND at < $4
		ORDER BY at, id LIMIT $5`,
		args...)
	if err != nil {
		return nil, err
	}
	lines, err := queryAll(ctx, r.c, scanLine, signOnColumns+`
		WHERE environment_id = $1 AND (at, id) > ($2, $3) AND at < $4 AND line <> ''
		ORDER BY at, id LIMIT $5`,
		args...)
	return merged(all, lines, most, false), err
}
