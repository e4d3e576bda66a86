package console

import (
	"errors"

	"ldap-gateway/cloud/store"
)

// organisation returns the address at which people with an account of their
// organisation come in: when there is one environment whose groups give roles.
// Of several none is told to strangers, and owners know the address of theirs.
func (c *console) organisation(k *call) (string, error) {
	all, err := c.Store.Environments(k.Context())
	if err != nil || len(all) != 1 {
		return "", err
	}
	groups, err := c.Store.RoleGroups(k.Context(), all[0].ID)
	if err != nil || len(groups) == 0 {
		return "", err
	}
	return enterPath(all[0].ID), nil
}

// enterPath is where people of an environment come in.
func enterPath(env string) string { return "/console/organisation?e=" + env }

// enter lets in who has signed on with an account of the organisation, if their
// groups give a role, and sends others to sign on.
// Whether they have, and by what, is the sign-on page's to say; the session that begins here is
// the console's own.
func (c *console) enter(k *call) error {
	env, err := c.Store.Environment(k.Context(), k.query("e"))
	if err != nil {
		return err
	}
	by, ok, err := c.People.PersonOf(k.Request, env.ID)
	if err != nil {
		return err
	}
	if !ok {
		// From there the browser comes back here.
		return k.goTo("/" + env.ID + "/signon?then=console")
	}
	p, err := c.user(k, env.ID, by)
	if errors.Is(err, store.ErrNotFound) {
		c.log().Info("the console was refused to a user", "user", by.UserID, "address", k.address())
		return k.goTo("/console/sign-in?after=organisation")
	}
	if err != nil {
		return err
	}
	how := "organisation account, " + string(by.Method)
	if by.Factor == "" {
		wants, err := c.wantsFactor(k, env, p)
		if err != nil {
			return err
		}
		if wants { // the sign-on page asks for it, or has one set up, and leads back here
			return k.goTo("/" + env.ID + "/signon?then=console")
		}
	} else {
		how += ", " + string(by.Factor)
	}
	if err := c.begin(k, &p, how); err != nil {
		return err
	}
	c.sessions.Put(k.Context(), factorKey, string(by.Factor))
	return k.goTo("/console/")
}

// toGive tells whether somebody with an account of the organisation is to give a second factor that was
// not asked for when they came in, as it is wanted since. They may always leave.
func (c *console) toGive(k *call, p person) (bool, error) {
	if p.own() || c.sessions.GetString(k.Context(), factorKey) != "" || k.URL.Path == "/console/sign-out" {
		return false, nil
	}
	env, err := c.Store.Environment(k.Context(), p.EnvironmentID)
	if err != nil {
		return false, err
	}
	return c.wantsFactor(k, env, p)
}

// wantsFactor tells whether somebody with an account of the organisation gives a second factor before the
// console opens: they have one, or the environment wants one of who administers it, or of everybody.
func (c *console) wantsFactor(k *call, env store.Environment, p person) (bool, error) {
	has, err := c.hasFactor(k, p)
	if err != nil || has || env.Settings.SecondFactor || p.MFA {
		return true, err
	}
	policy, err := c.Store.DefaultSignOnPolicy(k.Context(), env.ID)
	return policy.AsksFactor(), err
}

// user returns a user as a person of the console, with the role that the groups
// give now; store.ErrNotFound when they give none, or the sign-on is good for nothing any more.
// No session keeps a role: who leaves the group has none at the next request.
func (c *console) user(k *call, env string, by store.SignedOn) (person, error) {
	u, err := c.Store.SignedOnUser(k.Context(), env, by)
	if err != nil {
		return person{}, err
	}
	role, err := c.Store.UserRole(k.Context(), env, u.ID)
	if err == nil && role == "" {
		err = store.ErrNotFound
	}
	if err != nil {
		return person{}, err
	}
	factor, err := c.Store.PersonFactor(k.Context(), env, u.ID)
	as := store.Administrator{EnvironmentID: env, Name: u.Username, Role: role, TOTP: factor}
	return person{Administrator: as, UserID: u.ID, ProviderID: by.ProviderID, SignOffs: u.SignOffs, MFA: u.Kept.MFA}, err
}
