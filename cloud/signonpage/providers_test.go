package signonpage

import (
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"

	"ldap-gateway/cloud/idp"
	"ldap-gateway/cloud/idp/idptest"
	"ldap-gateway/cloud/provisioner"
	"ldap-gateway/cloud/store"
	"ldap-gateway/cloud/vault"
)

// partners is a site with a real desk and an OpenID Connect provider.
type partners struct {
	page *Server
	*site
	openID *idptest.OpenID
	p      store.IdentityProvider
	back   string // where a journey comes back
}

func startPartners(t *testing.T) *partners {
	s := start(t)
	s.flow.MaxAge = -1
	p := &partners{site: s, openID: idptest.StartOpenID(map[string]idptest.Person{
		"eve": {Token: map[string]any{"groups": []string{"<script>alert(1)</script>"}}},
	})}
	t.Cleanup(p.openID.Close)
	v, err := vault.New(make([]byte, 32))
	check(t, err)
	sessions := NewSessions(s.db, false)
	desk := &idp.Desk{
		Store:       s.db,
		Vault:       v,
		Provisioner: &provisioner.Provisioner{Store: s.db},
		HTTP:        http.DefaultClient,
		Logger:      hclog.NewNullLogger(),
		Now:         s.now,
	}
	page := &Server{
		Store: s.db, Passwords: s, Tickets: tickets{s}, Flows: flows{s}, Providers: desk, Factors: s.factors(), Sessions: sessions,
		Logger: hclog.NewNullLogger(), Now: s.now,
	}
	srv := httptest.NewServer(sessions.Wrap(page.Handler()))
	t.Cleanup(srv.Close)
	s.url, desk.URL = srv.URL, srv.URL
	p.page = page
	p.p = p.add("Partner <b>", v)
	return p
}

// add makes a provider.
func (p *partners) add(name string, v *vault.Vault) store.IdentityProvider {
	p.t.Helper()
	populations, _, err := p.db.Populations(p.t.Context(), p.env, store.Page{})
	check(p.t, err)
	made := store.IdentityProvider{
		EnvironmentID: p.env,
		Name:          name,
		Type:          store.OpenIDConnect,
		Enabled:       true,
		PopulationID:  populations[0].ID,
		Config:        p.openID.Config(),
		Mappings: []store.ProviderMapping{
			{Name: "username", Value: "${providerAttributes.sub}", Update: store.EmptyOnly},
			{Name: "memberOfExternalGroups", Value: "${providerAttributes.groups}", Update: store.Always},
		},
	}
	check(p.t, p.db.CreateIdentityProvider(p.t.Context(), &made))
	made.Sealed = v.Seal(idp.PurposeSecret, made.ID, []byte(p.openID.Secret))
	check(p.t, p.db.UpdateIdentityProvider(p.t.Context(), &made))
	return made
}

// change has the provider be something else.
func (p *partners) change(change func(*store.IdentityProvider)) {
	p.t.Helper()
	change(&p.p)
	check(p.t, p.db.UpdateIdentityProvider(p.t.Context(), &p.p))
}

// withGateway has passwords be taken, too.
func (p *partners) withGateway() {
	p.t.Helper()
	check(p.t, p.db.CreateGateway(p.t.Context(), &store.Gateway{EnvironmentID: p.env, Name: "Headquarters"}))
}

// walk follows redirects from a path of ours to a provider and back, and returns the last answer.
func (p *partners) walk(c *http.Client, path, login string) answer {
	p.t.Helper()
	a := p.do(c, "GET", path, nil)
	for range 6 {
		if a.to == "" || strings.HasPrefix(a.to, "/completed/") || strings.HasPrefix(a.to, "/refused/") {
			return a
		}
		to, err := url.Parse(a.to)
		check(p.t, err)
		if "http://"+to.Host == p.openID.URL {
			resp, err := c.Get(a.to + "&user=" + login)
			check(p.t, err)
			_ = resp.Body.Close()
			a = answer{resp.StatusCode, resp.Header, resp.Header.Get("Location"), ""}
			continue
		}
		a = p.do(c, "GET", to.Path+"?"+to.RawQuery, nil)
	}
	p.t.Fatalf("no end: %+v", a)
	return a
}

