package usertypes

import (
	"strings"

	"ldap-gateway/cloud/mapping"
	"ldap-gateway/cloud/store"
	"ldap-gateway/cloudlink/wire"
)

// Compile returns what an agent gets to know of a user type: how a person is
// found, and which attributes and groups may come back.
func Compile(t store.UserType) wire.UserType {
	w := wire.UserType{
		ID:              t.ID,
		Name:            t.Name,
		SearchBase:      t.SearchBaseDN,
		Filter:          filterOf(t),
		Correlation:     t.Correlation,
		Attributes:      mapping.Attributes(t),
		ChangePasswords: t.AllowPasswords,
	}
	if mapping.WantsGroups(t) {
		w.Groups = &wire.GroupRule{
			SearchBase:    t.Groups.SearchBaseDN,
			NameAttribute: t.Groups.NameAttribute,
			Include:       t.Groups.Include,
			Exclude:       t.Groups.Exclude,
			WithID:        t.Groups.Identity == ByID,
		}
	}
	return w
}

// filterOf returns the filter by which an agent finds a person. Where nobody new is
// looked for, who is linked is found by any of the attributes that identify them.
func filterOf(t store.UserType) string {
	if !t.LinksOnly {
		return t.FilterPattern
	}
	var b strings.Builder
	for _, name := range t.Correlation {
		b.WriteString("(" + name + "=" + mapping.Identifier + ")")
	}
	return "(|" + b.String() + ")"
}
