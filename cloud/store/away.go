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

	asking sync.Mutex // guards what follows
	last   error      // of the probe
	at     time.Time
	probes chan struct{} // closed when the probe under way has ended; nil: none is
	since  time.Time     // that is under way
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
	writeTrust = 5 * time.Second
	// probeTrust is how long the answer of a probe is believed.
	probeTrust = time.Second
	// probeTime is how long a probe is waited for. One that takes longer, as when a server has
	// stopped without a word, is left to end by itself.
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
	return s.condition.ask(ctx, func() error {
		return s.probe(context.WithoutCancel(ctx), bad >= good && bad > 0)
	})
}

// WriteFailed tells whether the write that ended last failed because the database takes none. It writes nothing.
func (s *Store) WriteFailed() bool {
	bad := s.condition.bad.Load()
	return bad > 0 && bad >= s.condition.good.Load()
}

// TakesWrites is Writable of a write as large as most, whatever was written before: a disk that is all but full takes
// the small ones.
func (s *Store) TakesWrites(ctx context.Context) error {
	return s.condition.ask(ctx, func() error { return s.probe(context.WithoutCancel(ctx), true) })
}

// ask returns what a probe found a moment ago, or finds now; ErrUnavailable when it takes too long.
func (c *condition) ask(ctx context.Context, probe func() error) error {
	c.asking.Lock()
	if c.probes == nil {
		if time.Since(c.at) < probeTrust {
			defer c.asking.Unlock()
			return c.last
		}
		c.probes, c.since = make(chan struct{}), time.Now()
		go c.find(c.probes, probe)
	}
	ended, patience := c.probes, time.NewTimer(probeTime-time.Since(c.since))
	c.asking.Unlock()
	defer patience.Stop()
	select {
	case <-ended:
	case <-patience.C:
		return fmt.Errorf("%w: it has not taken a write for %s", ErrUnavailable, probeTime)
	case <-ctx.Done():
		return fmt.Errorf("%w: %w", ErrUnavailable, ctx.Err())
	}
	c.asking.Lock()
	defer c.asking.Unlock()
	return c.last
}

// find notes what a probe finds.
func (c *condition) find(ended chan struct{}, probe func() error) {
	err := probe()
	c.asking.Lock()
	defer c.asking.Unlock()
	c.last, c.at, c.probes = err, time.Now(), nil
	close(ended)
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
