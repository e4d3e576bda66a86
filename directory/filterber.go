package directory

import (
	"encoding/hex"
	"strings"

	"github.com/go-ldap/ldap/v3"
)

// Tags of filters (RFC 4511, 4.5.1.7), as octets.
const (
	tagAnd     = 0xa0
	tagOr      = 0xa1
	tagNot     = 0xa2
	tagEqual   = 0xa3
	tagPresent = 0x87
)

// mostNested is how deep filters may stand in each other that are written here.
const mostNested = 16

// filterOctets is a filter (RFC 4515) as it is sent. Those that are usual are written here,
// as go-ldap writes them; all others it writes itself.
func filterOctets(filter string) ([]byte, error) {
	if out, rest, ok := appendFilter(make([]byte, 0, 128), filter, mostNested); ok && rest == "" {
		return out, nil
	}
	packet, err := ldap.CompileFilter(filter)
	if err != nil {
		return nil, err
	}
	return packet.Bytes(), nil
}

// appendFilter appends the filter that a text begins with; ok is false when it is none of the
// usual ones.
func appendFilter(out []byte, text string, nested int) (_ []byte, rest string, ok bool) {
	if len(text) < 2 || text[0] != '(' || nested == 0 {
		return nil, "", false
	}
	var tag byte
	switch text[1] {
	case '&':
		tag = tagAnd
	case '|':
		tag = tagOr
	case '!':
		tag = tagNot
	default:
		return appendAssertion(out, text[1:])
	}
	var all []byte
	rest = text[2:]
	for n := 0; ; n++ {
		if strings.HasPrefix(rest, ")") && n > 0 && (tag != tagNot || n == 1) {
			return appendElement(out, tag, all), rest[1:], true
		}
		if all, rest, ok = appendFilter(all, rest, nested-1); !ok {
			return nil, "", false
		}
	}
}

// appendAssertion appends what stands between the parentheses of one attribute.
func appendAssertion(out []byte, text string) (_ []byte, rest string, ok bool) {
	text, rest, ok = strings.Cut(text, ")")
	name, value, is := strings.Cut(text, "=")
	if !ok || !is || name == "" || value == "" || strings.ContainsFunc(name, unusualInName) {
		return nil, "", false
	}
	if value == "*" {
		return appendElement(out, tagPresent, name), rest, true
	}
	plain, ok := unescapedValue(value)
	assertion := appendElement(appendElement(make([]byte, 0, len(text)+8), tagOctets, name), tagOctets, plain)
	return appendElement(out, tagEqual, assertion), rest, ok
}

func unusualInName(r rune) bool {
	letter := 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z'
	return !letter && (r < '0' || r > '9') && r != '-' && r != '.' && r != ';'
}

// unescapedValue is a value of ASCII without its escapes; not ok with another character that
// means more than itself.
func unescapedValue(text string) (plain []byte, ok bool) {
	plain = make([]byte, 0, len(text))
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '\\':
			if len(text) < i+3 {
				return nil, false
			}
			octet, err := hex.DecodeString(text[i+1 : i+3])
			if err != nil {
				return nil, false
			}
			plain, i = append(plain, octet...), i+2
		case c < ' ' || c > '~' || c == '*' || c == '(':
			return nil, false
		default:
			plain = append(plain, c)
		}
	}
	return plain, true
}
