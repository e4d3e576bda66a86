package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// ErrUnavailable says that the database cannot be asked, or takes no writes, as when its
// disk is full: nothing is wrong with what was asked, and later it may work.
var ErrUnavailable = errors.New("the database is away, or takes nothing at this moment")

// away tells whether an error of an engine is ErrUnavailable.
func away(err error) bool {
	var file *sqlite.Error
	if errors.As(err, &file) {
		switch file.Code() & 0xff { // beyond it is which kind of that
		case sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN,
			sqlite3.SQLITE_BUSY, sqlite3.SQLITE_NOMEM:
			return true
		}
		return false
	}
	var refused *pgconn.PgError
	if errors.As(err, &refused) {
		code := refused.Code
		// connection lost, no resources such as disk, shutting down, a standby
		return strings.HasPrefix(code, "08") || strings.HasPrefix(code, "53") || strings.HasPrefix(code, "57P") ||
			code == "25006" || code == "55P03" || code == "57014"
	}
	var network net.Error
	var connecting *pgconn.ConnectError
	return errors.As(err, &network) || errors.As(err, &connecting) || errors.Is(err, driver.ErrBadConn) ||
		errors.Is(err, sql.ErrConnDone) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, context.DeadlineExceeded)
}

// condition is what is known of whether the database takes writes.
type condition struct {
	good, bad atomic.Int64 // when a write last succeeded and failed, in nanoseconds
	asking    sync.Mutex
	last      error // of the probe
	at        time.Time
}

// saw notes how a write ended.
func (c *condition) saw(err error) {
	switch {
	case err == nil:
		c.good.Store(time.Now().UnixNano())
	case errors.Is(err, ErrUnavailable):
		c.bad.Store(time.Now().UnixNano())
	}
}

const (
	// writeTrust is how long a write that succeeded is believed to be what the next will
	// do.
	writeTrust = 10 * time.Second
	// probeTrust is how long the answer of a probe is believed.
	probeTrust = time.Second
	// probeTime is how long a probe may take.
	probeTime = 2 * time.Second
	// filler is what a probe writes after a write has failed, in bytes: a disk that is all
	// but full has room for little.
	filler = 64 << 10
)

// Writable returns nil when the database takes writes: one succeeded of late, or one that
// is tried now. Else it returns ErrUnavailable. It is asked before a person's password is
// tried, so that nobody's is when the sign-on could not be recorded.
func (s *Store) Writable(ctx context.Context) error {
	good, bad := s.condition.good.Load(), s.condition.bad.Load()
	if good > bad && time.Since(time.Unix(0, good)) < writeTrust {
		return nil
	}
	c := &s.condition
	c.asking.Lock()
	defer c.asking.Unlock()
	if time.Since(c.at) < probeTrust {
		return c.last
	}
	c.last = s.probe(ctx, bad >= good && bad > 0)
	c.at = time.Now()
	return c.last
}

// probe writes something, and much when a write has failed.
func (s *Store) probe(ctx context.Context, much bool) error {
	ctx, cancel := context.WithTimeout(ctx, probeTime)
	defer cancel()
	text := ""
	if much {
		text = strings.Repeat("x", filler)
	}
	err := s.Provision(ctx, func(tx *Tx) error {
		_, err := tx.c.exec(ctx, `
			INSERT INTO probes (id, at, filler)
			VALUES (1, $1, $2)
			ON CONFLICT (id) DO UPDATE SET at = excluded.at, filler = excluded.filler`,
			micros(now()), text)
		return err
	})
	if err != nil && !errors.Is(err, ErrUnavailable) {
		return fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	return err
}
