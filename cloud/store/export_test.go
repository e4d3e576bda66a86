package store

import (
	"context"
	"database/sql"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// TakeTurn is what a node of many begins to write with.
const TakeTurn = takeTurn

// RowsWritten returns how many rows the writing connection has written since
// the store was opened.
func (s *Store) RowsWritten(ctx context.Context) (int, error) {
	return queryOne(ctx, s.speak(s.w), value[int], `SELECT total_changes()`)
}

// PretendVersion makes the file look as if a program of that version wrote it.
func (s *Store) PretendVersion(ctx context.Context, version int) error {
	_, err := s.speak(s.w).exec(
		ctx,
		`INSERT INTO goose_db_version (version_id, is_applied) VALUES ($1, TRUE)`,
		version,
	)
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
	return Reader{reader{conn{db: e, fts: true, counts: &counts{}}}}, e
}

// ExplainAll has see be told how the engine goes about each statement of s, reads and
// writes, the first time that it is made. For SQLite.
func (s *Store) ExplainAll(see func(query string, steps []string)) {
	var seen sync.Map
	watch := func(e engine) engine { return watched{e, &seen, see} }
	s.c.db = watch(s.c.db)
	speak := s.writer.speak
	s.writer.speak = func(e engine) conn {
		c := speak(e)
		c.db = watch(c.db)
		return c
	}
}

// watched explains statements before it makes them.
type watched struct {
	engine
	seen *sync.Map
	see  func(query string, steps []string)
}

func (w watched) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	w.explain(ctx, query, args)
	return w.engine.QueryContext(ctx, query, args...)
}

func (w watched) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	w.explain(ctx, query, args)
	return w.engine.ExecContext(ctx, query, args...)
}

func (w watched) explain(ctx context.Context, query string, args []any) {
	verb, _, _ := strings.Cut(strings.TrimSpace(query), " ")
	if _, known := w.seen.LoadOrStore(query, true); known ||
		!slices.Contains([]string{"SELECT", "UPDATE", "DELETE", "INSERT", "WITH"}, verb) {
		return
	}
	steps, err := queryAll(ctx, conn{db: w.engine}, func(r row) (step string, err error) {
		var a, b, c any
		err = r.Scan(&a, &b, &c, &step)
		return strings.TrimSpace(step), err
	}, "EXPLAIN QUERY PLAN "+query, args...)
	if err == nil { // else the statement itself has the error
		w.see(query, steps)
	}
}

// Reader has the reads of a store.
type Reader struct{ reader }

// QueryContext implements engine.
func (e *Explained) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	steps, err := queryAll(ctx, conn{db: e.engine}, func(r row) (step string, err error) {
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

// Looked answers queries of PostgreSQL on one connection, which keeps how they are planned, and counts the rows that
// each has looked at.
type Looked struct {
	conn *sql.Conn
	Rows map[string]int // by query
}

// Look returns a reader of s whose queries are counted.
func (s *Store) Look(ctx context.Context) (Reader, *Looked, error) {
	c, err := s.r.Conn(ctx)
	l := &Looked{c, map[string]int{}}
	return Reader{reader{conn{db: l, counts: &counts{}}}}, l, err
}

// Close gives the connection back.
func (l *Looked) Close() error { return l.conn.Close() }

// QueryContext implements engine.
func (l *Looked) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	before, err := l.read(ctx)
	if err != nil {
		return nil, err
	}
	if _, err := l.conn.ExecContext(ctx, query, args...); err != nil {
		return nil, err
	}
	after, err := l.read(ctx)
	if err != nil {
		return nil, err
	}
	l.Rows[query] = after - before
	return l.conn.QueryContext(ctx, query, args...)
}

// ExecContext implements engine.
func (l *Looked) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	before, err := l.read(ctx)
	if err != nil {
		return nil, err
	}
	result, err := l.conn.ExecContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	after, err := l.read(ctx)
	l.Rows[query] = after - before
	return result, err
}

// Writes returns what writes on the connection, each statement by itself.
func (l *Looked) Writes(s *Store) *Tx {
	return &Tx{reader{conn{db: l, counts: &counts{}}}, s.writer.rows, s.writer.each}
}

