package e2e

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"ldap-gateway/cloud/idp/providertest"
)

// form is one of a page, with the values that it has.
type form struct {
	method, action string
	fields         url.Values
	typed          []string // names of fields that a person fills in
}

// forms finds the forms of a page.
func (p *partners) forms(body string) (all []*form) {
	p.t.Helper()
	root, err := html.Parse(strings.NewReader(body))
	must(p.t, err)
	for n := range root.Descendants() {
		of := map[string]string{}
		for _, a := range n.Attr {
			of[a.Key] = a.Val
		}
		switch {
		case n.Data == "form":
			all = append(all, &form{strings.ToUpper(of["method"]), of["action"], url.Values{}, nil})
		case n.Data == "input" && len(all) > 0 && of["name"] != "":
			last := all[len(all)-1]
			last.fields.Set(of["name"], of["value"])
			if of["type"] == "text" || of["type"] == "password" {
				last.typed = append(last.typed, of["name"])
			}
		}
	}
	return all
}

// byForms signs somebody on as a person does, whatever pages the provider has: the
// name is the password. A form of SAML comes from another site, with no cookie of ours.
func (p *partners) byForms(c *http.Client, provider, login string) outcome {
	p.t.Helper()
	at, filled := p.address()+"/"+p.api.Environment+"/signon/idp/"+provider, url.Values(nil)
	for range 12 {
		status, to, body := p.page(c, at, filled)
		if to == "" {
			all := p.forms(body)
			if status != http.StatusOK || len(all) == 0 {
				p.t.Fatalf("%s: %d %.2000s", at, status, body)
			}
			f := all[0]
			for _, name := range f.typed {
				f.fields.Set(name, login)
			}
			to, filled = p.below(at, f.action), f.fields
			if strings.HasPrefix(to, p.address()) {
				status, to, body = p.page(p.browser(), to, filled)
				return p.arrive(c, status, to, body)
			}
		} else if filled = nil; strings.HasPrefix(to, p.address()) {
			return p.arrive(c, status, to, body)
		}
		at = to
	}
	p.t.Fatalf("no end: %s", at)
	return outcome{}
}

// below resolves a reference on a page.
func (p *partners) below(page, reference string) string {
	p.t.Helper()
	base, err := url.Parse(page)
	must(p.t, err)
	at, err := base.Parse(reference)
	must(p.t, err)
	return at.String()
}

// TestSimpleSAML answers in the ways that SimpleSAMLphp has.
func TestSimpleSAML(t *testing.T) {
	p := newPartners(t)
	at := providertest.SimpleSAML(t)
	at.Write("people.json", map[string]any{
		"alice": map[string]any{"groups": []string{"staff", "Sales, EMEA"}},
		"none":  map[string]any{"groups": []string{}},
		"less":  map[string]any{"mail": []string{"less@example.org"}},
	})
	id, _ := p.addSAML(at, "${providerAttributes.groups}", nil)
	at.WriteFile("sp.xml", p.ownMetadata(id))
	persistent := map[string]any{"NameIDFormat": "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent"}
	at.Write("answer.json", persistent)
	t.Logf("%+v", p.byForms(p.browser(), id, "alice"))
	t.Logf("%+v", p.byForms(p.browser(), id, "none"))
	t.Logf("%+v", p.byForms(p.browser(), id, "less"))
}

// TestLemonLDAP answers in the ways that LemonLDAP::NG has, of both protocols.
func TestLemonLDAP(t *testing.T) {
	p := newPartners(t)
	redirect := p.address() + "/" + p.api.Environment + "/rp/callback/openid_connect"
	client := func(id string, more map[string]any) map[string]any {
		of := map[string]any{"ClientID": id, "ClientSecret": "secret", "RedirectUris": redirect, "BypassConsent": 1, "IDTokenSignAlg": "RS256"}
		for name, value := range more {
			of[name] = value
		}
		all := map[string]any{}
		for name, value := range of {
			all["oidcRPMetaDataOptions"+name] = value
		}
		return all
	}
	at := providertest.LemonLDAP(t,
		map[string][]string{"alice": {"staff", "Sales, EMEA"}, "one": {"staff"}, "none": {}},
		map[string]map[string]any{"basic": client("basic", nil)})
	path := at.URL + "/oauth2/"
	settings := map[string]any{
		"issuer":                at.URL + "/",
		"authorizationEndpoint": path + "authorize",
		"tokenEndpoint":         path + "token",
		"jwksEndpoint":          path + "jwks",
		"userInfoEndpoint":      path + "userinfo",
	}
	id := p.addOpenID(at, "basic", "secret", "CLIENT_SECRET_BASIC", settings)
	for _, who := range []string{"alice", "one", "none"} {
		t.Logf("%+v", p.byForms(p.browser(), id, who))
	}
	saml, _ := p.addSAML(at, "${providerAttributes.groups}", nil)
	at.WriteFile("sp.xml", p.ownMetadata(saml))
	at.Restart()
	for _, who := range []string{"alice", "one", "none"} {
		t.Logf("%+v", p.byForms(p.browser(), saml, who))
	}
}
