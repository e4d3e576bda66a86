package idp

import (
	"context"
	"crypto"
	"crypto/x509"
	"fmt"
	"net/url"
	"slices"
	"time"

	"ldap-gateway/cloud/evidence"
	"ldap-gateway/cloud/idp/relying"
	"ldap-gateway/cloud/idp/samlsp"
	"ldap-gateway/cloud/mapping"
	"ldap-gateway/cloud/store"
)

// CallbackPath and the others are where answers come, below an environment.
// They are entered at providers, so that they must stay.
const (
	CallbackPath = "/rp/callback/openid_connect"
	ACSPath      = "/saml20/sp/acs"
	MetadataPath = "/saml20/sp/metadata/"
	// SignedOffPath is where a provider sends a browser back to that has signed off there.
	SignedOffPath = "/signon/off"
)

// CallbackURL is our address for a provider's answers of OpenID Connect. Of providers
// that do not name themselves in an answer no two have one, unless they have one token
// endpoint: else a hostile one has another's answer brought to itself (RFC 9700
// section 4.4).
func CallbackURL(url string, p store.IdentityProvider) string {
	at := url + "/" + p.EnvironmentID + CallbackPath
	if own := ownCallback(p); own != "" {
		at += "/" + own
	}
	return at
}

// CallbackURL is our address for a provider's answers of OpenID Connect.
func (d *Desk) CallbackURL(p store.IdentityProvider) string { return CallbackURL(d.URL, p) }

// ownCallback is what a provider's address for answers ends with; empty for those that
// share one.
func ownCallback(p store.IdentityProvider) string {
	if p.Config.OIDC != nil && p.Config.OIDC.OwnCallback {
		return p.ID
	}
	return ""
}

// SignedOffURL is our address for browsers that have signed off at a provider.
func (d *Desk) SignedOffURL(env string) string { return d.URL + "/" + env + SignedOffPath }

// SignOffURL is where a person ends their session at a provider (OpenID Connect
// RP-Initiated Logout 1.0 section 2); empty when it states no such place. We keep no ID
// token to show there, so we are named by our client ID, and the provider may ask.
func (d *Desk) SignOffURL(p store.IdentityProvider) string {
	if p.Config.OIDC == nil {
		return ""
	}
	to, err := url.Parse(p.Config.OIDC.EndSessionEndpoint)
	if err != nil || to.Host == "" {
		return ""
	}
	q := to.Query()
	q.Set("client_id", p.Config.OIDC.ClientID)
	q.Set("post_logout_redirect_uri", d.SignedOffURL(p.EnvironmentID))
	to.RawQuery = q.Encode()
	return to.String()
}

// ACSURL is our address for answers of SAML.
func (d *Desk) ACSURL(env string) string { return d.URL + "/" + env + ACSPath }

// MetadataURL is where a provider's administrator reads ours.
func (d *Desk) MetadataURL(p store.IdentityProvider) string {
	return d.URL + "/" + p.EnvironmentID + MetadataPath + p.ID
}

// OwnEntityID is what we are called to a SAML provider whose setting says nothing.
// It is entered there as well.
func OwnEntityID(url, env string) string { return url + "/" + env + "/saml20/sp" }

// client is ourselves as a client of an OpenID Connect provider.
// It is made anew for each sign-on, so that settings count at once; only keys are
// shared.
func (d *Desk) client(ctx context.Context, p store.IdentityProvider) (*relying.Client, error) {
	o := p.Config.OIDC
	if o == nil {
		return nil, fmt.Errorf("provider %s has no OpenID Connect", p.ID)
	}
	c := &relying.Client{
		Name:                  p.Name,
		Issuer:                o.Issuer,
		AuthorizationEndpoint: o.AuthorizationEndpoint,
		TokenEndpoint:         o.TokenEndpoint,
		UserInfoEndpoint:      o.UserInfoEndpoint,
		ClientID:              o.ClientID,
		Auth:                  o.ClientAuth,
		Redirect:              d.CallbackURL(p),
		Scopes:                o.Scopes,
		WithoutPKCE:           o.PKCE == "NONE",
		NamesIssuer:           o.NamesIssuer,
		Keys:                  d.keysAt(p.EnvironmentID, o.JWKSEndpoint),
		HTTP:                  d.HTTP,
		Now:                   d.now,
	}
	if !o.AlwaysAsks {
		c.Enough = func(e evidence.Evidence) bool { return mapping.AllClaimed(p, e) }
	}
	if len(p.Sealed) > 0 {
		plain, err := d.Vault.Open(PurposeSecret, p.ID, p.Sealed)
		if err != nil {
			return nil, fmt.Errorf("client secret of %s: %w", p.ID, err)
		}
		c.Secret = string(plain)
	}
	if o.ClientAuth == relying.PrivateJWT {
		key, _, err := d.OwnKey(ctx, p.EnvironmentID, o.KeyID)
		if err != nil {
			return nil, err
		}
		c.Signer, c.SignerID = key, o.KeyID
	}
	return c, nil
}

