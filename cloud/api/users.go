package api

import (
	"cmp"
	"maps"
	"net/http"
	"time"

	"ldap-gateway/cloud/store"
)

// nameForm is left out of a body when both are empty.
type nameForm struct {
	Given  string `json:"given,omitempty"`
	Family string `json:"family,omitempty"`
}

// userForm is what a client may write.
type userForm struct {
	Username   string            `json:"username"`
	Name       nameForm          `json:"name,omitzero"`
	Email      string            `json:"email,omitempty"`
	Population *reference        `json:"population,omitempty"`
	ExternalID string            `json:"externalId,omitempty"`
	Enabled    *bool             `json:"enabled,omitempty"`
	Attributes map[string]string `json:"attributes,omitempty"`
}

// The groups are there only when they were asked for, and then never null: none is an
// empty list.
type userBody struct {
	Links       links     `json:"_links"`
	ID          string    `json:"id"`
	Environment reference `json:"environment"`
	userForm
	Account    accountBody `json:"account"`
	Provider   *authority  `json:"identityProvider,omitempty"` // that people without a gateway sign on at
	LastSignOn *momentBody `json:"lastSignOn,omitempty"`
	CreatedAt  time.Time   `json:"createdAt"`
	UpdatedAt  time.Time   `json:"updatedAt"`
	GroupIDs   []string    `json:"memberOfGroupIDs,omitzero"`
	GroupNames []string    `json:"memberOfGroupNames,omitzero"`
}

// authority is who says that somebody is a user.
type authority struct {
	ID   string             `json:"id"`
	Type store.ProviderType `json:"type"`
}

// accountBody says the same as enabled, in the form that compatible clients read.
type accountBody struct {
	CanAuthenticate bool   `json:"canAuthenticate"`
	Status          string `json:"status"` // always OK: locking is the directory's business
}

// momentBody is a time as compatible clients read it, within an object.
type momentBody struct {
	At time.Time `json:"at"`
}

// userFormOf is the inverse of into; a PATCH is read on top of it. The attributes are a
// copy, since reading changes them in place.
func userFormOf(u store.User) userForm {
	return userForm{
		Username:   u.Username,
		Name:       nameForm{u.GivenName, u.FamilyName},
		Email:      u.Email,
		Population: refer(u.PopulationID),
		ExternalID: u.ExternalID,
		Enabled:    &u.Enabled,
		Attributes: maps.Clone(u.Attributes),
	}
}

// showUser is what reading one answers. Who checks the password is at a path of its
// own.
func showUser(c *call, u store.User) userBody {
	b := userBody{
		Links:       c.self("users", u.ID),
		ID:          u.ID,
		Environment: reference{c.env},
		userForm:    userFormOf(u),
		Account:     accountBody{u.Enabled, "OK"},
		CreatedAt:   u.CreatedAt,
		UpdatedAt:   u.UpdatedAt,
	}
	b.Links["memberOfGroups"], b.Links["password"] = c.at("users", u.ID, "memberOfGroups"), c.at("users", u.ID, "password")
	if u.ProviderID != "" && u.GatewayID == "" {
		b.Provider = &authority{u.ProviderID, u.ProviderType}
	}
	if !u.LastSignOnAt.IsZero() {
		b.LastSignOn = &momentBody{u.LastSignOnAt}
	}
	return b
}

// listUsers answers with a page by username. The filter takes eq, sw and co of the
// properties that are named below, joined by and, or and parentheses.
func (s *Server) listUsers(c *call) (reply, error) {
	page, err := c.page()
	if err != nil {
		return reply{}, err
	}
	where, err := parseFilter(
		c.query("filter"),
		"id",
		"username",
		"email",
		"externalId",
		"name.given",
		"name.family",
		"population.id",
	)
	if err != nil {
		return reply{}, err
	}
	all, next, err := s.Store.Users(c.Context(), c.env, store.UserFilter{Where: where}, page)
	if err != nil {
		return reply{}, err
	}
	return listed(c, "users", all, next, func(u store.User) userBody { return showUser(c, u) })
}

