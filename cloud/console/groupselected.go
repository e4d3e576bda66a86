package console

import (
	"cmp"
	"errors"
	"slices"
	"strings"

	"ldap-gateway/cloud/management"
	"ldap-gateway/cloud/store"
)

// groupsOf is the address of the list of groups as somebody had it: see listAt.
func groupsOf(filter string) string {
	return listAt("/console/groups", filter, "q", "type", "source", "sort", "order")
}

// selectedGroups are the groups of a form, as many as a page shows; those that are gone, or of another environment,
// are left out.
func (c *console) selectedGroups(k *call, ids []string) (all []store.Group, err error) {
	ids = slices.Compact(slices.Sorted(slices.Values(ids)))
	for _, id := range ids[:min(len(ids), mostSelected)] {
		g, err := c.Store.Group(k.Context(), k.env(), id)
		switch {
		case errors.Is(err, store.ErrNotFound):
		case err != nil:
			return nil, err
		default:
			all = append(all, g)
		}
	}
	slices.SortFunc(all, func(a, b store.Group) int {
		return cmp.Compare(store.Fold(a.DisplayName), store.Fold(b.DisplayName))
	})
	return all, nil
}

// groupsGo says what comes of it.
const groupsGo = "Their members stay users, and lose what these groups give them. A just-in-time group comes back " +
	"with the next sign-on of somebody who is in it in the directory, without a role."

// groupGoing is a group of a question: with what keeps it, by name, if anything does.
type groupGoing struct {
	store.Group
	Named []string
}

// askSelectedGroups asks before the groups are deleted that were chosen in the list, and says how many are in each,
// and which stay since something names them.
func (c *console) askSelectedGroups(k *call) error {
	query := k.URL.Query()
	if query.Get("all") != "" {
		return c.askAllGroups(k)
	}
	back := groupsOf(query.Get("list"))
	groups, err := c.selectedGroups(k, query["group"])
	if err != nil {
		return err
	}
	if len(groups) == 0 {
		return k.undone(back, "Choose groups in the list first.")
	}
	q := question{
		Title:  "Delete " + plural(len(groups), "group"),
		Button: "Delete",
		Back:   back,
		Text:   []string{groupsGo},
		Fields: []property{{"list", query.Get("list")}},
	}
	for _, g := range groups {
		named, err := management.NamedBy(k.Context(), c.Store, k.env(), g.ID)
		if err != nil {
			return err
		}
		going := groupGoing{Group: g}
		for _, n := range named {
			going.Named = append(going.Named, n.Name)
		}
		if len(named) == 0 {
			q.Members += g.MemberCount
		}
		q.Groups = append(q.Groups, going)
		q.Fields = append(q.Fields, property{"group", g.ID})
	}
	return k.question(q)
}

// deleteSelectedGroups deletes one after the other: those that may not be deleted stay, and are told with why.
func (c *console) deleteSelectedGroups(k *call) error {
	if k.posted("all") != "" {
		return c.deleteAllGroups(k)
	}
	back := groupsOf(k.posted("list"))
	groups, err := c.selectedGroups(k, k.PostForm["group"])
	if err != nil {
		return err
	}
	if len(groups) == 0 {
		return k.undone(back, "Choose groups in the list first.")
	}
	n, named, why := 0, []string(nil), ""
	for _, g := range groups {
		var higher *management.HigherError
		switch err := c.Management.DeleteGroup(k.Context(), k.by(), g.ID, nil); {
		case errors.As(err, &higher):
			why = " Of the others, " + higher.Error() + "."
		case errors.Is(err, store.ErrDependents):
			named = append(named, g.DisplayName)
		case errors.Is(err, store.ErrNotFound):
		case err != nil:
			return err
		default:
			n++
		}
	}
	if len(named) > 0 {
		why += " Something names " + strings.Join(named, ", ") + ": change that first."
	}
	return k.done(back, plural(n, "group")+were(n)+"deleted."+why)
}
