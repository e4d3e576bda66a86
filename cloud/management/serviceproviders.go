package management

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"slices"
	"strings"

	"ldap-gateway/cloud/fault"
	"ldap-gateway/cloud/idp/samlsp"
	"ldap-gateway/cloud/store"
)

// What an application of SAML may say, in the words of the API.
var (
	samlTypes      = []string{store.WebApplication, store.CustomApplication}
	samlAlgorithms = []string{"", "SHA256withRSA", "SHA384withRSA", "SHA512withRSA"}
	samlCiphers    = []string{"AES_128", "AES_256"}
	samlBindings   = []string{"", samlsp.Post, samlsp.Redirect}
	nameIDFormats  = []string{
		"", samlsp.Persistent, samlsp.Transient,
		"urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress",
		"urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified",
	}
)

// Bounds of what is kept of an application of SAML.
const (
	mostACS          = 50
	mostEntity       = 1024
	mostTarget       = 2048 // bytes of a RelayState
	mostSeconds      = 3600 // that an assertion is good: longer, and who reads it later is signed on
	mostSessionDays  = 30
	mostCertificates = samlsp.MostCertificates
)

// checkServiceProvider tells what may not be kept of an application of SAML.
func (t *turn) checkServiceProvider(ctx context.Context, a store.Application) (l fault.List, err error) {
	p := a.SAML
	l = slices.Concat(checkEntity(p), checkDurations(p), checkSignOff(p), checkSubject(p))
	if !slices.Contains(samlTypes, a.Type) {
		l = append(l, wrong(fault.ApplicationType, 0, "It must be one of %q.", samlTypes)...)
	}
	if !slices.Contains(nameIDFormats, p.NameIDFormat) {
		l = append(l, wrong(fault.SubjectFormat, 0, "It must be one of %q.", nameIDFormats[1:])...)
	}
	if !slices.Contains(samlAlgorithms, p.Algorithm) {
		l = append(l, wrong(fault.AssertionAlgorithm, 0,
			"It must be one of %q: few applications take others.", samlAlgorithms[1:])...)
	}
	if !p.AssertionSigned && !p.ResponseSigned {
		l = append(l, wrong(fault.Signed, 0, "The assertion or the response must be signed, to be believed.")...)
	}
	if other, err := t.ApplicationByEntity(ctx, t.env(), p.EntityID); err == nil && other.ID != a.ID {
		taken := "Another application of this environment has this entity ID."
		l = append(l, fault.Of(fault.Entity, fault.Taken, taken)...)
	} else if err != nil && !errors.Is(err, store.ErrNotFound) {
		return nil, err
	}
	l = append(l, checkAttributes(a.Kept.Attributes)...)
	if p.MostGroups < 0 || p.MostGroups > store.MostGroups {
		l = append(l, wrong(fault.MostGroups, 0, "It must be a number from 1 to %d.", store.MostGroups)...)
	}
	keys, err := t.checkServiceKeys(ctx, p)
	if err != nil {
		return nil, err
	}
	return slices.Concat(l, keys), nil
}

// checkEntity is for what names an application, and where answers go.
func checkEntity(p store.ServiceProvider) (l fault.List) {
	if p.EntityID == "" {
		l = fault.Of(fault.Entity, fault.Missing, "Say what the application calls itself: its entity ID.")
	}
	if len(p.EntityID) > mostEntity || strings.TrimSpace(p.EntityID) != p.EntityID {
		l = append(l, wrong(fault.Entity, 0, "It has at most %d bytes, and no blanks at its ends.", mostEntity)...)
	}
	if len(p.ACS) == 0 {
		l = append(l, fault.Of(fault.ACS, fault.Missing, "Say where answers go (assertion consumer service).")...)
	}
	if len(p.ACS) > mostACS {
		l = append(l, wrong(fault.ACS, 0, "There are at most %d.", mostACS)...)
	}
	for i, to := range p.ACS {
		l = append(l, checkRedirect(fault.ACS, i+1, to, store.WebApplication)...)
	}
	if n := len(p.ACSIndexes); n > 0 && n != len(p.ACS) {
		l = append(l, wrong(fault.ACSIndexes, 0, "There are as many as addresses, or none.")...)
	}
	if len(p.DefaultTarget) > mostTarget {
		l = append(l, wrong(fault.Target, 0, "It has at most %d bytes.", mostTarget)...)
	}
	return l
}

