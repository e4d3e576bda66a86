package api

import (
	"cmp"
	"slices"

	"ldap-gateway/cloud/store"
)

const (
	activeDirectory = "Microsoft Active Directory"
	sambaAD         = "Samba Active Directory"
	openLDAP        = "OpenLDAP"
	ds389           = "389 Directory Server"
)

// person is how most directories keep people.
const person = "(&(objectClass=inetOrgPerson)(uid=${identifier}))"

// DefaultUserType returns the usual values of a new user type for a vendor's
// directory, without name and population. A vendor that is not known is taken
// for one that keeps to the RFCs. By objectSid a Kerberos ticket finds the person.
func DefaultUserType(vendor string) store.UserType {
	switch vendor {
	case activeDirectory, sambaAD:
		return defaults("(&(objectCategory=person)(objectClass=user)(|(sAMAccountName=${identifier})(userPrincipalName=${identifier})))", "sAMAccountName", "objectGUID", "objectSid")
	case ds389, "Oracle Directory Server Enterprise Edition":
		return defaults(person, "uid", "nsUniqueId")
	default: // entryUUID is RFC 4530's
		return defaults(person, "uid", "entryUUID")
	}
}

func defaults(filter, username string, correlation ...string) store.UserType {
	from := func(name, attribute string) store.Mapping {
		return store.Mapping{Name: name, Value: "${ldapAttributes." + attribute + "}"}
	}
	return store.UserType{PasswordAuthority: "LDAP", FilterPattern: filter, Correlation: correlation, Groups: store.GroupRule{Identity: "NAME"},
		Mappings: []store.Mapping{from("username", username), from("name.given", "givenName"), from("name.family", "sn"), from("email", "mail"),
			from(groupsMapping, "memberOf")}}
}

// userTypeDefaults answers with the usual values for the gateway's vendor, or
// for the one in the parameter vendor.
func (s *Server) userTypeDefaults(c *call) (reply, error) {
	g, _, err := s.gatewayOf(c)
	if err != nil {
		return reply{}, err
	}
	vendor := cmp.Or(c.query("vendor"), g.Vendor)
	if !slices.Contains(Vendors(), vendor) {
		return reply{}, invalid(wrong("vendor", "It must be one of %q.", Vendors()))
	}
	t := DefaultUserType(vendor)
	t.PopulationID, err = s.populationFor(c, "")
	if err != nil {
		return reply{}, err
	}
	return ok(struct {
		Links  links  `json:"_links"`
		Vendor string `json:"vendor"`
		userTypeForm
	}{c.self("gateways", g.ID, "userTypes", "defaults"), vendor, formOf(t)})
}
