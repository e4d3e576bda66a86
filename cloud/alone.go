package cloud

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"ldap-gateway/cloud/store"
)

// errTaken says that another program has the lock.
var errTaken = errors.New("taken")

// lockAt is the byte that says whose the file is: it need not be there.
const lockAt = 1 << 62

// alone keeps every other node from a database in a file, which is for one: two would not hear of each other's
// agents and sign-offs. It holds until released, and ends with the program however that ends. Of PostgreSQL there
// is nothing to keep. The error is that of noCloud where no cloud is.
//
// What is locked is a byte of the file itself, far from those that SQLite locks: whatever name leads to the file, it is
// one, and nothing beside it can be taken away. It is released once the database is closed: a file that a process
// closes is, to the system, locked no more by the process, which SQLite would not know.
func alone(database string) (release func() error, err error) {
	if !initialised(database) {
		return nil, noCloud(database)
	}
	if store.IsPostgres(database) {
		return func() error { return nil }, nil
	}
	f, err := os.OpenFile(database, os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	if err := lock(f); errors.Is(err, errTaken) {
		err = fmt.Errorf("another ldap-cloud runs on %s: stop it first. Several nodes need PostgreSQL and a bus",
			filepath.Dir(database))
		return nil, errors.Join(err, f.Close())
	}
	return f.Close, nil // where files cannot be locked it goes on as if it were alone
}
