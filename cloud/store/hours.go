package store

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
)

// Sign-ons are counted by the hour, so that an overview of a month need not look at each
// of them, and still knows of those that are not kept any longer.
const (
	settled   = 10 * time.Minute // after its end an hour gets no more sign-ons, however slow they were
	keptHours = 400 * 24 * time.Hour
	liveHours = 3 * time.Hour // that are counted anew when they are asked for
	atOnce    = 1000          // hours of one environment in one go
)

// paces is how many steps of duration there are: 1 ms, 2 ms, 4 ms, … 32.8 s, and all above.
const paces = 17

// HourCount is how many sign-ons of an hour ended so, in a step of duration.
type HourCount struct {
	Hour    time.Time // its begin
	Outcome string
	Pace    int // 0: at most 1 ms; each next one twice that; the last: all above
	N       int
}

// AtMost is the most that a sign-on of this step took; of the last step, which has no
// most, its least.
func (h HourCount) AtMost() time.Duration { return time.Millisecond << min(h.Pace, paces-2) }

// Slowest tells whether this is the last step, of what took longer than any.
func (h HourCount) Slowest() bool { return h.Pace == paces-1 }

// pace is the step of a sign-on in SQL.
var pace = paceSQL()

func paceSQL() string {
	var b strings.Builder
	for p := range paces - 1 {
		fmt.Fprintf(&b, " WHEN duration <= %d THEN %d", (time.Millisecond << p).Microseconds(), p)
	}
	return fmt.Sprintf("CASE%s ELSE %d END", b.String(), paces-1)
}

// liveCounts counts sign-ons of a time, each in the hour that began at a given one or a
// whole number of hours later.
var liveCounts = `
	SELECT at - (at - $2) % 3600000000, outcome, ` + pace + `, count(*)
	FROM sign_ons
	WHERE environment_id = $1 AND at >= $2 AND at < $3
	GROUP BY 1, 2, 3`

func scanHour(r row) (h HourCount, err error) {
	err = r.Scan(at{&h.Hour}, &h.Outcome, &h.Pace, &h.N)
	return h, err
}

// HourCounts returns how the sign-ons from a time until now ended, in no order, and
// whether none of them is missing: after an upgrade those of more than three hours ago are
// counted little by little.
func (r reader) HourCounts(ctx context.Context, env string, from, now time.Time) (
	all []HourCount, whole bool, err error,
) {
	until, err := queryOne(ctx, r.c, scanTime, `SELECT until FROM counted_hours WHERE environment_id = $1`, env)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return nil, false, err
	}
	from = from.Truncate(time.Hour)
	all, err = queryAll(ctx, r.c, scanHour, `
		SELECT hour, outcome, pace, n
		FROM sign_on_hours
		WHERE environment_id = $1 AND hour >= $2`,
		env, micros(from))
	if err != nil {
		return nil, false, err
	}
	live := latest(from, until, now.Add(-liveHours).Truncate(time.Hour))
	last, err := queryAll(ctx, r.c, scanHour, liveCounts, env, micros(live), micros(now.Add(time.Minute)))
	if err != nil {
		return nil, false, err
	}
	first, err := r.firstSignOn(ctx, env, latest(from, until))
	if errors.Is(err, ErrNotFound) {
		return append(all, last...), true, nil
	}
	return append(all, last...), !first.Before(live), err
}

// firstSignOn returns the time of the first sign-on since a time, or ErrNotFound.
func (r reader) firstSignOn(ctx context.Context, env string, since time.Time) (time.Time, error) {
	return queryOne(ctx, r.c, scanTime, `
		SELECT at
		FROM sign_ons
		WHERE environment_id = $1 AND at >= $2
		ORDER BY at, id LIMIT 1`,
		env, micros(since))
}

func latest(times ...time.Time) (t time.Time) {
	for _, u := range times {
		if u.After(t) {
			t = u
		}
	}
	return t
}

// CountHours counts the sign-ons of hours that are over and were not counted, and forgets
// hours of more than 400 days ago. Several nodes may do so at once. An hour is counted
// outside of the turn in which it is written.
func (s *Store) CountHours(ctx context.Context, now time.Time) error {
	all, err := s.Environments(ctx)
	for _, e := range all {
		for range atOnce {
			more, failed := s.countHour(ctx, e.ID, now)
			err = errors.Join(err, failed)
			if !more || failed != nil {
				break
			}
		}
		err = errors.Join(err, s.forgetHours(ctx, e.ID, now.Add(-keptHours)))
	}
	return err
}

func (s *Store) forgetHours(ctx context.Context, env string, before time.Time) error {
	return s.ProvisionIn(ctx, env, func(tx *Tx) error {
		_, err := tx.c.exec(ctx, `DELETE FROM sign_on_hours WHERE environment_id = $1 AND hour < $2`, env, micros(before))
		return err
	})
}

// countHour counts the next hour that had a sign-on, and says whether there may be more.
func (s *Store) countHour(ctx context.Context, env string, now time.Time) (more bool, err error) {
	until, err := queryOne(ctx, s.c, scanTime, `SELECT until FROM counted_hours WHERE environment_id = $1`, env)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return false, err
	}
	first, err := s.firstSignOn(ctx, env, until)
	if errors.Is(err, ErrNotFound) {
		return false, nil
	}
	hour := first.Truncate(time.Hour)
	if err != nil || now.Before(hour.Add(time.Hour+settled)) {
		return false, err
	}
	counts, err := queryAll(ctx, s.c, scanHour, liveCounts, env, micros(hour), micros(hour.Add(time.Hour)))
	if err != nil {
		return false, err
	}
	return true, s.keepHour(ctx, env, until, hour, counts)
}

// keepHour writes what was counted of an hour, unless another node has gone on from until.
func (s *Store) keepHour(ctx context.Context, env string, until, hour time.Time, counts []HourCount) error {
	return s.ProvisionIn(ctx, env, func(tx *Tx) error {
		moved, err := tx.c.exec(ctx, `
			INSERT INTO counted_hours (environment_id, until) VALUES ($1, $2)
			ON CONFLICT (environment_id) DO UPDATE SET until = $2 WHERE counted_hours.until = $3`,
			env, micros(hour.Add(time.Hour)), micros(until))
		if err != nil || moved == 0 {
			return err
		}
		for _, c := range counts {
			if _, err = tx.c.exec(ctx, `
				INSERT INTO sign_on_hours (environment_id, hour, outcome, pace, n) VALUES ($1, $2, $3, $4, $5)
				ON CONFLICT (environment_id, hour, outcome, pace) DO NOTHING`,
				env, micros(c.Hour), c.Outcome, c.Pace, c.N); err != nil {
				return err
			}
		}
		return nil
	})
}

// CountedTo is up to how many rows are counted, so that a count costs no more.
const CountedTo = 100_000

// Counts is how much there is in an environment; above CountedTo each is one more than that.
type Counts struct{ Users, Groups, Gateways, Providers, Applications int }

// Counts returns how much there is in an environment.
func (r reader) Counts(ctx context.Context, env string) (n Counts, err error) {
	for table, to := range map[string]*int{
		"users":              &n.Users,
		"cloud_groups":       &n.Groups,
		"gateways":           &n.Gateways,
		"identity_providers": &n.Providers,
		"applications":       &n.Applications,
	} {
		*to, err = queryOne(ctx, r.c, value[int], fmt.Sprintf(`
			SELECT count(*)
			FROM (SELECT 1 FROM %s WHERE environment_id = $1 LIMIT %d) AS counted`, table, CountedTo+1), env)
		if err != nil {
			return n, err
		}
	}
	return n, nil
}
