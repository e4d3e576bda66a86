package samlidp

import (
	"crypto/x509"
	"time"

	"github.com/crewjam/saml"

	"ldap-gateway/cloud/idp/samlsp"
	"ldap-gateway/cloud/store"
)

// mostKeys is how many certificates metadata has.
const mostKeys = 10

// metadataLife is how long metadata may be kept: a new key is made that long before it signs.
const metadataLife = 24 * time.Hour

// metadata describes the environment as an identity provider. With an application it is what
// that application needs: the key that signs for it comes first.
func (k *call) metadata() error {
	var a store.Application
	var err error
	if id := k.PathValue("a"); id != "" {
		if a, err = k.application(k.Context(), k.env, id); err != nil {
			return err
		}
	}
	keys, err := k.certificates(a.SAML)
	if err != nil {
		return err
	}
	entity := saml.EntityDescriptor{
		EntityID: EntityID(k.Server.URL, k.env), CacheDuration: metadataLife,
		IDPSSODescriptors: []saml.IDPSSODescriptor{k.described(a.SAML, keys)},
	}
	text, err := samlsp.WriteMetadata(entity)
	if err != nil {
		return err
	}
	k.w.Header().Set("Content-Type", "application/samlmetadata+xml")
	_, _ = k.w.Write(text) // the client is gone: nobody to tell
	return nil
}

// described is the role that metadata tells of.
func (k *call) described(a store.ServiceProvider, keys [][]byte) saml.IDPSSODescriptor {
	role := saml.IDPSSODescriptor{WantAuthnRequestsSigned: &a.RequestsSigned}
	role.ProtocolSupportEnumeration = "urn:oasis:names:tc:SAML:2.0:protocol"
	for _, der := range keys {
		role.KeyDescriptors = append(role.KeyDescriptors, saml.KeyDescriptor{
			Use:     "signing",
			KeyInfo: saml.KeyInfo{X509Data: saml.X509Data{X509Certificates: []saml.X509Certificate{{Data: encoded(der)}}}},
		})
	}
	role.NameIDFormats = []saml.NameIDFormat{
		saml.PersistentNameIDFormat, saml.TransientNameIDFormat, saml.EmailAddressNameIDFormat, saml.UnspecifiedNameIDFormat,
	}
	if a.NameIDFormat != "" {
		role.NameIDFormats = []saml.NameIDFormat{saml.NameIDFormat(a.NameIDFormat)}
	}
	for _, binding := range []string{saml.HTTPRedirectBinding, saml.HTTPPostBinding} {
		role.SingleSignOnServices = append(role.SingleSignOnServices,
			saml.Endpoint{Binding: binding, Location: k.at(k.env, SSOPath)})
		role.SingleLogoutServices = append(role.SingleLogoutServices,
			saml.Endpoint{Binding: binding, Location: k.at(k.env, SLOPath)})
	}
	return role
}

// certificates are those of our keys: first the one that signs, then all others that have not
// ended, so that any of them may sign next.
func (k *call) certificates(a store.ServiceProvider) (all [][]byte, err error) {
	var first store.Certificate
	if a.KeyID != "" {
		first, err = k.Store.Certificate(k.Context(), k.env, a.KeyID)
	} else {
		first, err = k.Store.DefaultKey(k.Context(), k.env)
	}
	if err != nil {
		return nil, err // without an application there may be no key
	}
	all = [][]byte{first.DER}
	for page := (store.Page{Limit: store.MaxLimit}); ; {
		some, next, err := k.Store.Certificates(k.Context(), k.env, page)
		if err != nil {
			return nil, err
		}
		for _, c := range some {
			if c.ID != first.ID && len(c.Sealed) > 0 && len(all) < mostKeys && k.good(c.DER) {
				all = append(all, c.DER)
			}
		}
		if page.Cursor = next; next == "" || len(all) == mostKeys {
			return all, nil
		}
	}
}

// good tells whether a certificate has not ended.
func (k *call) good(der []byte) bool {
	c, err := x509.ParseCertificate(der)
	return err == nil && k.now().Before(c.NotAfter)
}
