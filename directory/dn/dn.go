package dn

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// ErrSyntax says that a text is no distinguished name, or no pattern of one.
var ErrSyntax = errors.New("not a distinguished name")

// Marks of the one form that names are compared in. None can be in a folded value.
const (
	between = '\x00' // RDNs
	beside  = '\x01' // parts of one RDN
	equals  = '\x02' // type and value
	star    = '\x03' // text that a pattern does not name
)

// Name is a distinguished name in the one form that all its spellings share. It is
// comparable; the zero Name is the empty one, which is above all.
type Name struct {
	folded string
}

// Parse reads a name as servers and people write it (RFC 4514, and the quotation
// marks and semicolons of RFC 2253). Errors: ErrSyntax.
func Parse(text string) (Name, error) {
	folded, err := fold(text, false)
	if err != nil {
		return Name{}, err
	}
	return Name{folded}, nil
}

// ParsePrefix reads a name from the beginning of a text, as far as it goes on as one, and
// returns how many octets that are; the empty name when there is none.
func ParsePrefix(text string) (n Name, length int) {
	s, out := scanner{text: text}, []byte(nil)
	for !s.done() {
		if len(out) > 0 {
			s.at++ // the separator
			out = append(out, between)
		}
		next, err := s.rdn(out)
		if err != nil {
			break
		}
		out, n, length = next, Name{string(next)}, min(s.at, len(text))
	}
	return n, length
}

// Key returns what all spellings of a name share: a text to keep things by. What
// is no name has itself, in lower case, and is never equal to one.
func Key(text string) string {
	if name, err := Parse(text); err == nil {
		return name.Key()
	}
	return string(star) + strings.ToLower(text)
}

// Key is Key of each of the name's spellings.
func (n Name) Key() string { return n.folded }

// Same tells whether two texts are one name. What is no name is the same as nothing.
func Same(a, b string) bool {
	one, err := Parse(a)
	if err != nil {
		return false
	}
	other, err := Parse(b)
	return err == nil && one == other
}

// Within tells whether the name is base, or is below it.
func (n Name) Within(base Name) bool {
	if base.folded == "" {
		return true
	}
	above, ok := strings.CutSuffix(n.folded, base.folded)
	return ok && (above == "" || above[len(above)-1] == between)
}

// NextType returns the attribute type, in lower case, of the part of the name that stands
// right before base; empty when the name is base itself, or not within it.
func (n Name) NextType(base Name) string {
	above, ok := strings.CutSuffix(n.folded, string(between)+base.folded)
	if !ok {
		return ""
	}
	name, _, _ := strings.Cut(above[strings.LastIndexByte(above, between)+1:], string(equals))
	return name
}

// Parent returns the name without its first part; the empty one has none.
func (n Name) Parent() Name {
	_, rest, _ := strings.Cut(n.folded, string(between))
	return Name{rest}
}

// First returns the first parts of the name, which stand lowest; all of it when it has no
// more.
func (n Name) First(parts int) Name {
	at := 0
	for range parts {
		next := strings.IndexByte(n.folded[at:], between)
		if next < 0 {
			return n
		}
		at += next + 1
	}
	return Name{strings.TrimSuffix(n.folded[:at], string(between))}
}

// Depth is how many parts the name has, from the root on.
func (n Name) Depth() int {
	if n.IsZero() {
		return 0
	}
	return strings.Count(n.folded, string(between)) + 1
}

// Root returns the last part of the name, which is above all others; the empty name has
// the empty one.
func (n Name) Root() Name { return Name{n.folded[strings.LastIndexByte(n.folded, between)+1:]} }

// Types returns the attribute types of all parts, in lower case and from the first part
// on, each as often as it stands there; nil for the empty name.
func (n Name) Types() (types []string) {
	marks := func(r rune) bool { return r == between || r == beside }
	for part := range strings.FieldsFuncSeq(n.folded, marks) {
		name, _, _ := strings.Cut(part, string(equals))
		types = append(types, name)
	}
	return types
}

// Values returns the values of all parts as they are compared, from the first part on; nil
// for the empty name.
func (n Name) Values() (values []string) {
	marks := func(r rune) bool { return r == between || r == beside }
	for part := range strings.FieldsFuncSeq(n.folded, marks) {
		_, value, _ := strings.Cut(part, string(equals))
		values = append(values, value)
	}
	return values
}

// IsZero tells whether the name is the empty one.
func (n Name) IsZero() bool { return n.folded == "" }

// fold brings a text into the one form. With wild, a '*' that is not escaped
// becomes the mark of a pattern.
func fold(text string, wild bool) (string, error) {
	if plain, ok := foldPlain(text); ok && !wild {
		return plain, nil
	}
	return foldAny(text, wild)
}

// foldAny is fold of names however they are written.
func foldAny(text string, wild bool) (string, error) {
	s := scanner{text: text, wild: wild}
	if strings.Trim(text, " ") == "" {
		return "", nil
	}
	out := make([]byte, 0, len(text)+4)
	for {
		var err error
		if out, err = s.rdn(out); err != nil {
			return "", fmt.Errorf("%w: %q: %w", ErrSyntax, text, err)
		}
		if s.done() {
			return string(out), nil
		}
		s.at++ // the separator
		out = append(out, between)
	}
}

// rdn appends one RDN; the scanner is then at its end or at what separates it.
func (s *scanner) rdn(out []byte) ([]byte, error) {
	from := len(out)
	var cuts []int // where the parts after the first begin
	for {
		var err error
		if out, err = s.part(out); err != nil {
			return nil, err
		}
		if s.done() || s.text[s.at] != '+' {
			break
		}
		s.at++
		out = append(out, beside)
		cuts = append(cuts, len(out))
	}
	if len(cuts) == 0 {
		return out, nil
	}
	parts := strings.Split(string(out[from:]), string(beside))
	slices.Sort(parts)
	return append(out[:from], strings.Join(parts, string(beside))...), nil
}

// part appends one type with its value. A pattern may have a '*' for both.
func (s *scanner) part(out []byte) ([]byte, error) {
	s.blanks()
	name, wild := s.typeName()
	if s.done() || s.text[s.at] != '=' {
		if !wild {
			return nil, errors.New("an attribute type and \"=\" are missing")
		}
		return append(out, foldValue(name)...), nil
	}
	s.at++
	if !wild {
		var err error
		if name, err = foldType(name); err != nil {
			return nil, err
		}
	}
	out = append(append(out, strings.ToLower(name)...), equals)
	value, err := s.value()
	return append(out, value...), err
}
