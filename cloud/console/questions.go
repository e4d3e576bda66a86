package console

import (
	"ldap-gateway/cloud/store"
)

// askUser asks about the user in the path.
func (c *console) askUser(k *call, about func(store.User) question) error {
	u, err := c.Store.User(k.Context(), k.env(), k.PathValue("u"))
	if err != nil {
		return err
	}
	q := about(u)
	q.Back = under("users", u.ID)
	return k.question(q)
}

func (c *console) askSwitchUser(k *call) error {
	return c.askUser(k, func(u store.User) question {
		return question{
			Title:  "Disable “" + u.Username + "”",
			Button: "Disable",
			Text: []string{"They cannot sign on until they are enabled again, and what they have open ends: sessions " +
				"here, and what applications hold for them. Their record and groups stay."},
			Fields: []property{{"enabled", "no"}},
		}
	})
}

func (c *console) askSignOffUser(k *call) error {
	return c.askUser(k, func(u store.User) question {
		return question{
			Title:  "Sign “" + u.Username + "” off everywhere",
			Button: "Sign off everywhere",
			Text: []string{"Their sessions here end, and what applications hold for them. They may sign on again: to " +
				"keep them out, disable them."},
		}
	})
}

func (c *console) askResetFactor(k *call) error {
	return c.askUser(k, func(u store.User) question {
		return question{
			Title:  "Take away the second factor of “" + u.Username + "”",
			Button: "Take away",
			Text: []string{"Their passkeys, one-time passwords and recovery codes are good no more, and they are signed off " +
				"everywhere. Who knows their password sets up another at the next sign-on that asks for one: be sure that " +
				"it is they who ask you."},
		}
	})
}

func (c *console) askUnlink(k *call) error {
	links, err := c.Store.LinkedAccounts(k.Context(), k.env(), k.PathValue("u"))
	if err != nil {
		return err
	}
	sources, err := c.sources(k)
	if err != nil {
		return err
	}
	for _, l := range links {
		if l.ID == k.PathValue("id") {
			return c.askUser(k, func(u store.User) question {
				return question{
					Title:  "Unlink “" + u.Username + "” from " + sources[l.ProviderID],
					Button: "Unlink",
					Text: []string{"They are signed off everywhere, leave the groups that come through it, and cannot sign on " +
						"by it. Who has no other way cannot sign on at all."},
				}
			})
		}
	}
	return store.ErrNotFound
}

// askRelease asks before those go of whom it cannot be told whether they are in a group.
func (c *console) askRelease(k *call) error {
	g, err := c.Store.Group(k.Context(), k.env(), k.PathValue("group"))
	if err != nil {
		return err
	}
	q := question{
		Title:  "Let go of who cannot be told",
		Button: "Let them go",
		Back:   under("groups", g.ID),
		Text: []string{"They leave “" + g.DisplayName + "”, and lose what it gives them. " +
			"A sign-on that updates puts back whoever the directory shows in the group."},
		Who: "are in doubt",
	}
	doubts, err := c.Store.GroupDoubts(k.Context(), k.env(), g.ID)
	for _, d := range doubts {
		q.Count += d.Users
	}
	if err != nil {
		return err
	}
	return k.question(q)
}

// administratorInPath is the administrator in the path, or store.ErrNotFound.
func (c *console) administratorInPath(k *call) (store.Administrator, error) {
	return c.Store.AdministratorByID(k.Context(), k.env(), k.PathValue("id"))
}

func (c *console) askResetAdministrator(k *call) error {
	a, err := c.administratorInPath(k)
	if err != nil {
		return err
	}
	return k.question(question{
		Title:  "Remove all sign-in methods of “" + a.Name + "”",
		Button: "Take password and factors away",
		Back:   administratorsPath,
		Text: []string{"Their password, passkeys and one-time passwords open nothing any more, and their sessions " +
			"end. A new secret is shown, by which they set a password. Be sure that it is they who ask for it."},
	})
}

