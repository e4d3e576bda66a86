package console

import (
	"cmp"
	"net/http"
	"slices"

	"ldap-gateway/cloud/store"
)

// groupRow is a group with the name of where it came from.
type groupRow struct {
	store.Group
	Source string
}

// Where tells whether a group came through a gateway or an identity provider,
// as the badge says it.
func (g groupRow) Where() string {
	if g.SourceType == store.SourceIDP {
		return "External IdP"
	}
	return "LDAP Gateway"
}

type groupList struct {
	Search, Type, Source string
	Gateways             []property // name and ID of the sources to choose from
	Groups               []groupRow
	Pager                pager
}

// filter returns what the form of the list asks for.
func (l groupList) filter() store.GroupFilter {
	f := store.GroupFilter{DisplayName: l.Search, SourceID: l.Source}
	yes, no := true, false
	switch l.Type {
	case "jit":
		f.JustInTime = &yes
	case "ordinary":
		f.JustInTime = &no
	case store.SourceGateway, store.SourceIDP:
		f.SourceType = l.Type
	}
	return f
}

func (c *console) listGroups(k *call) error {
	list := groupList{Search: k.query("q"), Type: k.query("type"), Source: k.query("source")}
	sources, err := c.sources(k)
	if err != nil {
		return err
	}
	list.Gateways = properties(sources)
	slices.SortFunc(list.Gateways, func(a, b property) int { return cmp.Compare(a.Value, b.Value) })
	all, next, err := c.Store.Groups(k.Context(), k.env(), list.filter(), k.part())
	if err != nil {
		return err
	}
	for _, g := range all {
		list.Groups = append(list.Groups, groupRow{g, sources[g.SourceID]})
	}
	list.Pager = k.pagerOf(next)
	return k.render(http.StatusOK, "groups", "Groups", list)
}

type groupPage struct {
	groupRow
	Population string
	Members    []store.Member
	Pager      pager
	Role       store.Role        // that members have in this console; empty: none
	Add        string            // username, as typed
	Errors     map[string]string // of the form that adds somebody
}

func (c *console) showGroup(k *call) error { return c.renderGroup(k, http.StatusOK, "", nil) }

// renderGroup shows the group in the path, with what was typed to add somebody and
// what is wrong with that.
func (c *console) renderGroup(k *call, status int, add string, wrong map[string]string) error {
	g, err := c.Store.Group(k.Context(), k.env(), k.PathValue("group"))
	if err != nil {
		return err
	}
	sources, err := c.sources(k)
	if err != nil {
		return err
	}
	page := groupPage{groupRow: groupRow{g, sources[g.SourceID]}, Add: add, Errors: wrong}
	if g.PopulationID != "" {
		p, err := c.Store.Population(k.Context(), k.env(), g.PopulationID)
		if err != nil {
			return err
		}
		page.Population = p.Name
	}
	if page.Role, err = c.Store.GroupRole(k.Context(), k.env(), g.ID); err != nil {
		return err
	}
	members, next, err := c.Store.GroupMembers(k.Context(), k.env(), g.ID, k.part())
	if err != nil {
		return err
	}
	page.Members, page.Pager = members, k.pagerOf(next)
	return k.render(status, "group", g.DisplayName, page)
}
