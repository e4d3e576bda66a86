package mapping

import (
	"fmt"
	"slices"
	"strings"

	"ldap-gateway/cloud/store"
)

// Groups is the name of the mapping that asks for direct groups. Its value
// names the membership attribute; how groups are found is the agent's business.
const Groups = "memberOfExternalGroups"

const (
	opening = "${ldapAttributes."
	closing = "}"
)

// part is a literal text, or the name of an attribute.
type part struct {
	text      string
	attribute bool
}

// parse splits a template. Its error says what is wrong, in words.
func parse(template string) (parts []part, err error) {
	for rest := template; rest != ""; {
		literal, after, found := strings.Cut(rest, "${")
		if literal != "" {
			parts = append(parts, part{text: literal})
		}
		if !found {
			break
		}
		name, tail, closed := strings.Cut(after, closing)
		name, known := strings.CutPrefix(name, "ldapAttributes.")
		if !closed || !known || !attributeName(name) {
			return nil, fmt.Errorf("write an attribute as %sNAME%s", opening, closing)
		}
		parts = append(parts, part{name, true})
		rest = tail
	}
	return parts, nil
}

// attributeName tells whether s is an attribute description (RFC 4512 section 2.5).
func attributeName(s string) bool {
	if s == "" {
		return false
	}
	return !strings.ContainsFunc(s, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '.' || r == ';')
	})
}

// Check says what is wrong with a template; nil when nothing is.
func Check(template string) error {
	_, err := parse(template)
	return err
}

// WantsGroups tells whether a user type asks for direct groups.
func WantsGroups(u store.UserType) bool {
	return slices.ContainsFunc(u.Mappings, func(m store.Mapping) bool { return m.Name == Groups })
}

// Attributes returns the LDAP attributes that a user type's mappings need,
// without the one for groups, each once, in order of appearance.
func Attributes(u store.UserType) (names []string) {
	for _, m := range u.Mappings {
		parts, err := parse(m.Value)
		if err != nil || m.Name == Groups {
			continue
		}
		for _, p := range parts {
			if p.attribute && !containsFold(names, p.text) {
				names = append(names, p.text)
			}
		}
	}
	return names
}

func containsFold(list []string, s string) bool {
	return slices.ContainsFunc(list, func(x string) bool { return strings.EqualFold(x, s) })
}

// Properties fills every property that the user type maps, groups excepted. A
// property whose attributes are all without a value is empty.
func Properties(u store.UserType, attributes map[string][]string) map[string]string {
	folded := make(map[string]string, len(attributes))
	for name, values := range attributes {
		if len(values) > 0 {
			folded[strings.ToLower(name)] = values[0]
		}
	}
	out := make(map[string]string, len(u.Mappings))
	for _, m := range u.Mappings {
		if parts, err := parse(m.Value); err == nil && m.Name != Groups {
			out[m.Name] = fill(parts, folded)
		}
	}
	return out
}

func fill(parts []part, attributes map[string]string) string {
	var b strings.Builder
	asked, found := false, false
	for _, p := range parts {
		text := p.text
		if p.attribute {
			text = attributes[strings.ToLower(p.text)]
			asked, found = true, found || text != ""
		}
		b.WriteString(text)
	}
	if asked && !found {
		return ""
	}
	return b.String()
}
