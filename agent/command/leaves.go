package command

import (
	"fmt"

	"github.com/spf13/cobra"

	"ldap-gateway/agent/policy"
)

func (c *command) leavesCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "leaves",
		Short: "Print everything that leaves this network",
		Args:  cobra.NoArgs,
		Long: `Print everything that this gateway tells the cloud, when it does, and which keys
of gateway.hcl bound it. Nothing is read and nobody is asked: it is the same for
every gateway of this version.`,
		RunE: func(*cobra.Command, []string) error {
			for _, l := range policy.Leaves() {
				key := ""
				if l.Key != "" {
					key = " (" + l.Key + ")"
				}
				if _, err := fmt.Fprintf(c.stdout, "%s%s\n  %s\n", l.When, key, l.What); err != nil {
					return err
				}
			}
			return nil
		},
	}
}
