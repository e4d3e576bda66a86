package samlidp_test

import (
	"encoding/base64"
	"fmt"
	"html"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"ldap-gateway/cloud/idp/idptest"
	"ldap-gateway/cloud/samlidp"
	"ldap-gateway/cloud/store"
)

// begins tells whether a place is the sign-on page of a wish that was taken.
func (s *site) begins(p place) bool {
	return p.status == http.StatusOK && p.url.Path == "/"+s.env+"/signon" && p.url.Query().Get("flow") != ""
}

// refused wants a page of ours that leads an administrator on, and nothing sent anywhere.
func (s *site) refused(t *testing.T, name string, p place) {
	t.Helper()
	if p.status < 400 || p.status >= 500 || p.hidden()["SAMLResponse"] != "" || !strings.HasPrefix(p.url.String(), s.url) {
		t.Errorf("%s: %d %s\n%s", name, p.status, p.url, p.page)
		return
	}
	if p.status == http.StatusRequestEntityTooLarge {
		return
	}
	id := uuidShown.FindString(paragraphs(p.page))
	if id == "" || !strings.Contains(s.log.String(), id) {
		t.Errorf("%s: no ID that is in the log: %s", name, p.page)
	}
	found, _, err := s.db.Activities(t.Context(), strings.Split(p.url.Path, "/")[1], store.ActivityFilter{Text: id, Action: "application.refused"}, store.Page{})
	if err != nil || (len(found) == 1) != strings.Contains(p.page, "in Activity under") {
		t.Errorf("%s: the page says where it is not: %v, %v\n%s", name, found, err, p.page)
	}
	for _, lang := range []string{"de", "fr", "es"} {
		page := s.askedIn(lang)
		if left := english.FindString(paragraphs(page)); left != "" || !strings.Contains(page, `<html lang="`+lang+`">`) {
			t.Errorf("%s in %s says %q: %s", name, lang, left, page)
		}
	}
}

