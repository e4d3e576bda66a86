package command

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"

	"github.com/hashicorp/go-hclog"
	"github.com/spf13/cobra"

	"ldap-gateway/agent"
	"ldap-gateway/agent/command/dialogue"
	"ldap-gateway/agent/health"
	"ldap-gateway/agent/service"
	"ldap-gateway/agent/state"
	"ldap-gateway/agent/version"
	"ldap-gateway/configs"
)

// Exit codes of the program.
const (
	ExitOK     = 0
	ExitFailed = 1 // what was asked for did not succeed
	ExitUsage  = 2 // the command line is wrong
)

// errTold ends a command whose output has said already what is wrong.
var errTold = errors.New("told already")

// errUsage marks a wrong command line.
var errUsage = errors.New("wrong usage")

// Main runs the command line in args and returns the exit code.
func Main(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	c := &command{stdin: stdin, stdout: stdout, stderr: stderr}
	root := c.root()
	root.SetArgs(args)
	root.SetIn(stdin)
	root.SetOut(stdout)
	root.SetErr(stderr)
	begun := false
	root.InitDefaultCompletionCmd() // now, so that they are marked too
	root.InitDefaultHelpCmd()
	mark(root, &begun)
	cmd, err := root.ExecuteContextC(ctx)
	switch {
	case err == nil:
		return ExitOK
	case errors.Is(err, errTold):
		return ExitFailed
	case !begun:
		fmt.Fprintf(stderr, "ldap-gateway: %s\n", misused(cmd, err))
		return ExitUsage
	}
	fmt.Fprintf(stderr, "ldap-gateway: %v%s\n", err, remedy(err))
	if errors.Is(err, errUsage) || errors.Is(err, dialogue.ErrMissing) {
		return ExitUsage
	}
	return ExitFailed
}

// command holds what all commands share.
type command struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	configPath     string
	statePath      string
}

func (c *command) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "ldap-gateway",
		Short: "Joins your directory to your cloud, without opening a port",
		Long: `ldap-gateway runs next to your directory. It dials your cloud, checks the
passwords of people who sign on there, and brings their direct groups along.
What it may be asked is in gateway.hcl, which only you can change.

First step: "ldap-gateway setup". Or write gateway.hcl yourself, then
"ldap-gateway check", "ldap-gateway pair", "ldap-gateway run".`,
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          cobra.NoArgs,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.PersistentFlags().StringVar(&c.configPath, "config", configs.SystemPath(), "path of gateway.hcl")
	root.PersistentFlags().StringVar(&c.statePath, "state", configs.SystemState(), "folder for the instance's keys")
	root.AddCommand(
		c.setupCommand(), c.runCommand(), c.pairCommand(), c.checkCommand(), c.explainCommand(), c.leavesCommand(),
		c.statusCommand(), c.reloadCommand(), c.diagnoseCommand(), c.rotateCommand(), c.unpairCommand(),
		c.installCommand(), c.uninstallCommand(), c.startCommand(), c.stopCommand(), c.restartCommand(),
		c.versionCommand(), manualCommand(),
	)
	return root
}

func (c *command) runCommand() *cobra.Command {
	var asService bool
	cmd := &cobra.Command{
		Use:   "run",
		Short: "Serve the cloud until stopped",
		Args:  cobra.NoArgs,
		Long: `Serve the cloud until stopped. Before it is paired it waits to be; whatever
is lost, the cloud, the directory or the network, it waits for and goes on.
Logs go to standard error; under systemd to the journal with their fields, and
as a Windows service to ldap-gateway.log in the state folder.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return service.Run(cmd.Context(), asService, c.stderr, configs.LogPath(c.statePath), c.run)
		},
	}
	cmd.Flags().BoolVar(&asService, "service", false, "started by the Windows service manager")
	_ = cmd.Flags().MarkHidden("service")
	return cmd
}

// run serves; out is where the service manager wants the log.
func (c *command) run(ctx context.Context, m *service.Manager, out io.Writer) error {
	c.stderr = out
	file, err := c.load(ctx)
	if err != nil {
		return err
	}
	if err := c.alone(ctx); err != nil {
		return err
	}
	logger := newLogger(file.Log, out)
	logger.Info("starting", "version", version.Current(), "config", file.Path)
	i := &agent.Instance{
		File:    file,
		State:   state.At(c.statePath),
		Logger:  logger,
		Manager: m,
		Load:    func() (*configs.Gateway, error) { return configs.Load(c.configPath) },
	}
	err = i.Run(ctx)
	logger.Info("stopped")
	return err
}

// alone refuses to run beside another with the same state folder: to the cloud two that are alive
// with one key are a copied folder, and it would let neither of them in again.
func (c *command) alone(ctx context.Context) error {
	folder := state.At(c.statePath)
	if _, err := health.Ask(ctx, folder); err != nil {
		return nil // what is wrong with the folder is said by whoever needs it
	}
	return fmt.Errorf("a gateway runs with the state folder %s already, and two would be shut out as copies:"+
		" stop it (ldap-gateway stop), or name another folder with --state", folder)
}

func (c *command) versionCommand() *cobra.Command {
	var asJSON bool
	return jsonFlag(&cobra.Command{
		Use: "version", Short: "Print the version", Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			if asJSON {
				return printJSON(c.stdout, map[string]string{
					"version": version.Current(),
					"go":      runtime.Version(),
					"system":  runtime.GOOS + "/" + runtime.GOARCH,
				})
			}
			_, err := fmt.Fprintf(
				c.stdout,
				"ldap-gateway %s %s %s/%s\n",
				version.Current(),
				runtime.Version(),
				runtime.GOOS,
				runtime.GOARCH,
			)
			return err
		},
	}, &asJSON)
}

// load reads gateway.hcl. Mistakes in it are printed here. It ends with ctx at the
// latest: whoever stops the program does not wait for a file system.
func (c *command) load(ctx context.Context) (*configs.Gateway, error) {
	file, err := loadWithin(ctx, c.configPath)
	var mistakes *configs.Mistakes
	if errors.As(err, &mistakes) {
		fmt.Fprint(c.stderr, mistakes.Error())
		return nil, errTold
	}
	return file, err
}

func loadWithin(ctx context.Context, path string) (*configs.Gateway, error) {
	type loaded struct {
		file *configs.Gateway
		err  error
	}
	done := make(chan loaded, 1)
	go func() {
		file, err := configs.Load(path)
		done <- loaded{file, err}
	}()
	select {
	case l := <-done:
		return l.file, l.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func newLogger(l configs.Log, to io.Writer) hclog.Logger {
	return service.Logger(hclog.LoggerOptions{Level: hclog.LevelFromString(l.Level), JSONFormat: l.JSON}, to)
}
