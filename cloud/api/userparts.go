package api

import (
	"cmp"
	"net/http"

	"ldap-gateway/cloud/store"
)

// enabledForm is whether a user is enabled, as a resource of its own.
type enabledForm struct {
	Enabled *bool `json:"enabled"`
}

type enabledBody struct {
	Links links `json:"_links"`
	enabledForm
}

func showEnabled(c *call, u store.User) any {
	return enabledBody{c.self("users", u.ID, "enabled"), enabledForm{&u.Enabled}}
}

// mfaForm is the switch for a second factor: the user is asked for one at each sign-on by the sign-on page,
// whatever the policy says.
type mfaForm struct {
	Enabled *bool `json:"mfaEnabled"`
}

type mfaBody struct {
	Links links `json:"_links"`
	mfaForm
}

func showMFA(c *call, u store.User) any {
	return mfaBody{c.self("users", u.ID, "mfaEnabled"), mfaForm{&u.Kept.MFA}}
}

// userPopulation is the population that a user is in.
type userPopulation struct {
	Links links `json:"_links"`
	reference
}

func showUserPopulation(c *call, u store.User) any {
	return userPopulation{c.self("users", u.ID, "population"), reference{u.PopulationID}}
}

// userProvider is who vouches for a user.
type userProvider struct {
	Links links `json:"_links"`
	authority
}

func showUserProvider(c *call, u store.User) any {
	return userProvider{c.self("users", u.ID, "identityProvider"), *userFormOf(u).Provider}
}

// getUserPart answers with a part of a user.
func (s *Server) getUserPart(show func(*call, store.User) any) endpoint {
	return func(c *call) (reply, error) {
		u, err := s.userOf(c)
		if err != nil {
			return reply{}, err
		}
		return ok(show(c, u))
	}
}

// putUserPart changes a part of a user by a form, and answers with the part.
func putUserPart[F any](s *Server, show func(*call, store.User) any, into func(*F, *store.User) error) endpoint {
	return func(c *call) (reply, error) {
		form := new(F)
		if err := c.read(form); err != nil {
			return reply{}, err
		}
		u, err := s.Management.ChangeUser(c.Context(), c.by(), c.PathValue("u"), func(u *store.User) error {
			return cmp.Or(c.fresh(show(c, *u)), into(form, u))
		})
		if err != nil {
			return reply{}, err
		}
		return ok(show(c, u))
	}
}

func (f *enabledForm) into(u *store.User) error {
	if f.Enabled == nil {
		return invalid(missing("enabled"))
	}
	u.Enabled = *f.Enabled
	return nil
}

func (f *mfaForm) into(u *store.User) error {
	if f.Enabled == nil {
		return invalid(missing("mfaEnabled"))
	}
	u.Kept.MFA = *f.Enabled
	return nil
}

func (r *reference) into(u *store.User) error {
	if r.ID == "" {
		return invalid(missing("id"))
	}
	u.PopulationID = r.ID
	return nil
}

func (a *authority) into(u *store.User) error {
	now := *userFormOf(*u).Provider
	if a.ID == now.ID && (a.Type == "" || a.Type == now.Type) {
		return nil
	}
	return invalid(detail{readOnly, "id", vouched})
}

// vouched says why who vouches for a user is not written.
const vouched = "Who vouches for a user follows from the accounts that they are linked to: see linkedAccounts."

// The media types of what is done to an account.
const (
	lockAccount   = "application/vnd.pingidentity.account.lock+json"
	unlockAccount = "application/vnd.pingidentity.account.unlock+json"
)

// actOnUser locks or unlocks an account, by the media type of the body. It answers with
// the user.
func (s *Server) actOnUser(c *call) (reply, error) {
	if _, err := s.userOf(c); err != nil {
		return reply{}, err
	}
	kind := c.kind()
	if kind != lockAccount && kind != unlockAccount {
		return reply{}, refused(http.StatusUnsupportedMediaType, "The media type says what is done to a user: "+
			lockAccount+" or "+unlockAccount+".")
	}
	return s.changeUser(c, func(u *store.User) error {
		u.Locked = kind == lockAccount
		return nil
	})
}
