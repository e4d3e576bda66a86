package mapping

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"ldap-gateway/cloud/store"
)

// Groups is the name of the mapping that asks for direct groups. Its value
// names the membership attribute; how groups are found is the agent's business.
const Groups = "memberOfExternalGroups"

// Identifier stands in a filter for what the person typed.
const Identifier = "${identifier}"

const (
	opening = "${ldapAttributes."
	closing = "}"
)

// description is an attribute description (RFC 4512 section 2.5).
var description = regexp.MustCompile(`^([A-Za-z][A-Za-z0-9-]*|[0-9]+(\.[0-9]+)+)(;[A-Za-z0-9-]+)*$`)

// AttributeName tells whether a text is the name of an attribute, with options
// or as an OID too.
func AttributeName(text string) bool { return description.MatchString(text) }

// Of returns the template that is one attribute and nothing else.
func Of(attribute string) string { return opening + attribute + closing }

// Attribute returns the attribute of a template that is one and nothing else;
// false for every other template.
func Attribute(template string) (name string, ok bool) {
	name, front := strings.CutPrefix(template, opening)
	name, back := strings.CutSuffix(name, closing)
	return name, front && back && AttributeName(name)
}

// part is a literal text, or the name of an attribute.
type part struct {
	text      string
	attribute bool
}

// parse splits a template. Its error says what is wrong, in words.
func parse(template string) (parts []part, err error) {
	wrong := fmt.Errorf("write an attribute as %sNAME%s", opening, closing)
	pieces, whole := split(template)
	if !whole {
		return nil, wrong
	}
	for _, p := range pieces {
		if !p.reference {
			parts = append(parts, part{text: p.text})
			continue
		}
		name, known := strings.CutPrefix(p.text, "ldapAttributes.")
		if !known || !AttributeName(name) {
			return nil, wrong
		}
		parts = append(parts, part{name, true})
	}
	return parts, nil
}

// piece is a literal text of a template, or what stands between "${" and "}".
type piece struct {
	text      string
	reference bool
}

// split takes a template apart, and tells whether every reference in it ends. A brace
// between quotes ends none.
func split(template string) (pieces []piece, whole bool) {
	for rest := template; rest != ""; {
		literal, after, found := strings.Cut(rest, "${")
		if literal != "" {
			pieces = append(pieces, piece{text: literal})
		}
		if !found {
			break
		}
		end, quoted := -1, false
		for i, r := range after {
			if quoted = quoted != (r == '\''); r == '}' && !quoted {
				end = i
				break
			}
		}
		if end < 0 {
			return nil, false
		}
		pieces = append(pieces, piece{after[:end], true})
		rest = after[end+1:]
	}
	return pieces, true
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
