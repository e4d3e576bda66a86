package e2e

import (
	"bytes"
	"encoding/pem"
	"fmt"
	"html"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"ldap-gateway/cloud/idp/providertest"
)

// partners is a cloud alone, whose people sign on at identity providers.
type partners struct {
	*world
	population string
	said       []string // codes and documents of providers, as the browser carried them
}

func newPartners(t *testing.T) *partners {
	t.Helper()
	w := &world{t: t, dir: t.TempDir(), flags: []string{"--provider-network", "127.0.0.0/8"}}
	w.initCloud()
	w.startCloud("127.0.0.1:0")
	p := &partners{world: w}
	var list struct {
		Embedded struct{ Populations []struct{ ID string } } `json:"_embedded"`
	}
	w.must("GET", "/populations", nil, &list)
	p.population = list.Embedded.Populations[0].ID
	return p
}

// browser keeps cookies, and stays where it is told to go.
func (p *partners) browser() *http.Client {
	jar, err := cookiejar.New(nil)
	must(p.t, err)
	stay := func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &http.Client{Jar: jar, CheckRedirect: stay}
}

// page reads an address, or posts a form to it.
func (p *partners) page(c *http.Client, address string, form url.Values) (status int, to, body string) {
	p.t.Helper()
	method, content := http.MethodGet, io.Reader(nil)
	if form != nil {
		method, content = http.MethodPost, strings.NewReader(form.Encode())
	}
	r, err := http.NewRequestWithContext(p.t.Context(), method, address, content)
	must(p.t, err)
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	answer, err := c.Do(r)
	must(p.t, err)
	defer answer.Body.Close()
	b, err := io.ReadAll(answer.Body)
	must(p.t, err)
	if at, err := answer.Location(); err == nil {
		to = at.String()
	}
	return answer.StatusCode, to, string(b)
}

// begin starts a sign-on and returns where the browser is sent.
func (p *partners) begin(c *http.Client, provider string) string {
	p.t.Helper()
	status, to, body := p.page(c, p.address()+"/"+p.api.Environment+"/signon/idp/"+provider, nil)
	if to == "" {
		p.t.Fatalf("%d %s", status, body)
	}
	return to
}

// outcome is how a sign-on ended: the user's groups, or why nobody was signed on.
type outcome struct {
	user, groups, verdict, refused string
}

// last reads how the newest sign-on ended.
func (p *partners) last() (o outcome) {
	p.t.Helper()
	var list struct {
		Embedded struct {
			SignOns []struct {
				Outcome    string
				User       struct{ ID string }
				Membership struct{ Verdict string }
			}
		} `json:"_embedded"`
	}
	p.must("GET", "/signOns?limit=1", nil, &list)
	so := list.Embedded.SignOns[0]
	o.user, o.verdict = so.User.ID, so.Membership.Verdict
	var all []string
	for _, g := range p.groupsOf(so.User.ID) {
		all = append(all, g.DisplayName)
	}
	slices.Sort(all)
	o.groups = strings.Join(all, "|")
	return o
}

// arrive follows what comes after the provider's answer.
func (p *partners) arrive(c *http.Client, status int, to, body string) outcome {
	p.t.Helper()
	for to != "" {
		status, to, body = p.page(c, to, nil)
	}
	if status == http.StatusOK && strings.Contains(body, "You are signed on") {
		return p.last()
	}
	return outcome{refused: fmt.Sprintf("%d %s", status, body)}
}

var formAction = regexp.MustCompile(`action="([^"]+)"`)

// byOpenID signs somebody on at npm's oidc-provider.
func (p *partners) byOpenID(provider, login string) outcome {
	p.t.Helper()
	c := p.browser()
	at := p.begin(c, provider)
	for range 8 {
		status, to, body := p.page(c, at, nil)
		for to == "" && status == http.StatusOK {
			action := formAction.FindStringSubmatch(body)
			if action == nil {
				p.t.Fatalf("%d %.400s", status, body)
			}
			form := url.Values{"prompt": {"consent"}}
			if strings.Contains(body, `value="login"`) {
				form = url.Values{"prompt": {"login"}, "login": {login}, "password": {"x"}}
			}
			status, to, body = p.page(c, html.UnescapeString(action[1]), form)
		}
		if strings.HasPrefix(to, p.address()) {
			back, err := url.Parse(to)
			must(p.t, err)
			p.said = append(p.said, back.Query().Get("code"))
			return p.arrive(c, status, to, "")
		}
		if at = to; at == "" {
			p.t.Fatalf("%d %.400s", status, body)
		}
	}
	p.t.Fatal("no end")
	return outcome{}
}

