package api

import (
	"slices"
	"time"

	"ldap-gateway/cloud/store"
)

// accountForm is what a client may write of an account at an identity provider.
type accountForm struct {
	ExternalID string    `json:"externalId"`
	Qualifiers string    `json:"qualifiers,omitempty"` // ours: of a SAML name ID
	Provider   reference `json:"identityProvider"`
}

// accountLinked is an account at an identity provider that signs a user on.
type accountLinked struct {
	Links       links     `json:"_links"`
	ID          string    `json:"id"`
	Environment reference `json:"environment"`
	User        reference `json:"user"`
	accountForm
	CreatedAt time.Time `json:"createdAt"`
}

// showAccount is what reading one answers.
func showAccount(c *call, l store.LinkedAccount) accountLinked {
	return accountLinked{
		Links:       c.self("users", l.UserID, "linkedAccounts", l.ID),
		ID:          l.ID,
		Environment: reference{c.env},
		User:        reference{l.UserID},
		accountForm: accountForm{l.Subject.ID, l.Subject.Qualifiers, reference{l.ProviderID}},
		CreatedAt:   l.CreatedAt,
	}
}

// listAccounts answers with all of a user in one page; 404 when there is no such user.
func (s *Server) listAccounts(c *call) (reply, error) {
	u, err := s.userOf(c)
	if err != nil {
		return reply{}, err
	}
	all, err := s.Store.LinkedAccounts(c.Context(), c.env, u.ID)
	if err != nil {
		return reply{}, err
	}
	show := func(l store.LinkedAccount) accountLinked { return showAccount(c, l) }
	return few(c, "linkedAccounts", all, show, "id", "externalId", "identityProvider.id")
}

// getAccount answers with one; 404 when the user has none of that ID.
func (s *Server) getAccount(c *call) (reply, error) {
	all, err := s.Store.LinkedAccounts(c.Context(), c.env, c.PathValue("u"))
	if err != nil {
		return reply{}, err
	}
	i := slices.IndexFunc(all, func(l store.LinkedAccount) bool { return l.ID == c.PathValue("id") })
	if i < 0 {
		return reply{}, store.ErrNotFound
	}
	return ok(showAccount(c, all[i]))
}

// createAccount answers with 201. Whoever proves that subject at that provider is this
// user from then on.
func (s *Server) createAccount(c *call) (reply, error) {
	var form accountForm
	if err := c.read(&form); err != nil {
		return reply{}, err
	}
	l := store.LinkedAccount{
		UserID:     c.PathValue("u"),
		ProviderID: form.Provider.ID,
		Subject:    store.Subject{ID: form.ExternalID, Qualifiers: form.Qualifiers},
	}
	if err := s.Management.LinkAccount(c.Context(), c.by(), &l); err != nil {
		return reply{}, err
	}
	return created(showAccount(c, l))
}

// deleteAccount answers with 204. The user is signed off everywhere.
func (s *Server) deleteAccount(c *call) (reply, error) {
	fresh := func(l store.LinkedAccount) error { return c.fresh(showAccount(c, l)) }
	return gone(s.Management.UnlinkAccount(c.Context(), c.by(), c.PathValue("u"), c.PathValue("id"), fresh))
}
