package dn

import (
	"errors"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// types has the other names of the naming attributes of RFC 4519, and of two that
// certificates brought into use, by the name that they are compared by.
var types = map[string]string{
	"commonname": "cn", "2.5.4.3": "cn",
	"surname": "sn", "2.5.4.4": "sn",
	"2.5.4.5":     "serialnumber",
	"countryname": "c", "2.5.4.6": "c",
	"localityname": "l", "2.5.4.7": "l",
	"stateorprovincename": "st", "2.5.4.8": "st",
	"streetaddress": "street", "2.5.4.9": "street",
	"organizationname": "o", "2.5.4.10": "o",
	"organizationalunitname": "ou", "2.5.4.11": "ou",
	"2.5.4.12": "title",
	"gn":       "givenname", "2.5.4.42": "givenname",
	"2.5.4.46": "dnqualifier",
	"userid":   "uid", "0.9.2342.19200300.100.1.1": "uid",
	"rfc822mailbox": "mail", "0.9.2342.19200300.100.1.3": "mail",
	"domaincomponent": "dc", "0.9.2342.19200300.100.1.25": "dc",
	"e": "emailaddress", "email": "emailaddress", "1.2.840.113549.1.9.1": "emailaddress",
}

// foldType returns the name that an attribute type is compared by.
func foldType(name string) (string, error) {
	name = strings.TrimPrefix(strings.ToLower(name), "oid.")
	if one, ok := types[name]; ok {
		return one, nil
	}
	if name == "" {
		return "", errors.New("an attribute type is empty")
	}
	number := '0' <= name[0] && name[0] <= '9' // an OID; else a name, which has no dots
	for _, r := range name {
		digit, letter := '0' <= r && r <= '9', 'a' <= r && r <= 'z' || r == '-'
		if !digit && (number && r != '.' || !number && !letter) {
			return "", errors.New("an attribute type has a character that none has")
		}
	}
	return name, nil
}

// foldValue prepares a value as RFC 4518 does for a match that ignores case. Of
// blanks, one stays between words and none around them.
func foldValue(s string) string {
	if isASCII(s) {
		if !strings.Contains(s, "  ") && strings.Trim(s, " ") == s {
			return strings.ToLower(s)
		}
	} else if utf8.ValidString(s) {
		s = strings.Map(prepared, s)
		s = norm.NFKC.String(cases.Fold().String(norm.NFKC.String(s)))
	}
	return strings.Join(strings.Fields(strings.ToLower(s)), " ")
}

// isASCII tells whether a value has nothing that needs more than lower case: no
// octet beyond ASCII, and no blank but the one that everybody types.
func isASCII(s string) bool {
	for i := range len(s) {
		if c := s[i]; c >= utf8.RuneSelf || c < ' ' && c > star {
			return false
		}
	}
	return true
}

// prepared maps a character as RFC 4518, 2.2 does: every blank is one, and what is
// not seen is left out.
func prepared(r rune) rune {
	switch {
	case r <= star: // marks of a pattern
		return r
	case unicode.IsSpace(r), unicode.Is(unicode.Z, r):
		return ' '
	case 0x1c <= r && r <= 0x1f: // what was hidden
		return r
	case unicode.IsControl(r), unicode.Is(unicode.Cf, r), unicode.Is(unicode.Variation_Selector, r), r == 0x034f:
		return -1
	}
	return r
}