var (
	uuidShown = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f-]{27}`)
	// english is what no page in another language has: its words, and stops that follow each other.
	english = regexp.MustCompile(`(?i)\b(the|that|your|which|here|again|wants?)\b|\.\)\.|\.\.`)
)

// paragraphs are what a page says.
func paragraphs(page string) string {
	return strings.Join(regexp.MustCompile(`<p[ >].*</p>`).FindAllString(page, -1), "\n")
}

// TestRequests: what is taken, and what is not, by both bindings.
func TestRequests(t *testing.T) {
	s := start(t)
	for name, c := range map[string]struct {
		change func(*ask)
		taken  bool
	}{
		"plain":          {func(*ask) {}, true},
		"no destination": {func(a *ask) { a.destination = "" }, true},
		"ACS":            {func(a *ask) { a.attributes = `AssertionConsumerServiceURL="` + other + `"` }, true},
		"ACS index":      {func(a *ask) { a.attributes = `AssertionConsumerServiceIndex="1"` }, true},
		"e-mail wanted": {func(a *ask) {
			a.inner = `<samlp:NameIDPolicy Format="urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress"/>`
		}, true},
		"extensions":          {func(a *ask) { a.inner = `<samlp:Extensions><x xmlns="u:x">1</x></samlp:Extensions>` }, true},
		"two minutes ahead":   {func(a *ask) { a.at = s.now().Add(2 * time.Minute).UTC().Format(time.RFC3339) }, true},
		"four minutes old":    {func(a *ask) { a.at = s.now().Add(-4 * time.Minute).UTC().Format(time.RFC3339) }, true},
		"six minutes old":     {func(a *ask) { a.at = s.now().Add(-6 * time.Minute).UTC().Format(time.RFC3339) }, false},
		"four minutes ahead":  {func(a *ask) { a.at = s.now().Add(4 * time.Minute).UTC().Format(time.RFC3339) }, false},
		"no time":             {func(a *ask) { a.at = "yesterday" }, false},
		"foreign ACS":         {func(a *ask) { a.attributes = `AssertionConsumerServiceURL="https://evil.example/acs"` }, false},
		"ACS with a slash":    {func(a *ask) { a.attributes = `AssertionConsumerServiceURL="` + acs + `/"` }, false},
		"ACS by another case": {func(a *ask) { a.attributes = `AssertionConsumerServiceURL="https://APP.example/acs"` }, false},
		"ACS with a port":     {func(a *ask) { a.attributes = `AssertionConsumerServiceURL="https://app.example:443/acs"` }, false},
		"script as ACS":       {func(a *ask) { a.attributes = `AssertionConsumerServiceURL="javascript:alert(1)"` }, false},
		"unknown index":       {func(a *ask) { a.attributes = `AssertionConsumerServiceIndex="7"` }, false},
		"negative index":      {func(a *ask) { a.attributes = `AssertionConsumerServiceIndex="-1"` }, false},
		"both": {func(a *ask) {
			a.attributes = `AssertionConsumerServiceIndex="0" AssertionConsumerServiceURL="` + acs + `"`
		}, false},
		"foreign destination":   {func(a *ask) { a.destination = "https://else.example/sso" }, false},
		"destination's slash":   {func(a *ask) { a.destination += "/" }, false},
		"unknown issuer":        {func(a *ask) { a.issuer = "https://none.example" }, false},
		"issuer by case":        {func(a *ask) { a.issuer = strings.ToUpper(entity) }, false},
		"issuer with blanks":    {func(a *ask) { a.issuer = " " + entity + " " }, false},
		"no issuer":             {func(a *ask) { a.issuer = "" }, false},
		"long issuer":           {func(a *ask) { a.issuer = strings.Repeat("x", 2000) }, false},
		"comment in the issuer": {func(a *ask) { a.issuer = entity + "<!-- -->.evil.example" }, false},
		"two issuers":           {func(a *ask) { a.inner = `<saml:Issuer>` + entity + `</saml:Issuer>` }, false},
		"two policies":          {func(a *ask) { a.inner = `<samlp:NameIDPolicy/><samlp:NameIDPolicy/>` }, false},
		"two subjects":          {func(a *ask) { a.inner = strings.Repeat(`<saml:Subject><saml:NameID>x</saml:NameID></saml:Subject>`, 2) }, false},
		"comment in a subject":  {func(a *ask) { a.inner = `<saml:Subject><saml:NameID>admin<!-- -->x</saml:NameID></saml:Subject>` }, false},
		"an assertion":          {func(a *ask) { a.inner = `<saml:Assertion/>` }, false},
		"no ID":                 {func(a *ask) { a.id = "" }, false},
		"ID of digits":          {func(a *ask) { a.id = "123" }, false},
		"ID with a blank":       {func(a *ask) { a.id = "_a b" }, false},
		"ID with a line":        {func(a *ask) { a.id = "_a&#10;b" }, false},
		"ID with markup":        {func(a *ask) { a.id = "_a&quot;&gt;&lt;x&gt;" }, false},
		"long ID":               {func(a *ask) { a.id = "_" + strings.Repeat("a", 300) }, false},
		"deep":                  {func(a *ask) { a.inner = strings.Repeat("<x>", 500) + strings.Repeat("</x>", 500) }, false},
		"large":                 {func(a *ask) { a.inner = "<x>" + strings.Repeat("y", 70_000) + "</x>" }, false},
		"text beside elements":  {func(a *ask) { a.inner = "x" }, false},
	} {
		a := s.ask()
		c.change(&a)
		s.holds(t, name, a.xml(), c.taken)
	}
	plain := s.ask().xml()
	for name, text := range map[string]string{
		"DOCTYPE":              `<!DOCTYPE x [<!ENTITY e "` + entity + `">]>` + plain,
		"entity":               strings.Replace(`<!DOCTYPE x [<!ENTITY e "`+entity+`">]>`+plain, entity+"</", "&e;</", 1),
		"instruction":          `<?xml-stylesheet href="x"?>` + plain,
		"text after the root":  plain + "x",
		"second root":          plain + plain,
		"version 1.1":          strings.Replace(plain, `"2.0"`, `"1.1"`, 1),
		"another message":      strings.ReplaceAll(plain, "AuthnRequest", "LogoutRequest"),
		"another namespace":    strings.Replace(plain, "SAML:2.0:protocol", "SAML:1.0:protocol", 1),
		"issuer of no one":     strings.Replace(plain, "SAML:2.0:assertion", "SAML:1.0:assertion", 1),
		"broken":               plain[:len(plain)-5],
		"nothing":              "",
		"no XML":               "SAML",
		"UTF-16":               `<?xml version="1.0" encoding="UTF-16"?>` + plain,
		"an attribute twice":   strings.Replace(plain, `Version="2.0"`, `Version="2.0" Version="2.0"`, 1),
		"many namespaces":      strings.Replace(plain, ` Version=`, namespaces(200)+` Version=`, 1),
		"ID and another's Id":  strings.Replace(plain, `Version="2.0"`, `Version="2.0" Id="_r1"`, 1),
		"a prefix that is not": strings.Replace(plain, "<saml:Issuer", "<none:Issuer", 1),
	} {
		s.holds(t, name, text, false)
	}
}

func namespaces(n int) (text string) {
	for i := range n {
		text += fmt.Sprintf(` xmlns:n%d="u:%d"`, i, i)
	}
	return text
}

// holds sends a request by both bindings.
func (s *site) holds(t *testing.T, name, text string, taken bool) {
	t.Helper()
	if len(text) < 60_000 {
		p := s.browser().get(s.redirect(samlidp.SSOPath, text, "r", nil))
		if taken && !s.begins(p) {
			t.Errorf("%s, redirect: %d %s", name, p.status, p.page)
		} else if !taken {
			s.refused(t, name+", redirect", p)
		}
	}
	p := s.browser().send(samlidp.SSOPath, posted(text, nil))
	if taken && !s.begins(p) {
		t.Errorf("%s, POST: %d %s", name, p.status, p.page)
	} else if !taken {
		s.refused(t, name+", POST", p)
	}
}

// TestForms: what is wrong around a request.
func TestForms(t *testing.T) {
	s := start(t)
	good := s.redirect(samlidp.SSOPath, s.ask().xml(), "r", nil)
	bomb := deflated(strings.Replace(s.ask().xml(), "</samlp", "<x>"+strings.Repeat(" ", 30<<20)+"</x></samlp", 1))
	for name, address := range map[string]string{
		"nothing":            s.url + "/" + s.env + samlidp.SSOPath,
		"a message twice":    good + "&" + good[strings.Index(good, "?")+1:],
		"RelayState twice":   good + "&RelayState=s",
		"no base64":          strings.Replace(good, "SAMLRequest=", "SAMLRequest=%25", 1),
		"not deflated":       s.url + "/" + s.env + samlidp.SSOPath + "?SAMLRequest=" + url.QueryEscape(base64.StdEncoding.EncodeToString([]byte(s.ask().xml()))),
		"bomb":               s.url + "/" + s.env + samlidp.SSOPath + "?SAMLRequest=" + url.QueryEscape(bomb),
		"SigAlg alone":       good + "&SigAlg=x",
		"large RelayState":   good[:strings.Index(good, "&RelayState")] + "&RelayState=" + strings.Repeat("x", 3000),
		"a broken escape":    good + "&x=%zz",
		"another identifier": good[:strings.Index(good, "?")] + "?SAMLart=AAQAAA",
	} {
		s.refused(t, name, s.browser().get(address))
	}
	form := posted(s.ask().xml(), nil)
	form.Set("RelayState", strings.Repeat("x", 100<<10))
	s.refused(t, "RelayState of 100 KB", s.browser().send(samlidp.SSOPath, form))
	form.Set("RelayState", strings.Repeat("x", 2048))
	if p := s.browser().send(samlidp.SSOPath, form); !s.begins(p) {
		t.Errorf("RelayState of 2 KiB: %s", p.page)
	}
	form.Set("Signature", "x")
	s.refused(t, "SimpleSign", s.browser().send(samlidp.SSOPath, form))
	huge := url.Values{"SAMLRequest": {strings.Repeat("A", 3<<20)}}
	s.refused(t, "3 MB", s.browser().send(samlidp.SSOPath, huge))
	s.refused(t, "in the address of a POST", s.browser().send(samlidp.SSOPath+good[strings.Index(good, "?"):], nil))
}

// TestRelayStateIsText: what an application sends for itself is never run.
func TestRelayStateIsText(t *testing.T) {
	s := start(t)
	for _, relay := range []string{`"><script>alert(1)</script>`, `javascript:alert(1)`, "a\r\nb", "\u202e<&>'", `{"x":1}`} {
		b := s.browser()
		p := b.signOn(b.get(s.redirect(samlidp.SSOPath, s.ask().xml(), relay, nil)))
		if got := p.hidden()["RelayState"]; got != relay || strings.Count(p.page, "<script>") != 1 {
			t.Errorf("%q came back as %q\n%s", relay, got, html.EscapeString(p.page))
		}
	}
}

