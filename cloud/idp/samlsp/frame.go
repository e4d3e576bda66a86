package samlsp

import (
	"slices"

	"ldap-gateway/cloud/evidence"
)

// frame is an element that a look is in.
// It is kept for open elements alone, so that there are as many as the depth.
type frame struct {
	name       string   // without its prefix
	namespaces int      // that it declares
	text       bool     // it has some
	elements   bool     // it has some
	once       []string // of its elements, those that come once
}

// once are the elements that come at most once in another, by the name of that. The
// schemas say so; the library reads the first or the last and overlooks the others.
// One of several names stands for the choice of them.
func once(within, name string) (string, bool) {
	switch within {
	case "Response":
		return name, slices.Contains([]string{"Issuer", "Signature", "Extensions", "Status"}, name)
	case "Assertion":
		return name, slices.Contains([]string{"Issuer", "Signature", "Subject", "Conditions", "Advice"}, name)
	case "AuthnRequest":
		return name, slices.Contains([]string{
			"Issuer", "Signature", "Extensions", "Subject", "NameIDPolicy", "Conditions", "RequestedAuthnContext", "Scoping",
		}, name)
	case "LogoutResponse":
		return name, slices.Contains([]string{"Issuer", "Signature", "Extensions", "Status"}, name)
	case "LogoutRequest":
		if slices.Contains([]string{"NameID", "BaseID", "EncryptedID"}, name) {
			return "NameID", true
		}
		return name, slices.Contains([]string{"Issuer", "Signature", "Extensions"}, name)
	case "Subject", "SubjectConfirmation":
		if slices.Contains([]string{"NameID", "BaseID", "EncryptedID"}, name) {
			return "NameID", true
		}
		return name, name == "SubjectConfirmationData"
	}
	return "", false
}

// says notes that the element has text.
func (f *frame) says() error {
	f.text = true
	return f.unmixed()
}

// has notes that the element has another in it.
func (f *frame) has(name string) error {
	f.elements = true
	if key, single := once(f.name, name); single {
		if slices.Contains(f.once, key) {
			return evidence.Refuse(evidence.Shape, "two of what comes once: %s in %s", key, f.name)
		}
		f.once = append(f.once, key)
	}
	return f.unmixed()
}

// unmixed refuses text beside elements: what is the value is a matter of opinion then.
func (f *frame) unmixed() error {
	if f.text && f.elements {
		return evidence.Refuse(evidence.Shape, "text beside elements in %.64s", f.name)
	}
	return nil
}
