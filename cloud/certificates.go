package cloud

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"os"
	"sync"
	"time"

	"github.com/hashicorp/go-hclog"
	"golang.org/x/crypto/acme"
	"golang.org/x/crypto/acme/autocert"

	"ldap-gateway/cloud/store"
	"ldap-gateway/cloud/vault"
)

// certificateFiles is a certificate in files, which are read again when they were
// written anew: a renewal needs no restart.
// The mutex guards the fields behind it. It is held while files are read, once a minute
// at most, so that of many connections one looks.
type certificateFiles struct {
	cert, key string
	logger    hclog.Logger

	mu      sync.Mutex
	pair    *tls.Certificate
	written time.Time // of the newer file
	looked  time.Time
}

// lookAgain is how often the files are looked at.
const lookAgain = time.Minute

// CertificateFiles returns TLS with the certificate of two PEM files, which are read
// again when they have changed. Its error says what is wrong with them now.
// Later errors are in the log alone: the pair of before is served then.
func CertificateFiles(cert, key string, logger hclog.Logger) (*tls.Config, error) {
	files, err := newCertificateFiles(cert, key, logger)
	if err != nil {
		return nil, err
	}
	return &tls.Config{GetCertificate: files.get, MinVersion: tls.VersionTLS12}, nil
}

// newCertificateFiles reads the files for the first time.
func newCertificateFiles(cert, key string, logger hclog.Logger) (*certificateFiles, error) {
	c := &certificateFiles{cert: cert, key: key, logger: logger}
	return c, c.read()
}

// read takes the pair as the files have it now, or leaves the one before: both files
// are written by somebody else, one after the other.
func (c *certificateFiles) read() error {
	written, err := c.newest()
	if err != nil {
		return err
	}
	pair, err := tls.LoadX509KeyPair(c.cert, c.key)
	if err == nil {
		c.pair, c.written = &pair, written
	}
	return err
}

// newest is when the newer of both files was written.
func (c *certificateFiles) newest() (newest time.Time, err error) {
	for _, path := range []string{c.cert, c.key} {
		info, err := os.Stat(path)
		if err != nil {
			return newest, err
		}
		if info.ModTime().After(newest) {
			newest = info.ModTime()
		}
	}
	return newest, nil
}

// get returns the certificate as the files have it. While they cannot be read, as
// while they are written, it is the one before.
func (c *certificateFiles) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if time.Since(c.looked) < lookAgain {
		return c.pair, nil
	}
	// It is noted before anything is read, so that files that are wrong are looked at
	// once a minute, too.
	c.looked = time.Now()
	written, err := c.newest()
	if err == nil && !written.Equal(c.written) {
		if err = c.read(); err == nil {
			c.logger.Info("the certificate was read again", "file", c.cert)
		}
	}
	if err != nil {
		c.logger.Warn("the certificate cannot be read again, the one before is in use", "error", err)
	}
	return c.pair, nil
}

// ACME says from whom certificates are had (RFC 8555).
// Whoever sets it accepts the terms of the directory, as the flag says.
type ACME struct {
	Directory string // URL; empty: Let's Encrypt
	Email     string // of who is told when one ends; may be empty
	CAFile    string // of the directory's own certificate; empty: the system's
}

// acmeCertificates has certificates for the hosts of the cloud's URLs, each asked
// for when it is first needed and renewed before it ends. Challenges are answered
// at the cloud's own address (RFC 8737), which must be reached at port 443.
type acmeCertificates struct {
	*autocert.Manager
	kept *sealedCache
}

// newACME has certificates asked for by the hosts of the https URLs alone: else whoever
// sends a name could have the cloud ask for it, and use up what its maker allows.
func newACME(a ACME, urls []string) (*acmeCertificates, error) {
	hosts := hostsOf(urls)
	if len(hosts) == 0 {
		return nil, fmt.Errorf("%w: --acme: name the host that the certificate is for: --url https://HOST", ErrUsage)
	}
	client := &acme.Client{DirectoryURL: a.Directory, UserAgent: "ldap-cloud"}
	if a.CAFile != "" {
		pem, err := os.ReadFile(a.CAFile)
		if err != nil {
			return nil, fmt.Errorf("--acme-ca: %w", err)
		}
		roots := x509.NewCertPool()
		if !roots.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("%w: --acme-ca: %s has no certificate in PEM", ErrUsage, a.CAFile)
		}
		client.HTTPClient = &http.Client{
			Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}},
		}
	}
	kept := &sealedCache{}
	return &acmeCertificates{&autocert.Manager{
		Prompt:     autocert.AcceptTOS,
		HostPolicy: autocert.HostWhitelist(hosts...),
		Email:      a.Email,
		Client:     client,
		Cache:      kept,
	}, kept}, nil
}

// sealedCache keeps certificates with their keys in the store, sealed, where every
// node finds them. Its fields are set before it is asked.
// Every node may be asked for the challenge, whichever began it, and all have the same
// certificate after it.
type sealedCache struct {
	db   *store.Store
	keys *vault.Vault
}

// acmePurpose is what the vault seals them for; the owner is the name.
const acmePurpose = "acme"

// Get implements autocert.Cache.
// A name that was never kept is a miss, for which one is asked for.
func (c *sealedCache) Get(ctx context.Context, name string) ([]byte, error) {
	sealed, err := c.db.ACME(ctx, name)
	if errors.Is(err, store.ErrNotFound) {
		return nil, autocert.ErrCacheMiss
	}
	if err != nil {
		return nil, err
	}
	return c.keys.Open(acmePurpose, name, sealed)
}

// Put implements autocert.Cache.
func (c *sealedCache) Put(ctx context.Context, name string, data []byte) error {
	return c.db.KeepACME(ctx, name, c.keys.Seal(acmePurpose, name, data))
}

// Delete implements autocert.Cache.
// What is kept as nil is not there.
func (c *sealedCache) Delete(ctx context.Context, name string) error {
	return c.db.KeepACME(ctx, name, nil)
}
