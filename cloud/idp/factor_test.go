package idp_test

import (
	"fmt"
	"testing"

	"ldap-gateway/cloud/idp/idptest"
	"ldap-gateway/cloud/store"
)

// TestSecondFactorOfSAML counts where the provider is trusted with it and says that there was one, by the class
// of its context or, as Microsoft's do, by an attribute.
func TestSecondFactorOfSAML(t *testing.T) {
	const microsoft = "http://schemas.microsoft.com/claims/"
	for i, c := range []struct {
		trusted    bool
		class      string
		attributes string
		want       store.Factor
	}{
		{true, "", "", ""},
		{true, "https://refeds.org/profile/mfa", "", store.FactorProvider},
		{false, "https://refeds.org/profile/mfa", "", ""},
		{true, " urn:oasis:names:tc:SAML:2.0:ac:classes:TimeSyncToken ", "", store.FactorProvider},
		{true, "urn:oasis:names:tc:SAML:2.0:ac:classes:Kerberos", "", ""},
		{true, "", idptest.Attribute(microsoft+"authnmethodsreferences", microsoft+"multipleauthn"), store.FactorProvider},
		{false, "", idptest.Attribute(microsoft+"authnmethodsreferences", microsoft+"multipleauthn"), ""},
		{true, "", idptest.Attribute("groups", microsoft+"multipleauthn", "https://refeds.org/profile/mfa", "mfa"), ""},
	} {
		w := build(t)
		w.saml.Config.TrustsFactor = c.trusted
		w.must(w.Store.UpdateIdentityProvider(t.Context(), &w.saml))
		b := browser{}
		l, relay := w.letter(b)
		l.ID, l.Class = fmt.Sprint("_f", i), c.class
		l.Attributes += c.attributes
		key, err := w.taken(w.Desk, w.env.ID, form(w.keys.Good(l), relay))
		w.must(err)
		a, err := w.Arrive(t.Context(), w.env.ID, key, b.all, "")
		w.must(err)
		if a.Factor != c.want {
			t.Errorf("%+v: %q", c, a.Factor)
		}
	}
}
