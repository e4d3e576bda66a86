package samlidp

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/beevik/etree"
	"github.com/crewjam/saml"
	"github.com/crewjam/saml/xmlenc"
	dsig "github.com/russellhaering/goxmldsig"

	"ldap-gateway/cloud/store"
)

// algorithms are the methods of signatures by the API's names. EC is not among them: few
// applications take it.
var algorithms = map[string]struct {
	method string
	hash   crypto.Hash
}{
	"":              {dsig.RSASHA256SignatureMethod, crypto.SHA256},
	"SHA256withRSA": {dsig.RSASHA256SignatureMethod, crypto.SHA256},
	"SHA384withRSA": {dsig.RSASHA384SignatureMethod, crypto.SHA384},
	"SHA512withRSA": {dsig.RSASHA512SignatureMethod, crypto.SHA512},
}

// ciphers are those of encryption by the API's names. All are authenticated: what is not, as
// CBC, could be read by who alters it.
var ciphers = map[string]xmlenc.BlockCipher{
	"AES_128": xmlenc.AES128GCM,
	"AES_256": xmlenc.AES256GCM,
}

// signer signs for one application.
type signer struct {
	key         crypto.Signer
	certificate *x509.Certificate
	algorithm   string
}

// signer returns that of an application: its own key, or the environment's.
func (s *Server) signer(ctx context.Context, env string, a store.ServiceProvider) (signer, error) {
	id := a.KeyID
	if id == "" {
		c, err := s.Store.DefaultKey(ctx, env)
		if err != nil {
			return signer{}, fmt.Errorf("the environment's default key: %w", asFault(err))
		}
		id = c.ID
	}
	key, certificate, err := s.Keys(ctx, env, id)
	return signer{key, certificate, a.Algorithm}, asFault(err)
}

// errNoKey says that settings name a key that there is not.
var errNoKey = errors.New("there is no such key")

// asFault has what is missing be a fault of ours, and nothing that has taken too long.
func asFault(err error) error {
	if errors.Is(err, store.ErrNotFound) {
		return errNoKey
	}
	return err
}

// signature makes that of an element, which is to be its second child.
func (s signer) signature(el *etree.Element) (*etree.Element, error) {
	c, err := dsig.NewSigningContext(s.key, [][]byte{s.certificate.Raw})
	if err != nil {
		return nil, err
	}
	c.Canonicalizer = dsig.MakeC14N10ExclusiveCanonicalizerWithPrefixList("")
	if err := c.SetSignatureMethod(algorithms[s.algorithm].method); err != nil {
		return nil, err
	}
	return c.ConstructSignature(el, true)
}

// newID is one that nobody guesses.
func newID() string {
	b := make([]byte, 20)
	_, _ = rand.Read(b) // does not fail
	return "_" + hex.EncodeToString(b)
}

// entityFormat is that of names of providers.
const entityFormat = "urn:oasis:names:tc:SAML:2.0:nameid-format:entity"

func (k *call) issuer() *saml.Issuer {
	return &saml.Issuer{Format: entityFormat, Value: EntityID(k.Server.URL, k.env)}
}

// envelope is a response without an assertion.
func (k *call) envelope(w wish) *saml.Response {
	return &saml.Response{
		ID:           newID(),
		InResponseTo: w.Request,
		Destination:  w.ACS,
		IssueInstant: k.instant(),
		Version:      "2.0",
		Issuer:       k.issuer(),
		Status:       saml.Status{StatusCode: saml.StatusCode{Value: saml.StatusSuccess}},
	}
}

// instant is now, as messages say it.
func (k *call) instant() time.Time { return k.now().UTC().Truncate(time.Millisecond) }

// early is how long before it was made an assertion is good: clocks differ.
const early = time.Minute

