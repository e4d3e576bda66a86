package e2e

import (
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"ldap-gateway/cloud/idp/providertest"
)

// form is one of a page, with the values that it has.
type form struct {
	action  string
	fields  url.Values
	typed   []string // names of fields that a person fills in
	pressed bool     // a button was
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
			all = append(all, &form{action: of["action"], fields: url.Values{}})
		case n.Data == "input" && len(all) > 0 && of["name"] != "":
			last := all[len(all)-1]
			last.fields.Set(of["name"], of["value"])
			if of["type"] == "text" || of["type"] == "password" {
				last.typed = append(last.typed, of["name"])
			}
		case n.Data == "button" && len(all) > 0 && of["name"] != "" && !all[len(all)-1].pressed:
			last := all[len(all)-1]
			last.pressed = true // the first is the one that goes on
			last.fields.Set(of["name"], of["value"])
		}
	}
	return all
}

// byForms signs somebody on as a person does, whatever pages a provider has, from an
// address of ours on: the name is the password. A form of SAML comes from another site,
// with no cookie of ours.
func (p *partners) byForms(c *http.Client, at, login string) (o outcome, asked int) {
	p.t.Helper()
	filled := url.Values(nil)
	for range 12 {
		status, to, body := p.page(c, at, filled)
		if filled = nil; to != "" {
			if strings.HasPrefix(to, p.address()) && !strings.HasPrefix(at, p.address()) {
				return p.arrive(c, status, to, body), asked
			}
			at = to
			continue
		}
		all := p.forms(body)
		if status != http.StatusOK || len(all) == 0 {
			return outcome{refused: fmt.Sprintf("%d %s", status, body)}, asked
		}
		for _, name := range all[0].typed {
			asked++
			all[0].fields.Set(name, login)
		}
		at, filled = p.below(at, all[0].action), all[0].fields
		if strings.HasPrefix(at, p.address()) {
			status, to, body = p.page(p.browser(), at, filled)
			return p.arrive(c, status, to, body), asked
		}
	}
	p.t.Fatalf("no end: %s", at)
	return o, asked
}

