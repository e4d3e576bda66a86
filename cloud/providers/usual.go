package providers

import (
	"slices"

	"ldap-gateway/cloud/idp/relying"
	"ldap-gateway/cloud/idp/samlsp"
	"ldap-gateway/cloud/mapping"
	"ldap-gateway/cloud/store"
)

// Preset is what a maker's providers usually have.
type Preset struct {
	ID, Name string
	Type     store.ProviderType
	Groups   string // template of the groups; empty: it sends none by itself
	Email    string
	Given    string
	Family   string
	Issuer   string   // shape of the issuer or the entity ID, for people
	Hints    []string // what to set there, for people
}

// The long names of attributes that makers of SAML providers use.
const (
	claims2005 = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/"
	claims2008 = "http://schemas.microsoft.com/ws/2008/06/identity/claims/"
)

// claim is a template of one claim; attribute one whose name is no word.
func claim(name string) string { return "${providerAttributes." + name + "}" }

func attribute(name string) string { return "${providerAttributes['" + name + "']}" }

// Presets lists the makers that are known, by name.
// They are a beginning: whoever takes one may change all of it.
func Presets() []Preset {
	return []Preset{
		openID("oidc", "OpenID Connect", "https://idp.example.com", claim("groups"),
			"Have the provider put the groups into the ID token or into UserInfo, under the name that the mapping has."),
		openID("entra", "Microsoft Entra ID", "https://login.microsoftonline.com/TENANT-ID/v2.0", claim("groups"),
			"Add the groups claim to the token configuration, and choose the groups assigned to the application: "+
				"above 200 groups Entra sends none, and memberships are left as they are.",
			"Groups come as object IDs, unless they are synchronised and sAMAccountName is chosen there."),
		openID("google", "Google", "https://accounts.google.com", "",
			"Google sends no groups: people are signed on, and memberships are left alone."),
		openID("keycloak", "Keycloak", "https://keycloak.example.com/realms/REALM", claim("groups"),
			"Add a Group Membership mapper to the client, with the full path off."),
		openID("okta", "Okta", "https://example.okta.com", claim("groups"),
			"Add a groups claim to the application with a filter that matches what is wanted."),
		assertion("saml", "SAML 2.0", claim("groups"), claim("email"), claim("givenName"), claim("sn"),
			"Give the provider our metadata, and have it sign with SHA-256."),
		assertion("adfs", "AD FS", attribute("http://schemas.xmlsoap.org/claims/Group"),
			attribute(claims2005+"emailaddress"), attribute(claims2005+"givenname"), attribute(claims2005+"surname"),
			"Add a rule that sends Token-Groups - Unqualified Names as Group."),
		assertion("entra-saml", "Microsoft Entra ID (SAML)", attribute(claims2008+"groups"),
			attribute(claims2005+"emailaddress"), attribute(claims2005+"givenname"), attribute(claims2005+"surname"),
			"Choose the groups assigned to the application: above 150 groups Entra sends none, "+
				"and memberships are left as they are."),
		assertion("okta-saml", "Okta (SAML)", claim("groups"), claim("email"), claim("firstName"), claim("lastName"),
			"Add a group attribute statement named groups."),
	}
}

// openID is a preset of OpenID Connect, with the claims of Core section 5.1.
func openID(id, name, issuer, groups string, hints ...string) Preset {
	return Preset{
		ID:     id,
		Name:   name,
		Type:   store.OpenIDConnect,
		Groups: groups,
		Email:  claim("email"),
		Given:  claim("given_name"),
		Family: claim("family_name"),
		Issuer: issuer,
		Hints:  hints,
	}
}

// assertion is a preset of SAML, which has no names of its own for these.
func assertion(id, name, groups, email, given, family string, hints ...string) Preset {
	return Preset{
		ID:     id,
		Name:   name,
		Type:   store.SAML,
		Groups: groups,
		Email:  email,
		Given:  given,
		Family: family,
		Hints:  hints,
	}
}

// FindPreset returns the one of that ID; false when there is none.
func FindPreset(id string) (Preset, bool) {
	all := Presets()
	i := slices.IndexFunc(all, func(p Preset) bool { return p.ID == id })
	if i < 0 {
		return Preset{}, false
	}
	return all[i], true
}

// Core is the mapping that every provider has: of the username, once.
// Once, as a person keeps the name that they have here.
func Core(of store.ProviderType) store.ProviderMapping {
	m := store.ProviderMapping{Name: "username", Value: claim("sub"), Update: store.EmptyOnly, Core: true}
	if of == store.SAML {
		m.Value = "${samlAssertion.subject}"
	}
	return m
}

// Mappings are the usual ones of a preset: the username once, all others at each sign-on.
func (p Preset) Mappings() []store.ProviderMapping {
	all := []store.ProviderMapping{Core(p.Type)}
	for _, m := range []store.ProviderMapping{
		{Name: "email", Value: p.Email, Update: store.Always},
		{Name: "name.given", Value: p.Given, Update: store.Always},
		{Name: "name.family", Value: p.Family, Update: store.Always},
		{Name: mapping.Groups, Value: p.Groups, Update: store.Always},
	} {
		if m.Value != "" {
			all = append(all, m)
		}
	}
	return all
}

// Complete fills in what may be left out of a new provider's settings.
// It is also done at each change: what a client leaves out is as usual again.
func Complete(p *store.IdentityProvider, ownEntityID string) {
	if o := p.Config.OIDC; o != nil {
		if len(o.Scopes) == 0 {
			o.Scopes = []string{"openid", "profile", "email"}
		}
		o.PKCE = orElse(o.PKCE, "S256")
		o.ClientAuth = orElse(o.ClientAuth, relying.SecretBasic)
	}
	if s := p.Config.SAML; s != nil {
		s.Binding = orElse(s.Binding, samlsp.Redirect)
		s.OwnEntityID = orElse(s.OwnEntityID, ownEntityID)
	}
	core := func(m store.ProviderMapping) bool { return store.Fold(m.Name) == "username" }
	if !slices.ContainsFunc(p.Mappings, core) {
		p.Mappings = append([]store.ProviderMapping{Core(p.Type)}, p.Mappings...)
	}
	for i := range p.Mappings {
		p.Mappings[i].Core = core(p.Mappings[i])
		p.Mappings[i].Update = store.UpdateRule(orElse(string(p.Mappings[i].Update), string(store.EmptyOnly)))
	}
}

// orElse is a value unless it is empty.
func orElse(value, usual string) string {
	if value == "" {
		return usual
	}
	return value
}
