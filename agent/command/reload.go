package command

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/spf13/cobra"

	"ldap-gateway/agent/health"
	"ldap-gateway/agent/state"
)

func (c *command) reloadCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "reload",
		Short: "Have the running gateway read gateway.hcl again",
		Args:  cobra.NoArgs,
		Long: `Have the gateway that runs on this machine read gateway.hcl again, as SIGHUP
does on Linux. No sign-on fails meanwhile: a new link is opened, and the old one
is left when that is up. A file with mistakes is refused, and the one before
stays in use.

At once: directory, policy, log.level, and of cloud all but the URL. After a
restart: cloud.url, audit, metrics, log.format, and a password that systemd
handed over.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx, cancel := context.WithTimeout(cmd.Context(), time.Minute)
			defer cancel()
			var s health.Status
			err := health.Request(
				ctx,
				state.At(c.statePath),
				http.MethodPost,
				"/reload",
				func(body io.Reader) error { return json.NewDecoder(body).Decode(&s) },
			)
			if err != nil {
				return err
			}
			_, err = fmt.Fprintln(c.stdout, "gateway.hcl was read again and is in use.")
			for _, p := range s.Problems {
				if p.Code == health.RestartNeeded {
					_, err = fmt.Fprintf(c.stdout, "%s: %s\n", p.Text, p.Remedy)
				}
			}
			return err
		},
	}
}