// TestButtonIsALink beside the form, and leads through the provider to the application.
func TestButtonIsALink(t *testing.T) {
	p := startPartners(t)
	p.withGateway()
	c := p.visitor()
	form := p.get(c, "?flow=f1")
	link := "/" + p.env + "/signon/idp/" + p.p.ID + "?flow=f1"
	for _, want := range []string{"Continue with Partner &lt;b&gt;", `href="` + link + `"`, `type="password"`} {
		if !strings.Contains(form.page, want) {
			t.Errorf("%q is not on the page:\n%s", want, form.page)
		}
	}
	if a := p.walk(c, link, "eve"); a.to != "/completed/f1/idp" {
		t.Errorf("%+v", a)
	}
	account := p.get(c, "")
	if !strings.Contains(account.page, "&lt;script&gt;") || strings.Count(account.page, "<script>") != 1 {
		t.Error(account.page)
	}
	for _, cookie := range c.Jar.Cookies(&url.URL{Scheme: "http", Host: strings.TrimPrefix(p.url, "http://"), Path: "/" + p.env}) {
		if strings.HasPrefix(cookie.Name, "ldap-cloud-idp-") {
			t.Error("the journey's cookie was kept")
		}
	}
}

// TestStraightToTheOnlyProvider, and never in a circle.
func TestStraightToTheOnlyProvider(t *testing.T) {
	p := startPartners(t)
	if a := p.walk(p.visitor(), "/"+p.env+"/signon?flow=f1", "eve"); a.to != "/completed/f1/idp" {
		t.Errorf("%+v", a)
	}
	if a := p.get(p.visitor(), "?flow=f1&choose=1"); a.status != 200 || !strings.Contains(a.page, "Continue with") || strings.Contains(a.page, "password") {
		t.Error(a.page)
	}
	p.openID.Set(idptest.Fault{Answer: func(q url.Values) { q.Set("error", "access_denied"); q.Set("error_description", "<b>no</b>") }})
	failed := p.walk(p.visitor(), "/"+p.env+"/signon?flow=f1", "eve")
	if failed.status != http.StatusForbidden || !strings.Contains(failed.page, "choose=1&amp;flow=f1") || strings.Contains(failed.page, "<b>no") ||
		strings.Contains(failed.page, "&lt;b&gt;no") {
		t.Error(failed.page)
	}
	p.add("Another", must(vault.New(make([]byte, 32))))
	if a := p.get(p.visitor(), "?flow=f1"); a.status != 200 || strings.Count(a.page, "Continue with") != 2 {
		t.Error(a.page)
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// TestSilentSignOn asks the only provider without a page, and tells the application.
func TestSilentSignOn(t *testing.T) {
	p := startPartners(t)
	p.flow.Silent = true
	if a := p.walk(p.visitor(), "/"+p.env+"/signon?flow=f1", ""); a.to != "/refused/f1" {
		t.Errorf("%+v", a)
	}
	p.withGateway()
	if a := p.get(p.visitor(), "?flow=f1"); a.to != "/refused/f1" {
		t.Errorf("%+v", a)
	}
}

// TestDiscoveryTellsNothingAboutAccounts: a name of the domain that is known and one that
// is not get the same page but for the name.
func TestDiscoveryTellsNothingAboutAccounts(t *testing.T) {
	p := startPartners(t)
	p.withGateway()
	p.change(func(i *store.IdentityProvider) {
		i.Config.Domains, i.Config.TellsUsername = []string{"Example.ORG"}, true
	})
	known := store.User{EnvironmentID: p.env, PopulationID: p.alice.PopulationID, Username: "known@example.org", Enabled: true}
	check(t, p.db.CreateUser(t.Context(), &known))
	first := p.get(p.visitor(), "?flow=f1")
	if strings.Contains(first.page, `type="password"`) || !strings.Contains(first.page, "/signon/next") {
		t.Error(first.page)
	}
	pages := map[string]string{}
	for _, name := range []string{"known", "wrong"} {
		a := p.post(p.visitor(), "/next", "flow", "f1", "username", name+"@EXAMPLE.org")
		pages[name] = strings.ReplaceAll(a.page, name, "NAME")
	}
	if pages["known"] != pages["wrong"] || !strings.Contains(pages["known"], "/signon/idp/"+p.p.ID) {
		t.Errorf("%s\n%s", pages["known"], pages["wrong"])
	}
	for _, name := range []string{"alice", "alice@other.org", "alice@sub.example.org", "@", ""} {
		a := p.post(p.visitor(), "/next", "flow", "f1", "username", name)
		if strings.Contains(a.page, `content="0;`) {
			t.Errorf("%q leads away", name)
		}
	}
	if a := p.post(p.visitor(), "/next", "username", "alice"); !strings.Contains(a.page, `type="password"`) {
		t.Error(a.page)
	}
	p.flow.LoginHint = "somebody@example.org"
	if a := p.get(p.visitor(), "?flow=f1"); !strings.Contains(a.to, "/signon/idp/"+p.p.ID) {
		t.Errorf("%+v", a)
	}
}

// TestAnswersOfOthersSignNobodyOn over HTTP: another browser, no such provider, a disabled one.
func TestAnswersOfOthersSignNobodyOn(t *testing.T) {
	p := startPartners(t)
	mine, theirs := p.visitor(), p.visitor()
	begun := p.do(mine, "GET", "/"+p.env+"/signon/idp/"+p.p.ID, nil)
	resp, err := mine.Get(begun.to + "&user=eve")
	check(t, err)
	_ = resp.Body.Close()
	back := must(url.Parse(resp.Header.Get("Location")))
	if a := p.do(theirs, "GET", back.Path+"?"+back.RawQuery, nil); a.status != http.StatusForbidden || !strings.Contains(a.page, "begin again") {
		t.Errorf("%+v", a)
	}
	for _, path := range []string{"/signon/idp/none", "/saml20/sp/metadata/none", "/saml20/sp/metadata/" + p.p.ID} {
		if a := p.do(mine, "GET", "/"+p.env+path, nil); a.status != http.StatusNotFound {
			t.Errorf("%s: %d", path, a.status)
		}
	}
	p.change(func(i *store.IdentityProvider) { i.Enabled = false })
	if a := p.do(mine, "GET", "/"+p.env+"/signon/idp/"+p.p.ID, nil); a.status != http.StatusNotFound {
		t.Errorf("%+v", a)
	}
	if a := p.get(mine, ""); strings.Contains(a.page, "Continue with") {
		t.Error(a.page)
	}
	if _, err := p.db.UserByUsername(t.Context(), p.env, "sub-eve"); err == nil {
		t.Error("somebody was made")
	}
}

// TestOnlyTheACSTakesOtherSitesPosts, and no more than it may.
func TestOnlyTheACSTakesOtherSitesPosts(t *testing.T) {
	p := startPartners(t)
	c := p.visitor()
	cross := []string{"Sec-Fetch-Site", "cross-site", "Origin", "https://idp.example.org"}
	for _, path := range []string{"/signon", "/signon/next", "/signon/off", "/signon/password"} {
		if a := p.do(c, "POST", "/"+p.env+path, url.Values{"username": {"alice"}}, cross...); a.status != http.StatusForbidden ||
			!strings.Contains(a.page, "another site") {
			t.Errorf("%s: %d %s", path, a.status, a.page)
		}
	}
	junk := url.Values{"SAMLResponse": {base64.StdEncoding.EncodeToString([]byte("<x/>"))}, "RelayState": {"https://evil.example.org/"}}
	a := p.do(c, "POST", "/"+p.env+"/saml20/sp/acs", junk, cross...)
	if a.status != http.StatusForbidden || !strings.Contains(a.page, "begin again") || strings.Contains(a.page, "evil") {
		t.Errorf("%d %s", a.status, a.page)
	}
	big := url.Values{"SAMLResponse": {strings.Repeat("A", maxAnswer)}}
	if a := p.do(c, "POST", "/"+p.env+"/saml20/sp/acs", big, cross...); a.status != http.StatusRequestEntityTooLarge {
		t.Errorf("%d", a.status)
	}
	if a := p.do(c, "POST", "/"+p.env+"/signon/next", url.Values{"username": {strings.Repeat("A", maxForm)}}, "Sec-Fetch-Site", "same-origin"); a.status != http.StatusRequestEntityTooLarge {
		t.Errorf("%d", a.status)
	}
}

// TestJourneysAreBounded: a browser keeps five, and an address begins so many a minute.
func TestJourneysAreBounded(t *testing.T) {
	p := startPartners(t)
	c := p.visitor()
	for range 12 {
		p.do(c, "GET", "/"+p.env+"/signon/idp/"+p.p.ID, nil)
	}
	kept := 0
	for _, cookie := range c.Jar.Cookies(&url.URL{Scheme: "http", Host: strings.TrimPrefix(p.url, "http://"), Path: "/" + p.env}) {
		if strings.HasPrefix(cookie.Name, "ldap-cloud-idp-") {
			kept++
		}
	}
	if kept != mostJourneys {
		t.Errorf("%d journeys", kept)
	}
	junk := url.Values{"SAMLResponse": {"AAAA"}}
	last := answer{}
	for range MostAnswers + 1 {
		last = p.do(c, "POST", "/"+p.env+"/saml20/sp/acs", junk)
	}
	if last.status != http.StatusTooManyRequests || last.header.Get("Retry-After") == "" {
		t.Errorf("%d", last.status)
	}
}

// TestSessionEndsWithTheProviders, when that says when.
func TestSessionEndsWithTheProviders(t *testing.T) {
	s := start(t)
	sessions := NewSessions(s.db, false)
	until := time.Now().Add(time.Hour)
	for _, left := range []time.Duration{time.Hour, -time.Second} {
		signedOn := false
		h := sessions.Wrap(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			by := store.SignedOn{UserID: s.alice.ID, Method: store.ByIDP, At: time.Now()}
			check(t, sessions.keep(r, s.alice, kept{SignedOn: by, Until: until.Add(left - time.Hour)}))
			_, signedOn = sessions.Person(r.Context(), s.env)
		}))
		h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(t.Context(), "GET", "/", nil))
		if signedOn != (left > 0) {
			t.Errorf("%s left: signed on %t", left, signedOn)
		}
	}
}

