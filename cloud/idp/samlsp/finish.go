package samlsp

import (
	"crypto/rsa"
	"errors"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/beevik/etree"
	"github.com/crewjam/saml"
	"github.com/crewjam/saml/xmlenc"

	"ldap-gateway/cloud/evidence"
)

// mostSubject is the length of a subject, in characters.
const mostSubject = 1024

// Kept is what must be known when the answer comes.
type Kept struct {
	ID    string    // of the request
	Since time.Time // the person must have proven it since then; zero: any time
}

// Finish takes the response that the browser brought, out of its base64. Every error
// is an *evidence.Refusal.
func (p *Provider) Finish(k Kept, doc []byte) (evidence.Evidence, error) {
	seen, err := look(doc)
	if err == nil {
		err = seen.signed()
	}
	if err != nil {
		return evidence.Evidence{}, err
	}
	// The library would look for one in the document.
	if len(p.Certificates) == 0 {
		return evidence.Evidence{}, evidence.Refuse(evidence.UnknownKey, "no certificate is stated")
	}
	sp, err := p.service()
	if err != nil {
		return evidence.Evidence{}, evidence.Refuse(evidence.ProviderError, "%v", err)
	}
	// One request is named, so an answer to another, or to none, is refused.
	a, err := sp.ParseXMLResponse(doc, []string{k.ID}, sp.AcsURL)
	if err != nil {
		return evidence.Evidence{}, p.refused(doc, err)
	}
	tree := etree.NewDocument()
	if err := tree.ReadFromBytes(doc); err != nil {
		return evidence.Evidence{}, evidence.Refuse(evidence.Shape, "not XML")
	}
	if err := p.lookInside(tree.Root()); err != nil {
		return evidence.Evidence{}, err
	}
	if err := p.lookAfter(k, a); err != nil {
		return evidence.Evidence{}, err
	}
	return p.read(tree.Root(), a)
}

// lookInside looks at an encrypted assertion as at the document that it came in.
// Until it was opened a look has seen nothing of it.
func (p *Provider) lookInside(root *etree.Element) error {
	outer := root.FindElement("./EncryptedAssertion")
	if outer == nil {
		return nil
	}
	key, _ := p.Key.(*rsa.PrivateKey)
	plain, err := decrypted(key, outer)
	if err != nil {
		return evidence.Refuse(evidence.Undecryptable, "it cannot be decrypted once more")
	}
	l, err := look(plain)
	if err != nil {
		return err
	}
	if l.assertions != 1 || l.root.Local != "Assertion" {
		return evidence.Refuse(evidence.Shape, "what was encrypted is no assertion")
	}
	return nil
}

// decrypted returns what an element has inside, whether its key is in it or beside.
// Either place is allowed (xmlenc-core 3.5). It is decrypted a second time, as the
// library does not hand on what it saw.
func decrypted(key *rsa.PrivateKey, outer *etree.Element) ([]byte, error) {
	data := outer.FindElement("./EncryptedData")
	beside := outer.FindElement("./EncryptedKey")
	if data == nil || key == nil {
		return nil, errors.New("nothing to decrypt")
	}
	if beside == nil {
		return xmlenc.Decrypt(key, data)
	}
	content, err := xmlenc.Decrypt(key, beside)
	if err != nil {
		return nil, err
	}
	return xmlenc.Decrypt(content, data)
}

// lookAfter checks what the library does not, or less strictly.
// The library has one skew for the whole program, the widest; here it is the provider's
// own.
func (p *Provider) lookAfter(k Kept, a *saml.Assertion) error {
	now, skew := p.Now(), SkewOf(p.Skew)
	if c := a.Conditions; c != nil && !c.NotBefore.IsZero() && now.Add(skew).Before(c.NotBefore) {
		return evidence.Refuse(evidence.TooEarly, "it is good from %s on", c.NotBefore.UTC())
	}
	if c := a.Conditions; c != nil && !c.NotOnOrAfter.IsZero() && !now.Add(-skew).Before(c.NotOnOrAfter) {
		return evidence.Refuse(evidence.TooLate, "it was good until %s", c.NotOnOrAfter.UTC())
	}
	at, until := authenticated(a)
	if !until.IsZero() && !now.Add(-skew).Before(until) {
		return evidence.Refuse(evidence.TooLate, "the session there ended at %s", until.UTC())
	}
	if at.After(now.Add(skew)) {
		return evidence.Refuse(evidence.TooEarly, "the person proved it at %s, in the future", at.UTC())
	}
	if !k.Since.IsZero() && at.Before(k.Since.Add(-skew)) {
		return evidence.Refuse(evidence.OldProof, "the person proved it at %s", at.UTC())
	}
	return nil
}

