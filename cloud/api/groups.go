package api

import (
	"cmp"
	"encoding/json"
	"net/http"
	"time"

	"ldap-gateway/cloud/fault"
	"ldap-gateway/cloud/management"
	"ldap-gateway/cloud/store"
)

// groupForm is what a client may write.
type groupForm struct {
	Name        string          `json:"name"`
	DisplayName string          `json:"displayName"`
	Description string          `json:"description,omitempty"`
	ExternalID  string          `json:"externalId,omitempty"`
	Population  *reference      `json:"population,omitempty"`
	UserFilter  json.RawMessage `json:"userFilter,omitempty"` // never shown: there are no dynamic groups
	SourceType  string          `json:"sourceType,omitempty"` // only shown
}

type groupBody struct {
	Links       links     `json:"_links"`
	ID          string    `json:"id"`
	Environment reference `json:"environment"`
	groupForm
	SourceID     string         `json:"sourceId,omitempty"`
	JustInTime   bool           `json:"justInTime"`
	DirectoryID  string         `json:"directoryId,omitempty"`
	LastSeenAt   *time.Time     `json:"lastSeenAt,omitempty"`
	DirectCounts map[string]int `json:"directMemberCounts,omitempty"`
	CreatedAt    time.Time      `json:"createdAt"`
	UpdatedAt    time.Time      `json:"updatedAt"`
}

func groupFormOf(g store.Group) groupForm {
	return groupForm{
		Name:        g.Name,
		DisplayName: g.DisplayName,
		Description: g.Description,
		ExternalID:  g.ExternalID,
		Population:  refer(g.PopulationID),
		SourceType:  g.SourceType,
	}
}

func showGroup(c *call, g store.Group) groupBody {
	return groupBody{
		Links:        c.self("groups", g.ID),
		ID:           g.ID,
		Environment:  reference{c.env},
		groupForm:    groupFormOf(g),
		SourceID:     g.SourceID,
		JustInTime:   g.JustInTime(),
		DirectoryID:  g.DirectoryID,
		LastSeenAt:   known(g.LastSeenAt),
		DirectCounts: map[string]int{"users": g.MemberCount},
		CreatedAt:    g.CreatedAt,
		UpdatedAt:    g.UpdatedAt,
	}
}

func (s *Server) listGroups(c *call) (reply, error) {
	page, err := c.page()
	if err != nil {
		return reply{}, err
	}
	where, err := parseFilter(
		c.query("filter"),
		"id",
		"name",
		"displayName",
		"externalId",
		"sourceType",
		"sourceId",
		"directoryId",
		"population.id",
	)
	if err != nil {
		return reply{}, err
	}
	all, next, err := s.Store.Groups(c.Context(), c.env, store.GroupFilter{Where: where}, page)
	if err != nil {
		return reply{}, err
	}
	return listed(c, "groups", all, next, func(g store.Group) groupBody { return showGroup(c, g) })
}

func (s *Server) getGroup(c *call) (reply, error) {
	g, err := s.Store.Group(c.Context(), c.env, c.PathValue("id"))
	if err != nil {
		return reply{}, err
	}
	return ok(showGroup(c, g))
}

func (s *Server) createGroup(c *call) (reply, error) {
	var form groupForm
	if err := c.read(&form); err != nil {
		return reply{}, err
	}
	g := store.Group{SourceType: form.SourceType}
	if err := form.into(&g); err != nil {
		return reply{}, err
	}
	if err := s.Management.CreateGroup(c.Context(), c.by(), &g); err != nil {
		return reply{}, err
	}
	return created(showGroup(c, g))
}

