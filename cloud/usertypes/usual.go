package usertypes

import (
	"ldap-gateway/cloud/mapping"
	"ldap-gateway/cloud/store"
)

// The vendors that are known by more than a name.
const (
	activeDirectory = "Microsoft Active Directory"
	sambaAD         = "Samba Active Directory"
	openLDAP        = "OpenLDAP"
	ds389           = "389 Directory Server"
	oracleDSEE      = "Oracle Directory Server Enterprise Edition"
)

// Vendors lists the directories that a gateway can be for, as the API names them.
// Those that the incumbent has too are in its words, so that what moves over is taken
// as it is.
func Vendors() []string {
	return []string{
		"PingDirectory",
		activeDirectory,
		oracleDSEE,
		"Oracle Unified Directory",
		"CA Directory",
		"OpenDJ Directory Server",
		"IBM (Tivoli) Security Directory Server",
		"LDAPv3-compliant Directory Server",
		openLDAP,
		ds389,
		sambaAD,
	}
}

// How people are found: where most directories keep them, and Active Directory.
const (
	person  = "(&(objectClass=inetOrgPerson)(uid=" + mapping.Identifier + "))"
	account = "(&(objectCategory=person)(objectClass=user)" +
		"(|(sAMAccountName=" + mapping.Identifier + ")(userPrincipalName=" + mapping.Identifier + ")))"
)

// Usual returns the usual values of a new user type for a vendor's directory,
// without name, base and population. A vendor that is not known is taken for one
// that keeps to the RFCs. By objectSid a Kerberos ticket finds the person.
func Usual(vendor string) store.UserType {
	switch vendor {
	case activeDirectory, sambaAD:
		return usual(account, "sAMAccountName", "objectGUID", "objectSid")
	case ds389, oracleDSEE:
		return usual(person, "uid", "nsUniqueId")
	default: // entryUUID is RFC 4530's
		return usual(person, "uid", "entryUUID")
	}
}

// usual fills in what all vendors have alike. The slices are made anew, so that who
// changes them changes nobody else's.
func usual(filter, username string, correlation ...string) store.UserType {
	return store.UserType{
		PasswordAuthority: Authority,
		FilterPattern:     filter,
		Correlation:       correlation,
		Groups:            store.GroupRule{Identity: ByName},
		Mappings: []store.Mapping{
			{Name: "username", Value: mapping.Of(username)},
			{Name: "name.given", Value: mapping.Of("givenName")},
			{Name: "name.family", Value: mapping.Of("sn")},
			{Name: "email", Value: mapping.Of("mail")},
			{Name: mapping.Groups, Value: mapping.Of("memberOf")},
		},
	}
}
