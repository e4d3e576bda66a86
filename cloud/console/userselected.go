package console

import (
	"cmp"
	"errors"
	"net/url"
	"slices"

	"ldap-gateway/cloud/management"
	"ldap-gateway/cloud/store"
)

// deed is what can be done with several users at once.
type deed struct {
	action              management.Action
	title, button, text string // of the question; %s in the title is how many
	done                string // as in "3 users were disabled."
	do                  func(c *console, k *call, id string) error
}

// enabling enables or disables a user.
func enabling(enabled bool) func(c *console, k *call, id string) error {
	return func(c *console, k *call, id string) error {
		_, err := c.Management.ChangeUser(k.Context(), k.by(), id, func(u *store.User) error {
			u.Enabled = enabled
			return nil
		})
		return err
	}
}

// deeds are those that there are, by the words of the form.
func deeds() map[string]deed {
	return map[string]deed{
		"disable": {
			action: management.ChangeUser,
			title:  "Disable ",
			button: "Disable",
			text:   "They cannot sign on until they are enabled again, and what they have open ends. Records and groups stay.",
			done:   "disabled",
			do:     enabling(false),
		},
		"enable": {
			action: management.ChangeUser,
			title:  "Enable ",
			button: "Enable",
			text:   "They can sign on again.",
			done:   "enabled",
			do:     enabling(true),
		},
		"off": {
			action: management.SignOffUser,
			title:  "Sign off everywhere: ",
			button: "Sign off everywhere",
			text:   "Their sessions here end, and what applications hold for them. They may sign on again.",
			done:   "signed off everywhere",
			do: func(c *console, k *call, id string) error {
				_, err := c.Management.SignOffUser(k.Context(), k.by(), id)
				return err
			},
		},
		"delete": {
			action: management.DeleteUser,
			title:  "Delete ",
			button: "Delete",
			text: "Their records go, with the memberships; what happened stays in the activity. " +
				"Who signs on through a gateway afterwards is a new user.",
			done: "deleted",
			do: func(c *console, k *call, id string) error {
				return c.Management.DeleteUser(k.Context(), k.by(), id, nil)
			},
		},
	}
}

// mostSelected is how many users a form may have: as many as a page shows.
const mostSelected = rows

// selected returns what is to be done with whom; without either, what to say to that.
func selected(action string, ids []string) (deed, []string, error) {
	d, known := deeds()[action]
	ids = slices.Compact(slices.Sorted(slices.Values(ids)))
	if !known || len(ids) == 0 {
		return d, nil, errNobodySelected
	}
	return d, ids[:min(len(ids), mostSelected)], nil
}

// errNobodySelected leads back to the list, with a sentence.
var errNobodySelected = errors.New("nobody was chosen")

// usersOf is the address of the list of users as somebody had it.
func usersOf(filter string) string {
	return listAt("/console/users", filter, "q", "population", "source", "state", "last", "sort", "order")
}

// listAt is the address of a list as somebody had it before them, by what a form has of its filter: nothing but the
// fields of the list counts.
func listAt(path, filter string, names ...string) string {
	had, _ := url.ParseQuery(filter) // what cannot be read is left out
	q := url.Values{}
	for _, name := range names {
		if value := had.Get(name); value != "" {
			q.Set(name, value)
		}
	}
	if len(q) == 0 {
		return path
	}
	return path + "?" + q.Encode()
}

// askSelected asks before something is done with the users that were chosen in the list.
func (c *console) askSelected(k *call) error {
	query := k.URL.Query()
	if query.Get("all") != "" {
		return c.askAllUsers(k)
	}
	d, ids, err := selected(query.Get("action"), query["user"])
	back := usersOf(query.Get("list"))
	if err != nil {
		return k.undone(back, "Choose users in the list first.")
	}
	if !management.May(k.admin.Role, d.action) {
		return errRole
	}
	q := question{
		Button: d.button,
		Back:   back,
		Text:   []string{d.text},
		Fields: []property{{"action", query.Get("action")}, {"list", query.Get("list")}},
		Who:    "are chosen",
	}
	for _, id := range ids {
		u, err := c.Store.User(k.Context(), k.env(), id)
		if errors.Is(err, store.ErrNotFound) {
			continue // gone meanwhile, or of another environment
		}
		if err != nil {
			return err
		}
		q.Users = append(q.Users, u)
		q.Fields = append(q.Fields, property{"user", u.ID})
	}
	slices.SortFunc(q.Users, func(a, b store.User) int {
		return cmp.Compare(store.Fold(a.Username), store.Fold(b.Username))
	})
	q.Count = len(q.Users)
	q.Title = d.title + plural(q.Count, "user")
	return k.question(q)
}

// doSelected does it with one after the other: of whom it cannot be done the others do not suffer.
func (c *console) doSelected(k *call) error {
	if k.posted("all") != "" {
		return c.doAllUsers(k)
	}
	d, ids, err := selected(k.posted("action"), k.PostForm["user"])
	back := usersOf(k.posted("list"))
	if err != nil {
		return k.undone(back, "Choose users in the list first.")
	}
	n, why := 0, ""
	for _, id := range ids {
		var higher *management.HigherError
		switch err := d.do(c, k, id); {
		case errors.As(err, &higher):
			why = " Of the others, " + higher.Error() + "."
		case errors.Is(err, store.ErrNotFound):
		case err != nil:
			return err
		default:
			n++
		}
	}
	return k.done(back, plural(n, "user")+were(n)+d.done+"."+why)
}

// were is the word between a number and what was done.
func were(n int) string {
	if n == 1 {
		return " was "
	}
	return " were "
}
