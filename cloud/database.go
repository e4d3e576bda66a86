package cloud

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"ldap-gateway/cloud/store"
)

// InFolder returns the database of a data folder.
// It need not be there.
func InFolder(data string) string { return filepath.Join(data, "ldap-cloud.db") }

// Database returns the database that exactly one of the three names: a data
// folder, a PostgreSQL URL without a password, or a file whose text is a
// PostgreSQL URL. Arguments can be read by others on the machine, and the file
// must not be.
func Database(data, postgres, file string) (string, error) {
	switch {
	case postgres != "":
		if err := withoutPassword(postgres); err != nil {
			return "", fmt.Errorf("--database: %w", err)
		}
		return postgresURL("--database", postgres)
	case file != "":
		text, err := SecretText(file)
		if err != nil {
			return "", fmt.Errorf("--database-file: %w", err)
		}
		return postgresURL("--database-file", text)
	}
	return InFolder(data), nil
}

// postgresURL wants a URL of PostgreSQL; flag is what its error names. The URL itself
// is in no error, for it may have a password.
func postgresURL(flag, text string) (string, error) {
	if !store.IsPostgres(text) {
		return "", fmt.Errorf("%s: a PostgreSQL URL looks like postgres://USER@HOST/DATABASE?sslmode=verify-full", flag)
	}
	return text, nil
}

// withoutPassword returns an error when a URL has a password in it.
func withoutPassword(text string) error {
	u, err := url.Parse(text)
	if err != nil {
		return errors.New("not a URL") // the parser's words have all of it, password included
	}
	if _, has := u.User.Password(); has || u.Query().Has("password") {
		return errors.New("others can read the password in an argument:" +
			" put the URL into a file that only this program's user can read, and name that")
	}
	return nil
}

// SecretText returns the text of a file that nobody but its owner and group reads.
// On Windows the folder's own rights are what keeps others away, and are not looked at.
// Blanks and line ends around the text are no part of it.
func SecretText(path string) (string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", err
	}
	if mode := info.Mode().Perm(); mode&0o007 != 0 && runtime.GOOS != "windows" {
		return "", fmt.Errorf("%s can be read by everyone: chmod 640 %s", path, path)
	}
	b, err := os.ReadFile(path)
	return strings.TrimSpace(string(b)), err
}

// shown is a database as a log and an administrator may see it.
// Neither user nor password is in it.
func shown(database string) string {
	if !store.IsPostgres(database) {
		return database
	}
	u, err := url.Parse(database)
	if err != nil {
		return "PostgreSQL"
	}
	return "postgres://" + u.Host + u.Path
}

// initialised tells whether a database may hold a cloud; of PostgreSQL only its
// tables say so.
// A file that cannot be looked at counts as one that is there, so that nothing is
// written over.
func initialised(database string) bool {
	_, err := os.Stat(database)
	return store.IsPostgres(database) || !errors.Is(err, fs.ErrNotExist)
}

// noCloud says that a database has no cloud in it, and how one is made.
func noCloud(database string) error {
	return fmt.Errorf("no cloud in %s: make one with \"ldap-cloud init\"", shown(database))
}

// createDatabase opens a database that no cloud is in, and makes what is missing
// of it. It returns ErrInitialised when there is one; what an attempt before has left
// without one is gone on with.
func createDatabase(ctx context.Context, database string) (*store.Store, error) {
	if !initialised(database) {
		if err := checkOwner(filepath.Dir(database)); err != nil {
			return nil, err
		}
		if err := os.MkdirAll(filepath.Dir(database), 0o700); err != nil {
			return nil, err
		}
	}
	db, err := store.Open(ctx, database)
	if err != nil {
		return nil, err
	}
	all, err := db.Environments(ctx)
	if err == nil && len(all) > 0 {
		err = fmt.Errorf("%w: %s. Start it with \"ldap-cloud run\", make a link for a lost password with "+
			"\"ldap-cloud administrator reset\", or name another", ErrInitialised, shown(database))
	}
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}

// Remedy is what helps against an error that is the database's; empty: it is not the database's.
func Remedy(err error) string { return store.Remedy(err) }
