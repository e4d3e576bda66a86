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
	if cmd.Name() == helpName {
		cmd.Args = topic
	}
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

// helpName is the command that the library brings, to which any word is right.
const helpName = "help"

// topic takes the name of a command, as "help" does; none is the program.
func topic(cmd *cobra.Command, args []string) error {
	if at, rest, _ := cmd.Root().Find(args); len(rest) > 0 {
		return fmt.Errorf("%q has no command %q", at.CommandPath(), rest[0])
	}
	return nil
}

// misused says what was wrong with the use of a command, and where to read on.
func misused(cmd *cobra.Command, err error) string {
	typed := cmd.Flags().Args()
	if cmd.Name() == helpName {
		cmd, typed, _ = cmd.Root().Find(typed) // what there is of it
	}
	text := fmt.Sprintf("%v; see \"%s --help\"", err, cmd.CommandPath())
	if cmd.HasSubCommands() && len(typed) > 0 {
		cmd.SuggestionsMinimumDistance = 2 // letters that may be wrong
		if names := cmd.SuggestionsFor(typed[0]); len(names) > 0 {
			text += "\ndid you mean " + strings.Join(names, " or ") + "?"
		}
	}
	return text
}
