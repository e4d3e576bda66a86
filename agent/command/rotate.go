package command

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"ldap-gateway/agent/state"
)

func (c *command) rotateCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "rotate",
		Short: "Have the running gateway change its keys now",
		Args:  cobra.NoArgs,
		Long: `Have the running gateway make new keys and give the cloud their public halves.
Sign-ons go on meanwhile. The fingerprint that is printed is the one that the
console shows from now on.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			folder := state.At(c.statePath)
			before, err := folder.Instance()
			if err != nil {
				return err
			}
			if err := folder.WishRotation(); err != nil {
				return err
			}
			for range 60 {
				if now, err := folder.Instance(); err == nil && now.Fingerprint != before.Fingerprint {
					_, err := fmt.Fprintf(c.stdout, "The keys were changed.\n\n  before  %s\n  now     %s\n", before.Fingerprint,
						now.Fingerprint)
					return err
				}
				if !wait(cmd.Context(), 500*time.Millisecond) {
					break
				}
			}
			return errors.Join(
				errors.New("the gateway did not change its keys within 30 s: is it running and linked? Its log says more"),
				folder.DropWish(),
			)
		},
	}
}

// wait lets d pass; false when ctx ended first.
func wait(ctx context.Context, d time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}