// at is where a sign-on at a provider begins.
func (p *partners) at(provider string) string {
	return p.address() + "/" + p.api.Environment + "/signon/idp/" + provider
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

// answers has a person sign on once for each way in which a provider can answer. Those
// that are taken are one user.
func (p *partners) answers(provider, login string, ways []way) {
	p.t.Helper()
	first := ""
	for _, w := range ways {
		w.set()
		got, asked := p.byForms(p.browser(), p.at(provider), login)
		switch {
		case (got.refused == "") != w.taken || asked == 0:
			p.t.Errorf("%s: %+v", w.name, got)
		case w.taken && (got.groups != "Sales, EMEA|staff" || got.verdict != "complete"):
			p.t.Errorf("%s: %+v", w.name, got)
		case w.taken && first != "" && got.user != first:
			p.t.Errorf("%s: another user", w.name)
		case w.taken:
			first = got.user
		}
	}
}

// way is one in which a provider can answer.
type way struct {
	name  string
	set   func()
	taken bool
}

// follows has a provider obey what applications want of it: to ask anew, and not to ask.
func (p *partners) follows(login string) {
	p.t.Helper()
	a := p.application("wishes", nil)
	begin := func(c *http.Client, wish string) string {
		_, to, _ := p.page(c, a.url+"/", nil)
		return to + "&" + wish
	}
	c := p.browser()
	for _, step := range []struct {
		wish, says string
		asks       bool
	}{
		{"prompt=none", "login_required", false},
		{"", `"sub"`, true},
		{"prompt=login", `"sub"`, true},
		{"max_age=3600", `"sub"`, false},
		{"prompt=none", `"sub"`, false},
	} {
		got, asked := p.byForms(c, begin(c, step.wish), login)
		if !strings.Contains(got.refused, step.says) || (asked > 0) != step.asks {
			p.t.Errorf("%q: asked %d times, %.300s", step.wish, asked, got.refused)
		}
	}
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
	p.follows("less")
	how := func(taken bool, settings map[string]any) way {
		return way{fmt.Sprint(settings), func() { at.Write("answer.json", settings) }, taken}
	}
	const response, assertion = "saml20.sign.response", "saml20.sign.assertion"
	const encrypted = "assertion.encryption"
	p.answers(id, "alice", []way{
		how(true, map[string]any{}),
		how(true, map[string]any{response: false, assertion: true}),
		how(true, map[string]any{response: true, assertion: false}),
		how(true, map[string]any{"signature.algorithm": "http://www.w3.org/2001/04/xmldsig-more#rsa-sha512"}),
		how(false, map[string]any{"signature.algorithm": "http://www.w3.org/2000/09/xmldsig#rsa-sha1"}),
		how(true, map[string]any{encrypted: true}),
		how(false, map[string]any{encrypted: true, response: false}), // by CBC
		how(true, map[string]any{"nameid.encryption": true}),
		how(true, map[string]any{"attributes.NameFormat": "urn:oasis:names:tc:SAML:2.0:attrname-format:uri"}),
	})
	for who, verdict := range map[string]string{"none": "complete", "less": "unknown"} {
		if got, _ := p.byForms(p.browser(), p.at(id), who); got.groups != "" || got.verdict != verdict {
			t.Errorf("%s: %+v", who, got)
		}
	}
}

// lemonClient is a client of LemonLDAP::NG's, with its secret.
func (p *partners) lemonClient(id string, more map[string]any) map[string]any {
	settings := map[string]any{
		"ClientID":       id,
		"ClientSecret":   "secret",
		"RedirectUris":   p.address() + "/" + p.api.Environment + "/rp/callback/openid_connect",
		"BypassConsent":  1,
		"IDTokenSignAlg": "RS256",
	}
	maps.Copy(settings, more)
	return prefixed("oidcRPMetaDataOptions", settings)
}

// addLemon makes LemonLDAP::NG a provider.
func (p *partners) addLemon(at *providertest.Provider, client, secret, way string, more map[string]any) string {
	p.t.Helper()
	settings := map[string]any{
		"issuer":                at.URL + "/",
		"authorizationEndpoint": at.URL + "/oauth2/authorize",
		"tokenEndpoint":         at.URL + "/oauth2/token",
		"jwksEndpoint":          at.URL + "/oauth2/jwks",
		"userInfoEndpoint":      at.URL + "/oauth2/userinfo",
	}
	maps.Copy(settings, more)
	return p.addOpenID(at, client, secret, way, settings)
}

func prefixed(prefix string, settings map[string]any) map[string]any {
	all := map[string]any{}
	for name, value := range settings {
		all[prefix+name] = value
	}
	return all
}

// TestLemonLDAP answers in the ways that LemonLDAP::NG has, of both protocols.
func TestLemonLDAP(t *testing.T) {
	p := newPartners(t)
	clients := []struct {
		id, way string
		taken   bool
		more    map[string]any
	}{
		{"basic", "CLIENT_SECRET_BASIC", true, nil},
		{"post", "CLIENT_SECRET_POST", true, map[string]any{"IDTokenSignAlg": "RS512", "IDTokenForceClaims": 1, "AccessTokenJWT": 1}},
		{"public", "NONE", true, map[string]any{"Public": 1, "RequirePKCE": 1, "UserInfoSignAlg": "RS256"}},
		{"several", "CLIENT_SECRET_BASIC", true, map[string]any{"AdditionalAudiences": "other", "RefreshToken": 1}},
		{"mac", "CLIENT_SECRET_BASIC", false, map[string]any{"IDTokenSignAlg": "HS512"}},
		{"infomac", "CLIENT_SECRET_BASIC", false, map[string]any{"UserInfoSignAlg": "HS512"}},
	}
	people := map[string][]string{"alice": {"staff", "Sales, EMEA"}, "none": {}}
	known := map[string]map[string]any{}
	for _, c := range clients {
		people[c.id] = people["alice"]
		known[c.id] = p.lemonClient(c.id, c.more)
	}
	at := providertest.LemonLDAP(t, people, known)
	for i, c := range clients {
		secret := map[bool]string{false: "secret"}[c.way == "NONE"]
		id := p.addLemon(at, c.id, secret, c.way, nil)
		p.answers(id, c.id, []way{{c.id, func() {}, c.taken}})
		if got, _ := p.byForms(p.browser(), p.at(id), "none"); i == 0 && got.verdict != "unknown" {
			t.Errorf("%+v", got)
		}
	}
	p.lemonSAML(at)
}

// lemonSAML has LemonLDAP::NG answer by SAML.
func (p *partners) lemonSAML(at *providertest.Provider) {
	p.t.Helper()
	id, _ := p.addSAML(at, "${providerAttributes.groups}", nil)
	at.WriteFile("sp.xml", p.ownMetadata(id))
	how := func(taken bool, settings map[string]any) way {
		return way{fmt.Sprint(settings), func() {
			at.Write("answer.json", prefixed("samlSPMetaDataOptions", settings))
			at.Restart()
		}, taken}
	}
	p.answers(id, "alice", []way{
		how(true, map[string]any{"OneTimeUse": 1, "EncryptionMode": "assertion"}),
		how(true, map[string]any{"EncryptionMode": "nameid"}),
		how(false, map[string]any{"SignatureMethod": "RSA_SHA1"}),
	})
}