// checkDurations is for how long things are good.
func checkDurations(p store.ServiceProvider) (l fault.List) {
	if p.AssertionSeconds < 1 || p.AssertionSeconds > mostSeconds {
		l = wrong(fault.AssertionLife, 0, "It must be a number of seconds from 1 to %d: 60 to 300 do.", mostSeconds)
	}
	if n := p.SessionSeconds; n < 0 || n > mostSessionDays*24*3600 {
		l = append(l, wrong(fault.SessionLife, 0, "It must be a number of seconds up to %d days.", mostSessionDays)...)
	}
	return l
}

// checkSignOff is for how an application takes part in sign-off.
func checkSignOff(p store.ServiceProvider) (l fault.List) {
	if !slices.Contains(samlBindings, p.SLOBinding) {
		l = wrong(fault.SLOBinding, 0, "It must be one of %q.", samlBindings[1:])
	}
	if p.SLOEndpoint != "" {
		l = append(l, checkRedirect(fault.SLOEndpoint, 0, p.SLOEndpoint, store.WebApplication)...)
	}
	if p.SLOResponse == "" {
		return l
	}
	if p.SLOEndpoint == "" {
		l = append(l, wrong(fault.SLOResponse, 0, "It goes with sloEndpoint.")...)
	}
	return append(l, checkRedirect(fault.SLOResponse, 0, p.SLOResponse, store.WebApplication)...)
}

// checkSubject is for the property that people are known by.
func checkSubject(p store.ServiceProvider) fault.List {
	if p.Subject == "" || oneProperty(p.Subject) {
		return nil
	}
	return wrong(fault.SubjectProperty, 0, "It must be one property of the user, as in ${user.email}.")
}

// oneProperty tells whether a text is "${user.X}".
func oneProperty(text string) bool {
	property, ends := strings.CutSuffix(strings.TrimPrefix(text, "${user."), "}")
	return ends && strings.HasPrefix(text, "${user.") && property != "" && !strings.ContainsAny(property, "${} ")
}

// mostAttributes bounds the attributes of an application: all of them are in each assertion.
const mostAttributes = 100

// checkAttributes is for what an application learns of people.
func checkAttributes(all []store.ApplicationAttribute) (l fault.List) {
	if len(all) > mostAttributes {
		return wrong(fault.Attributes, 0, "There are at most %d.", mostAttributes)
	}
	seen := map[string]bool{}
	for i, m := range all {
		switch {
		case m.Name == "" || m.Value == "":
			l = append(l, wrong(fault.Attributes, i+1, "An attribute has a name and a value, as in email = ${user.email}.")...)
		case seen[m.Name] || strings.EqualFold(m.Name, "saml_subject"):
			l = append(l, wrong(fault.Attributes, i+1, "%q is the name of something else.", m.Name)...)
		case strings.Contains(m.Value, "${") && !oneProperty(m.Value):
			l = append(l, wrong(fault.Attributes, i+1, "%q is no single property, as ${user.email} is.", m.Value)...)
		}
		seen[m.Name] = true
	}
	return l
}

