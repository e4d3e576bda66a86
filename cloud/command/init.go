package command

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"ldap-gateway/cloud"
)

// initFlags are the flags of "init".
type initFlags struct {
	where            databaseFlags
	name, url        string
	clientFile       string
	urlGiven         bool
	json, unattended bool
}

// initCommand is "init". The secrets are printed and in no file: who wants them in one
// says where it goes.
// Where there is a cloud already it fails, and changes nothing.
func (c *command) initCommand() *cobra.Command {
	var f initFlags
	cmd := &cobra.Command{
		Use:   "init",
		Short: "Make a cloud in an empty data folder or database",
		Args:  cobra.NoArgs,
		Long: `Make a cloud in an empty data folder, or in an empty PostgreSQL database: an
environment with a default population, an administrator, and an API client. The
secrets are printed once; only their hashes are kept. The master key, which seals
what the database must not show, is made beside it; keep a copy of it apart.

The link by which the administrator sets a password is good once, and for an hour. As
long as nobody has set one, "init" again prints a new link, and changes nothing else.

With --unattended it may be run before each start, as containers do, whose output is
kept: no secret is printed and no API client made, and a cloud that is there is no
failure. "ldap-cloud administrator reset" prints the link then.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			f.urlGiven = cmd.Flags().Changed("url")
			return c.init(cmd.Context(), f)
		},
	}
	f.where.addTo(cmd)
	cmd.Flags().StringVar(&f.name, "name", "Default", "name of the environment")
	cmd.Flags().StringVar(&f.url, "url", "http://127.0.0.1:8080", "URL that the cloud will be known by")
	cmd.Flags().BoolVar(&f.json, "json", false, "print JSON")
	cmd.Flags().BoolVar(&f.unattended, "unattended", false, "print no secret, and succeed when there is a cloud already")
	cmd.Flags().StringVar(&f.clientFile, "client-file", "",
		"file to be made, readable by you alone, with the API client's credentials for --client (default: they are printed)")
	cmd.MarkFlagsMutuallyExclusive("json", "unattended", "client-file")
	return cmd
}

// init makes a cloud and says what comes next.
func (c *command) init(ctx context.Context, f initFlags) error {
	known, err := cloudURL(f.url)
	if err != nil {
		return err
	}
	database, err := f.where.database()
	if err != nil {
		return err
	}
	file, err := newSecretFile(f.clientFile)
	if err != nil {
		return err
	}
	defer file.drop()
	begin := cloud.Init
	if f.unattended {
		begin = cloud.InitUnattended
	}
	s, err := begin(ctx, database, f.where.master, f.name, known)
	there := errors.Is(err, cloud.ErrInitialised)
	if there && !f.unattended && !f.urlGiven {
		return fmt.Errorf("%w: %w: where nobody has set a password yet, name its URL (--url) for a new link to do so",
			cloud.ErrUsage, err)
	}
	if there && !f.unattended {
		if again, none := cloud.SetUpAnew(ctx, database, known); none == nil {
			s, err = again, nil
		}
	}
	switch {
	case there && f.unattended:
		_, err = fmt.Fprintln(c.stdout, "There is a cloud already.")
		return err
	case err != nil:
		return err
	case f.clientFile != "" && s.ClientID != "":
		client := s
		client.AdminSetup, client.SetupURL = "", ""
		if err := file.keep(client); err != nil { // or else nobody would have the secret
			return errors.Join(err, printSetup(c.stdout, s, f.where, known))
		}
		s.ClientSecret = "in " + f.clientFile
	case f.json:
		return json.NewEncoder(c.stdout).Encode(s)
	case f.unattended:
		return printUnattended(c.stdout, s, f.where, known)
	}
	return printSetup(c.stdout, s, f.where, known)
}

// printUnattended prints what init made for a log, and how the first password is set.
func printUnattended(w io.Writer, s cloud.Setup, where databaseFlags, url string) error {
	_, err := fmt.Fprintf(w, `A cloud was made, with the environment %s.
Nobody can sign in yet: this prints a link to set the first password, good once and for an hour:

  ldap-cloud administrator reset %s %s --url %s
`, s.EnvironmentID, s.Administrator, where, url)
	return err
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

Start it:         %s%s
Then open, within an hour, and set a password:

  %s
`, s.EnvironmentID, s.ClientID, s.ClientSecret, where.start(" --url "+url), endsTLS(url), s.SetupURL)
	return err
}

// endsTLS says what has to be there for an address to be reached by TLS; empty where it is not.
func endsTLS(url string) string {
	if !strings.HasPrefix(url, "https:") {
		return ""
	}
	return "\n                  behind a proxy that ends TLS, or with --listen :443 and --acme, or --tls-cert"
}