// authenticated returns when the person last proved who they are, and when the first of
// the sessions ends; zero: no session says when.
func authenticated(a *saml.Assertion) (at, until time.Time) {
	for _, s := range a.AuthnStatements {
		if s.AuthnInstant.After(at) {
			at = s.AuthnInstant
		}
		if end := s.SessionNotOnOrAfter; end != nil && (until.IsZero() || end.Before(until)) {
			until = *end
		}
	}
	return at, until
}

// methodsAttribute is where providers of Microsoft say how somebody proved who they are.
const methodsAttribute = "http://schemas.microsoft.com/claims/authnmethodsreferences"

// contexts returns the classes by which a person proved who they are, as the provider says.
func contexts(a *saml.Assertion) (all []string) {
	for _, s := range a.AuthnStatements {
		if c := s.AuthnContext.AuthnContextClassRef; c != nil {
			all = append(all, c.Value)
		}
	}
	for _, s := range a.AttributeStatements {
		for _, attribute := range s.Attributes {
			for _, v := range attribute.Values {
				if attribute.Name == methodsAttribute {
					all = append(all, v.Value)
				}
			}
		}
	}
	return all
}

// SkewOf is the skew of clocks that a setting of it allows: UsualSkew for none.
// One that is out of bounds is cut, and never makes the time that an answer is good
// longer than that.
func SkewOf(setting time.Duration) time.Duration {
	if setting <= 0 {
		return UsualSkew
	}
	return min(setting, MostSkew)
}

// read makes evidence of a proven assertion.
func (p *Provider) read(root *etree.Element, a *saml.Assertion) (e evidence.Evidence, err error) {
	e = evidence.Evidence{
		Claims: []map[string]any{attributes(a)},
		Key:    p.keyOf(root),
		Skew:   a.IssueInstant.Sub(p.Now()).Truncate(time.Second),
		Name:   p.Name,
	}
	e.At, e.Until = authenticated(a)
	e.Contexts = contexts(a)
	if p.SubjectFrom != "" {
		e.Subject, err = p.named(e.Claims[0])
	} else {
		err = p.nameID(&e, a.Subject.NameID)
	}
	if err != nil {
		return e, err
	}
	return e, evidence.CheckSubject(e.Subject, mostSubject)
}

// named takes the subject from the attribute that the settings name, as it is. Of
// several values none is the person's more than another.
func (p *Provider) named(attributes map[string]any) (subject string, err error) {
	values, _ := attributes[p.SubjectFrom].([]any)
	for i, v := range values {
		text, _ := v.(string) // each is one
		if i > 0 && text != subject {
			return "", evidence.Refuse(evidence.BadSubject, "the attribute that identifies people has several values")
		}
		subject = text
	}
	return subject, nil
}

// nameID takes the subject from the name ID.
// A name ID for another service provider is not ours to take.
func (p *Provider) nameID(e *evidence.Evidence, id *saml.NameID) error {
	if id == nil {
		return evidence.Refuse(evidence.NoSubject, "there is no name ID")
	}
	if strings.TrimSpace(id.Format) == Transient { // blanks around an address mean nothing
		return evidence.Refuse(evidence.Unstable, "the name ID is transient")
	}
	if id.SPNameQualifier != "" && id.SPNameQualifier != p.OwnEntityID {
		return evidence.Refuse(evidence.WrongAudience, "the name ID is for %.200q", id.SPNameQualifier)
	}
	e.Subject = id.Value
	if id.NameQualifier != "" && id.NameQualifier != p.EntityID {
		e.Qualifiers = id.NameQualifier
	}
	return nil
}

// attributes returns the values of every attribute by its name, those of one that
// comes several times together. One without a value has an empty list.
// What is nil (xsi:nil) is no value.
// Its FriendlyName counts for nothing: the standard keeps it for people (saml-core
// 2.7.3.1).
func attributes(a *saml.Assertion) map[string]any {
	all := map[string]any{}
	for _, s := range a.AttributeStatements {
		for _, attribute := range s.Attributes {
			values, _ := all[attribute.Name].([]any)
			if values == nil {
				values = []any{}
			}
			for _, v := range attribute.Values {
				values = append(values, valueOf(v))
			}
			all[attribute.Name] = values
		}
	}
	maps.DeleteFunc(all, func(_ string, v any) bool { return onlyNil(v.([]any)) })
	return all
}

// valueOf is one value; nil for one that says it is none (saml-core 2.7.3.1.1), as null
// is in a claim.
func valueOf(v saml.AttributeValue) any {
	switch {
	case v.Nil:
		return nil
	case v.NameID != nil:
		return v.NameID.Value
	}
	return v.Value
}

// onlyNil tells whether an attribute says of itself that it has no value, which is not
// that it is empty.
func onlyNil(values []any) bool {
	return len(values) > 0 && !slices.ContainsFunc(values, func(v any) bool { return v != nil })
}

