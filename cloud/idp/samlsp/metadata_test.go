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

// TestMetadataOfSeveral: of two providers the one that is stated is taken, and without
// one neither; what else is described beside one does not count.
func TestMetadataOfSeveral(t *testing.T) {
	w := build(t)
	one := string(idptest.Metadata(w.theirs))
	other := strings.ReplaceAll(one, idptest.EntityID, "https://other.example.com")
	client := `<md:EntityDescriptor entityID="https://client.example.com"><md:SPSSODescriptor protocolSupportEnumeration="` +
		`urn:oasis:names:tc:SAML:2.0:protocol"/></md:EntityDescriptor>`
	list := func(inner ...string) string {
		return `<md:EntitiesDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata">` + strings.Join(inner, "") + `</md:EntitiesDescriptor>`
	}
	for name, c := range map[string]struct {
		doc, id, want string // entity ID; empty: refused
	}{
		"one":                      {one, "", idptest.EntityID},
		"one in a list":            {list(client, one), "", idptest.EntityID},
		"two":                      {list(one, other), "", ""},
		"two, the other way round": {list(other, one), "", ""},
		"two in lists":             {list(list(one), list(client, other)), "", ""},
		"two, the first stated":    {list(one, other), idptest.EntityID, idptest.EntityID},
		"two, the second stated":   {list(one, other), "https://other.example.com", "https://other.example.com"},
		"two, a third stated":      {list(one, other), "https://third.example.com", ""},
		"none":                     {list(client), "", ""},
	} {
		d, err := samlsp.ReadMetadata([]byte(c.doc), c.id, time.Now())
		if (err == nil) != (c.want != "") || d.EntityID != c.want && err == nil {
			t.Errorf("%s: %q, %v", name, d.EntityID, err)
		}
	}
	if _, err := samlsp.ReadMetadata([]byte(list(one, other)), "", time.Now()); err == nil || !strings.Contains(err.Error(), "entity ID") {
		t.Error(err)
	}
}

// TestMetadataOfOtherProtocols: a role that speaks SAML 1.1 alone is none of ours, also
// beside one that is.
func TestMetadataOfOtherProtocols(t *testing.T) {
	w := build(t)
	good := string(idptest.Metadata(w.theirs))
	const ours, old = `"urn:oasis:names:tc:SAML:2.0:protocol"`, `"urn:oasis:names:tc:SAML:1.1:protocol urn:mace:shibboleth:1.0"`
	if !strings.Contains(good, ours) {
		t.Fatal(good)
	}
	from, to := strings.Index(good, "<md:IDPSSODescriptor"), strings.Index(good, "</md:IDPSSODescriptor>")+len("</md:IDPSSODescriptor>")
	role := good[from:to]
	before := strings.ReplaceAll(strings.ReplaceAll(role, ours, old), "https://idp.example.org/", "https://old.example.org/")
	for name, c := range map[string]struct {
		roles string
		taken bool
	}{
		"both protocols":    {strings.ReplaceAll(role, ours, `"urn:oasis:names:tc:SAML:1.1:protocol urn:oasis:names:tc:SAML:2.0:protocol"`), true},
		"the old one":       {before, false},
		"the old one first": {before + role, true},
		"the old one last":  {role + before, true},
		"none":              {strings.ReplaceAll(role, ours, `""`), false},
	} {
		d, err := samlsp.ReadMetadata([]byte(good[:from]+c.roles+good[to:]), "", time.Now())
		if (err == nil) != c.taken || c.taken && d.Endpoint != "https://idp.example.org/sso" {
			t.Errorf("%s: %q, %v", name, d.Endpoint, err)
		}
	}
}

// TestMetadataDeclaresNothing, however that is written and wherever it stands.
func TestMetadataDeclaresNothing(t *testing.T) {
	w := build(t)
	good := string(idptest.Metadata(w.theirs))
	at := strings.Index(good, "<md:EntityDescriptor")
	for _, declared := range []string{
		"<!DOCTYPE x>", "<!doctype x>", "<!DocType x [<!ENTITY a 'b'>]>", "<!ENTITY a 'b'>", "<!DOCTYPE\tx SYSTEM 'file:///etc/passwd'>",
	} {
		for _, doc := range []string{good[:at] + declared + good[at:], good + declared} {
			if _, err := samlsp.ReadMetadata([]byte(doc), idptest.EntityID, time.Now()); err == nil || !strings.Contains(err.Error(), "document type") {
				t.Errorf("%s: %v", declared, err)
			}
		}
	}
}
