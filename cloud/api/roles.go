package api

import (
	"net/http"
	"slices"

	m "ldap-gateway/cloud/management"
	"ldap-gateway/cloud/store"
)

// roleBody is a role, under the name that compatible clients know.
type roleBody struct {
	Links        links        `json:"_links"`
	ID           string       `json:"id"`
	Name         string       `json:"name"`
	Description  string       `json:"description"`
	ApplicableTo []string     `json:"applicableTo"`
	Custom       string       `json:"type"`
	Permissions  []permission `json:"permissions"` // what has none is no role to clients
}

// permission is an action that who has the role may do. Its ID is the action's own words.
type permission struct {
	ID          string `json:"id"`
	Classifier  string `json:"classifier"`
	Description string `json:"description"`
}

// permissionsOf are those of a role.
func permissionsOf(role store.Role) (all []permission) {
	for _, a := range m.Actions() {
		if m.May(role, a) {
			all = append(all, permission{string(a), "ENVIRONMENT", string(a)})
		}
	}
	return all
}

// roles of groups, and which of the names of compatible clients means which.
func roles(c *call) []roleBody {
	of := func(role store.Role, name, description string) roleBody {
		id := roleID(role)
		l := links{"self": {c.root + "/v1/roles/" + id}}
		return roleBody{l, id, name, description, []string{"ENVIRONMENT"}, "PLATFORM", permissionsOf(role)}
	}
	return []roleBody{
		of(store.RoleOwner, "Environment Admin", "Everything, administrators, API clients and settings among it"),
		of(store.RoleIdentityAdmin, "Identity Data Admin", "Gateways, users, groups and applications"),
		of(store.RoleHelpDesk, "Help Desk Admin", "Looks, tries a person, signs people off, resets second factors"),
		of(store.RoleReadOnly, "Identity Data Read Only", "Looks, and changes nothing"),
	}
}

// roleID is the ID of a role, the same in every cloud.
func roleID(r store.Role) string { return derivedID("role", string(r)) }

// listRoles answers with the roles that a group can give.
func (s *Server) listRoles(c *call) (reply, error) {
	return few(c, "roles", roles(c), func(b roleBody) roleBody { return b }, "id", "name")
}

// getRole answers with one role.
func (s *Server) getRole(c *call) (reply, error) {
	all := roles(c)
	i := slices.IndexFunc(all, func(r roleBody) bool { return r.ID == c.PathValue("id") })
	if i < 0 {
		return reply{}, store.ErrNotFound
	}
	return ok(all[i])
}

// assignmentForm gives a role within a scope.
type assignmentForm struct {
	Role  *reference `json:"role"`
	Scope *scopeForm `json:"scope"`
}

// scopeForm is where a role holds: in the environment, always.
type scopeForm struct {
	ID   string `json:"id"`
	Type string `json:"type"`
}

// assignmentBody is a role that a group gives, as compatible clients have it; roleGroups
// has the same under our names.
type assignmentBody struct {
	Links       links     `json:"_links"`
	ID          string    `json:"id"`
	Environment reference `json:"environment"`
	assignmentForm
	ReadOnly bool `json:"readOnly"`
}

// showAssignment is of the role that a group gives.
func showAssignment(c *call, group string, role store.Role) assignmentBody {
	id := derivedID(group, string(role))
	return assignmentBody{
		Links:          c.self("groups", group, "roleAssignments", id),
		ID:             id,
		Environment:    reference{c.env},
		assignmentForm: assignmentForm{&reference{roleID(role)}, &scopeForm{c.env, "ENVIRONMENT"}},
	}
}

// assignmentsOf are those of the group in the path: one or none.
func (s *Server) assignmentsOf(c *call) (all []assignmentBody, err error) {
	g, err := s.Store.Group(c.Context(), c.env, c.PathValue("id"))
	if err != nil {
		return nil, err
	}
	role, err := s.Store.GroupRole(c.Context(), c.env, g.ID)
	if role != "" {
		all = append(all, showAssignment(c, g.ID, role))
	}
	return all, err
}