// assertion makes one, unsigned.
func (k *call) assertion(a store.Application, w wish, p person) *saml.Assertion {
	now := k.instant()
	until := now.Add(time.Duration(a.SAML.AssertionSeconds) * time.Second)
	statement := saml.AuthnStatement{
		AuthnInstant: p.by.At.UTC(),
		SessionIndex: p.index,
		AuthnContext: saml.AuthnContext{AuthnContextClassRef: &saml.AuthnContextClassRef{Value: w.classOf(p.by)}},
	}
	if n := a.SAML.SessionSeconds; n > 0 {
		end := now.Add(time.Duration(n) * time.Second)
		statement.SessionNotOnOrAfter = &end
	}
	made := &saml.Assertion{
		ID:           newID(),
		IssueInstant: now,
		Version:      "2.0",
		Issuer:       *k.issuer(),
		Subject: &saml.Subject{NameID: &p.nameID, SubjectConfirmations: []saml.SubjectConfirmation{{
			Method: "urn:oasis:names:tc:SAML:2.0:cm:bearer",
			SubjectConfirmationData: &saml.SubjectConfirmationData{ // no address: behind a proxy it would be wrong
				InResponseTo: w.Request, NotOnOrAfter: until, Recipient: w.ACS,
			},
		}}},
		Conditions: &saml.Conditions{
			NotBefore: now.Add(-early), NotOnOrAfter: until,
			AudienceRestrictions: []saml.AudienceRestriction{{Audience: saml.Audience{Value: a.SAML.EntityID}}},
		},
		AuthnStatements: []saml.AuthnStatement{statement},
	}
	if len(p.attributes) > 0 {
		made.AttributeStatements = []saml.AttributeStatement{{Attributes: p.attributes}}
	}
	return made
}

// response is the answer to a wish as bytes: the assertion is signed, encrypted, or both, and
// then the whole is signed, as the application has it.
func (k *call) response(s signer, a store.Application, w wish, p person) ([]byte, error) {
	made := k.assertion(a, w, p)
	el := lean(made.Element())
	if a.SAML.AssertionSigned || !a.SAML.ResponseSigned {
		signature, err := s.signature(el)
		if err != nil {
			return nil, err
		}
		el.InsertChildAt(1, signature) // behind the issuer, as the schema has it
	}
	el, err := k.encrypted(a, el)
	if err != nil {
		return nil, err
	}
	r := k.envelope(w)
	whole := r.Element()
	whole.AddChild(el)
	if a.SAML.ResponseSigned {
		signature, err := s.signature(whole)
		if err != nil {
			return nil, err
		}
		whole.InsertChildAt(1, signature)
	}
	return written(whole)
}

// lean takes off the namespaces of types that no value has: with many groups they are half of
// an assertion.
func lean(el *etree.Element) *etree.Element {
	for _, value := range el.FindElements("//AttributeValue") {
		value.RemoveAttr("xmlns:xsi")
		value.RemoveAttr("xmlns:xs")
	}
	return el
}

// encrypted is an assertion as only the application can read it, when it wants that. The
// certificate may have ended: see management, which tells before.
func (k *call) encrypted(a store.Application, el *etree.Element) (*etree.Element, error) {
	if a.SAML.EncryptedWith == "" {
		return el, nil
	}
	kept, err := k.Store.Certificate(k.Context(), k.env, a.SAML.EncryptedWith)
	if err != nil {
		return nil, fmt.Errorf("certificate of encryption: %w", asFault(err))
	}
	certificate, err := x509.ParseCertificate(kept.DER)
	if err != nil {
		return nil, err
	}
	plain, err := written(el)
	if err != nil {
		return nil, err
	}
	with := xmlenc.OAEP()
	with.DigestMethod = &xmlenc.SHA1 // of the padding, where it proves nothing: no other is taken by all
	with.BlockCipher = ciphers[a.SAML.Cipher]
	data, err := with.Encrypt(certificate, plain, nil)
	if err != nil {
		return nil, err
	}
	data.CreateAttr("Type", "http://www.w3.org/2001/04/xmlenc#Element")
	sealed := etree.NewElement("saml:EncryptedAssertion")
	sealed.AddChild(data)
	return sealed, nil
}

// written is an element as the canonical form has its texts, so that it is read as it was
// signed.
func written(el *etree.Element) ([]byte, error) {
	doc := etree.NewDocument()
	doc.WriteSettings.CanonicalText, doc.WriteSettings.CanonicalAttrVal = true, true
	doc.SetRoot(el)
	return doc.WriteToBytes()
}

func encoded(text []byte) string { return base64.StdEncoding.EncodeToString(text) }
