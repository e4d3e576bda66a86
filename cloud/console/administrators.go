package console

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"net/http"
	"slices"

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

// newSetupSecret returns a one-time secret and what is kept of it.
func newSetupSecret() (secret string, hash []byte) {
	b := make([]byte, 15)
	rand.Read(b) // never fails
	secret = base64.RawURLEncoding.EncodeToString(b)
	digest := sha256.Sum256([]byte(secret))
	return secret, digest[:]
}

func (c *console) addAdministrator(k *call) error {
	role, ok := k.postedRole(store.Roles()...)
	a := store.Administrator{EnvironmentID: k.env(), Name: k.posted("name"), Role: role}
	list := administratorList{Name: a.Name, Errors: map[string]string{}}
	if a.Name == "" || len(a.Name) > 200 {
		list.Errors["name"] = "Give the administrator a name of at most 200 characters."
	}
	if !ok {
		list.Errors["role"] = "Choose a role."
	}
	if len(list.Errors) > 0 {
		return c.renderAdministrators(k, http.StatusUnprocessableEntity, list)
	}
	var secret string
	secret, a.SetupHash = newSetupSecret()
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
	secret, hash := newSetupSecret()
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