// bySAML signs somebody on at a SAML provider, whose form is posted as from another site.
func (p *partners) bySAML(provider, login string) outcome {
	p.t.Helper()
	c := p.browser()
	_, to, body := p.page(c, p.address()+"/"+p.api.Environment+"/signon/idp/"+provider, nil)
	var status int
	if to != "" {
		status, _, body = p.page(c, to+"&user="+login, nil)
	} else { // the binding is POST
		form := url.Values{"SAMLRequest": {p.field(body, "SAMLRequest")}, "RelayState": {p.field(body, "RelayState")}, "user": {login}}
		status, _, body = p.page(c, formURL(body), form)
	}
	if status != http.StatusOK {
		p.t.Fatalf("%d %s", status, body)
	}
	form := url.Values{"SAMLResponse": {p.field(body, "SAMLResponse")}, "RelayState": {p.field(body, "RelayState")}}
	p.said = append(p.said, form.Get("SAMLResponse"))
	nobody := p.browser() // such a POST brings no cookie
	status, to, body = p.page(nobody, formURL(body), form)
	return p.arrive(c, status, to, body)
}

// field returns a field of the form on a page.
func (p *partners) field(body, name string) string {
	p.t.Helper()
	found := regexp.MustCompile(`name="` + name + `"[^>]*value="([^"]*)"`).FindStringSubmatch(body)
	if found == nil {
		p.t.Fatalf("no %s: %.600s", name, body)
	}
	return html.UnescapeString(found[1])
}

func formURL(body string) string { return html.UnescapeString(formAction.FindStringSubmatch(body)[1]) }

// addOpenID makes a provider of one of its clients.
func (p *partners) addOpenID(at *providertest.Provider, client, secret, way string, more map[string]any) string {
	p.t.Helper()
	form := map[string]any{
		"name":                    "OpenID " + client,
		"type":                    "OPENID_CONNECT",
		"enabled":                 true,
		"issuer":                  at.URL,
		"authorizationEndpoint":   at.URL + "/auth",
		"tokenEndpoint":           at.URL + "/token",
		"jwksEndpoint":            at.URL + "/jwks",
		"userInfoEndpoint":        at.URL + "/me",
		"clientId":                client,
		"scopes":                  []string{"openid", "email", "profile", "groups"},
		"tokenEndpointAuthMethod": way,
		"registration":            map[string]any{"population": map[string]string{"id": p.population}},
	}
	if secret != "" {
		form["clientSecret"] = secret
	}
	for name, value := range more {
		form[name] = value
	}
	var made struct{ ID string }
	p.must("POST", "/identityProviders", form, &made)
	p.mapGroups(made.ID, "${providerAttributes.groups}")
	return made.ID
}

func (p *partners) mapGroups(provider, claim string) {
	p.t.Helper()
	p.must("POST", "/identityProviders/"+provider+"/attributes", map[string]string{
		"name":   "memberOfExternalGroups",
		"value":  claim,
		"update": "ALWAYS",
	}, nil)
}

func person(part string, claims map[string]any) map[string]any { return map[string]any{part: claims} }

