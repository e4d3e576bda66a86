package console

import (
	"errors"
	"net/http"

	"ldap-gateway/cloud/management"
	"ldap-gateway/cloud/store"
)

// groupForm is a group as it is edited: as typed, whatever it is.
type groupForm struct {
	ID                                          string // empty: a new one
	Name, Display, Description, External, Place string
	JustInTime                                  bool   // its names are decided elsewhere
	Seen                                        string // when the group was changed, when the form was shown
	Populations                                 []store.Population
	Errors                                      map[string]string
}

func (c *console) newGroup(k *call) error { return c.renderGroupForm(k, http.StatusOK, groupForm{}) }

// editGroup shows the form of a group. The names of one that sign-ons made are shown
// but cannot be typed: the directory decides them.
func (c *console) editGroup(k *call) error {
	g, err := c.Store.Group(k.Context(), k.env(), k.PathValue("group"))
	if err != nil {
		return err
	}
	return c.renderGroupForm(k, http.StatusOK, groupForm{
		ID:          g.ID,
		Name:        g.Name,
		Display:     g.DisplayName,
		Description: g.Description,
		External:    g.ExternalID,
		Place:       g.PopulationID,
		JustInTime:  g.JustInTime(),
		Seen:        seenAs(g.UpdatedAt),
	})
}

func (c *console) renderGroupForm(k *call, status int, form groupForm) (err error) {
	if form.Populations, err = c.populations(k); err != nil {
		return err
	}
	title := "New group"
	if form.ID != "" {
		title = "Change a group"
	}
	return k.render(status, "group-form", title, form)
}

// readGroupForm returns what was typed. Whether names may be typed at all the form does
// not say: that is read of the group itself when it is changed.
func readGroupForm(k *call) groupForm {
	return groupForm{
		ID:          k.PathValue("group"),
		Name:        k.posted("name"),
		Display:     k.posted("displayName"),
		Description: k.posted("description"),
		External:    k.posted("external"),
		Place:       k.posted("population"),
		Seen:        k.posted("seen"),
	}
}

// into makes a group what the form says. Names that are decided elsewhere are not
// in the form.
func (f groupForm) into(g *store.Group) {
	if !f.JustInTime {
		g.Name, g.DisplayName = f.Name, f.Display
	}
	g.Description, g.ExternalID, g.PopulationID = f.Description, f.External, f.Place
}

// createGroup makes an ordinary group: those of a directory come by sign-ons.
func (c *console) createGroup(k *call) error {
	form, g := readGroupForm(k), store.Group{}
	form.into(&g)
	err := c.Management.CreateGroup(k.Context(), k.by(), &g)
	return c.savedGroup(k, form, g, err, g.DisplayName+" was made. Add the first members below.")
}

// changeGroup changes the group as it is kept at that moment, and shows the names that
// it has then should the form come again.
func (c *console) changeGroup(k *call) error {
	form := readGroupForm(k)
	g, err := c.Management.ChangeGroup(k.Context(), k.by(), form.ID, func(g *store.Group) error {
		if form.JustInTime = g.JustInTime(); form.JustInTime {
			form.Name, form.Display = g.Name, g.DisplayName
		}
		if err := unseen(&form.Seen, g.UpdatedAt, "group"); err != nil {
			return err
		}
		form.into(g)
		return nil
	})
	return c.savedGroup(k, form, g, err, "Saved.")
}

// savedGroup goes on after a group was saved, or shows the form again.
func (c *console) savedGroup(k *call, form groupForm, g store.Group, err error, notice string) error {
	if wrong, ok := faults(err); ok {
		form.Errors = wrong
		return c.renderGroupForm(k, http.StatusUnprocessableEntity, form)
	}
	if err != nil {
		return err
	}
	return k.done(under("groups", g.ID), notice)
}

// confirmDeleteGroup asks first, and says of a group that sign-ons made that the next
// may bring it back.
func (c *console) confirmDeleteGroup(k *call) error { return c.askDeleteGroup(k, http.StatusOK) }

// askDeleteGroup says what names a group in place of asking, when something does.
func (c *console) askDeleteGroup(k *call, status int) error {
	g, err := c.Store.Group(k.Context(), k.env(), k.PathValue("group"))
	if err != nil {
		return err
	}
	d := deletion{Kind: "group", Name: g.DisplayName, Back: under("groups", g.ID), JustInTime: g.JustInTime()}
	if d.Named, err = management.NamedBy(k.Context(), c.Store, k.env(), g.ID); err != nil {
		return err
	}
	if len(d.Named) > 0 {
		d.Never = "Other things name it. Change those first: afterwards a group of the same name would be another one."
	}
	return k.render(status, "delete", "Delete "+g.DisplayName, d)
}

// deleteGroup takes the name for its sentence from what was deleted, not from what the
// page showed.
func (c *console) deleteGroup(k *call) error {
	name := ""
	err := c.Management.DeleteGroup(k.Context(), k.by(), k.PathValue("group"), func(g store.Group) error {
		name = g.DisplayName
		return nil
	})
	if errors.Is(err, store.ErrDependents) {
		return c.askDeleteGroup(k, http.StatusConflict)
	}
	if err != nil {
		return err
	}
	return k.done("/console/groups", "The group "+name+" was deleted.")
}

// addToGroup puts the user of a name into the group in the path.
// People know usernames and not IDs. That one may not be put into this group is said
// beside the name as well, the only field that there is.
func (c *console) addToGroup(k *call) error {
	name, group := k.posted("username"), k.PathValue("group")
	u, err := c.Store.UserByUsername(k.Context(), k.env(), name)
	if errors.Is(err, store.ErrNotFound) {
		wrong := map[string]string{"username": "This environment has no user of that name."}
		return c.renderGroup(k, http.StatusUnprocessableEntity, name, wrong)
	}
	if err != nil {
		return err
	}
	err = c.Management.AddMember(k.Context(), k.by(), u.ID, group)
	if wrong, ok := faults(err); ok {
		return c.renderGroup(k, http.StatusUnprocessableEntity, name, map[string]string{"username": wrong["group"]})
	}
	if err != nil {
		return err
	}
	return k.done(under("groups", group), u.Username+" was added.")
}
