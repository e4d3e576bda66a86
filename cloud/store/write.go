package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"hash/crc32"
	"strings"
	"sync/atomic"
	"time"
)

// maxBatch bounds how many wait for one commit. PostgreSQL slows down beyond 64
// savepoints.
const maxBatch = 64

// oldBatch is when a transaction commits although others wait, whose are not the first to be
// kept waiting; and oldTurn when it does that other nodes wait for.
const (
	oldBatch = 25 * time.Millisecond
	oldTurn  = 3 * time.Millisecond
)

// Tx is one write transaction. It reads its own writes. Not safe for
// concurrent use, and of no use after the function that got it has returned.
type Tx struct {
	reader
	rows int    // that one statement adds at most
	each string // what makes rows of a list in JSON
}

// writer lets one at a time write, and those who queue share a commit: waiting
// for the disk is what a write costs most. Whoever finds nobody behind commits
// for all.
type writer struct {
	w       *sql.DB
	speak   func(engine) conn // makes a transaction understand portable SQL
	turnSQL string            // has other nodes wait until the transaction ends; empty: there are none
	limit   time.Duration     // of a transaction; 0: none
	old     time.Duration     // of one that commits although others wait
	turn    turns
	waiting atomic.Int64 // those who are sure to take the turn; the wait is not given up
	open    *batch       // of whoever wrote before and did not commit; by turn

	rows int    // that one statement adds at most
	each string // what makes rows of a list in JSON

	prepared  *prepared // statements that are kept parsed; nil: none
	condition condition
}

// batch is what one commit is for. Each member is a savepoint of its own.
type batch struct {
	ctx    context.Context // the transaction's: no member's end is its end
	cancel context.CancelFunc
	conn   *sql.Conn // that the transaction has to itself; nil: it is not asked about
	tx     *sql.Tx
	kept   *prepared // nil: none
	size   int
	short  bool // somebody in it writes a row or two
	began  time.Time
	done   chan struct{} // closed after err was set
	err    error
}

// Provision runs f in one write transaction: everything that f wrote is
// committed when it returns nil, and nothing of it otherwise. Its error is that
// of f, of the database or of the context. One f runs at a time, so it must not
// wait for anything but the database, nor call methods of the Store; those of
// tx.Store it may. A context
// that ends stops f at its next statement; a commit is not interrupted.
func (s *Store) Provision(ctx context.Context, f func(tx *Tx) error) error {
	if s.within != nil {
		return f(s.within)
	}
	return s.write(ctx, s.writer, "", f)
}

// What stands for an environment where rows are of none: tables that are decided on by
// themselves.
const (
	sessions = "sessions"
	links    = "links"
	tries    = "tries"
)

// ProvisionIn is Provision of an f that writes, and decides by, rows of one environment
// alone, but for what several environments share and one statement changes: where the
// engine can it keeps nobody of another environment waiting, and where it cannot it takes
// turns with them.
func (s *Store) ProvisionIn(ctx context.Context, env string, f func(tx *Tx) error) error {
	if s.within != nil {
		return f(s.within)
	}
	return s.write(ctx, s.lane(env), env, f)
}

// lane returns the writer of an environment.
func (s *Store) lane(env string) *writer {
	if len(s.lanes) == 0 {
		return s.writer
	}
	return s.lanes[crc32.ChecksumIEEE([]byte(env))%uint32(len(s.lanes))]
}

// short is the kind of turns that write a row or two, as most sign-ons do: they are apart from those
// of their environment that write many.
func short(env string) string { return env + shortKind }

// isShort tells whether it is that kind of turns.
func isShort(kind string) bool { return strings.HasSuffix(kind, shortKind) }

const shortKind = " short"

// add is ProvisionIn of an f that adds rows which nobody else decides on: it waits for no
// other node.
func (s *Store) add(ctx context.Context, env string, f func(tx *Tx) error) error {
	if s.within != nil {
		return f(s.within)
	}
	return s.write(ctx, s.light, short(env), f)
}

