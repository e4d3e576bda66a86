package command

import (
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"ldap-gateway/agent/health"
	"ldap-gateway/agent/state"
)

func (c *command) statusCommand() *cobra.Command {
	var asJSON bool
	return jsonFlag(&cobra.Command{
		Use:   "status",
		Short: "Show how the running gateway is",
		Args:  cobra.NoArgs,
		Long: `Ask the gateway that runs on this machine how it is: its link, the directory
servers, what it has done, and every problem with its remedy. The exit code is
0 when people can sign on through it.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := health.Ask(cmd.Context(), state.At(c.statePath))
			if err != nil {
				return err
			}
			if !asJSON {
				return printStatus(c.stdout, s)
			}
			return printStatusAsJSON(c.stdout, s)
		},
	}, &asJSON)
}

// statusJSON is the state for programs.
type statusJSON struct {
	health.Status
	Servers []serverJSON `json:"servers"`
	Took    int64        `json:"tookMilliseconds"` // by all sign-ons together
	Nothing *struct{}    `json:"took,omitempty"`   // hides that of Status, which is in nanoseconds
}

// serverJSON is a directory server for programs.
type serverJSON struct {
	URL    string    `json:"url"`
	State  string    `json:"state"` // "up", "down" or "unused"
	Vendor string    `json:"vendor,omitempty"`
	Error  string    `json:"error,omitempty"`
	Since  time.Time `json:"since,omitzero"`
}

// printStatusAsJSON is printStatus for programs.
func printStatusAsJSON(w io.Writer, s health.Status) error {
	out := statusJSON{Status: s, Servers: []serverJSON{}, Took: s.Took.Milliseconds()}
	for _, d := range s.Servers {
		out.Servers = append(out.Servers, serverJSON{d.URL, d.State, d.Vendor, d.Error, d.Since})
	}
	if err := printJSON(w, out); err != nil {
		return err
	}
	if !s.Ready {
		return errTold
	}
	return nil
}

// printStatus writes s for people; its error is errTold when the gateway is not ready.
func printStatus(w io.Writer, s health.Status) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	link := "down"
	if s.Connected {
		link = "up"
	}
	if !s.Since.IsZero() {
		link += " since " + s.Since.Format("2006-01-02 15:04:05 MST")
	}
	say(
		table,
		"version\t%s\ngateway\t%s\ninstance\t%s\nlink\t%s\t%s %s\n",
		s.Version,
		orNone(s.Gateway),
		orNone(s.Instance),
		link,
		s.Cloud,
		s.Node,
	)
	for _, d := range s.Servers {
		say(table, "directory\t%s\t%s %s %s\n", d.State, d.URL, d.Vendor, oneLine(d.Error))
	}
	all := int64(0)
	for _, n := range s.SignOns {
		all += n
	}
	say(table, "sign-ons\t%d\t%d ok\n", all, s.SignOns["ok"])
	if err := table.Flush(); err != nil {
		return err
	}
	for _, p := range s.Problems {
		say(w, "\n%s %s: %s\n  %s\n", p.Severity, p.Code, p.InFull(), p.Remedy)
	}
	if !s.Ready {
		fmt.Fprintln(w, "\nnot ready")
		return errTold
	}
	_, err := fmt.Fprintln(w, "\nready")
	return err
}

func orNone(s string) string {
	if s == "" {
		return "none"
	}
	return s
}
