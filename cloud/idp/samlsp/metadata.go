package samlsp

import (
	"bytes"
	"crypto/x509"
	"encoding/base64"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/crewjam/saml"
	crewsp "github.com/crewjam/saml/samlsp"
)

// MostMetadata bounds metadata, in bytes: a federation's whole list is larger, and
// wants the one provider of it stated.
const MostMetadata = 10 << 20

// MostCertificates bounds how many certificates a provider signs with: each is tried
// on every answer.
const MostCertificates = 10

// Described is what metadata says of a provider.
type Described struct {
	EntityID     string
	Endpoint     string
	Binding      string // Redirect when the provider takes it, else Post
	Certificates []*x509.Certificate
	ValidUntil   time.Time // zero: for ever
	WantsSigned  bool      // requests
}

// entityOf returns the one of metadata with an entity ID, or the only one that has a role, which
// people know as what.
func entityOf(doc []byte, entityID, role, what string) (entity *saml.EntityDescriptor, err error) {
	if len(doc) > MostMetadata {
		return nil, fmt.Errorf("the metadata has more than %d MiB", MostMetadata>>20)
	}
	if err := survey(doc, entityID == "", role, what); err != nil {
		return nil, err
	}
	if entityID == "" {
		entity, err = crewsp.ParseMetadata(doc)
	} else {
		entity, err = crewsp.ParseMetadataByEntityID(doc, entityID)
	}
	if err != nil {
		return nil, fmt.Errorf("the metadata cannot be read: %w", err)
	}
	return entity, nil
}

// ReadMetadata reads a provider's metadata; of a list the one with that entity ID.
// EntityID may be empty when there is only one. What was valid until before now is
// refused. Its error is a sentence for an administrator.
// Who reads it from an address trusts that address: no signature of metadata is looked
// at.
func ReadMetadata(doc []byte, entityID string, now time.Time) (d Described, err error) {
	entity, err := entityOf(doc, entityID, "IDPSSODescriptor", "identity providers")
	if err != nil {
		return d, err
	}
	speaks := func(role saml.IDPSSODescriptor) bool {
		return slices.Contains(strings.Fields(role.ProtocolSupportEnumeration), protocol)
	}
	at := slices.IndexFunc(entity.IDPSSODescriptors, speaks)
	if at < 0 {
		return d, errors.New("the metadata describes no identity provider of SAML 2.0")
	}
	role := entity.IDPSSODescriptors[at]
	d = Described{EntityID: entity.EntityID, ValidUntil: until(*entity, role)}
	if err := Expired(d.ValidUntil, now); err != nil {
		return d, err
	}
	if role.WantAuthnRequestsSigned != nil {
		d.WantsSigned = *role.WantAuthnRequestsSigned
	}
	d.Endpoint, d.Binding = endpoint(role)
	if d.Endpoint == "" {
		return d, errors.New("the metadata has no address that takes requests by redirect or POST")
	}
	d.Certificates, err = signing(role.KeyDescriptors)
	return d, err
}

// protocol is what a role says that speaks SAML 2.0 (saml-metadata 2.4.1): one may speak
// SAML 1.1 alone.
const protocol = "urn:oasis:names:tc:SAML:2.0:protocol"

// survey refuses metadata that declares anything, and, where only one entity of a role may be
// described, that describes several: which one is meant must be stated.
func survey(doc []byte, alone bool, role, called string) error {
	d := xml.NewDecoder(bytes.NewReader(doc))
	entities, providers, last := 0, 0, 0
	for {
		token, err := d.RawToken()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return fmt.Errorf("the metadata cannot be read: %w", err)
		}
		switch t := token.(type) {
		case xml.Directive:
			return errors.New("the metadata has a document type")
		case xml.StartElement:
			if t.Name.Local == "EntityDescriptor" {
				entities++
			}
			if t.Name.Local == role && last != entities {
				providers, last = providers+1, entities
			}
		}
	}
	if alone && providers > 1 {
		return fmt.Errorf("the metadata describes %d %s: state the entity ID of the one that is meant",
			providers, called)
	}
	return nil
}

// until is the earliest end of what describes a provider: the library has looked at the
// lists that it is in.
// A time of zero is no end.
func until(entity saml.EntityDescriptor, role saml.IDPSSODescriptor) time.Time {
	if end := role.ValidUntil; end != nil && (entity.ValidUntil.IsZero() || end.Before(entity.ValidUntil)) {
		return *end
	}
	return entity.ValidUntil
}

// Expired returns an error when what was valid until some time is so no longer.
// Zero is for ever.
func Expired(until, now time.Time) error {
	if until.IsZero() || now.Before(until) {
		return nil
	}
	return fmt.Errorf("the metadata has expired: it was valid until %s (validUntil)", until.UTC().Format(time.RFC3339))
}

// endpoint returns where requests go, by redirect rather than by POST.
// A redirect needs no page of ours with a form in it.
func endpoint(role saml.IDPSSODescriptor) (address, binding string) {
	for _, s := range role.SingleSignOnServices {
		switch {
		case s.Binding == saml.HTTPRedirectBinding:
			return s.Location, Redirect
		case s.Binding == saml.HTTPPostBinding:
			address, binding = s.Location, Post
		}
	}
	return address, binding
}

// signing returns the certificates that a provider signs with, each once: those without
// a use, too (saml-metadata 2.4.1.1).
// One that has ended is among them: whether it proves anything the settings say.
func signing(keys []saml.KeyDescriptor) (all []*x509.Certificate, err error) {
	for _, key := range keys {
		if key.Use != "signing" && key.Use != "" {
			continue
		}
		for _, text := range key.KeyInfo.X509Data.X509Certificates {
			der, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(text.Data), ""))
			if err != nil {
				return nil, fmt.Errorf("a certificate in the metadata is not base64: %w", err)
			}
			c, err := x509.ParseCertificate(der)
			if err != nil {
				return nil, fmt.Errorf("a certificate in the metadata cannot be read: %w", err)
			}
			if !slices.ContainsFunc(all, c.Equal) {
				all = append(all, c)
			}
		}
	}
	if len(all) == 0 {
		return nil, errors.New("the metadata has no certificate that signs")
	}
	if len(all) > MostCertificates {
		return nil, fmt.Errorf("the metadata has %d certificates that sign, and at most %d are taken",
			len(all), MostCertificates)
	}
	return all, nil
}

// same tells whether a text is the base64 of der.
// Blanks and line breaks in the text do not count.
func same(text string, der []byte) bool {
	raw, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(text), ""))
	return err == nil && bytes.Equal(raw, der)
}
