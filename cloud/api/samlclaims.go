package api

import (
	"cmp"
	"slices"
	"strings"

	"ldap-gateway/cloud/store"
)

// subjectName is how the mapping of the name ID is called.
const subjectName = "saml_subject"

// nameFormats are those of attributes (saml-core 8.2).
func nameFormats() []string {
	const front = "urn:oasis:names:tc:SAML:2.0:attrname-format:"
	return []string{"", front + "unspecified", front + "uri", front + "basic"}
}

// samlSubject is the mapping of the name ID. Where nothing was said it is what the format of
// the name ID calls for.
func samlSubject(a store.Application) store.ApplicationAttribute {
	return store.ApplicationAttribute{
		ID:         derivedID(a.ID, subjectName),
		Name:       subjectName,
		Value:      cmp.Or(a.SAML.Subject, usualSubject(a)),
		Required:   true,
		NameFormat: a.SAML.SubjectFormat,
	}
}

func usualSubject(a store.Application) string {
	if strings.HasSuffix(a.SAML.NameIDFormat, ":emailAddress") {
		return "${user.email}"
	}
	return subjectValue
}

// intoSubject writes the mapping of the name ID. What it may be management knows.
func (f claimForm) intoSubject(a *store.Application) error {
	var wrongs []detail
	if f.Name != subjectName {
		wrongs = append(wrongs, wrong("name", "It stays %s.", subjectName))
	}
	if !f.Required {
		wrongs = append(wrongs, wrong("required", "It must be true: an assertion is of somebody."))
	}
	if !slices.Contains(nameFormats(), f.NameFormat) {
		wrongs = append(wrongs, wrong("nameFormat", "It must be one of %q.", nameFormats()[1:]))
	}
	a.SAML.Subject, a.SAML.SubjectFormat = f.Value, f.NameFormat
	if f.Value == usualSubject(*a) {
		a.SAML.Subject = ""
	}
	return invalid(append(wrongs, f.notSAML()...)...)
}

// notSAML tells what no attribute of an assertion has. That OpenID Connect would tell it
// clients send without being asked.
func (f claimForm) notSAML() (wrongs []detail) {
	if off(f.InIDToken) {
		wrongs = append(wrongs, wrong("idToken", "It is of applications of OpenID Connect. Leave it out."))
	}
	if off(f.InUserInfo) {
		wrongs = append(wrongs, wrong("userInfo", "It is of applications of OpenID Connect. Leave it out."))
	}
	return wrongs
}

// checkSAML tells what an attribute at a place may not be.
func (f claimForm) checkSAML(a store.Application, at int) error {
	var wrongs []detail
	switch {
	case f.Name == "":
		wrongs = append(wrongs, missing("name"))
	case strings.EqualFold(f.Name, subjectName):
		wrongs = append(wrongs, wrong("name", "It is the name of the subject's mapping."))
	case slices.IndexFunc(a.Kept.Attributes, func(m store.ApplicationAttribute) bool { return m.Name == f.Name }) >= 0 &&
		(at < 0 || a.Kept.Attributes[at].Name != f.Name):
		wrongs = append(wrongs, detail{notUnique, "name", "Another attribute of this application has this name."})
	}
	property, ends := strings.CutSuffix(strings.TrimPrefix(f.Value, "${user."), "}")
	one := ends && strings.HasPrefix(f.Value, "${user.") && property != "" && !strings.ContainsAny(property, "${} ")
	if f.Value == "" || strings.Contains(f.Value, "${") && !one {
		wrongs = append(wrongs, wrong("value", "It must be one property, as in ${user.email}, or a text without any."))
	}
	if !slices.Contains(nameFormats(), f.NameFormat) {
		wrongs = append(wrongs, wrong("nameFormat", "It must be one of %q.", nameFormats()[1:]))
	}
	return invalid(append(wrongs, f.notSAML()...)...)
}
