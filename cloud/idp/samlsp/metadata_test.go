package samlsp_test

import (
	"strings"
	"testing"
	"time"

	"ldap-gateway/cloud/idp/idptest"
	"ldap-gateway/cloud/idp/samlsp"
)

// TestMetadataThatHasExpired is refused by name, wherever it says so, and by the very
// second.
func TestMetadataThatHasExpired(t *testing.T) {
	w := build(t)
	now := time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)
	good := string(idptest.Metadata(w.theirs))
	at := func(element, until string) string {
		return strings.Replace(good, element, element+`validUntil="`+until+`" `, 1)
	}
	list := func(until, inner string) string {
		return `<md:EntitiesDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" validUntil="` + until + `">` + inner +
			`</md:EntitiesDescriptor>`
	}
	const (
		past, soon = "2026-11-29T12:00:00Z", "2026-11-29T12:00:01Z"
		entity     = "<md:EntityDescriptor "
		role       = "<md:IDPSSODescriptor "
	)
	for name, c := range map[string]struct {
		doc   string
		until string // empty: expired
	}{
		"the entity":                {at(entity, past), ""},
		"the role":                  {at(role, past), ""},
		"the list":                  {list(past, good), ""},
		"a list of lists":           {list(past, list(soon, good)), ""},
		"the inner list":            {list(soon, list(past, good)), ""},
		"the role in a good list":   {list(soon, at(role, past)), ""},
		"another time zone":         {at(entity, "2026-11-29T13:00:00+01:00"), ""},
		"a second before":           {at(entity, soon), soon},
		"the earliest is the role":  {strings.Replace(at(role, soon), entity, entity+`validUntil="2030-01-01T00:00:00Z" `, 1), soon},
		"the earliest is the list":  {list(soon, at(role, "2030-01-01T00:00:00Z")), soon},
		"another time zone to come": {at(role, "2026-11-29T11:00:01-01:00"), soon},
	} {
		for _, id := range []string{"", idptest.EntityID} {
			d, err := samlsp.ReadMetadata([]byte(c.doc), id, now)
			if c.until == "" {
				if err == nil || !strings.Contains(err.Error(), "validUntil") {
					t.Errorf("%s, of %q: %v", name, id, err)
				}
				continue
			}
			if err != nil || d.ValidUntil.UTC().Format(time.RFC3339) != c.until {
				t.Errorf("%s, of %q: %v %v", name, id, d.ValidUntil, err)
			}
		}
	}
}

// TestMetadataWithManyCertificates is taken up to the bound that settings have, each
// certificate once.
func TestMetadataWithManyCertificates(t *testing.T) {
	var pairs []idptest.Pair
	for range samlsp.MostCertificates {
		pairs = append(pairs, idptest.NewPair(time.Now().Add(time.Hour)))
	}
	doubled := append(append([]idptest.Pair{}, pairs...), pairs...)
	d, err := samlsp.ReadMetadata(idptest.Metadata(doubled...), "", time.Now())
	if err != nil || len(d.Certificates) != samlsp.MostCertificates {
		t.Errorf("%d certificates, %v", len(d.Certificates), err)
	}
	pairs = append(pairs, idptest.NewPair(time.Now().Add(time.Hour)))
	if _, err := samlsp.ReadMetadata(idptest.Metadata(pairs...), "", time.Now()); err == nil || !strings.Contains(err.Error(), "11 certificates") {
		t.Error(err)
	}
}
