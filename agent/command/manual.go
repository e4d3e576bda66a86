package command

import (
	"os"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"

	"ldap-gateway/agent/version"
)

// manualCommand writes the manual pages that packages bring. SOURCE_DATE_EPOCH is
// their date.
func manualCommand() *cobra.Command {
	return &cobra.Command{
		Use:    "man DIR",
		Short:  "Write the manual pages to a folder",
		Args:   named("DIR"),
		Hidden: true,
		RunE: func(cmd *cobra.Command, args []string) error {
			root := cmd.Root()
			root.DisableAutoGenTag = true
			for _, sub := range root.Commands() { // the library's own need no page
				sub.Hidden = sub.Hidden || sub.Name() == "completion" || sub.Name() == "help"
			}
			if err := os.MkdirAll(args[0], 0o755); err != nil {
				return err
			}
			return doc.GenManTree(root, &doc.GenManHeader{
				Section: "8",
				Source:  "ldap-gateway " + version.Release(),
				Manual:  "ldap-gateway",
			}, args[0])
		},
	}
}