// TestOpenIDConnectProvider: npm's certified provider, with every way of ours to prove
// ourselves, algorithms, and people of odd claims.
func TestOpenIDConnectProvider(t *testing.T) {
	p := newPartners(t)
	at := providertest.OpenID(t, p.address()+"/"+p.api.Environment+"/rp/callback/openid_connect")
	groups := func(list any) map[string]any { return map[string]any{"groups": list} }
	at.Write("people.json", map[string]any{
		"alice":  person("both", groups([]string{"staff", "Sales, EMEA"})),
		"one":    person("both", groups("staff")),
		"none":   person("both", groups([]string{})),
		"absent": map[string]any{},
		"info":   person("userinfo", groups([]string{"info"})),
		"differ": map[string]any{"id_token": groups([]string{"a"}), "userinfo": groups([]string{"a", "b"})},
		"over":   person("both", map[string]any{"hasgroups": true}),
	})
	const long = "a secret of more than thirty-two characters"
	basic := p.addOpenID(at, "basic", "secret", "CLIENT_SECRET_BASIC", map[string]any{"alwaysUserInfo": true})
	for who, want := range map[string]outcome{
		"alice":  {groups: "Sales, EMEA|staff", verdict: "complete"},
		"one":    {groups: "staff", verdict: "complete"},
		"none":   {verdict: "complete"},
		"absent": {verdict: "unknown"},
		"info":   {groups: "info", verdict: "complete"},
		"differ": {groups: "a|b", verdict: "complete"},
		"over":   {verdict: "partial"},
	} {
		if got := p.byOpenID(basic, who); got.groups != want.groups || got.verdict != want.verdict || got.refused != "" {
			t.Errorf("%s: %+v", who, got)
		}
	}
	for client, how := range map[string][]string{
		"post":       {"secret", "CLIENT_SECRET_POST"},
		"jwt":        {long, "CLIENT_SECRET_JWT"},
		"public":     {"", "NONE"},
		"es256":      {"secret", "CLIENT_SECRET_BASIC"},
		"ps256":      {"secret", "CLIENT_SECRET_BASIC"},
		"signedinfo": {"secret", "CLIENT_SECRET_BASIC"},
		"hs256":      {long, "CLIENT_SECRET_BASIC"},
	} {
		id := p.addOpenID(at, client, how[0], how[1], map[string]any{"alwaysUserInfo": true})
		got := p.byOpenID(id, client+"-person")
		if (got.refused == "") == (client == "hs256") {
			t.Errorf("%s: %+v", client, got)
		}
	}
	for _, how := range []string{"soft", "hard"} {
		at.Rotate(how)
		if got := p.byOpenID(basic, "alice"); got.groups != "Sales, EMEA|staff" {
			t.Errorf("%s rotation: %+v", how, got)
		}
	}
	wrong := p.addOpenID(at, "basic", "another secret", "CLIENT_SECRET_BASIC", map[string]any{"name": "wrong secret"})
	if got := p.byOpenID(wrong, "alice"); got.refused == "" {
		t.Errorf("%+v", got)
	}
}

// metadataOf reads a provider's metadata.
func (p *partners) metadataOf(at *providertest.Provider) []byte {
	p.t.Helper()
	status, _, body := p.page(p.browser(), at.Described, nil)
	if status != http.StatusOK {
		p.t.Fatalf("%d %s", status, body)
	}
	return []byte(body)
}

// send sends a body that is no JSON to the API.
func (p *partners) send(path, kind string, body []byte, out any) {
	p.t.Helper()
	must(p.t, p.api.Post(p.t.Context(), path, kind, body, out))
}

// addSAML makes a provider of its metadata, gives it a key of ours, and enables it.
func (p *partners) addSAML(at *providertest.Provider, claim string, more map[string]any) (id string, certificate []byte) {
	p.t.Helper()
	var made map[string]any
	p.send("/identityProviders", "application/samlmetadata+xml", p.metadataOf(at), &made)
	var key struct {
		ID   string
		X509 []byte `json:"x509Certificate"`
	}
	p.must("POST", "/keys", map[string]string{"name": "ours"}, &key)
	made["enabled"] = true
	made["registration"] = map[string]any{"population": map[string]string{"id": p.population}}
	made["spSigning"] = map[string]any{"key": map[string]string{"id": key.ID}}
	made["authnRequestSigned"] = true
	for name, value := range more {
		made[name] = value
	}
	id = made["id"].(string)
	p.must("PUT", "/identityProviders/"+id, made, nil)
	p.mapGroups(id, claim)
	return id, key.X509
}

// ownMetadata is ours, as the provider's administrator reads it.
func (p *partners) ownMetadata(id string) []byte {
	p.t.Helper()
	status, _, body := p.page(p.browser(), p.address()+"/"+p.api.Environment+"/saml20/sp/metadata/"+id, nil)
	if status != http.StatusOK {
		p.t.Fatalf("%d %s", status, body)
	}
	return []byte(body)
}

