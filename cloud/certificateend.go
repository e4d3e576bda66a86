package cloud

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"net/url"
	"time"

	"golang.org/x/crypto/acme/autocert"

	"ldap-gateway/cloud/store"
)

const (
	// endsSoon is how long before a certificate ends it is told, and a sixth of its life when
	// that is shorter: by then whatever renews it should have.
	endsSoon = 14 * 24 * time.Hour
	// lookAtEnd is how often the log has it.
	lookAtEnd = time.Hour
)

// served returns the certificates that this node has for who connects; of those that are had
// by ACME the ones that there are by now.
func (n *node) served(ctx context.Context) (all []*x509.Certificate, err error) {
	if n.ACME != nil {
		kept := sealedCache{n.db, n.keys}
		for _, host := range hostsOf(n.URLs) {
			c, err := kept.leaf(ctx, host)
			if errors.Is(err, autocert.ErrCacheMiss) {
				continue
			}
			if err != nil {
				return nil, err
			}
			all = append(all, c)
		}
		return all, nil
	}
	if n.TLS == nil || n.TLS.GetCertificate == nil {
		return nil, nil
	}
	pair, err := n.TLS.GetCertificate(&tls.ClientHelloInfo{})
	if err != nil {
		return nil, err
	}
	c, err := x509.ParseCertificate(pair.Certificate[0])
	return append(all, c), err
}

// leaf returns the certificate that is kept for a host; autocert.ErrCacheMiss when there is
// none. The key stands before it in what is kept, and the chain after it.
func (c *sealedCache) leaf(ctx context.Context, host string) (*x509.Certificate, error) {
	rest, err := c.Get(ctx, host)
	if err != nil {
		return nil, err
	}
	for block, rest := pem.Decode(rest); block != nil; block, rest = pem.Decode(rest) {
		if block.Type == "CERTIFICATE" {
			return x509.ParseCertificate(block.Bytes)
		}
	}
	return nil, fmt.Errorf("what is kept for %s has no certificate", host)
}

// hostsOf returns the hosts of https URLs.
func hostsOf(urls []string) (hosts []string) {
	for _, text := range urls {
		if u, err := url.Parse(text); err == nil && u.Scheme == "https" {
			hosts = append(hosts, u.Hostname())
		}
	}
	return hosts
}

// soon tells whether a certificate is about to end at a time, or has ended.
func soon(c *x509.Certificate, now time.Time) bool {
	return c.NotAfter.Sub(now) < min(endsSoon, c.NotAfter.Sub(c.NotBefore)/6)
}

// ofCertificates returns an alert for each certificate of this node that ends soon or has.
func (n *node) ofCertificates(ctx context.Context, now time.Time) ([]store.Alert, error) {
	certificates, err := n.served(ctx)
	var all []store.Alert
	for _, c := range certificates {
		if !soon(c, now) {
			continue
		}
		name, verb := c.Subject.CommonName, "ends"
		if len(c.DNSNames) > 0 {
			name = c.DNSNames[0]
		}
		if now.After(c.NotAfter) {
			verb = "has ended: agents and browsers refuse it since"
		}
		all = append(all, nodeAlert("certificateEnds", c.SerialNumber.Text(16),
			"Put a new one where --tls-cert and --tls-key say, or see in the log why ACME brings none",
			"the certificate for %s %s %s", name, verb, c.NotAfter.UTC().Format(time.RFC3339)))
	}
	return all, err
}

// nodeAlert is an alert about this node, which every environment is told.
func nodeAlert(code, about, remedy, format string, args ...any) store.Alert {
	return store.Alert{
		Key:    store.NodeAlert + nodeName() + "/" + code + "/" + about,
		Code:   code,
		Text:   "Node " + nodeName() + ": " + fmt.Sprintf(format, args...),
		Remedy: remedy,
	}
}

// tellCertificates has the log say what ends soon, and by an error what has ended.
func (n *node) tellCertificates(ctx context.Context) {
	now := time.Now()
	all, err := n.served(ctx)
	if err != nil && ctx.Err() == nil {
		n.Logger.Warn("the certificate cannot be looked at", "error", err)
	}
	for _, c := range all {
		switch {
		case now.After(c.NotAfter):
			n.Logger.Error("the certificate has ended: agents and browsers refuse it", "names", c.DNSNames, "end", c.NotAfter)
		case soon(c, now):
			n.Logger.Warn("the certificate ends soon", "names", c.DNSNames, "end", c.NotAfter)
		}
	}
}

// watchCertificates is tellCertificates now and then, until ctx ends.
func (n *node) watchCertificates(ctx context.Context) {
	tick := time.NewTicker(lookAtEnd)
	defer tick.Stop()
	for {
		n.tellCertificates(ctx)
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}
