package samlsp

import (
	"encoding/xml"
	"fmt"

	"github.com/beevik/etree"
)

// WriteMetadata returns a description (saml-metadata 2.3.2) as text. Each namespace is declared where
// it begins and not by every element again: there are readers to whom an element with a declaration is
// no text, and who find no certificate.
func WriteMetadata(entity any) ([]byte, error) {
	text, err := xml.MarshalIndent(entity, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("metadata: %w", err)
	}
	doc := etree.NewDocument()
	if err := doc.ReadFromBytes(text); err != nil {
		return nil, fmt.Errorf("metadata: %w", err)
	}
	declareOnce(doc.Root(), "")
	if text, err = doc.WriteToBytes(); err != nil {
		return nil, fmt.Errorf("metadata: %w", err)
	}
	return append([]byte(xml.Header), text...), nil
}

// declareOnce takes off what says of an element that it is in the namespace in which it is anyhow.
func declareOnce(el *etree.Element, around string) {
	if declared := el.SelectAttr("xmlns"); declared != nil {
		if declared.Value == around {
			el.RemoveAttr("xmlns")
		}
		around = declared.Value
	}
	for _, child := range el.ChildElements() {
		declareOnce(child, around)
	}
}