// checkServiceKeys refuses certificates and keys that are not there, or are of a sort that
// nothing could be done with.
func (t *turn) checkServiceKeys(ctx context.Context, p store.ServiceProvider) (l fault.List, err error) {
	if len(p.CertificateIDs) > mostCertificates {
		l = wrong(fault.RequestCertificates, 0, "There are at most %d.", mostCertificates)
	}
	if p.RequestsSigned && len(p.CertificateIDs) == 0 {
		l = append(l, wrong(fault.RequestCertificates, 0, "Signed requests need a certificate to be proven by.")...)
	}
	if (p.Cipher == "") != (p.EncryptedWith == "") || p.Cipher != "" && !slices.Contains(samlCiphers, p.Cipher) {
		l = append(l, wrong(fault.Cipher, 0, "Say an algorithm, one of %q, and a certificate.", samlCiphers)...)
	}
	for i, id := range p.CertificateIDs {
		one, err := t.checkServiceKey(ctx, fault.RequestCertificates, i+1, id, false)
		if err != nil {
			return nil, err
		}
		l = append(l, one...)
	}
	with, err := t.checkServiceKey(ctx, fault.EncryptionCertificate, 0, p.EncryptedWith, false)
	if err != nil {
		return nil, err
	}
	own, err := t.checkServiceKey(ctx, fault.AssertionKey, 0, p.KeyID, true)
	return slices.Concat(l, with, own), err
}

// leastBits is how long a key is at least.
const leastBits = 2048

// checkServiceKey looks at one certificate, of our own keys or of others'. An empty ID is
// none.
func (t *turn) checkServiceKey(
	ctx context.Context, field fault.Field, item int, id string, own bool,
) (fault.List, error) {
	if id == "" {
		return nil, nil
	}
	c, err := t.Certificate(ctx, t.env(), id)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return wrong(field, item, "This environment has none of this ID."), nil
	case err != nil:
		return nil, err
	case own != (len(c.Sealed) > 0):
		return wrong(field, item, "Keys of ours sign answers, and certificates of the application do the rest."), nil
	}
	parsed, err := x509.ParseCertificate(c.DER)
	if err != nil {
		return nil, err
	}
	if key, is := parsed.PublicKey.(*rsa.PublicKey); !is || key.N.BitLen() < leastBits {
		return wrong(field, item, "It must be of RSA with %d bits or more.", leastBits), nil
	}
	return nil, nil
}

// needsKey makes the environment's first key that signs answers, before the transaction that
// keeps it: that takes a while. Nil when there is one already.
func (s *Service) needsKey(ctx context.Context, env string, a store.Application) (*madeKey, error) {
	if a.Protocol != store.SAML {
		return nil, nil
	}
	_, err := s.Store.DefaultKey(ctx, env)
	if !errors.Is(err, store.ErrNotFound) {
		return nil, err
	}
	made, err := newKey(KeyDraft{Name: "Sign-on of applications"}, s.now())
	return &made, err
}

// keepKey has a key that was made be the default, unless another was meanwhile.
func (t *turn) keepKey(ctx context.Context, made *madeKey) error {
	if made == nil {
		return nil
	}
	if _, err := t.DefaultKey(ctx, t.env()); !errors.Is(err, store.ErrNotFound) {
		return err
	}
	c, err := t.addKey(ctx, *made)
	if err != nil {
		return err
	}
	return t.Store.SetDefaultKey(ctx, t.env(), c.ID)
}

// ChooseKey has a key of ours sign for the applications that name none. The one before stays
// in the metadata, until it is deleted.
func (s *Service) ChooseKey(ctx context.Context, by By, id string) (c store.Certificate, err error) {
	err = s.act(ctx, by, MakeKey, func(t *turn) error {
		if c, err = t.Certificate(ctx, t.env(), id); err != nil {
			return err
		}
		if len(c.Sealed) == 0 {
			return store.ErrNotFound
		}
		l, err := t.checkServiceKey(ctx, fault.AssertionKey, 0, id, true)
		if err := cmp.Or(err, l.Err()); err != nil {
			return err
		}
		if c.Default {
			return nil
		}
		c.Default = true
		t.did(note{
			action:  "key.chosen",
			subject: "certificate:" + c.ID,
			text:    "key " + c.Name + " signs for applications from now on",
		})
		return t.SetDefaultKey(ctx, t.env(), id)
	})
	return c, err
}