// TestTriedShowsWhatMappingsGive, and by which claim that is missing one gives nothing.
func TestTriedShowsWhatMappingsGive(t *testing.T) {
	p := startPartners(t)
	p.change(func(i *store.IdentityProvider) {
		i.Mappings = append(i.Mappings, store.ProviderMapping{Name: "title", Value: "${providerAttributes['<b>title']}", Update: store.Always})
	})
	going, err := p.page.Providers.Begin(t.Context(), p.env, p.p.ID, idp.Wish{Trial: true, MaxAge: -1})
	check(t, err)
	c := p.visitor()
	c.Jar.SetCookies(must(url.Parse(p.url+"/"+p.env+"/rp")), []*http.Cookie{going.Cookie.HTTP(p.env, false)})
	resp, err := c.Get(going.Address + "&user=eve")
	check(t, err)
	_ = resp.Body.Close()
	back := must(url.Parse(resp.Header.Get("Location")))
	a := p.do(c, "GET", back.Path+"?"+back.RawQuery, nil)
	for _, want := range []string{
		"Nothing was written", "<dt>username</dt><dd>sub-eve<br><code>${providerAttributes.sub}</code>",
		"<strong>nothing</strong>, as no claim &lt;b&gt;title came", "&lt;script&gt;alert(1)",
	} {
		if !strings.Contains(a.page, want) {
			t.Errorf("%q is not on the page:\n%s", want, a.page)
		}
	}
}
