package console

import (
	"cmp"
	"errors"
	"net/http"
	"slices"
	"time"

	"ldap-gateway/cloud/store"
	"ldap-gateway/cloudlink/wire"
)

// userPage is one user.
type userPage struct {
	store.User
	Population string
	Gateway    *store.Gateway // nil: none checks this user's password
	UserType   *store.UserType
	Attributes []property
	Groups     []userGroup
	Pager      pager // of groups
	SignOns    []shownSignOn
	Targets    []target // user types to link to
	Accounts   []linkedAccount
	Providers  []property // ID and name of those to link to

	GroupsProven time.Time  // when the directory last told all of them
	Role         store.Role // that the groups give in this console; empty: none
	Factor       bool       // they have a second one

	Provider, Subject string // of the account to link, as typed
	Errors            map[string]string
}

// property is a name with its value.
type property struct{ Name, Value string }

// shownSignOn is one of a user's sign-ons.
type shownSignOn struct{ store.SignOn }

// Words says how it ended.
func (s shownSignOn) Words() string { return outcomeWords(s.Outcome) }

// Because says why; empty when that is no more than how.
func (s shownSignOn) Because() string {
	return wire.MoreThan(s.Outcome, s.Reason)
}

// userGroup is one of a user's groups.
type userGroup struct {
	store.GroupMembership
	Source string // name of the gateway or the identity provider
}

// DoubtWords says why it cannot be told whether the user is in the group still; empty
// when the last sign-on showed it.
func (g userGroup) DoubtWords() string {
	if g.Doubt == "" {
		return ""
	}
	return wire.LookReasonOf(g.Doubt).Words()
}

// signOnsShown is how many of a user's sign-ons the page has.
const signOnsShown = 10

// showUser shows one user with where they came from, groups, and the last sign-ons.
func (c *console) showUser(k *call) error { return c.renderUser(k, http.StatusOK, userPage{}) }

// renderUser fills in the page of the user in the path.
func (c *console) renderUser(k *call, status int, page userPage) error {
	u, err := c.Store.User(k.Context(), k.env(), k.PathValue("u"))
	if err != nil {
		return err
	}
	page.User, page.Attributes = u, properties(u.Attributes)
	if err := c.origin(k, &page); err != nil {
		return err
	}
	sources, err := c.sources(k)
	if err != nil {
		return err
	}
	if page.Groups, page.Pager, err = c.groupsOf(k, u.ID, sources); err != nil {
		return err
	}
	if page.Accounts, err = c.accountsOf(k, u.ID, sources); err != nil {
		return err
	}
	if page.Providers, err = c.providersToLink(k); err != nil {
		return err
	}
	if page.Targets, err = c.targets(k, store.UserTypeRef{Gateway: u.GatewayID, UserType: u.UserTypeID}); err != nil {
		return err
	}
	if page.Role, err = c.Store.UserRole(k.Context(), k.env(), u.ID); err != nil {
		return err
	}
	have, err := c.Store.PersonFactors(k.Context(), k.env(), u.ID)
	if err != nil {
		return err
	}
	page.Factor = have.Any()
	if page.GroupsProven, err = c.Store.GroupsProven(k.Context(), k.env(), u.ID, u.GatewayID); err != nil {
		return err
	}
	signOns, _, err := c.Store.SignOns(
		k.Context(),
		k.env(),
		store.SignOnFilter{UserID: u.ID},
		store.Page{Limit: signOnsShown},
	)
	if err != nil {
		return err
	}
	for _, so := range signOns {
		page.SignOns = append(page.SignOns, shownSignOn{so})
	}
	return k.render(status, "user", u.Username, page)
}

// properties returns a map in the order of its names.
func properties(m map[string]string) (all []property) {
	for name, value := range m {
		all = append(all, property{name, value})
	}
	slices.SortFunc(all, func(a, b property) int { return cmp.Compare(a.Name, b.Name) })
	return all
}

// origin finds the names of where a user came from.
// What is gone leaves its name empty: a user outlives the gateway that they came
// through.
func (c *console) origin(k *call, page *userPage) error {
	population, err := c.Store.Population(k.Context(), k.env(), page.PopulationID)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	page.Population = population.Name
	if page.GatewayID == "" {
		return nil
	}
	g, err := c.Store.Gateway(k.Context(), k.env(), page.GatewayID)
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	page.Gateway = &g
	if i := slices.IndexFunc(g.UserTypes, func(t store.UserType) bool { return t.ID == page.UserTypeID }); i >= 0 {
		page.UserType = &g.UserTypes[i]
	}
	return err
}

