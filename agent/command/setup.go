package command

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"ldap-gateway/agent/command/dialogue"
	"ldap-gateway/agent/state"
	"ldap-gateway/configs"
	"ldap-gateway/directory"
)

// setupFlags are the answers that the command line gives. A person is asked for
// the others, and may change these.
type setupFlags struct {
	cloud, cloudCA, proxy string
	domain, directoryCA   string
	servers, pins         []string
	baseDN, bindDN        string
	passwordFile          string
	codeFile              string
	showCode, pairLater   bool
	noService, yes        bool
}

func (c *command) setupCommand() *cobra.Command {
	var f setupFlags
	cmd := &cobra.Command{
		Use:   "setup",
		Short: "Ask what is needed, write gateway.hcl, pair and start the service",
		Args:  cobra.NoArgs,
		Long: `Ask for the cloud, the directory and the service account, try each answer at
once, and show what would be written. Nothing is written before you agree; then
gateway.hcl is written, this machine is paired, everything is checked, and the
service is installed and started. "back" returns to the question before, Ctrl-C
ends. What was interrupted is finished by running it again.

Each answer can be a flag. With --yes nobody is asked, and a certificate that no
authority of this machine vouches for is believed only when --pin or
--directory-ca says so. Secrets are never arguments: they come from a file, or
from standard input for the file "-".`,
		RunE: func(cmd *cobra.Command, _ []string) error { return c.setup(cmd, f) },
	}
	flags := cmd.Flags()
	flags.StringVar(&f.cloud, "cloud", "", "URL of the cloud")
	flags.StringVar(&f.cloudCA, "cloud-ca", "",
		"file with the authority of the cloud's certificate, where it is not a public one")
	flags.StringVar(&f.proxy, "proxy", "", "URL of the proxy between here and the cloud")
	flags.StringVar(&f.domain, "domain", "", "domain in which DNS names the directory's servers")
	flags.StringSliceVar(&f.servers, "server", nil,
		"URL of a directory server instead, ldaps:// or ldap:// with StartTLS; more than once for more")
	flags.StringVar(&f.directoryCA, "directory-ca", "", "file with the authority of the directory's certificates")
	flags.StringSliceVar(&f.pins, "pin", nil, "SHA-256 of a certificate that is believed as it is")
	flags.StringVar(&f.baseDN, "base-dn", "", "where in the directory everything is; default: as the server says")
	flags.StringVar(&f.bindDN, "bind-dn", "", "DN of the service account; none: anonymous")
	flags.StringVar(&f.passwordFile, "bind-password-file", "", "file with its password")
	flags.StringVar(&f.codeFile, "code-file", "", "file with the pairing code from the console")
	flags.BoolVar(&f.showCode, "show-code", false, "show a code here, to be approved in the console")
	flags.BoolVar(&f.pairLater, "pair-later", false, "do not pair now")
	flags.BoolVar(&f.noService, "no-service", false, "do not install and start the service")
	flags.BoolVar(&f.yes, "yes", false, "ask nobody")
	cmd.MarkFlagsMutuallyExclusive("code-file", "show-code", "pair-later")
	cmd.MarkFlagsMutuallyExclusive("domain", "server")
	cmd.MarkFlagsMutuallyExclusive("directory-ca", "pin")
	return cmd
}

// setup is one run of the command: what was answered so far.
type setup struct {
	*command
	*dialogue.Dialogue
	flags     setupFlags
	draft     configs.Draft
	keep      *configs.Gateway // the file that is there and stays; nil: a new one is written
	presented []directory.Presented
	folder    state.Folder
	pairing   pairingWay
	code      string
	service   bool
}

// pairingWay is how the machine is to be paired.
type pairingWay string

const (
	pairedAlready pairingWay = "already"
	pairByCode    pairingWay = "by the code from the console"
	pairByShowing pairingWay = "by a code that is shown here, and approved in the console"
	pairLater     pairingWay = "later, by \"ldap-gateway pair\""
)

