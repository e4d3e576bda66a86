package samlidp_test

import (
	"bytes"
	"compress/flate"
	"encoding/base64"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/beevik/etree"

	"ldap-gateway/cloud/idp/idptest"
	"ldap-gateway/cloud/samlidp"
	"ldap-gateway/cloud/store"
)

// message is what a redirect carries.
func message(t *testing.T, p place, name string) *etree.Element {
	t.Helper()
	packed := must(base64.StdEncoding.DecodeString(p.url.Query().Get(name)))
	doc := etree.NewDocument()
	if err := doc.ReadFromBytes(must(io.ReadAll(flate.NewReader(bytes.NewReader(packed))))); err != nil || doc.Root() == nil {
		t.Fatalf("no %s: %d %s\n%s", name, p.status, p.url, p.page)
	}
	return doc.Root()
}

// off is an application's request to sign somebody off.
func (s *site) off(name, index string) string {
	text := ""
	if index != "" {
		text = "<samlp:SessionIndex>" + index + "</samlp:SessionIndex>"
	}
	return `<samlp:LogoutRequest xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ` +
		`ID="_o1" Version="2.0" IssueInstant="` + s.now().UTC().Format(time.RFC3339) + `" Destination="` + s.url + "/" + s.env + samlidp.SLOPath + `">` +
		`<saml:Issuer>` + entity + `</saml:Issuer><saml:NameID>` + name + `</saml:NameID>` + text + `</samlp:LogoutRequest>`
}

// signedIn is a browser in which alice is signed on for the application, and as whom.
func (s *site) signedIn() (b *browser, name, index string) {
	s.t.Helper()
	b = s.browser()
	got, err := b.assertion(b.signOn(b.get(s.redirect(samlidp.SSOPath, s.ask().xml(), "", nil))), "_r1")
	check(s.t, err)
	return b, got.Subject.NameID.Value, got.AuthnStatements[0].SessionIndex
}

// on tells whether somebody is signed on in a browser.
func (b *browser) on() bool { return strings.Contains(b.get(b.url+"/"+b.env+"/signon").page, "Archer") }

// status is what an answer of sign-off says, and to whom it is sent.
func status(t *testing.T, r *etree.Element) string {
	t.Helper()
	if r.Tag != "LogoutResponse" || r.SelectAttrValue("InResponseTo", "") != "_o1" {
		t.Errorf("no answer: %s", r.Tag)
	}
	all := ""
	for _, code := range r.FindElements("//StatusCode") {
		all += strings.TrimPrefix(code.SelectAttrValue("Value", ""), "urn:oasis:names:tc:SAML:2.0:status:") + " "
	}
	return strings.TrimSpace(all)
}

// TestApplicationSignsOff: the session ends that the application means, and no other.
func TestApplicationSignsOff(t *testing.T) {
	s := start(t)
	s.certified(false)
	for name, c := range map[string]struct {
		post  bool
		means func(name, index string) (string, string)
		ends  bool
	}{
		"redirect":            {false, func(n, i string) (string, string) { return n, i }, true},
		"POST":                {true, func(n, i string) (string, string) { return n, i }, true},
		"no index":            {false, func(n, _ string) (string, string) { return n, "" }, true},
		"another's name":      {false, func(_, i string) (string, string) { return "bob", i }, false},
		"another session":     {true, func(n, _ string) (string, string) { return n, "_other" }, false},
		"name in other words": {false, func(n, i string) (string, string) { return strings.ToUpper(n), i }, false},
	} {
		b, n, index := s.signedIn()
		s.ended = 0
		text := s.off(c.means(n, index))
		var p place
		if c.post {
			p = b.send(samlidp.SLOPath, posted(text, &s.theirs))
		} else {
			p = b.get(s.redirect(samlidp.SLOPath, text, "r", &s.theirs))
		}
		if !strings.HasPrefix(p.url.String(), slo+"?") || p.url.Query().Get("RelayState") != "r" || p.url.Query().Get("Signature") == "" {
			t.Fatalf("%s: %d %s\n%s\n%s", name, p.status, p.url, p.page, s.log)
		}
		if got := status(t, message(t, p, "SAMLResponse")); got != "Success" {
			t.Errorf("%s: %s", name, got)
		}
		if b.on() == c.ends || s.ended != map[bool]int{true: 1}[c.ends] {
			t.Errorf("%s: signed on: %v, told: %d", name, b.on(), s.ended)
		}
	}
}

