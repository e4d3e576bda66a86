package dn

import (
	"slices"
	"strings"
)

// Pattern means the names that are like a text with '*' in it.
//
// A '*' stands for any text: within a value, a whole value, or any number of RDNs.
// So "cn=app-*,ou=apps,dc=x" means also what is below "cn=app-1,ou=old,ou=apps,dc=x".
// A '*' that is meant as itself is written "\*". Everything else is compared as
// names are.
type Pattern struct {
	parts []string // what stands between the '*'
}

// Compile reads a pattern. Errors: ErrSyntax.
func Compile(text string) (Pattern, error) {
	folded, err := fold(text, true)
	if err != nil {
		return Pattern{}, err
	}
	return Pattern{strings.Split(folded, string(star))}, nil
}

// CompileAll reads patterns, in order. Errors: ErrSyntax, of the first that is none.
func CompileAll(texts []string) ([]Pattern, error) {
	out := make([]Pattern, 0, len(texts))
	for _, text := range texts {
		p, err := Compile(text)
		if err != nil {
			return nil, err
		}
		out = append(out, p)
	}
	return out, nil
}

// Match tells whether a name is meant.
func (p Pattern) Match(n Name) bool {
	if len(p.parts) == 0 {
		return n.folded == ""
	}
	rest, ok := strings.CutPrefix(n.folded, p.parts[0])
	if !ok || len(p.parts) == 1 {
		return ok && rest == ""
	}
	last := len(p.parts) - 1
	for _, part := range p.parts[1:last] {
		if _, rest, ok = strings.Cut(rest, part); !ok {
			return false
		}
	}
	return strings.HasSuffix(rest, p.parts[last])
}

// MatchAny tells whether one of the patterns means a name.
func MatchAny(patterns []Pattern, n Name) bool {
	return slices.ContainsFunc(patterns, func(p Pattern) bool { return p.Match(n) })
}

// mostSpellings bounds how many names MeanAnyPart looks at.
const mostSpellings = 64

// MeanAnyPart tells whether one of the patterns means a name, or what the name is when
// of an RDN of several parts only one is written: cn=a+ou=b,dc=x is kept back by what
// keeps back cn=a,dc=x. A name of so many parts that they cannot all be tried is meant.
func MeanAnyPart(patterns []Pattern, n Name) bool {
	if len(patterns) == 0 || !strings.ContainsRune(n.folded, beside) {
		return MatchAny(patterns, n)
	}
	all := []string{""}
	for _, rdn := range strings.Split(n.folded, string(between)) {
		all = longer(all, rdn)
		if len(all) > mostSpellings {
			return true
		}
	}
	return slices.ContainsFunc(all, func(one string) bool {
		return MatchAny(patterns, Name{strings.TrimSuffix(one, string(between))})
	})
}

// longer returns each name with an RDN at its end: whole, and with each of its parts alone.
func longer(names []string, rdn string) (all []string) {
	parts := strings.Split(rdn, string(beside))
	if len(parts) > 1 {
		parts = append(parts, rdn)
	}
	for _, n := range names {
		for _, part := range parts {
			all = append(all, n+part+string(between))
		}
	}
	return all
}
