package api

import (
	"cmp"
	"encoding/json"
	"maps"
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
	Description *string         `json:"description,omitempty"`
	ExternalID  *string         `json:"externalId,omitempty"`
	Population  *reference      `json:"population,omitempty"`
	CustomData  map[string]any  `json:"customData,omitzero"`
	UserFilter  json.RawMessage `json:"userFilter,omitempty"` // never shown: there are no dynamic groups
	SourceType  store.Source    `json:"sourceType,omitempty"` // only shown
}

// What only a directory decides is shown and not read back: its ID there, the source,
// and when it was last seen whole.
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
	TotalCounts  map[string]int `json:"totalMemberCounts,omitempty"` // the same: no group is in another
	CreatedAt    time.Time      `json:"createdAt"`
	UpdatedAt    time.Time      `json:"updatedAt"`
}

// groupFormOf is the inverse of into; a PATCH is read on top of it.
func groupFormOf(g store.Group) groupForm {
	return groupForm{
		Name:        g.Name,
		DisplayName: g.DisplayName,
		Description: told(g.Description, g.Kept.Blank, "description"),
		ExternalID:  told(g.ExternalID, g.Kept.Blank, "externalId"),
		Population:  refer(g.PopulationID),
		CustomData:  maps.Clone(g.Kept.CustomData),
		SourceType:  g.SourceType,
	}
}

// showGroup is what reading one answers. The members are counted; nested groups are no
// members here.
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
		TotalCounts:  map[string]int{"users": g.MemberCount},
		CreatedAt:    g.CreatedAt,
		UpdatedAt:    g.UpdatedAt,
	}
}

// listGroups answers with a page, without lastSeenAt, which would take a look at every member's
// sign-ons.
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
	order, descending, err := sortedBy(c, groupSortings())
	if err != nil {
		return reply{}, err
	}
	f := store.GroupFilter{Where: where, Order: order, Descending: descending}
	all, next, err := s.Store.Groups(c.Context(), c.env, f, page)
	if err != nil {
		return reply{}, err
	}
	return listed(c, "groups", all, next, func(g store.Group) groupBody { return showGroup(c, g) })
}

// getGroup answers with one group; 404 when the environment has none of that ID.
func (s *Server) getGroup(c *call) (reply, error) {
	g, err := s.Store.Group(c.Context(), c.env, c.PathValue("id"))
	if err != nil {
		return reply{}, err
	}
	return ok(showGroup(c, g))
}

// createGroup answers with 201 and an ordinary group: one with a source is made by a
// sign-on alone.
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

// maxCustomData bounds what a client keeps with a group, in bytes of JSON: it is read with
// the group each time.
const maxCustomData = 16 << 10

// isSet tells whether a property was given with a value. A null and an empty text are
// none.
func isSet(b json.RawMessage) bool { return len(b) > 0 && string(b) != "null" && string(b) != `""` }

// into makes a group what the form says. A filter has no place in one.
func (f groupForm) into(g *store.Group) error {
	g.Name, g.DisplayName, g.Description = f.Name, f.DisplayName, textOf(f.Description)
	g.ExternalID, g.PopulationID = textOf(f.ExternalID), f.Population.id()
	if b, err := json.Marshal(f.CustomData); err != nil || len(b) > maxCustomData {
		return invalid(wrong("customData", "It has at most %d bytes.", maxCustomData))
	}
	g.Kept = store.GroupKept{
		Blank:      blanks(map[string]*string{"description": f.Description, "externalId": f.ExternalID}),
		CustomData: f.CustomData,
	}
	switch {
	case !isSet(f.UserFilter):
		return nil
	case g.ID != "" && g.JustInTime():
		return fault.Of(fault.UserFilter, fault.ReadOnly, "This group is just-in-time: who is in it is decided in "+
			management.Origin(*g)+", not by a filter.")
	}
	return fault.Of(fault.UserFilter, fault.Invalid, "There are no dynamic groups here: add the members one by one.")
}

// deleteGroup answers with 204. A just-in-time group comes back with the next updating
// sign-on of a member.
func (s *Server) deleteGroup(c *call) (reply, error) {
	return gone(s.Management.DeleteGroup(c.Context(), c.by(), c.PathValue("id"), func(g store.Group) error {
		return c.fresh(showGroup(c, g))
	}))
}

