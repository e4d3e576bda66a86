package store

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// counts keeps how many rows there are of what has more than PeopleCounted, which takes longer to count the more
// there are: a group of everybody, a gateway of all. Safe for concurrent use.
type counts struct {
	mu sync.Mutex
	of map[string]*count

	made  atomic.Int64 // users, by this node
	early atomic.Int64 // how many of them were made when PostgreSQL was last asked to count early
}

// count is how many there were, and until when that is good.
type count struct {
	n     int
	until time.Time
}

// How long a count is good, and how many are kept.
const (
	countKept  = time.Minute
	mostCounts = 10_000
)

// whole returns how many rows a query counts, of which some were found, PeopleCounted and one at most. Up to that it is
// as many; what is more was counted within the last minute, or is now. Who comes while somebody counts anew has
// what was counted before.
func (c conn) whole(ctx context.Context, some int, query string, args ...any) (int, error) {
	if some <= PeopleCounted {
		return some, nil
	}
	key := fmt.Sprint(query, args)
	if n, good := c.counts.kept(key, time.Now()); good {
		return n, nil
	}
	n, err := queryOne(ctx, c, value[int], query, args...)
	c.counts.keep(key, n, err, time.Now())
	return n, err
}

// kept returns a count that is good; false has the caller count.
func (k *counts) kept(key string, now time.Time) (n int, good bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	one := k.of[key]
	if one == nil {
		return 0, false
	}
	if now.Before(one.until) {
		return one.n, true
	}
	one.until = now.Add(countKept)
	return 0, false
}

// keep keeps what was counted.
func (k *counts) keep(key string, n int, err error, now time.Time) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if err != nil {
		delete(k.of, key)
		return
	}
	if k.of == nil || len(k.of) >= mostCounts {
		k.of = map[string]*count{}
	}
	k.of[key] = &count{n, now.Add(countKept)}
}

// upTo is a query of the number of rows of a table under a condition, PeopleCounted and one at most, so that it costs
// no more.
func upTo(table, which string) string {
	const text = `SELECT count(*) FROM (SELECT 1 FROM %s WHERE %s LIMIT %d) AS counted`
	return fmt.Sprintf(text, table, which, PeopleCounted+1)
}
