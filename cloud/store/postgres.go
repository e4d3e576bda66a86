package store

import (
	"errors"
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

// takeTurn makes a transaction the only one that writes, over all nodes, until
// it ends. The limits free the others from a node that holds the turn and has
// gone without a word. Its number is "ldap" in ASCII.
const takeTurn = `
	SELECT set_config('lock_timeout', '10s', true), set_config('statement_timeout', '15s', true),
		set_config('idle_in_transaction_session_timeout', '5s', true), pg_advisory_xact_lock(1818517872)`

// takeNoTurn has what adds rows of its own alone wait for no other node, with the same
// limits.
const takeNoTurn = `
	SELECT set_config('lock_timeout', '10s', true), set_config('statement_timeout', '15s', true),
		set_config('idle_in_transaction_session_timeout', '5s', true)`

// batchTime is how long a transaction may take, waiting for the turn and the
// commit included. A database that answers nothing holds nobody up for longer.
const batchTime = 20 * time.Second

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

// openPostgres opens two pools, so that readers never keep the writer from a
// connection. The URL may leave the password to a password file or a service file.
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
	as := func(tx engine) engine { return tx }
	return &Store{
		reader:  reader{conn{r}},
		writer:  &writer{w: w, speak: as, turnSQL: takeTurn, limit: batchTime, rows: chunk, each: "json_array_elements"},
		light:   &writer{w: w, speak: as, turnSQL: takeNoTurn, limit: batchTime, rows: chunk, each: "json_array_elements"},
		Current: &Current{db: reader{conn{r}}},
		r:       r,
	}, nil
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
