package idp

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"ldap-gateway/cloud/idp/relying"
	"ldap-gateway/cloud/idp/samlsp"
	"ldap-gateway/cloud/store"
)

// Finding is one thing that a check has found, in a sentence.
type Finding struct {
	Good bool
	Text string
}

// soon is how long before its end a certificate is spoken of, or a third of its life when that is shorter.
const soon = 30 * 24 * time.Hour

// Check asks a provider what can be asked without a person. It writes nothing.
func (d *Desk) Check(ctx context.Context, p store.IdentityProvider) (all []Finding) {
	if p.Type == store.SAML {
		return d.checkSAML(ctx, p)
	}
	o := p.Config.OIDC
	n, err := relying.NewKeys(o.JWKSEndpoint, d.HTTP, d.now).Check(ctx)
	all = append(all, found(err, fmt.Sprintf("%d keys were read that sign", n), "The keys cannot be read"))
	said, err := d.Discover(ctx, o.Issuer)
	if err != nil {
		return append(all, Finding{true, "Discovery was not used: " + sentence(err)})
	}
	return append(all, compare(*o, said)...)
}

// compare says where settings differ from what a provider publishes.
// What only settings have is no difference: a provider need not publish all.
func compare(have, said store.OIDCConfig) (all []Finding) {
	for _, c := range []struct{ what, have, said string }{
		{"authorization endpoint", have.AuthorizationEndpoint, said.AuthorizationEndpoint},
		{"token endpoint", have.TokenEndpoint, said.TokenEndpoint},
		{"address of keys", have.JWKSEndpoint, said.JWKSEndpoint},
		{"UserInfo endpoint", have.UserInfoEndpoint, said.UserInfoEndpoint},
	} {
		if c.have != c.said {
			text := fmt.Sprintf("The %s is %s here, and %s there.", c.what, orNone(c.have), orNone(c.said))
			all = append(all, Finding{false, text})
		}
	}
	if all == nil {
		all = []Finding{{true, "All addresses are those that the provider publishes."}}
	}
	return all
}

// orNone is for a sentence.
func orNone(s string) string {
	if s == "" {
		return "none"
	}
	return s
}

// found is bad with the error, and good without one.
func found(err error, good, bad string) Finding {
	if err != nil {
		return Finding{false, bad + ": " + sentence(err)}
	}
	return Finding{true, good + "."}
}

// sentence is what of an error a page shows.
func sentence(err error) string { return strings.TrimSuffix(short(err), ".") + "." }

// checkSAML looks at the certificates in the settings, and reads the metadata where
// there is an address for it.
func (d *Desk) checkSAML(ctx context.Context, p store.IdentityProvider) (all []Finding) {
	for _, id := range p.Config.SAML.CertificateIDs {
		c, err := d.Store.Certificate(ctx, p.EnvironmentID, id)
		if err != nil {
			all = append(all, found(err, "", "A certificate cannot be read"))
			continue
		}
		all = append(all, d.lasting(c))
	}
	if len(all) == 0 {
		all = append(all, Finding{false, "There is no certificate: nothing that the provider says is proven."})
	}
	if p.Config.SAML.MetadataURL == "" {
		return all
	}
	m, _, err := d.ReadMetadata(ctx, p.Config.SAML.MetadataURL, p.Config.SAML.EntityID, "")
	all = append(all, found(err, "The metadata was read", "The metadata cannot be read"))
	if err == nil && m.WantsSigned && !p.Config.SAML.SignsRequests {
		text := "The provider wants our requests signed: make a key of ours, give it our metadata, and have requests signed."
		all = append(all, Finding{false, text})
	}
	return all
}

// lasting says how long a certificate is good.
// One that ends soon is not good any more: the next one takes time to come.
func (d *Desk) lasting(c store.Certificate) Finding {
	parsed, err := x509.ParseCertificate(c.DER)
	if err != nil {
		return found(err, "", c.Name+" cannot be read")
	}
	left := parsed.NotAfter.Sub(d.now())
	text := fmt.Sprintf("%s is good until %s", c.Name, parsed.NotAfter.UTC().Format("2 January 2006"))
	switch {
	case left <= 0:
		return Finding{false, fmt.Sprintf("%s ended on %s.", c.Name, parsed.NotAfter.UTC().Format("2 January 2006"))}
	case left < min(soon, parsed.NotAfter.Sub(parsed.NotBefore)/3):
		return Finding{false, text + ": add the next one before."}
	}
	return Finding{true, text + "."}
}