// getUser answers with one user, and with the groups when the request says
// include=memberOfGroupIDs or include=memberOfGroupNames.
func (s *Server) getUser(c *call) (reply, error) {
	u, err := s.userOf(c)
	if err != nil {
		return reply{}, err
	}
	b := showUser(c, u)
	ids, names := c.asks("include", "memberOfGroupIDs"), c.asks("include", "memberOfGroupNames")
	if !ids && !names {
		return ok(b)
	}
	all, err := s.Store.UserGroups(c.Context(), c.env, u.ID)
	if err != nil {
		return reply{}, err
	}
	for _, m := range all {
		b.GroupIDs, b.GroupNames = append(b.GroupIDs, m.Group.ID), append(b.GroupNames, m.Group.Name)
	}
	b.GroupIDs, b.GroupNames = onlyIf(ids, b.GroupIDs), onlyIf(names, b.GroupNames)
	return ok(b)
}

// onlyIf returns list, never nil when it is asked for.
func onlyIf(asked bool, list []string) []string {
	if !asked {
		return nil
	}
	return append([]string{}, list...)
}

// userOf returns the user in the path, or store.ErrNotFound.
// One of another environment is not found.
func (s *Server) userOf(c *call) (store.User, error) {
	return s.Store.User(c.Context(), c.env, c.PathValue("u"))
}

// createUser answers with 201 and a user who is linked to no directory, in the default
// population unless the body names another.
func (s *Server) createUser(c *call) (reply, error) {
	var form userForm
	if err := c.read(&form); err != nil {
		return reply{}, err
	}
	u := store.User{Enabled: true}
	form.into(&u)
	if err := s.Management.CreateUser(c.Context(), c.by(), &u); err != nil {
		return reply{}, err
	}
	return created(showUser(c, u))
}

// putUser replaces, or with PATCH changes what the body has. The link to a
// directory stays: see linkUser.
// A PUT that leaves the population out keeps the user in theirs; a null puts them into
// the default one.
func (s *Server) putUser(c *call) (reply, error) {
	body, err := c.body()
	if err != nil {
		return reply{}, err
	}
	u, err := s.Management.ChangeUser(c.Context(), c.by(), c.PathValue("u"), func(u *store.User) error {
		form := userForm{Population: refer(u.PopulationID)}
		if c.Method == http.MethodPatch {
			form = userFormOf(*u)
		}
		if err := cmp.Or(c.fresh(showUser(c, *u)), decode(body, &form)); err != nil {
			return err
		}
		form.into(u)
		return nil
	})
	if err != nil {
		return reply{}, err
	}
	return ok(showUser(c, u))
}

// into makes a user what the form says. Whether they are enabled stays when that is
// left out.
func (f userForm) into(u *store.User) {
	u.Username, u.Email, u.ExternalID = f.Username, f.Email, f.ExternalID
	u.GivenName, u.FamilyName = f.Name.Given, f.Name.Family
	u.PopulationID = f.Population.id()
	if f.Enabled != nil {
		u.Enabled = *f.Enabled
	}
	u.Attributes = f.Attributes
}

// deleteUser answers with 204. A person who is in a directory still comes back with
// their next sign-on, as another user.
func (s *Server) deleteUser(c *call) (reply, error) {
	return gone(s.Management.DeleteUser(c.Context(), c.by(), c.PathValue("u"), func(u store.User) error {
		return c.fresh(showUser(c, u))
	}))
}

// signOffUser ends a user's sessions and what applications hold for them.
// It answers with 204, also when they had nothing open.
func (s *Server) signOffUser(c *call) (reply, error) {
	_, err := s.Management.SignOffUser(c.Context(), c.by(), c.PathValue("u"))
	return gone(err)
}

// resetFactor takes away the second factor by which a user opens the console.
// It answers with 204, also when they had none. If-Match is refused: a factor cannot be
// read.
func (s *Server) resetFactor(c *call) (reply, error) {
	_, err := s.Management.ResetFactor(c.Context(), c.by(), c.PathValue("u"))
	return gone(err)
}
