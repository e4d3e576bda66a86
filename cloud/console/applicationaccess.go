package console

import (
	"cmp"
	"errors"
	"maps"
	"net/http"
	"slices"
	"strings"

	"ldap-gateway/cloud/management"
	"ldap-gateway/cloud/store"
)

// groupsFound is how many groups there are to choose from at once.
const groupsFound = 20

// groupChoice are groups to choose one from, found by a part of their names.
type groupChoice struct {
	Find  string     // what was searched for
	Found []property // ID, and what tells one from another
	More  bool       // there are others
	Other string     // "other " when some were chosen already
}

// groupsToChoose finds groups by the query "find". Two may have one name, so each is told with
// where it comes from. Those that were chosen are left out.
func (c *console) groupsToChoose(k *call, sources map[string]string, chosen ...string) (choice groupChoice, err error) {
	choice.Find = k.query("find")
	if len(chosen) > 0 {
		choice.Other = "other "
	}
	filter, page := store.GroupFilter{Search: choice.Find}, store.Page{Limit: groupsFound}
	found, next, err := c.Store.Groups(k.Context(), k.env(), filter, page)
	choice.More = next != ""
	for _, g := range found {
		if slices.Contains(chosen, g.ID) {
			continue
		}
		text := g.DisplayName
		if g.Name != g.DisplayName {
			text += " – " + g.Name
		}
		if from := sources[g.SourceID]; from != "" {
			text += " (" + from + ")"
		}
		choice.Found = append(choice.Found, property{g.ID, text})
	}
	return choice, err
}

// accessGroup is a group that an application is for.
type accessGroup struct {
	store.Group
	From string // its source's name; empty: the cloud's own
	Gone bool   // only its ID is known
}

// access is who may use an application.
type access struct {
	At      string // where it is changed
	Page    string // of the application
	Groups  []accessGroup
	All     bool
	Changes bool // whoever looks may change it
	Wrong   string
	groupChoice
}

// fillAccess says who may use an application that is kept.
func (c *console) fillAccess(k *call, s *access, a store.Application, sources map[string]string) (err error) {
	if a.ID == "" {
		return nil
	}
	rule := a.AccessRule()
	s.At, s.Page = under("applications", a.ID, "access"), under("applications", a.ID)
	s.All, s.Changes = rule.AccessAll, management.May(k.by().Role, management.ChangeApplication)
	for _, id := range rule.Access {
		g, err := c.Store.Group(k.Context(), k.env(), id)
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
		gone := err != nil
		g.ID = id
		s.Groups = append(s.Groups, accessGroup{g, sources[g.SourceID], gone})
	}
	s.groupChoice, err = c.groupsToChoose(k, sources, rule.Access...)
	return err
}

// askAccess asks before another group counts for an application, or one does not any more, or
// people must be in all of them: it cuts off whoever is left.
func (c *console) askAccess(k *call) error {
	id := cmp.Or(k.query("group"), k.query("drop"))
	g, err := c.Store.Group(k.Context(), k.env(), id)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	name := cmp.Or(g.DisplayName, "a group that is gone")
	return c.askApplication(k, func(a store.Application) question {
		rule := a.AccessRule()
		q := question{Title: "Have “" + a.Name + "” be for “" + name + "”", Button: "Have it be for this group"}
		switch {
		case k.query("group") != "":
			q.Fields, q.Text = []property{{"group", id}}, []string{joining(rule)}
		case k.query("drop") != "":
			q.Title, q.Button = "Have “"+a.Name+"” not be for “"+name+"” any more", "Take it away"
			q.Fields, q.Text = []property{{"drop", id}}, []string{leaving(rule)}
		case rule.AccessAll:
			q.Title, q.Button = "Have one group of “"+a.Name+"” be enough", "One is enough"
			q.Fields, q.Text = []property{{"how", "any"}}, []string{"Whoever is in any of its groups may use it then."}
		default:
			q.Title, q.Button = "Have people be in all groups of “"+a.Name+"”", "They must"
			q.Fields, q.Text = []property{{"how", "all"}}, []string{"Of whoever is not in each of its groups " + cutOff}
		}
		return q
	})
}

// cutOff is what becomes of those who may not use an application any more.
const cutOff = "what the application holds for them opens nothing from then on."

// joining says what it means that another group counts.
func joining(rule store.AccessRule) string {
	switch {
	case len(rule.Access) == 0:
		return "Only people of this group may use it then. Of everybody else " + cutOff
	case rule.AccessAll:
		return "People must be in this group as well. Of who is not, " + cutOff
	}
	return "People of this group may use it as well."
}

// leaving says what it means that a group counts no more.
func leaving(rule store.AccessRule) string {
	switch {
	case len(rule.Access) <= 1:
		return "Everybody of the environment may use it then."
	case rule.AccessAll:
		return "Whoever is in all the other groups may use it then."
	}
	return "Of people who are in none of the other groups " + cutOff
}

// changeAccess adds a group to those that an application is for, takes one away, or says
// whether people must be in all of them.
func (c *console) changeAccess(k *call) error {
	add, drop, how := k.posted("group"), k.posted("drop"), k.posted("how")
	a, err := c.Management.ChangeApplication(k.Context(), k.by(), k.PathValue("a"), func(a *store.Application) error {
		rule := &a.OpenID.AccessRule
		if a.Protocol == store.SAML {
			rule = &a.SAML.AccessRule
		}
		if add != "" && !slices.Contains(rule.Access, add) {
			rule.Access = append(slices.Clone(rule.Access), add)
		}
		rule.Access = slices.DeleteFunc(slices.Clone(rule.Access), func(id string) bool { return id == drop })
		if how != "" {
			rule.AccessAll = how == "all"
		}
		return nil
	})
	if wrong, ok := faults(err); ok {
		said := cmp.Or(wrong["access"], strings.Join(slices.Sorted(maps.Values(wrong)), " "))
		return c.renderKept(k, http.StatusUnprocessableEntity, access{Wrong: said})
	}
	if err != nil {
		return err
	}
	if len(a.AccessRule().Access) == 0 {
		return k.done(under("applications", a.ID), "Saved. Everybody may use it.")
	}
	return k.done(under("applications", a.ID), "Saved. Only people of these groups may use it.")
}