// read returns how many rows and entries of indexes the server has read for everybody.
func (l *Looked) read(ctx context.Context) (rows int, err error) {
	var flushed any
	if err := l.conn.QueryRowContext(ctx, `SELECT pg_stat_force_next_flush()`).Scan(&flushed); err != nil {
		return 0, err
	}
	err = l.conn.QueryRowContext(ctx, `
		SELECT (SELECT sum(seq_tup_read) FROM pg_stat_user_tables) + (SELECT sum(idx_tup_read) FROM pg_stat_user_indexes)`).Scan(&rows)
	return rows, err
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

// Lanes tells whether environments write side by side.
func (s *Store) Lanes() bool { return len(s.lanes) > 0 }

// SameLane tells whether two environments share a turn.
func (s *Store) SameLane(one, two string) bool { return s.lane(one) == s.lane(two) }

// ProvisionAt is ProvisionIn at the writer of all, whatever the engine.
func (s *Store) ProvisionAt(ctx context.Context, env string, f func(*Tx) error) error {
	return s.write(ctx, s.writer, env, f)
}

// Add runs f as what adds rows that nobody else decides on.
func (s *Store) Add(ctx context.Context, env string, f func(*Tx) error) error {
	return s.add(ctx, env, f)
}

// Hold takes the turn of the writer of all, until it is released.
func (s *Store) Hold() (release func()) {
	return s.turn.take("")
}

// AwaitWaiting waits until n writers are in the queue.
func (s *Store) AwaitWaiting(t *testing.T, n int) { awaitQueue(t, &s.turn, n) }

func awaitQueue(t *testing.T, of *turns, n int) {
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for of.queued() < n {
		select {
		case <-tick.C:
		case <-t.Context().Done():
			return
		}
	}
}

// queued returns how many stand in the queues.
func (t *turns) queued() (n int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, q := range t.queues {
		n += len(q.waiting)
	}
	return n
}

// Expiring returns the tables of what is good until a time.
func Expiring() []string { return slices.Collect(maps.Keys(expiring())) }

// TablesWith returns the tables of a file that have a column.
func (s *Store) TablesWith(ctx context.Context, column string) ([]string, error) {
	return queryAll(ctx, s.c, value[string], `
		SELECT m.name FROM sqlite_master m, pragma_table_info(m.name) c WHERE m.type = 'table' AND c.name = $1`, column)
}

// CountRows returns how many rows a table has.
func (s *Store) CountRows(ctx context.Context, table string) (int, error) {
	return queryOne(ctx, s.c, value[int], `SELECT count(*) FROM `+table)
}

// HoldLists takes every turn that lists have; each call of pass gives one back.
func (s *Store) HoldLists() (pass func(), turns int) {
	var held []func()
	for range s.c.lists.most {
		held = append(held, s.c.lists.take(""))
	}
	return func() { next := held[0]; held = held[1:]; next() }, s.c.lists.most
}

// ListsWaiting returns how many lists of an environment are in the queue.
func (s *Store) ListsWaiting(env string) int {
	s.c.lists.mu.Lock()
	defer s.c.lists.mu.Unlock()
	if q := s.c.lists.queues[env]; q != nil {
		return len(q.waiting)
	}
	return 0
}

// AwaitLists waits until n lists are in the queue.
func (s *Store) AwaitLists(t *testing.T, n int) { awaitQueue(t, s.c.lists, n) }

// Turns are turns by themselves.
type Turns struct{ turns }

// Take waits for the turn.
func (t *Turns) Take(kind string) (pass func()) { return t.take(kind) }

// Expire has all that is good for a time be good no more.
func (tx *Tx) Expire(ctx context.Context) error {
	for table := range expiring() {
		if _, err := tx.c.exec(ctx, `UPDATE `+table+` SET expires_at = 1 WHERE expires_at > 0`); err != nil {
			return err
		}
	}
	return nil
}

// RecordAll is the statement that records all who wait in an environment.
var RecordAll = recordAll
