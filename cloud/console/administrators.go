package console

import (
	"errors"
	"net/http"

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
	Choice         groupChoice // of a group to give a role to
	Secret         string      // new set-up link, shown this once
	SecretOf       string
	Errors         map[string]string
}

func (c *console) listAdministrators(k *call) error {
	return c.renderAdministrators(k, http.StatusOK, administratorList{})
}

// renderAdministrators shows who has which role: administrators of their own with how
// many passkeys each has, and groups whose members have one.
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
	sources, err := c.sources(k)
	if err != nil {
		return err
	}
	if list.Choice, err = c.groupsToChoose(k, sources); err != nil {
		return err
	}
	return k.render(status, "administrators", "Administrators", list)
}

const administratorsPath = "/console/settings/administrators"

// addAdministrator answers with the set-up secret in the page itself rather than with a
// redirect: it is nowhere to be read again, neither in the session nor in the store.
func (c *console) addAdministrator(k *call) error {
	a := store.Administrator{Name: k.posted("name"), Role: store.Role(k.posted("role"))}
	secret, err := c.Management.CreateAdministrator(k.Context(), k.by(), &a)
	if wrong, ok := faults(err); ok {
		list := administratorList{Name: a.Name, Errors: wrong}
		return c.renderAdministrators(k, http.StatusUnprocessableEntity, list)
	}
	if err != nil {
		return err
	}
	return c.renderAdministrators(k, http.StatusOK, administratorList{
		Secret:   administrators.SetupLink(c.URL, a.Name, secret),
		SecretOf: a.Name,
	})
}

// changeAdministrator gives another role. That the last owner stays one, and that
// nobody gives more than they have, is for management.
func (c *console) changeAdministrator(k *call) error {
	role := store.Role(k.posted("role"))
	a, err := c.Management.ChangeAdministrator(k.Context(), k.by(), k.PathValue("id"), func(a *store.Administrator) error {
		a.Role = role
		return nil
	})
	if err != nil {
		return err
	}
	return k.done(administratorsPath, a.Name+" is now: "+roleName(a.Role)+".")
}

// resetAdministrator takes away every proof of an administrator and shows a new
// set-up secret.
// The sessions of before open nothing, and until the secret was used there is no
// password to sign in with.
func (c *console) resetAdministrator(k *call) error {
	a, secret, err := c.Management.ResetAdministrator(k.Context(), k.by(), k.PathValue("id"))
	if err != nil {
		return err
	}
	return c.renderAdministrators(k, http.StatusOK, administratorList{
		Secret:   administrators.SetupLink(c.URL, a.Name, secret),
		SecretOf: a.Name,
	})
}

// deleteAdministrator ends the sessions of the one deleted too: there is nobody left
// whose they are.
func (c *console) deleteAdministrator(k *call) error {
	a, err := c.Management.DeleteAdministrator(k.Context(), k.by(), k.PathValue("id"), nil)
	if err != nil {
		return err
	}
	return k.done(administratorsPath, a.Name+" was removed.")
}

// setRoleGroup gives the members of a group a role, or takes it away.
// No role in the form takes it away. The group is named by its ID, and one that is not
// there is said beside that field.
func (c *console) setRoleGroup(k *call) error {
	role := store.Role(k.posted("role"))
	g, err := c.Management.SetRoleGroup(k.Context(), k.by(), k.posted("group"), role, nil)
	if errors.Is(err, store.ErrNotFound) {
		const text = "There is no such group any more. Choose another."
		wrong := map[string]string{"group": text}
		return c.renderAdministrators(k, http.StatusUnprocessableEntity, administratorList{Errors: wrong})
	}
	if err != nil {
		return err
	}
	if role == "" {
		return k.done(administratorsPath, g.DisplayName+" gives no role any more.")
	}
	return k.done(administratorsPath, "The members of "+g.DisplayName+" are now: "+roleName(role)+".")
}
