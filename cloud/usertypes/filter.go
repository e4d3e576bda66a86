package usertypes

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/go-ldap/ldap/v3"

	"ldap-gateway/cloud/fault"
	"ldap-gateway/cloud/mapping"
)

// checkFilter tells whether pattern is a filter (RFC 4515) with the identifier in
// the place of values, and nowhere else.
func checkFilter(pattern string) fault.List {
	const id = mapping.Identifier
	switch {
	case pattern == "":
		return fault.Of(fault.Filter, fault.Missing, "Say how a person is found, as in (uid="+id+").")
	case !strings.Contains(pattern, id):
		return invalid(fault.Filter, 0, "It must have %s where the person's own input goes, as in (uid=%s).", id, id)
	case !onlyInValues(pattern):
		return invalid(fault.Filter, 0, "%s must stand for a value, behind an equal sign.", id)
	case belowNot(pattern):
		return invalid(fault.Filter, 0, "%s must not stand below a \"not\": everybody else would be found.", id)
	case strings.Contains(strings.ReplaceAll(pattern, id, ""), "${"):
		return invalid(fault.Filter, 0, "The only variable is %s.", id)
	}
	if why := misplaced(pattern); why != "" {
		return invalid(fault.Filter, 0, "%s", why)
	}
	if _, err := ldap.CompileFilter(strings.ReplaceAll(pattern, id, "x")); err != nil {
		return invalid(fault.Filter, 0, "It cannot be read as an LDAP filter (RFC 4515): each comparison is one like "+
			"(uid=%s), and more than one stand in (&...) or (|...).", id)
	}
	if name, bad := strangeAttribute(pattern); bad {
		return invalid(fault.Filter, 0, "%q is not the name of an attribute, and each comparison needs one.", name)
	}
	return nil
}

// misplaced says what is wrong with a filter's brackets and escapes, and where, counted in characters from 1; empty
// when nothing is.
func misplaced(filter string) string {
	if !strings.HasPrefix(filter, "(") {
		return "It has to begin with a bracket, as in (uid=" + mapping.Identifier + ")."
	}
	var open []int // where the brackets are that are not closed yet
	for i, c := range filter {
		at := utf8.RuneCountInString(filter[:i]) + 1
		switch {
		case i > 0 && len(open) == 0:
			return fmt.Sprintf("It ends before character %d: the bracket before that closes the first one.", at)
		case c == '\\' && !escapes(filter[i+1:]):
			return fmt.Sprintf("Behind the backslash at character %d two hexadecimal digits have to stand: "+
				"\\28 is (, \\29 is ), \\2a is *, and \\5c is a backslash.", at)
		case c == '(' && i > 0 && filter[i-1] == '(':
			return fmt.Sprintf("The bracket at character %d is one too many.", at)
		case c == '(':
			open = append(open, i)
		case c == ')':
			open = open[:len(open)-1]
		}
	}
	if len(open) == 0 {
		return ""
	}
	first := open[len(open)-1]
	return fmt.Sprintf("The bracket at character %d, of %s, is not closed.",
		utf8.RuneCountInString(filter[:first])+1, beginning(filter[first:]))
}

// escapes tells whether two hexadecimal digits stand first in a text.
func escapes(text string) bool {
	return len(text) >= 2 && strings.Trim(text[:2], "0123456789abcdefABCDEF") == ""
}

// beginning is a text as far as to its first bracket, and no more than somebody recognises it by.
func beginning(text string) string {
	end := strings.IndexAny(text[1:], "()")
	if end < 0 {
		end = len(text) - 1
	}
	runes := []rune(text[:end+1])
	return string(runes[:min(len(runes), 24)])
}

// strangeAttribute returns what a comparison of a filter has in the place of an
// attribute's name, when that is none.
func strangeAttribute(filter string) (name string, bad bool) {
	for _, item := range strings.Split(filter, "(")[1:] {
		item = strings.TrimLeft(item, " ")
		if item == "" || strings.ContainsRune("&|!", rune(item[0])) {
			continue
		}
		end := strings.IndexAny(item, "=<>~:")
		if name = item[:max(end, 0)]; !mapping.AttributeName(name) {
			return name, true
		}
	}
	return "", false
}

// onlyInValues tells whether an equal sign is between each identifier and the
// parenthesis before it. One inside a value is written as \28.
func onlyInValues(pattern string) bool {
	parts := strings.Split(pattern, mapping.Identifier)
	before := ""
	for _, part := range parts[:len(parts)-1] {
		before += part
		if !strings.Contains(before[strings.LastIndexByte(before, '(')+1:], "=") {
			return false
		}
	}
	return true
}

// belowNot tells whether an identifier is anywhere in what a "!" negates.
func belowNot(pattern string) bool {
	var open []bool // of each parenthesis that is not closed: a "!" follows it, or is around it
	for i := range len(pattern) {
		negated := len(open) > 0 && open[len(open)-1]
		switch {
		case strings.HasPrefix(pattern[i:], mapping.Identifier) && negated:
			return true
		case pattern[i] == '(':
			after := strings.TrimLeft(pattern[i+1:], " ")
			open = append(open, negated || strings.HasPrefix(after, "!"))
		case pattern[i] == ')' && len(open) > 0:
			open = open[:len(open)-1]
		}
	}
	return false
}
