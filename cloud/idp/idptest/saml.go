package idptest

import (
	"bytes"
	"cmp"
	"compress/flate"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net/url"
	"strings"
	"time"

	"github.com/beevik/etree"
	"github.com/crewjam/saml/xmlenc"
	dsig "github.com/russellhaering/goxmldsig"
)

// Pair is a key with its certificate.
type Pair struct {
	Key  *rsa.PrivateKey
	Cert *x509.Certificate
}

// NewPair makes one whose certificate ends at a time.
func NewPair(until time.Time) Pair {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err) // only a size that is too small fails
	}
	like := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()),
		Subject:      pkix.Name{CommonName: "provider"},
		NotBefore:    until.Add(-48 * time.Hour),
		NotAfter:     until,
	}
	der, err := x509.CreateCertificate(rand.Reader, like, like, &key.PublicKey, key)
	if err != nil {
		panic(err) // the template is right
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		panic(err) // it was just made
	}
	return Pair{key, cert}
}

// Letter is a SAML response to be. Fields are raw: a test puts into them what it likes.
type Letter struct {
	ID, InResponseTo, Destination, Recipient, Audience, Issuer string
	NameID, Format, NameQualifier, SPNameQualifier             string
	Status, SubStatus, Version                                 string
	Issued, Until, SessionUntil, AuthnInstant                  time.Time
	Attributes, Condition                                      string // XML
	Class                                                      string // of the authentication context; empty: Password
	NoAudience, NoAuthn, NoNameID                              bool
}

// The usual values of a letter.
const (
	EntityID   = "https://idp.example.org/metadata"
	Persistent = "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent"
	Success    = "urn:oasis:names:tc:SAML:2.0:status:Success"
)

// Answer is a letter that is right in all, to a request of an application.
func Answer(request, acs, audience string, now time.Time) Letter {
	now = now.UTC().Truncate(time.Millisecond)
	return Letter{
		ID:           "_a" + rand.Text(),
		InResponseTo: request,
		Destination:  acs,
		Recipient:    acs,
		Audience:     audience,
		Issuer:       EntityID,
		NameID:       "u-1234",
		Format:       Persistent,
		Status:       Success,
		Version:      "2.0",
		Issued:       now,
		AuthnInstant: now,
		Until:        now.Add(5 * time.Minute),
	}
}

// Attribute is the XML of an attribute with its values, which are escaped.
func Attribute(name string, values ...string) string {
	var b strings.Builder
	fmt.Fprintf(&b, `<saml:Attribute Name="%s">`, escape(name))
	for _, v := range values {
		fmt.Fprintf(&b, `<saml:AttributeValue>%s</saml:AttributeValue>`, escape(v))
	}
	return b.String() + "</saml:Attribute>"
}

func escape(s string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", `"`, "&quot;").Replace(s)
}

const stamp = "2006-01-02T15:04:05.000Z"

// optional is an attribute of XML, or nothing.
func optional(name, value string) string {
	if value == "" {
		return ""
	}
	return fmt.Sprintf(` %s="%s"`, name, escape(value))
}

// Assertion returns the letter's assertion, unsigned.
func (l Letter) Assertion() *etree.Element {
	const ns = `xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion"`
	s := fmt.Sprintf(`<saml:Assertion %s ID="%s" Version="2.0" IssueInstant="%s">`+
		`<saml:Issuer>%s</saml:Issuer><saml:Subject>`,
		ns, l.ID, l.Issued.Format(stamp), l.Issuer)
	if !l.NoNameID {
		s += `<saml:NameID` + optional("Format", l.Format) + optional("NameQualifier", l.NameQualifier) +
			optional("SPNameQualifier", l.SPNameQualifier) + `>` + l.NameID + `</saml:NameID>`
	}
	s += fmt.Sprintf(`<saml:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:bearer">`+
		`<saml:SubjectConfirmationData NotOnOrAfter="%s" Recipient="%s"%s/></saml:SubjectConfirmation></saml:Subject>`,
		l.Until.Format(stamp), l.Recipient, optional("InResponseTo", l.InResponseTo))
	s += fmt.Sprintf(`<saml:Conditions NotBefore="%s" NotOnOrAfter="%s">`, l.Issued.Format(stamp), l.Until.Format(stamp))
	if !l.NoAudience {
		s += `<saml:AudienceRestriction><saml:Audience>` + l.Audience + `</saml:Audience></saml:AudienceRestriction>`
	}
	s += l.Condition + `</saml:Conditions>`
	if !l.NoAuthn {
		end := ""
		if !l.SessionUntil.IsZero() {
			end = optional("SessionNotOnOrAfter", l.SessionUntil.Format(stamp))
		}
		s += fmt.Sprintf(`<saml:AuthnStatement AuthnInstant="%s"%s><saml:AuthnContext><saml:AuthnContextClassRef>`+
			`%s</saml:AuthnContextClassRef></saml:AuthnContext></saml:AuthnStatement>`,
			l.AuthnInstant.Format(stamp), end, cmp.Or(l.Class, "urn:oasis:names:tc:SAML:2.0:ac:classes:Password"))
	}
	if l.Attributes != "" {
		s += `<saml:AttributeStatement>` + l.Attributes + `</saml:AttributeStatement>`
	}
	return Parse(s + `</saml:Assertion>`)
}

