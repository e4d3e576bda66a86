package store

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strconv"
	"time"
)

// sweptAtOnce is how many rows one turn deletes at most, so that none is long.
const sweptAtOnce = 200

// Swept is how many rows a sweep deleted.
type Swept struct{ SignOns, Activities int64 }

// Archive takes what is about to be deleted, of one environment at a time and the oldest first.
// What it returns an error for stays. It may take long, since nobody waits for it but the sweep,
// and returns when ctx ends. What it was given once may come again: when the deletion fails after
// it, and when several nodes sweep at once.
type Archive interface {
	SignOns(ctx context.Context, all []SignOn) error
	Activities(ctx context.Context, all []Activity) error
}

// Sweep deletes what is older than each environment keeps, and what has expired, in many
// short turns; several nodes may do so at the same time. Of each user the last sign-on
// that succeeded stays, and of each source the last that brought all groups: the record
// is shown with them. What is older is given to an archive first, outside of any turn; to
// nil it is not. It returns how far it came when it fails.
func (s *Store) Sweep(ctx context.Context, now time.Time, to Archive) (n Swept, err error) {
	all, err := s.Environments(ctx)
	for _, e := range all {
		signOns, failed := s.sweepSignOns(ctx, e.ID, before(now, e.Settings.SignOnDays, UsualSignOnDays), to)
		activities, alsoFailed := s.sweepActivities(ctx, e.ID, before(now, e.Settings.ActivityDays, UsualActivityDays), to)
		n.SignOns, n.Activities = n.SignOns+signOns, n.Activities+activities
		err = errors.Join(err, failed, alsoFailed)
	}
	return n, errors.Join(err, s.sweepExpired(ctx, now), s.endLists(ctx, now.Add(-largeListLasts)), s.giveBack(ctx))
}

// before is the time before which nothing is kept; the zero time keeps all.
func before(now time.Time, days, usual int) time.Time {
	if days == Forever {
		return time.Time{}
	}
	return now.AddDate(0, 0, -cmp.Or(days, usual))
}

// aged is a row that is older than what is kept.
type aged struct {
	id string
	at int64
}

func scanAged(r row) (a aged, err error) {
	err = r.Scan(&a.id, &a.at)
	return a, err
}

// sweepSignOns goes through the old sign-ons of an environment, once: those that stay are
// not looked at again.
func (s *Store) sweepSignOns(ctx context.Context, env string, until time.Time, to Archive) (n int64, err error) {
	last := aged{}
	for !until.IsZero() && err == nil {
		old, failed := queryAll(ctx, s.c, scanAged, `
			SELECT id, at
			FROM sign_ons
			WHERE environment_id = $1 AND at < $2 AND (at, id) > ($3, $4)
			ORDER BY at, id LIMIT $5`,
			env, micros(until), last.at, last.id, sweptAtOnce)
		if len(old) == 0 {
			return n, failed
		}
		last = old[len(old)-1]
		var deleted int64
		deleted, err = s.sweepThese(ctx, env, old, to)
		n += deleted
	}
	return n, err
}

// sweepThese deletes those of some sign-ons that need not stay. What need not now never
// need again, so that they may be chosen ahead of the turn.
func (s *Store) sweepThese(ctx context.Context, env string, old []aged, to Archive) (n int64, err error) {
	ids := idsOf(old, func(a aged) string { return a.id })
	gone, err := queryAll(ctx, s.c, scanSignOn, `
		SELECT `+signOnFields+`
		FROM sign_ons s
		WHERE id IN `+placeholders(2, 1, len(old))+` AND NOT (
			EXISTS (SELECT 1 FROM users u WHERE u.environment_id = $1 AND u.id = s.user_id) AND (
				outcome = 'ok' AND NOT EXISTS (
					SELECT 1
					FROM sign_ons n
					WHERE n.environment_id = $1 AND n.user_id = s.user_id AND n.outcome = 'ok' AND n.at > s.at)
				OR verdict = 'complete' AND NOT EXISTS (
					SELECT 1
					FROM sign_ons n
					WHERE n.environment_id = $1 AND n.user_id = s.user_id AND n.verdict = 'complete'
						AND n.at > s.at AND n.gateway_id = s.gateway_id AND n.provider_id = s.provider_id)))`,
		append([]any{env}, ids...)...)
	if err != nil {
		return 0, err
	}
	slices.SortFunc(gone, func(a, b SignOn) int { return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.ID, b.ID)) })
	if to != nil && len(gone) > 0 {
		if err := to.SignOns(ctx, gone); err != nil {
			return 0, err
		}
	}
	err = s.ProvisionIn(ctx, env, func(tx *Tx) (err error) {
		if err := tx.giveRows(ctx, ids); err != nil {
			return err
		}
		n, err = tx.deleteThese(ctx, "sign_ons", idsOf(gone, func(s SignOn) string { return s.ID }))
		return err
	})
	if err != nil {
		n = 0
	}
	return n, err
}

