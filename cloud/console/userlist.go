package console

import (
	"html/template"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"ldap-gateway/cloud/store"
)

// userList is one part of the list, with the filter that it was asked for.
type userList struct {
	Search, Population, Source, State, Last string
	Sorted                                  sorted
	Populations                             []store.Population
	Sources                                 []property // to choose from
	States, Lasts                           []property
	Count                                   string // how many there are, in words; empty: they were not counted
	Users                                   []store.User
	Pager                                   pager
	Query                                   template.URL // of the address, for the same as a file
}

// PopulationChoices are the populations to choose from.
func (l userList) PopulationChoices() (all []property) {
	for _, p := range l.Populations {
		all = append(all, property{p.ID, p.Name})
	}
	return all
}

// Filtered tells whether anything is left out.
func (l userList) Filtered() bool { return l.Search+l.Population+l.Source+l.State+l.Last != "" }

// The words of the address for when somebody signed on last: a number of days, of which the first are
// since when they have, and the others since when they have not.
const never, silent = "never", "not-"

// choices are what the list can be narrowed by, and how it reads.
func (l *userList) choices() {
	l.States = []property{
		{string(store.UserEnabled), "Can sign on"},
		{string(store.UserDisabled), "Disabled"},
		{string(store.UserLocked), "Locked"},
	}
	l.Lasts = []property{
		{"1", "In the last 24 hours"},
		{"7", "In the last 7 days"},
		{"30", "In the last 30 days"},
		{silent + "30", "Not for 30 days"},
		{silent + "90", "Not for 90 days"},
		{silent + "365", "Not for a year"},
		{never, "Never"},
	}
}

// userColumns are those of the list. Who signed on last comes first: see store.ByLastSignOn.
func userColumns() []column {
	return []column{
		{word: "Username"},
		{word: "Name", sort: string(store.ByName)},
		{word: "Email", sort: string(store.ByEmail)},
		{word: "Last sign-on", sort: string(store.ByLastSignOn), last: true, oneWay: true},
	}
}

// readUserList reads the filter and the order of a request.
func readUserList(k *call) userList {
	q := k.URL.Query()
	l := userListOf(q)
	l.Sorted = k.sortedBy(userColumns())
	l.choices()
	q.Del("cursor")
	q.Del("before")
	l.Query = template.URL(q.Encode()) // #nosec G203 -- encoded
	return l
}

// userListOf reads the filter of an address.
func userListOf(q url.Values) userList {
	word := func(name string) string { return strings.TrimSpace(q.Get(name)) }
	return userList{
		Search:     word("q"),
		Population: word("population"),
		Source:     word("source"),
		State:      word("state"),
		Last:       word("last"),
	}
}

// Sources are gateways and identity providers; which one is, the word before the ID says.
const ofGateways, ofProviders = "gateway:", "provider:"

// filter is what the store is asked for. With a word that is none of the list's nobody is found, and not everybody:
// whoever is found may be deleted.
func (l userList) filter(now time.Time) store.UserFilter {
	f := store.UserFilter{
		Search:       l.Search,
		PopulationID: l.Population,
		State:        store.UserState(l.State),
		Never:        l.Last == never,
		Order:        store.UserOrder(l.Sorted.sort),
		Descending:   l.Sorted.descending,
	}
	kind, id, _ := strings.Cut(l.Source, ":")
	switch kind + ":" {
	case ofGateways:
		f.GatewayID = id
	case ofProviders:
		f.ProviderID = id
	}
	f.Nobody = l.Source != "" && f.GatewayID+f.ProviderID == "" || !l.lastSignOn(&f, now)
	return f
}

// lastSignOn has a filter look at when somebody signed on last; false: the word for it is none of the list's.
func (l userList) lastSignOn(f *store.UserFilter, now time.Time) bool {
	if l.Last == "" || l.Last == never {
		return true
	}
	text, not := strings.CutPrefix(l.Last, silent)
	days, err := strconv.Atoi(text)
	since := now.AddDate(0, 0, -days)
	if not {
		f.Silent = since
	} else {
		f.Since = since
	}
	return err == nil && days > 0 && days < 10_000
}

// listUsers shows the users that the filter in the address lets through, so that it can be kept
// as a bookmark.
func (c *console) listUsers(k *call) (err error) {
	list := readUserList(k)
	filter := list.filter(c.now())
	if list.Populations, err = c.populations(k); err != nil {
		return err
	}
	if list.Sources, err = c.userSources(k); err != nil {
		return err
	}
	var next string
	if list.Users, next, err = c.Store.Users(k.Context(), k.env(), filter, k.part()); err != nil {
		return err
	}
	list.Pager = k.pagerOf(next)
	n, more, err := c.Store.CountUsers(k.Context(), k.env(), filter)
	if err != nil {
		return err
	}
	list.Count = counted(n, more, "user")
	return k.render(http.StatusOK, "users", "Users", list)
}

// counted says how many there are; nothing, when they were not counted.
func counted(n int, more bool, word string) string {
	switch {
	case more && n == 0:
		return ""
	case more:
		return "More than " + grouped(n) + " " + word + "s"
	case n == 1:
		return "1 " + word
	}
	return grouped(n) + " " + word + "s"
}

// grouped writes a number with its thousands apart.
func grouped(n int) string {
	text := strconv.Itoa(n)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}

// userSources returns where users may come from, by the words of the filter.
func (c *console) userSources(k *call) (all []property, err error) {
	gateways, _, err := c.Store.Gateways(k.Context(), k.env(), store.Page{Limit: store.MaxLimit})
	if err != nil {
		return nil, err
	}
	for _, g := range gateways {
		all = append(all, property{ofGateways + g.ID, g.Name})
	}
	providers, _, err := c.Store.IdentityProviders(k.Context(), k.env(), store.Page{Limit: store.MaxLimit})
	for _, p := range providers {
		all = append(all, property{ofProviders + p.ID, p.Name})
	}
	return all, err
}

// exportUsers sends all users that the filter lets through as CSV.
func (c *console) exportUsers(k *call) error {
	filter := readUserList(k).filter(c.now())
	sources, err := c.sources(k)
	if err != nil {
		return err
	}
	populations, err := c.populations(k)
	if err != nil {
		return err
	}
	names := map[string]string{}
	for _, p := range populations {
		names[p.ID] = p.Name
	}
	return c.sendTable(k, table{
		name: "users",
		head: []string{"id", "username", "givenName", "familyName", "email", "population", "source",
			"state", "lastSignOn", "created"},
		part: func(p store.Page) (rows [][]string, next string, err error) {
			users, next, err := c.Store.Users(k.Context(), k.env(), filter, p)
			for _, u := range users {
				last := ""
				if !u.LastSignOnAt.IsZero() {
					last = iso(u.LastSignOnAt)
				}
				source := sources[u.GatewayID]
				if u.GatewayID == "" {
					source = sources[u.ProviderID]
				}
				rows = append(rows, []string{
					u.ID, u.Username, u.GivenName, u.FamilyName, u.Email, names[u.PopulationID], source,
					stateOf(u), last, iso(u.CreatedAt),
				})
			}
			return rows, next, err
		},
	})
}

// stateOf is whether somebody may sign on, in the words of the filter.
func stateOf(u store.User) string {
	switch {
	case !u.Enabled:
		return string(store.UserDisabled)
	case u.Locked:
		return string(store.UserLocked)
	}
	return string(store.UserEnabled)
}