// write runs f in a transaction of one of the writers, in its turn among the environments.
func (s *Store) write(ctx context.Context, w *writer, env string, f func(tx *Tx) error) error {
	return s.writeBy(ctx, w, env, func() error { return w.member(ctx, f) })
}

// writeBy is write of what run adds to the open batch.
func (s *Store) writeBy(ctx context.Context, w *writer, env string, run func() error) error {
	b, err := w.take(ctx, env, run)
	if err == nil {
		<-b.done
		err = b.err
	}
	s.condition.saw(err)
	s.countEarly(ctx)
	return err
}

// Store returns the store as this transaction sees and writes it: what its methods
// do is done or undone with the rest. After one of them has failed, f must fail too.
func (tx *Tx) Store() *Store {
	return &Store{reader: tx.reader, within: tx, Current: &Current{db: tx.reader}}
}

// take waits for the turn and has run add to the open batch, which it returns and which is or will be
// committed.
func (w *writer) take(ctx context.Context, env string, run func() error) (*batch, error) {
	w.waiting.Add(1)
	defer w.turn.take(env)()
	w.waiting.Add(-1)
	defer w.commitIfLast() // also when f panics
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if w.open == nil {
		var err error
		if w.open, err = w.begin(context.WithoutCancel(ctx)); err != nil {
			return nil, fmt.Errorf("begin: %w", typed(err))
		}
	}
	b := w.open
	b.short = b.short || isShort(env)
	return b, run()
}

// begin opens a transaction; on return no other node has one until it ends.
func (w *writer) begin(ctx context.Context) (*batch, error) {
	b := &batch{ctx: ctx, cancel: func() {}, began: time.Now(), done: make(chan struct{}), kept: w.prepared}
	if w.prepared != nil {
		w.prepared.parse(ctx) // its one connection is free now
	}
	if w.limit > 0 {
		b.ctx, b.cancel = context.WithTimeout(ctx, w.limit)
	}
	if w.turnSQL == "" {
		var err error
		if b.tx, err = w.w.BeginTx(b.ctx, nil); err != nil {
			b.cancel()
		}
		return b, err
	}
	if err := b.takeTurn(w); err != nil {
		return nil, errors.Join(err, b.close())
	}
	b.began = time.Now() // it has kept nobody waiting until now
	return b, nil
}

// takeTurn begins the transaction, and waits for the other nodes.
func (b *batch) takeTurn(w *writer) (err error) {
	if b.conn, err = w.w.Conn(b.ctx); err != nil {
		return err
	}
	if b.tx, err = b.conn.BeginTx(b.ctx, nil); err != nil {
		return err
	}
	if _, err = b.tx.ExecContext(b.ctx, w.turnSQL+"; SAVEPOINT member"); err != nil {
		return errors.Join(err, b.tx.Rollback())
	}
	return nil
}

// close gives back what the transaction had, which is over.
func (b *batch) close() error {
	b.cancel()
	if b.conn == nil {
		return nil
	}
	return b.conn.Close()
}

// member runs f in a savepoint of the open batch, and takes back what it wrote
// when it fails.
func (w *writer) member(ctx context.Context, f func(tx *Tx) error) error {
	b := w.open
	b.size++
	if w.turnSQL == "" {
		if _, err := b.tx.ExecContext(b.ctx, "SAVEPOINT member"); err != nil {
			return w.abandon(err)
		}
	}
	ending := "ROLLBACK TO member"
	defer func() {
		if _, err := b.tx.ExecContext(b.ctx, ending); err != nil {
			_ = w.abandon(err) // every member learns it from the batch
		}
	}()
	changed := false
	err := f(&Tx{reader{w.speak(uninterrupted{b, &changed}.engine())}, w.rows, w.each})
	if err == nil {
		err = ctx.Err()
	}
	if err == nil && changed {
		err = typed(b.revise(b.ctx))
	}
	if err == nil {
		ending = w.released()
	}
	return err
}

