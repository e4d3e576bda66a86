package cloud

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"ldap-gateway/cloud/store"
)

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
			if err := Backup(cmd.Context(), data, to); err != nil {
				return err
			}
			_, err := fmt.Fprintf(c.stdout, "The copy is in %s. The master key is not in it.\n", to)
			return err
		},
	}
	cmd.Flags().StringVar(&data, "data", "", "data folder (required)")
	cmd.Flags().StringVar(&to, "to", "", "file to be made (required)")
	cobra.CheckErr(errors.Join(cmd.MarkFlagRequired("data"), cmd.MarkFlagRequired("to")))
	return cmd
}

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
			if err := Restore(cmd.Context(), data, from, master); err != nil {
				return err
			}
			_, err := fmt.Fprintf(c.stdout, "Restored. Instances, administrators, secrets and keys that were revoked since the copy are good again:\n"+
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

// Backup writes a copy of the cloud in a data folder into a new file.
func Backup(ctx context.Context, data, to string) error {
	if !initialised(InFolder(data)) {
		return noCloud(InFolder(data))
	}
	return store.Backup(ctx, InFolder(data), to)
}

// Restore makes the cloud of a data folder of what Backup wrote. Its error is
// ErrInitialised when there is one. Nothing is left behind when it fails.
func Restore(ctx context.Context, data, from, masterKey string) (err error) {
	database := InFolder(data)
	if initialised(database) {
		return fmt.Errorf("%w: %s. Name another folder, or move this one away", ErrInitialised, data)
	}
	if _, err := openVault(masterKey, database); err != nil {
		return err
	}
	if err := checkOwner(data); err != nil {
		return err
	}
	if err := os.MkdirAll(data, 0o700); err != nil {
		return err
	}
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
	return os.Rename(beside, database)
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
