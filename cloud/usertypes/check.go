package usertypes

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"ldap-gateway/cloud/fault"
	"ldap-gateway/cloud/mapping"
	"ldap-gateway/cloud/store"
	"ldap-gateway/directory/dn"
)

// Authority is who checks passwords: the directory, always.
const Authority = "LDAP"

// keeping is the authority of the incumbent's that would keep passwords here.
const keeping = "PING_ONE"

// By what a group is known again.
const (
	ByName = "NAME"
	ByID   = "ID"
)

// Check returns what is wrong with a user type. Others are the other user types of
// its gateway, whose names it must not have.
// The faults are in the order of the fields of a form, and all of them at once.
func Check(t store.UserType, others []store.UserType) fault.List {
	return slices.Concat(
		checkName(t.Name, others),
		checkUsernames(t.Usernames),
		checkAuthority(t.PasswordAuthority),
		checkBase(t.SearchBaseDN),
		checkCorrelation(t.Correlation),
		checkLookup(t),
		checkGroups(t.Groups),
	)
}

// checkLookup checks how new people are found and what is kept of them. One that finds
// nobody new needs neither.
func checkLookup(t store.UserType) fault.List {
	if t.LinksOnly {
		return nil
	}
	return append(checkFilter(t.FilterPattern), checkMappings(t.Mappings)...)
}

// checkName wants a name that is one among others of the gateway, without regard to
// case.
func checkName(name string, others []store.UserType) fault.List {
	if name == "" {
		return fault.Of(fault.TypeName, fault.Missing, "Give the user type a name.")
	}
	same := func(o store.UserType) bool { return store.Fold(o.Name) == store.Fold(name) }
	if slices.ContainsFunc(others, same) {
		return fault.Of(fault.TypeName, fault.Taken, "Another user type of this gateway has this name.")
	}
	return nil
}

// Bounds of the usernames that a user type is for.
const (
	mostUsernames = 100
	longestName   = 256 // characters of a pattern
)

// checkUsernames wants patterns that leave somebody to others: one of "*" alone would keep
// every other user type from everybody.
func checkUsernames(patterns []string) (l fault.List) {
	if len(patterns) > mostUsernames {
		return invalid(fault.TypeUsernames, 0, "There may be %d patterns at most.", mostUsernames)
	}
	for i, p := range patterns {
		switch {
		case strings.Trim(p, "* ") == "":
			l = append(l, invalid(fault.TypeUsernames, i+1,
				"A pattern must say more than that anybody is meant: give none for that, as in *@example.com for some.")...)
		case utf8.RuneCountInString(p) > longestName || !utf8.ValidString(p) || strings.ContainsFunc(p, unicode.IsControl):
			l = append(l, invalid(fault.TypeUsernames, i+1,
				"A pattern has at most %d characters, and none of control.", longestName)...)
		}
	}
	return l
}

// checkAuthority takes the one authority that there is here, or none, which means it.
// The incumbent's other one is told by its reason, since whoever moves over sends it.
func checkAuthority(authority string) fault.List {
	switch authority {
	case Authority, "":
		return nil
	case keeping:
		return fault.Of(fault.Authority, fault.Invalid,
			"It must be LDAP: with PING_ONE the cloud would keep people's passwords, and this one keeps none.")
	}
	return fault.Of(fault.Authority, fault.Invalid, "It must be LDAP.")
}

// checkBase wants a DN. An agent's file may still refuse it: that is told by the agent.
func checkBase(name string) fault.List {
	if name == "" {
		return fault.Of(fault.SearchBase, fault.Missing,
			"Say below which entry people are, as in ou=people,dc=example,dc=com.")
	}
	return checkDN(fault.SearchBase, name)
}

// checkDN reads a name as agents do, which are stricter than most.
func checkDN(field fault.Field, name string) fault.List {
	if _, err := dn.Parse(name); err != nil {
		return invalid(field, 0, "It is %v.", err)
	}
	return nil
}

// checkCorrelation wants at least one attribute, and names of attributes only. Whether
// a directory gives a value to another person later nobody can check here.
func checkCorrelation(attributes []string) (l fault.List) {
	if len(attributes) == 0 {
		return fault.Of(fault.Correlation, fault.Missing, "Name an attribute that identifies a person for good.")
	}
	for i, name := range attributes {
		l = append(l, checkAttribute(fault.Correlation, i+1, name)...)
	}
	return l
}

// checkAttribute wants an attribute description (RFC 4512 section 2.5).
func checkAttribute(field fault.Field, item int, name string) fault.List {
	if !mapping.AttributeName(name) {
		return invalid(field, item, "%q is not the name of an attribute.", name)
	}
	return nil
}

// checkMappings tells whether each property comes from one attribute.
func checkMappings(mappings []store.Mapping) (l fault.List) {
	seen := map[string]bool{}
	for i, m := range mappings {
		if m.Name == "" {
			l = append(l, fault.Fault{Field: fault.MappingName, Item: i + 1, Kind: fault.Missing, Message: "Name the property."})
		} else if seen[m.Name] {
			l = append(l, fault.Fault{
				Field:   fault.MappingName,
				Item:    i + 1,
				Kind:    fault.Taken,
				Message: "Another mapping has this name.",
			})
		}
		seen[m.Name] = true
		if _, ok := mapping.Attribute(m.Value); !ok {
			l = append(l, invalid(fault.MappingValue, i+1, "%q is not of the form %s.", m.Value, mapping.Of("NAME"))...)
		}
	}
	if !seen["username"] {
		l = append(l, fault.Of(fault.Mappings, fault.Missing, "There must be a mapping with the name username.")...)
	}
	return l
}

// checkGroups checks how groups are looked for, whether or not a mapping asks for them:
// who switches them on later must not be surprised.
func checkGroups(g store.GroupRule) fault.List {
	l := checkDN(fault.GroupBase, g.SearchBaseDN)
	if g.NameAttribute != "" {
		l = append(l, checkAttribute(fault.GroupName, 0, g.NameAttribute)...)
	}
	if !slices.Contains([]string{"", ByName, ByID}, g.Identity) {
		l = append(l, invalid(fault.GroupIdentity, 0, "It must be %s or %s.", ByName, ByID)...)
	}
	l = append(l, checkPatterns(fault.GroupInclude, g.Include)...)
	return append(l, checkPatterns(fault.GroupExclude, g.Exclude)...)
}

// checkPatterns refuses the empty pattern, which would mean no group while it reads as
// if it meant any.
func checkPatterns(field fault.Field, patterns []string) fault.List {
	if i := slices.Index(patterns, ""); i >= 0 {
		return invalid(field, i+1, "A pattern must not be empty.")
	}
	return nil
}

// invalid is a value that cannot be; item is which of a list, from 1, or 0.
func invalid(field fault.Field, item int, format string, args ...any) fault.List {
	return fault.List{{Field: field, Item: item, Kind: fault.Invalid, Message: fmt.Sprintf(format, args...)}}
}