// mostKeys bounds for how many addresses keys are remembered.
const mostKeys = 1000

// keysAt returns the keys at an address, which all sign-ons of an environment share.
// Two environments with one provider do not share them: what one has read vainly keeps
// no other from reading.
func (d *Desk) keysAt(env, address string) *relying.Keys {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.keys == nil {
		d.keys = map[string]*relying.Keys{}
	}
	at := env + " " + address
	k := d.keys[at]
	if k == nil {
		// Those of settings of before are among them, and are read again if they are wanted.
		for other := range d.keys {
			if len(d.keys) < mostKeys {
				break
			}
			delete(d.keys, other)
		}
		k = relying.NewKeys(address, d.HTTP, d.now)
		d.keys[at] = k
	}
	return k
}

// OwnKey returns a private key of ours with its certificate.
// One without a private key is an error of ours: settings that name it were checked.
func (d *Desk) OwnKey(ctx context.Context, env, id string) (crypto.Signer, *x509.Certificate, error) {
	c, err := d.Store.Certificate(ctx, env, id)
	if err != nil {
		return nil, nil, fmt.Errorf("our certificate %s: %w", id, err)
	}
	plain, err := d.Vault.Open(PurposeKey, c.ID, c.Sealed)
	if err != nil {
		return nil, nil, fmt.Errorf("our key %s: %w", id, err)
	}
	parsed, err := x509.ParsePKCS8PrivateKey(plain)
	if err != nil {
		return nil, nil, fmt.Errorf("our key %s: %w", id, err)
	}
	key, ok := parsed.(crypto.Signer)
	if !ok {
		return nil, nil, fmt.Errorf("our key %s signs nothing", id)
	}
	certificate, err := x509.ParseCertificate(c.DER)
	return key, certificate, err
}

// service is ourselves as the service provider of a SAML provider.
// A certificate in the settings that cannot be read is an error, and no reason to go on
// with the others.
func (d *Desk) service(ctx context.Context, p store.IdentityProvider) (*samlsp.Provider, error) {
	c := p.Config.SAML
	if c == nil {
		return nil, fmt.Errorf("provider %s has no SAML", p.ID)
	}
	s := &samlsp.Provider{
		Name:         p.Name,
		EntityID:     c.EntityID,
		Endpoint:     c.Endpoint,
		Binding:      c.Binding,
		OwnEntityID:  c.OwnEntityID,
		ACS:          d.ACSURL(p.EnvironmentID),
		Signs:        c.SignsRequests,
		Algorithm:    c.Algorithm,
		NameIDFormat: c.NameIDFormat,
		SubjectFrom:  c.SubjectFrom,
		ExpiredKeys:  c.Expired,
		Skew:         time.Duration(c.SkewSeconds) * time.Second,
		Now:          d.now,
		Replay: func(id string, until time.Time) error {
			return d.once(ctx, until, p.EnvironmentID, "assertion", p.ID, id)
		},
	}
	for _, id := range c.CertificateIDs {
		theirs, err := d.Store.Certificate(ctx, p.EnvironmentID, id)
		if err != nil {
			return nil, fmt.Errorf("certificate %s: %w", id, err)
		}
		parsed, err := x509.ParseCertificate(theirs.DER)
		if err != nil {
			return nil, fmt.Errorf("certificate %s: %w", id, err)
		}
		s.Certificates = append(s.Certificates, samlsp.Certificate{ID: id, X509: parsed})
	}
	if c.KeyID == "" {
		return s, nil
	}
	var err error
	s.Key, s.Certificate, err = d.OwnKey(ctx, p.EnvironmentID, c.KeyID)
	return s, err
}

// Metadata describes us to the administrator of a SAML provider. ErrOff when there is
// no such provider.
// Nothing in it is secret. It is for whoever enters us at the provider.
func (d *Desk) Metadata(ctx context.Context, env, provider string) ([]byte, error) {
	p, err := d.provider(ctx, env, provider)
	if err != nil {
		return nil, err
	}
	if p.Type != store.SAML {
		return nil, ErrOff
	}
	s, err := d.service(ctx, p)
	if err != nil {
		return nil, err
	}
	return s.Metadata()
}

// Uses lists the IDs of the certificates and keys that a provider's settings name.
// It is what must not be deleted while the provider is there.
func Uses(p store.IdentityProvider) (ids []string) {
	if o := p.Config.OIDC; o != nil {
		ids = append(ids, o.KeyID)
	}
	if s := p.Config.SAML; s != nil {
		ids = append(append(ids, s.KeyID), s.CertificateIDs...)
	}
	return slices.DeleteFunc(ids, func(id string) bool { return id == "" })
}
