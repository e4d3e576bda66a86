package api

import (
	"cmp"
	"slices"

	"ldap-gateway/cloud/usertypes"
)

// userTypeDefaults answers with the usual values for the gateway's vendor, or
// for the one in the parameter vendor.
// It writes nothing: a client sends what it takes of them. 400 for a vendor that is not
// known.
func (s *Server) userTypeDefaults(c *call) (reply, error) {
	g, _, err := s.gatewayOf(c)
	if err != nil {
		return reply{}, err
	}
	vendor := cmp.Or(c.query("vendor"), g.Vendor)
	if !slices.Contains(usertypes.Vendors(), vendor) {
		return reply{}, invalid(wrong("vendor", "It must be one of %q.", usertypes.Vendors()))
	}
	t := usertypes.Usual(vendor)
	population, err := s.Store.DefaultPopulation(c.Context(), c.env)
	if err != nil {
		return reply{}, err
	}
	t.PopulationID = population.ID
	return ok(userTypeBody{c.self("gateways", g.ID, "userTypes", "defaults"), formOf(t), 0, vendor})
}
