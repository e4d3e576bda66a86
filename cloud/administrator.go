package cloud

import (
	"context"
	"errors"
	"fmt"

	"ldap-gateway/cloud/administrators"
	"ldap-gateway/cloud/store"
)

// ResetAdministrator takes every proof of an administrator away and returns a
// one-time set-up secret. Its error wraps store.ErrNotFound when there is nobody
// of that name.
func ResetAdministrator(ctx context.Context, database, name string) (once string, err error) {
	if !initialised(database) {
		return "", noCloud(database)
	}
	db, err := store.Open(ctx, database)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	a, err := db.Administrator(ctx, name)
	if err != nil {
		return "", fmt.Errorf("administrator %q: %w", name, err)
	}
	once, hash := administrators.NewSetupSecret()
	return once, db.Provision(ctx, func(tx *store.Tx) error {
		if err := tx.Store().ResetAdministrator(ctx, a.EnvironmentID, a.ID, hash); err != nil {
			return err
		}
		return tx.AddActivity(ctx, store.Activity{
			EnvironmentID: a.EnvironmentID,
			Action:        "administrator.reset",
			Actor:         "system",
			Subject:       "administrator:" + a.ID,
			Text:          "the password and factors of administrator " + a.Name + " were taken away on the server",
		})
	})
}
