package cloud

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/hashicorp/go-hclog"
	"github.com/spf13/cobra"
)

// release is the version that this source will be.
const release = "0.1.0"

// Exit codes of the program.
const (
	ExitOK     = 0
	ExitFailed = 1
	ExitUsage  = 2
)

var errUsage = errors.New("wrong usage")

// Main runs the command line in args and returns the exit code.
func Main(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	c := &command{stdout: stdout, stderr: stderr}
	root := &cobra.Command{
		Use: "ldap-cloud", Short: "The cloud's end: sign-on, just-in-time provisioning, console and API",
		Long: `ldap-cloud signs people on whose passwords are checked by an ldap-gateway next
to their directory, and keeps their records and groups as the directory says.

First steps: "ldap-cloud init --data DIR", "ldap-cloud run --data DIR".`,
		SilenceErrors: true, SilenceUsage: true, Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return fmt.Errorf("%w: %w", errUsage, err) })
	root.AddCommand(c.initCommand(), c.runCommand(), c.versionCommand())
	err := root.ExecuteContext(ctx)
	if err == nil {
		return ExitOK
	}
	fmt.Fprintf(stderr, "ldap-cloud: %v\n", err)
	if errors.Is(err, errUsage) {
		return ExitUsage
	}
	return ExitFailed
}

type command struct{ stdout, stderr io.Writer }

func (c *command) initCommand() *cobra.Command {
	var data, name, url string
	var asJSON bool
	cmd := &cobra.Command{
		Use: "init", Short: "Make a cloud in an empty data folder", Args: cobra.NoArgs,
		Long: `Make a cloud in an empty data folder: an environment with a default population,
an administrator, and an API client. The secrets are printed once; only their
hashes are kept.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := Init(cmd.Context(), data, name, strings.TrimRight(url, "/"))
			if err != nil {
				return err
			}
			if asJSON {
				return json.NewEncoder(c.stdout).Encode(s)
			}
			return printSetup(c.stdout, s, data)
		},
	}
	cmd.Flags().StringVar(&data, "data", "", "data folder (required)")
	cmd.Flags().StringVar(&name, "name", "Default", "name of the environment")
	cmd.Flags().StringVar(&url, "url", "http://127.0.0.1:8080", "URL that the cloud will be known by")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	cobra.CheckErr(cmd.MarkFlagRequired("data"))
	return cmd
}

func printSetup(w io.Writer, s Setup, data string) error {
	_, err := fmt.Fprintf(w, `A cloud was made. These secrets are not shown again.

  environment     %s
  API client      %s
  client secret   %s

Start it:         ldap-cloud run --data %s
Then open:        %s
and set a password for %q with this one-time secret:

  %s
`, s.EnvironmentID, s.ClientID, s.ClientSecret, data, s.ConsoleURL, s.Administrator, s.AdminSetup)
	return err
}

// runFlags are the flags of "run".
type runFlags struct {
	data, listen, cert, key string
	level, format           string
	urls                    []string
}

func (c *command) runCommand() *cobra.Command {
	var f runFlags
	cmd := &cobra.Command{
		Use: "run", Short: "Serve until stopped", Args: cobra.NoArgs,
		Long: `Serve until stopped. Without --tls-cert and --tls-key only a loopback address
is listened on, for a proxy in front that ends TLS. Agents prove themselves to
the URL that their gateway.hcl has, so name that with --url.`,
		RunE: func(cmd *cobra.Command, _ []string) error { return c.run(cmd.Context(), f) },
	}
	cmd.Flags().StringVar(&f.data, "data", "", "data folder (required)")
	cmd.Flags().StringVar(&f.listen, "listen", "127.0.0.1:8080", "address to listen on")
	cmd.Flags().StringSliceVar(&f.urls, "url", nil, "URL that people and agents know this cloud by; may be repeated (default: the address)")
	cmd.Flags().StringVar(&f.cert, "tls-cert", "", "PEM file with the certificate chain")
	cmd.Flags().StringVar(&f.key, "tls-key", "", "PEM file with the key")
	cmd.Flags().StringVar(&f.level, "log-level", "info", "trace, debug, info, warn or error")
	cmd.Flags().StringVar(&f.format, "log-format", "text", "text or json")
	cobra.CheckErr(cmd.MarkFlagRequired("data"))
	cmd.MarkFlagsRequiredTogether("tls-cert", "tls-key")
	return cmd
}

func (c *command) run(ctx context.Context, f runFlags) error {
	level := hclog.LevelFromString(f.level)
	if level == hclog.NoLevel || f.format != "text" && f.format != "json" {
		return fmt.Errorf("%w: --log-level is one of trace, debug, info, warn, error; --log-format is text or json", errUsage)
	}
	s := &Server{Data: f.data, Listen: f.listen, Logger: hclog.New(&hclog.LoggerOptions{Level: level, JSONFormat: f.format == "json", Output: c.stderr}),
		Ready: func(url string) { fmt.Fprintf(c.stdout, "ldap-cloud is ready: %s\n", url) }}
	for _, u := range f.urls {
		s.URLs = append(s.URLs, strings.TrimRight(u, "/"))
	}
	if f.cert != "" {
		pair, err := tls.LoadX509KeyPair(f.cert, f.key)
		if err != nil {
			return fmt.Errorf("--tls-cert, --tls-key: %w", err)
		}
		s.TLS = &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12}
	}
	return s.Run(ctx)
}

func (c *command) versionCommand() *cobra.Command {
	return &cobra.Command{
		Use: "version", Short: "Print the version", Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			_, err := fmt.Fprintf(c.stdout, "ldap-cloud %s %s %s/%s\n", version(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
			return err
		},
	}
}

// version returns the version of the program, with the commit it was built from
// when the build recorded one.
func version() string {
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" && len(s.Value) >= 8 {
				return release + "+" + s.Value[:8]
			}
		}
	}
	return release
}