// CreateApplicationOf is CreateApplication for one that metadata describes, whose
// certificates are kept with it.
func (s *Service) CreateApplicationOf(
	ctx context.Context, by By, a *store.Application, d samlsp.ServiceProvider,
) error {
	a.Protocol = store.SAML
	a.SAML.EntityID, a.SAML.ACS, a.SAML.ACSIndexes = d.EntityID, d.ACS, d.Indexes
	a.SAML.SLOEndpoint, a.SAML.SLOBinding, a.SAML.SLOResponse = d.SLOEndpoint, d.SLOBinding, d.SLOResponse
	a.SAML.RequestsSigned = d.RequestsSigned && len(d.Signing) > 0
	if slices.Contains(nameIDFormats, d.NameIDFormat) {
		a.SAML.NameIDFormat = d.NameIDFormat
	}
	return s.createApplication(ctx, by, a, func(t *turn) error {
		a.SAML.CertificateIDs = nil
		return t.keepCertificates(ctx, a, d.Signing)
	})
}

// keepCertificates has requests of an application be proven by certificates: those that it had
// stay what they are, others are added.
func (t *turn) keepCertificates(ctx context.Context, a *store.Application, all []*x509.Certificate) error {
	var ids []string
	for _, parsed := range all {
		id, err := t.heldAs(ctx, a.SAML.CertificateIDs, parsed)
		if err != nil {
			return err
		}
		if id == "" {
			c, err := t.addCertificate(ctx, "", Signing, parsed)
			if err != nil {
				return err
			}
			id = c.ID
		}
		ids = append(ids, id)
	}
	a.SAML.CertificateIDs = ids
	return nil
}

// heldAs returns which of some certificates one is; empty when it is none.
func (t *turn) heldAs(ctx context.Context, ids []string, parsed *x509.Certificate) (string, error) {
	for _, id := range ids {
		c, err := t.Certificate(ctx, t.env(), id)
		if err == nil && bytes.Equal(c.DER, parsed.Raw) {
			return id, nil
		}
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return "", err
		}
	}
	return "", nil
}

// ChangeApplicationWith is ChangeApplication for one of SAML whose certificates come as a
// file in PEM; Encrypt has assertions encrypted for the first of them.
func (s *Service) ChangeApplicationWith(
	ctx context.Context, by By, id, file string, encrypt bool, change func(*store.Application) error,
) (a store.Application, err error) {
	all, err := readCertificates([]byte(file))
	if err != nil {
		return a, err
	}
	return s.changeApplication(ctx, by, id, func(t *turn, a *store.Application) error {
		if err := change(a); err != nil {
			return err
		}
		if err := t.keepCertificates(ctx, a, all); err != nil {
			return err
		}
		a.SAML.EncryptedWith = ""
		if encrypt && len(a.SAML.CertificateIDs) > 0 {
			a.SAML.EncryptedWith = a.SAML.CertificateIDs[0]
		}
		return nil
	})
}

// readCertificates reads all certificates of a file in PEM, each once.
func readCertificates(file []byte) (all []*x509.Certificate, err error) {
	for rest := bytes.TrimSpace(file); len(rest) > 0; rest = bytes.TrimSpace(rest) {
		block, behind := pem.Decode(rest)
		if block == nil || block.Type != "CERTIFICATE" {
			return nil, fault.Of(fault.RequestCertificates, fault.Invalid, "This is no list of certificates in PEM.")
		}
		rest = behind
		c, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, fault.Of(fault.RequestCertificates, fault.Invalid, "One of the certificates cannot be read.")
		}
		if !slices.ContainsFunc(all, c.Equal) {
			all = append(all, c)
		}
	}
	return all, nil
}
