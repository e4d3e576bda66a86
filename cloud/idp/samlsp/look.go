package samlsp

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"

	"ldap-gateway/cloud/idp/evidence"
)

// MostBytes bounds a response. 10,000 groups take half of it.
const MostBytes = 2 << 20

const mostDepth = 64

// looked is what a look has seen of a document.
type looked struct {
	depth      int
	roots      int
	assertions int
	root       xml.Name
	ids        map[string]bool
}

// look refuses, before anything is parsed into a tree, what no provider sends by
// itself.
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

// token looks at one token.
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
		if l.depth == 0 && len(bytes.TrimSpace(t)) > 0 {
			return evidence.Refuse(evidence.Shape, "text outside the root")
		}
	case xml.StartElement:
		return l.start(t)
	case xml.EndElement:
		l.depth--
	}
	return nil
}

// start looks at the start of an element. Names are raw here: prefixes, not spaces.
func (l *looked) start(e xml.StartElement) error {
	if l.depth++; l.depth > mostDepth {
		return evidence.Refuse(evidence.Shape, "deeper than %d", mostDepth)
	}
	if l.depth == 1 {
		l.roots++
		l.root = e.Name
	}
	if e.Name.Local == "Assertion" || e.Name.Local == "EncryptedAssertion" {
		l.assertions++
	}
	seen := map[xml.Name]bool{}
	for _, a := range e.Attr {
		if seen[a.Name] {
			return evidence.Refuse(evidence.Shape, "an attribute twice")
		}
		seen[a.Name] = true
		if a.Name.Local != "ID" && a.Name.Local != "Id" && a.Name.Local != "id" {
			continue
		}
		if l.ids[a.Value] {
			return evidence.Refuse(evidence.Shape, "an ID twice")
		}
		l.ids[a.Value] = true
	}
	return nil
}

// whole looks at the document as a whole.
func (l *looked) whole() error {
	if l.roots != 1 || l.depth != 0 {
		return evidence.Refuse(evidence.Shape, "%d roots", l.roots)
	}
	if l.assertions > 1 {
		return evidence.Refuse(evidence.Shape, "%d assertions", l.assertions)
	}
	return nil
}

// Answers returns the ID of the request that a response says to answer, for whoever
// must find out about it first. No more than the start of the document is read, and
// nothing of it is proven. Empty: none.
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