// TestSignedRequests: what is signed is verified where there are certificates, and taken
// where nothing could prove it; what must be signed is refused without.
func TestSignedRequests(t *testing.T) {
	s := start(t)
	stranger := idptest.NewPair(time.Now().Add(time.Hour))
	send := func(by *idptest.Pair) (redirect, post place) {
		text := s.ask().xml()
		return s.browser().get(s.redirect(samlidp.SSOPath, text, "r", by)), s.browser().send(samlidp.SSOPath, posted(text, by))
	}
	holds := func(name string, by *idptest.Pair, taken bool) {
		t.Helper()
		r, p := send(by)
		for binding, at := range map[string]place{"redirect": r, "POST": p} {
			if taken && !s.begins(at) {
				t.Errorf("%s, %s: %d %s", name, binding, at.status, at.page)
			} else if !taken {
				s.refused(t, name+", "+binding, at)
			}
		}
	}
	holds("no certificate, signed by somebody", &stranger, true)
	s.change(func(a *store.Application) { a.SAML.RequestsSigned = true })
	holds("must sign, and has no certificate", &s.theirs, false)
	s.certified(false)
	holds("unsigned", nil, true)
	holds("signed", &s.theirs, true)
	holds("signed by a stranger", &stranger, false)
	s.certified(true)
	holds("must sign, unsigned", nil, false)
	holds("must sign, signed", &s.theirs, true)
	s.clock = 48 * time.Hour
	holds("by a certificate that has ended", &s.theirs, true)
	s.clock = 0

	signed := s.redirect(samlidp.SSOPath, s.ask().xml(), "r", &s.theirs)
	foreign := s.ask()
	foreign.attributes = `AssertionConsumerServiceURL="https://evil.example/acs"`
	nowhere := s.ask()
	nowhere.destination = ""
	for name, address := range map[string]string{
		"RelayState changed":  strings.Replace(signed, "RelayState=r", "RelayState=s", 1),
		"RelayState taken":    strings.Replace(signed, "&RelayState=r", "", 1),
		"RelayState added":    strings.Replace(s.redirect(samlidp.SSOPath, s.ask().xml(), "", &s.theirs), "&SigAlg", "&RelayState=s&SigAlg", 1),
		"signature taken":     signed[:strings.Index(signed, "&SigAlg")],
		"half a signature":    signed[:strings.Index(signed, "&Signature")],
		"weak algorithm":      strings.Replace(signed, url.QueryEscape(rsaSHA256), url.QueryEscape("http://www.w3.org/2000/09/xmldsig#rsa-sha1"), 1),
		"another application": s.redirect(samlidp.SSOPath, strings.Replace(s.ask().xml(), entity, "https://none.example", 1), "r", &s.theirs),
		"foreign ACS, signed": s.redirect(samlidp.SSOPath, foreign.xml(), "r", &s.theirs),
		"signed for nowhere":  s.redirect(samlidp.SSOPath, nowhere.xml(), "r", &s.theirs),
	} {
		s.refused(t, name, s.browser().get(address))
	}
	wrapped(t, s)
}

