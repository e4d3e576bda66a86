package usertypes

import (
	"slices"
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

// identities are what tells an entry from all others and nobody types. Agents let nobody
// be looked for by what is typed for one, unless their file says so.
var identities = [...]string{"dn", "entryUUID", "nsUniqueId", "objectGUID", "objectSid"}

// filterOf returns the filter by which an agent finds a person. Where nobody new is
// looked for it is any of the attributes that identify who is linked, but for those that
// nobody types; whom it does not find the agent finds by what the cloud knows of them.
func filterOf(t store.UserType) string {
	if !t.LinksOnly {
		return t.FilterPattern
	}
	var b strings.Builder
	for _, name := range t.Correlation {
		same := func(id string) bool { return strings.EqualFold(id, name) }
		if !slices.ContainsFunc(identities[:], same) {
			b.WriteString("(" + name + "=" + mapping.Identifier + ")")
		}
	}
	if b.Len() == 0 {
		return "(uid=" + mapping.Identifier + ")"
	}
	return "(|" + b.String() + ")"
}
