package cloud

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"ldap-gateway/cloud/administrators"
	"ldap-gateway/cloud/store"
)

func (c *command) administratorCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "administrator",
		Short: "Let an administrator in again who is locked out",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	var where databaseFlags
	reset := &cobra.Command{
		Use:   "reset NAME",
		Short: "Take an administrator's password and factors away, and print a set-up secret",
		Args:  cobra.ExactArgs(1),
		Long: `Take an administrator's password, one-time passwords and passkeys away, end the
sessions, and print a one-time secret by which a new password is set in the console.
It works also while the cloud runs.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			database, err := where.database()
			if err != nil {
				return err
			}
			once, err := ResetAdministrator(cmd.Context(), database, args[0])
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(
				c.stdout,
				"Open the console at /console/setup and set a password for %q with this one-time secret:\n\n  %s\n",
				args[0],
				once,
			)
			return err
		},
	}
	where.addTo(reset)
	cmd.AddCommand(reset)
	return cmd
}

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
