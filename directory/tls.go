package directory

import (
	"bytes"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"slices"
)

// errPin is returned when no certificate of the server is one that was pinned.
var errPin = errors.New("the server's certificate is not a pinned one")

func (t TLS) config(host string) *tls.Config {
	name := t.ServerName
	if name == "" {
		name = host
	}
	cfg := &tls.Config{ServerName: name, RootCAs: t.RootCAs, MinVersion: t.MinVersion}
	if len(t.PinsSHA256) > 0 {
		// Not less checking but another: verifyPins decides instead of the chain.
		cfg.InsecureSkipVerify = true
		cfg.VerifyConnection = func(state tls.ConnectionState) error { return t.verifyPins(state.PeerCertificates, name) }
	}
	return cfg
}

// verifyPins believes a pinned leaf as it is, and a leaf that leads up to a pinned
// certificate when name and dates are right.
func (t TLS) verifyPins(chain []*x509.Certificate, name string) error {
	if len(chain) == 0 {
		return errPin
	}
	if t.pinned(chain[0]) {
		return nil
	}
	at := slices.IndexFunc(chain, t.pinned)
	if at < 0 {
		return errPin
	}
	opts := x509.VerifyOptions{DNSName: name, Roots: x509.NewCertPool(), Intermediates: x509.NewCertPool()}
	opts.Roots.AddCert(chain[at])
	for _, cert := range chain[1:at] {
		opts.Intermediates.AddCert(cert)
	}
	_, err := chain[0].Verify(opts)
	return err
}

func (t TLS) pinned(cert *x509.Certificate) bool {
	sum := sha256.Sum256(cert.Raw)
	return slices.ContainsFunc(t.PinsSHA256, func(pin []byte) bool { return bytes.Equal(pin, sum[:]) })
}
