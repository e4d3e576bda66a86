package console

import (
	"net/http"
	"strconv"
	"time"

	"ldap-gateway/cloud/fault"
	"ldap-gateway/cloud/store"
)

// userForm is a user as it is edited: as typed, whatever it is.
type userForm struct {
	ID                                              string // empty: a new one
	Username, Given, Family, Email, External, Place string
	Seen                                            string // when the user was changed, when the form was shown
	Linked                                          bool   // a directory has the last word of the record
	Populations                                     []store.Population
	Errors                                          map[string]string
}

// seenAs is a time as a form carries it, to tell whether somebody came between.
// It is in microseconds, as the store keeps times: a coarser one would miss a change,
// and a finer one would never be equal.
func seenAs(t time.Time) string { return strconv.FormatInt(t.UnixMicro(), 10) }

// unseen is what is wrong when somebody came between; nil: nobody did, or the form
// does not say when it was shown. The form is told the time of now, so that saving
// again works.
func unseen(seen *string, changed time.Time, what string) error {
	now := seenAs(changed)
	if *seen == now || *seen == "" {
		return nil
	}
	*seen = now
	return fault.Of(fault.Whole, fault.Invalid, "This "+what+" was changed meanwhile, "+
		"by somebody else or in another window. Saving again replaces what is there now.")
}

// newUser begins with the default population.
func (c *console) newUser(k *call) error {
	p, err := c.Store.DefaultPopulation(k.Context(), k.env())
	if err != nil {
		return err
	}
	return c.renderUserForm(k, http.StatusOK, userForm{Place: p.ID})
}

// editUser shows the form of a user. Linked tells the page to say that the next sign-on
// may write over what is typed.
func (c *console) editUser(k *call) error {
	u, err := c.Store.User(k.Context(), k.env(), k.PathValue("u"))
	if err != nil {
		return err
	}
	return c.renderUserForm(k, http.StatusOK, userForm{
		ID:       u.ID,
		Username: u.Username,
		Given:    u.GivenName,
		Family:   u.FamilyName,
		Email:    u.Email,
		External: u.ExternalID,
		Place:    u.PopulationID,
		Seen:     seenAs(u.UpdatedAt),
		Linked:   u.GatewayID != "",
	})
}

func (c *console) renderUserForm(k *call, status int, form userForm) (err error) {
	if form.Populations, err = c.populations(k); err != nil {
		return err
	}
	title := "New user"
	if form.ID != "" {
		title = "Change a user"
	}
	return k.render(status, "user-form", title, form)
}

func readUserForm(k *call) userForm {
	return userForm{
		ID:       k.PathValue("u"),
		Username: k.posted("username"),
		Given:    k.posted("given"),
		Family:   k.posted("family"),
		Email:    k.posted("email"),
		External: k.posted("external"),
		Place:    k.posted("population"),
		Seen:     k.posted("seen"),
	}
}

// into makes a user what the form says.
func (f userForm) into(u *store.User) {
	u.Username, u.GivenName, u.FamilyName = f.Username, f.Given, f.Family
	u.Email, u.ExternalID, u.PopulationID = f.Email, f.External, f.Place
}

// createUser makes one who is enabled, and linked to no directory yet.
func (c *console) createUser(k *call) error {
	form, u := readUserForm(k), store.User{Enabled: true}
	form.into(&u)
	err := c.Management.CreateUser(k.Context(), k.by(), &u)
	return c.savedUser(k, form, u, err, u.Username+" was made. Link the user to a user type, so that they can sign on.")
}

// changeUser changes the user as kept at that moment: whether enabled, the link and the
// attributes of the directory are not in the form and stay.
func (c *console) changeUser(k *call) error {
	form := readUserForm(k)
	u, err := c.Management.ChangeUser(k.Context(), k.by(), form.ID, func(u *store.User) error {
		form.Linked = u.GatewayID != ""
		if err := unseen(&form.Seen, u.UpdatedAt, "user"); err != nil {
			return err
		}
		form.into(u)
		return nil
	})
	return c.savedUser(k, form, u, err, "Saved.")
}

// savedUser goes on after a user was saved, or shows the form again.
func (c *console) savedUser(k *call, form userForm, u store.User, err error, notice string) error {
	if wrong, ok := faults(err); ok {
		form.Errors = wrong
		return c.renderUserForm(k, http.StatusUnprocessableEntity, form)
	}
	if err != nil {
		return err
	}
	return k.done(under("users", u.ID), notice)
}

// switchUser enables or disables a user.
// Nothing else of the user is touched, so it needs not be told who came between.
func (c *console) switchUser(k *call) error {
	enabled := k.posted("enabled") == "yes"
	u, err := c.Management.ChangeUser(k.Context(), k.by(), k.PathValue("u"), func(u *store.User) error {
		u.Enabled = enabled
		return nil
	})
	if err != nil {
		return err
	}
	if enabled {
		return k.done(under("users", u.ID), u.Username+" is enabled.")
	}
	return k.done(under("users", u.ID), u.Username+" is disabled and signed off everywhere, and cannot sign on "+
		"until enabled again.")
}

// signOffUser ends what the user has open everywhere, and does not keep them from
// signing on again.
func (c *console) signOffUser(k *call) error {
	u, err := c.Management.SignOffUser(k.Context(), k.by(), k.PathValue("u"))
	if err != nil {
		return err
	}
	return k.done(
		under("users", u.ID),
		u.Username+" was signed off everywhere: sessions here, and what applications hold, are over.",
	)
}

// resetFactor takes away the second factor of somebody who has lost it.
func (c *console) resetFactor(k *call) error {
	u, err := c.Management.ResetFactor(k.Context(), k.by(), k.PathValue("u"))
	if err != nil {
		return err
	}
	return k.done(
		under("users", u.ID),
		u.Username+" has no second factor any more, and was signed off everywhere. They set up another when asked for it.",
	)
}

func (c *console) confirmDeleteUser(k *call) error {
	u, err := c.Store.User(k.Context(), k.env(), k.PathValue("u"))
	if err != nil {
		return err
	}
	d := deletion{Kind: "user", Name: u.Username, Back: under("users", u.ID)}
	return k.render(http.StatusOK, "delete", "Delete "+u.Username, d)
}

// deleteUser takes the name for its sentence from what was deleted, not from what the
// page showed.
func (c *console) deleteUser(k *call) error {
	name := ""
	err := c.Management.DeleteUser(k.Context(), k.by(), k.PathValue("u"), func(u store.User) error {
		name = u.Username
		return nil
	})
	if err != nil {
		return err
	}
	return k.done("/console/users", "The user "+name+" was deleted.")
}
