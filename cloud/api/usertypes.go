package api

import (
	"cmp"
	"net/http"
	"slices"

	"ldap-gateway/cloud/management"
	"ldap-gateway/cloud/store"
)

// userTypeForm is a user type as clients read and write it.
// Switches that are left out are off. The names are those of compatible clients, groups
// and usernamePatterns excepted, which are ours.
type userTypeForm struct {
	ID                string          `json:"id,omitempty"`
	Name              string          `json:"name"`
	PasswordAuthority string          `json:"passwordAuthority"`
	SearchBaseDN      string          `json:"searchBaseDn"`
	Correlation       []string        `json:"orderedCorrelationAttributes"`
	AllowPasswords    bool            `json:"allowPasswordChanges"`
	UpdateOnSignOn    bool            `json:"updateUserOnSuccessfulAuthentication"`
	NewUserLookup     *lookupForm     `json:"newUserLookup,omitempty"`
	Groups            store.GroupRule `json:"groups"`
	Usernames         []string        `json:"usernamePatterns"`
}

// lookupForm is how a person is found whom the cloud does not know. Without one a user
// type is for those alone who are linked to it.
type lookupForm struct {
	FilterPattern string          `json:"ldapFilterPattern"`
	Population    *reference      `json:"population,omitempty"`
	Mappings      []store.Mapping `json:"attributeMappings"`
}

// formOf is the inverse of value. Lists are never null: compatible clients count them.
func formOf(t store.UserType) userTypeForm {
	f := userTypeForm{
		ID:                t.ID,
		Name:              t.Name,
		PasswordAuthority: t.PasswordAuthority,
		SearchBaseDN:      t.SearchBaseDN,
		Correlation:       append([]string{}, t.Correlation...),
		AllowPasswords:    t.AllowPasswords,
		UpdateOnSignOn:    t.UpdateOnSignOn,
		Groups:            t.Groups,
		Usernames:         append([]string{}, t.Usernames...),
	}
	if !t.LinksOnly {
		f.NewUserLookup = &lookupForm{
			FilterPattern: t.FilterPattern,
			Population:    refer(t.PopulationID),
			Mappings:      append([]store.Mapping{}, t.Mappings...),
		}
	}
	return f
}

// value returns the user type of a form.
func (f userTypeForm) value() store.UserType {
	u := store.UserType{
		ID:                f.ID,
		Name:              f.Name,
		PasswordAuthority: f.PasswordAuthority,
		SearchBaseDN:      f.SearchBaseDN,
		Correlation:       f.Correlation,
		AllowPasswords:    f.AllowPasswords,
		UpdateOnSignOn:    f.UpdateOnSignOn,
		Groups:            f.Groups,
		Usernames:         f.Usernames,
	}
	u.LinksOnly = f.NewUserLookup == nil
	if l := f.NewUserLookup; l != nil {
		u.FilterPattern, u.Mappings, u.PopulationID = l.FilterPattern, l.Mappings, l.Population.id()
	}
	return u
}

// readUserType reads a body. It checks nothing: whatever a value may be is management's
// to say.
func readUserType(c *call) (store.UserType, error) {
	var form userTypeForm
	err := c.read(&form)
	return form.value(), err
}

// The users are those whose password it checks, counted at the time of reading.
type userTypeBody struct {
	Links links `json:"_links"`
	userTypeForm
	UserCount int    `json:"userCount"`
	Vendor    string `json:"vendor,omitempty"` // only with the usual values: see userTypeDefaults
}

// showUserType is what reading one answers; it asks how many users there are.
func (s *Server) showUserType(c *call, gateway string, t store.UserType) (userTypeBody, error) {
	n, err := s.Store.UserTypeUsers(c.Context(), c.env, gateway, t.ID)
	return userTypeBody{c.self("gateways", gateway, "userTypes", t.ID), formOf(t), n, ""}, err
}

// showTypeState is showUserType of one in a change.
func showTypeState(c *call, t management.TypeState) userTypeBody {
	return userTypeBody{c.self("gateways", c.PathValue("g"), "userTypes", t.ID), formOf(t.UserType), t.Users, ""}
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

// listUserTypes answers with all user types of a gateway in their order, which is no
// order of asking: see the console.
func (s *Server) listUserTypes(c *call) (reply, error) {
	g, _, err := s.gatewayOf(c)
	bodies := make([]userTypeBody, len(g.UserTypes))
	for i := 0; i < len(bodies) && err == nil; i++ {
		bodies[i], err = s.showUserType(c, g.ID, g.UserTypes[i])
	}
	if err != nil {
		return reply{}, err
	}
	return few(c, "userTypes", bodies, func(b userTypeBody) userTypeBody { return b }, "id", "name", "passwordAuthority")
}

// getUserType answers with one user type; 404 when the gateway has none of that ID.
func (s *Server) getUserType(c *call) (reply, error) {
	g, i, err := s.gatewayOf(c)
	if err != nil {
		return reply{}, err
	}
	body, err := s.showUserType(c, g.ID, g.UserTypes[i])
	return reply{http.StatusOK, body}, err
}

// createUserType answers with 201 and the user type, behind the others of the gateway.
// Agents hear of it at once.
func (s *Server) createUserType(c *call) (reply, error) {
	u, err := readUserType(c)
	if err != nil {
		return reply{}, err
	}
	g, u, err := s.Management.AddUserType(c.Context(), c.by(), c.PathValue("g"), u)
	if err != nil {
		return reply{}, err
	}
	body, err := s.showUserType(c, g.ID, u)
	return reply{http.StatusCreated, body}, err
}

// typeOf names the user type in the path.
// Whether there is one by that name the change finds.
func typeOf(c *call) store.UserTypeRef {
	return store.UserTypeRef{Gateway: c.PathValue("g"), UserType: c.PathValue("t")}
}

// putUserType replaces a user type in its place; its ID and its users stay.
func (s *Server) putUserType(c *call) (reply, error) {
	wanted, err := readUserType(c)
	if err != nil {
		return reply{}, err
	}
	g, u, err := s.Management.ChangeUserType(c.Context(), c.by(), typeOf(c), func(t *management.TypeState) error {
		err := c.fresh(showTypeState(c, *t))
		t.UserType = wanted
		return err
	})
	if err != nil {
		return reply{}, err
	}
	body, err := s.showUserType(c, g.ID, u)
	return reply{http.StatusOK, body}, err
}

// deleteUserType answers with 204; 409 while it has users, unless the request says
// force=true.
func (s *Server) deleteUserType(c *call) (reply, error) {
	fresh := func(t management.TypeState) error { return c.fresh(showTypeState(c, t)) }
	return gone(s.Management.RemoveUserType(c.Context(), c.by(), typeOf(c), c.forced(), fresh))
}

// relinkUsers moves all users of a user type to another.
// It answers with how many were moved. Without a gateway in the body it is the same
// one.
func (s *Server) relinkUsers(c *call) (reply, error) {
	var to struct {
		Gateway  *reference `json:"gateway"`
		UserType *reference `json:"userType"`
	}
	if err := c.read(&to); err != nil {
		return reply{}, err
	}
	from := typeOf(c)
	target := store.UserTypeRef{Gateway: cmp.Or(to.Gateway.id(), from.Gateway), UserType: to.UserType.id()}
	n, err := s.Management.RelinkUsers(c.Context(), c.by(), from, target)
	if err != nil {
		return reply{}, err
	}
	return ok(map[string]any{
		"_links":    c.self("gateways", from.Gateway, "userTypes", from.UserType, "relink"),
		"userCount": n,
	})
}
