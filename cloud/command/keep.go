package command

import (
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
together they open everything. A cloud on PostgreSQL is backed up by pg_dump.`,
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
	var data, from, master string
	cmd := &cobra.Command{
		Use:   "restore",
		Short: "Make a data folder of a copy that \"backup\" wrote",
		Args:  cobra.NoArgs,
		Long: `Make a data folder of a copy that "backup" wrote. The master key must be in the
folder already, or be named. Everybody has to sign on again. Instances that are
paired go on; but what was revoked or changed since the copy is as it was then.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := cloud.Restore(cmd.Context(), data, from, master); err != nil {
				return err
			}
			// What the copy undoes is said although all went well.
			_, err := fmt.Fprintf(c.stdout, "Restored."+
				" Instances, administrators, secrets and keys that were revoked since the copy are good again:\n"+
				"look through them. Start it: %s\n", databaseFlags{data: data}.start(""))
			return err
		},
	}
	cmd.Flags().StringVar(&data, "data", "", "data folder to be made (required)")
	cmd.Flags().StringVar(&from, "from", "", "file that \"backup\" wrote (required)")
	cmd.Flags().StringVar(&master, "master-key", "", "file with the master key (default: in the data folder)")
	cobra.CheckErr(errors.Join(cmd.MarkFlagRequired("data"), cmd.MarkFlagRequired("from")))
	return cmd
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
			once, err := cloud.ResetAdministrator(cmd.Context(), database, args[0])
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
