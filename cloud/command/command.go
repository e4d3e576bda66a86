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
		c.versionCommand(),
		manualCommand(),
	)
	// The commands above open the database themselves; these ask a running cloud.
	root.AddCommand(c.resourceCommands()...)
	begun := false
	mark(root, &begun)
	cmd, err := root.ExecuteContextC(ctx)
	switch {
	case err == nil:
		return ExitOK
	case !begun:
		fmt.Fprintf(stderr, "ldap-cloud: %s\n", misused(cmd, err))
		return ExitUsage
	}
	fmt.Fprintf(stderr, "ldap-cloud: %v\n", err)
	if errors.Is(err, cloud.ErrUsage) {
		return ExitUsage
	}
	return ExitFailed
}

// command is one run of the program. What it prints for a person or a program goes to
// stdout, everything else to stderr: "--json" can be piped.
type command struct{ stdout, stderr io.Writer }

// initCommand is "init". The secrets are printed and in no file: who wants them in one
// says where it goes.
// Where there is a cloud already it fails, and changes nothing.
func (c *command) initCommand() *cobra.Command {
	var where databaseFlags
	var name, url string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "init",
		Short: "Make a cloud in an empty data folder or database",
		Args:  cobra.NoArgs,
		Long: `Make a cloud in an empty data folder, or in an empty PostgreSQL database: an
environment with a default population, an administrator, and an API client. The
secrets are printed once; only their hashes are kept. The master key, which seals
what the database must not show, is made beside it; keep a copy of it apart.

The link by which the administrator sets a password is good once, and for an hour. As
long as nobody has set one, "init" again prints a new link, and changes nothing else.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			known, err := cloudURL(url)
			if err != nil {
				return err
			}
			database, err := where.database()
			if err != nil {
				return err
			}
			s, err := cloud.Init(cmd.Context(), database, where.master, name, known)
			if errors.Is(err, cloud.ErrInitialised) {
				if again, none := cloud.SetUpAnew(cmd.Context(), database, known); none == nil {
					s, err = again, nil
				}
			}
			if err != nil {
				return err
			}
			if asJSON {
				return json.NewEncoder(c.stdout).Encode(s)
			}
			return printSetup(c.stdout, s, where, known)
		},
	}
	where.addTo(cmd)
	cmd.Flags().StringVar(&name, "name", "Default", "name of the environment")
	cmd.Flags().StringVar(&url, "url", "http://127.0.0.1:8080", "URL that the cloud will be known by")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// printSetup prints what init made, for people, with the step that comes next.
// The secrets come once and are the only copies in the clear, so that a failing write
// is an error.
func printSetup(w io.Writer, s cloud.Setup, where databaseFlags, url string) error {
	if s.ClientID == "" {
		_, err := fmt.Fprintf(w, `There is a cloud already, and nobody has set a password yet. Within an hour, open

  %s
`, s.SetupURL)
		return err
	}
	_, err := fmt.Fprintf(w, `A cloud was made. These secrets are not shown again.

  environment     %s
  API client      %s
  client secret   %s

Start it:         %s
Then open, within an hour, and set a password:

  %s
`, s.EnvironmentID, s.ClientID, s.ClientSecret, where.start(" --url "+url), s.SetupURL)
	return err
}

// versionCommand is "version": all on one line, as a report of an error needs it. It
// names the release, the Go that made it, and what it was made for.
func (c *command) versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
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
}
