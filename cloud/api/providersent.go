package api

import (
	"cmp"
	"encoding/json"
	"errors"
	m "ldap-gateway/cloud/management"
	"ldap-gateway/cloud/store"
	"maps"
	"reflect"
	"slices"
	"strings"
)

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

// readProvider reads a provider, and refuses pictures and what its type does not have.
func (c *call) readProvider() (providerForm, error) {
	var sent providerSent
	b, err := c.body()
	if err != nil {
		return sent.providerForm, err
	}
	if err := decode(b, &sent); err != nil {
		return sent.providerForm, err
	}
	details, err := sent.compare(b)
	if err != nil {
		return sent.providerForm, err
	}
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

// compare holds a form against what would be told of it: what came empty is noted, to be
// told again, and what would be lost is refused.
func (f *providerForm) compare(body []byte) (wrongs []detail, err error) {
	var d m.ProviderDraft
	f.into(&d)
	if d.Config.OIDC == nil && d.Config.SAML == nil {
		return nil, nil // its type is none, which is told by management
	}
	shown, err := json.Marshal(formOfProvider(d.IdentityProvider))
	if err != nil {
		return nil, err
	}
	var sent, told map[string]any
	if err := errors.Join(json.Unmarshal(body, &sent), json.Unmarshal(shown, &told)); err != nil {
		return nil, err
	}
	names := namesOf(reflect.TypeFor[providerForm]())
	for _, name := range slices.Sorted(maps.Keys(sent)) {
		_, known := names[strings.ToLower(name)]
		if _, is := told[name]; is || !known || sent[name] == nil || name == "clientSecret" {
			continue
		}
		if !isEmpty(sent[name]) {
			wrongs = append(wrongs, wrong(name, "A provider of the type %s does not have it. Leave it out.", f.Type))
			continue
		}
		if f.blank == nil {
			f.blank = map[string]any{}
		}
		f.blank[name] = sent[name]
	}
	return wrongs, nil
}

// isEmpty tells whether a value of JSON says nothing.
func isEmpty(value any) bool {
	switch value := value.(type) {
	case []any:
		return len(value) == 0
	case map[string]any:
		return len(value) == 0
	}
	return value == "" || value == false || value == 0.0
}

// MarshalJSON implements json.Marshaler: what came empty is told as it came.
func (b providerBody) MarshalJSON() ([]byte, error) {
	type plain providerBody
	text, err := json.Marshal(plain(b))
	if err != nil || len(b.blank) == 0 {
		return text, err
	}
	var told map[string]any
	if err := json.Unmarshal(text, &told); err != nil {
		return nil, err
	}
	for name, value := range b.blank {
		if _, is := told[name]; !is {
			told[name] = value
		}
	}
	return json.Marshal(told)
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

// tellProvider is showProvider with the secret, for who may replace it: compatible clients
// hold what they have sent against it at each reading.
func (s *Server) tellProvider(c *call, p store.IdentityProvider) (providerBody, error) {
	b := s.showProvider(c, p)
	var err error
	b.ClientSecret, err = s.Management.ProviderSecret(c.by(), p)
	return b, err
}

// freshProvider refuses a change of what has changed since it was read.
func (s *Server) freshProvider(c *call, p store.IdentityProvider) error {
	b, err := s.tellProvider(c, p)
	return cmp.Or(err, c.fresh(b))
}

// toldProvider answers with a provider that was made or changed.
func (s *Server) toldProvider(c *call, status int, p store.IdentityProvider) (reply, error) {
	b, err := s.tellProvider(c, p)
	return reply{status, b}, err
}
