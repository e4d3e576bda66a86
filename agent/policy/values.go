package policy

import (
	"slices"
	"strings"

	"ldap-gateway/directory"
	"ldap-gateway/directory/dn"
)

// namesGroups are attributes that name the groups of their entry, some of them by IDs:
// what they say leaves as groups only.
var namesGroups = []string{
	"memberOf", "isMemberOf", "groupMembership", "msds-memberOfTransitive", "msds-tokenGroupNames",
	"msds-tokenGroupNamesGlobalAndUniversal", "msds-tokenGroupNamesNoGCAcceptable", "nsRole", "nsRoleDN",
	"tokenGroups", "tokenGroupsGlobalAndUniversal", "tokenGroupsNoGCAcceptable",
}

// isMemberOf tells whether an attribute names the groups of its entry, also with options.
func isMemberOf(attribute string) bool {
	base, _, _ := strings.Cut(attribute, ";")
	return containsFold(namesGroups, base)
}

// Cut takes the values out of an entry that name what the policy keeps back, whatever
// attribute has them: any may hold the DN of a group. It tells how many these are, by
// attribute. The entry's own name is none of them.
func (p *Policy) Cut(e directory.Entry) (cut directory.Entry, kept map[string]int) {
	kept = map[string]int{}
	hidden := func(attribute, value string) bool {
		back := p.KeepsBack(value) && !dn.Same(value, e.DN) // most values are no name at all
		if back {
			kept[attribute]++
		}
		return back
	}
	all := make(map[string][]string, len(e.Attributes))
	for name, values := range e.Attributes {
		values = slices.DeleteFunc(slices.Clone(values), func(v string) bool { return hidden(name, v) })
		if len(values) > 0 {
			all[name] = values
		}
	}
	e.Attributes = all
	e.Correlation = slices.DeleteFunc(slices.Clone(e.Correlation),
		func(v directory.Value) bool { return hidden(v.Attribute, v.Value) })
	return e, kept
}

// KeepsBack tells whether a value names an entry that may not leave: one like a pattern
// of policy.groups.exclude; a group that policy.groups does not let out; or one that is
// neither among the groups nor among the people that the policy knows.
func (p *Policy) KeepsBack(value string) bool {
	names, whole := namesIn(value)
	return !whole && p.keepsGroupsBack() || slices.ContainsFunc(names, p.keepsBackAny)
}

// keepsBackAny tells whether a name is kept back, or what it begins with when that is one
// of a base: another name may follow a comma.
func (p *Policy) keepsBackAny(name dn.Name) bool {
	for parts := 2; parts < min(name.Depth(), mostDepth); parts++ {
		first := name.First(parts)
		ends := func(base dn.Name) bool { return !base.IsZero() && first.Within(base) }
		known := slices.ContainsFunc(p.searchBases, ends) || slices.ContainsFunc(p.groupBases, ends)
		if known && p.keepsBackName(first) {
			return true
		}
	}
	return p.mayBeOurs(name) && p.keepsBackName(name)
}

// mayBeOurs tells whether what reads like a name may be one of the directory: its last
// part is that of a base which the policy knows, or, where patterns keep groups back, all
// its parts are of types that entries are named by. Other text with equals signs, as
// "room=5,floor=2", names nothing.
func (p *Policy) mayBeOurs(name dn.Name) bool {
	root := name.Root()
	under := func(base dn.Name) bool { return base.IsZero() || base.Root() == root }
	if slices.ContainsFunc(p.searchBases, under) || slices.ContainsFunc(p.groupBases, under) {
		return true
	}
	unusual := func(t string) bool { return !slices.Contains(namingTypes, t) && !isOID(t) }
	return p.keepsGroupsBack() && !slices.ContainsFunc(name.Types(), unusual)
}

func isOID(t string) bool { return strings.Contains(t, ".") }

// namingTypes are what entries are usually named by, as [dn.Name.Types] has them.
var namingTypes = []string{
	"c", "cn", "dc", "emailaddress", "employeenumber", "gidnumber", "l", "mail", "nsuniqueid", "o", "ou",
	"serialnumber", "sn", "st", "street", "uid", "uidnumber",
}

func (p *Policy) keepsBackName(name dn.Name) bool {
	switch {
	case p.excludes(name):
		return true
	case name.Depth() < 2: // as any text with one equals sign
		return false
	case slices.ContainsFunc(p.groupBases, name.Within):
		return len(p.include) > 0 && !dn.MatchAny(p.include, name)
	}
	return !slices.ContainsFunc(p.searchBases, name.Within)
}

// personClasses are those of entries that are people or accounts.
var personClasses = []string{
	"account", "inetOrgPerson", "inetUser", "organizationalPerson", "person", "posixAccount", "residentialPerson",
	"shadowAccount", "simpleSecurityObject", "uidObject", "user",
}

func isPersonClass(class string) bool { return containsFold(personClasses, class) }

// isGroupClass tells whether a class is one of groups: every server has some of its own,
// and all are called so, as posixGroup, nsRoleDefinition and nisMailAlias are.
func isGroupClass(class string) bool {
	class = strings.ToLower(class)
	named := func(kind string) bool { return strings.Contains(class, kind) }
	return slices.ContainsFunc([]string{"alias", "group", "role"}, named)
}

// KeepsBackEntry tells whether an entry is one that nobody can sign on as, since it is a
// group that may not leave. A group is what has the class of one, and everything that
// policy.groups.exclude means and that has not the class of a person: the patterns are
// for groups, and "*" keeps every group back and no person. What has both classes, as a
// person with a group of their own, is kept back by policy.groups.exclude alone.
func (p *Policy) KeepsBackEntry(entry string, classes []string) bool {
	group, person := slices.ContainsFunc(classes, isGroupClass), slices.ContainsFunc(classes, isPersonClass)
	switch {
	case group && !person:
		return p.LeaveOut(entry) != ""
	case person && !group:
		return false
	}
	name, err := dn.Parse(entry)
	return err == nil && p.excludes(name)
}

// mostDepth is how many parts a name has that is looked at.
const mostDepth = 64

// excludes tells whether policy.groups.exclude means a name, or one above it: what is
// below a name has that in its own.
func (p *Policy) excludes(name dn.Name) bool {
	if name.Depth() > mostDepth {
		return len(p.exclude) > 0 // nothing is so deep
	}
	for above := name; !above.IsZero(); above = above.Parent() {
		if dn.MatchAny(p.exclude, above) {
			return true
		}
	}
	return dn.MeanAnyPart(p.exclude, name)
}
