package console

import (
	"errors"
	"net/http"
	"net/url"
	"time"

	"ldap-gateway/cloud/idp"
	"ldap-gateway/cloud/management"
	"ldap-gateway/cloud/store"
	"ldap-gateway/cloud/web"
)

// checkProvider asks the provider what can be asked without a person.
// It changes nothing, and is a POST all the same: no link from elsewhere can have this
// cloud call others.
func (c *console) checkProvider(k *call) error {
	p, err := c.provider(k)
	if err != nil {
		return err
	}
	return c.renderProvider(k, http.StatusOK, providerPage{
		IdentityProvider: p,
		Findings:         c.Providers.Check(k.Context(), p),
	})
}

// providerTrial leads to a sign-on that writes nothing.
type providerTrial struct {
	store.IdentityProvider
	Going idp.Going
}

// tryProvider begins a sign-on that shows what it would do.
// It is noted before it begins. Whatever proof the provider has of the person will do,
// however old it is.
func (c *console) tryProvider(k *call) error {
	if err := c.Management.TriedProvider(k.Context(), k.by(), k.PathValue("p")); err != nil {
		return err
	}
	p, err := c.provider(k)
	if err != nil {
		return err
	}
	g, err := c.Providers.Begin(k.Context(), k.env(), p.ID, idp.Wish{Trial: true, MaxAge: -1})
	if err != nil {
		return &refusal{http.StatusConflict, "This sign-on cannot begin", wordsOf(err)}
	}
	http.SetCookie(k.w, g.Cookie.HTTP(k.env(), c.Secure))
	// A form that goes to the provider is what the policy of all other pages forbids,
	// so this page has one that names the provider's origin.
	if g.Form != "" {
		to, err := url.Parse(g.Address)
		if err != nil {
			return err
		}
		k.w.Header().Set("Content-Security-Policy", web.PostingTo(to.Scheme+"://"+to.Host))
	}
	return k.render(http.StatusOK, "provider-try", "Try a sign-on at "+p.Name, providerTrial{p, g})
}

func (c *console) confirmDeleteProvider(k *call) error {
	return c.askDeleteProvider(k, http.StatusOK, false)
}

// askDeleteProvider shows who is linked to a provider, and which of its groups give a
// role. unsure is as of a gateway.
func (c *console) askDeleteProvider(k *call, status int, unsure bool) error {
	p, err := c.provider(k)
	if err != nil {
		return err
	}
	d := deletion{Kind: "identity provider", Name: p.Name, Back: under("providers", p.ID), Unsure: unsure}
	if d.Count, err = c.Store.LinkedUsers(k.Context(), k.env(), p.ID); err != nil {
		return err
	}
	if d.Users, err = c.Store.SomeLinkedUsers(k.Context(), k.env(), p.ID); err != nil {
		return err
	}
	if d.Groups, err = c.Store.CountGroups(k.Context(), k.env(), store.SourceIDP, p.ID); err != nil {
		return err
	}
	if d.Roles, err = c.Store.RolesOfSource(k.Context(), k.env(), store.SourceIDP, p.ID); err != nil {
		return err
	}
	if d.Named, err = management.NamedBy(k.Context(), c.Store, k.env(), p.ID); err != nil {
		return err
	}
	return k.render(status, "delete", "Delete "+p.Name, d)
}

// deleteProvider deletes one that nobody depends on at once, and another only with the
// box ticked. Who depends on it the deletion finds itself.
func (c *console) deleteProvider(k *call) error {
	p, err := c.provider(k)
	if err != nil {
		return err
	}
	err = c.Management.DeleteProvider(k.Context(), k.by(), p.ID, k.posted("force") == "yes", nil)
	if errors.Is(err, store.ErrDependents) {
		return c.askDeleteProvider(k, http.StatusConflict, true)
	}
	if err != nil {
		return err
	}
	return k.done("/console/providers", "The identity provider "+p.Name+" was deleted.")
}

// linkedAccount is one of a user's accounts at providers, with the provider's name.
type linkedAccount struct {
	store.LinkedAccount
	Provider string
	Proven   time.Time // when its groups last were; zero: never
}

// providersToLink returns ID and name of those that a user can be linked to.
// They are store.MaxLimit at most.
func (c *console) providersToLink(k *call) (all []property, err error) {
	some, _, err := c.Store.IdentityProviders(k.Context(), k.env(), store.Page{Limit: store.MaxLimit})
	for _, p := range some {
		all = append(all, property{p.ID, p.Name})
	}
	return all, err
}

// linkAccount links a user to an account at a provider.
// The subject is typed as the provider says it in its answers.
func (c *console) linkAccount(k *call) error {
	l := store.LinkedAccount{
		UserID:     k.PathValue("u"),
		ProviderID: k.posted("provider"),
		Subject:    store.Subject{ID: k.posted("subject")},
	}
	err := c.Management.LinkAccount(k.Context(), k.by(), &l)
	if wrong, is := faults(err); is {
		return c.renderUser(k, http.StatusUnprocessableEntity, userPage{
			Provider: l.ProviderID,
			Subject:  l.Subject.ID,
			Errors:   wrong,
		})
	}
	if err != nil {
		return err
	}
	return k.done(under("users", l.UserID), "The account was linked.")
}

// unlinkAccount leaves the record: the user signs on by what else there is.
func (c *console) unlinkAccount(k *call) error {
	user := k.PathValue("u")
	if err := c.Management.UnlinkAccount(k.Context(), k.by(), user, k.PathValue("id"), nil); err != nil {
		return err
	}
	return k.done(under("users", user), "The account was unlinked, and the user signed off everywhere.")
}