// released is what ends a member that goes right: where that is a way to the server and back, the next begins with
// it. The last of them is committed with the rest.
func (w *writer) released() string {
	if w.turnSQL == "" {
		return "RELEASE member"
	}
	return "RELEASE member; SAVEPOINT member"
}

// alone adds one statement to the open batch, which is all that its member does: it needs no savepoint,
// since what is refused has written nothing. It returns the row that the statement does; the zero value when none.
// For SQLite: on PostgreSQL a refusal ends the transaction.
func alone[T any](
	ctx context.Context, w *writer, scan func(row) (T, error), query string, args ...any,
) (one T, err error) {
	w.open.size++
	db := w.speak(uninterrupted{w.open, new(bool)})
	all, err := queryAll(context.WithoutCancel(ctx), db, scan, query, args...)
	if err == nil && len(all) > 0 {
		return all[0], nil
	}
	if err == nil || errors.Is(err, ErrConflict) || errors.Is(err, ErrNotFound) {
		return one, err
	}
	return one, w.abandon(err)
}

// abandon ends a batch that cannot go on: none of its members is committed.
// It is the end of all who share the batch, also of those that have returned from their
// function: they learn it when they wait for the commit.
func (w *writer) abandon(err error) error {
	if w.open == nil {
		return err
	}
	w.end(errors.Join(fmt.Errorf("transaction: %w", typed(err)), w.open.tx.Rollback()))
	return typed(err)
}

// commitIfLast commits when nobody is behind who would.
func (w *writer) commitIfLast() {
	if w.open == nil {
		return
	}
	// Who writes a row or two waits for the disk with others of that kind, and not for those who write many.
	more := w.waiting.Load() > 0 && (!w.open.short || isShort(w.turn.ahead()))
	if more && w.open.size < maxBatch && time.Since(w.open.began) < w.old {
		return
	}
	w.end(w.open.tx.Commit())
}

// end tells the members of the open batch how it ended.
func (w *writer) end(err error) {
	if err != nil {
		w.open.err = fmt.Errorf("commit: %w", typed(err))
	}
	_ = w.open.close() // it was told already how the transaction ended
	close(w.open.done)
	w.open = nil
}

// close closes the database after the one whose turn it is.
func (w *writer) close() error {
	w.settle()
	return w.w.Close()
}

// settle commits what is open.
func (w *writer) settle() {
	defer w.turn.take("")()
	if w.open != nil {
		w.end(w.open.tx.Commit())
	}
}

// uninterrupted runs each statement to its end: one that is interrupted takes
// the whole transaction with it, and others share that. It begins none once the
// context has ended.
type uninterrupted struct {
	*batch
	settings *bool // set when settings are changed
}

// engine is itself, or more where the engine can.
func (u uninterrupted) engine() engine {
	if u.conn != nil {
		return pipeline{u, u.conn}
	}
	return u
}

// ExecContext implements engine.
func (u uninterrupted) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	*u.settings = *u.settings || changesSettings(query)
	if stmt := u.statement(query); stmt != nil {
		return stmt.ExecContext(u.ctx, args...)
	}
	return u.tx.ExecContext(u.ctx, query, args...)
}

// QueryContext implements engine.
func (u uninterrupted) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if stmt := u.statement(query); stmt != nil {
		return stmt.QueryContext(u.ctx, args...)
	}
	return u.tx.QueryContext(u.ctx, query, args...)
}

// statement returns the statement of a query as this transaction runs it, if it is kept
// parsed; otherwise the next transaction has it.
func (b *batch) statement(query string) *sql.Stmt {
	if b.kept == nil {
		return nil
	}
	stmt := b.kept.of(query)
	if stmt == nil {
		b.kept.want(query)
		return nil
	}
	return b.tx.StmtContext(b.ctx, stmt)
}
