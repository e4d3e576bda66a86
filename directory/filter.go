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
	attributes []string
	asked      []string // those with a hole
	standing   string   // the filter with each hole's assertion weakened to "has the attribute"
}

// with returns the filter for one identifier.
func (f filterTemplate) with(identifier string) string {
	return strings.Join(f.parts, ldap.EscapeFilter(identifier))
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
	f.attributes, f.asked = w.attributes, w.asked
	switch {
	case w.err != nil:
		return f, w.err
	case w.holes != len(f.parts)-1:
		return f, errors.New(placeholder + " may stand only in a value, as in (uid=" + placeholder + ")")
	}
	return f, nil
}

// filterWalk goes through a compiled filter: it counts the marks in assertion
// values, collects attributes, and writes the weakened filter.
type filterWalk struct {
	mark       string
	holes      int
	attributes []string
	asked      []string // of the attributes, those that are compared with a mark
	err        error
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
		return w.item(p, ber.DecodeString(p.Data.Bytes()), 0, negated)
	case ldap.FilterExtensibleMatch:
		return w.extensible(p, negated)
	}
	value := p.Children[1]
	holes := strings.Count(value.Data.String(), w.mark)
	if p.Tag == ldap.FilterSubstrings {
		holes = 0
		for _, part := range value.Children {
			holes += strings.Count(part.Data.String(), w.mark)
		}
	}
	return w.item(p, p.Children[0].Data.String(), holes, negated)
}

func (w *filterWalk) set(operator string, children []*ber.Packet, negated bool) string {
	out := "(" + operator
	for _, child := range children {
		out += w.walk(child, negated)
	}
	return out + ")"
}

func (w *filterWalk) extensible(p *ber.Packet, negated bool) string {
	attribute, holes := "", 0
	for _, child := range p.Children {
		switch child.Tag {
		case ldap.MatchingRuleAssertionType:
			attribute = child.Data.String()
		case ldap.MatchingRuleAssertionMatchValue:
			holes = strings.Count(child.Data.String(), w.mark)
		}
	}
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
	w.attributes = union(w.attributes, []string{attribute})
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
