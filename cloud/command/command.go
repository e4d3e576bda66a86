package command

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"runtime"

	"github.com/spf13/cobra"

	"ldap-gateway/cloud"
)

// Exit codes of the program. What was not understood began nothing, and will not be
// understood another time.
const (
	ExitOK     = 0
	ExitFailed = 1
	ExitUsage  = 2
)

// Main runs the command line in args and returns the exit code.
// It ends no process: that is for who calls it.
func Main(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	c := &command{stdout: stdout, stderr: stderr}
	root := &cobra.Command{
		Use:   "ldap-cloud",
		Short: "The cloud's end: sign-on, just-in-time provisioning, console and API",
		Long: `ldap-cloud signs people on whose passwords are checked by an ldap-gateway next
to their directory, and keeps their records and groups as the directory says.

First steps: "ldap-cloud init --data DIR", "ldap-cloud run --data DIR".`,
		// Main prints the error itself, once; cobra would add the usage to each
		// failure.
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          cobra.NoArgs,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	root.AddCommand(
		c.initCommand(),
		c.runCommand(),
		c.backupCommand(),
		c.restoreCommand(),
		c.administratorCommand(),
		c.statusCommand(),
		c.versionCommand(),
		manualCommand(),
	)
	// The commands above open the database themselves; these ask a running cloud.
	root.AddCommand(c.resourceCommands()...)
	begun := false
	root.InitDefaultCompletionCmd() // now, so that they are marked too
	root.InitDefaultHelpCmd()
	mark(root, &begun)
	cmd, err := root.ExecuteContextC(ctx)
	switch {
	case err == nil:
		return ExitOK
	case !begun || errors.Is(err, cloud.ErrUsage):
		fmt.Fprintf(stderr, "ldap-cloud: %s\n", misused(cmd, err))
		return ExitUsage
	}
	fmt.Fprintf(stderr, "ldap-cloud: %v%s\n", err, remedy(err))
	return ExitFailed
}

// command is one run of the program. What it prints for a person or a program goes to
// stdout, everything else to stderr: "--json" can be piped.
type command struct{ stdout, stderr io.Writer }

// versionCommand is "version": all on one line, as a report of an error needs it. It
// names the release, the Go that made it, and what it was made for.
func (c *command) versionCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			if asJSON {
				return json.NewEncoder(c.stdout).Encode(map[string]string{
					"version": cloud.Version(), "go": runtime.Version(), "system": runtime.GOOS + "/" + runtime.GOARCH,
				})
			}
			_, err := fmt.Fprintf(
				c.stdout,
				"ldap-cloud %s %s %s/%s\n",
				cloud.Version(),
				runtime.Version(),
				runtime.GOOS,
				runtime.GOARCH,
			)
			return err
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON, for programs")
	return cmd
}
