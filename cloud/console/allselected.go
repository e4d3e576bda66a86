package console

import (
	"net/url"

	"ldap-gateway/cloud/management"
	"ldap-gateway/cloud/store"
)

// What is done with all that a filter finds, and not with those of one page, is done in short turns: see
// management.Selection. The form says which list it is of, as the addresses of lists do.

// filterOf is the filter of a list, by its address: nothing else of that counts.
func filterOf(list string) (words string, q url.Values) {
	at, err := url.Parse(list)
	if err != nil {
		return "", nil
	}
	q = at.Query()
	q.Del("sort")
	q.Del("order")
	return q.Encode(), q
}

// allUsers is what the form asks for, with the address that it leads back to.
func (c *console) allUsers(action, list string) (s management.Selection, d deed, back string, known bool) {
	d, known = deeds()[action]
	back = usersOf(list)
	words, q := filterOf(back)
	s = management.Selection{Deed: management.Deed(action), Users: userListOf(q).filter(c.now()), Words: words}
	s.Users.Nobody = s.Users.Nobody || !readable(list)
	return s, d, back, known
}

// readable tells whether nothing of a filter is lost: without it, it would find all.
func readable(list string) bool {
	_, err := url.ParseQuery(list)
	return err == nil
}

// askAllUsers asks before something is done with all users that a filter finds, and says how many that are.
func (c *console) askAllUsers(k *call) error {
	query := k.URL.Query()
	action, list := query.Get("action"), query.Get("list")
	s, d, back, known := c.allUsers(action, list)
	if !known {
		return k.undone(back, "Choose what to do with them first.")
	}
	if !management.May(k.admin.Role, d.action) {
		return errRole
	}
	n, more, err := c.Store.CountUsers(k.Context(), k.env(), s.Users)
	if err != nil {
		return err
	}
	some, next, err := c.Store.Users(k.Context(), k.env(), s.Users, store.Page{Limit: shown})
	if err != nil {
		return err
	}
	if len(some) == 0 {
		return k.undone(back, "Nobody is like that.")
	}
	if next == "" { // what is not counted may be few
		n, more = len(some), false
	}
	return k.question(question{
		Title:  d.title + "all users" + filtered(s.Words),
		Button: d.button,
		Back:   back,
		Text:   []string{d.text, inTurns + usersLeft},
		Fields: []property{{"action", action}, {"list", list}, {"all", "yes"}},
		Who:    "are found",
		Count:  max(n, len(some)),
		More:   more,
		Users:  some,
	})
}

// shown is how many of all are named in a question.
const shown = 10

// What is the same for all that is done with very many.
const (
	inTurns    = "It goes on by itself, with all that are there now, and the activity tells when it has ended. "
	usersLeft  = "Users who have more rights than you are left as they are."
	groupsLeft = "Groups that give more rights than you have, or that something names, are left as they are."
)

// filtered says that a filter leaves some out.
func filtered(words string) string {
	if words == "" {
		return ""
	}
	return " that the filter finds"
}

// doAllUsers does it.
func (c *console) doAllUsers(k *call) error {
	s, d, back, known := c.allUsers(k.posted("action"), k.posted("list"))
	if !known {
		return k.undone(back, "Choose what to do with them first.")
	}
	if err := c.Management.Select(k.Context(), k.by(), s); err != nil {
		return err
	}
	return k.done(back, "All users"+filtered(s.Words)+" are "+d.done+", or will be: the activity tells when it has ended.")
}

// allGroups is what the form asks for.
func allGroups(list string) (s management.Selection, back string) {
	back = groupsOf(list)
	words, q := filterOf(back)
	s = management.Selection{Deed: management.DeleteGroups, Groups: groupListOf(q).filter(), Words: words}
	s.Groups.None = s.Groups.None || !readable(list)
	return s, back
}

// askAllGroups asks before all groups go that a filter finds.
func (c *console) askAllGroups(k *call) error {
	list := k.URL.Query().Get("list")
	s, back := allGroups(list)
	n, more, err := c.Store.GroupsMatching(k.Context(), k.env(), s.Groups)
	if err != nil {
		return err
	}
	some, _, err := c.Store.Groups(k.Context(), k.env(), s.Groups, store.Page{Limit: shown})
	if err != nil {
		return err
	}
	if len(some) == 0 {
		return k.undone(back, "No group is like that.")
	}
	q := question{
		Title:    "Delete all groups" + filtered(s.Words),
		Button:   "Delete",
		Back:     back,
		Text:     []string{groupsGo, inTurns + groupsLeft},
		Fields:   []property{{"list", list}, {"all", "yes"}},
		OfGroups: n,
		More:     more,
	}
	for _, g := range some {
		q.Groups = append(q.Groups, groupGoing{Group: g})
	}
	return k.question(q)
}

// deleteAllGroups has them go.
func (c *console) deleteAllGroups(k *call) error {
	s, back := allGroups(k.posted("list"))
	if err := c.Management.Select(k.Context(), k.by(), s); err != nil {
		return err
	}
	return k.done(back, "All groups"+filtered(s.Words)+" are deleted, or will be: the activity tells when it has ended.")
}
