package signonpage

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"ldap-gateway/cloud/kerberos"
	"ldap-gateway/cloud/store"
)

// TestSignOffLeadsOnToTheProvider, by its address as it is and without anything of the
// person, and back to a page that says so to nobody who is signed on here.
func TestSignOffLeadsOnToTheProvider(t *testing.T) {
	for endpoint, want := range map[string]string{
		"":                                "",
		"https://idp.example.org/end":     "https://idp.example.org/end?client_id=",
		"https://idp.example.org/end?a=b": "https://idp.example.org/end?a=b&amp;client_id=",
	} {
		p := startPartners(t)
		p.change(func(i *store.IdentityProvider) { i.Config.OIDC.EndSessionEndpoint = endpoint })
		c := p.visitor()
		p.walk(c, "/"+p.env+"/signon", "eve")
		if a := p.get(c, "/off"); !strings.Contains(a.page, "You are signed on") {
			t.Error(a.page)
		}
		a := p.post(c, "/off")
		leads := strings.Contains(a.page, "as well</a>")
		if !strings.Contains(a.page, "may still be signed on at Partner &lt;b&gt;") || leads != (want != "") || !strings.Contains(a.page, want) {
			t.Errorf("%q: %s", endpoint, a.page)
		}
		if back := "post_logout_redirect_uri=" + url.QueryEscape(p.url+"/"+p.env+"/signon/off"); leads && !strings.Contains(a.page, back) {
			t.Errorf("%q: %s", endpoint, a.page)
		}
		for range 2 { // the second time nobody is signed on
			if a := p.get(c, "/off"); !strings.Contains(a.page, "You are signed off") || strings.Contains(a.page, "Partner") {
				t.Error(a.page)
			}
			a = p.post(c, "/off")
		}
		if strings.Contains(a.page, "Partner") {
			t.Error(a.page)
		}
	}
}

// TestSignedOffIsNotSignedOnAgain without a word, for whatever the browser comes, until
// somebody signs on.
func TestSignedOffIsNotSignedOnAgain(t *testing.T) {
	p := startPartners(t)
	c := p.visitor()
	p.walk(c, "/"+p.env+"/signon", "eve")
	p.post(c, "/off")
	for _, query := range []string{"", "?flow=f1", "?then=console", "?anew=1"} {
		a := p.get(c, query)
		if a.to != "" || !strings.Contains(a.page, "Continue with") || strings.Contains(a.page, "anew=1") != (query == "?anew=1") {
			t.Errorf("%q leads to %q: %s", query, a.to, a.page)
		}
	}
	p.flow.LoginHint = "eve@example.org"
	p.change(func(i *store.IdentityProvider) { i.Config.Domains = []string{"example.org"} })
	if a := p.get(c, "?flow=f1"); a.to != "" {
		t.Errorf("it leads to %q", a.to)
	}
	p.flow.Silent = true
	if a := p.get(c, "?flow=f1"); a.to != "/refused/f1" {
		t.Errorf("%+v", a)
	}
	p.flow.Silent, p.flow.LoginHint = false, ""
	anew := p.do(c, "GET", "/"+p.env+"/signon/idp/"+p.p.ID+"?anew=1", nil)
	if q := must(url.Parse(anew.to)).Query(); q.Get("prompt") != "login" || q.Get("max_age") != "0" {
		t.Error(anew.to)
	}
	p.walk(c, "/"+p.env+"/signon/idp/"+p.p.ID, "eve")
	check(t, p.db.SignOffUser(t.Context(), p.env, must(p.db.UserByUsername(t.Context(), p.env, "sub-eve")).ID))
	if a := p.get(c, ""); !strings.Contains(a.to, "/signon/idp/"+p.p.ID) {
		t.Errorf("who was signed off elsewhere is not signed on by the only provider: %+v", a)
	}
	if a := p.get(p.visitor(), ""); !strings.Contains(a.to, "/signon/idp/"+p.p.ID) {
		t.Errorf("%+v", a)
	}
}

// Who is signed off everywhere has no session that began before, on whatever browser,
// and may begin another.
func TestSignedOffEverywhere(t *testing.T) {
	s := start(t)
	sessions := NewSessions(s.db, false)
	begin := func() *http.Cookie {
		w := httptest.NewRecorder()
		sessions.Wrap(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			so, err := tickets{s}.SignOn(r.Context(), kerberos.Request{EnvironmentID: s.env})
			check(t, err)
			u, err := s.db.User(r.Context(), s.env, s.alice.ID)
			check(t, err)
			check(t, sessions.keep(r, u, kept{SignedOn: signedOn(so.SignOn)}))
		})).ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
		return w.Result().Cookies()[0]
	}
	signedOn := func(c *http.Cookie) bool {
		r := httptest.NewRequest("GET", "/", nil)
		r.AddCookie(c)
		_, ok, err := sessions.PersonOf(r, s.env)
		check(t, err)
		return ok
	}
	one, two := begin(), begin()
	if !signedOn(one) || !signedOn(two) {
		t.Fatal("no session")
	}
	check(t, s.db.SignOffUser(t.Context(), s.env, s.alice.ID))
	if signedOn(one) || signedOn(two) {
		t.Error("a session goes on")
	}
	if !signedOn(begin()) {
		t.Error("nobody can sign on again")
	}
}
