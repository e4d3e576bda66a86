package samlsp

import (
	"encoding/xml"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/beevik/etree"
	"github.com/crewjam/saml"
)

// TestWriteMetadata: what is read is what was described, by whoever knows namespaces; a namespace is
// declared where it begins alone, so that the certificates are text for who does not.
func TestWriteMetadata(t *testing.T) {
	key := saml.KeyDescriptor{
		Use:               "signing",
		KeyInfo:           saml.KeyInfo{X509Data: saml.X509Data{X509Certificates: []saml.X509Certificate{{Data: "one"}, {Data: "two"}}}},
		EncryptionMethods: []saml.EncryptionMethod{{Algorithm: "http://www.w3.org/2009/xmlenc11#aes256-gcm"}},
	}
	role := saml.RoleDescriptor{ProtocolSupportEnumeration: "urn:oasis:names:tc:SAML:2.0:protocol", KeyDescriptors: []saml.KeyDescriptor{key, key}}
	sso := saml.SSODescriptor{RoleDescriptor: role, NameIDFormats: []saml.NameIDFormat{saml.PersistentNameIDFormat}}
	end := saml.Endpoint{Binding: saml.HTTPPostBinding, Location: "https://a.example/?a=1&b=<2>"}
	for name, entity := range map[string]saml.EntityDescriptor{
		"identity provider": {IDPSSODescriptors: []saml.IDPSSODescriptor{{SSODescriptor: sso, SingleSignOnServices: []saml.Endpoint{end, end}}}},
		"service provider": {SPSSODescriptors: []saml.SPSSODescriptor{{SSODescriptor: sso,
			AssertionConsumerServices: []saml.IndexedEndpoint{{Binding: end.Binding, Location: end.Location}}}}},
		"nothing": {},
	} {
		entity.EntityID, entity.CacheDuration = "https://a.example/ü", time.Hour
		text, err := WriteMetadata(entity)
		if err != nil {
			t.Fatal(err)
		}
		var plain, read saml.EntityDescriptor
		usual, _ := xml.Marshal(entity)
		if err := xml.Unmarshal(usual, &plain); err != nil {
			t.Fatal(err)
		}
		if err := xml.Unmarshal(text, &read); err != nil || !reflect.DeepEqual(read, plain) {
			t.Errorf("%s: %v\n%s", name, err, text)
		}
		doc := etree.NewDocument()
		if err := doc.ReadFromBytes(text); err != nil {
			t.Fatal(err)
		}
		for _, el := range doc.FindElements("//X509Certificate") {
			if len(el.Attr) > 0 {
				t.Errorf("%s: a certificate is no text: %v", name, el.Attr)
			}
		}
		if n := strings.Count(string(text), `xmlns="urn:oasis:names:tc:SAML:2.0:metadata"`); n != 1 {
			t.Errorf("%s: the namespace is declared %d times", name, n)
		}
	}
	if _, err := WriteMetadata(func() {}); err == nil {
		t.Error("what is no description is written")
	}
}
