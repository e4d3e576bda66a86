package samlidp_test

import (
	"encoding/json"
	"encoding/pem"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"ldap-gateway/cloud/oidc/clienttest"
	"ldap-gateway/cloud/samlidp"
	"ldap-gateway/cloud/store"
)

// register makes an application of one of the programs, and starts it with what it must know
// of us.
func (s *site) register(k clienttest.Kind, binding string) *clienttest.Application {
	s.t.Helper()
	at := clienttest.New(s.t, k)
	s.certified(true)
	s.change(func(a *store.Application) {
		a.Name, a.SAML.EntityID, a.SAML.ACS = k.Name, at.URL, []string{at.Redirect}
		a.SAML.MostGroups, a.SAML.SLOEndpoint = store.MostGroups, at.URL+"/slo"
		a.SAML.ResponseSigned = true // as the console makes them
		if k.Name == "mellon" {
			a.SAML.SLOEndpoint = at.URL + "/mellon/logout"
		}
	})
	resp := must(http.Get(s.url + "/" + s.env + samlidp.MetadataPath + "/" + s.app.ID))
	defer resp.Body.Close()
	at.Write("idp.xml", string(must(io.ReadAll(resp.Body))))
	text := func(kind string, der []byte) string {
		return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
	}
	at.Write("idp.crt", text("CERTIFICATE", s.own.Cert.Raw))
	at.Write("sp.key", text("PRIVATE KEY", s.theirs.PKCS8()))
	at.Write("sp.crt", text("CERTIFICATE", s.theirs.Cert.Raw))
	if k.Name == "mellon" {
		at.Mellon(samlidp.EntityID(s.url, s.env))
	} else {
		at.Start(samlidp.EntityID(s.url, s.env), "", "", "BINDING="+binding)
	}
	return at
}

// wanderer is a browser without scripts that goes wherever it is led, presses the buttons of
// pages that would post themselves, and signs on as alice when it is asked.
type wanderer struct {
	*site
	http http.Client
}

func (s *site) wanderer() *wanderer {
	return &wanderer{s, http.Client{Jar: must(cookiejar.New(nil))}}
}

func (w *wanderer) visit(address string) place {
	w.t.Helper()
	b := &browser{w.site, w.http}
	p := b.get(address)
	for range 12 {
		form := p.hidden()
		switch {
		case form["SAMLResponse"] != "" || form["SAMLRequest"] != "":
			values := url.Values{}
			for name, value := range form {
				if name != "" {
					values.Set(name, value)
				}
			}
			p = b.went(w.http.PostForm(form[""], values))
		case strings.Contains(p.page, `name="password"`):
			p = b.went(w.http.PostForm(w.url+"/"+w.env+"/signon", url.Values{
				"flow": {p.url.Query().Get("flow")}, "username": {"alice"}, "password": {"wonderland"},
			}))
		default:
			next := regexp.MustCompile(`content="0; url=([^"]*)"`).FindStringSubmatch(p.page)
			if next == nil {
				return p
			}
			to := html.UnescapeString(next[1])
			if strings.HasPrefix(to, "/") {
				to = w.url + to
			}
			p = b.get(to)
		}
	}
	w.t.Fatalf("led in a circle: %s", p.url)
	return p
}

// TestClients: applications on libraries that other people wrote sign alice on, as their
// documentation has it, by both bindings, plain and encrypted, with few groups and many; and
// off, from there and from here.
func TestClients(t *testing.T) {
	for _, k := range clienttest.SAMLKinds() {
		for _, binding := range []string{"HTTP-Redirect", "HTTP-POST"} {
			if k.Name == "mellon" && binding == "HTTP-POST" {
				continue
			}
			t.Run(k.Name+"_"+binding, func(t *testing.T) {
				s := start(t)
				at := s.register(k, binding)
				s.signsOnAt(t, k, at)
				s.signsOffAt(t, k, at)
			})
		}
	}
}

// begin is where an application begins.
func begin(k clienttest.Kind, at *clienttest.Application) string {
	if k.Name == "mellon" {
		return at.URL + "/secret/"
	}
	return at.URL + "/"
}

func (s *site) signsOnAt(t *testing.T, k clienttest.Kind, at *clienttest.Application) {
	had := 2
	for _, n := range []int{0, 60, 1000} {
		for _, cipher := range []string{"", "AES_256"} {
			s.change(func(a *store.Application) {
				a.SAML.Cipher, a.SAML.EncryptedWith = cipher, ""
				if cipher != "" {
					a.SAML.EncryptedWith = a.SAML.CertificateIDs[0]
				}
				a.Groups.Allow = nil
				if n == 0 {
					a.Groups.Allow = []string{"nothing"}
				}
			})
			for ; had < n; had++ {
				s.join(fmt.Sprintf("cn=team %d,ou=groups,dc=example,dc=com", had))
			}
			p := s.wanderer().visit(begin(k, at))
			var learnt struct {
				NameID, Email string
				Groups        int
			}
			text := strings.ReplaceAll(p.page, "(none)", "0") // Apache's word for a variable that is not set
			if err := json.Unmarshal([]byte(text), &learnt); err != nil || learnt.Groups != n ||
				learnt.Email != s.alice.Email || len(learnt.NameID) < 30 {
				t.Fatalf("%d groups, cipher %q: %d %s %s\n%s", n, cipher, p.status, p.url, p.page, s.log)
			}
		}
	}
}

func (s *site) signsOffAt(t *testing.T, k clienttest.Kind, at *clienttest.Application) {
	s.change(func(a *store.Application) {
		a.SAML.Cipher, a.SAML.EncryptedWith, a.Groups.Allow = "", "", []string{"readers"}
	})
	off := at.URL + "/off"
	if k.Name == "mellon" {
		// It finds the session that is to end by the name ID alone: with one that is the same in
		// several sessions it looks at another one.
		s.change(func(a *store.Application) { a.SAML.NameIDFormat = transient })
		off = at.URL + "/mellon/logout?ReturnTo=" + url.QueryEscape(at.URL+"/bye.html")
	}
	w := s.wanderer()
	w.visit(begin(k, at))
	if p := w.visit(off); !strings.Contains(strings.ToLower(p.page), `"bye":true`) {
		t.Errorf("signed off there: %d %s %s\n%s", p.status, p.url, p.page, s.log)
	}
	if (&browser{s, w.http}).on() {
		t.Error("signed off there, and not here")
	}
	w.visit(begin(k, at))
	b := &browser{s, w.http}
	p := b.went(b.http.PostForm(s.url+"/"+s.env+"/signon/off", nil))
	next := html.UnescapeString(regexp.MustCompile(`content="0; url=([^"]*)"`).FindStringSubmatch(p.page)[1])
	if p = w.visit(next); !strings.Contains(p.page, "signed off") || p.status != http.StatusOK {
		t.Errorf("signed off here: %d %s\n%s\n%s", p.status, p.url, p.page, s.log)
	}
}
