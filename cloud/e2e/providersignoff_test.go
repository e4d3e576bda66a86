package e2e

import (
	"html"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"ldap-gateway/cloud/idp/providertest"
)

var choiceLink = regexp.MustCompile(`class="choice" href="([^"]+)"`)

// signOff signs off here, and returns where the page leads to; empty: nowhere.
func (p *partners) signOff(c *http.Client) (there string) {
	p.t.Helper()
	at := p.address() + "/" + p.api.Environment + "/signon"
	status, _, body := p.page(c, at+"/off", url.Values{})
	if status != http.StatusOK || !strings.Contains(body, "You are signed off") {
		p.t.Fatalf("%d %s", status, body)
	}
	status, to, again := p.page(c, at, nil)
	if status != http.StatusOK || to != "" || !strings.Contains(again, "Continue with") {
		p.t.Errorf("signing on again leads to %q: %d %s", to, status, again)
	}
	found := choiceLink.FindStringSubmatch(body)
	if found == nil {
		return ""
	}
	return html.UnescapeString(found[1])
}

// signsOff signs one person off here and at the only provider, and another one on.
func (p *partners) signsOff(provider, first, second string) (c *http.Client) {
	p.t.Helper()
	c = p.browser()
	one, asked := p.byForms(c, p.address()+"/"+p.api.Environment+"/signon", first)
	if one.user == "" || asked == 0 {
		p.t.Fatalf("%+v", one)
	}
	p.signOff(c)
	if same, asked := p.byForms(c, p.at(provider), second); same.user != one.user || asked != 0 {
		p.t.Errorf("the session at the provider is over: %+v", same)
	}
	there := p.signOff(c)
	back, _ := p.byForms(c, there, "")
	if !strings.Contains(back.refused, "You are signed off") || strings.Contains(back.refused, "may still be") {
		p.t.Errorf("%s: %s", there, back.refused)
	}
	other, asked := p.byForms(c, p.at(provider), second)
	if other.user == "" || other.user == one.user || asked == 0 {
		p.t.Errorf("%+v", other)
	}
	return c
}

// TestSignOffAtTheProvider (OpenID Connect RP-Initiated Logout), of two makes: after our
// own sign-off nobody is signed on again without a word, and the page leads on.
func TestSignOffAtTheProvider(t *testing.T) {
	t.Run("oidc-provider", func(t *testing.T) {
		p := newPartners(t)
		at := providertest.OpenID(t, p.address()+"/"+p.api.Environment+"/rp/callback/openid_connect")
		id := p.addOpenID(at, "basic", "secret", "CLIENT_SECRET_BASIC", map[string]any{"endSessionEndpoint": at.URL + "/session/end"})
		c := p.signsOff(id, "alice", "bob")
		p.signOff(c)
		anew, asked := p.byForms(c, p.at(id)+"?anew=1", "carol")
		if anew.user == "" || asked == 0 {
			t.Errorf("nobody was asked anew: %+v", anew)
		}
	})
	t.Run("lemonldap", func(t *testing.T) {
		p := newPartners(t)
		off := map[string]any{"PostLogoutRedirectUris": p.address() + "/" + p.api.Environment + "/signon/off"}
		at := providertest.LemonLDAP(t, map[string][]string{"alice": nil, "bob": nil}, map[string]map[string]any{"basic": p.lemonClient("basic", off)})
		id := p.addLemon(at, "basic", "secret", "CLIENT_SECRET_BASIC", map[string]any{"endSessionEndpoint": at.URL + "/oauth2/logout"})
		p.signsOff(id, "alice", "bob")
	})
	t.Run("saml", func(t *testing.T) {
		p := newPartners(t)
		at := providertest.SimpleSAML(t)
		at.Write("people.json", map[string]any{"alice": map[string]any{}})
		id, _ := p.addSAML(at, "${providerAttributes.groups}", nil)
		at.WriteFile("sp.xml", p.ownMetadata(id))
		c := p.browser()
		if got, _ := p.byForms(c, p.at(id), "alice"); got.user == "" {
			t.Fatalf("%+v", got)
		}
		if there := p.signOff(c); there != "" {
			t.Errorf("%s", there)
		}
		if got, asked := p.byForms(c, p.at(id)+"?anew=1", "alice"); got.user == "" || asked == 0 {
			t.Errorf("%+v", got)
		}
	})
}
