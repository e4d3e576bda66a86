package command

import (
	"bufio"
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"ldap-gateway/agent/state"
	"ldap-gateway/agent/version"
	"ldap-gateway/cloudlink"
	"ldap-gateway/cloudlink/wire"
	"ldap-gateway/configs"
)

func (c *command) pairCommand() *cobra.Command {
	var codeFile string
	var replace, show bool
	cmd := &cobra.Command{
		Use:   "pair",
		Short: "Become an instance of a gateway, with a code from the console",
		Args:  cobra.NoArgs,
		Long: `Become an instance of a gateway, with a one-time code that the console or the
API made. The keys are made here and never leave this machine. Compare the
fingerprint that is printed with the one in the console.

The code is asked for, read from standard input when that is no terminal, or
read from --code-file. It is never an argument, which others could see.

With --show-code it is the other way round: a code is shown here, and an
administrator enters it in the console, sees this machine's name and
fingerprint there, and approves.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			file, err := c.load(cmd.Context())
			if err != nil {
				return err
			}
			p := pairing{file: file, folder: state.At(c.statePath), replace: replace, out: c.stdout,
				client: cloudlink.NewHTTPClient(file.Cloud.Proxy, file.Cloud.RootCAs)}
			if show {
				return p.run(cmd.Context(), p.show)
			}
			return p.run(cmd.Context(), func(ctx context.Context, r wire.PairRequest, k state.Keys) (wire.PairAnswer, error) {
				code, err := c.readCode(codeFile)
				if err != nil {
					return wire.PairAnswer{}, err
				}
				return p.give(ctx, r, k, code)
			})
		},
	}
	cmd.Flags().StringVar(&codeFile, "code-file", "", "read the code from this file")
	cmd.Flags().BoolVar(&show, "show-code", false, "show a code here, to be approved in the console")
	cmd.MarkFlagsMutuallyExclusive("show-code", "code-file")
	cmd.Flags().BoolVar(&replace, "replace", false, "forget the instance that this machine is and become another")
	return cmd
}

// read returns the content of a file; "-" is standard input.
func (c *command) read(path string) ([]byte, error) {
	if path == "-" {
		return io.ReadAll(io.LimitReader(c.stdin, 64<<10))
	}
	return os.ReadFile(path)
}

// readCode takes the code from a file, a pipe or a person.
func (c *command) readCode(path string) (string, error) {
	if path != "" {
		b, err := c.read(path)
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
	client  *http.Client
}

// way gets an instance for a request that is not signed yet.
type way func(ctx context.Context, r wire.PairRequest, k state.Keys) (wire.PairAnswer, error)

func (p pairing) run(ctx context.Context, way way) error {
	if err := p.folder.Ready(); err != nil {
		return err
	}
	switch i, err := p.folder.Instance(); {
	case err == nil && !p.replace:
		return fmt.Errorf(
			"this machine is instance %s of gateway %q already. To become another, add --replace and revoke the old one in "+
				"the console",
			i.ID,
			i.GatewayName,
		)
	case err != nil && !errors.Is(err, state.ErrNotPaired) && !p.replace:
		return err
	}
	instance, err := p.become(ctx, way)
	if err != nil {
		return err
	}
	if err := p.folder.SaveInstance(instance); err != nil {
		return fmt.Errorf("paired, but the keys could not be kept: %w. Revoke instance %s in the console and pair again", err,
			instance.ID)
	}
	_, err = fmt.Fprintf(p.out, `Paired with gateway %q of environment %q.

  instance     %s
  fingerprint  %s

The console shows the same fingerprint. If it does not, revoke the instance
there: somebody is between you and the cloud.
`, instance.GatewayName, instance.Environment, instance.ID, instance.Fingerprint)
	return err
}

// become makes the keys and gets an instance for them.
func (p pairing) become(ctx context.Context, way way) (state.Instance, error) {
	keys, err := state.NewKeys()
	if err != nil {
		return state.Instance{}, err
	}
	public, seal, err := keys.Public()
	if err != nil {
		return state.Instance{}, err
	}
	host, _ := os.Hostname() // empty when the system does not know
	answer, err := way(ctx, wire.PairRequest{
		PublicKey: public,
		SealKey:   seal,
		Hostname:  host,
		Software:  version.Current(),
		Cloud:     p.file.Cloud.URL.String(),
	}, keys)
	if err != nil {
		return state.Instance{}, fmt.Errorf("not paired: %w", err)
	}
	// Our own computation, never the cloud's word: whoever is between would answer what suits.
	now := time.Now().UTC()
	return state.Instance{
		ID:          answer.Instance,
		Cloud:       p.file.Cloud.URL.String(),
		Gateway:     answer.Gateway,
		GatewayName: answer.GatewayName,
		Environment: answer.Environment,
		Fingerprint: wire.Fingerprint(public, seal),
		PairedAt:    now,
		KeysSince:   now,
		Keys:        keys,
	}, nil
}

// give exchanges a code from the console for an instance.
func (p pairing) give(ctx context.Context, r wire.PairRequest, k state.Keys, code string) (wire.PairAnswer, error) {
	if code == "" {
		return wire.PairAnswer{}, errors.New(
			"no code was given. Make one in the console: Gateways, the gateway, Pair an instance",
		)
	}
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	r.Code = code
	return cloudlink.Pair(ctx, p.client, p.file.Cloud.URL, signed(r, k))
}

// show prints a code and waits for an administrator to approve it.
func (p pairing) show(ctx context.Context, r wire.PairRequest, k state.Keys) (wire.PairAnswer, error) {
	ticket, err := cloudlink.Show(ctx, p.client, p.file.Cloud.URL, signed(r, k))
	if err != nil {
		return wire.PairAnswer{}, err
	}
	fmt.Fprintf(p.out, `Enter this code in the console: Gateways, the gateway, Approve a code.

  code         %s
  fingerprint  %s

Approve only if the console shows this fingerprint. Waiting until %s …
`, ticket.Code, wire.Fingerprint(r.PublicKey, r.SealKey), ticket.Expires.Local().Format("15:04"))
	return cloudlink.Await(ctx, p.client, p.file.Cloud.URL, ticket)
}

func signed(r wire.PairRequest, k state.Keys) wire.PairRequest {
	r.Proof = ed25519.Sign(k.Signing(), wire.PairProof(r.Code, r.PublicKey, r.SealKey))
	return r
}