// groupsAtOnce is up to how many groups of a user are on one page, in the order of their names.
const groupsAtOnce = 200

// groupsOf returns a user's groups with what they come from: all of them, or, of very many, a part.
func (c *console) groupsOf(k *call, user string, sources map[string]string) ([]userGroup, pager, error) {
	part := k.part()
	whole := part.Cursor+part.Before == ""
	if whole {
		part.Limit = groupsAtOnce
	}
	all, next, err := c.Store.UserGroupsPage(k.Context(), k.env(), user, part)
	switch {
	case err == nil && whole && next == "":
		slices.SortFunc(all, func(a, b store.GroupMembership) int {
			return cmp.Or(cmp.Compare(store.Fold(a.Group.DisplayName), store.Fold(b.Group.DisplayName)),
				cmp.Compare(a.Group.ID, b.Group.ID))
		})
	case err == nil && whole:
		all, next, err = c.Store.UserGroupsPage(k.Context(), k.env(), user, k.part())
	}
	groups := make([]userGroup, len(all))
	for i, m := range all {
		groups[i] = userGroup{m, sources[m.Group.SourceID]}
	}
	return groups, k.pagerOf(next), err
}

// sources returns the names of the gateways and identity providers by ID.
// There are store.MaxLimit of each at most; what is beyond has no name on the page.
func (c *console) sources(k *call) (map[string]string, error) {
	all, _, err := c.Store.Gateways(k.Context(), k.env(), store.Page{Limit: store.MaxLimit})
	if err != nil {
		return nil, err
	}
	names := map[string]string{}
	for _, g := range all {
		names[g.ID] = g.Name
	}
	others, _, err := c.Store.IdentityProviders(k.Context(), k.env(), store.Page{Limit: store.MaxLimit})
	for _, p := range others {
		names[p.ID] = p.Name
	}
	return names, err
}

// accountsOf returns a user's accounts at identity providers, and when their groups
// were last proven.
func (c *console) accountsOf(k *call, user string, sources map[string]string) (all []linkedAccount, err error) {
	links, err := c.Store.LinkedAccounts(k.Context(), k.env(), user)
	if err != nil {
		return nil, err
	}
	for _, l := range links {
		proven, err := c.Store.GroupsProven(k.Context(), k.env(), user, l.ProviderID)
		if err != nil {
			return nil, err
		}
		all = append(all, linkedAccount{l, sources[l.ProviderID], proven})
	}
	return all, nil
}

// removal asks before a user is taken out of a group.
type removal struct {
	User     store.User
	Group    store.Group
	Updating bool // the next sign-on puts the user back, if the directory says so
}

// membership returns the user and the group in the path; store.ErrNotFound when
// the one is not in the other.
func (c *console) membership(k *call) (r removal, err error) {
	if r.User, err = c.Store.User(k.Context(), k.env(), k.PathValue("u")); err != nil {
		return r, err
	}
	m, err := c.Store.UserGroup(k.Context(), k.env(), r.User.ID, k.PathValue("group"))
	if err != nil {
		return r, err
	}
	r.Group = m.Group
	page := userPage{User: r.User}
	err = c.origin(k, &page)
	r.Updating = page.UserType != nil && page.UserType.UpdateOnSignOn
	return r, err
}

func (c *console) confirmRemoveMember(k *call) error {
	r, err := c.membership(k)
	if err != nil {
		return err
	}
	return k.render(http.StatusOK, "remove", "Remove from a group", r)
}

// removeMember takes the user out of the group, which a directory that says otherwise
// undoes at the next sign-on: the page that asks says so.
func (c *console) removeMember(k *call) error {
	r, err := c.membership(k)
	if err != nil {
		return err
	}
	if err := c.Management.RemoveMember(k.Context(), k.by(), r.User.ID, r.Group.ID, nil); err != nil {
		return err
	}
	return k.done(under("users", r.User.ID), r.User.Username+" was taken out of "+r.Group.DisplayName+".")
}
