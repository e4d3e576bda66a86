package command

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"time"

	"github.com/spf13/cobra"

	"ldap-gateway/cloud"
)

// statusTime is how long a cloud has to say that it is ready.
const statusTime = 5 * time.Second

// statusCommand is "status": what a balancer asks, for where there is none, as in a
// container that has no other program.
func (c *command) statusCommand() *cobra.Command {
	var url, ca string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Ask a running cloud whether it is ready",
		Args:  cobra.NoArgs,
		Long: `Ask a running cloud whether it is ready to sign people on, as a balancer asks at
/ready. The exit code is 0 when it is.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			known, err := cloudURL(url)
			if err != nil {
				return err
			}
			err = askReady(cmd.Context(), known, ca)
			if asJSON && !errors.Is(err, cloud.ErrUsage) {
				return errors.Join(err, c.printReady(known, err))
			}
			if err != nil {
				return err
			}
			_, err = fmt.Fprintln(c.stdout, "ready")
			return err
		},
	}
	cmd.Flags().StringVar(&url, "url", "http://127.0.0.1:8080", "URL of the cloud")
	cmd.Flags().StringVar(&ca, "ca", "", "PEM file with the authority of its certificate (default: the system's)")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON, for programs")
	return cmd
}

// printReady prints whether a cloud is ready, and why not.
func (c *command) printReady(url string, why error) error {
	answer := map[string]any{"url": url, "ready": why == nil}
	if why != nil {
		answer["why"] = why.Error()
	}
	return json.NewEncoder(c.stdout).Encode(answer)
}

// askReady returns nil when the cloud at url is ready. Its certificate is believed as
// the authorities in the file ca vouch for it, or the system's when none is named.
func askReady(ctx context.Context, url, ca string) error {
	transport := &http.Transport{Proxy: http.ProxyFromEnvironment}
	if ca != "" {
		text, err := os.ReadFile(ca)
		if err != nil {
			return fmt.Errorf("--ca: %w", err)
		}
		authorities := x509.NewCertPool()
		if !authorities.AppendCertsFromPEM(text) {
			return fmt.Errorf("%w: --ca: %s has no certificate in PEM", cloud.ErrUsage, ca)
		}
		transport.TLSClientConfig = &tls.Config{RootCAs: authorities}
	}
	defer transport.CloseIdleConnections()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url+"/ready", nil)
	if err != nil {
		return err
	}
	answer, err := (&http.Client{Transport: transport, Timeout: statusTime}).Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return errors.New("not ready: the log of the cloud says why (" + answer.Status + ")")
	}
	return nil
}
