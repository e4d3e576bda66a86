package store

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"sync/atomic"

	"github.com/pressly/goose/v3"
)

//go:embed migrations/*.sql
var migrations embed.FS

// ErrNewer says that the database was written by a newer program than this.
var ErrNewer = errors.New("the database is of a newer version of this program")

// Store is the database. Safe for concurrent use. Its reads, promoted from
// reader, see what was committed before they began.
type Store struct {
	reader
	*writer
	lanes []*writer // each for some of the environments; none: the writer has all
	light *writer   // for what needs no turn among the nodes; on SQLite it is the writer
	// recorder records sign-ons that change nothing; nil: the writer does.
	recorder *recorder
	// Current has the settings that every sign-on reads, in memory.
	Current *Current
	r       *sql.DB
	within  *Tx // of which this is a view; nil: each method has a transaction of its own

	recounted atomic.Int64 // when Recount last did, in microseconds since 1970
}

// product is a kind of database: what Open has to know of it.
type product struct {
	open    func(where string) (*Store, error)
	dialect goose.Dialect
	options func() ([]goose.ProviderOption, error) // nil: none
}

// Open opens the database that where names, a PostgreSQL URL or the path of an
// SQLite file, and brings its tables up to date; several nodes may do so at the
// same time. It makes the file, for its owner only, when there is none. It
// returns ErrNewer rather than touch what a newer program wrote, and ErrUnavailable when
// the database cannot be reached.
func Open(ctx context.Context, where string) (*Store, error) {
	p := sqliteProduct
	if IsPostgres(where) {
		p = postgresProduct
	}
	s, err := p().open(where)
	if err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	if err := p().migrate(ctx, s); err != nil {
		return nil, errors.Join(fmt.Errorf("prepare database: %w", typed(err)), s.Close())
	}
	return s, nil
}

// migrate brings the tables up to date, one step after the other, each in a
// transaction. It looks first whether the database is ahead of this program, and then
// touches nothing: an old node beside new ones would write rows that lack what they
// count on.
func (p product) migrate(ctx context.Context, s *Store) error {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return err
	}
	options := []goose.ProviderOption{goose.WithGoMigrations(s.findable(), s.largeLists(), s.accents())}
	if p.options != nil {
		more, err := p.options()
		if err != nil {
			return err
		}
		options = append(options, more...)
	}
	g, err := goose.NewProvider(p.dialect, s.w, files, options...)
	if err != nil {
		return err
	}
	version, err := g.GetDBVersion(ctx)
	if err != nil {
		return err
	}
	sources := g.ListSources()
	if newest := sources[len(sources)-1].Version; version > newest {
		return fmt.Errorf(
			"%w: version %d, this program knows %d: start the newer program, or restore a backup from before the update",
			ErrNewer, version, newest,
		)
	}
	_, err = g.Up(ctx)
	return err
}

// Close closes the database after the calls under way.
func (s *Store) Close() error {
	if s.light != s.writer {
		s.light.settle()
	}
	var err error
	for i, lane := range s.lanes {
		lane.settle()
		if i == len(s.lanes)-1 {
			err = lane.close() // they share it
		}
	}
	return errors.Join(err, s.r.Close(), s.writer.close())
}

// Ping tells whether the database answers.
func (s *Store) Ping(ctx context.Context) error {
	if err := s.r.PingContext(ctx); err != nil {
		return fmt.Errorf("database: %w", err)
	}
	return nil
}
