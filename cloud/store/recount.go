package store

import (
	"context"
	"time"
)

// recountAgain is how long after one count another one is made at the soonest.
const recountAgain = 10 * time.Second

// Recount has PostgreSQL count anew what is in the tables that a sign-on with many groups fills, if it has not
// a moment ago: it does so by itself within a minute, and until then reads all groups of a source for each that
// is looked for. It keeps nobody waiting. SQLite counts nothing.
func (s *Store) Recount(ctx context.Context) error {
	if len(s.lanes) == 0 || s.within != nil {
		return nil
	}
	last := s.recounted.Load()
	if at := now(); at.Sub(time.UnixMicro(last)) < recountAgain || !s.recounted.CompareAndSwap(last, micros(at)) {
		return nil
	}
	_, err := s.lanes[0].w.ExecContext(ctx, `ANALYZE cloud_groups, membership_rows`)
	return typed(err)
}

// How many users were counted when PostgreSQL needs no help any more, and after how many that this node has made
// it is asked first; then after four times as many.
const (
	countedUsers = 1000
	firstCounted = 16
)

// countEarly has PostgreSQL count what is in its tables while the first users come. What it planned for empty tables it
// keeps until somebody counts, which it does by itself within a minute: until then it may read all users of an
// environment for each who is looked for. SQLite plans without counting.
func (s *Store) countEarly(ctx context.Context) {
	if len(s.lanes) == 0 || !s.c.counts.due() {
		return
	}
	limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), settingsTime)
	defer cancel()
	counted, err := queryOne(limited, s.c, value[float64],
		`SELECT reltuples FROM pg_class WHERE oid = CAST('users' AS regclass)`)
	if err == nil && counted < countedUsers {
		_, err = s.lanes[0].w.ExecContext(limited,
			`ANALYZE users, correlations, cloud_groups, membership_rows, sign_ons, activities`)
	}
	s.condition.saw(typed(err))
}

// due tells whoever asks first that it is time to count early.
func (k *counts) due() bool {
	before := k.early.Load()
	after := max(firstCounted, 4*before)
	return k.made.Load() >= after && k.early.CompareAndSwap(before, after)
}
