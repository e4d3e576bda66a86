package console

import (
	"errors"
	"net/http"
	"slices"
	"strconv"

	"ldap-gateway/cloud/fault"
	"ldap-gateway/cloud/management"
	"ldap-gateway/cloud/mapping"
	"ldap-gateway/cloud/store"
	"ldap-gateway/cloud/usertypes"
)

// userTypePage is the form with what it chooses from.
type userTypePage struct {
	userTypeForm
	Gateway     store.Gateway
	ID          string // empty: a new one
	Action      string // where the form is sent
	Here        string // where the usual values are asked for
	Populations []store.Population
	Vendors     []string
	Vendor      string   // whose usual values are offered, or were put in
	Filled      bool     // the usual values were put in
	Attributes  []string // that the directory has, as the agents say
}

// attributes returns the names that connected agents say their directory has, and
// that their files let leave.
// Without one that is connected there are none.
func (c *console) attributes(gateway string) (all []string) {
	for _, l := range c.Links.Live(gateway) {
		all = append(all, l.Beat.Attributes...)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// userTypeRows returns the user types of a gateway as its page shows them.
func (c *console) userTypeRows(k *call, g store.Gateway) ([]userTypeRow, error) {
	populations, err := c.populations(k)
	if err != nil {
		return nil, err
	}
	rows := make([]userTypeRow, len(g.UserTypes))
	for i, t := range g.UserTypes {
		rows[i] = userTypeRow{UserType: t, WithGroups: mapping.WantsGroups(t)}
		if j := slices.IndexFunc(populations, func(p store.Population) bool { return p.ID == t.PopulationID }); j >= 0 {
			rows[i].Population = populations[j].Name
		}
		if rows[i].Users, err = c.Store.UserTypeUsers(k.Context(), k.env(), g.ID, t.ID); err != nil {
			return nil, err
		}
	}
	return rows, nil
}

// populations returns those to choose from.
// They are store.MaxLimit at most.
func (c *console) populations(k *call) ([]store.Population, error) {
	all, _, err := c.Store.Populations(k.Context(), k.env(), store.Page{Limit: store.MaxLimit})
	return all, err
}

// userType returns the gateway in the path and the index of the user type in
// the path; the index behind the last when the path names none.
func (c *console) userType(k *call) (g store.Gateway, index int, err error) {
	g, err = c.gateway(k)
	id := k.PathValue("t")
	if err != nil || id == "" {
		return g, len(g.UserTypes), err
	}
	index = slices.IndexFunc(g.UserTypes, func(t store.UserType) bool { return t.ID == id })
	if index < 0 {
		err = store.ErrNotFound
	}
	return g, index, err
}

// newUserType begins with the default population; where there is none, with none
// chosen.
func (c *console) newUserType(k *call) error {
	g, err := c.gateway(k)
	if err != nil {
		return err
	}
	population, err := c.Store.DefaultPopulation(k.Context(), k.env())
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	form := formOf(g, store.UserType{PopulationID: population.ID, Groups: store.GroupRule{Identity: usertypes.ByName}})
	return c.offerUserType(k, g, "", form)
}

func (c *console) editUserType(k *call) error {
	g, i, err := c.userType(k)
	if err != nil {
		return err
	}
	return c.offerUserType(k, g, g.UserTypes[i].ID, formOf(g, g.UserTypes[i]))
}

// offerUserType shows a form. When the address asks for a vendor's usual
// values, they come on top of what the address has of the other fields.
func (c *console) offerUserType(k *call, g store.Gateway, id string, form userTypeForm) error {
	vendor := k.query("usual")
	filled := slices.Contains(usertypes.Vendors(), vendor)
	if filled {
		// With a name in the address the form was being filled in: that goes on, and
		// not what is kept.
		if k.URL.Query().Has("name") {
			form = readUserType(k.URL.Query())
		}
		form.usual(vendor)
	}
	return c.renderUserType(k, http.StatusOK, userTypePage{
		userTypeForm: form,
		Gateway:      g,
		ID:           id,
		Vendor:       vendor,
		Filled:       filled,
	})
}

// renderUserType shows the form with empty rows behind the filled ones.
func (c *console) renderUserType(k *call, status int, page userTypePage) (err error) {
	page.Attributes = c.attributes(page.Gateway.ID)
	page.Vendors = usertypes.Vendors()
	if !page.Filled {
		page.Vendor = page.Gateway.Vendor
	}
	page.Rows = append(slices.Clone(page.Rows), make([]mappingRow, emptyRows)...)
	page.Action = under("gateways", page.Gateway.ID, "user-types")
	page.Here = page.Action + "/new"
	title := "New user type"
	if page.ID != "" {
		page.Action = under("gateways", page.Gateway.ID, "user-types", page.ID)
		page.Here, title = page.Action, "User type"
	}
	if page.Populations, err = c.populations(k); err != nil {
		return err
	}
	return k.render(status, "usertype", title, page)
}

// saveUserType puts what was typed in the place of the user type in the path,
// or behind the last, or shows the form again.
func (c *console) saveUserType(k *call) error {
	form, id := readUserType(k.PostForm), k.PathValue("t")
	err := c.writeUserType(k, &form, id)
	var l fault.List
	if errors.As(err, &l) {
		for _, x := range l {
			form.wrong(x)
		}
		g, err := c.gateway(k)
		if err != nil {
			return err
		}
		return c.renderUserType(k, http.StatusUnprocessableEntity, userTypePage{userTypeForm: form, Gateway: g, ID: id})
	}
	if err != nil {
		return err
	}
	return k.done(
		under("gateways", k.PathValue("g")),
		"The user type "+form.Name+" was saved and is on its way to the instances.",
	)
}

// writeUserType saves a form, unless the user types were others when it was shown.
// A new one replaces nothing, so that nobody can have come between.
func (c *console) writeUserType(k *call, form *userTypeForm, id string) error {
	gateway := k.PathValue("g")
	if id == "" {
		_, _, err := c.Management.AddUserType(k.Context(), k.by(), gateway, form.value())
		return err
	}
	ref := store.UserTypeRef{Gateway: gateway, UserType: id}
	_, _, err := c.Management.ChangeUserType(k.Context(), k.by(), ref, func(t *management.TypeState) error {
		if revision := strconv.FormatUint(t.Revision, 10); form.Revision != revision {
			form.Revision = revision
			return fault.Of(fault.Whole, fault.Invalid, "This gateway's user types were changed meanwhile, "+
				"by somebody else or in another window. Saving again replaces what is there now.")
		}
		t.UserType = form.value()
		return nil
	})
	return err
}

func (c *console) confirmDeleteUserType(k *call) error {
	return c.askDeleteUserType(k, http.StatusOK, false)
}

// askDeleteUserType shows who could not sign on any more, and offers to move them to
// another user type instead.
func (c *console) askDeleteUserType(k *call, status int, unsure bool) error {
	g, i, err := c.userType(k)
	if err != nil {
		return err
	}
	t := g.UserTypes[i]
	d, err := c.deletionOf(k, deletion{
		Kind:   "user type",
		Name:   t.Name,
		Back:   under("gateways", g.ID),
		Unsure: unsure,
	}, g.ID, t.ID)
	if err != nil {
		return err
	}
	d.Relink = under("gateways", g.ID, "user-types", t.ID, "relink")
	if d.Targets, err = c.targets(k, store.UserTypeRef{Gateway: g.ID, UserType: t.ID}); err != nil {
		return err
	}
	return k.render(status, "delete", "Delete "+t.Name, d)
}

// deleteUserType deletes a user type without users at once, and one with users only
// with the box ticked.
func (c *console) deleteUserType(k *call) error {
	g, i, err := c.userType(k)
	if err != nil {
		return err
	}
	t := g.UserTypes[i]
	ref := store.UserTypeRef{Gateway: g.ID, UserType: t.ID}
	err = c.Management.RemoveUserType(k.Context(), k.by(), ref, k.posted("force") == "yes", nil)
	if errors.Is(err, store.ErrDependents) {
		return c.askDeleteUserType(k, http.StatusConflict, true)
	}
	if err != nil {
		return err
	}
	return k.done(under("gateways", g.ID), "The user type "+t.Name+" was deleted.")
}
