package command

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
)

// jsonFlag adds --json to a command that can print for programs.
func jsonFlag(cmd *cobra.Command, asked *bool) *cobra.Command {
	cmd.Flags().BoolVar(asked, "json", false, "print JSON, for programs")
	return cmd
}

// printJSON writes v as JSON in which nothing orders a terminal about.
func printJSON(w io.Writer, v any) error {
	b, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return err
	}
	var out strings.Builder
	for _, r := range string(b) {
		if orders(r) && r != '\n' {
			fmt.Fprintf(&out, `\u%04x`, r)
		} else {
			out.WriteRune(r)
		}
	}
	_, err = fmt.Fprintln(w, out.String())
	return err
}
