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
	if t.Certificate != nil {
		cfg.Certificates = []tls.Certificate{*t.Certificate}
	}
	if t.OldKeyExchange {
		cfg.CipherSuites = withOldKeyExchange()
	}
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

// withOldKeyExchange returns what is offered by default, and behind it the suites in
// which the client encrypts the secret by the server's RSA key.
func withOldKeyExchange() []uint16 {
	var suites []uint16
	for _, s := range tls.CipherSuites() {
		suites = append(suites, s.ID)
	}
	for _, old := range []uint16{
		tls.TLS_RSA_WITH_AES_256_GCM_SHA384, tls.TLS_RSA_WITH_AES_128_GCM_SHA256,
		tls.TLS_RSA_WITH_AES_256_CBC_SHA, tls.TLS_RSA_WITH_AES_128_CBC_SHA,
	} {
		if !slices.Contains(suites, old) {
			suites = append(suites, old)
		}
	}
	return suites
}

// Alerts by which a server ends a handshake (RFC 8446, 6.2).
const (
	alertHandshakeFailure    tls.AlertError = 40
	alertBadCertificate      tls.AlertError = 42
	alertCertificateRequired tls.AlertError = 116
)

const (
	clientCertificateRemedy = "the server wants a certificate of the gateway: put " +
		`certificate = "/etc/ldap-gateway/client.pem" and key = "/etc/ldap-gateway/client.key" into tls`
	oldKeyExchangeRemedy = "the two have no key exchange in common: have the server take ECDHE, or, if it cannot, put " +
		"old_key_exchange = true into tls; what is recorded can then be read by whoever gets the server's key later"
)

// handshakeRemedy says what helps with a handshake that the server ended; empty when
// that is not known. wanted says that it asked for a certificate of ours.
func handshakeRemedy(err error, wanted bool) string {
	var alert tls.AlertError
	if errors.As(err, &alert) {
		switch {
		case alert == alertCertificateRequired, alert == alertBadCertificate, wanted:
			return clientCertificateRemedy
		case alert == alertHandshakeFailure:
			return oldKeyExchangeRemedy
		}
		return ""
	}
	if wanted {
		return clientCertificateRemedy
	}
	return ""
}