// putGroup replaces, or with PATCH changes what the body has. A name that the
// body leaves out of a just-in-time group stays.
func (s *Server) putGroup(c *call) (reply, error) {
	body, err := c.body()
	if err != nil {
		return reply{}, err
	}
	g, err := s.Management.ChangeGroup(c.Context(), c.by(), c.PathValue("id"), func(g *store.Group) error {
		form := groupForm{}
		if c.Method == http.MethodPatch {
			form = groupFormOf(*g)
		} else if g.JustInTime() {
			form.Name, form.DisplayName = g.Name, g.DisplayName
		}
		if err := cmp.Or(c.fresh(showGroup(c, *g)), decode(body, &form)); err != nil {
			return err
		}
		return form.into(g)
	})
	if err != nil {
		return reply{}, err
	}
	return ok(showGroup(c, g))
}

func isSet(b json.RawMessage) bool { return len(b) > 0 && string(b) != "null" && string(b) != `""` }

// into makes a group what the form says. A filter has no place in one.
func (f groupForm) into(g *store.Group) error {
	g.Name, g.DisplayName, g.Description = f.Name, f.DisplayName, f.Description
	g.ExternalID, g.PopulationID = f.ExternalID, f.Population.id()
	switch {
	case !isSet(f.UserFilter):
		return nil
	case g.ID != "" && g.JustInTime():
		return fault.Of(fault.UserFilter, fault.ReadOnly, "This group is just-in-time: who is in it is decided in "+
			management.Origin(*g)+", not by a filter.")
	}
	return fault.Of(fault.UserFilter, fault.Invalid, "There are no dynamic groups here: add the members one by one.")
}

func (s *Server) deleteGroup(c *call) (reply, error) {
	return gone(s.Management.DeleteGroup(c.Context(), c.by(), c.PathValue("id"), func(g store.Group) error {
		return c.fresh(showGroup(c, g))
	}))
}

type userGroupBody struct {
	groupBody
	Type  string    `json:"type"` // always DIRECT
	Since time.Time `json:"since"`
}

func showUserGroup(c *call, m store.GroupMembership) userGroupBody {
	b := userGroupBody{showGroup(c, m.Group), "DIRECT", m.Since}
	b.Links = c.self("users", c.PathValue("u"), "memberOfGroups", m.Group.ID)
	b.Links["group"] = c.at("groups", m.Group.ID)
	b.DirectCounts = nil // not counted here
	return b
}

// userGroups returns the groups of the user in the path.
func (s *Server) userGroups(c *call) ([]store.GroupMembership, error) {
	u, err := s.userOf(c)
	if err != nil {
		return nil, err
	}
	return s.Store.UserGroups(c.Context(), c.env, u.ID)
}

func (s *Server) listUserGroups(c *call) (reply, error) {
	all, err := s.userGroups(c)
	if err != nil {
		return reply{}, err
	}
	show := func(m store.GroupMembership) userGroupBody { return showUserGroup(c, m) }
	return listed(c, "groupMemberships", all, "", show)
}

func (s *Server) getUserGroup(c *call) (reply, error) {
	return s.membership(c, c.PathValue("id"), http.StatusOK)
}

// membership answers with one of the groups of the user in the path.
func (s *Server) membership(c *call, group string, status int) (reply, error) {
	all, err := s.userGroups(c)
	if err != nil {
		return reply{}, err
	}
	for _, m := range all {
		if m.Group.ID == group {
			return reply{status, showUserGroup(c, m)}, nil
		}
	}
	return reply{}, store.ErrNotFound
}

// joinGroup adds a user to an ordinary group.
func (s *Server) joinGroup(c *call) (reply, error) {
	var form reference
	if err := c.read(&form); err != nil {
		return reply{}, err
	}
	if err := s.Management.AddMember(c.Context(), c.by(), c.PathValue("u"), form.ID); err != nil {
		return reply{}, err
	}
	return s.membership(c, form.ID, http.StatusCreated)
}

// leaveGroup takes a user out of a group of any kind.
func (s *Server) leaveGroup(c *call) (reply, error) {
	user, group := c.PathValue("u"), c.PathValue("id")
	return gone(s.Management.RemoveMember(c.Context(), c.by(), user, group, func(m store.GroupMembership) error {
		return c.fresh(showUserGroup(c, m))
	}))
}
