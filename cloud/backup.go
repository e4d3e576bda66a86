package cloud

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"ldap-gateway/cloud/store"
	"ldap-gateway/cloud/vault"
)

// Backup writes a copy of the cloud in a data folder into a new file.
// The file must not be there. Of PostgreSQL there is no copy by this: no data folder
// has it.
func Backup(ctx context.Context, data, to string) error {
	if !initialised(InFolder(data)) {
		return noCloud(InFolder(data))
	}
	return store.Backup(ctx, InFolder(data), to)
}

// Restore makes the cloud of a data folder of what Backup wrote. Its error is
// ErrInitialised when there is one, and ErrOtherKey when the master key is another cloud's.
// Nothing is left behind when it fails.
func Restore(ctx context.Context, data, from, masterKey string) (err error) {
	database := InFolder(data)
	if initialised(database) {
		return fmt.Errorf("%w: %s. Name another folder, or move this one away", ErrInitialised, data)
	}
	keys, err := openVault(masterKey, database)
	if err != nil {
		return err
	}
	if err := checkOwner(data); err != nil {
		return err
	}
	if err := os.Mkdir(data, 0o700); err == nil {
		defer func() { _ = os.Remove(data) }() // which fails when there is something in it
	} else if err := os.MkdirAll(data, 0o700); err != nil {
		return err
	}
	// It is made whole beside the place, and renamed: a restore that is cut off leaves
	// no half a cloud.
	beside := filepath.Join(data, "restoring.db")
	defer func() {
		for _, more := range []string{"", "-wal", "-shm"} {
			_ = os.Remove(beside + more) // after a rename there is none
		}
	}()
	if err := copyFile(from, beside); err != nil {
		return err
	}
	if err := store.Restored(ctx, beside); err != nil {
		return err
	}
	if err := opensWith(ctx, beside, keys); err != nil {
		return err
	}
	return os.Rename(beside, database)
}

// opensWith wants the master key of a database.
func opensWith(ctx context.Context, database string, keys *vault.Vault) error {
	db, err := store.Open(ctx, database)
	if err != nil {
		return err
	}
	return errors.Join(ofDatabase(ctx, db, keys), db.Close())
}

// FinishRestore does what is left when a database was put back by its own tools: it brings
// the tables up to date and ends all sessions and tokens, since those that were ended
// since the copy would be good again. A master key that is named must be the database's: else it
// changes no session, and returns ErrOtherKey.
func FinishRestore(ctx context.Context, database, masterKey string) error {
	keys, err := openVault(masterKey, database)
	if err != nil && !errors.Is(err, errMasterKey) {
		return err
	}
	db, err := store.Open(ctx, database)
	if err != nil {
		return err
	}
	if keys != nil {
		err = ofDatabase(ctx, db, keys)
	}
	if err == nil {
		err = db.ForgetSessions(ctx)
	}
	return errors.Join(err, db.Close())
}

// copyFile copies a file to a new one, for its owner only, down to the disk.
func copyFile(from, to string) (err error) {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Sync(), out.Close())
}
