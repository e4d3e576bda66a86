package samlsp

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/beevik/etree"
	"github.com/crewjam/saml"
	dsig "github.com/russellhaering/goxmldsig"
)

// The bindings of requests, in the words of the API.
const (
	Redirect = "HTTP_REDIRECT"
	Post     = "HTTP_POST"
)

// Formats of name IDs.
const (
	Persistent = string(saml.PersistentNameIDFormat)
	Transient  = string(saml.TransientNameIDFormat)
)

// The clocks: how far a provider's may be from ours at most, and how old an answer may
// be that says so itself.
const (
	MostSkew    = 3 * time.Minute
	UsualSkew   = time.Minute
	mostDelayed = 5 * time.Minute
)

// methods are our signatures, by the API's words.
// A word that is none of these was refused when it was set.
func methods() map[string]string {
	return map[string]string{
		"":                dsig.RSASHA256SignatureMethod,
		"SHA256withRSA":   dsig.RSASHA256SignatureMethod,
		"SHA384withRSA":   dsig.RSASHA384SignatureMethod,
		"SHA512withRSA":   dsig.RSASHA512SignatureMethod,
		"SHA256withECDSA": dsig.ECDSASHA256SignatureMethod,
		"SHA384withECDSA": dsig.ECDSASHA384SignatureMethod,
	}
}

// Prepare sets the library's clocks, which it keeps for the whole program: whoever reads a
// message of SAML calls it before.
var Prepare = sync.OnceFunc(func() { saml.MaxIssueDelay, saml.MaxClockSkew = mostDelayed, MostSkew })

// Certificate is one that a provider signs with.
type Certificate struct {
	ID   string
	X509 *x509.Certificate
}

// Provider is one provider, and what we are to it. Safe for concurrent use.
type Provider struct {
	Name         string // for reasons
	EntityID     string
	Endpoint     string // that requests go to
	Binding      string // of requests: Redirect or Post
	Certificates []Certificate
	OwnEntityID  string
	ACS          string        // our address for answers
	Key          crypto.Signer // ours, to sign and to decrypt; nil: none
	Certificate  *x509.Certificate
	Signs        bool   // requests
	Algorithm    string // of our signatures, in the API's words; empty: RSA with SHA-256
	NameIDFormat string // that is asked for; empty: Persistent
	SubjectFrom  string // attribute that identifies people; empty: the name ID
	ExpiredKeys  bool   // certificates that have ended are taken
	Skew         time.Duration
	Now          func() time.Time
	// Replay tells that an assertion was taken before, by an error.
	Replay func(id string, until time.Time) error
}

// Wish is what the application wants of the sign-on.
type Wish struct {
	Force   bool // the person is to prove it anew
	Passive bool // no page may be shown
}

// Request is how a browser gets to the provider.
type Request struct {
	Address string // of the provider; with Form a form's action
	Form    string // SAMLRequest of the form; empty: the address is all
}

// service is ourselves as the library knows it.
// What its settings do not say, the strict way is taken.
func (p *Provider) service() (*saml.ServiceProvider, error) {
	Prepare()
	acs, err := url.Parse(p.ACS)
	if err != nil {
		return nil, fmt.Errorf("address for answers: %w", err)
	}
	format := p.NameIDFormat
	if format == "" {
		format = Persistent
	}
	return &saml.ServiceProvider{
		EntityID:                         p.OwnEntityID,
		Key:                              p.Key,
		Certificate:                      p.Certificate,
		AcsURL:                           *acs,
		IDPMetadata:                      p.described(),
		AuthnNameIDFormat:                saml.NameIDFormat(format),
		SignatureMethod:                  p.method(),
		AssertionConsumerServiceBindings: []string{saml.HTTPPostBinding},
		RejectSHA1Signatures:             true,
		RejectUnknownConditions:          true,
		RejectExpiredIDPMetadata:         true,
		RequireSignedResponseForCBC:      true,
		IgnoreCertificateExpiry:          p.ExpiredKeys,
		LimitRelayStateLength:            true,
		ReplayCache:                      replay(p.Replay),
		Clock:                            dsig.NewFakeClockAt(p.Now()),
	}, nil
}

