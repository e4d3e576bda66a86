package mapping

import (
	"errors"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"ldap-gateway/cloud/evidence"
	"ldap-gateway/cloud/store"
)

// errClaim says how a claim is written in a template.
var errClaim = errors.New("write a claim as ${providerAttributes.NAME}, or ${providerAttributes['NAME']} " +
	"when its name has other signs, or the subject as ${samlAssertion.subject}")

// claim is a part of a provider's template: a literal text, a path, or the subject.
type claim struct {
	text    string
	path    evidence.Path
	subject bool
}

// parseClaims splits a template of a provider's mapping. Its error says what is wrong,
// in words.
func parseClaims(template string) (parts []claim, err error) {
	pieces, whole := split(template)
	if !whole {
		return nil, errClaim
	}
	for _, p := range pieces {
		c := claim{text: p.text}
		if p.reference {
			if c, err = reference(p.text); err != nil {
				return nil, err
			}
		}
		parts = append(parts, c)
	}
	return parts, nil
}

// reference reads what stands between the braces.
func reference(text string) (c claim, err error) {
	switch text {
	case "samlAssertion.subject", "providerAttributes.samlAssertion.externalId",
		"providerAttributes.samlAssertion.subject":
		return claim{subject: true}, nil
	}
	steps, known := strings.CutPrefix(text, "providerAttributes")
	if !known || steps == "" {
		return c, errClaim
	}
	plain := true
	for rest := steps; rest != ""; {
		step, quoted, after, ok := next(rest)
		if !ok {
			return c, errClaim
		}
		plain = plain && !quoted
		c.path.Steps = append(c.path.Steps, step)
		rest = after
	}
	if plain && len(c.path.Steps) > 1 {
		c.path.Whole = c.path.String()
	}
	return c, nil
}

// next cuts the first step off a path: ".name" or "['name']".
func next(path string) (step string, quoted bool, rest string, ok bool) {
	if inner, found := strings.CutPrefix(path, "['"); found {
		step, rest, ok = strings.Cut(inner, "']")
		return step, true, rest, ok && step != ""
	}
	inner, found := strings.CutPrefix(path, ".")
	if !found {
		return "", false, "", false
	}
	end := strings.IndexAny(inner, ".[")
	if end < 0 {
		end = len(inner)
	}
	step = inner[:end]
	return step, false, inner[end:], step != "" && !strings.ContainsAny(step, "]'{}$ ")
}

// CheckClaims returns what is wrong with a template of a provider's mapping, in words;
// nil when nothing is. Of groups it must be one claim and nothing else.
func CheckClaims(m store.ProviderMapping) error {
	parts, err := parseClaims(m.Value)
	if err != nil {
		return err
	}
	if m.Name == Groups && (len(parts) != 1 || len(parts[0].path.Steps) == 0) {
		return errors.New("groups are of one claim, as in ${providerAttributes.groups}")
	}
	return nil
}

// GroupClaim returns where a provider's groups are; false when they are not mapped.
func GroupClaim(p store.IdentityProvider) (path evidence.Path, rule store.UpdateRule, mapped bool) {
	for _, m := range p.Mappings {
		if m.Name != Groups {
			continue
		}
		if parts, err := parseClaims(m.Value); err == nil && len(parts) == 1 {
			return parts[0].path, m.Update, true
		}
	}
	return path, "", false
}

// mostValue is the length of a mapped value, in characters.
const mostValue = 1024

// Claimed returns the properties that evidence has a value for, groups excepted: an
// absent claim clears nothing, and neither does a value that is too long or that no
// record can have, which is left out.
func Claimed(p store.IdentityProvider, e evidence.Evidence) map[string]string {
	values := map[string]string{}
	for _, m := range p.Mappings {
		if m.Name == Groups {
			continue
		}
		if value := claimed(m.Value, e); value != "" && fits(m.Name, value) {
			values[m.Name] = value
		}
	}
	return values
}

// fits tells whether a property can have a value. Line ends and tabs have their place in
// an address, but in no username.
func fits(property, value string) bool {
	unreadable := func(c rune) bool {
		breaks := property != "username" && (c == '\n' || c == '\r' || c == '\t')
		return unicode.IsControl(c) && !breaks || c == utf8.RuneError
	}
	return utf8.RuneCountInString(value) <= mostValue && !strings.ContainsFunc(value, unreadable)
}

// claimed fills one template; empty when none of its claims has a value.
func claimed(template string, e evidence.Evidence) string {
	parts, err := parseClaims(template)
	if err != nil {
		return ""
	}
	var b strings.Builder
	asked, found := false, false
	for _, part := range parts {
		text := part.text
		switch {
		case part.subject:
			asked, text = true, strings.TrimSpace(e.Subject)
		case len(part.path.Steps) > 0:
			asked, text = true, e.Value(part.path)
		}
		found = found || text != "" && part.text == ""
		b.WriteString(text)
	}
	if asked && !found {
		return ""
	}
	return b.String()
}

// Missing lists the claims that a template names and that are not among names, those of
// claims that came. A template that is wrong names none.
func Missing(template string, names []string) (missing []string) {
	parts, err := parseClaims(template)
	if err != nil {
		return nil
	}
	for _, part := range parts {
		if len(part.path.Steps) == 0 || slices.Contains(names, part.path.Steps[0]) {
			continue
		}
		if part.path.Whole == "" || !slices.Contains(names, part.path.Whole) {
			missing = append(missing, part.path.String())
		}
	}
	return missing
}

// AllClaimed tells whether evidence has all that a provider's mappings name, whatever
// other sources may have. Of groups that is never so: only all sources together have
// the whole list, and an empty one of the first is no answer of the second.
func AllClaimed(p store.IdentityProvider, e evidence.Evidence) bool {
	for _, m := range p.Mappings {
		if m.Name == Groups {
			return false
		}
		parts, err := parseClaims(m.Value)
		if err != nil {
			continue
		}
		for _, part := range parts {
			if len(part.path.Steps) > 0 && !e.Has(part.path) {
				return false
			}
		}
	}
	return true
}
