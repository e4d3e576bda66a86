package api

import (
	"cmp"
	"errors"
	"net/http"
	"slices"

	"ldap-gateway/cloud/store"
	"ldap-gateway/cloud/usertypes"
)

// userTypeForm is a user type as clients read and write it.
type userTypeForm struct {
	ID                string          `json:"id,omitempty"`
	Name              string          `json:"name"`
	PasswordAuthority string          `json:"passwordAuthority"`
	SearchBaseDN      string          `json:"searchBaseDn"`
	Correlation       []string        `json:"orderedCorrelationAttributes"`
	AllowPasswords    bool            `json:"allowPasswordChanges"`
	UpdateOnSignOn    bool            `json:"updateUserOnSuccessfulAuthentication"`
	NewUserLookup     *lookupForm     `json:"newUserLookup"`
	Groups            store.GroupRule `json:"groups"`
}

type lookupForm struct {
	FilterPattern string          `json:"ldapFilterPattern"`
	Population    *reference      `json:"population,omitempty"`
	Mappings      []store.Mapping `json:"attributeMappings"`
}

func formOf(t store.UserType) userTypeForm {
	return userTypeForm{ID: t.ID, Name: t.Name, PasswordAuthority: t.PasswordAuthority, SearchBaseDN: t.SearchBaseDN, Correlation: append([]string{}, t.Correlation...),
		AllowPasswords: t.AllowPasswords, UpdateOnSignOn: t.UpdateOnSignOn, Groups: t.Groups,
		NewUserLookup: &lookupForm{FilterPattern: t.FilterPattern, Population: refer(t.PopulationID), Mappings: append([]store.Mapping{}, t.Mappings...)}}
}

// lookup returns how a person is found; an empty one when the form does not say.
func (f userTypeForm) lookup() lookupForm {
	if f.NewUserLookup == nil {
		return lookupForm{}
	}
	return *f.NewUserLookup
}

// value returns the user type of a form.
func (f userTypeForm) value(population string) store.UserType {
	return store.UserType{
		ID:                f.ID,
		Name:              f.Name,
		PasswordAuthority: cmp.Or(f.PasswordAuthority, usertypes.Authority),
		SearchBaseDN:      f.SearchBaseDN,
		Correlation:       f.Correlation,
		AllowPasswords:    f.AllowPasswords,
		UpdateOnSignOn:    f.UpdateOnSignOn,
		Groups:            f.Groups,
		FilterPattern:     f.lookup().FilterPattern,
		Mappings:          f.lookup().Mappings,
		PopulationID:      population,
	}
}

type userTypeBody struct {
	Links links `json:"_links"`
	userTypeForm
	UserCount int `json:"userCount"`
}

func (s *Server) showUserType(c *call, gateway string, t store.UserType) (userTypeBody, error) {
	n, err := s.Store.GatewayUsers(c.Context(), c.env, gateway, t.ID)
	return userTypeBody{c.self("gateways", gateway, "userTypes", t.ID), formOf(t), n}, err
}

// gatewayOf returns the gateway in the path, with the index of the user type
// in the path; -1 when the path has none.
func (s *Server) gatewayOf(c *call) (g store.Gateway, index int, err error) {
	g, err = s.Store.Gateway(c.Context(), c.env, c.PathValue("g"))
	if err != nil || c.PathValue("t") == "" {
		return g, -1, err
	}
	index = slices.IndexFunc(g.UserTypes, func(t store.UserType) bool { return t.ID == c.PathValue("t") })
	if index < 0 {
		err = store.ErrNotFound
	}
	return g, index, err
}

func (s *Server) listUserTypes(c *call) (reply, error) {
	g, _, err := s.gatewayOf(c)
	bodies := make([]userTypeBody, len(g.UserTypes))
	for i := 0; i < len(bodies) && err == nil; i++ {
		bodies[i], err = s.showUserType(c, g.ID, g.UserTypes[i])
	}
	if err != nil {
		return reply{}, err
	}
	return listed(c, "userTypes", bodies, "", func(b userTypeBody) userTypeBody { return b })
}

func (s *Server) getUserType(c *call) (reply, error) {
	g, i, err := s.gatewayOf(c)
	if err != nil {
		return reply{}, err
	}
	body, err := s.showUserType(c, g.ID, g.UserTypes[i])
	return reply{http.StatusOK, body}, err
}

func (s *Server) createUserType(c *call) (reply, error) {
	g, _, err := s.gatewayOf(c)
	if err != nil {
		return reply{}, err
	}
	return s.saveUserType(c, g, len(g.UserTypes), http.StatusCreated)
}

func (s *Server) putUserType(c *call) (reply, error) {
	g, i, err := s.gatewayOf(c)
	if err != nil {
		return reply{}, err
	}
	return s.saveUserType(c, g, i, http.StatusOK)
}

// saveUserType puts the body in the place of the user type at an index, or
// behind the last.
func (s *Server) saveUserType(c *call, g store.Gateway, index, status int) (reply, error) {
	var form userTypeForm
	if err := c.read(&form); err != nil {
		return reply{}, err
	}
	form.ID = ""
	others := slices.Clone(g.UserTypes)
	if index < len(others) {
		form.ID = others[index].ID
		others = slices.Delete(others, index, index+1)
	}
	t, l, err := s.userType(c, others, form)
	if err == nil {
		err = invalid(detailsOf(l)...)
	}
	if err != nil {
		return reply{}, err
	}
	g.UserTypes = slices.Insert(others, index, t)
	if err := s.saveGateway(c, &g); err != nil {
		return reply{}, err
	}
	body, err := s.showUserType(c, g.ID, g.UserTypes[index])
	return reply{status, body}, err
}

func (s *Server) deleteUserType(c *call) (reply, error) {
	gateway, id := c.PathValue("g"), c.PathValue("t")
	g, err := s.Store.RemoveUserType(c.Context(), c.env, gateway, id, c.forced())
	if errors.Is(err, store.ErrDependents) {
		return reply{}, s.dependents(c, gateway, id)
	}
	if err != nil {
		return reply{}, err
	}
	s.did(c, "gateway.updated", "gateway:"+gateway, "a user type was deleted", map[string]any{"userType": id, "revision": g.Revision, "force": c.forced()})
	s.Links.UserTypesChanged(c.Context(), gateway)
	return gone(nil)
}

// relinkUsers moves all users of a user type to another.
func (s *Server) relinkUsers(c *call) (reply, error) {
	g, i, err := s.gatewayOf(c)
	if err != nil {
		return reply{}, err
	}
	var to struct {
		Gateway  *reference `json:"gateway"`
		UserType *reference `json:"userType"`
	}
	if err := c.read(&to); err != nil {
		return reply{}, err
	}
	if to.Gateway == nil {
		to.Gateway = refer(g.ID)
	}
	n, err := s.Store.RelinkUsers(c.Context(), c.env, g.ID, g.UserTypes[i].ID, to.Gateway.id(), to.UserType.id())
	if err != nil {
		return reply{}, absent(err, "userType.id", "This environment has no such gateway, or the gateway no such user type.")
	}
	s.did(c, "users.relinked", "gateway:"+to.Gateway.id(), "users were moved to another user type",
		map[string]any{"from": g.UserTypes[i].ID, "to": to.UserType.id(), "users": n})
	return ok(map[string]any{"_links": c.self("gateways", g.ID, "userTypes", g.UserTypes[i].ID, "relink"), "userCount": n})
}
