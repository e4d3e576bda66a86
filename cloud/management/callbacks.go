package management

import (
	"context"

	"ldap-gateway/cloud/idp"
	"ldap-gateway/cloud/store"
)

// RedirectURI is our address for answers, as it is entered at an OpenID Connect provider.
func (s *Service) RedirectURI(p store.IdentityProvider) string { return idp.CallbackURL(s.URL, p) }

// keepCallbacksApart gives an OpenID Connect provider an address for answers of its own
// when it would share one with a provider that has another token endpoint, and nothing in
// their answers tells whose they are: then one's answer could be taken to the other.
// It never takes one away, since the provider's administrator has entered it there.
func (t *turn) keepCallbacksApart(ctx context.Context, p *store.IdentityProvider) error {
	if !sharesCallback(*p) {
		return nil
	}
	return t.others(ctx, *p, func(other store.IdentityProvider) {
		if sharesCallback(*p) && sharesCallback(other) && confused(*p.Config.OIDC, *other.Config.OIDC) {
			p.Config.OIDC.OwnCallback = true
		}
	})
}

// others tells of every other provider of the environment, however many there are.
func (t *turn) others(ctx context.Context, than store.IdentityProvider, tell func(store.IdentityProvider)) error {
	for page := (store.Page{Limit: store.MaxLimit}); ; {
		some, next, err := t.IdentityProviders(ctx, t.env(), page)
		if err != nil {
			return err
		}
		for _, other := range some {
			if other.ID != than.ID {
				tell(other)
			}
		}
		if page.Cursor = next; next == "" {
			return nil
		}
	}
}

func sharesCallback(p store.IdentityProvider) bool {
	return p.Config.OIDC != nil && !p.Config.OIDC.OwnCallback
}

// confused tells whether an answer of one could be taken to the other's token endpoint:
// neither names itself, or both by one name.
func confused(a, b store.OIDCConfig) bool {
	named := a.NamesIssuer || b.NamesIssuer
	return a.TokenEndpoint != b.TokenEndpoint && (!named || a.Issuer == b.Issuer)
}
