package store

import (
	"context"
	"database/sql"
	"strings"
	"sync"
	"time"
)

// TakeTurn is what a node of many begins to write with.
const TakeTurn = takeTurn

// RowsWritten returns how many rows the writing connection has written since
// the store was opened.
func (s *Store) RowsWritten(ctx context.Context) (int, error) {
	return queryOne(ctx, conn{s.speak(s.w)}, value[int], `SELECT total_changes()`)
}

// PretendVersion makes the file look as if a program of that version wrote it.
func (s *Store) PretendVersion(ctx context.Context, version int) error {
	_, err := conn{s.speak(s.w)}.exec(ctx, `INSERT INTO goose_db_version (version_id, is_applied) VALUES ($1, TRUE)`, version)
	return err
}

// Explained answers queries as its engine does, and keeps how.
type Explained struct {
	engine
	mu    sync.Mutex
	Plans map[string][]string // steps by query
}

// Explain returns a reader of s whose queries are explained.
func (s *Store) Explain() (Reader, *Explained) {
	e := &Explained{engine: s.c.db, Plans: map[string][]string{}}
	return Reader{reader{conn{e}}}, e
}

// Reader has the reads of a store.
type Reader struct{ reader }

// QueryContext implements engine.
func (e *Explained) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	steps, err := queryAll(ctx, conn{e.engine}, func(r row) (step string, err error) {
		var a, b, c any
		err = r.Scan(&a, &b, &c, &step)
		return strings.TrimSpace(step), err
	}, "EXPLAIN QUERY PLAN "+query, args...)
	if err != nil {
		return nil, err
	}
	e.mu.Lock()
	e.Plans[query] = steps
	e.mu.Unlock()
	return e.engine.QueryContext(ctx, query, args...)
}

// Waiting returns how many writers queue for their turn.
func (s *Store) Waiting() int { return int(s.waiting.Load()) }

// EndTransaction does what an engine does that has run out of disk or memory.
func (tx *Tx) EndTransaction(ctx context.Context) error {
	_, err := tx.c.exec(ctx, "ROLLBACK")
	return err
}

// Many is from how many members on the newest proof is looked for from the other end.
const Many = many

// LastSeen is Group's LastSeenAt.
func (r reader) LastSeen(ctx context.Context, g Group) (time.Time, error) { return r.lastSeen(ctx, g) }