// wrapped sends requests whose signature is of another element than what is read.
func wrapped(t *testing.T, s *site) {
	t.Helper()
	whole := string(idptest.Text(s.theirs.Sign(rsaSHA256, true, idptest.Parse(s.ask().xml()))))
	evil := s.ask()
	evil.id, evil.attributes = "_evil", `AssertionConsumerServiceURL="`+other+`"`
	at := strings.Index(whole, "<ds:Signature")
	end := strings.Index(whole, "</ds:Signature>") + len("</ds:Signature>")
	signature := whole[at:end]
	inside := strings.Replace(signature, "</ds:Signature>", "<ds:Object>"+whole+"</ds:Object></ds:Signature>", 1)
	for name, text := range map[string]string{
		"an attribute changed": strings.Replace(whole, `Version="2.0"`, `Version="2.0" AssertionConsumerServiceURL="`+other+`"`, 1),
		"ForceAuthn added":     strings.Replace(whole, `Version="2.0"`, `Version="2.0" ForceAuthn="false"`, 1),
		"signature moved":      strings.Replace(evil.xml(), "</saml:Issuer>", "</saml:Issuer>"+signature, 1),
		"original inside":      strings.Replace(evil.xml(), "</samlp:AuthnRequest>", "<samlp:Extensions>"+whole+"</samlp:Extensions></samlp:AuthnRequest>", 1),
		"original in Object":   strings.Replace(evil.xml(), "</saml:Issuer>", "</saml:Issuer>"+inside, 1),
		"same ID twice": strings.Replace(strings.Replace(evil.xml(), "_evil", "_r1", 1), "</samlp:AuthnRequest>",
			"<samlp:Extensions>"+whole+"</samlp:Extensions></samlp:AuthnRequest>", 1),
		"two signatures":      strings.Replace(whole, signature, signature+signature, 1),
		"no reference":        strings.Replace(whole, `URI="#_r1"`, `URI=""`, 1),
		"another's reference": strings.Replace(whole, `URI="#_r1"`, `URI="#_x"`, 1),
	} {
		if text == whole {
			t.Fatalf("%s: nothing changed", name)
		}
		s.refused(t, "wrapped: "+name, s.browser().send(samlidp.SSOPath, url.Values{"SAMLRequest": {base64.StdEncoding.EncodeToString([]byte(text))}}))
	}
}

