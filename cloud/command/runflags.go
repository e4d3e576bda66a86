package command

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"

	"github.com/hashicorp/go-hclog"

	"ldap-gateway/cloud"
)

// wrong says what of the flags of "run" can never be right.
func (f runFlags) wrong(level hclog.Level) error {
	switch {
	case level == hclog.NoLevel || f.format != "text" && f.format != "json":
		return errors.New("--log-level is one of trace, debug, info, warn, error; --log-format is text or json")
	case f.grace < 0:
		return errors.New("--grace is a time of 0 or more, as in 5s")
	case f.metrics != "" && !isAddress(f.metrics):
		return fmt.Errorf("--metrics: %q is no address: it looks like 127.0.0.1:9390", f.metrics)
	case f.smtp != "" && (!isAddress(f.smtp) || strings.HasPrefix(f.smtp, ":")):
		return fmt.Errorf("--smtp: %q is no mail server: it looks like mail.example.com:25", f.smtp)
	}
	return nil
}

// isAddress tells whether a text has the form of an address with a port.
func isAddress(text string) bool {
	_, port, err := net.SplitHostPort(text)
	if err != nil {
		return false
	}
	_, err = net.LookupPort("tcp", port)
	return err == nil
}

// busURLs returns the NATS servers, which only a file may have a password for.
// An URL with a user or token in an argument is refused, and so is a file that names no
// server.
func (f runFlags) busURLs() ([]string, error) {
	if f.busFile == "" {
		for _, u := range f.bus.URLs {
			// What stands before an @ is a user with a password, or a token.
			if strings.Contains(u, "@") {
				return nil, errors.New("--nats: others can read a password or token in an argument:" +
					" name a file with the URL in --nats-file")
			}
			if at, err := url.Parse(u); err != nil || at.Hostname() == "" {
				return nil, fmt.Errorf("--nats: %q is no server: it looks like tls://HOST:4222", u)
			}
		}
		return f.bus.URLs, nil
	}
	// The file has a password, so one that everyone can read is refused.
	text, err := cloud.SecretText(f.busFile)
	if err != nil {
		return nil, fmt.Errorf("--nats-file: %w", err)
	}
	urls := strings.Fields(text)
	if len(urls) == 0 {
		return nil, errors.New("--nats-file: it names no server")
	}
	return urls, nil
}