// Response puts assertions into the letter's response, unsigned.
func (l Letter) Response(assertions ...*etree.Element) *etree.Element {
	sub := ""
	if l.SubStatus != "" {
		sub = `<samlp:StatusCode Value="` + l.SubStatus + `"/>`
	}
	el := Parse(fmt.Sprintf(`<samlp:Response xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol"`+
		` xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID="_r%s" Version="%s" IssueInstant="%s" Destination="%s"%s>`+
		`<saml:Issuer>%s</saml:Issuer><samlp:Status><samlp:StatusCode Value="%s">%s</samlp:StatusCode></samlp:Status>`+
		`</samlp:Response>`,
		l.ID, l.Version, l.Issued.Format(stamp), l.Destination, optional("InResponseTo", l.InResponseTo), l.Issuer,
		l.Status, sub))
	for _, a := range assertions {
		el.AddChild(a)
	}
	return el
}

// Parse reads an element; it panics when it is none.
func Parse(s string) *etree.Element {
	d := etree.NewDocument()
	if err := d.ReadFromString(s); err != nil {
		panic(err)
	}
	return d.Root()
}

// Sign returns el with an enveloped signature after its issuer, with the certificate in
// it when keyInfo says so.
func (p Pair) Sign(method string, keyInfo bool, el *etree.Element) *etree.Element {
	ctx := dsig.NewDefaultSigningContext(dsig.TLSCertKeyStore(tls.Certificate{
		Certificate: [][]byte{p.Cert.Raw},
		PrivateKey:  p.Key,
	}))
	ctx.Canonicalizer = dsig.MakeC14N10ExclusiveCanonicalizerWithPrefixList("")
	if err := ctx.SetSignatureMethod(method); err != nil {
		panic(err)
	}
	out, err := ctx.SignEnveloped(el)
	if err != nil {
		panic(err)
	}
	out = Parse(string(Text(out))) // the signer leaves the new child without its parent
	sig := out.RemoveChild(out.FindElement("./Signature")).(*etree.Element)
	if !keyInfo {
		sig.RemoveChild(sig.FindElement("./KeyInfo"))
	}
	out.InsertChildAt(1, sig)
	return out
}

// Text writes an element.
func Text(el *etree.Element) []byte {
	d := etree.NewDocument()
	d.SetRoot(el.Copy())
	b, err := d.WriteToBytes()
	if err != nil {
		panic(err)
	}
	return b
}

// Good is the whole document, its assertion signed with SHA-256.
func (p Pair) Good(l Letter) []byte {
	return Text(l.Response(p.Sign(dsig.RSASHA256SignatureMethod, true, l.Assertion())))
}

// Encrypt wraps an assertion for whoever has a certificate.
func Encrypt(to *x509.Certificate, block xmlenc.BlockCipher, assertion *etree.Element) *etree.Element {
	return EncryptText(to, block, Text(assertion))
}

// EncryptText is Encrypt for any text.
func EncryptText(to *x509.Certificate, block xmlenc.BlockCipher, text []byte) *etree.Element {
	enc := xmlenc.OAEP()
	enc.BlockCipher = block
	el, err := enc.Encrypt(to, text, nil)
	if err != nil {
		panic(err)
	}
	el.CreateAttr("Type", "http://www.w3.org/2001/04/xmlenc#Element")
	wrap := etree.NewElement("saml:EncryptedAssertion")
	wrap.AddChild(el)
	return wrap
}

// ReadRequest returns the ID of a request and where its answer is to go, out of the
// address that a browser was sent to.
func ReadRequest(address string) (id, acs string, err error) {
	u, err := url.Parse(address)
	if err != nil {
		return "", "", err
	}
	packed, err := base64.StdEncoding.DecodeString(u.Query().Get("SAMLRequest"))
	if err != nil {
		return "", "", err
	}
	text, err := io.ReadAll(flate.NewReader(bytes.NewReader(packed)))
	if err != nil {
		return "", "", err
	}
	return readRequest(text)
}

// readRequest reads a request's XML.
func readRequest(text []byte) (id, acs string, err error) {
	d := etree.NewDocument()
	if err := d.ReadFromBytes(text); err != nil {
		return "", "", err
	}
	root := d.Root()
	if root == nil {
		return "", "", errors.New("no request")
	}
	return root.SelectAttrValue("ID", ""), root.SelectAttrValue("AssertionConsumerServiceURL", ""), nil
}

// PKCS8 is the key as it is kept.
func (p Pair) PKCS8() []byte {
	b, err := x509.MarshalPKCS8PrivateKey(p.Key)
	if err != nil {
		panic(err) // an RSA key always can
	}
	return b
}

// Metadata describes a provider that signs with any of the pairs.
func Metadata(pairs ...Pair) []byte {
	keys := ""
	for _, p := range pairs {
		keys += `<md:KeyDescriptor use="signing"><ds:KeyInfo><ds:X509Data><ds:X509Certificate>` +
			base64.StdEncoding.EncodeToString(p.Cert.Raw) + `</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>`
	}
	const (
		md       = `xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" xmlns:ds="http://www.w3.org/2000/09/xmldsig#"`
		protocol = `protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol"`
		sso      = `<md:SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-`
	)
	return []byte(`<md:EntityDescriptor ` + md + ` entityID="` + EntityID + `">` +
		`<md:IDPSSODescriptor ` + protocol + `>` + keys +
		sso + `POST" Location="https://idp.example.org/post"/>` +
		sso + `Redirect" Location="https://idp.example.org/sso"/>` +
		`</md:IDPSSODescriptor></md:EntityDescriptor>`)
}
