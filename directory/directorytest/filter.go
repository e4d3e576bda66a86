package directorytest

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	ber "github.com/go-asn1-ber/asn1-ber"
	"github.com/go-ldap/ldap/v3"
)

// matcher evaluates one filter over entries.
type matcher struct {
	tree     *tree
	memberOf MemberOf
	hidden   map[string]Hiding
}

func (m matcher) values(e *entry, name string) []string {
	if strings.EqualFold(name, "memberOf") {
		return m.tree.groupsOf(e, m.memberOf)
	}
	return e.values(name)
}

// truth is what a filter is of an entry (RFC 4511, 4.5.1.7). What an access rule
// hides makes an assertion undefined, and its negation, too.
type truth int8

const (
	isFalse     truth = -1
	isUndefined truth = 0
	isTrue      truth = 1
)

func truthOf(is bool) truth {
	if is {
		return isTrue
	}
	return isFalse
}

// match tells whether an entry is found by a filter: whether that is true of it.
func (m matcher) match(e *entry, p *ber.Packet) bool { return m.evaluate(e, p) == isTrue }

func (m matcher) evaluate(e *entry, p *ber.Packet) truth {
	switch p.Tag {
	case ldap.FilterAnd:
		all := isTrue
		for _, child := range p.Children {
			all = min(all, m.evaluate(e, child))
		}
		return all
	case ldap.FilterOr:
		one := isFalse
		for _, child := range p.Children {
			one = max(one, m.evaluate(e, child))
		}
		return one
	case ldap.FilterNot:
		if len(p.Children) != 1 {
			return isFalse
		}
		return -m.evaluate(e, p.Children[0])
	case ldap.FilterPresent:
		return m.asserted(e, p.Data.String(), func(values []string) bool { return len(values) > 0 })
	case ldap.FilterExtensibleMatch:
		return truthOf(m.extensible(e, p))
	}
	if len(p.Children) != 2 {
		return isFalse
	}
	name := p.Children[0].Data.String()
	return m.asserted(e, name, func(values []string) bool {
		return slices.ContainsFunc(values, func(v string) bool { return assertion(p, name, v) })
	})
}

// asserted is what an assertion about an attribute is.
func (m matcher) asserted(e *entry, name string, is func(values []string) bool) truth {
	if m.hidden[e.key] == HideMembers && members(name) {
		return isUndefined
	}
	return truthOf(is(m.values(e, name)))
}

// extensible knows no matching rule but equality.
func (m matcher) extensible(e *entry, p *ber.Packet) bool {
	var name, value string
	for _, c := range p.Children {
		switch c.Tag {
		case ldap.MatchingRuleAssertionType:
			name = c.Data.String()
		case ldap.MatchingRuleAssertionMatchValue:
			value = c.Data.String()
		case ldap.MatchingRuleAssertionMatchingRule:
			return false
		}
	}
	return slices.ContainsFunc(m.values(e, name), func(v string) bool { return equal(name, v, value) })
}

func assertion(p *ber.Packet, name, value string) bool {
	asserted := p.Children[1]
	switch p.Tag {
	case ldap.FilterEqualityMatch, ldap.FilterApproxMatch:
		return equal(name, value, asserted.Data.String())
	case ldap.FilterGreaterOrEqual:
		return compare(value, asserted.Data.String()) >= 0
	case ldap.FilterLessOrEqual:
		return compare(value, asserted.Data.String()) <= 0
	case ldap.FilterSubstrings:
		return !dnValued(name) && substrings(prepare(name, value), asserted.Children, name)
	}
	return false
}

func substrings(rest string, parts []*ber.Packet, name string) bool {
	for _, part := range parts {
		text, ok := prepare(name, part.Data.String()), true
		switch part.Tag {
		case ldap.FilterSubstringsInitial:
			rest, ok = strings.CutPrefix(rest, text)
		case ldap.FilterSubstringsFinal:
			return strings.HasSuffix(rest, text)
		default:
			_, rest, ok = strings.Cut(rest, text)
		}
		if !ok {
			return false
		}
	}
	return true
}

func equal(name, a, b string) bool {
	switch {
	case dnValued(name):
		keyA, errA := foldDN(a)
		keyB, errB := foldDN(b)
		return errA == nil && errB == nil && keyA == keyB
	case strings.EqualFold(name, "objectClass"):
		return isClass(a, b)
	}
	return prepare(name, a) == prepare(name, b)
}

// prepare brings a value into the form that is compared (RFC 4518, shortened): small
// letters and single blanks, unless case counts or it is not text.
func prepare(name, value string) string {
	if !utf8.ValidString(value) || caseExact(name) {
		return value
	}
	return strings.ToLower(strings.Join(strings.Fields(value), " "))
}

func compare(a, b string) int {
	x, errX := strconv.ParseInt(a, 10, 64)
	y, errY := strconv.ParseInt(b, 10, 64)
	if errX == nil && errY == nil {
		return cmp.Compare(x, y)
	}
	return strings.Compare(prepare("", a), prepare("", b))
}

func dnValued(name string) bool {
	switch strings.ToLower(name) {
	case "member", "uniquemember", "memberof", "owner", "manager", "seealso", "secretary", "roleoccupant":
		return true
	}
	return false
}

func caseExact(name string) bool {
	switch strings.ToLower(name) {
	case "memberuid", "userpassword", "homedirectory", "loginshell", "objectguid", "objectsid":
		return true
	}
	return false
}

// isClass knows the superiors of the usual classes, as a real server does.
func isClass(class, asked string) bool {
	for ; class != ""; class = superior(class) {
		if strings.EqualFold(class, asked) {
			return true
		}
	}
	return false
}

func superior(class string) string {
	switch strings.ToLower(class) {
	case "top":
		return ""
	case "inetorgperson", "user":
		return "organizationalPerson"
	case "organizationalperson":
		return "person"
	case "computer":
		return "user"
	}
	return "top"
}
