package api

import (
	"testing"

	"ldap-gateway/cloud/fault"
)

// Every value that a fault can be of has its property in a body.
func TestEveryFaultHasItsProperty(t *testing.T) {
	for _, field := range fault.Fields() {
		_, ofType := ofUserType[field]
		_, ofOther := ofGateway[field]
		if ofType == ofOther {
			t.Errorf("%q: of a user type %v, of something else %v", field, ofType, ofOther)
		}
	}
	if len(ofUserType)+len(ofGateway) != len(fault.Fields()) {
		t.Errorf("%d properties for %d values", len(ofUserType)+len(ofGateway), len(fault.Fields()))
	}
}

func TestTargets(t *testing.T) {
	for want, f := range map[string]fault.Fault{
		"":                                {},
		"name":                            {Field: fault.Name},
		"newUserLookup.ldapFilterPattern": {Field: fault.Filter},
		"orderedCorrelationAttributes[0]": {Field: fault.Correlation, Item: 1},
		"newUserLookup.attributeMappings[2].value":             {Field: fault.MappingValue, Item: 3},
		"userTypes[1].newUserLookup.attributeMappings[2].name": {Field: fault.MappingName, Item: 3, Type: 2},
		"userTypes[0].searchBaseDn":                            {Field: fault.SearchBase, Type: 1},
		"kerberos.networks[1]":                                 {Field: fault.Networks, Item: 2},
		"kerberos.minutesToRetainPreviousCredentials":          {Field: fault.Retain},
	} {
		if got := targetOf(f); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// The kinds of faults have the codes that clients know.
func TestCodesOfFaults(t *testing.T) {
	for kind, want := range map[fault.Kind]string{
		fault.Invalid:  "INVALID_VALUE",
		fault.Missing:  "REQUIRED_VALUE",
		fault.Taken:    "UNIQUENESS_VIOLATION",
		fault.ReadOnly: "READ_ONLY",
		fault.Depended: "DEPENDENTS",
	} {
		if got := detailOf(fault.Fault{
			Field:   fault.Name,
			Kind:    kind,
			Message: "m",
		}); got.Code != want || got.Target != "name" || got.Message == "" {
			t.Errorf("%v: %+v", kind, got)
		}
	}
}