func (c *console) askDeleteAdministrator(k *call) error {
	a, err := c.administratorInPath(k)
	if err != nil {
		return err
	}
	return k.question(question{
		Title:  "Remove the administrator “" + a.Name + "”",
		Button: "Remove",
		Back:   administratorsPath,
		Text:   []string{"Their sessions end, and they cannot sign in any more. What they did stays in the activity."},
	})
}

// askRoleGroup asks before a group gives no role any more, or another.
func (c *console) askRoleGroup(k *call) error {
	g, err := c.Store.Group(k.Context(), k.env(), k.PathValue("group"))
	if err != nil {
		return err
	}
	q := question{
		Title:  "Take the role away from “" + g.DisplayName + "”",
		Button: "Take the role away",
		Back:   administratorsPath,
		Action: "/console/settings/role-groups",
		Text: []string{"Its members cannot open this console any more, unless another group gives them a role. The " +
			"group and its members stay."},
		Fields: []property{{"group", g.ID}, {"role", ""}},
		Count:  g.MemberCount,
		Who:    "are in it",
	}
	members, _, err := c.Store.GroupMembers(k.Context(), k.env(), g.ID, store.Page{Limit: 10})
	for _, m := range members {
		q.Users = append(q.Users, m.User)
	}
	if err != nil {
		return err
	}
	return k.question(q)
}

const clientsPath = "/console/settings/clients"

func (c *console) askRenewClient(k *call) error { return c.askClientSecret(k, nil) }

// askClientSecret is askRenewClient, with what is wrong with what was chosen.
func (c *console) askClientSecret(k *call, wrong map[string]string) error {
	client, err := c.Store.Client(k.Context(), k.env(), k.PathValue("id"))
	if err != nil {
		return err
	}
	q := question{
		Errors: wrong,
		Title:  "Make a new secret for “" + client.Name + "”",
		Button: "Make a new secret",
		Back:   clientsPath,
		Keeps:  keeps(),
		Keep:   keeps()[0].Name,
		Text: []string{"It is shown once. Give it to the program before the current secret ends: without it the program " +
			"can do nothing. When that ends at once, so do the access tokens that the program has."},
	}
	if client.Former.Good(c.now()) {
		q.Text = append(q.Text, "The secret before the current one is valid still, until "+
			when(client.Former.Until)+". It ends "+
			"at once then.")
	}
	return k.question(q)
}

// askEndClientSecret asks before the former secret of an API client ends.
func (c *console) askEndClientSecret(k *call) error {
	client, err := c.Store.Client(k.Context(), k.env(), k.PathValue("id"))
	if err == nil && !client.Former.Good(c.now()) {
		err = store.ErrNotFound
	}
	if err != nil {
		return err
	}
	return k.question(question{
		Title:  "End the secret before",
		Button: "End it now",
		Back:   clientsPath,
		Text: []string{"A program that still uses it as “" + client.Name + "” is refused from then on, and the access " +
			"tokens of the client open nothing: one that has the new secret gets others by itself."},
	})
}

func (c *console) askDeleteClient(k *call) error {
	client, err := c.Store.Client(k.Context(), k.env(), k.PathValue("id"))
	if err != nil {
		return err
	}
	return k.question(question{
		Title:  "Delete the API client “" + client.Name + "”",
		Button: "Delete",
		Back:   clientsPath,
		Text:   []string{"The program that has its secret can do nothing here any more; its access tokens open nothing."},
	})
}

func (c *console) askDeleteChannel(k *call) error {
	all, err := c.Store.AlertChannels(k.Context(), k.env())
	for _, ch := range all {
		if ch.ID == k.PathValue("id") {
			q := question{
				Title:  "Tell “" + ch.Target + "” nothing any more",
				Button: "Remove",
				Back:   "/console/settings/alerts",
				Text:   []string{"Alerts of this environment do not reach it from now on."},
			}
			if len(all) == 1 {
				q.Text = append(q.Text, "It is the only one: nobody is told of alerts then, but in this console.")
			}
			return k.question(q)
		}
	}
	if err == nil {
		err = store.ErrNotFound
	}
	return err
}
