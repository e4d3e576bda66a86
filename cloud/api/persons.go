package api

import (
	"maps"
	"slices"

	"ldap-gateway/cloud/management"
	"ldap-gateway/cloud/store"
)

// property of a person: the name under which it is kept among the attributes, which is
// the path in a body as well, and where a form has it.
type personal struct {
	name  string
	value **string
}

// properties of a person that are kept among the attributes. The parts of the form are
// made where they are not.
func (f *userForm) properties() []personal {
	f.Name, f.Address, f.Photo = made(f.Name), made(f.Address), made(f.Photo)
	return []personal{
		{"name.middle", &f.Name.Middle},
		{"name.formatted", &f.Name.Formatted},
		{"name.honorificPrefix", &f.Name.Prefix},
		{"name.honorificSuffix", &f.Name.Suffix},
		{"nickname", &f.Nickname},
		{"title", &f.Title},
		{"type", &f.Type},
		{"locale", &f.Locale},
		{"timezone", &f.Timezone},
		{"preferredLanguage", &f.Language},
		{"primaryPhone", &f.Phone},
		{"mobilePhone", &f.Mobile},
		{"accountId", &f.AccountID},
		{"address.streetAddress", &f.Address.Street},
		{"address.locality", &f.Address.Locality},
		{"address.region", &f.Address.Region},
		{"address.postalCode", &f.Address.PostalCode},
		{"address.countryCode", &f.Address.Country},
		{"photo.href", &f.Photo.Href},
	}
}

// made is v, or an empty one where there is none.
func made[T any](v *T) *T {
	if v == nil {
		return new(T)
	}
	return v
}

// filledOnly is v, or nil when nothing is in it.
func filledOnly[T comparable](v *T) *T {
	var none T
	if *v == none {
		return nil
	}
	return v
}

// showPerson takes out of the attributes what has a property of its own.
func (f *userForm) showPerson() {
	for _, p := range f.properties() {
		if value, is := f.Attributes[p.name]; is {
			*p.value = &value
			delete(f.Attributes, p.name)
		}
	}
	f.Name, f.Address, f.Photo = filledOnly(f.Name), filledOnly(f.Address), filledOnly(f.Photo)
}

// into makes a user what the form says. Whether they are enabled and locked stays when
// that is left out. What cannot be otherwise is refused when it is to be.
func (f userForm) into(u *store.User) error {
	before := userFormOf(*u)
	all := f.properties()
	u.Username, u.Email, u.ExternalID = f.Username, textOf(f.Email), textOf(f.ExternalID)
	u.GivenName, u.FamilyName = textOf(f.Name.Given), textOf(f.Name.Family)
	u.PopulationID = f.Population.id()
	if f.Enabled != nil {
		u.Enabled = *f.Enabled
	}
	u.Kept.MFA = f.MFAEnabled != nil && *f.MFAEnabled
	u.Kept.Blank = blanks(map[string]*string{
		"email":       f.Email,
		"externalId":  f.ExternalID,
		"name.given":  f.Name.Given,
		"name.family": f.Name.Family,
	})
	wrongs := f.Account.into(u)
	u.Attributes = maps.Clone(f.Attributes)
	for _, p := range all {
		if _, there := u.Attributes[p.name]; there {
			wrongs = append(wrongs, wrong("attributes."+p.name, "It has a property of its own: give it as %s.", p.name))
		}
		if *p.value != nil {
			if u.Attributes == nil {
				u.Attributes = map[string]string{}
			}
			u.Attributes[p.name] = **p.value
		}
	}
	if f.Provider != nil && *f.Provider != *before.Provider {
		wrongs = append(wrongs, detail{readOnly, "identityProvider", vouched})
	}
	return invalid(append(wrongs, f.unverified(u)...)...)
}

// unverified keeps what a client says of verifying a user, which is not done here, and
// refuses what would say that it was.
func (f userForm) unverified(u *store.User) (wrongs []detail) {
	u.Kept.NoCode, u.Kept.EmailVerified = nil, f.EmailVerified
	if f.Lifecycle != nil {
		u.Kept.NoCode = f.Lifecycle.NoCode
		if f.Lifecycle.Status != lifecycleOK {
			wrongs = append(wrongs, wrong("lifecycle.status", "It must be %s: nobody is verified here.", lifecycleOK))
		}
	}
	if f.VerifyStatus != "" && f.VerifyStatus != neverStarted {
		wrongs = append(wrongs, wrong("verifyStatus", "It must be %s: nobody is verified here.", neverStarted))
	}
	if f.EmailVerified != nil && *f.EmailVerified {
		wrongs = append(wrongs, wrong("emailVerified", "It must be false, or left out: no address is verified here."))
	}
	return wrongs
}

// into locks or unlocks a user. That the account can be used follows: what is said of it
// may be what was or what will be.
func (a *accountState) into(u *store.User) (wrongs []detail) {
	if a == nil {
		return nil
	}
	could := u.MaySignOn()
	switch a.Status {
	case "":
	case accountOK, accountLocked:
		u.Locked = a.Status == accountLocked
	default:
		return []detail{wrong("account.status", "It must be %s or %s.", accountOK, accountLocked)}
	}
	if can := a.CanAuthenticate; can != nil && *can != u.MaySignOn() && *can != could {
		return []detail{{readOnly, "account.canAuthenticate", "It follows from enabled and from account.status: set these."}}
	}
	return nil
}

// importForm is a user with who checks the password.
type importForm struct {
	userForm
	Password *importedPassword `json:"password,omitempty"`
}

// importedPassword is where a password is checked. A password itself is never taken.
type importedPassword struct {
	Value       discarded     `json:"value,omitzero" jsonschema:"type=string"`
	ForceChange bool          `json:"forceChange,omitempty"`
	External    *externalBody `json:"external,omitempty"`
}

// link is nil when nobody checks a password. A password is refused and not dropped: who
// sends it believes that somebody could sign on with it.
func (p *importedPassword) link() (*management.Link, error) {
	switch {
	case p == nil:
		return nil, nil
	case bool(p.Value):
		return nil, invalid(wrong("password.value", "The cloud keeps no passwords. Leave it out, and link the user "+
			"to a gateway by password.external."))
	case p.ForceChange:
		return nil, invalid(wrong("password.forceChange", "The cloud keeps no passwords: the directory asks for a change."))
	case p.External == nil:
		return nil, invalid(missing("password.external"))
	}
	g := p.External.Gateway
	if g.Type != "" && g.Type != "LDAP" {
		return nil, invalid(wrong("password.external.gateway.type", "It must be LDAP."))
	}
	to := store.UserTypeRef{Gateway: g.ID, UserType: g.UserType.id()}
	values := g.Correlation
	if values == nil {
		values = map[string]string{}
	}
	return &management.Link{To: to, Values: values}, nil
}

// ofLink are the properties of a link, which stand deeper in the body of an import.
func ofLink() []string { return []string{"id", "userType.id", "correlationAttributes"} }

// below moves what is wrong with a link to where an import has it.
func below(front string, err error) error {
	p := asProblem(err)
	if p == nil {
		return err
	}
	for i, d := range p.Details {
		if slices.Contains(ofLink(), d.Target) {
			p.Details[i].Target = front + d.Target
		}
	}
	return p
}
