package presets_test

import (
	"regexp"
	"strings"
	"testing"

	"ldap-gateway/cloud/presets"
	"ldap-gateway/cloud/store"
)

// toFillIn is where somebody puts the secret.
var toFillIn = regexp.MustCompile(`\bSECRET\b`)

// TestPresets holds each to what an application needs, with addresses of several forms.
func TestPresets(t *testing.T) {
	seen := map[string]bool{}
	for _, p := range presets.All() {
		if seen[p.ID] || p.ID == "" || p.Name == "" || p.Where == "" || len(p.Redirects) == 0 {
			t.Errorf("%+v", p)
		}
		seen[p.ID] = true
		if got, ok := presets.Of(p.ID); !ok || got.Name != p.Name {
			t.Errorf("%s is not found", p.ID)
		}
		for address, want := range map[string]string{
			"":                              p.At,
			"https://x.example":             "https://x.example",
			" https://x.example/ ":          "https://x.example",
			"https://x.example:8443/under/": "https://x.example:8443/under",
		} {
			var a store.Application
			p.Fill(&a, address)
			a.ID = "the-client"
			if a.RedirectURIs[0] != want+p.Redirects[0] || a.OpenID.Preset != p.ID || a.Type != p.Type {
				t.Errorf("%s at %q: %+v", p.ID, address, a)
			}
			if a.Public() && a.PKCE() != store.PKCES256 || a.Groups.Value == "" {
				t.Errorf("%s: %+v", p.ID, a)
			}
			for _, secret := range []string{"", "the-secret"} {
				text, err := p.Lines(a, "https://id.example/e/as", secret)
				if err != nil || strings.Contains(text, "<no value>") || !strings.Contains(text, "https://id.example/e/as") ||
					!strings.Contains(text, "the-client") {
					t.Errorf("%s: %v\n%s", p.ID, err, text)
				}
				if !a.Public() && toFillIn.MatchString(text) != (secret == "") || a.Public() && strings.Contains(text, "the-secret") {
					t.Errorf("%s with the secret %q:\n%s", p.ID, secret, text)
				}
			}
		}
		// An application whose addresses were changed since has lines, too.
		a := store.Application{OpenID: store.OpenID{Preset: p.ID}, RedirectURIs: []string{"https://y.example/elsewhere?x"}}
		if _, err := p.Lines(a, "i", ""); err != nil {
			t.Errorf("%s: %v", p.ID, err)
		}
		if _, err := p.Lines(store.Application{}, "i", ""); err != nil {
			t.Errorf("%s without addresses: %v", p.ID, err)
		}
	}
	if _, ok := presets.Of("none"); ok {
		t.Error("there is a preset that is none")
	}
}

// What the lines seal by themselves is another each time.
func TestRandomIsNew(t *testing.T) {
	p, _ := presets.Of("oauth2-proxy")
	one, err1 := p.Lines(store.Application{}, "i", "s")
	two, err2 := p.Lines(store.Application{}, "i", "s")
	if one == two || err1 != nil || err2 != nil {
		t.Error(one, err1, err2)
	}
}
