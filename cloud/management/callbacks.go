package management

import (
	"context"

	"ldap-gateway/cloud/idp"
	"ldap-gateway/cloud/store"
)

// RedirectURI is our address for answers, as it is entered at an OpenID Connect provider.
func (s *Service) RedirectURI(p store.IdentityProvider) string { return idp.CallbackURL(s.URL, p) }

// keepCallbacksApart gives an OpenID Connect provider an address for answers of its own
// when it would share one with a provider that has another token endpoint, and neither
// says in its answers whose they are: then one's answer could be taken to the other.
// It never takes one away, since the provider's administrator has entered it there.
func (t *turn) keepCallbacksApart(ctx context.Context, p *store.IdentityProvider) error {
	if !sharesCallback(*p) {
		return nil
	}
	for page := (store.Page{Limit: store.MaxLimit}); ; {
		some, next, err := t.IdentityProviders(ctx, t.env(), page)
		if err != nil {
			return err
		}
		for _, other := range some {
			apart := other.ID != p.ID && sharesCallback(other)
			if apart && other.Config.OIDC.TokenEndpoint != p.Config.OIDC.TokenEndpoint {
				p.Config.OIDC.OwnCallback = true
				return nil
			}
		}
		if page.Cursor = next; next == "" {
			return nil
		}
	}
}

// sharesCallback tells whether nothing but the common address says whose an answer is.
func sharesCallback(p store.IdentityProvider) bool {
	o := p.Config.OIDC
	return o != nil && !o.NamesIssuer && !o.OwnCallback
}
