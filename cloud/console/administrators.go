package console

import (
	"errors"
	"net/http"
	"slices"

	"ldap-gateway/cloud/administrators"
	"ldap-gateway/cloud/store"
)

// administratorRow is an administrator with how they prove who they are.
type administratorRow struct {
	store.Administrator
	Passkeys int
	Self     bool
}

// roleGroupRow is a group with the role that it gives.
type roleGroupRow struct {
	store.Group
	Role store.Role
}

// administratorList is the page of who may do what.
type administratorList struct {
	Administrators []administratorRow
	Groups         []roleGroupRow
	Roles          []store.Role
	Enter          string // address for members of the groups
	Name           string
	Secret         string // new set-up secret, shown this once
	SecretOf       string
	Errors         map[string]string
}

func (c *console) listAdministrators(k *call) error {
	return c.renderAdministrators(k, http.StatusOK, administratorList{})
}

func (c *console) renderAdministrators(k *call, status int, list administratorList) error {
	list.Roles, list.Enter = store.Roles(), c.URL+enterPath(k.env())
	all, err := c.Store.Administrators(k.Context(), k.env())
	if err != nil {
		return err
	}
	for _, a := range all {
		keys, err := c.Store.Passkeys(k.Context(), a.ID)
		if err != nil {
			return err
		}
		list.Administrators = append(list.Administrators, administratorRow{a, len(keys), a.ID == k.admin.ID})
	}
	groups, err := c.Store.RoleGroups(k.Context(), k.env())
	if err != nil {
		return err
	}
	for _, r := range groups {
		g, err := c.Store.Group(k.Context(), k.env(), r.GroupID)
		if err != nil {
			return err
		}
		list.Groups = append(list.Groups, roleGroupRow{g, r.Role})
	}
	return k.render(status, "administrators", "Administrators", list)
}

// postedRole returns the role of a form; false when it is none of those.
func (k *call) postedRole(those ...store.Role) (store.Role, bool) {
	r := store.Role(k.posted("role"))
	return r, slices.Contains(those, r)
}

// postedNew returns name and role of what a form makes, and what is wrong with them
// by field.
func (k *call) postedNew(what string, those ...store.Role) (name string, role store.Role, faults map[string]string) {
	faults = map[string]string{}
	if name = k.posted("name"); name == "" || len(name) > 200 {
		faults["name"] = "Give the " + what + " a name of at most 200 characters."
	}
	role, ok := k.postedRole(those...)
	if !ok {
		faults["role"] = "Choose a role."
	}
	return name, role, faults
}

func (c *console) addAdministrator(k *call) error {
	name, role, faults := k.postedNew("administrator", store.Roles()...)
	a, list := store.Administrator{EnvironmentID: k.env(), Name: name, Role: role}, administratorList{Name: name, Errors: faults}
	if len(list.Errors) > 0 {
		return c.renderAdministrators(k, http.StatusUnprocessableEntity, list)
	}
	var secret string
	secret, a.SetupHash = administrators.NewSetupSecret()
	noting := k.noting(func() note {
		return note{"administrator.created", "administrator:" + a.ID, "administrator " + a.Name + " was added", map[string]any{"role": a.Role}}
	})
	err := noting.CreateAdministrator(k.Context(), &a)
	if errors.Is(err, store.ErrConflict) {
		list.Errors["name"] = "This name is taken. Names are unique in the whole cloud, since administrators sign in by them."
		return c.renderAdministrators(k, http.StatusUnprocessableEntity, list)
	}
	if err != nil {
		return err
	}
	return c.renderAdministrators(k, http.StatusOK, administratorList{Secret: secret, SecretOf: a.Name})
}

// named returns the administrator in the path.
func (c *console) named(k *call) (store.Administrator, error) {
	return c.Store.AdministratorByID(k.Context(), k.env(), k.PathValue("id"))
}

var errLastOwner = &refusal{http.StatusConflict, "The last owner", "An environment needs an owner. Make somebody else one first."}

func (c *console) changeAdministrator(k *call) error {
	a, err := c.named(k)
	if err != nil {
		return err
	}
	before := a.Role
	role, ok := k.postedRole(store.Roles()...)
	if !ok {
		return &refusal{http.StatusBadRequest, "No such role", "Choose a role of the list."}
	}
	a.Role = role
	noting := k.noting(func() note {
		return note{"administrator.updated", "administrator:" + a.ID, "administrator " + a.Name + " got another role", map[string]any{"before": before, "after": a.Role}}
	})
	if err := noting.UpdateAdministrator(k.Context(), &a); errors.Is(err, store.ErrLastOwner) {
		return errLastOwner
	} else if err != nil {
		return err
	}
	return k.done("/console/settings/administrators", a.Name+" is now: "+roleName(a.Role)+".")
}

// resetAdministrator takes away every proof of an administrator and shows a new
// set-up secret.
func (c *console) resetAdministrator(k *call) error {
	a, err := c.named(k)
	if err != nil {
		return err
	}
	secret, hash := administrators.NewSetupSecret()
	noting := k.noting(func() note {
		return note{"administrator.reset", "administrator:" + a.ID, "the password and factors of administrator " + a.Name + " were taken away", nil}
	})
	if err := noting.ResetAdministrator(k.Context(), k.env(), a.ID, hash); err != nil {
		return err
	}
	return c.renderAdministrators(k, http.StatusOK, administratorList{Secret: secret, SecretOf: a.Name})
}

func (c *console) deleteAdministrator(k *call) error {
	a, err := c.named(k)
	if err != nil {
		return err
	}
	noting := k.noting(func() note {
		return note{"administrator.deleted", "administrator:" + a.ID, "administrator " + a.Name + " was removed", nil}
	})
	if err := noting.DeleteAdministrator(k.Context(), k.env(), a.ID); errors.Is(err, store.ErrLastOwner) {
		return errLastOwner
	} else if err != nil {
		return err
	}
	return k.done("/console/settings/administrators", a.Name+" was removed.")
}

// setRoleGroup gives the members of a group a role, or takes it away.
func (c *console) setRoleGroup(k *call) error {
	role, ok := k.postedRole(append(store.Roles(), "")...)
	if !ok {
		return &refusal{http.StatusBadRequest, "No such role", "Choose a role of the list."}
	}
	g, err := c.Store.Group(k.Context(), k.env(), k.posted("group"))
	if errors.Is(err, store.ErrNotFound) {
		return c.renderAdministrators(k, http.StatusUnprocessableEntity, administratorList{Errors: map[string]string{"group": "There is no group with this ID. It is on the group’s page, and in its address."}})
	}
	if err != nil {
		return err
	}
	noting := k.noting(func() note {
		return note{"role.changed", "group:" + g.ID, "the role of the members of group " + g.DisplayName + " was changed", map[string]any{"role": role}}
	})
	if err := noting.SetRoleGroup(k.Context(), store.RoleGroup{EnvironmentID: k.env(), GroupID: g.ID, Role: role}); err != nil {
		return err
	}
	if role == "" {
		return k.done("/console/settings/administrators", g.DisplayName+" gives no role any more.")
	}
	return k.done("/console/settings/administrators", "The members of "+g.DisplayName+" are now: "+roleName(role)+".")
}
