package api

import (
	"cmp"
	"maps"
	"net/http"
	"time"

	"ldap-gateway/cloud/store"
)

// nameForm is left out of a body when all are absent.
type nameForm struct {
	Given     *string `json:"given,omitempty"`
	Family    *string `json:"family,omitempty"`
	Middle    *string `json:"middle,omitempty"`
	Formatted *string `json:"formatted,omitempty"`
	Prefix    *string `json:"honorificPrefix,omitempty"`
	Suffix    *string `json:"honorificSuffix,omitempty"`
}

// addressForm is where somebody is.
type addressForm struct {
	Street     *string `json:"streetAddress,omitempty"`
	Locality   *string `json:"locality,omitempty"`
	Region     *string `json:"region,omitempty"`
	PostalCode *string `json:"postalCode,omitempty"`
	Country    *string `json:"countryCode,omitempty"`
}

// photoForm is where a picture of somebody is.
type photoForm struct {
	Href *string `json:"href,omitempty"`
}

// userForm is what a client may write.
type userForm struct {
	Username   string            `json:"username"`
	Name       *nameForm         `json:"name,omitempty"`
	Email      *string           `json:"email,omitempty"`
	Population *reference        `json:"population,omitempty"`
	ExternalID *string           `json:"externalId,omitempty"`
	Enabled    *bool             `json:"enabled,omitempty"`
	Attributes map[string]string `json:"attributes,omitempty"` // ours: those without a property of their own
	personForm
	Account    *accountState  `json:"account,omitempty"`
	Provider   *authority     `json:"identityProvider,omitempty"` // only as it is
	Lifecycle  *lifecycleForm `json:"lifecycle,omitempty"`        // only as it is
	MFAEnabled *bool          `json:"mfaEnabled,omitempty"`       // asked for a second factor at each sign-on
	// Nobody's identity or address is verified here, so both are only as they are.
	VerifyStatus  string `json:"verifyStatus,omitempty"`
	EmailVerified *bool  `json:"emailVerified,omitempty"`
}

// personForm is what is kept of a person under names that compatible clients know. A
// user type may map them as well.
type personForm struct {
	Nickname  *string      `json:"nickname,omitempty"`
	Title     *string      `json:"title,omitempty"`
	Type      *string      `json:"type,omitempty"`
	Locale    *string      `json:"locale,omitempty"`
	Timezone  *string      `json:"timezone,omitempty"`
	Language  *string      `json:"preferredLanguage,omitempty"`
	Phone     *string      `json:"primaryPhone,omitempty"`
	Mobile    *string      `json:"mobilePhone,omitempty"`
	AccountID *string      `json:"accountId,omitempty"`
	Address   *addressForm `json:"address,omitempty"`
	Photo     *photoForm   `json:"photo,omitempty"`
}

// The groups are there only when they were asked for, and then never null: none is an
// empty list.
type userBody struct {
	Links       links     `json:"_links"`
	ID          string    `json:"id"`
	Environment reference `json:"environment"`
	userForm
	LastSignOn *momentBody `json:"lastSignOn,omitempty"`
	CreatedAt  time.Time   `json:"createdAt"`
	UpdatedAt  time.Time   `json:"updatedAt"`
	GroupIDs   []string    `json:"memberOfGroupIDs,omitzero"`
	GroupNames []string    `json:"memberOfGroupNames,omitzero"`
}

// authority is who says that somebody is a user: an identity provider, or the cloud with
// its gateways, which has no ID.
type authority struct {
	ID   string             `json:"id,omitempty"`
	Type store.ProviderType `json:"type"`
}

// cloudItself is the authority of whom no identity provider vouches for, as compatible
// clients have it.
const cloudItself store.ProviderType = "PING_ONE"

// lifecycleForm is always the same here: nobody has to be verified before they sign on.
// That no code is sent may be asked for: none is.
type lifecycleForm struct {
	Status string `json:"status"`
	NoCode *bool  `json:"suppressVerificationCode,omitempty"`
}

