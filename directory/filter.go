package directory

import (
	"errors"
	"fmt"
	"strings"

	ber "github.com/go-asn1-ber/asn1-ber"
	"github.com/go-ldap/ldap/v3"
)

const placeholder = "${identifier}"

// filterTemplate is a filter with holes. What a person typed is escaped in with,
// and nowhere else, so that it can only ever be an assertion value.
type filterTemplate struct {
	parts      []string // text around the holes
	asked      []string // attributes with a hole
	standing   string   // the filter with each hole's assertion weakened to "has the attribute"
	assertions []Assertion
}

// Assertion is one thing that a filter asserts of an entry.
type Assertion struct {
	Attribute string
	Match     Match
	Rule      string // OID or name of the matching rule, of an extensible match; may be empty
	// Value is what is compared with, unescaped, also of a substrings match, whose parts
	// are joined; ${identifier} stands in it as it was written. Empty of a presence match.
	Value string
}

// Match is how a filter compares (RFC 4511, 4.5.1.7).
type Match uint8

// The ways.
const (
	MatchEquality Match = iota + 1
	MatchPresence
	MatchSubstrings
	MatchOrdering // >= and <=
	MatchApproximate
	MatchExtensible
)

// matches says which way each tag of a filter item is.
var matches = map[ber.Tag]Match{
	ldap.FilterEqualityMatch:   MatchEquality,
	ldap.FilterPresent:         MatchPresence,
	ldap.FilterSubstrings:      MatchSubstrings,
	ldap.FilterGreaterOrEqual:  MatchOrdering,
	ldap.FilterLessOrEqual:     MatchOrdering,
	ldap.FilterApproxMatch:     MatchApproximate,
	ldap.FilterExtensibleMatch: MatchExtensible,
}

// with returns the filter for one identifier.
func (f filterTemplate) with(identifier string) string {
	return strings.Join(f.parts, ldap.EscapeFilter(identifier))
}

// values returns what attributes are compared with for one identifier, where that stands.
func (f filterTemplate) values(identifier string) (out []string) {
	for _, a := range f.assertions {
		if strings.Contains(a.Value, placeholder) {
			out = append(out, strings.ReplaceAll(a.Value, placeholder, identifier))
		}
	}
	return out
}

// compileTemplate parses the filter with a mark in the place of the holes, and then
// looks where the marks have come to stand.
func compileTemplate(text string) (filterTemplate, error) {
	f := filterTemplate{parts: strings.Split(text, placeholder)}
	if len(f.parts) == 1 {
		return f, errors.New("must contain " + placeholder + ", which stands for what the person typed")
	}
	mark := "zq" // not a hexadecimal digit, so that it cannot complete an escape
	for strings.Contains(strings.ToLower(text), mark) {
		mark += "zq"
	}
	packet, err := ldap.CompileFilter(strings.Join(f.parts, mark))
	if err != nil {
		return f, fmt.Errorf("not a filter (RFC 4515): %w", err)
	}
	w := filterWalk{mark: mark}
	f.standing = w.walk(packet, false)
	f.asked, f.assertions = w.asked, w.assertions
	switch {
	case w.err != nil:
		return f, w.err
	case w.holes != len(f.parts)-1:
		return f, errors.New(placeholder + " may stand only in a value, as in (uid=" + placeholder + ")")
	}
	return f, nil
}

// filterWalk goes through a compiled filter: it counts the marks in assertion
// values, collects assertions, and writes the weakened filter.
type filterWalk struct {
	mark       string
	holes      int
	asked      []string // attributes that are compared with a mark
	assertions []Assertion
	err        error
}

// note keeps what an item asserts.
func (w *filterWalk) note(p *ber.Packet, attribute, rule, value string) {
	w.assertions = append(w.assertions, Assertion{
		Attribute: attribute,
		Match:     matches[p.Tag],
		Rule:      rule,
		Value:     strings.ReplaceAll(value, w.mark, placeholder),
	})
}

func (w *filterWalk) walk(p *ber.Packet, negated bool) string {
	switch p.Tag {
	case ldap.FilterAnd:
		return w.set("&", p.Children, negated)
	case ldap.FilterOr:
		return w.set("|", p.Children, negated)
	case ldap.FilterNot:
		return w.set("!", p.Children, true)
	case ldap.FilterPresent:
		attribute := ber.DecodeString(p.Data.Bytes())
		w.note(p, attribute, "", "")
		return w.item(p, attribute, 0, negated)
	case ldap.FilterExtensibleMatch:
		return w.extensible(p, negated)
	}
	text := p.Children[1].Data.String()
	holes := strings.Count(text, w.mark)
	if p.Tag == ldap.FilterSubstrings {
		text, holes = "", 0
		for _, part := range p.Children[1].Children {
			text += part.Data.String()
			holes += strings.Count(part.Data.String(), w.mark)
		}
	}
	attribute := p.Children[0].Data.String()
	w.note(p, attribute, "", text)
	return w.item(p, attribute, holes, negated)
}

func (w *filterWalk) set(operator string, children []*ber.Packet, negated bool) string {
	out := "(" + operator
	for _, child := range children {
		out += w.walk(child, negated)
	}
	return out + ")"
}

func (w *filterWalk) extensible(p *ber.Packet, negated bool) string {
	var attribute, rule, value string
	for _, child := range p.Children {
		switch child.Tag {
		case ldap.MatchingRuleAssertionMatchingRule:
			rule = child.Data.String()
		case ldap.MatchingRuleAssertionType:
			attribute = child.Data.String()
		case ldap.MatchingRuleAssertionMatchValue:
			value = child.Data.String()
		}
	}
	holes := strings.Count(value, w.mark)
	w.note(p, attribute, rule, value)
	if attribute == "" {
		w.fail("an extensible match must name its attribute, or no policy can check it")
		return ""
	}
	return w.item(p, attribute, holes, negated)
}

func (w *filterWalk) item(p *ber.Packet, attribute string, holes int, negated bool) string {
	w.holes += holes
	switch {
	case strings.Contains(attribute, w.mark):
		w.fail(placeholder + " stands for an attribute; it may stand only in a value, as in (uid=" + placeholder + ")")
	case !attributeName(attribute):
		w.fail(fmt.Sprintf("%q is not an attribute name", attribute))
	case holes > 0 && negated:
		w.fail(placeholder + " stands below a not: such a filter finds everybody else")
	}
	if holes > 0 {
		w.asked = union(w.asked, []string{attribute})
		return "(" + attribute + "=*)"
	}
	text, err := ldap.DecompileFilter(p)
	if err != nil {
		w.fail("cannot be read back")
	}
	return text
}

func (w *filterWalk) fail(text string) {
	if w.err == nil {
		w.err = errors.New(text)
	}
}
