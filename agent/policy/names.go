package policy

import (
	"encoding/base64"
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

var (
	// beginsName is where a name may begin within a text.
	beginsName = regexp.MustCompile(`([A-Za-z][A-Za-z0-9-]*|[0-9]+(\.[0-9]+)+) *=`)
	// slashed is a name from its root on, as in /dc=x/ou=groups/cn=a.
	slashed = regexp.MustCompile(`[A-Za-z][A-Za-z0-9-]* *=[^/]*(/[A-Za-z][A-Za-z0-9-]* *=[^/]*)+`)
	// optionalUID is what may follow a name (RFC 4517, Name and Optional UID).
	optionalUID = regexp.MustCompile(`#'[01]*'B$`)
	// blanks are those around what separates the parts of a name, of every kind.
	blanks = regexp.MustCompile(`[\s\p{Z}]*([,+=])[\s\p{Z}]*`)
	// escapes are those of URLs, of names and filters, of JSON and of C.
	escapes = regexp.MustCompile(`%[0-9A-Fa-f]{2}|\\u[0-9A-Fa-f]{4}|\\x?[0-9A-Fa-f]{2}|\\.`)
)

// Bounds of what is looked for in one value.
const (
	mostEscapes = 6         // times that it is escaped over, or stands in another name
	longest     = 4 << 10   // octets of one name within a text
	mostRead    = 128 << 10 // octets that are read for names, each as often as it is
)

// hunt looks for the names in one value.
type hunt struct {
	names []dn.Name
	left  int // octets that may still be read
}

// namesIn returns the names in a value, itself one or not, also where it is written with
// escapes or as octets in base64; whole is false when the value has more text than is
// looked through. Where words follow a name without a comma, as in "cn=a,dc=x since May",
// they are taken for a part of it: it is one that nobody knows.
func namesIn(value string) (names []dn.Name, whole bool) {
	h := hunt{left: mostRead}
	h.text(value, mostEscapes)
	if octets, err := base64.StdEncoding.DecodeString(value); err == nil && len(octets) > longest/1024 {
		h.text(strings.ToValidUTF8(string(octets), "?"), mostEscapes) // as what is no text leaves
	}
	return h.names, h.left > 0
}

// text looks through a text, and through what it is without its escapes.
func (h *hunt) text(text string, depth int) {
	if h.left -= len(text); depth == 0 || h.left <= 0 || !strings.ContainsAny(text, `=%\&`) {
		return
	}
	name, ok := nameOf(text)
	if ok {
		h.names = append(h.names, name)
		h.within(name, depth)
	}
	tidy := blanks.ReplaceAllString(text, "$1")
	for part := range strings.FieldsFuncSeq(tidy, func(r rune) bool { return strings.ContainsRune(aroundNames, r) }) {
		h.backwards(part)
		for piece := range strings.SplitSeq(part, "/") {
			h.from(strings.TrimRight(piece, `\ `), ok)
		}
	}
	if plain := unescaped(text); plain != text && !(ok && name.Depth() > 1) {
		h.text(plain, depth-1)
	}
}

// within looks for names in the values of a name.
func (h *hunt) within(name dn.Name, depth int) {
	for _, value := range name.Values() {
		if strings.Contains(value, "=") {
			h.text(value, depth-1)
		}
	}
}

// from finds what is a name from wherever one may begin, as far as it goes on as one, and
// as far as another may begin. What follows a comma within a name that was found is above
// it; where all of the text is one, so is what follows its first comma.
func (h *hunt) from(text string, one bool) {
	end := 0 // of the name that was found last
	if one {
		end = 1 + strings.IndexFunc(text, func(r rune) bool { return r != ',' })
	}
	last := -1 // where that begins
	for _, at := range beginsName.FindAllStringIndex(text, -1) {
		before := text[:at[0]]
		if at[0] < end && (strings.HasSuffix(before, ",") || strings.HasSuffix(before, "+")) {
			continue
		}
		if last >= 0 {
			h.read(text[last:at[0]])
		}
		if h.left <= 0 {
			return
		}
		if length := h.read(text[at[0]:]); length > 0 {
			end = at[0] + length
		}
		last = at[0]
	}
}

// read takes in the name that a text begins with, and returns how long it is. One part
// alone names no entry, and is none.
func (h *hunt) read(text string) (length int) {
	text = text[:min(len(text), longest)]
	name, length := dn.ParsePrefix(text)
	h.left -= 1 + length + len(text)/8 // as it may have been read to its end in vain
	if name.Depth() < 2 {
		return 0
	}
	h.names = append(h.names, name)
	return length
}

// backwards finds the names that are written from their root on.
func (h *hunt) backwards(text string) {
	for _, path := range slashed.FindAllString(text, -1) {
		parts := strings.Split(path, "/")
		slices.Reverse(parts)
		if name, ok := nameOf(strings.Join(parts, ",")); ok {
			h.names = append(h.names, name)
		}
	}
}

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