// What is the same of every user: the state of a life, and that nobody was verified.
const (
	lifecycleOK  = "ACCOUNT_OK"
	neverStarted = "NOT_INITIATED"
)

// accountState is whether the account can be used. CanAuthenticate follows from enabled and
// from the status, which says whether it is locked.
type accountState struct {
	CanAuthenticate *bool  `json:"canAuthenticate,omitempty"`
	Status          string `json:"status,omitempty"`
}

// The states of an account.
const (
	accountOK     = "OK"
	accountLocked = "LOCKED"
)

// momentBody is a time as compatible clients read it, within an object.
type momentBody struct {
	At time.Time `json:"at"`
}

// userFormOf is the inverse of into; a PATCH is read on top of it. The attributes are a
// copy, since reading changes them in place.
func userFormOf(u store.User) userForm {
	f := userForm{
		Username: u.Username,
		Name: &nameForm{
			Given:  told(u.GivenName, u.Kept.Blank, "name.given"),
			Family: told(u.FamilyName, u.Kept.Blank, "name.family"),
		},
		Email:      told(u.Email, u.Kept.Blank, "email"),
		Population: refer(u.PopulationID),
		ExternalID: told(u.ExternalID, u.Kept.Blank, "externalId"),
		Enabled:    &u.Enabled,
		Attributes: maps.Clone(u.Attributes),
		Account:    &accountState{new(u.MaySignOn()), accountOK},
		Provider:   &authority{Type: cloudItself},
		Lifecycle:  &lifecycleForm{lifecycleOK, u.Kept.NoCode},
		MFAEnabled: &u.Kept.MFA,

		VerifyStatus:  neverStarted,
		EmailVerified: u.Kept.EmailVerified,
	}
	f.showPerson()
	if u.Locked {
		f.Account.Status = accountLocked
	}
	if u.ProviderID != "" && u.GatewayID == "" {
		f.Provider = &authority{u.ProviderID, u.ProviderType}
	}
	return f
}

// showUser is what reading one answers. Who checks the password is at a path of its
// own.
func showUser(c *call, u store.User) userBody {
	b := userBody{
		Links:       c.self("users", u.ID),
		ID:          u.ID,
		Environment: reference{c.env},
		userForm:    userFormOf(u),
		CreatedAt:   u.CreatedAt,
		UpdatedAt:   u.UpdatedAt,
	}
	b.Links["memberOfGroups"], b.Links["password"] = c.at("users", u.ID, "memberOfGroups"), c.at("users", u.ID, "password")
	if !u.LastSignOnAt.IsZero() {
		b.LastSignOn = &momentBody{u.LastSignOnAt}
	}
	return b
}

// listUsers answers with a page by username. The filter is of the properties that
// are named below.
func (s *Server) listUsers(c *call) (reply, error) {
	page, err := c.page()
	if err != nil {
		return reply{}, err
	}
	where, err := parseFilter(
		c.query("filter"),
		"id",
		"username",
		"email",
		"externalId",
		"name.given",
		"name.family",
		"population.id",
		"enabled?",
		"account.canAuthenticate?",
		"memberOfGroups.id",
		"memberOfGroups.name",
		"memberOfGroups.displayName",
	)
	if err != nil {
		return reply{}, err
	}
	order, descending, err := userSorting(c)
	if err != nil {
		return reply{}, err
	}
	f := store.UserFilter{Where: where, Order: order, Descending: descending}
	all, next, err := s.Store.Users(c.Context(), c.env, f, page)
	if err != nil {
		return reply{}, err
	}
	return listed(c, "users", all, next, func(u store.User) userBody { return showUser(c, u) })
}

