package api

import (
	"errors"

	"ldap-gateway/cloud/store"
)

// Routes returns every method and path below /v1/environments.
func (s *Server) Routes() []string {
	var all []string
	for pattern := range s.endpoints() {
		all = append(all, pattern)
	}
	return all
}

// ParseFilter is parseFilter.
func ParseFilter(text string, fields ...string) (store.Where, error) {
	return parseFilter(text, fields...)
}

// Address is address.
func Address(path string) string { return address(path) }

// OrganizationID is that of the one organization.
func OrganizationID() string { return derivedID("", "organization") }

// Details are the sentences of a refusal.
func Details(err error) (all string) {
	var p *problem
	if errors.As(err, &p) {
		for _, d := range p.Details {
			all += d.Message + "\n"
		}
	}
	return all
}
