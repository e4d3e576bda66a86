package command

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
)

// mark has a command line know whether any of its commands was begun: what fails before
// that is wrong usage, whatever the library found. Those that only have others below them show
// what these are, and take no other word.
func mark(cmd *cobra.Command, begun *bool) {
	if cmd.HasSubCommands() && !cmd.Runnable() {
		cmd.Args = cobra.NoArgs
		cmd.RunE = func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
	}
	if run := cmd.RunE; run != nil {
		cmd.RunE = func(cmd *cobra.Command, args []string) error {
			*begun = true
			return run(cmd, args)
		}
	}
	for _, sub := range cmd.Commands() {
		mark(sub, begun)
	}
}

// named takes one argument for each name, as the command's use has them.
func named(names ...string) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		switch {
		case len(args) < len(names):
			return fmt.Errorf("%s is missing", names[len(args)])
		case len(args) > len(names):
			return fmt.Errorf("%q is one argument too many", args[len(names)])
		}
		return nil
	}
}

// misused says what was wrong with the use of a command, and where to read on.
func misused(cmd *cobra.Command, err error) string {
	text := fmt.Sprintf("%v; see \"%s --help\"", err, cmd.CommandPath())
	if typed := cmd.Flags().Args(); cmd.HasSubCommands() && len(typed) > 0 {
		cmd.SuggestionsMinimumDistance = 2 // letters that may be wrong
		if names := cmd.SuggestionsFor(typed[0]); len(names) > 0 {
			text += "\ndid you mean " + strings.Join(names, " or ") + "?"
		}
	}
	return text
}
