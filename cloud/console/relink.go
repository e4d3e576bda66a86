package console

import (
	"strings"

	"ldap-gateway/cloud/management"
	"ldap-gateway/cloud/signon"
	"ldap-gateway/cloud/store"
)

// target is a user type that users can be linked to.
type target struct{ Value, Name string }

// targets returns every user type of the environment but one.
// Only gateways that are enabled have any.
func (c *console) targets(k *call, but store.UserTypeRef) ([]target, error) {
	ways, err := signon.Routes(k.Context(), c.Store, k.env())
	var all []target
	for _, w := range ways {
		if w.Ref() != but {
			all = append(all, target{w.Gateway.ID + "/" + w.UserType.ID, w.UserType.Name + " of " + w.Gateway.Name})
		}
	}
	return all, err
}

// wanted names the user type that a form chooses.
func (k *call) wanted() store.UserTypeRef {
	gateway, id, _ := strings.Cut(k.posted("to"), "/")
	return store.UserTypeRef{Gateway: gateway, UserType: id}
}

// nameOf returns a user type in words.
func (c *console) nameOf(k *call, ref store.UserTypeRef) (string, error) {
	g, err := c.Store.Gateway(k.Context(), k.env(), ref.Gateway)
	for _, t := range g.UserTypes {
		if t.ID == ref.UserType {
			return t.Name + " of " + g.Name, err
		}
	}
	return g.Name, err
}

// linkUser has another user type check a user's password. The next sign-on finds
// the record by its username, and keeps what identifies the entry.
func (c *console) linkUser(k *call) error {
	to := k.wanted()
	u, err := c.Management.LinkUser(k.Context(), k.by(), k.PathValue("u"), func(store.User) (management.Link, error) {
		return management.Link{To: to}, nil
	})
	// The form has only what this console offered: a user type that is wrong now has
	// gone.
	if _, wrong := faults(err); wrong {
		return errGone
	}
	if err != nil {
		return err
	}
	name, err := c.nameOf(k, to)
	if err != nil {
		return err
	}
	return k.done(under("users", u.ID), u.Username+" is linked to "+name+".")
}

// relinkUsers does so with all users of a user type.
func (c *console) relinkUsers(k *call) error {
	from, to := store.UserTypeRef{Gateway: k.PathValue("g"), UserType: k.PathValue("t")}, k.wanted()
	n, err := c.Management.RelinkUsers(k.Context(), k.by(), from, to)
	if _, wrong := faults(err); wrong {
		return errGone
	}
	if err != nil {
		return err
	}
	name, err := c.nameOf(k, to)
	if err != nil {
		return err
	}
	return k.done(under("gateways", from.Gateway), plural(n, "user")+" moved to "+name+".")
}
