package cloud

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"ldap-gateway/cloud/administrators"
	"ldap-gateway/cloud/store"
)

// ResetAdministrator takes every proof of an administrator away and returns a set-up secret,
// good once and for an hour, with its link at the cloud's URL. Its error wraps
// store.ErrNotFound when there is nobody of that name.
func ResetAdministrator(ctx context.Context, database, url, name string) (Setup, error) {
	return setUpAnew(ctx, database, url, func(tx *store.Tx) (store.Administrator, error) {
		a, err := tx.Administrator(ctx, name)
		if errors.Is(err, store.ErrNotFound) {
			err = missing(ctx, tx, name, err)
		}
		return a, err
	})
}

// missing says who there is where there is nobody of a name: whoever reads the database may know.
func missing(ctx context.Context, tx *store.Tx, name string, notFound error) error {
	all, err := tx.Environments(ctx)
	var names []string
	for _, e := range all {
		of, failed := tx.Administrators(ctx, e.ID)
		err = errors.Join(err, failed)
		for _, a := range of {
			names = append(names, a.Name)
		}
	}
	if err != nil {
		return err
	}
	if len(names) > mostNames {
		names = append(names[:mostNames], "…")
	}
	return fmt.Errorf("administrator %q: %w. Name one of: %s", name, notFound, strings.Join(names, ", "))
}

// mostNames is how many names of others an error has.
const mostNames = 20

// SetUpAnew returns a new set-up secret for a cloud in which nobody has set a password yet, and
// whose it is. ErrInitialised when somebody has.
func SetUpAnew(ctx context.Context, database, url string) (Setup, error) {
	return setUpAnew(ctx, database, url, func(tx *store.Tx) (store.Administrator, error) {
		a, err := tx.FirstAdministrator(ctx)
		if err == nil && a.PasswordHash != "" {
			err = ErrInitialised
		}
		return a, err
	})
}

// setUpAnew takes every proof of the administrator away whom whose returns.
func setUpAnew(
	ctx context.Context, database, url string, whose func(*store.Tx) (store.Administrator, error),
) (s Setup, err error) {
	if !initialised(database) {
		return s, noCloud(database)
	}
	db, err := store.Open(ctx, database)
	if err != nil {
		return s, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	once, hash := administrators.NewSetupSecret()
	err = db.Provision(ctx, func(tx *store.Tx) error {
		a, err := whose(tx)
		if err != nil {
			return err
		}
		s = Setup{
			EnvironmentID: a.EnvironmentID,
			ConsoleURL:    url + "/console/",
			Administrator: a.Name,
			AdminSetup:    once,
			SetupURL:      administrators.SetupLink(url, a.Name, once),
		}
		text := "the password and factors of administrator " + a.Name + " were taken away on the server"
		if a.PasswordHash == "" {
			text = "administrator " + a.Name + " was given a new set-up link on the server"
		}
		until := time.Now().Add(administrators.SetupOnServer)
		if err := tx.Store().ResetAdministrator(ctx, a.EnvironmentID, a.ID, hash, until); err != nil {
			return err
		}
		return tx.AddActivity(ctx, store.Activity{
			EnvironmentID: a.EnvironmentID,
			Action:        "administrator.reset",
			Actor:         "system",
			Subject:       "administrator:" + a.ID,
			Text:          text,
		})
	})
	return s, err
}