// TestSignOffThatIsNot: what is not proven, too old, or broken signs nobody off.
func TestSignOffThatIsNot(t *testing.T) {
	s := start(t)
	stranger := idptest.NewPair(time.Now().Add(time.Hour))
	b, name, index := s.signedIn()
	text := s.off(name, index)
	s.refused(t, "without a certificate", b.get(s.redirect(samlidp.SLOPath, text, "", nil)))
	s.refused(t, "without a certificate, signed", b.get(s.redirect(samlidp.SLOPath, text, "", &s.theirs)))
	s.certified(false)
	for what, p := range map[string]place{
		"unsigned":          b.get(s.redirect(samlidp.SLOPath, text, "", nil)),
		"unsigned, POST":    b.send(samlidp.SLOPath, posted(text, nil)),
		"by a stranger":     b.get(s.redirect(samlidp.SLOPath, text, "", &stranger)),
		"comment in a name": b.get(s.redirect(samlidp.SLOPath, s.off("x<!-- -->"+name, index), "", &s.theirs)),
		"two names":         b.get(s.redirect(samlidp.SLOPath, strings.Replace(text, "</saml:NameID>", "</saml:NameID><saml:NameID>x</saml:NameID>", 1), "", &s.theirs)),
		"for another":       b.get(s.redirect(samlidp.SLOPath, strings.Replace(text, samlidp.SLOPath, samlidp.SSOPath, 1), "", &s.theirs)),
		"DOCTYPE":           b.get(s.redirect(samlidp.SLOPath, "<!DOCTYPE x>"+text, "", &s.theirs)),
		"large RelayState":  b.get(s.redirect(samlidp.SLOPath, text, strings.Repeat("x", 600), &s.theirs)),
		"nothing":           b.get(s.url + "/" + s.env + samlidp.SLOPath),
		"no answer":         b.get(s.url + "/" + s.env + samlidp.SLOPath + "?SAMLResponse=" + url.QueryEscape(deflated("<x"))),
		"answer with a DTD": b.get(s.url + "/" + s.env + samlidp.SLOPath + "?SAMLResponse=" + url.QueryEscape(deflated("<!DOCTYPE x><x/>"))),
		"bomb as answer":    b.get(s.url + "/" + s.env + samlidp.SLOPath + "?SAMLResponse=" + url.QueryEscape(deflated("<x>"+strings.Repeat(" ", 20<<20)+"</x>"))),
		"no state":          b.get(s.url + "/" + s.env + "/saml20/idp/off"),
		"made-up state":     b.get(s.url + "/" + s.env + "/saml20/idp/off?s=" + strings.Repeat("A", 200)),
		"of nothing sent":   b.get(s.url + "/" + s.env + "/saml20/idp/off?in="),
	} {
		s.refused(t, what, p)
	}
	s.clock = 6 * time.Minute
	s.refused(t, "too old", b.get(s.redirect(samlidp.SLOPath, text, "", &s.theirs)))
	s.clock = 0
	s.change(func(a *store.Application) { a.SAML.SLOEndpoint = "" })
	s.refused(t, "no address", b.get(s.redirect(samlidp.SLOPath, text, "", &s.theirs)))
	if !b.on() {
		t.Error("somebody was signed off")
	}
}

// TestEverybodyIsTold: the applications of a session are told one after another, by redirect
// and by POST; then the browser is where sign-off began.
func TestEverybodyIsTold(t *testing.T) {
	for name, c := range map[string]struct {
		byApplication bool
		answer        string // of the other one
		want          string
	}{
		"by the page":               {false, "Success", ""},
		"by an application":         {true, "Success", "Success"},
		"by an application, partly": {true, "Responder", "Success PartialLogout"},
	} {
		s := start(t)
		s.certified(false)
		first := s.app
		s.app.ID, s.app.Name = "", "Files"
		s.app.SAML.EntityID, s.app.SAML.ACS = "https://files.example/sp", []string{"https://files.example/acs"}
		s.app.SAML.SLOEndpoint, s.app.SAML.SLOBinding = "https://files.example/slo", samlidp.Post
		check(t, s.db.CreateApplication(t.Context(), &s.app))
		files := s.app
		s.app = first
		b, n, index := s.signedIn()
		a := s.ask()
		a.issuer = files.SAML.EntityID
		if p := b.get(s.redirect(samlidp.SSOPath, a.xml(), "", nil)); p.hidden()[""] != "https://files.example/acs" {
			t.Fatalf("%s", p.page)
		}
		var p place
		if c.byApplication {
			p = b.get(s.redirect(samlidp.SLOPath, s.off(n, index), "back", &s.theirs))
		} else {
			p = b.follow(b.went(b.http.PostForm(s.url+"/"+s.env+"/signon/off", nil)))
		}
		sent := 0
		for range 3 { // whichever comes first
			id := ""
			switch {
			case p.hidden()[""] == files.SAML.SLOEndpoint:
				doc := etree.NewDocument()
				check(t, doc.ReadFromBytes(must(base64.StdEncoding.DecodeString(p.hidden()["SAMLRequest"]))))
				if doc.FindElement("./LogoutRequest/Signature") == nil || doc.FindElement("./LogoutRequest/SessionIndex").Text() == index {
					t.Errorf("%s: %s", name, p.page)
				}
				id = doc.Root().SelectAttrValue("ID", "")
			case strings.HasPrefix(p.url.String(), slo+"?SAMLRequest"):
				r := message(t, p, "SAMLRequest")
				if r.FindElement("./NameID").Text() != n || r.FindElement("./SessionIndex").Text() != index {
					t.Errorf("%s: another session", name)
				}
				id = r.SelectAttrValue("ID", "")
			}
			if id == "" {
				break
			}
			sent++
			if p := b.send(samlidp.SLOPath, answerOf("_other", "Success")); p.status != http.StatusNotFound {
				t.Errorf("%s: an answer to nothing: %d", name, p.status)
			}
			p = b.send(samlidp.SLOPath, answerOf(id, c.answer))
		}
		if c.byApplication {
			if got := status(t, message(t, p, "SAMLResponse")); got != c.want || sent != 1 || p.url.Query().Get("RelayState") != "back" {
				t.Errorf("%s: %s, %d told, %s", name, got, sent, p.url)
			}
		} else if sent != 2 || p.status != http.StatusOK || !strings.Contains(p.page, "signed off") {
			t.Errorf("%s: %d told, %d %s\n%s", name, sent, p.status, p.url, p.page)
		}
		if b.on() {
			t.Errorf("%s: is still signed on", name)
		}
	}
}

func answerOf(id, code string) url.Values {
	text := `<samlp:LogoutResponse xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" ID="_a" Version="2.0" IssueInstant="2026-01-01T00:00:00Z" InResponseTo="` +
		id + `"><samlp:Status><samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:` + code + `"/></samlp:Status></samlp:LogoutResponse>`
	return url.Values{"SAMLResponse": {base64.StdEncoding.EncodeToString([]byte(text))}}
}