// listGroupRoles answers with the role that a group gives.
func (s *Server) listGroupRoles(c *call) (reply, error) {
	all, err := s.assignmentsOf(c)
	if err != nil {
		return reply{}, err
	}
	return few(c, "roleAssignments", all, func(b assignmentBody) assignmentBody { return b }, "id", "role.id")
}

// getGroupRole answers with one assignment.
func (s *Server) getGroupRole(c *call) (reply, error) {
	all, err := s.assignmentsOf(c)
	if err != nil {
		return reply{}, err
	}
	if len(all) == 0 || all[0].ID != c.PathValue("r") {
		return reply{}, store.ErrNotFound
	}
	return ok(all[0])
}

// createGroupRole has a group give a role. A group gives one at most.
func (s *Server) createGroupRole(c *call) (reply, error) {
	var form assignmentForm
	if err := c.read(&form); err != nil {
		return reply{}, err
	}
	role, err := form.role(c)
	if err != nil {
		return reply{}, err
	}
	given := func(_ store.Group, before store.Role) error {
		switch before {
		case "":
			return nil
		case role:
			return invalid(detail{notUnique, "role.id", "The group gives this role already."})
		}
		return invalid(wrong("role.id", "The group gives another role, and a group gives one: take that away first."))
	}
	g, err := s.Management.SetRoleGroup(c.Context(), c.by(), c.PathValue("id"), role, given)
	if err != nil {
		return reply{}, err
	}
	return created(showAssignment(c, g.ID, role))
}

// role is the one that a form gives, in the environment of the request.
func (f assignmentForm) role(c *call) (role store.Role, err error) {
	var wrongs []detail
	for _, r := range store.Roles() {
		if f.Role.id() == roleID(r) {
			role = r
		}
	}
	if role == "" {
		wrongs = append(wrongs, wrong("role.id", "There is no such role: see GET /v1/roles."))
	}
	if f.Scope == nil || f.Scope.Type != "ENVIRONMENT" || f.Scope.ID != c.env {
		wrongs = append(wrongs, wrong("scope", "A role holds in its environment: the type is ENVIRONMENT, the id its own."))
	}
	return role, invalid(wrongs...)
}

// deleteGroupRole has a group give no role any more.
func (s *Server) deleteGroupRole(c *call) (reply, error) {
	given := func(g store.Group, role store.Role) error {
		if role == "" || derivedID(g.ID, string(role)) != c.PathValue("r") {
			return store.ErrNotFound
		}
		return c.fresh(showAssignment(c, g.ID, role))
	}
	_, err := s.Management.SetRoleGroup(c.Context(), c.by(), c.PathValue("id"), "", given)
	return gone(err)
}

// listUserRoles answers with no role that is a user's own: groups give them.
func (s *Server) listUserRoles(c *call) (reply, error) {
	if _, err := s.userOf(c); err != nil {
		return reply{}, err
	}
	return noAssignments(c)
}

// listGatewayRoles answers with none: an agent has no rights here.
func (s *Server) listGatewayRoles(c *call) (reply, error) {
	if _, _, err := s.gatewayOf(c); err != nil {
		return reply{}, err
	}
	return noAssignments(c)
}

// listApplicationRoles answers with none: applications sign people on, and API clients are
// what has a role.
func (s *Server) listApplicationRoles(c *call) (reply, error) {
	if _, err := s.Store.Application(c.Context(), c.env, c.PathValue("a")); err != nil {
		return reply{}, err
	}
	return noAssignments(c)
}

func noAssignments(c *call) (reply, error) {
	return few(c, "roleAssignments", nil, func(b assignmentBody) assignmentBody { return b }, "id", "role.id")
}

// refuseRole is a role for what has none of its own, by way of a list that is there.
func refuseRole(list endpoint, why string) endpoint {
	return func(c *call) (reply, error) {
		if _, err := list(c); err != nil {
			return reply{}, err
		}
		return reply{}, refused(http.StatusBadRequest, why)
	}
}
