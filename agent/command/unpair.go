package command

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"ldap-gateway/agent/state"
	"ldap-gateway/cloudlink"
	"ldap-gateway/cloudlink/wire"
	"ldap-gateway/configs"
	"ldap-gateway/installer"
)

// unpairTime bounds how long the cloud is asked to let go: whoever removes the
// program from a machine does not wait for a cloud that is away.
const unpairTime = 5 * time.Second

func (c *command) unpairCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "unpair",
		Short: "Tell the cloud that this machine is given up, and drop its keys",
		Args:  cobra.NoArgs,
		Long: `Tell the cloud that this machine is an instance no longer, as when it is given
up, and drop its keys. The cloud revokes it at once and for ever. When the cloud
does not answer within five seconds the keys are kept: try again, or revoke the
instance in the console. Purging a package does this by itself.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			file, err := c.load(cmd.Context())
			if err != nil {
				return err
			}
			folder := state.At(c.statePath)
			paired, err := folder.Instance()
			if err != nil {
				return err
			}
			if err := unpair(cmd.Context(), file, paired); err != nil {
				return fmt.Errorf("the cloud was not told: %w. Try again, or revoke instance %s of gateway %q in the console", err,
					paired.ID, paired.GatewayName)
			}
			if err := folder.Forget(); err != nil {
				return err
			}
			_, err = fmt.Fprintf(c.stdout, "Instance %s of gateway %q is gone.\n", paired.ID, paired.GatewayName)
			return err
		},
	}
}

// unpairStep is part of taking the program off for good. It never fails: a cloud
// that is away is no reason to leave keys behind.
func (c *command) unpairStep() installer.Step {
	folder := state.At(c.statePath)
	return installer.Step{Name: "tell the cloud that this instance is gone",
		Done: func(context.Context) (bool, error) {
			_, err := folder.Instance()
			return errors.Is(err, state.ErrNotPaired), nil
		},
		Apply: func(ctx context.Context) error {
			paired, err := folder.Instance()
			var file *configs.Gateway
			if err == nil {
				file, err = configs.Load(c.configPath)
			}
			if err == nil {
				err = unpair(ctx, file, paired)
			}
			if err != nil {
				fmt.Fprintf(c.stderr, "The cloud was not told: %v. Revoke the instance in the console.\n", err)
			}
			return nil
		}}
}

// unpair has the cloud revoke an instance. One that is revoked already is no error.
func unpair(ctx context.Context, file *configs.Gateway, paired state.Instance) error {
	ctx, cancel := context.WithTimeout(ctx, unpairTime)
	defer cancel()
	err := cloudlink.Unpair(ctx, cloudlink.NewHTTPClient(file.Cloud.Proxy, file.Cloud.RootCAs), file.Cloud.URL,
		cloudlink.Credential{Instance: paired.ID, Key: paired.Keys.Signing()})
	var refusal *wire.Refusal
	if errors.As(err, &refusal) && refusal.Code == wire.RefusedRevoked {
		return nil
	}
	return err
}
