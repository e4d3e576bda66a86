package command

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"ldap-gateway/configs"
	"ldap-gateway/installer"
)

func (c *command) installCommand() *cobra.Command {
	var dryRun bool
	cmd := &cobra.Command{
		Use:   "install",
		Short: "Make this program a system service",
		Args:  cobra.NoArgs,
		Long: `Make this program a service that starts with the machine, under an account of
its own (Linux with systemd, System V or OpenRC, or Windows; as root or
administrator). Running it again finishes what was interrupted, and brings a
newer program in. Your gateway.hcl is never changed.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			install, _, err := plans(false)
			if err != nil {
				return err
			}
			if err := c.carryOut(cmd, install, dryRun); err != nil {
				return err
			}
			// A file that was written is to be in use; that it is not does not undo the rest.
			if text, err := os.ReadFile(configs.SystemPath()); err == nil && string(text) != configs.Minimal {
				return c.carryOut(cmd, installer.Start(), dryRun)
			}
			if dryRun {
				return nil
			}
			_, err = fmt.Fprintln(c.stdout, "\nNext: \"ldap-gateway setup\", if you have not set it up.")
			return err
		},
	}
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, "show what would be done, and do nothing")
	return cmd
}

func (c *command) uninstallCommand() *cobra.Command {
	var dryRun, purge bool
	cmd := &cobra.Command{
		Use:   "uninstall",
		Short: "Take the system service off this machine",
		Args:  cobra.NoArgs,
		Long: `Take the service off this machine. gateway.hcl and the instance's keys stay, for
another install; --purge removes them too, and tells the cloud that the instance
is gone.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, uninstall, err := plans(purge)
			if err != nil {
				return err
			}
			if purge {
				uninstall = append(installer.Plan{c.unpairStep()}, uninstall...)
			}
			return c.carryOut(cmd, uninstall, dryRun)
		},
	}
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, "show what would be done, and do nothing")
	cmd.Flags().BoolVar(&purge, "purge", false, "remove gateway.hcl and the keys too")
	return cmd
}

func (c *command) startCommand() *cobra.Command {
	return c.planCommand("start", "Start the service, or have it start anew", installer.Start)
}

func (c *command) restartCommand() *cobra.Command {
	return c.planCommand("restart", "Have the service start anew", installer.Start)
}

func (c *command) stopCommand() *cobra.Command {
	return c.planCommand("stop", "Stop the service", installer.Stop)
}

// planCommand is a command that carries a plan out.
func (c *command) planCommand(use, short string, plan func() installer.Plan) *cobra.Command {
	var dryRun bool
	cmd := &cobra.Command{Use: use, Short: short, Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if _, _, err := plans(false); err != nil {
				return err
			}
			return c.carryOut(cmd, plan(), dryRun)
		}}
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, "show what would be done, and do nothing")
	return cmd
}

func plans(purge bool) (install, uninstall installer.Plan, err error) {
	path, err := os.Executable()
	if err == nil {
		path, err = filepath.EvalSymlinks(path)
	}
	if err != nil {
		return nil, nil, err
	}
	return installer.Service(path, purge)
}

// carryOut shows a plan or applies it.
func (c *command) carryOut(cmd *cobra.Command, p installer.Plan, dryRun bool) error {
	if dryRun {
		return p.Show(cmd.Context(), c.stdout)
	}
	if err := privileged(); err != nil {
		return fmt.Errorf("%w; --dry-run shows what it would do", err)
	}
	return p.Apply(cmd.Context(), c.stdout)
}
