package api

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/go-ldap/ldap/v3"

	"ldap-gateway/cloud/store"
)

// identifier stands in a filter for what the person typed.
const identifier = "${identifier}"

// groupsMapping is the name of the mapping that asks for groups.
const groupsMapping = "memberOfExternalGroups"

// attribute is an attribute description (RFC 4512 section 2.5).
var attribute = regexp.MustCompile(`^([A-Za-z][A-Za-z0-9-]*|[0-9]+(\.[0-9]+)+)(;[A-Za-z0-9-]+)*$`)

// userTypes checks the user types of a gateway; known are those that it has.
// An error is the store's.
func (s *Server) userTypes(c *call, known []store.UserType, forms []userTypeForm) (types []store.UserType, details []detail, err error) {
	for i, f := range forms {
		at := fmt.Sprintf("userTypes[%d].", i)
		if f.ID != "" && !slices.ContainsFunc(known, func(t store.UserType) bool { return t.ID == f.ID }) {
			details = append(details, wrong(at+"id", "This gateway has no such user type. Leave the id out to add one."))
		}
		t, found, err := s.userType(c, at, types, f)
		if err != nil {
			return nil, nil, err
		}
		types, details = append(types, t), append(details, found...)
	}
	return types, details, nil
}

// userType checks one user type; others are those that it must not be named
// like, and targets begin with at. An error is the store's.
func (s *Server) userType(c *call, at string, others []store.UserType, f userTypeForm) (store.UserType, []detail, error) {
	details := f.check(at)
	if slices.ContainsFunc(others, func(t store.UserType) bool { return store.Fold(t.Name) == store.Fold(f.Name) }) {
		details = append(details, detail{notUnique, at + "name", "Another user type of this gateway has this name."})
	}
	if f.NewUserLookup == nil {
		return store.UserType{Name: f.Name}, details, nil
	}
	population, err := s.populationFor(c, f.NewUserLookup.Population.id())
	if errors.Is(err, store.ErrNotFound) {
		details = append(details, wrong(at+"newUserLookup.population.id", "This environment has no such population."))
		err = nil
	}
	return f.value(population), details, err
}

// populationFor returns the population that a request names, else the default one.
func (s *Server) populationFor(c *call, id string) (string, error) {
	var p store.Population
	var err error
	if id == "" {
		p, err = s.Store.DefaultPopulation(c.Context(), c.env)
	} else {
		p, err = s.Store.Population(c.Context(), c.env, id)
	}
	return p.ID, err
}

// check tells what is wrong with a user type; targets begin with at.
func (f userTypeForm) check(at string) (d []detail) {
	if f.Name == "" {
		d = append(d, missing(at+"name"))
	}
	switch f.PasswordAuthority {
	case "LDAP", "":
	case "PING_ONE":
		d = append(d, wrong(at+"passwordAuthority", "It must be LDAP: with PING_ONE the cloud would keep people's passwords, and this one keeps none."))
	default:
		d = append(d, wrong(at+"passwordAuthority", "It must be LDAP."))
	}
	d = append(d, checkDN(at+"searchBaseDn", f.SearchBaseDN)...)
	if len(f.Correlation) == 0 {
		d = append(d, missing(at+"orderedCorrelationAttributes"))
	}
	for i, a := range f.Correlation {
		d = append(d, checkAttribute(fmt.Sprintf("%sorderedCorrelationAttributes[%d]", at, i), a)...)
	}
	if f.NewUserLookup == nil {
		return append(d, missing(at+"newUserLookup"))
	}
	d = append(d, checkFilter(at+"newUserLookup.ldapFilterPattern", f.NewUserLookup.FilterPattern)...)
	d = append(d, checkMappings(at+"newUserLookup.attributeMappings", f.NewUserLookup.Mappings)...)
	return append(d, checkGroups(at+"groups.", f.Groups)...)
}

func checkDN(target, dn string) []detail {
	if _, err := ldap.ParseDN(dn); err != nil {
		return []detail{wrong(target, "%q is not a distinguished name: %v.", dn, err)}
	}
	return nil
}

func checkAttribute(target, name string) []detail {
	if !attribute.MatchString(name) {
		return []detail{wrong(target, "%q is not the name of an attribute.", name)}
	}
	return nil
}

// checkFilter tells whether pattern is a filter (RFC 4515) with ${identifier}
// in the place of values, and nowhere else.
func checkFilter(target, pattern string) []detail {
	if !strings.Contains(pattern, identifier) {
		return []detail{wrong(target, "It must have %s where the person's own input goes, as in (uid=%s).", identifier, identifier)}
	}
	if !onlyInValues(pattern) {
		return []detail{wrong(target, "%s must stand for a value, behind an equal sign.", identifier)}
	}
	if strings.Contains(strings.ReplaceAll(pattern, identifier, ""), "${") {
		return []detail{wrong(target, "The only variable is %s.", identifier)}
	}
	if _, err := ldap.CompileFilter(strings.ReplaceAll(pattern, identifier, "x")); err != nil {
		return []detail{wrong(target, "It is not an LDAP filter: %v.", err)}
	}
	return nil
}

// onlyInValues tells whether an equal sign is between each identifier and the
// parenthesis before it. One inside a value is written as \28.
func onlyInValues(pattern string) bool {
	parts := strings.Split(pattern, identifier)
	before := ""
	for _, part := range parts[:len(parts)-1] {
		before += part
		if !strings.Contains(before[strings.LastIndexByte(before, '(')+1:], "=") {
			return false
		}
	}
	return true
}

// checkMappings tells whether each property comes from one attribute.
func checkMappings(target string, mappings []store.Mapping) (d []detail) {
	seen := map[string]bool{}
	for i, m := range mappings {
		at := fmt.Sprintf("%s[%d].", target, i)
		if m.Name == "" {
			d = append(d, missing(at+"name"))
		}
		if seen[m.Name] {
			d = append(d, detail{notUnique, at + "name", "Another mapping has this name."})
		}
		seen[m.Name] = true
		name, front := strings.CutPrefix(m.Value, "${ldapAttributes.")
		name, back := strings.CutSuffix(name, "}")
		if !front || !back || !attribute.MatchString(name) {
			d = append(d, wrong(at+"value", "%q is not of the form ${ldapAttributes.NAME}.", m.Value))
		}
	}
	if !seen["username"] {
		d = append(d, detail{requiredValue, target, "There must be a mapping with the name username."})
	}
	return d
}

func checkGroups(at string, g store.GroupRule) []detail {
	d := checkDN(at+"searchBaseDn", g.SearchBaseDN)
	if g.NameAttribute != "" {
		d = append(d, checkAttribute(at+"nameAttribute", g.NameAttribute)...)
	}
	if !slices.Contains([]string{"", "NAME", "ID"}, g.Identity) {
		d = append(d, wrong(at+"identity", "It must be NAME or ID."))
	}
	for name, patterns := range map[string][]string{"include": g.Include, "exclude": g.Exclude} {
		if i := slices.Index(patterns, ""); i >= 0 {
			d = append(d, wrong(fmt.Sprintf("%s%s[%d]", at, name, i), "A pattern must not be empty."))
		}
	}
	return d
}
