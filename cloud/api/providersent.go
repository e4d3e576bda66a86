package api

import m "ldap-gateway/cloud/management"

// providerSent is a providerForm with what there is no place for: it would be lost
// without a word.
type providerSent struct {
	providerForm
	Icon            *iconForm `json:"icon"`
	LoginButtonIcon *iconForm `json:"loginButtonIcon"`
}

// iconForm is a picture as compatible clients send it.
type iconForm struct {
	ID   string `json:"id"`
	Href string `json:"href"`
}

// empty is one that clients send without meaning any.
func (i *iconForm) empty() bool { return i == nil || *i == iconForm{} }

// readProvider reads a provider, and refuses pictures.
func (c *call) readProvider() (providerForm, error) {
	var sent providerSent
	if err := c.read(&sent); err != nil {
		return sent.providerForm, err
	}
	var details []detail
	for _, picture := range []struct {
		name string
		icon *iconForm
	}{{"icon", sent.Icon}, {"loginButtonIcon", sent.LoginButtonIcon}} {
		if !picture.icon.empty() {
			details = append(details, wrong(picture.name, "Pictures of providers are not kept. Leave it out."))
		}
	}
	return sent.providerForm, invalid(details...)
}

// peopleOf says what becomes of linked people when a change has a subject be somebody
// else's: links=keep or links=drop; force=true drops them, too.
func (c *call) peopleOf() (m.People, error) {
	switch links := m.People(c.query("links")); links {
	case m.KeepPeople, m.DropPeople:
		return links, nil
	case m.AskPeople:
		if c.forced() {
			return m.DropPeople, nil
		}
		return links, nil
	}
	return "", invalid(wrong("links", "It is keep or drop."))
}