// Discover reads what an OpenID Connect provider publishes of itself (Discovery 1.0
// section 4). The issuer must be spelt as the document spells it.
// Nothing of it is believed by a sign-on: it fills a form in, which somebody looks at.
func (d *Desk) Discover(ctx context.Context, issuer string) (o store.OIDCConfig, err error) {
	address := strings.TrimSuffix(issuer, "/") + "/.well-known/openid-configuration"
	body, _, err := d.get(ctx, address, "", maxDiscovery)
	if err != nil {
		return o, err
	}
	var said struct {
		Issuer        string   `json:"issuer"`
		Authorization string   `json:"authorization_endpoint"`
		Token         string   `json:"token_endpoint"`
		Keys          string   `json:"jwks_uri"`
		UserInfo      string   `json:"userinfo_endpoint"`
		EndSession    string   `json:"end_session_endpoint"`
		Scopes        []string `json:"scopes_supported"`
		Ways          []string `json:"token_endpoint_auth_methods_supported"`
		NamesIssuer   bool     `json:"authorization_response_iss_parameter_supported"`
	}
	if err := json.Unmarshal(body, &said); err != nil {
		return o, errors.New("the discovery document cannot be read")
	}
	if said.Issuer != issuer {
		return o, fmt.Errorf("the provider calls itself %q: state the issuer in that spelling", said.Issuer)
	}
	o = store.OIDCConfig{
		Issuer:                said.Issuer,
		AuthorizationEndpoint: said.Authorization,
		TokenEndpoint:         said.Token,
		JWKSEndpoint:          said.Keys,
		UserInfoEndpoint:      said.UserInfo,
		DiscoveryEndpoint:     address,
		EndSessionEndpoint:    said.EndSession,
		NamesIssuer:           said.NamesIssuer,
		Scopes:                scopesOf(said.Scopes),
		ClientAuth:            wayOf(said.Ways),
	}
	return o, nil
}

// scopesOf returns what is asked for of a provider that tells its scopes. One that tells
// none, which it need not (Discovery 1.0 section 3), is asked for the usual ones.
func scopesOf(said []string) []string {
	scopes := []string{"openid", "profile", "email"}
	if len(said) == 0 {
		return scopes
	}
	foreign := func(s string) bool { return s != "openid" && !slices.Contains(said, s) }
	return slices.DeleteFunc(append(scopes, "groups"), foreign)
}

// wayOf returns how the client proves itself to a provider that takes these ways, by its
// secret. Empty: by the usual way.
// One that has a key of ours is not chosen: there is none yet.
func wayOf(said []string) string {
	for _, way := range []struct{ theirs, ours string }{
		{"client_secret_basic", relying.SecretBasic},
		{"client_secret_post", relying.SecretPost},
		{"client_secret_jwt", relying.SecretJWT},
	} {
		if slices.Contains(said, way.theirs) {
			return way.ours
		}
	}
	return ""
}

// The bounds of what is read of a provider, in bytes.
const (
	maxDiscovery = 1 << 20
	maxMetadata  = samlsp.MostMetadata
)

// errSame says that what is at an address has not changed since it had an ETag.
var errSame = errors.New("not changed")

// get returns the body at an address, with its ETag. ErrSame when it has still the one
// that is given.
func (d *Desk) get(ctx context.Context, address, etag string, most int64) (body []byte, now string, err error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, "", err
	}
	if etag != "" {
		r.Header.Set("If-None-Match", etag)
	}
	answer, err := d.HTTP.Do(r)
	if err != nil {
		return nil, "", err
	}
	defer answer.Body.Close()
	switch answer.StatusCode {
	case http.StatusOK:
	case http.StatusNotModified:
		return nil, etag, errSame
	default:
		return nil, "", fmt.Errorf("the answer has status %d", answer.StatusCode)
	}
	// One byte more than is taken, to tell what is too long.
	body, err = io.ReadAll(io.LimitReader(answer.Body, most+1))
	if err == nil && int64(len(body)) > most {
		err = fmt.Errorf("the answer has more than %d bytes", most)
	}
	return body, answer.Header.Get("ETag"), err
}

// ReadMetadata reads a SAML provider's metadata at an address; see samlsp.ReadMetadata.
// It is errSame when it has the ETag still.
func (d *Desk) ReadMetadata(
	ctx context.Context, address, entityID, etag string,
) (m samlsp.Described, now string, err error) {
	doc, now, err := d.get(ctx, address, etag, maxMetadata)
	if err != nil {
		return m, now, err
	}
	m, err = samlsp.ReadMetadata(doc, entityID, d.now())
	return m, now, err
}

// ReadServiceProvider reads an application's metadata at an address, as ReadMetadata does a
// provider's.
func (d *Desk) ReadServiceProvider(ctx context.Context, address, entityID string) (samlsp.ServiceProvider, error) {
	doc, _, err := d.get(ctx, address, "", maxMetadata)
	if err != nil {
		return samlsp.ServiceProvider{}, err
	}
	return samlsp.ReadServiceProvider(doc, entityID, d.now())
}
