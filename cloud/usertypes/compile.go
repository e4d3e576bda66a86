package usertypes

import (
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
		Filter:          t.FilterPattern,
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
