package console

import (
	"slices"
	"strings"

	"ldap-gateway/cloud/signon"
	"ldap-gateway/cloud/store"
)

// target is a user type that users can be linked to.
type target struct{ Value, Name string }

// targets returns every user type of the environment but one.
func (c *console) targets(k *call, but store.UserTypeRef) ([]target, error) {
	ways, err := signon.Ways(k.Context(), c.Store, k.env())
	var all []target
	for _, w := range ways {
		if w.Ref() != but {
			all = append(all, target{w.Gateway.ID + "/" + w.UserType.ID, w.UserType.Name + " of " + w.Gateway.Name})
		}
	}
	return all, err
}

// target returns the user type that a form names; store.ErrNotFound when the
// environment has none such.
func (c *console) target(k *call) (g store.Gateway, t store.UserType, err error) {
	gateway, id, _ := strings.Cut(k.posted("to"), "/")
	if g, err = c.Store.Gateway(k.Context(), k.env(), gateway); err != nil {
		return g, t, err
	}
	i := slices.IndexFunc(g.UserTypes, func(t store.UserType) bool { return t.ID == id })
	if i < 0 {
		return g, t, store.ErrNotFound
	}
	return g, g.UserTypes[i], nil
}

// linkUser has another user type check a user's password. The next sign-on finds
// the record by its username, and keeps what identifies the entry.
func (c *console) linkUser(k *call) error {
	u, err := c.Store.User(k.Context(), k.env(), k.PathValue("u"))
	if err != nil {
		return err
	}
	g, t, err := c.target(k)
	if err != nil {
		return err
	}
	if u.GatewayID != g.ID {
		u.DN, u.Correlation = "", nil
	}
	u.GatewayID, u.UserTypeID = g.ID, t.ID
	noting := k.noting(func() note {
		return note{"user.linked", "user:" + u.ID, "user " + u.Username + " was linked to " + t.Name + " of " + g.Name, map[string]any{"gateway": g.ID, "userType": t.ID}}
	})
	if err := noting.UpdateUser(k.Context(), &u); err != nil {
		return err
	}
	return k.done(under("users", u.ID), u.Username+" is linked to "+t.Name+" of "+g.Name+".")
}

// relinkUsers does so with all users of a user type.
func (c *console) relinkUsers(k *call) error {
	from, i, err := c.userType(k)
	if err != nil {
		return err
	}
	g, t, err := c.target(k)
	if err != nil {
		return err
	}
	var n int
	noting := k.noting(func() note {
		return note{"users.relinked", "gateway:" + g.ID, "users of " + from.UserTypes[i].Name + " were moved to " + t.Name + " of " + g.Name, map[string]any{"from": from.UserTypes[i].ID, "to": t.ID}}
	})
	if n, err = noting.RelinkUsers(k.Context(), k.env(), from.ID, from.UserTypes[i].ID, g.ID, t.ID); err != nil {
		return err
	}
	return k.done(under("gateways", from.ID), plural(n, "user")+" moved to "+t.Name+" of "+g.Name+".")
}
