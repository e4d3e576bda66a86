package api

import (
	"errors"
	"slices"

	"ldap-gateway/cloud/fault"
	"ldap-gateway/cloud/store"
	"ldap-gateway/cloud/usertypes"
)

// userTypes checks the user types of a gateway; known are those that it has.
// An error is the store's.
func (s *Server) userTypes(c *call, known []store.UserType, forms []userTypeForm) (types []store.UserType, l fault.List, err error) {
	for i, f := range forms {
		t, found, err := s.userType(c, types, f)
		if err != nil {
			return nil, nil, err
		}
		if f.ID != "" && !slices.ContainsFunc(known, func(t store.UserType) bool { return t.ID == f.ID }) {
			found = append(found, fault.Fault{Field: fault.UserTypeID, Message: "This gateway has no such user type. Leave the id out to add one."})
		}
		for _, x := range found {
			x.Type = i + 1
			l = append(l, x)
		}
		types = append(types, t)
	}
	return types, l, nil
}

// userType checks one user type; others are those that it must not be named
// like. An error is the store's.
func (s *Server) userType(c *call, others []store.UserType, f userTypeForm) (store.UserType, fault.List, error) {
	population, err := s.populationFor(c, f.lookup().Population.id())
	t := f.value(population)
	l := usertypes.Check(t, others)
	if f.NewUserLookup == nil {
		l = slices.DeleteFunc(l, func(x fault.Fault) bool { return x.Field == fault.Filter || x.Field == fault.Mappings })
		l = append(l, fault.Fault{Field: fault.Lookup, Kind: fault.Missing})
	}
	if errors.Is(err, store.ErrNotFound) {
		l, err = append(l, fault.Fault{Field: fault.TypeTarget, Message: "This environment has no such population."}), nil
	}
	return t, l, err
}

// populationFor returns the population that a request names, else the default one.
func (s *Server) populationFor(c *call, id string) (string, error) {
	var p store.Population
	var err error
	if id == "" {
		p, err = s.Store.DefaultPopulation(c.Context(), c.env)
	} else {
		p, err = s.Store.Population(c.Context(), c.env, id)
	}
	return p.ID, err
}