// The type is DIRECT for every membership: what a directory nests is resolved there,
// and not here.
type userGroupBody struct {
	groupBody
	Type     string     `json:"type"` // always DIRECT
	Since    time.Time  `json:"since"`
	Embedded *groupWith `json:"_embedded,omitempty"` // with expand=group
}

// groupWith is the group of a membership.
type groupWith struct {
	Group groupBody `json:"group"`
}

// showUserGroup has the membership as self, and leads to the group.
func showUserGroup(c *call, m store.GroupMembership) userGroupBody {
	b := userGroupBody{groupBody: showGroup(c, m.Group), Type: "DIRECT", Since: m.Since}
	b.Links = c.self("users", c.PathValue("u"), "memberOfGroups", m.Group.ID)
	b.Links["group"] = c.at("groups", m.Group.ID)
	b.DirectCounts, b.TotalCounts = nil, nil // not counted here
	if c.asks("expand", "group") {
		whole := b.groupBody
		whole.Links = c.self("groups", m.Group.ID)
		b.Embedded = &groupWith{whole}
	}
	return b
}

// listUserGroups answers with the groups of a user, with expand=group each with the whole
// group within it; 404 when there is no such user, as for one of another environment.
// In parts they come by ID, so that a part of very many costs no more than one of few.
func (s *Server) listUserGroups(c *call) (reply, error) {
	u, err := s.userOf(c)
	if err != nil {
		return reply{}, err
	}
	show := func(m store.GroupMembership) userGroupBody { return showUserGroup(c, m) }
	if c.query("filter") == "" && c.query("limit") != "" {
		page, err := c.page()
		if err != nil {
			return reply{}, err
		}
		some, next, err := s.Store.UserGroupsPage(c.Context(), c.env, u.ID, page)
		if err != nil {
			return reply{}, err
		}
		return listed(c, "groupMemberships", some, next, show)
	}
	all, err := s.Store.UserGroups(c.Context(), c.env, u.ID)
	if err != nil {
		return reply{}, err
	}
	fields := []string{"id", "name", "displayName", "type", "sourceType", "sourceId", "justInTime?"}
	return few(c, "groupMemberships", all, show, fields...)
}

// getUserGroup answers with one membership; 404 when the user is not in that group.
func (s *Server) getUserGroup(c *call) (reply, error) {
	return s.membership(c, c.PathValue("id"), http.StatusOK)
}

// membership answers with one of the groups of the user in the path.
func (s *Server) membership(c *call, group string, status int) (reply, error) {
	u, err := s.userOf(c)
	if err != nil {
		return reply{}, err
	}
	m, err := s.Store.UserGroup(c.Context(), c.env, u.ID, group)
	if err != nil {
		return reply{}, err
	}
	return reply{status, showUserGroup(c, m)}, nil
}

// joinGroup adds a user to an ordinary group.
// It answers with the membership, also when the user was in the group before.
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
// Of a group that sign-ons made too; the next that updates may put them back.
func (s *Server) leaveGroup(c *call) (reply, error) {
	user, group := c.PathValue("u"), c.PathValue("id")
	return gone(s.Management.RemoveMember(c.Context(), c.by(), user, group, func(m store.GroupMembership) error {
		return c.fresh(showUserGroup(c, m))
	}))
}

// listNested answers with the groups that a group is in: none.
func (s *Server) listNested(c *call) (reply, error) {
	if _, err := s.Store.Group(c.Context(), c.env, c.PathValue("id")); err != nil {
		return reply{}, err
	}
	return few(c, "groupMemberships", nil, func(b groupBody) groupBody { return b }, "id", "name")
}

// nest refuses to put a group into another: who is in one is there directly, whatever the
// directory nests.
func (s *Server) nest(c *call) (reply, error) {
	var form reference
	if err := c.read(&form); err != nil {
		return reply{}, err
	}
	if _, err := s.listNested(c); err != nil {
		return reply{}, err
	}
	return reply{}, refused(http.StatusBadRequest, "Groups are not put into groups here: add the members one by one.")
}
