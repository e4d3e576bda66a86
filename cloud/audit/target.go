package audit

import (
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"os"
)

// ErrTarget says that a target cannot be told. Its text is for people.
var ErrTarget = errors.New("audit target")

// syslogPort is of syslog over TLS (RFC 5425 section 4.1), and plainPort of what most
// receivers listen on without (RFC 6587).
const (
	syslogPort = "6514"
	plainPort  = "514"
)

// Target is who is told.
type Target struct {
	URL    string         // its name in the store, and for people
	Secret []byte         // signs what is sent by https
	Roots  *x509.CertPool // that its certificate is of; nil: the system's

	scheme, address string // of syslog
}

// Parse returns the target of a URL: https://…, syslog+tls://HOST[:PORT], or
// syslog+tcp://HOST[:PORT] of this machine. The secret is for https and wanted there; it is
// in a file, as is the authority of the certificate, which may be empty.
func Parse(text, secretFile, rootsFile string) (*Target, error) {
	t := &Target{URL: text}
	u, err := url.Parse(text)
	if err != nil || u.Hostname() == "" || u.User != nil || u.Fragment != "" {
		return nil, fmt.Errorf("%w: %q is no https://… or syslog+tls://HOST, without a password in it", ErrTarget, text)
	}
	t.scheme = u.Scheme
	switch u.Scheme {
	case "https":
		err = t.readSecret(secretFile)
	case "syslog+tls":
		t.address = net.JoinHostPort(u.Hostname(), or(u.Port(), syslogPort))
	case "syslog+tcp":
		t.address = net.JoinHostPort(u.Hostname(), or(u.Port(), plainPort))
		err = loopback(u.Hostname())
	default:
		err = fmt.Errorf("%w: it begins with https://, syslog+tls:// or syslog+tcp://, not with %s://", ErrTarget, u.Scheme)
	}
	if err == nil && u.Scheme != "https" && (u.Path+u.RawQuery != "") {
		err = fmt.Errorf("%w: after the host of %s:// comes a port at most", ErrTarget, u.Scheme)
	}
	if err == nil && rootsFile != "" {
		err = t.readRoots(rootsFile)
	}
	if err != nil {
		return nil, err
	}
	return t, nil
}

func or(text, usual string) string {
	if text == "" {
		return usual
	}
	return text
}

// loopback refuses to send in the clear over a network.
func loopback(host string) error {
	a, err := netip.ParseAddr(host)
	if host == "localhost" || err == nil && a.IsLoopback() {
		return nil
	}
	return fmt.Errorf("%w: without TLS only this machine is told: use syslog+tls://%s", ErrTarget, host)
}

// leastSecret is how long a secret is at least, in bytes.
const leastSecret = 16

func (t *Target) readSecret(file string) error {
	if file == "" {
		return fmt.Errorf("%w: what goes to https:// is signed: name a file with a secret by --audit-secret-file", ErrTarget)
	}
	b, err := os.ReadFile(file)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrTarget, err)
	}
	for len(b) > 0 && (b[len(b)-1] == '\n' || b[len(b)-1] == '\r') {
		b = b[:len(b)-1]
	}
	if len(b) < leastSecret {
		return fmt.Errorf("%w: the secret in %s has fewer than %d bytes", ErrTarget, file, leastSecret)
	}
	t.Secret = b
	return nil
}

func (t *Target) readRoots(file string) error {
	b, err := os.ReadFile(file)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrTarget, err)
	}
	t.Roots = x509.NewCertPool()
	if !t.Roots.AppendCertsFromPEM(b) {
		return fmt.Errorf("%w: %s has no certificate in PEM", ErrTarget, file)
	}
	return nil
}
