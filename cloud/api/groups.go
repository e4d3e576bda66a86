package api

import (
	"encoding/json"
	"errors"
	"net/http"
	"time"

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
	return groupForm{Name: g.Name, DisplayName: g.DisplayName, Description: g.Description, ExternalID: g.ExternalID,
		Population: refer(g.PopulationID), SourceType: g.SourceType}
}

func showGroup(c *call, g store.Group) groupBody {
	return groupBody{Links: c.self("groups", g.ID), ID: g.ID, Environment: reference{c.env}, groupForm: groupFormOf(g), SourceID: g.SourceID, JustInTime: g.JustInTime(),
		DirectoryID: g.DirectoryID, LastSeenAt: known(g.LastSeenAt), DirectCounts: map[string]int{"users": g.MemberCount},
		CreatedAt: g.CreatedAt, UpdatedAt: g.UpdatedAt}
}

func (s *Server) listGroups(c *call) (reply, error) {
	page, err := c.page()
	if err != nil {
		return reply{}, err
	}
	where, err := parseFilter(c.query("filter"), "id", "name", "displayName", "externalId", "sourceType", "sourceId", "directoryId", "population.id")
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
	g := store.Group{EnvironmentID: c.env}
	var form groupForm
	if err := c.read(&form); err != nil {
		return reply{}, err
	}
	if form.SourceType != "" {
		return reply{}, invalid(detail{readOnly, "sourceType", "A group with a source exists because a sign-on brought it: it cannot be created here."})
	}
	if err := form.into(&g); err != nil {
		return reply{}, err
	}
	noting := s.noting(c, func() note {
		return note{"group.created", "group:" + g.ID, "group " + g.Name + " was created", nil}
	})
	if err := noting.CreateGroup(c.Context(), &g); err != nil {
		return reply{}, absent(taken(err, "name"), "population.id", "This environment has no such population.")
	}
	return created(showGroup(c, g))
}

// putGroup replaces, or with PATCH changes what the body has. A name that the
// body leaves out of a just-in-time group stays.
func (s *Server) putGroup(c *call) (reply, error) {
	g, err := s.Store.Group(c.Context(), c.env, c.PathValue("id"))
	if err != nil {
		return reply{}, err
	}
	form := groupForm{}
	if c.Method == http.MethodPatch {
		form = groupFormOf(g)
	} else if g.JustInTime() {
		form.Name, form.DisplayName = g.Name, g.DisplayName
	}
	if err := c.read(&form); err != nil {
		return reply{}, err
	}
	if err := form.allowed(g); err != nil {
		return reply{}, err
	}
	if err := form.into(&g); err != nil {
		return reply{}, err
	}
	noting := s.noting(c, func() note {
		return note{"group.updated", "group:" + g.ID, "group " + g.Name + " was changed", nil}
	})
	if err := noting.UpdateGroup(c.Context(), &g); err != nil {
		return reply{}, absent(taken(err, "name"), "population.id", "This environment has no such population.")
	}
	return ok(showGroup(c, g))
}

// allowed tells what of the form a just-in-time group does not allow.
func (f groupForm) allowed(g store.Group) error {
	if !g.JustInTime() {
		return nil
	}
	var d []detail
	add := func(changed bool, target, reason string) {
		if changed {
			d = append(d, detail{readOnly, target, reason})
		}
	}
	from := map[string]string{store.SourceGateway: "the directory", store.SourceIDP: "the identity provider"}[g.SourceType]
	add(f.Name != g.Name, "name", "This group is just-in-time: its name is that in "+from+".")
	add(f.DisplayName != g.DisplayName, "displayName", "This group is just-in-time: its display name is that in "+from+".")
	add(isSet(f.UserFilter), "userFilter", "This group is just-in-time: who is in it is decided in "+from+", not by a filter.")
	return invalid(d...)
}

func isSet(b json.RawMessage) bool { return len(b) > 0 && string(b) != "null" && string(b) != `""` }

func (f groupForm) into(g *store.Group) error {
	if f.Name == "" {
		return invalid(missing("name"))
	}
	if isSet(f.UserFilter) {
		return invalid(wrong("userFilter", "There are no dynamic groups here: add the members one by one."))
	}
	if f.DisplayName == "" {
		f.DisplayName = f.Name
	}
	g.Name, g.DisplayName, g.Description, g.ExternalID, g.PopulationID = f.Name, f.DisplayName, f.Description, f.ExternalID, f.Population.id()
	return nil
}

func (s *Server) deleteGroup(c *call) (reply, error) {
	id := c.PathValue("id")
	noting := s.noting(c, func() note {
		return note{"group.deleted", "group:" + id, "group was deleted", nil}
	})
	if err := noting.DeleteGroup(c.Context(), c.env, id); err != nil {
		return reply{}, err
	}
	return gone(nil)
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
	return listed(c, "groupMemberships", all, "", func(m store.GroupMembership) userGroupBody { return showUserGroup(c, m) })
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
	u, err := s.userOf(c)
	if err != nil {
		return reply{}, err
	}
	var form reference
	if err := c.read(&form); err != nil {
		return reply{}, err
	}
	noting := s.noting(c, func() note {
		return note{"membership.added", "user:" + u.ID, "user " + u.Username + " was added to a group", map[string]any{"group": form.ID}}
	})
	err = noting.AddMember(c.Context(), c.env, u.ID, form.ID, s.now())
	if errors.Is(err, store.ErrReadOnly) {
		return reply{}, invalid(detail{readOnly, "id", "This group is just-in-time: its members are those whom the directory or the identity provider names " +
			"when they sign on. Add the user there; the next updating sign-on brings the membership."})
	}
	if err != nil {
		return reply{}, absent(err, "id", "This environment has no such group.")
	}
	return s.membership(c, form.ID, http.StatusCreated)
}

// leaveGroup takes a user out of a group of any kind.
func (s *Server) leaveGroup(c *call) (reply, error) {
	u, err := s.userOf(c)
	if err != nil {
		return reply{}, err
	}
	group := c.PathValue("id")
	noting := s.noting(c, func() note {
		return note{"membership.removed", "user:" + u.ID, "user " + u.Username + " was removed from a group", map[string]any{"group": group}}
	})
	if err := noting.RemoveMember(c.Context(), c.env, u.ID, group); err != nil {
		return reply{}, err
	}
	return gone(nil)
}
