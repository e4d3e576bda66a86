package store

import (
	"database/sql"
	"errors"
	"fmt"
	"net"
	"os"
	"runtime"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
)

// takeNoTurn has what adds rows of its own alone wait for no other node. Its limits free the
// others from a node that holds a turn and has gone without a word.
const takeNoTurn = `
	SELECT set_config('lock_timeout', '10s', true), set_config('statement_timeout', '15s', true),
		set_config('idle_in_transaction_session_timeout', '5s', true)`

// takeTurn makes a transaction the only one that writes, over all nodes, until
// it ends. Its number is "ldap" in ASCII.
const takeTurn = takeNoTurn + `, pg_advisory_xact_lock(1818517872)`

// takeLane is takeTurn among the writers of some environments: those of others go on, and
// who takes the whole turn waits for all.
const takeLane = takeNoTurn + `, pg_advisory_xact_lock_shared(1818517872), pg_advisory_xact_lock(1818517872, %d)`

// recorderConns is how many statements of the recorder are on their way at once.
const recorderConns = 2

// lanes is in how many parts environments write side by side, and laneConns how many of
// them at one node.
const (
	lanes     = 32
	laneConns = 8
)

// batchTime is how long a transaction may take, waiting for the turn and the
// commit included. A database that answers nothing holds nobody up for longer.
const batchTime = 20 * time.Second

// readTime is how long one read may take, and settingsTime one of those that every sign-on makes.
const (
	readTime     = 10 * time.Second
	settingsTime = 5 * time.Second
)

// IsPostgres tells whether where is the URL of a PostgreSQL database.
func IsPostgres(where string) bool {
	return strings.HasPrefix(where, "postgres://") || strings.HasPrefix(where, "postgresql://")
}

// postgresProduct is PostgreSQL, with a lock around the migrations that is held by the
// session and ends with it.
func postgresProduct() product {
	return product{open: openPostgres, dialect: goose.DialectPostgres, options: func() ([]goose.ProviderOption, error) {
		// Of nodes that start together, one brings the tables up to date.
		l, err := lock.NewPostgresSessionLocker(lock.WithLockTimeout(1, 300))
		return []goose.ProviderOption{goose.WithSessionLocker(l)}, err
	}}
}

// openPostgres opens three pools, so that neither readers nor the writers of some
// environments keep the writer of all from a connection. The URL may leave the password to
// a password file or a service file.
func openPostgres(url string) (*Store, error) {
	cfg, err := pgx.ParseConfig(url)
	if err != nil {
		return nil, err // pgx leaves the password out of it
	}
	if err := protected(url, cfg); err != nil {
		return nil, err
	}
	if cfg.ConnectTimeout == 0 {
		cfg.ConnectTimeout = 5 * time.Second
	}
	w, r := stdlib.OpenDB(*cfg), stdlib.OpenDB(*cfg)
	w.SetMaxOpenConns(4)
	w.SetMaxIdleConns(4)
	readers := max(8, 4*runtime.GOMAXPROCS(0))
	r.SetMaxOpenConns(readers)
	r.SetMaxIdleConns(readers)
	counts := &counts{}
	s := &Store{
		reader: reader{conn{db: r, lists: &turns{most: readers / 2}, counts: counts, limit: readTime}},
		writer: postgresWriter(w, takeTurn, counts),
		light:  postgresWriter(w, takeNoTurn, counts),

		recorder: &recorder{
			db: w, turn: turns{most: recorderConns}, next: map[string]*recording{}, last: map[string]*recording{},
		},
		Current: &Current{db: reader{conn{db: r, limit: readTime}}},
		r:       r,
	}
	l := stdlib.OpenDB(*cfg)
	l.SetMaxOpenConns(laneConns)
	l.SetMaxIdleConns(laneConns)
	for i := range lanes {
		s.lanes = append(s.lanes, postgresWriter(l, fmt.Sprintf(takeLane, i), counts))
	}
	return s, nil
}

func postgresWriter(w *sql.DB, turn string, counts *counts) *writer {
	as := func(tx engine) conn { return conn{db: tx, counts: counts} }
	return &writer{
		w: w, speak: as, turnSQL: turn, limit: batchTime, old: oldTurn, rows: chunk, each: "json_array_elements",
	}
}

// protected wants an administrator's word on how a database elsewhere is talked
// to: left to itself the driver falls back to clear text.
func protected(url string, cfg *pgx.ConnConfig) error {
	here := strings.HasPrefix(cfg.Host, "/") || cfg.Host == "localhost" || net.ParseIP(cfg.Host).IsLoopback()
	if here || strings.Contains(url, "sslmode=") || os.Getenv("PGSSLMODE") != "" {
		return nil
	}
	return errors.New("say how the connection is protected: add sslmode=verify-full to the URL," +
		" and sslrootcert=FILE for an authority of your own")
}

// postgresRefusal returns what of our errors an error of PostgreSQL is, by its
// SQLSTATE; nil: none.
func postgresRefusal(err error) error {
	var e *pgconn.PgError
	if !errors.As(err, &e) {
		return nil
	}
	switch e.Code {
	case "23505": // unique_violation
		return ErrConflict
	case "23503": // foreign_key_violation
		return ErrNotFound
	}
	return nil
}
