package samlsp

import (
	"crypto/x509"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/crewjam/saml"
)

// ServiceProvider is what metadata says of an application.
type ServiceProvider struct {
	EntityID       string
	ACS            []string // that take answers by POST; the default comes first
	Indexes        []int    // of those, as the application numbers them
	SLOEndpoint    string   // empty: it takes part in no sign-off
	SLOBinding     string   // Redirect or Post
	SLOResponse    string   // empty: as SLOEndpoint
	NameIDFormat   string   // the first that it names; empty: none
	Signing        []*x509.Certificate
	RequestsSigned bool
}

// ReadServiceProvider reads an application's metadata; of a list the one with that entity ID.
// EntityID may be empty when there is only one. Its error is a sentence for an administrator.
func ReadServiceProvider(doc []byte, entityID string, now time.Time) (d ServiceProvider, err error) {
	entity, err := entityOf(doc, entityID, "SPSSODescriptor", "applications")
	if err != nil {
		return d, err
	}
	at := slices.IndexFunc(entity.SPSSODescriptors, func(role saml.SPSSODescriptor) bool {
		return slices.Contains(strings.Fields(role.ProtocolSupportEnumeration), protocol)
	})
	if at < 0 {
		return d, errors.New("the metadata describes no service provider of SAML 2.0")
	}
	role := entity.SPSSODescriptors[at]
	if err := Expired(entity.ValidUntil, now); err != nil {
		return d, err
	}
	d.EntityID = entity.EntityID
	d.consumers(role)
	if len(d.ACS) == 0 {
		return d, errors.New("the metadata has no address that takes answers by POST (AssertionConsumerService)")
	}
	d.signOff(role)
	if len(role.NameIDFormats) > 0 {
		d.NameIDFormat = string(role.NameIDFormats[0])
	}
	d.RequestsSigned = role.AuthnRequestsSigned != nil && *role.AuthnRequestsSigned
	if slices.ContainsFunc(role.KeyDescriptors, func(k saml.KeyDescriptor) bool { return k.Use != "encryption" }) {
		d.Signing, err = signing(role.KeyDescriptors)
	}
	return d, err
}

// consumers takes the addresses of answers, the default first.
func (d *ServiceProvider) consumers(role saml.SPSSODescriptor) {
	all := slices.DeleteFunc(slices.Clone(role.AssertionConsumerServices), func(e saml.IndexedEndpoint) bool {
		return e.Binding != saml.HTTPPostBinding
	})
	slices.SortStableFunc(all, func(a, b saml.IndexedEndpoint) int { return rank(a) - rank(b) })
	for _, e := range all {
		if !slices.Contains(d.ACS, e.Location) {
			d.ACS, d.Indexes = append(d.ACS, e.Location), append(d.Indexes, e.Index)
		}
	}
}

// rank puts the default before those of which nothing is said, and these before others
// (saml-metadata 2.2.3).
func rank(e saml.IndexedEndpoint) int {
	switch {
	case e.IsDefault == nil:
		return 1
	case *e.IsDefault:
		return 0
	}
	return 2
}

// signOff takes where an application takes part in sign-off, by redirect rather than POST.
func (d *ServiceProvider) signOff(role saml.SPSSODescriptor) {
	for _, e := range role.SingleLogoutServices {
		switch {
		case e.Binding == saml.HTTPRedirectBinding:
			d.SLOEndpoint, d.SLOBinding, d.SLOResponse = e.Location, Redirect, e.ResponseLocation
			return
		case e.Binding == saml.HTTPPostBinding:
			d.SLOEndpoint, d.SLOBinding, d.SLOResponse = e.Location, Post, e.ResponseLocation
		}
	}
}
