package policy

import (
	"html"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"ldap-gateway/directory/dn"
)

// aroundNames are what stands about a name in values that are more than one: DN-Binary
// and DN-String ([MS-ADTS] 3.1.1.2.2.2.3), extended DNs, LDAP URLs, filters, postal
// addresses, and text.
const aroundNames = ":;<>?#|\"'()[]{}$\r\n\t"

// beginsName is where a name may begin within a text.
var beginsName = regexp.MustCompile(`[A-Za-z0-9][A-Za-z0-9.-]* *=`)

// optionalUID is what may follow a name (RFC 4517, Name and Optional UID).
var optionalUID = regexp.MustCompile(`#'[01]*'B$`)

// Bounds of what is looked for in one text, as each costs its length.
const (
	mostEscapes = 4       // times that it is escaped over
	mostNames   = 64      // places where a name may begin
	mostWords   = 8       // parts behind one, between commas
	longest     = 4 << 10 // octets of one name within a text
)

// namesIn returns the names in a value, itself one or not, also where it is written with
// escapes. Where words follow a name, as in "cn=a,dc=x since May", they are taken for a
// part of it: it is one that nobody knows.
func namesIn(value string) (names []dn.Name) {
	if !strings.ContainsAny(value, `=%\&`) {
		return nil
	}
	if name, ok := nameOf(value); ok && name.Depth() > 1 {
		return []dn.Name{name}
	}
	for range mostEscapes {
		names = append(names, namesAmong(value)...)
		plain := unescaped(value)
		if plain == value {
			break
		}
		value = plain
	}
	return names
}

// namesAmong returns what is a name between what may stand about one.
func namesAmong(text string) (names []dn.Name) {
	if name, ok := nameOf(text); ok {
		names = append(names, name)
	}
	for part := range strings.FieldsFuncSeq(text, func(r rune) bool { return strings.ContainsRune(aroundNames, r) }) {
		names = append(names, namesBackwards(part)...)
		for piece := range strings.SplitSeq(part, "/") {
			names = append(names, namesFrom(strings.TrimRight(piece, `\ `))...)
		}
	}
	return names
}

// namesFrom returns what is a name from wherever one may begin, as far as it goes on as
// one. What is within a name that was found is above it, and one part alone names no entry.
func namesFrom(text string) (names []dn.Name) {
	for _, at := range beginsName.FindAllStringIndex(text, mostNames) {
		before := strings.TrimRight(text[:at[0]], " ")
		goesOn := strings.HasSuffix(before, ",") || strings.HasSuffix(before, "+")
		if goesOn && len(names) > 0 {
			continue
		}
		if name, ok := longestName(text[at[0]:min(len(text), at[0]+longest)]); ok && name.Depth() > 1 {
			names = append(names, name)
		}
	}
	return names
}

// longestName returns the name that a text begins with: the whole text is tried, and what
// is left of it when words behind a comma are taken away.
func longestName(text string) (name dn.Name, ok bool) {
	for range mostWords {
		if name, ok = nameOf(text); ok {
			return name, true
		}
		at := strings.LastIndexAny(text, ",+")
		if at < 0 {
			break
		}
		text = text[:at]
	}
	return dn.Name{}, false
}

// slashed is a name from its root on, as in /dc=x/ou=groups/cn=a.
var slashed = regexp.MustCompile(`[A-Za-z0-9][A-Za-z0-9.-]* *=[^/]*(/[A-Za-z0-9][A-Za-z0-9.-]* *=[^/]*)+`)

// namesBackwards returns the names that are written from their root on.
func namesBackwards(text string) (names []dn.Name) {
	for _, path := range slashed.FindAllString(text, mostNames) {
		parts := strings.Split(path, "/")
		slices.Reverse(parts)
		if name, ok := nameOf(strings.Join(parts, ",")); ok {
			names = append(names, name)
		}
	}
	return names
}

// escapes are those of URLs, of names and filters, of JSON and of C.
var escapes = regexp.MustCompile(`%[0-9A-Fa-f]{2}|\\u[0-9A-Fa-f]{4}|\\x?[0-9A-Fa-f]{2}|\\.`)

// unescaped undoes every escape of a text once; what is none stays.
func unescaped(text string) string {
	return escapes.ReplaceAllStringFunc(html.UnescapeString(text), func(escape string) string {
		digits := strings.TrimLeft(escape, `%\ux`)
		code, err := strconv.ParseUint(digits, 16, 16)
		switch {
		case err != nil || len(digits) < 2:
			return escape[1:]
		case len(digits) == 4:
			return string(rune(code))
		}
		return string([]byte{byte(code)})
	})
}

func nameOf(text string) (name dn.Name, ok bool) {
	name, err := dn.Parse(optionalUID.ReplaceAllString(text, ""))
	return name, err == nil && !name.IsZero()
}