// keyOf returns which of the provider's certificates an answer names; the only one
// when there is no other. Empty: it does not say.
// It is for the page of the provider, which shows what is in use, and proves nothing.
func (p *Provider) keyOf(root *etree.Element) string {
	if len(p.Certificates) == 1 {
		return p.Certificates[0].ID
	}
	for _, named := range root.FindElements("//X509Certificate") {
		for _, c := range p.Certificates {
			if same(named.Text(), c.X509.Raw) {
				return c.ID
			}
		}
	}
	return ""
}

// refused makes the library's refusal a kind.
// What it does not know counts as a wrong signature, since that is what was to be
// proven.
func (p *Provider) refused(doc []byte, err error) error {
	var inner *saml.InvalidResponseError
	if errors.As(err, &inner) {
		err = inner.PrivateErr
	}
	var already *evidence.Refusal
	if errors.As(err, &already) {
		return already
	}
	var status saml.ErrBadStatus
	if errors.As(err, &status) {
		return evidence.Refuse(statusKind(doc), "the provider answers %.200q", status.Status)
	}
	kind := evidence.Signature
	for _, k := range kinds() {
		if errors.Is(err, k.is) {
			kind = k.kind
			break
		}
	}
	if kind == evidence.Signature {
		kind = unproven(doc)
	}
	return &evidence.Refusal{Kind: kind, Detail: "the answer is refused", Cause: err}
}

// unproven says more of a document whose signature proves nothing: an administrator who
// is told of a forgery would look in the wrong place.
func unproven(doc []byte) evidence.Kind {
	tree := etree.NewDocument()
	if tree.ReadFromBytes(doc) != nil || tree.Root() == nil {
		return evidence.Signature
	}
	switch {
	case weak(tree.Root()):
		return evidence.WeakAlgorithm
	case malleable(tree.Root()):
		return evidence.Malleable
	}
	return evidence.Signature
}

// malleable tells whether an assertion is encrypted by CBC in a response that nobody has
// signed. It is refused before it is decrypted (saml-core errata E93).
func malleable(root *etree.Element) bool {
	method := root.FindElement("./EncryptedAssertion/EncryptedData/EncryptionMethod")
	return method != nil && root.FindElement("./Signature") == nil &&
		strings.HasSuffix(method.SelectAttrValue("Algorithm", ""), "-cbc")
}

// weak tells whether a document is signed by SHA-1, which is refused.
// It is asked only of what was refused, to say why.
func weak(root *etree.Element) bool {
	for _, path := range []string{"//SignedInfo/SignatureMethod", "//SignedInfo/Reference/DigestMethod"} {
		for _, method := range root.FindElements(path) {
			if strings.HasSuffix(method.SelectAttrValue("Algorithm", ""), "sha1") {
				return true
			}
		}
	}
	return false
}

// kinds are those of the library's refusals, the narrower first.
func kinds() []struct {
	is   error
	kind evidence.Kind
} {
	return []struct {
		is   error
		kind evidence.Kind
	}{
		{saml.ErrAssertionReplayed, evidence.Replayed},
		{saml.ErrCertificateNotValidNow, evidence.ExpiredKey},
		{saml.ErrUntrustedCertificate, evidence.UnknownKey},
		{saml.ErrDecryptionFailed, evidence.Undecryptable},
		{saml.ErrIssuerMismatch, evidence.WrongIssuer},
		{saml.ErrDestinationMismatch, evidence.WrongPlace},
		{saml.ErrRequestIDMismatch, evidence.WrongRequest},
		{saml.ErrAudienceMismatch, evidence.WrongAudience},
		{saml.ErrExpired, evidence.TooLate},
		{saml.ErrNotYetValid, evidence.TooEarly},
		{saml.ErrInvalidSignature, evidence.Signature},
		{saml.ErrMissingElement, evidence.Shape},
		{saml.ErrMalformedMessage, evidence.Shape},
		{saml.ErrUnsupported, evidence.Condition},
	}
}

// statusKind reads what a status says (saml-core 3.2.2.2), whoever wrote it: nobody is
// signed on by it.
func statusKind(doc []byte) evidence.Kind {
	tree := etree.NewDocument()
	if tree.ReadFromBytes(doc) != nil || tree.Root() == nil {
		return evidence.ProviderError
	}
	for _, code := range tree.Root().FindElements("./Status//StatusCode") {
		switch code.SelectAttrValue("Value", "") {
		case saml.StatusNoPassive:
			return evidence.NeedsPerson
		case saml.StatusRequestDenied, saml.StatusAuthnFailed:
			return evidence.Cancelled
		}
	}
	return evidence.ProviderError
}
