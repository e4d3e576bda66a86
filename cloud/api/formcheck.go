package api

import "ldap-gateway/cloud/store"

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
