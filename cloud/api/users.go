package api

import (
	"maps"
	"net/http"
	"time"

	"ldap-gateway/cloud/store"
)

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

type userBody struct {
	Links       links     `json:"_links"`
	ID          string    `json:"id"`
	Environment reference `json:"environment"`
	userForm
	Account    accountBody `json:"account"`
	LastSignOn *momentBody `json:"lastSignOn,omitempty"`
	CreatedAt  time.Time   `json:"createdAt"`
	UpdatedAt  time.Time   `json:"updatedAt"`
	GroupIDs   []string    `json:"memberOfGroupIDs,omitzero"`
	GroupNames []string    `json:"memberOfGroupNames,omitzero"`
}

type accountBody struct {
	CanAuthenticate bool   `json:"canAuthenticate"`
	Status          string `json:"status"` // always OK: locking is the directory's business
}

type momentBody struct {
	At time.Time `json:"at"`
}

func userFormOf(u store.User) userForm {
	return userForm{u.Username, nameForm{u.GivenName, u.FamilyName}, u.Email, refer(u.PopulationID), u.ExternalID, &u.Enabled, maps.Clone(u.Attributes)}
}

func showUser(c *call, u store.User) userBody {
	b := userBody{Links: c.self("users", u.ID), ID: u.ID, Environment: reference{c.env}, userForm: userFormOf(u), Account: accountBody{u.Enabled, "OK"}, CreatedAt: u.CreatedAt, UpdatedAt: u.UpdatedAt}
	b.Links["memberOfGroups"], b.Links["password"] = c.at("users", u.ID, "memberOfGroups"), c.at("users", u.ID, "password")
	if !u.LastSignOnAt.IsZero() {
		b.LastSignOn = &momentBody{u.LastSignOnAt}
	}
	return b
}

func (s *Server) listUsers(c *call) (reply, error) {
	page, err := c.page()
	if err != nil {
		return reply{}, err
	}
	where, err := parseFilter(c.query("filter"), "id", "username", "email", "externalId", "name.given", "name.family", "population.id")
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

func (s *Server) userOf(c *call) (store.User, error) {
	return s.Store.User(c.Context(), c.env, c.PathValue("u"))
}

func (s *Server) createUser(c *call) (reply, error) {
	u := store.User{EnvironmentID: c.env}
	if err := s.readUser(c, &u, userForm{}); err != nil {
		return reply{}, err
	}
	noting := s.noting(c, func() note {
		return note{"user.created", "user:" + u.ID, "user " + u.Username + " was created", nil}
	})
	if err := noting.CreateUser(c.Context(), &u); err != nil {
		return reply{}, absent(taken(err, "username"), "population.id", "This environment has no such population.")
	}
	return created(showUser(c, u))
}

// putUser replaces, or with PATCH changes what the body has. The link to a
// directory stays: see linkUser.
func (s *Server) putUser(c *call) (reply, error) {
	u, err := s.userOf(c)
	if err != nil {
		return reply{}, err
	}
	form := userForm{Population: refer(u.PopulationID), Enabled: &u.Enabled}
	if c.Method == http.MethodPatch {
		form = userFormOf(u)
	}
	if err := s.readUser(c, &u, form); err != nil {
		return reply{}, err
	}
	noting := s.noting(c, func() note {
		return note{"user.updated", "user:" + u.ID, "user " + u.Username + " was changed", nil}
	})
	if err := noting.UpdateUser(c.Context(), &u); err != nil {
		return reply{}, taken(err, "username")
	}
	return ok(showUser(c, u))
}

func (s *Server) readUser(c *call, u *store.User, form userForm) error {
	if err := c.read(&form); err != nil {
		return err
	}
	if form.Username == "" {
		return invalid(missing("username"))
	}
	population, err := s.populationFor(c, form.Population.id())
	if err != nil {
		return absent(err, "population.id", "This environment has no such population.")
	}
	u.Username, u.GivenName, u.FamilyName, u.Email, u.ExternalID = form.Username, form.Name.Given, form.Name.Family, form.Email, form.ExternalID
	u.PopulationID, u.Enabled, u.Attributes = population, form.Enabled == nil || *form.Enabled, form.Attributes
	return nil
}

func (s *Server) deleteUser(c *call) (reply, error) {
	u, err := s.userOf(c)
	if err != nil {
		return reply{}, err
	}
	noting := s.noting(c, func() note {
		return note{"user.deleted", "user:" + u.ID, "user " + u.Username + " was deleted", nil}
	})
	if err := noting.DeleteUser(c.Context(), c.env, u.ID); err != nil {
		return reply{}, err
	}
	return gone(nil)
}
