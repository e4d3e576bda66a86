package hub

import (
	"ldap-gateway/cloud/mapping"
	"ldap-gateway/cloud/store"
	"ldap-gateway/cloudlink/wire"
)

// delivery is what an agent gets to know of a gateway's user types.
func delivery(g store.Gateway) wire.UserTypes {
	m := wire.UserTypes{Revision: g.Revision}
	for _, u := range g.UserTypes {
		m.Types = append(m.Types, userType(u))
	}
	return m
}

func userType(u store.UserType) wire.UserType {
	w := wire.UserType{ID: u.ID, Name: u.Name, SearchBase: u.SearchBaseDN, Filter: u.FilterPattern,
		Correlation: u.Correlation, Attributes: mapping.Attributes(u), ChangePasswords: u.AllowPasswords}
	if mapping.WantsGroups(u) {
		w.Groups = &wire.GroupRule{SearchBase: u.Groups.SearchBaseDN, NameAttribute: u.Groups.NameAttribute,
			Include: u.Groups.Include, Exclude: u.Groups.Exclude, WithID: u.Groups.Identity == "ID"}
	}
	return w
}
