package command

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"ldap-gateway/cloud"
)

// backupCommand is "backup". It says each time that the master key is not in the copy:
// a copy without it anywhere is worth nothing.
func (c *command) backupCommand() *cobra.Command {
	var data, to string
	cmd := &cobra.Command{
		Use:   "backup",
		Short: "Write a copy of a cloud into a file, also while it runs",
		Args:  cobra.NoArgs,
		Long: `Write a copy of a cloud's database into a new file, also while it runs. The copy is
of one moment. The master key is not in it: keep a copy of that apart, since
together they open everything.

A cloud on PostgreSQL is backed up by PostgreSQL's own tools, also while it runs:

  pg_dump --format=custom --file=cloud.dump 'postgres://USER@HOST/DATABASE'

and put back while no node runs:

  pg_restore --clean --if-exists --single-transaction --dbname='postgres://USER@HOST/DATABASE' cloud.dump
  ldap-cloud restore --database 'postgres://USER@HOST/DATABASE'`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := cloud.Backup(cmd.Context(), data, to); err != nil {
				return err
			}
			_, err := fmt.Fprintf(c.stdout, "The copy is in %s. The master key is not in it.\n", to)
			return err
		},
	}
	// Nothing is written over: the file must be a new one.
	cmd.Flags().StringVar(&data, "data", "", "data folder (required)")
	cmd.Flags().StringVar(&to, "to", "", "file to be made (required)")
	// It fails only when no flag has that name, a defect of the program.
	cobra.CheckErr(errors.Join(cmd.MarkFlagRequired("data"), cmd.MarkFlagRequired("to")))
	return cmd
}

// restoreCommand is "restore". What it prints names what an attacker would restore a
// copy for: what was revoked since is good again.
// A folder that has a cloud already is left as it is.
func (c *command) restoreCommand() *cobra.Command {
	var where databaseFlags
	var from string
	cmd := &cobra.Command{
		Use:   "restore",
		Short: "Make a data folder of a copy that \"backup\" wrote, or finish a restore on PostgreSQL",
		Args:  cobra.NoArgs,
		Long: `Make a data folder of a copy that "backup" wrote. The master key must be in the
folder already, or be named.

A cloud on PostgreSQL is put back by pg_restore while no node runs; this command then
does the rest: name the database and no --from. It looks whether the master key is that
of the database when you name it, as "run" does.

Either way everybody has to sign on again. Instances that are paired go on; but what
was revoked or changed since the copy is as it was then.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := restore(cmd.Context(), where, from); err != nil {
				return err
			}
			// What the copy undoes is said although all went well.
			_, err := fmt.Fprintf(c.stdout, "Restored."+
				" Instances, administrators, secrets and keys that were revoked since the copy are good again:\n"+
				"look through them. Start it: %s\n", where.start(""))
			return err
		},
	}
	where.addTo(cmd)
	cmd.Flags().StringVar(&from, "from", "", "file that \"backup\" wrote (with --data)")
	cmd.MarkFlagsRequiredTogether("data", "from")
	return cmd
}

// restore makes a data folder of a copy, or finishes what pg_restore began.
func restore(ctx context.Context, where databaseFlags, from string) error {
	if where.data != "" {
		return cloud.Restore(ctx, where.data, from, where.master)
	}
	database, err := where.database()
	if err != nil {
		return err
	}
	return cloud.FinishRestore(ctx, database, where.master)
}

// administratorCommand is "administrator". It needs the database and not the console:
// whoever may read the data folder may let somebody in, and nobody else. The reset is
// an activity like every other.
func (c *command) administratorCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "administrator",
		Short: "Let an administrator in again who is locked out",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	var where databaseFlags
	var url string
	reset := &cobra.Command{
		Use:   "reset NAME",
		Short: "Take an administrator's password and factors away, and print a link to set a new one",
		Args:  named("NAME"),
		Long: `Take an administrator's password, one-time passwords, passkeys and recovery codes
away, end the sessions, and print a link to the page of the console where a new
password is set. It is good once, and for an hour. It works also while the cloud runs.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			known := ""
			if url != "" {
				var err error
				if known, err = cloudURL(url); err != nil {
					return err
				}
			}
			database, err := where.database()
			if err != nil {
				return err
			}
			s, err := cloud.ResetAdministrator(cmd.Context(), database, known, args[0])
			if err != nil {
				return err
			}
			below := " below the address of the cloud"
			if known != "" {
				below = ""
			}
			_, err = fmt.Fprintf(c.stdout, "Within an hour, open%s\n\n  %s\n\nand set a password.\n", below, s.SetupURL)
			return err
		},
	}
	where.addTo(reset)
	reset.Flags().StringVar(&url, "url", "", "URL that the cloud is known by, to print the whole link")
	cmd.AddCommand(reset)
	return cmd
}