// TestPysaml2 answers in the ways that pysaml2 has, to signed requests.
func TestPysaml2(t *testing.T) {
	p := newPartners(t)
	at := providertest.Pysaml2(t)
	at.Write("answer.json", map[string]any{"certs": []int{1, 2}})
	at.Write("people.json", map[string]any{
		"alice": map[string]any{"groups": []string{"staff", "Sales, EMEA"}},
		"none":  map[string]any{"uid": "none"},
	})
	id, _ := p.addSAML(at, "${providerAttributes.groups}", nil)
	at.WriteFile("sp.xml", p.ownMetadata(id))
	first := ""
	for _, c := range []struct {
		answer map[string]any
		taken  bool
	}{
		{map[string]any{"sign": "assertion"}, true},
		{map[string]any{"sign": "response"}, true},
		{map[string]any{"sign": "both"}, true},
		{map[string]any{"sign": "assertion", "cert": 2}, true},
		{map[string]any{"sign": "none"}, false},
		{map[string]any{"sign": "assertion", "alg": "sha1"}, false},
		{map[string]any{"sign": "assertion", "nameid": "transient"}, false},
		{map[string]any{"sign": "assertion", "encrypt": true}, false}, // by 3DES
	} {
		at.Write("answer.json", c.answer)
		got := p.bySAML(id, "alice")
		if (got.refused == "") != c.taken || c.taken && (got.groups != "Sales, EMEA|staff" || got.verdict != "complete") {
			t.Errorf("%v: %+v", c.answer, got)
		}
		if first == "" {
			first = got.user
		}
		if c.taken && got.user != first {
			t.Errorf("%v: another user", c.answer)
		}
	}
	// Requests by POST, which pysaml2 wants signed then.
	at.Write("answer.json", map[string]any{"sign": "assertion", "wantSigned": true})
	var now map[string]any
	p.must("GET", "/identityProviders/"+id, nil, &now)
	now["ssoBinding"], now["ssoEndpoint"] = "HTTP_POST", at.URL+"/sso/post"
	p.must("PUT", "/identityProviders/"+id, now, nil)
	if got := p.bySAML(id, "alice"); got.user != first {
		t.Errorf("%+v", got)
	}
	now["authnRequestSigned"] = false
	p.must("PUT", "/identityProviders/"+id, now, nil)
	at.Write("answer.json", map[string]any{"sign": "assertion"})
	if got := p.bySAML(id, "none"); got.verdict != "unknown" || got.refused != "" {
		t.Errorf("%+v", got)
	}
}

// TestSamlp answers in the ways that Auth0's samlp has, encrypted too.
func TestSamlp(t *testing.T) {
	p := newPartners(t)
	at := providertest.Samlp(t, p.address()+"/"+p.api.Environment+"/saml20/sp/acs")
	at.Write("people.json", map[string]any{
		"alice": map[string]any{"groups": []string{"staff", "Sales, EMEA"}},
		"one":   map[string]any{"groups": "staff"},
	})
	id, certificate := p.addSAML(at, "${providerAttributes['http://schemas.xmlsoap.org/claims/Group']}", nil)
	at.WriteFile("sp.pem", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate}))
	for _, c := range []struct {
		answer map[string]any
		taken  bool
	}{
		{map[string]any{"signAssertion": true}, true},
		{map[string]any{"signAssertion": false, "signResponse": true}, true},
		{map[string]any{"signAssertion": true, "signResponse": true}, true},
		{map[string]any{"signAssertion": true, "encrypt": true}, true},
		{map[string]any{"signAssertion": false}, false},
		{map[string]any{"signAssertion": true, "signatureAlgorithm": "rsa-sha1", "digestAlgorithm": "sha1"}, false},
	} {
		at.Write("answer.json", c.answer)
		got := p.bySAML(id, "alice")
		if (got.refused == "") != c.taken || c.taken && got.groups != "Sales, EMEA|staff" {
			t.Errorf("%v: %+v", c.answer, got)
		}
	}
	at.Write("answer.json", map[string]any{"signAssertion": true})
	if got := p.bySAML(id, "one"); got.groups != "staff" {
		t.Errorf("%+v", got)
	}
}

// TestCertificateIsUploaded as a multipart form, as other clients do.
func TestCertificateIsUploaded(t *testing.T) {
	p := newPartners(t)
	at := providertest.Pysaml2(t)
	found := regexp.MustCompile(`X509Certificate>([^<]+)<`).FindSubmatch(p.metadataOf(at))
	text := "-----BEGIN CERTIFICATE-----\n" + string(found[1]) + "\n-----END CERTIFICATE-----\n"
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	file, err := form.CreateFormFile("file", "idp.pem")
	must(t, err)
	_, err = io.WriteString(file, text)
	must(t, err)
	must(t, form.WriteField("usageType", "SIGNING"))
	must(t, form.Close())
	var made struct{ ID, Status, UsageType, Algorithm string }
	p.send("/certificates", form.FormDataContentType(), body.Bytes(), &made)
	if made.Status != "VALID" || made.UsageType != "SIGNING" || made.Algorithm != "RSA" {
		t.Errorf("%+v", made)
	}
}
