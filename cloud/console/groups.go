package console

import (
	"cmp"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"ldap-gateway/cloud/store"
	"ldap-gateway/cloudlink/wire"
)

// groupRow is a group with the name of where it came from.
type groupRow struct {
	store.Group
	Source string
}

// Where tells whether a group came through a gateway or an identity provider,
// as the badge says it.
func (g groupRow) Where() string {
	if g.FromGateway() {
		return "LDAP Gateway"
	}
	return "External IdP"
}

// groupList is one part of the list, with the filter that it was asked for.
type groupList struct {
	Search, Type, Source string
	Sorted               sorted
	Gateways             []property // name and ID of the sources to choose from
	Kinds                []property // what there is to choose in Type, and how it reads
	Groups               []groupRow
	Count                string
	Pager                pager
	Query                template.URL // of the address, for the same as a file
}

// Filtered tells whether anything is left out.
func (l groupList) Filtered() bool { return l.Search+l.Type+l.Source != "" }

// filter returns what the form of the list asks for.
// A word that is none of its own, as in an address made by hand, leaves nothing out.
func (l groupList) filter() store.GroupFilter {
	f := store.GroupFilter{
		Search:     l.Search,
		SourceID:   l.Source,
		Order:      store.GroupOrder(l.Sorted.sort),
		Descending: l.Sorted.descending,
	}
	yes, no := true, false
	switch l.Type {
	case "jit":
		f.JustInTime = &yes
	case "ordinary":
		f.JustInTime = &no
	case string(store.SourceGateway), string(store.SourceIDP):
		f.SourceType = store.Source(l.Type)
	case "":
	default: // nothing is found, and not everything: what is found may be deleted
		f.None = true
	}
	return f
}

// kinds are the kinds of groups that the list can be narrowed to.
// Their words are in addresses that people have kept.
func kinds() []property {
	return []property{
		{"jit", "Just-in-time"},
		{string(store.SourceGateway), "Just-in-time, LDAP Gateway"},
		{string(store.SourceIDP), "Just-in-time, External IdP"},
		{"ordinary", "Ordinary"},
	}
}

// groupColumns are those of the list.
func groupColumns() []column {
	return []column{
		{word: "Group"},
		{word: "Where it comes from", sort: string(store.BySource)},
		{word: "Members", number: true},
		{word: "Last changed", sort: string(store.ByChange), last: true},
	}
}

// readGroupList reads the filter and the order of a request.
func readGroupList(k *call) groupList {
	q := k.URL.Query()
	l := groupListOf(q)
	l.Sorted, l.Kinds = k.sortedBy(groupColumns()), kinds()
	q.Del("cursor")
	q.Del("before")
	l.Query = template.URL(q.Encode()) // #nosec G203 -- encoded
	return l
}

// groupListOf reads the filter of an address.
func groupListOf(q url.Values) groupList {
	word := func(name string) string { return strings.TrimSpace(q.Get(name)) }
	return groupList{Search: word("q"), Type: word("type"), Source: word("source")}
}

// exportGroups sends all groups that the filter lets through as CSV.
func (c *console) exportGroups(k *call) error {
	filter := readGroupList(k).filter()
	sources, err := c.sources(k)
	if err != nil {
		return err
	}
	return c.sendTable(k, table{
		name: "groups",
		head: []string{"id", "name", "displayName", "sourceType", "source", "members", "created", "changed"},
		part: func(p store.Page) (rows [][]string, next string, err error) {
			groups, next, err := c.Store.Groups(k.Context(), k.env(), filter, p)
			for _, g := range groups {
				rows = append(rows, []string{
					g.ID, g.Name, g.DisplayName, string(g.SourceType), sources[g.SourceID], strconv.Itoa(g.MemberCount),
					iso(g.CreatedAt), iso(g.UpdatedAt),
				})
			}
			return rows, next, err
		},
	})
}

// listGroups shows the groups that the filter in the address lets through, so that it
// can be kept as a bookmark. Gateways to choose from are in the order of their names.
func (c *console) listGroups(k *call) error {
	list := readGroupList(k)
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
	n, more, err := c.Store.GroupsMatching(k.Context(), k.env(), list.filter())
	if err != nil {
		return err
	}
	list.Count = counted(n, more, "group")
	for _, g := range all {
		list.Groups = append(list.Groups, groupRow{g, sources[g.SourceID]})
	}
	list.Pager = k.pagerOf(next)
	return k.render(http.StatusOK, "groups", "Groups", list)
}

// groupPage is one group with one part of its members.
type groupPage struct {
	groupRow
	Population string
	Members    []store.Member
	Doubts     []doubt
	Pager      pager
	Role       store.Role        // that members have in this console; empty: none
	Add        string            // username, as typed
	Errors     map[string]string // of the form that adds somebody
}

// doubt is why it cannot be told of some users whether they are in a group still.
type doubt struct {
	Users         int
	Words, Remedy string
}

// doubts returns for each reason how many are in the group only because it could not be
// told that they are not.
func (c *console) doubts(k *call, group string) (all []doubt, err error) {
	doubted, err := c.Store.GroupDoubts(k.Context(), k.env(), group)
	for _, d := range doubted {
		r := wire.LookReasonOf(d.Doubt)
		all = append(all, doubt{d.Users, r.Words(), r.Remedy()})
	}
	return all, err
}

// releaseGroup lets those go whose membership is in doubt, once an administrator has
// decided so.
func (c *console) releaseGroup(k *call) error {
	n, err := c.Management.ReleaseGroup(k.Context(), k.by(), k.PathValue("group"))
	if err != nil {
		return err
	}
	return k.done(under("groups", k.PathValue("group")), fmt.Sprintf("%d were let go.", n))
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
	if page.Doubts, err = c.doubts(k, g.ID); err != nil {
		return err
	}
	members, next, err := c.Store.GroupMembers(k.Context(), k.env(), g.ID, k.part())
	if err != nil {
		return err
	}
	page.Members, page.Pager = members, k.pagerOf(next)
	return k.render(status, "group", g.DisplayName, page)
}
