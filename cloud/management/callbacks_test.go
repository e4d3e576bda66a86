package management_test

import (
	"strings"
	"testing"

	m "ldap-gateway/cloud/management"
	"ldap-gateway/cloud/store"
)

// TestCallbacksAreApart: two providers with other token endpoints, of which neither says
// in its answers whose they are, have no address in common; whichever way they came to
// be so. An address that a provider has it keeps.
func TestCallbacksAreApart(t *testing.T) {
	h := open(t)
	w, ctx := h.world(), t.Context() // its provider has the common one
	by := w.as(store.RoleOwner)
	for name, c := range map[string]struct {
		change func(o *store.OIDCConfig)
		own    bool
	}{
		"the same provider": {func(*store.OIDCConfig) {}, false},
		"another endpoint":  {func(o *store.OIDCConfig) { o.TokenEndpoint = "https://other.example.com/token" }, true},
		"another case":      {func(o *store.OIDCConfig) { o.TokenEndpoint = "https://idp.example.com/Token" }, true},
		"another issuer":    {func(o *store.OIDCConfig) { o.Issuer = "https://other.example.com" }, false},
		"named answers": {func(o *store.OIDCConfig) {
			o.TokenEndpoint, o.Issuer, o.NamesIssuer = "https://third.example.com/token", "https://third.example.com", true
		}, false},
		"answers named as another's": {func(o *store.OIDCConfig) {
			o.TokenEndpoint, o.NamesIssuer = "https://other.example.com/token", true
		}, true},
	} {
		d := m.ProviderDraft{IdentityProvider: w.openID(name), Secret: "s"}
		must(t, w.CreateProvider(ctx, by, &d))
		if d.Config.OIDC.OwnCallback {
			t.Errorf("%s: its own from the start", name)
		}
		set := func(change func(*store.OIDCConfig)) bool {
			p, err := w.ChangeProvider(ctx, by, d.ID, func(d *m.ProviderDraft) error {
				change(d.Config.OIDC)
				d.Config.OIDC.OwnCallback, d.Secret = false, "s"
				return nil
			})
			must(t, err)
			return p.Config.OIDC.OwnCallback
		}
		if own := set(c.change); own != c.own {
			t.Errorf("%s: its own: %t", name, own)
		}
		last, _, err := w.Store.Activities(ctx, w.env, store.ActivityFilter{}, store.Page{Limit: 1})
		must(t, err)
		if told := strings.Contains(last[0].Text, w.RedirectURI(d.IdentityProvider)+"/"+d.ID); told != c.own {
			t.Errorf("%s: %s", name, last[0].Text)
		}
		if own := set(func(o *store.OIDCConfig) { *o = *w.provider.Config.OIDC }); own != c.own {
			t.Errorf("%s: not kept: %t", name, own)
		}
		made := m.ProviderDraft{IdentityProvider: w.openID("new " + name), Secret: "s"}
		c.change(made.Config.OIDC)
		must(t, w.CreateProvider(ctx, by, &made))
		if made.Config.OIDC.OwnCallback != c.own {
			t.Errorf("%s: made with its own: %t", name, made.Config.OIDC.OwnCallback)
		}
	}
}
