package agent

import (
	"bufio"
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"ldap-gateway/agent/state"
	"ldap-gateway/cloudlink"
	"ldap-gateway/cloudlink/wire"
	"ldap-gateway/configs"
)

func (c *command) pairCommand() *cobra.Command {
	var codeFile string
	var replace bool
	cmd := &cobra.Command{
		Use: "pair", Short: "Become an instance of a gateway, with a code from the console", Args: cobra.NoArgs,
		Long: `Become an instance of a gateway, with a one-time code that the console or the
API made. The keys are made here and never leave this machine. Compare the
fingerprint that is printed with the one in the console.

The code is asked for, read from standard input when that is no terminal, or
read from --code-file. It is never an argument, which others could see.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			file, err := c.load()
			if err != nil {
				return err
			}
			p := pairing{file: file, folder: state.At(c.statePath), replace: replace, out: c.stdout}
			return p.run(cmd.Context(), func() (string, error) { return c.readCode(codeFile) })
		},
	}
	cmd.Flags().StringVar(&codeFile, "code-file", "", "read the code from this file")
	cmd.Flags().BoolVar(&replace, "replace", false, "forget the instance that this machine is and become another")
	return cmd
}

// readCode takes the code from a file, a pipe or a person.
func (c *command) readCode(path string) (string, error) {
	if path != "" {
		b, err := os.ReadFile(path)
		return strings.TrimSpace(string(b)), err
	}
	fmt.Fprint(c.stderr, "Code from the console: ")
	line, err := bufio.NewReader(io.LimitReader(c.stdin, 1024)).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return "", err
	}
	return strings.TrimSpace(line), nil
}

// pairing is one run of the command.
type pairing struct {
	file    *configs.Gateway
	folder  state.Folder
	replace bool
	out     io.Writer
}

func (p pairing) run(ctx context.Context, readCode func() (string, error)) error {
	if err := p.folder.Ready(); err != nil {
		return err
	}
	switch i, err := p.folder.Instance(); {
	case err == nil && !p.replace:
		return fmt.Errorf("this machine is instance %s of gateway %q already. To become another, add --replace and revoke the old one in the console", i.ID, i.GatewayName)
	case err != nil && !errors.Is(err, state.ErrNotPaired) && !p.replace:
		return err
	}
	code, err := readCode()
	if err != nil {
		return err
	}
	if code == "" {
		return errors.New("no code was given. Make one in the console: Gateways, the gateway, Pair an instance")
	}
	instance, err := p.exchange(ctx, code)
	if err != nil {
		return err
	}
	if err := p.folder.SaveInstance(instance); err != nil {
		return fmt.Errorf("paired, but the keys could not be kept: %w. Revoke instance %s in the console and pair again", err, instance.ID)
	}
	_, err = fmt.Fprintf(p.out, `Paired with gateway %q of environment %q.

  instance     %s
  fingerprint  %s

The console shows the same fingerprint. If it does not, revoke the instance
there: somebody is between you and the cloud.
`, instance.GatewayName, instance.Environment, instance.ID, instance.Fingerprint)
	return err
}

// exchange makes the keys and gives the code for an instance.
func (p pairing) exchange(ctx context.Context, code string) (state.Instance, error) {
	keys, err := state.NewKeys()
	if err != nil {
		return state.Instance{}, err
	}
	public, seal, err := keys.Public()
	if err != nil {
		return state.Instance{}, err
	}
	host, _ := os.Hostname() // empty when the system does not know
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	client := cloudlink.NewHTTPClient(p.file.Cloud.Proxy, p.file.Cloud.RootCAs)
	answer, err := cloudlink.Pair(ctx, client, p.file.Cloud.URL, wire.PairRequest{Code: code, PublicKey: public, SealKey: seal,
		Hostname: host, Software: Version(), Proof: ed25519.Sign(keys.Signing(), wire.PairProof(code, public, seal))})
	if err != nil {
		return state.Instance{}, fmt.Errorf("not paired: %w", err)
	}
	// Our own computation, never the cloud's word: whoever is between would answer what suits.
	return state.Instance{ID: answer.Instance, Cloud: p.file.Cloud.URL.String(), Gateway: answer.Gateway, GatewayName: answer.GatewayName,
		Environment: answer.Environment, Fingerprint: wire.Fingerprint(public, seal), PairedAt: time.Now().UTC(), KeysSince: time.Now().UTC(), Keys: keys}, nil
}