func (c *command) setup(cmd *cobra.Command, f setupFlags) error {
	s := &setup{command: c, Dialogue: dialogue.New(c.stdin, c.stdout), flags: f, folder: state.At(c.statePath)}
	s.Silent, s.Given = f.yes, given(f)
	if err := s.readSecrets(); err != nil {
		return err
	}
	if !f.yes {
		fmt.Fprintln(s.Out,
			"Nothing is written before you agree at the end. \"back\" returns to the question before, Ctrl-C ends.")
	}
	err := s.Walk(
		cmd.Context(),
		s.askFile,
		s.askCloud,
		s.askServers,
		s.askTrust,
		s.askBase,
		s.askAccount,
		s.askPairing,
		s.askService,
		s.askLeave,
	)
	switch {
	case errors.Is(err, context.Canceled):
		return errors.New("interrupted, nothing was written")
	case errors.Is(err, errDeclined), errors.Is(err, dialogue.ErrEnded):
		return fmt.Errorf("nothing was written: %w", err)
	case err != nil:
		return err
	}
	return s.carryOutAnswers(cmd)
}

// errDeclined ends a dialogue whose outcome is not wanted.
var errDeclined = errors.New("you did not agree")

// given is the flags that answer a question.
func given(f setupFlags) map[string]string {
	all := map[string]string{
		"cloud":    f.cloud,
		"cloud-ca": f.cloudCA,
		"proxy":    f.proxy,
		"server":   f.domain,
		"base-dn":  f.baseDN,
		"bind-dn":  f.bindDN,
	}
	if len(f.servers) > 0 {
		all["server"] = strings.Join(f.servers, " ")
	}
	for name, value := range all {
		if value == "" {
			delete(all, name)
		}
	}
	return all
}

// readSecrets reads the files that flags name, both before anything is asked.
func (s *setup) readSecrets() (err error) {
	if s.flags.passwordFile == "-" && s.flags.codeFile == "-" {
		return fmt.Errorf("%w: only one of password and code can come from standard input", errUsage)
	}
	if (s.flags.passwordFile == "-" || s.flags.codeFile == "-") && !s.flags.yes {
		return fmt.Errorf("%w: a secret from standard input needs --yes", errUsage)
	}
	password, err := s.secretFile(s.flags.passwordFile)
	if err != nil {
		return err
	}
	s.draft.Password = configs.Secret(password)
	s.code, err = s.secretFile(s.flags.codeFile)
	s.code = strings.TrimSpace(s.code)
	return err
}

// secretFile returns the content without the line end; empty when no file is named.
func (s *setup) secretFile(path string) (string, error) {
	if path == "" {
		return "", nil
	}
	b, err := s.read(path)
	return strings.TrimRight(string(b), "\r\n"), err
}

// askFile has a file that is there and right stay, unless flags say what a new one says.
func (s *setup) askFile(ctx context.Context) error {
	s.keep = nil
	text, err := os.ReadFile(s.configPath)
	if err != nil || string(text) == configs.Minimal {
		return nil
	}
	file, err := configs.Load(s.configPath)
	if err != nil {
		if !s.Silent {
			fmt.Fprintf(s.Out,
				"%s has mistakes, \"ldap-gateway check\" shows them. A new one is made; the old one is kept beside it.\n",
				s.configPath)
		}
		return nil
	}
	fresh := len(s.Given) > 0
	if !s.Silent && !fresh {
		fmt.Fprintf(s.Out, "%s is there already, for the cloud %s.\n", s.configPath, file.Cloud.URL)
		stays, err := s.Confirm(ctx, "", "Go on with it as it is? With no, a new one is made and the old one kept beside it",
			true)
		if err != nil {
			return err
		}
		fresh = !stays
	}
	if !fresh {
		s.keep = file
	}
	return nil
}

// parsed returns the draft as a file would say it, what is not answered yet filled
// in. Its error shows the mistakes.
func (s *setup) parsed() (*configs.Gateway, error) {
	d := s.draft
	if len(d.Servers) == 0 && d.Discover == "" {
		d.Servers = []string{"ldaps://directory.invalid"}
	}
	if d.BaseDN == "" {
		d.BaseDN = "DC=invalid"
	}
	return d.Check(s.configPath)
}

// again tells a person what is wrong with an answer, so that it is asked for
// again; when nobody is asked, it is the end.
func (s *setup) again(err error) error {
	if s.Silent {
		return err
	}
	fmt.Fprintf(s.Out, "%v\n", err)
	return nil
}