// idsOf returns the IDs of some rows, as values of a statement.
func idsOf[T any](rows []T, id func(T) string) (ids []any) {
	for _, r := range rows {
		ids = append(ids, id(r))
	}
	return ids
}

// deleteThese deletes rows of a table, and returns how many of them were still there.
func (tx *Tx) deleteThese(ctx context.Context, table string, ids []any) (n int64, err error) {
	if len(ids) == 0 {
		return 0, nil
	}
	return tx.c.exec(ctx, `DELETE FROM `+table+` WHERE id IN `+placeholders(1, 1, len(ids)), ids...)
}

// giveRows gives sign-ons of an environment that have no row among the activities one, so that these
// are kept for as long as all others.
func (tx *Tx) giveRows(ctx context.Context, ids []any) error {
	these := ` WHERE id IN ` + placeholders(1, 1, len(ids)) + ` AND line <> ''`
	lines, err := queryAll(ctx, tx.c, scanLine, signOnColumns+these, ids...)
	if err != nil || len(lines) == 0 {
		return err
	}
	if err := tx.AddActivity(ctx, lines...); err != nil {
		return err
	}
	_, err = tx.c.exec(ctx, `UPDATE sign_ons SET line = ''`+these, ids...)
	return err
}

// sweepActivities deletes the old activities of an environment.
func (s *Store) sweepActivities(
	ctx context.Context, env string, until time.Time, to Archive,
) (n int64, err error) {
	for more := !until.IsZero(); more; {
		old, err := queryAll(ctx, s.c, scanActivity, activityColumns+`
			WHERE environment_id = $1 AND at < $2
			ORDER BY at, id LIMIT $3`,
			env, micros(until), sweptAtOnce)
		if err != nil || len(old) == 0 {
			return n, err
		}
		if to != nil {
			if err := to.Activities(ctx, old); err != nil {
				return n, err
			}
		}
		var deleted int64
		err = s.ProvisionIn(ctx, env, func(tx *Tx) (err error) {
			deleted, err = tx.deleteThese(ctx, "activities", idsOf(old, func(a Activity) string { return a.ID }))
			return err
		})
		if err != nil {
			return n, err
		}
		n, more = n+deleted, len(old) == sweptAtOnce
	}
	return n, nil
}

// expiring are the tables of what is good until a time, with what names a row in each.
func expiring() map[string]string {
	return map[string]string{
		"sessions":           "hash",
		"tokens":             "hash",
		"authorizations":     "id",
		"application_tokens": "id",
		"arrivals":           "key_hash",
		"assertions":         "nonce",
		"pairing_requests":   "id",
		"person_sessions":    "id",
		"tries":              "key_hash",
	}
}

// sweepExpired deletes what is good for nothing any more, in turns as short as all others:
// strangers decide how much there is. Some is deleted as well when the next of its kind is
// made, which may be never.
func (s *Store) sweepExpired(ctx context.Context, now time.Time) (err error) {
	for table, key := range expiring() {
		err = errors.Join(err, s.inTurns(ctx, "", func(ctx context.Context, tx *Tx) (bool, error) {
			return tx.forgetSome(ctx, table, key, now, sweptAtOnce)
		}))
	}
	return err
}

// forgotten is how much of what has expired goes with one that is made: more than are made, in time.
const forgotten = 20

// forget deletes some rows of one of the expiring tables.
func (tx *Tx) forget(ctx context.Context, table string) error {
	_, err := tx.forgetSome(ctx, table, expiring()[table], now(), forgotten)
	return err
}

// forgetSome deletes at most so many rows that have expired, the oldest first, and tells whether there may
// be more.
func (tx *Tx) forgetSome(ctx context.Context, table, key string, now time.Time, most int) (more bool, err error) {
	n, err := tx.c.exec(ctx, `
		DELETE FROM `+table+`
		WHERE `+key+` IN (
			SELECT `+key+` FROM `+table+` WHERE expires_at < $1 ORDER BY expires_at LIMIT `+strconv.Itoa(most)+`)`,
		micros(now))
	return n == int64(most), err
}

// How much of an SQLite file one sweep gives back: turns of so many free pages.
const (
	givenBack = 50
	freePages = "200"
)

// giveBack makes the file of SQLite smaller by what is free in it, if it was made so that
// it can be; PostgreSQL does that by itself.
func (s *Store) giveBack(ctx context.Context) error {
	for range givenBack {
		if s.turnSQL != "" || ctx.Err() != nil {
			break
		}
		if _, err := s.w.ExecContext(ctx, `PRAGMA incremental_vacuum(`+freePages+`)`); err != nil {
			return err
		}
	}
	return nil
}

// Size returns how large the database is, in bytes, with what is free in it.
func (s *Store) Size(ctx context.Context) (bytes int64, err error) {
	query := `SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()`
	if s.turnSQL != "" {
		query = `SELECT pg_database_size(current_database())`
	}
	err = s.r.QueryRowContext(ctx, query).Scan(&bytes)
	return bytes, err
}
