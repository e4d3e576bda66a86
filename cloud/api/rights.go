package api

import (
	"cmp"
	"time"

	"ldap-gateway/cloud/store"
)

// administratorForm is what a client may write.
type administratorForm struct {
	Name string     `json:"name"`
	Role store.Role `json:"role"`
}

// Whether a password was set is shown, so that an owner sees who has never come in.
type administratorBody struct {
	Links       links     `json:"_links"`
	ID          string    `json:"id"`
	Environment reference `json:"environment"`
	administratorForm
	SetUp     bool      `json:"setUp"` // a password was set
	CreatedAt time.Time `json:"createdAt"`
	// SetupSecret is only in the answer that made it.
	SetupSecret string `json:"setupSecret,omitempty"`
}

// showAdministrator shows an administrator; secret is the set-up secret that was made
// just now, or empty.
func showAdministrator(c *call, a store.Administrator, secret string) administratorBody {
	b := administratorBody{
		Links:             c.self("administrators", a.ID),
		ID:                a.ID,
		Environment:       reference{c.env},
		administratorForm: administratorForm{a.Name, a.Role},
		SetUp:             a.PasswordHash != "" && secret == "",
		CreatedAt:         a.CreatedAt,
		SetupSecret:       secret,
	}
	b.Links["reset"] = c.at("administrators", a.ID, "reset")
	return b
}

// listAdministrators answers with all of them by name: there are few.
func (s *Server) listAdministrators(c *call) (reply, error) {
	all, err := s.Store.Administrators(c.Context(), c.env)
	if err != nil {
		return reply{}, err
	}
	return few(c, "administrators", all, func(a store.Administrator) administratorBody {
		return showAdministrator(c, a, "")
	}, "id", "name", "role", "setUp?")
}

// getAdministrator answers with one; 404 when the environment has none of that ID.
func (s *Server) getAdministrator(c *call) (reply, error) {
	a, err := s.Store.AdministratorByID(c.Context(), c.env, c.PathValue("id"))
	if err != nil {
		return reply{}, err
	}
	return ok(showAdministrator(c, a, ""))
}

// createAdministrator answers with the secret by which they set a password.
// The secret is in no other answer, and not told again for an Idempotency-Key.
func (s *Server) createAdministrator(c *call) (reply, error) {
	var form administratorForm
	if err := c.read(&form); err != nil {
		return reply{}, err
	}
	a := store.Administrator{Name: form.Name, Role: form.Role}
	secret, err := s.Management.CreateAdministrator(c.Context(), c.by(), &a)
	if err != nil {
		return reply{}, err
	}
	return created(showAdministrator(c, a, secret))
}

// patchAdministrator changes the role.
// The name is read only. 409 when no owner would be left.
func (s *Server) patchAdministrator(c *call) (reply, error) {
	body, err := c.body()
	if err != nil {
		return reply{}, err
	}
	a, err := s.Management.ChangeAdministrator(c.Context(), c.by(), c.PathValue("id"), func(a *store.Administrator) error {
		form := administratorForm{a.Name, a.Role}
		if err := cmp.Or(c.fresh(showAdministrator(c, *a, "")), decode(body, &form)); err != nil {
			return err
		}
		if form.Name != a.Name {
			return invalid(detail{readOnly, "name", "Administrators sign in by their names: add one of the new name."})
		}
		a.Role = form.Role
		return nil
	})
	if err != nil {
		return reply{}, err
	}
	return ok(showAdministrator(c, a, ""))
}

// resetAdministrator answers with a new set-up secret.
// What they had is good no more: the password, the one-time passwords, the passkeys
// and the recovery codes go.
func (s *Server) resetAdministrator(c *call) (reply, error) {
	a, secret, err := s.Management.ResetAdministrator(c.Context(), c.by(), c.PathValue("id"))
	if err != nil {
		return reply{}, err
	}
	return created(showAdministrator(c, a, secret))
}

// deleteAdministrator answers with 204; 409 when no owner would be left.
func (s *Server) deleteAdministrator(c *call) (reply, error) {
	_, err := s.Management.DeleteAdministrator(c.Context(), c.by(), c.PathValue("id"), func(a store.Administrator) error {
		return c.fresh(showAdministrator(c, a, ""))
	})
	return gone(err)
}

// roleForm is what a client may write of a group's role.
type roleForm struct {
	Role store.Role `json:"role"`
}

// roleGroupBody is a group whose members may open the console.
// It is known by the group's ID: a group gives one role or none.
type roleGroupBody struct {
	Links links  `json:"_links"`
	ID    string `json:"id"` // of the group
	roleForm
}

// showRoleGroup has the role as self, and leads to the group.
func showRoleGroup(c *call, g store.RoleGroup) roleGroupBody {
	l := c.self("roleGroups", g.GroupID)
	l["group"] = c.at("groups", g.GroupID)
	return roleGroupBody{l, g.GroupID, roleForm{g.Role}}
}

// listRoleGroups answers with every group that gives a role.
func (s *Server) listRoleGroups(c *call) (reply, error) {
	all, err := s.Store.RoleGroups(c.Context(), c.env)
	if err != nil {
		return reply{}, err
	}
	return few(c, "roleGroups", all, func(g store.RoleGroup) roleGroupBody { return showRoleGroup(c, g) }, "id", "role")
}

// getRoleGroup answers with the role of a group; 404 when it gives none, as when there
// is no such group.
func (s *Server) getRoleGroup(c *call) (reply, error) {
	role, err := s.Store.GroupRole(c.Context(), c.env, c.PathValue("id"))
	if err != nil {
		return reply{}, err
	}
	if role == "" {
		return reply{}, store.ErrNotFound
	}
	return ok(showRoleGroup(c, store.RoleGroup{GroupID: c.PathValue("id"), Role: role}))
}

// putRoleGroup gives the members of a group a role. 403 for one that the client does
// not have itself.
func (s *Server) putRoleGroup(c *call) (reply, error) {
	var form roleForm
	if err := c.read(&form); err != nil {
		return reply{}, err
	}
	if form.Role == "" {
		return reply{}, invalid(missing("role"))
	}
	g, err := s.Management.SetRoleGroup(c.Context(), c.by(), c.PathValue("id"), form.Role, c.freshRole)
	if err != nil {
		return reply{}, err
	}
	return ok(showRoleGroup(c, store.RoleGroup{GroupID: g.ID, Role: form.Role}))
}

// freshRole compares an If-Match with the role that a group gives now.
// It is for PUT and DELETE alike, as they change one thing.
func (c *call) freshRole(g store.Group, role store.Role) error {
	return c.fresh(showRoleGroup(c, store.RoleGroup{GroupID: g.ID, Role: role}))
}

// deleteRoleGroup has a group give no role any more.
// 404 when it gave none.
func (s *Server) deleteRoleGroup(c *call) (reply, error) {
	given := func(g store.Group, role store.Role) error {
		if role == "" {
			return store.ErrNotFound
		}
		return c.freshRole(g, role)
	}
	_, err := s.Management.SetRoleGroup(c.Context(), c.by(), c.PathValue("id"), "", given)
	return gone(err)
}
