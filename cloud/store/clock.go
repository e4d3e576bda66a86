package store

import (
	"context"
	"time"
)

// clockTime is how long the answer may take that tells the database's time.
const clockTime = 2 * time.Second

// Ahead tells how far the clock of this node is ahead of the database's, as exactly as one
// question tells; negative: it is behind. 0 on SQLite, whose clock is this node's, and when
// the answer took too long to tell.
func (s *Store) Ahead(ctx context.Context) (time.Duration, error) {
	if s.turnSQL == "" {
		return 0, nil
	}
	before := time.Now()
	there, err := queryOne(ctx, s.c, value[int64], `SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint`)
	if err != nil {
		return 0, err
	}
	took := time.Since(before)
	if took > clockTime {
		return 0, nil
	}
	return before.Add(took / 2).Sub(time.UnixMicro(there)), nil
}
