package store

import (
	"context"
	"database/sql"
	"errors"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"

	"github.com/pressly/goose/v3"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// pragmas hold for each connection. synchronous(FULL) makes a commit in WAL
// mode wait for the disk, and case_sensitive_like has LIKE compare as PostgreSQL's does.
// temp_store(2) keeps what undoes a savepoint in memory: after a crash nobody wants it.
// journal_size_limit lets the journal beside the file become smaller again.
const pragmas = "?_pragma=busy_timeout(5000)" +
	"&_pragma=journal_size_limit(67108864)" +
	"&_pragma=case_sensitive_like(1)" +
	"&_pragma=journal_mode(WAL)" +
	"&_pragma=synchronous(FULL)" +
	"&_pragma=temp_store(2)" +
	"&_pragma=foreign_keys(1)"

// sqliteProduct is SQLite in one file, for a cloud of one node.
func sqliteProduct() product {
	return product{open: openFile, dialect: goose.DialectSQLite3}
}

// openFile opens the database in the file at path, and makes the file, for its
// owner only, when there is none.
// One connection writes, and each transaction of it takes the lock of the file when it
// begins: one that began as a reader could not become a writer once another has
// written. Readers see the file as it was when they began, and wait for nobody.
func openFile(path string) (*Store, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err := errors.Join(err, f.Close()); err != nil {
		return nil, err
	}
	file := "file:" + (&url.URL{Path: filepath.ToSlash(path)}).EscapedPath()
	dsn, first := file+pragmas, file+pragmas
	if info.Size() == 0 {
		// It lets the file become smaller again, and has to come before anything else.
		first = file + strings.Replace(pragmas, "?", "?_pragma=auto_vacuum(2)&", 1)
	}
	w, err := sql.Open("sqlite", first+"&_txlock=immediate")
	if err != nil {
		return nil, err
	}
	w.SetMaxOpenConns(1)
	r, err := sql.Open("sqlite", dsn+"&_pragma=query_only(1)")
	if err != nil {
		return nil, errors.Join(err, w.Close())
	}
	readers := max(4, 2*runtime.GOMAXPROCS(0))
	r.SetMaxOpenConns(readers)
	r.SetMaxIdleConns(readers)
	known := &texts{of: map[string]string{}}
	counts := &counts{}
	one := &writer{
		w:        w,
		speak:    func(tx engine) conn { return conn{db: numbered{tx, known}, fts: true, counts: counts} },
		prepared: &prepared{DB: w},
		each:     "json_each",
		old:      oldBatch,
		rows:     1, // one that is parsed already is quicker, row by row, than a long one
	}
	reads := reader{conn{
		db:     numbered{&prepared{DB: r}, known},
		fts:    true,
		lists:  &turns{most: readers / 2},
		counts: counts,
	}}
	return &Store{reader: reads, writer: one, light: one, Current: &Current{db: reads}, r: r}, nil
}

// numbered rewrites $1 to what SQLite takes for the first argument.
// (It takes $1 for the argument that is called $1.)
type numbered struct {
	engine
	known *texts
}

// ExecContext implements engine.
func (n numbered) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	return n.engine.ExecContext(ctx, n.known.placed(query), args...)
}

// QueryContext implements engine.
func (n numbered) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	return n.engine.QueryContext(ctx, n.known.placed(query), args...)
}

// texts keeps how statements are written for SQLite, by how they are written for both: as
// many as are kept parsed. Safe for concurrent use.
type texts struct {
	mu sync.RWMutex
	of map[string]string
}

// placed is placed of a statement, which most are made of again and again.
func (t *texts) placed(query string) string {
	t.mu.RLock()
	text, known := t.of[query]
	t.mu.RUnlock()
	if known {
		return text
	}
	text = placed(query)
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(query) <= longestPrepared && len(t.of) < mostPrepared {
		t.of[query] = text
	}
	return text
}

// placed writes ? for each of $1, $2, … where they come in their order, each once, and
// ?1, ?2, … otherwise. The driver looks for the name of each argument that has one
// among all names, which costs a statement of thousands more than its rows do.
func placed(query string) string {
	var b strings.Builder
	rest := query
	for i := 1; ; i++ {
		before, after, more := strings.Cut(rest, "$")
		b.WriteString(before)
		if !more {
			return b.String()
		}
		digits := len(after) - len(strings.TrimLeft(after, "0123456789"))
		if after[:digits] != strconv.Itoa(i) {
			return strings.ReplaceAll(query, "$", "?")
		}
		b.WriteByte('?')
		rest = after[digits:]
	}
}

// sqliteRefusal returns what of our errors an error of SQLite is; nil: none.
func sqliteRefusal(err error) error {
	var e *sqlite.Error
	if !errors.As(err, &e) {
		return nil
	}
	switch e.Code() {
	case sqlite3.SQLITE_CONSTRAINT_UNIQUE, sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY:
		return ErrConflict
	case sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY:
		return ErrNotFound
	}
	return nil
}
