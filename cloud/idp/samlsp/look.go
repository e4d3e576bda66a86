package samlsp

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"

	"ldap-gateway/cloud/evidence"
)

// MostBytes bounds a response. 10,000 groups take half of it.
const MostBytes = 2 << 20

// The other bounds of a document: what 10,000 groups need, with three attributes at the
// value of each, and room. Whoever has no key can have us read this much.
const (
	mostDepth      = 64
	mostElements   = 40_000
	mostAttributes = 45_000 // in all; namespaces are among them, here and below
	mostOfOne      = 64     // attributes of one element
	mostNamespaces = 32     // in scope at one element
	mostSignatures = 2      // of the response and of the assertion
)

// looked is what a look has seen of a document.
type looked struct {
	open       []frame // elements, the innermost last
	roots      int
	elements   int
	assertions int
	encrypted  int // of assertions
	signatures int
	attributes int
	namespaces int // in scope
	root       xml.Name
	ids        map[string]bool
}

// look refuses, before anything is parsed into a tree, what no provider sends by
// itself.
// Its tokens are raw: no name space is resolved and no entity is looked up, so that it
// costs no more than the bytes.
func look(doc []byte) (*looked, error) {
	if len(doc) > MostBytes {
		return nil, evidence.Refuse(evidence.Shape, "the answer has %d bytes", len(doc))
	}
	l := &looked{ids: map[string]bool{}}
	d := xml.NewDecoder(bytes.NewReader(doc))
	for first := true; ; first = false {
		token, err := d.RawToken()
		if errors.Is(err, io.EOF) {
			return l, l.whole()
		}
		if err != nil {
			return nil, &evidence.Refusal{Kind: evidence.Shape, Detail: "not XML", Cause: err}
		}
		if err := l.token(token, first); err != nil {
			return nil, err
		}
	}
}

// Examine is the same look at what a service provider sends, which has no assertion, no more
// than one signature, and so many bytes at most.
func Examine(doc []byte, most int) error {
	if len(doc) > most {
		return evidence.Refuse(evidence.Shape, "the message has %d bytes", len(doc))
	}
	l, err := look(doc)
	switch {
	case err != nil:
		return err
	case l.assertions > 0:
		return evidence.Refuse(evidence.Shape, "an assertion")
	case l.signatures > 1:
		return evidence.Refuse(evidence.Shape, "%d signatures", l.signatures)
	}
	return nil
}

// token looks at one token.
// Comments and instructions split a text in two, and readers differ in which part they
// take.
func (l *looked) token(token xml.Token, first bool) error {
	switch t := token.(type) {
	case xml.Directive:
		return evidence.Refuse(evidence.Shape, "a document type")
	case xml.Comment:
		return evidence.Refuse(evidence.Shape, "a comment")
	case xml.ProcInst:
		if !first || t.Target != "xml" {
			return evidence.Refuse(evidence.Shape, "a processing instruction")
		}
	case xml.CharData:
		return l.text(t)
	case xml.StartElement:
		return l.start(t)
	case xml.EndElement:
		return l.end(t)
	}
	return nil
}

// text looks at text between two tags.
func (l *looked) text(t xml.CharData) error {
	if len(bytes.TrimSpace(t)) == 0 {
		return nil
	}
	if len(l.open) == 0 {
		return evidence.Refuse(evidence.Shape, "text outside the root")
	}
	return l.open[len(l.open)-1].says()
}

