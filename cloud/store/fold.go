package store

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Fold returns the form in which names are compared: Unicode simple case
// folding and NFC. "ß" and "ss" stay two, as they do in most directories.
func Fold(s string) string {
	if ascii(s) {
		return strings.ToLower(s) // the same, at a tenth of the cost
	}
	return norm.NFC.String(strings.Map(foldRune, norm.NFC.String(s)))
}

// ascii tells whether a text has no other characters.
func ascii(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// foldRune returns the smallest of the characters that r differs from by case
// only, and a to z rather than A to Z.
func foldRune(r rune) rune {
	least := r
	for n := unicode.SimpleFold(r); n != r; n = unicode.SimpleFold(n) {
		least = min(least, n)
	}
	if 'A' <= least && least <= 'Z' {
		least += 'a' - 'A'
	}
	return least
}

// findKey is the form in which people look for something: Fold without accents, so that "e" finds "é" and "é"
// finds "e".
func findKey(s string) string { return plain(Fold(Storable(s))) }

// plain takes the accents off a folded text, character by character: what is part of a text is part of it
// still. Marks that are no accents, as vowels of Hindi, stay.
func plain(s string) string {
	if ascii(s) {
		return s
	}
	var b strings.Builder
	for _, r := range norm.NFD.String(s) {
		r = unicode.ToLower(r) // Fold has the capital of some
		switch letters := unaccented(r); {
		case letters != "":
			b.WriteString(letters)
		case r < '\u0300' || r > '\u036F':
			b.WriteRune(r)
		}
	}
	return norm.NFC.String(b.String())
}

// unaccented are the letters that people type for one that Unicode does not take apart; empty: itself.
func unaccented(r rune) string {
	switch r {
	case 'ß':
		return "ss"
	case 'æ':
		return "ae"
	case 'œ':
		return "oe"
	case 'ø':
		return "o"
	case 'đ', 'ð':
		return "d"
	case 'ł':
		return "l"
	case 'ħ':
		return "h"
	case 'ı':
		return "i"
	case 'þ':
		return "th"
	}
	return ""
}

// Typed returns a name as directories read what was typed: compatible forms are one
// (NFKC), what is not seen is left out, each blank is one of ASCII, and blanks around
// are no part of it (RFC 4518 section 2).
func Typed(s string) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		switch {
		case unicode.Is(unicode.Cf, r), unicode.Is(unicode.Mn, r) && unicode.Is(unicode.Variation_Selector, r):
			return -1
		case unicode.IsSpace(r):
			return ' '
		}
		return r
	}, norm.NFKC.String(s)))
}

// GroupKey returns the form in which the names of groups are compared: Fold,
// with no blanks around the commas, equal signs and plus signs of a DN and one
// blank for many elsewhere. An escaped character (RFC 4514) is left alone.
func GroupKey(name string) string {
	if plain := strings.TrimSpace(name); ascii(plain) && !strings.Contains(plain, " ") {
		return strings.ToLower(plain) // there is no blank to be left out
	}
	var b strings.Builder
	blanks, escaped := 0, false
	for _, r := range Fold(strings.TrimSpace(name)) {
		if r == ' ' && !escaped {
			blanks++
			continue
		}
		separator := !escaped && strings.ContainsRune(",=+", r)
		if blanks > 0 && !separator && !endsInSeparator(b.String()) {
			b.WriteByte(' ')
		}
		blanks, escaped = 0, r == '\\' && !escaped
		b.WriteRune(r)
	}
	return b.String()
}

// ExactKey is the form in which the names of an identity provider's groups are
// compared: NFC, without blanks around it. Names that differ by case are two.
func ExactKey(name string) string { return norm.NFC.String(strings.TrimSpace(name)) }

// NameKey is the form in which a source's names of groups are compared: ExactKey of
// SourceIDP, GroupKey of all else.
func NameKey(source Source, name string) string {
	if source == SourceIDP {
		return ExactKey(name)
	}
	return GroupKey(name)
}

// Key is the NameKey of the group's name.
func (g Group) Key() string { return NameKey(g.SourceType, g.Name) }

// endsInSeparator tells whether key ends in a separator that is not escaped.
func endsInSeparator(key string) bool {
	if key == "" || !strings.ContainsRune(",=+", rune(key[len(key)-1])) {
		return false
	}
	rest := strings.TrimRight(key[:len(key)-1], `\`)
	return (len(key)-1-len(rest))%2 == 0
}