// method is what requests are signed by; empty: they are not.
// A name that is not known signs nothing, and was refused when it was set.
func (p *Provider) method() string {
	if !p.Signs || p.Key == nil {
		return ""
	}
	return methods()[p.Algorithm]
}

// SignsBy tells whether the key of a certificate can make a signature of that name of
// the API's. Empty is RSA with SHA-256.
// A certificate that cannot be read signs nothing.
func SignsBy(der []byte, algorithm string) bool {
	c, err := x509.ParseCertificate(der)
	if _, known := methods()[algorithm]; err != nil || !known {
		return false
	}
	switch c.PublicKey.(type) {
	case *rsa.PublicKey:
		return !strings.HasSuffix(algorithm, "ECDSA")
	case *ecdsa.PublicKey:
		return strings.HasSuffix(algorithm, "ECDSA")
	}
	return false
}

// replay is a Provider's Replay as the library wants it.
type replay func(id string, until time.Time) error

// Consume implements saml.AssertionReplayCache.
func (r replay) Consume(id string, until time.Time) error { return r(id, until) }

// described is the provider's metadata as its settings state it.
// There is no validity: the settings are good until somebody changes them.
func (p *Provider) described() *saml.EntityDescriptor {
	var keys []saml.KeyDescriptor
	for _, c := range p.Certificates {
		data := []saml.X509Certificate{{Data: base64.StdEncoding.EncodeToString(c.X509.Raw)}}
		keys = append(keys, saml.KeyDescriptor{
			Use:     "signing",
			KeyInfo: saml.KeyInfo{X509Data: saml.X509Data{X509Certificates: data}},
		})
	}
	role := saml.IDPSSODescriptor{}
	role.KeyDescriptors = keys
	role.SingleSignOnServices = []saml.Endpoint{{Binding: p.binding(), Location: p.Endpoint}}
	return &saml.EntityDescriptor{EntityID: p.EntityID, IDPSSODescriptors: []saml.IDPSSODescriptor{role}}
}

// binding is by redirect unless POST is stated.
func (p *Provider) binding() string {
	if p.Binding == Post {
		return saml.HTTPPostBinding
	}
	return saml.HTTPRedirectBinding
}

// Start makes a request. Its ID is the caller's: what answers it says so. Relay comes
// back with the answer, as far as the provider keeps it; it has 80 bytes at most.
// The signature of a redirect is in the address, that of a form in the document.
func (p *Provider) Start(id, relay string, w Wish) (r Request, err error) {
	sp, err := p.service()
	if err != nil {
		return r, err
	}
	if w.Force {
		sp.ForceAuthn = &w.Force
	}
	method := sp.SignatureMethod
	// MakeAuthenticationRequest would sign at once, and by an ID of its own.
	sp.SignatureMethod = "" // the ID that is signed is ours
	request, err := sp.MakeAuthenticationRequest(p.Endpoint, p.binding(), saml.HTTPPostBinding)
	if err != nil {
		return r, err
	}
	sp.SignatureMethod, request.ID = method, id
	if w.Passive {
		request.IsPassive = &w.Passive
	}
	if p.Binding != Post {
		u, err := request.Redirect(relay, sp)
		if err != nil {
			return r, err
		}
		return Request{Address: u.String()}, nil
	}
	if method != "" {
		if err := sp.SignAuthnRequest(request); err != nil {
			return r, err
		}
	}
	doc := etree.NewDocument()
	doc.SetRoot(request.Element())
	text, err := doc.WriteToBytes()
	return Request{Address: p.Endpoint, Form: base64.StdEncoding.EncodeToString(text)}, err
}

// Metadata describes ourselves to the provider's administrator.
// It has no end of its own, so that it may be kept.
func (p *Provider) Metadata() ([]byte, error) {
	sp, err := p.service()
	if err != nil {
		return nil, err
	}
	sp.MetadataOmitValidUntil = true
	return WriteMetadata(sp.Metadata())
}

var _ saml.AssertionReplayCache = replay(nil)
