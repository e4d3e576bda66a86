package store

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"runtime"

	"github.com/pressly/goose/v3"
	_ "modernc.org/sqlite" // the database driver
)

//go:embed migrations/*.sql
var migrations embed.FS

// ErrNewer says that the database was written by a newer program than this.
var ErrNewer = errors.New("the database is of a newer version of this program")

// pragmas hold for each connection. synchronous(FULL) makes a commit in WAL
// mode wait for the disk.
const pragmas = "?_pragma=busy_timeout(5000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=foreign_keys(1)"

// Store is the database. Safe for concurrent use. Its reads, promoted from
// reader, see what was committed before they began.
type Store struct {
	reader
	writer
	r *sql.DB
}

// Open opens the database in the file at path and brings its tables up to
// date; it makes the file, for its owner only, when there is none. It returns
// ErrNewer rather than touch a file that a newer program wrote.
func Open(ctx context.Context, path string) (*Store, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	if err := f.Close(); err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	s, err := openFile(path)
	if err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	if err := migrate(ctx, s.w); err != nil {
		return nil, errors.Join(fmt.Errorf("prepare database: %w", err), s.Close())
	}
	return s, nil
}

func openFile(path string) (*Store, error) {
	dsn := "file:" + (&url.URL{Path: filepath.ToSlash(path)}).EscapedPath() + pragmas
	w, err := sql.Open("sqlite", dsn+"&_txlock=immediate")
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
	return &Store{reader: reader{conn{r}}, writer: writer{w: w}, r: r}, nil
}

func migrate(ctx context.Context, db *sql.DB) error {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return err
	}
	p, err := goose.NewProvider(goose.DialectSQLite3, db, files)
	if err != nil {
		return err
	}
	version, err := p.GetDBVersion(ctx)
	if err != nil {
		return err
	}
	sources := p.ListSources()
	if newest := sources[len(sources)-1].Version; version > newest {
		return fmt.Errorf("%w: version %d, this program knows %d", ErrNewer, version, newest)
	}
	_, err = p.Up(ctx)
	return err
}

// Close closes the database after the calls under way.
func (s *Store) Close() error { return errors.Join(s.r.Close(), s.writer.close()) }

// Ping tells whether the database answers.
func (s *Store) Ping(ctx context.Context) error {
	if err := s.r.PingContext(ctx); err != nil {
		return fmt.Errorf("database: %w", err)
	}
	return nil
}
