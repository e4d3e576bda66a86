package api

import (
	"slices"

	"ldap-gateway/cloud/store"
)

// Fault is one thing that is wrong with a form, for those who show it
// beside a field of their own.
type Fault struct {
	Target  string // the property as the API names it, as in "newUserLookup.attributeMappings[0].value"
	Missing bool   // a value that must be given was not; else the value cannot be
	Message string // one sentence for people
}

func faultsOf(details []detail) (faults []Fault) {
	for _, d := range details {
		faults = append(faults, Fault{d.Target, d.Code == requiredValue, d.Message})
	}
	return faults
}

// CheckApplication returns what the API would refuse of a.
func CheckApplication(a store.Application) []Fault { return faultsOf(formOfApplication(a).check()) }

// CheckKerberos returns what the API would refuse of how a gateway takes tickets.
func CheckKerberos(k *store.Kerberos) []Fault { return faultsOf(checkKerberos(k)) }

// CheckUserType returns what the API would refuse of t; others are the other
// user types of its gateway, whose names it must not have. Nothing is returned
// for a good one. Whether its population exists is for the caller to find out.
func CheckUserType(t store.UserType, others []store.UserType) []Fault {
	faults := faultsOf(formOf(t).check(""))
	if slices.ContainsFunc(others, func(o store.UserType) bool { return store.Fold(o.Name) == store.Fold(t.Name) }) {
		faults = append(faults, Fault{Target: "name", Message: "Another user type of this gateway has this name."})
	}
	return faults
}