// start looks at the start of an element. Names are raw here: prefixes, not spaces.
func (l *looked) start(e xml.StartElement) error {
	switch l.elements++; {
	case l.elements > mostElements:
		return evidence.Refuse(evidence.Shape, "more than %d elements", mostElements)
	case len(l.open) == mostDepth:
		return evidence.Refuse(evidence.Shape, "deeper than %d", mostDepth)
	case len(e.Attr) > mostOfOne:
		return evidence.Refuse(evidence.Shape, "an element with %d attributes", len(e.Attr))
	}
	if l.attributes += len(e.Attr); l.attributes > mostAttributes {
		return evidence.Refuse(evidence.Shape, "more than %d attributes", mostAttributes)
	}
	if len(l.open) == 0 {
		l.roots++
		l.root = e.Name
	} else if err := l.open[len(l.open)-1].has(e.Name.Local); err != nil {
		return err
	}
	switch e.Name.Local {
	case "Assertion":
		l.assertions++
	case "EncryptedAssertion":
		l.assertions++
		l.encrypted++
	case "Signature":
		l.signatures++
	}
	f := frame{name: e.Name.Local}
	if err := l.bears(&f, e.Attr); err != nil {
		return err
	}
	l.open = append(l.open, f)
	return nil
}

// bears looks at the attributes of an element.
// An ID that comes twice would let a signature be of one element and what is read be of
// another.
func (l *looked) bears(f *frame, all []xml.Attr) error {
	seen := map[xml.Name]bool{}
	for _, a := range all {
		if seen[a.Name] {
			return evidence.Refuse(evidence.Shape, "an attribute twice")
		}
		seen[a.Name] = true
		switch {
		case a.Name.Space == "xmlns" || a.Name.Space == "" && a.Name.Local == "xmlns":
			f.namespaces++
		case a.Name.Local == "ID" || a.Name.Local == "Id" || a.Name.Local == "id":
			if l.ids[a.Value] {
				return evidence.Refuse(evidence.Shape, "an ID twice")
			}
			l.ids[a.Value] = true
		}
	}
	if l.namespaces += f.namespaces; l.namespaces > mostNamespaces {
		return evidence.Refuse(evidence.Shape, "%d namespaces at once", l.namespaces)
	}
	return nil
}

// end looks at the end of an element.
func (l *looked) end(e xml.EndElement) error {
	last := len(l.open) - 1
	if last < 0 || l.open[last].name != e.Name.Local {
		return evidence.Refuse(evidence.Shape, "an end without a start")
	}
	l.namespaces -= l.open[last].namespaces
	l.open = l.open[:last]
	return nil
}

// whole looks at the document as a whole.
// Two assertions are the other way to have one signed and one read.
func (l *looked) whole() error {
	if l.roots != 1 || len(l.open) != 0 {
		return evidence.Refuse(evidence.Shape, "%d roots", l.roots)
	}
	if l.assertions > 1 {
		return evidence.Refuse(evidence.Shape, "%d assertions", l.assertions)
	}
	if l.signatures > mostSignatures {
		return evidence.Refuse(evidence.Shape, "%d signatures", l.signatures)
	}
	return nil
}

// signed refuses an answer with an assertion that nothing can prove. One that is
// encrypted may have its signature inside.
// It does not say that the signature proves anything.
func (l *looked) signed() error {
	if l.assertions > l.encrypted && l.signatures == 0 {
		return evidence.Refuse(evidence.Unsigned, "there is no signature")
	}
	return nil
}

// Answers returns the ID of the request that a response says to answer, for whoever
// must find out about it first. No more than the start of the document is read, and
// nothing of it is proven. Empty: none.
// It is asked before the certificates are at hand: whose they are is found by it.
func Answers(doc []byte) (string, error) {
	d := xml.NewDecoder(bytes.NewReader(doc))
	for {
		token, err := d.RawToken()
		if err != nil {
			return "", &evidence.Refusal{Kind: evidence.Shape, Detail: "not XML", Cause: err}
		}
		if root, ok := token.(xml.StartElement); ok {
			return answers(root), nil
		}
	}
}

// answers returns the InResponseTo of a root.
func answers(root xml.StartElement) string {
	for _, a := range root.Attr {
		if a.Name.Space == "" && a.Name.Local == "InResponseTo" {
			return a.Value
		}
	}
	return ""
}
