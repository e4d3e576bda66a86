package mapping

import (
	"slices"

	"ldap-gateway/cloud/store"
)

// Filled returns the properties that a user type maps, groups excepted, without those
// that any of the attributes goes into: what is not known of these must not be cleared.
func Filled(u store.UserType, without []string) []string {
	names := []string{}
	for _, m := range u.Mappings {
		parts, err := parse(m.Value)
		lacks := slices.ContainsFunc(parts, func(p part) bool { return p.attribute && containsFold(without, p.text) })
		if err == nil && m.Name != Groups && !lacks {
			names = append(names, m.Name)
		}
	}
	return names
}