// TestApplicationsThatAreNot: disabled, of another protocol, of another environment.
func TestApplicationsThatAreNot(t *testing.T) {
	s := start(t)
	b := s.browser()
	at := b.get(s.redirect(samlidp.SSOPath, s.ask().xml(), "", nil))
	s.change(func(a *store.Application) { a.Enabled = false })
	s.refused(t, "disabled", s.browser().get(s.redirect(samlidp.SSOPath, s.ask().xml(), "", nil)))
	if p := b.signOn(at); p.hidden()["SAMLResponse"] != "" || p.status < 400 {
		t.Errorf("disabled meanwhile: %d %s", p.status, p.page)
	}
	s.change(func(a *store.Application) { a.Enabled = true })
	b = s.browser()
	at = b.get(s.redirect(samlidp.SSOPath, s.ask().xml(), "", nil))
	s.alice.Enabled = false
	check(t, s.db.UpdateUser(t.Context(), &s.alice))
	if p := b.signOn(at); p.hidden()["SAMLResponse"] != "" {
		t.Errorf("a disabled person: %s", p.page)
	}
	env := store.Environment{Name: "Another"}
	check(t, s.db.CreateEnvironment(t.Context(), &env))
	a := s.ask()
	a.destination = ""
	s.refused(t, "another environment", s.browser().get(strings.Replace(s.redirect(samlidp.SSOPath, a.xml(), "", nil), s.env, env.ID, 1)))
}

// TestBeginsAreBounded: an address begins so many sign-ons in a minute.
func TestBeginsAreBounded(t *testing.T) {
	s := start(t)
	form := url.Values{"SAMLRequest": {"x"}}
	b := s.browser()
	for i := range samlidp.MostOfNetwork + 1 {
		p := b.send(samlidp.SSOPath, form)
		if want := map[bool]int{true: http.StatusTooManyRequests, false: http.StatusBadRequest}[i == samlidp.MostOfNetwork]; p.status != want {
			t.Fatalf("%d: %d", i, p.status)
		}
	}
	if p := b.get(s.redirect(samlidp.SSOPath, s.ask().xml(), "", nil)); p.status != http.StatusTooManyRequests || p.header.Get("Retry-After") == "" {
		t.Errorf("%d", p.status)
	}
}
