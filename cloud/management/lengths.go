package management

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"ldap-gateway/cloud/fault"
	"ldap-gateway/cloud/mapping"
	"ldap-gateway/cloud/signon"
	"ldap-gateway/cloud/store"
)

// What administrators name is bounded: names stand in lists, in activities and in
// tokens, and one of a megabyte is in each of them. What a sign-on brought is the
// directory's, and however long it is, it can be changed, disabled and deleted: only
// what is newly given is measured.
const (
	// maxName bounds the names of what an environment has, in characters.
	maxName = 200
	// maxGroupName bounds both names of groups, in characters. It is more, since
	// people give groups the DNs that they have in their directory.
	maxGroupName = 1024
	// maxValue bounds an attribute and a value that identify an entry, in bytes, and
	// maxValues how many there are of one user. An agent is told no more of a person
	// (cloudlink/wire), and would not find whom the cloud means.
	maxValue  = 1 << 10
	maxValues = 32
)

// checkLength tells that a text is longer than most characters, unless it is what it
// was. What says in words what the text is of.
func checkLength(field fault.Field, what, before, after string, most int) fault.List {
	if after == before || utf8.RuneCountInString(after) <= most {
		return nil
	}
	return wrong(field, 0, "%s has at most %d characters.", what, most)
}

// checkUsername bounds a username by what a sign-on takes of one: who has a longer
// one could never sign on.
func checkUsername(before, after string) fault.List {
	if before != after && strings.ContainsFunc(after, unicode.IsControl) {
		return wrong(fault.Username, 0, "A username has no tabs, line ends or other control characters.")
	}
	return checkLength(fault.Username, "A username", before, after, signon.MaxUsername)
}

// checkEmail refuses what no mail can be sent to. What a directory says stays, whatever it is.
func checkEmail(before, after string) fault.List {
	name, host, is := strings.Cut(after, "@")
	odd := strings.ContainsFunc(after, func(r rune) bool { return unicode.IsControl(r) || unicode.IsSpace(r) })
	if before == after || after == "" || is && name != "" && host != "" && !odd {
		return nil
	}
	return wrong(fault.Email, 0, "An e-mail address looks like name@example.com.")
}

// checkEntry tells which values cannot identify an entry. Those that a user has stay
// good, whatever they are.
func checkEntry(u store.User, values map[string]string) (l fault.List) {
	if len(values) > max(maxValues, len(u.Correlation)) {
		return wrong(fault.Entry, 0, "At most %d values identify an entry.", maxValues)
	}
	had := map[string]string{}
	for _, c := range u.Correlation {
		had[c.Attribute] = c.Value
	}
	for attribute, value := range values {
		if before, is := had[attribute]; is && before == value {
			continue
		}
		switch {
		case !mapping.AttributeName(attribute) || len(attribute) > maxValue:
			return wrong(fault.Entry, 0, "%.40q is not the name of an attribute, as in entryUUID.", attribute)
		case len(value) > maxValue:
			return wrong(fault.Entry, 0, "The value of %.40q has at most %d bytes.", attribute, maxValue)
		}
	}
	return nil
}