// getUser answers with one user, and with the groups when the request says
// include=memberOfGroupIDs or include=memberOfGroupNames.
func (s *Server) getUser(c *call) (reply, error) {
	u, err := s.userOf(c)
	if err != nil {
		return reply{}, err
	}
	b := showUser(c, u)
	ids, names := c.asks("include", "memberOfGroupIDs"), c.asks("include", "memberOfGroupNames")
	if !ids && !names {
		return ok(b)
	}
	all, err := s.Store.UserGroups(c.Context(), c.env, u.ID)
	if err != nil {
		return reply{}, err
	}
	for _, m := range all {
		b.GroupIDs, b.GroupNames = append(b.GroupIDs, m.Group.ID), append(b.GroupNames, m.Group.Name)
	}
	b.GroupIDs, b.GroupNames = onlyIf(ids, b.GroupIDs), onlyIf(names, b.GroupNames)
	return ok(b)
}

// onlyIf returns list, never nil when it is asked for.
func onlyIf(asked bool, list []string) []string {
	if !asked {
		return nil
	}
	return append([]string{}, list...)
}

// userOf returns the user in the path, or store.ErrNotFound.
// One of another environment is not found.
func (s *Server) userOf(c *call) (store.User, error) {
	return s.Store.User(c.Context(), c.env, c.PathValue("u"))
}

// createUser answers with 201 and a user in the default population, unless the body
// names another. They are linked to no directory but to the one that the body names.
func (s *Server) createUser(c *call) (reply, error) {
	var form importForm
	if err := c.read(&form); err != nil {
		return reply{}, err
	}
	link, err := form.Password.link()
	u := store.User{Enabled: true}
	if err := cmp.Or(err, form.into(&u)); err != nil {
		return reply{}, err
	}
	if link == nil {
		err = s.Management.CreateUser(c.Context(), c.by(), &u)
	} else {
		err = s.Management.ImportUser(c.Context(), c.by(), &u, *link)
	}
	if err != nil {
		return reply{}, below("password.external.gateway.", err)
	}
	return created(showUser(c, u))
}

// putUser replaces, or with PATCH changes what the body has. The link to a
// directory stays: see linkUser.
// A PUT that leaves the population out keeps the user in theirs; a null puts them into
// the default one.
func (s *Server) putUser(c *call) (reply, error) {
	body, err := c.body()
	if err != nil {
		return reply{}, err
	}
	return s.changeUser(c, func(u *store.User) error {
		form := userForm{Population: refer(u.PopulationID), MFAEnabled: &u.Kept.MFA}
		if c.Method == http.MethodPatch {
			form = userFormOf(*u)
			form.Account, form.Provider = nil, nil // only what the body has counts
		}
		if err := cmp.Or(c.fresh(showUser(c, *u)), decode(body, &form)); err != nil {
			return err
		}
		return form.into(u)
	})
}

// changeUser changes the user in the path, and answers with them.
func (s *Server) changeUser(c *call, change func(*store.User) error) (reply, error) {
	u, err := s.Management.ChangeUser(c.Context(), c.by(), c.PathValue("u"), change)
	if err != nil {
		return reply{}, err
	}
	return ok(showUser(c, u))
}

// deleteUser answers with 204. A person who is in a directory still comes back with
// their next sign-on, as another user.
func (s *Server) deleteUser(c *call) (reply, error) {
	return gone(s.Management.DeleteUser(c.Context(), c.by(), c.PathValue("u"), func(u store.User) error {
		return c.fresh(showUser(c, u))
	}))
}

// signOffUser ends a user's sessions and what applications hold for them.
// It answers with 204, also when they had nothing open.
func (s *Server) signOffUser(c *call) (reply, error) {
	_, err := s.Management.SignOffUser(c.Context(), c.by(), c.PathValue("u"))
	return gone(err)
}

// resetFactor takes away the second factor by which a user opens the console.
// It answers with 204, also when they had none. If-Match is refused: a factor cannot be
// read.
func (s *Server) resetFactor(c *call) (reply, error) {
	_, err := s.Management.ResetFactor(c.Context(), c.by(), c.PathValue("u"))
	return gone(err)
}
