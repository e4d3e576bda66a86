package command

import (
	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"

	"ldap-gateway/cloud"
)

// manualCommand writes the manual pages that packages bring. SOURCE_DATE_EPOCH is
// their date.
// It is hidden: who makes packages calls it, and nobody else needs it.
func manualCommand() *cobra.Command {
	return &cobra.Command{
		Use:    "man DIR",
		Short:  "Write the manual pages to a folder",
		Args:   cobra.ExactArgs(1),
		Hidden: true,
		RunE: func(cmd *cobra.Command, args []string) error {
			root := cmd.Root()
			// With cobra's tag the day of the build would be in each page, besides the
			// date that is set.
			root.DisableAutoGenTag = true
			return doc.GenManTree(root, &doc.GenManHeader{
				Section: "8",
				Source:  "ldap-cloud " + cloud.Release(),
				Manual:  "ldap-cloud",
			}, args[0])
		},
	}
}
