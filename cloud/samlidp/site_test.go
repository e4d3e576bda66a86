package samlidp_test

import (
	"bytes"
	"compress/flate"
	"context"
	"crypto"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"html"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/beevik/etree"
	"github.com/hashicorp/go-hclog"

	"ldap-gateway/cloud/administrators"
	"ldap-gateway/cloud/factors"
	"ldap-gateway/cloud/idp/idptest"
	"ldap-gateway/cloud/kerberos"
	"ldap-gateway/cloud/samlidp"
	"ldap-gateway/cloud/signon"
	"ldap-gateway/cloud/signonpage"
	"ldap-gateway/cloud/store"
	"ldap-gateway/cloud/vault"
	"ldap-gateway/cloudlink/wire"
)

// What the application is known by.
const (
	entity = "https://app.example/sp"
	acs    = "https://app.example/acs"
	other  = "https://app.example/acs2"
	slo    = "https://app.example/slo"
)

// site is an identity provider with its sign-on page, an application and alice.
type site struct {
	t       *testing.T
	db      *store.Store
	server  *samlidp.Server
	url     string
	env     string
	alice   store.User
	app     store.Application
	own     idptest.Pair // signs for us
	theirs  idptest.Pair // signs the application's requests
	through store.IdentityProvider
	method  store.Method
	clock   time.Duration // ahead of the true time
	factors factors.Service
	log     *bytes.Buffer
	last    store.SignOn
	ended   int // sessions of which other protocols were told
	asked   *http.Request
}

// desk knows one password, for every name.
type desk struct{ *site }

func (d desk) SignOn(ctx context.Context, r signon.Request) (store.SignOn, error) {
	so := store.SignOn{EnvironmentID: d.env, At: d.now(), Method: d.method, Username: r.Username, Outcome: "invalidCredentials"}
	if u, err := d.db.UserByUsername(ctx, d.env, r.Username); err == nil && string(r.Password) == "wonderland" {
		so.UserID, so.Outcome, so.ProviderID = u.ID, "ok", d.through.ID
	}
	err := d.db.RecordSignOn(ctx, &so)
	d.last = so
	return so, err
}

func (desk) OffersChange(context.Context, store.SignOn) bool { return false }

func (desk) ChangePassword(context.Context, signon.ChangeRequest) (signon.Change, error) {
	return signon.Change{Outcome: wire.OutcomeNotAllowed}, nil
}

func (desk) KnownBrowser(signon.Request) string { return "" }

// noTickets is a gateway without Kerberos.
type noTickets struct{}

func (noTickets) SignOn(context.Context, kerberos.Request) (kerberos.Answer, error) {
	return kerberos.Answer{Refusal: &kerberos.Refusal{Reason: kerberos.ReasonOff}}, nil
}
func (noTickets) Explain(context.Context, kerberos.Request) (kerberos.Proof, error) {
	return kerberos.Proof{}, &kerberos.Refusal{Reason: kerberos.ReasonOff}
}
func (noTickets) Asks(context.Context, string, netip.Addr) (bool, error) { return false, nil }
func (noTickets) Taken(context.Context, string) (bool, error)            { return false, nil }

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (s *site) now() time.Time { return time.Now().Add(s.clock) }

func start(t *testing.T) *site {
	t.Helper()
	db := must(store.Open(t.Context(), filepath.Join(t.TempDir(), "db")))
	t.Cleanup(func() { check(t, db.Close()) })
	end := time.Now().Add(24 * time.Hour)
	s := &site{t: t, db: db, own: idptest.NewPair(end), theirs: idptest.NewPair(end), method: store.ByPassword, log: &bytes.Buffer{}}
	s.settle()
	mux := http.NewServeMux()
	srv := httptest.NewServer(mux)
	t.Cleanup(srv.Close)
	s.url = srv.URL
	sessions := signonpage.NewSessions(db, false)
	logger := hclog.New(&hclog.LoggerOptions{Output: s.log, Level: hclog.Trace})
	s.server = &samlidp.Server{
		Store: db, Vault: must(vault.New(make([]byte, 32))), URL: srv.URL, Sessions: sessions, Logger: logger, Now: s.now,
		Keys: func(ctx context.Context, env, id string) (crypto.Signer, *x509.Certificate, error) {
			_, err := db.Certificate(ctx, env, id)
			return s.own.Key, s.own.Cert, err
		},
		Ended: func(context.Context, string, store.SignedOn) error { s.ended++; return nil },
	}
	s.factors = factors.Service{Store: db, Now: s.now, Proofs: &administrators.Authenticator{
		Store: db, Vault: s.server.Vault, URLs: []string{srv.URL}, Now: s.now,
	}}
	page := &signonpage.Server{
		Store: db, Passwords: desk{s}, Tickets: noTickets{}, Flows: flows{s.server}, Sessions: sessions, Logger: logger, Now: s.now,
		Factors: &s.factors,
	}
	s.server.Pages = page
	saml := sessions.Wrap(s.server.Handler())
	for _, path := range []string{"idp/", "resume", "metadata", "metadata/"} {
		mux.Handle("/{e}/saml20/"+path, saml)
	}
	mux.Handle("/", sessions.Wrap(page.Handler()))
	return s
}

func (s *site) settle() {
	s.t.Helper()
	ctx := s.t.Context()
	env := store.Environment{Name: "Acme"}
	check(s.t, s.db.CreateEnvironment(ctx, &env))
	s.env = env.ID
	people := store.Population{EnvironmentID: env.ID, Name: "Default", Default: true}
	check(s.t, s.db.CreatePopulation(ctx, &people))
	s.alice = store.User{
		EnvironmentID: env.ID, PopulationID: people.ID, Username: "alice", GivenName: "Alice", FamilyName: "Archer",
		Email: "alice@acme.example", Enabled: true,
	}
	check(s.t, s.db.CreateUser(ctx, &s.alice))
	s.join("readers", "cn=a,dc=x")
	key := store.Certificate{EnvironmentID: s.env, Name: "own", Usage: "SIGNING", DER: s.own.Cert.Raw, Sealed: []byte("x")}
	check(s.t, s.db.CreateCertificate(ctx, &key))
	check(s.t, s.db.SetDefaultKey(ctx, s.env, key.ID))
	s.app = store.Application{
		EnvironmentID: env.ID, Name: "Wiki", Protocol: store.SAML, Type: store.WebApplication, Enabled: true,
		Groups: store.GroupsClaim{Value: store.GroupNames},
		SAML: store.ServiceProvider{
			EntityID: entity, ACS: []string{acs, other}, AssertionSeconds: 60, AssertionSigned: true,
			NameIDFormat: persistent, SLOEndpoint: slo, SLOBinding: samlidp.Redirect,
		},
		Kept: store.ApplicationKept{Attributes: []store.ApplicationAttribute{
			{Name: "email", Value: "${user.email}"}, {Name: "groups", Value: "${user.memberOfGroupNames}"},
			{Name: "tier", Value: "gold"}, {Name: "none", Value: "${user.title}"},
		}},
	}
	check(s.t, s.db.CreateApplication(ctx, &s.app))
}

const persistent = "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent"

// change changes the application.
func (s *site) change(f func(a *store.Application)) {
	s.t.Helper()
	f(&s.app)
	check(s.t, s.db.UpdateApplication(s.t.Context(), &s.app))
}

// certified has requests of the application verified.
func (s *site) certified(required bool) {
	s.t.Helper()
	c := store.Certificate{EnvironmentID: s.env, Name: "theirs", Usage: "SIGNING", DER: s.theirs.Cert.Raw}
	check(s.t, s.db.CreateCertificate(s.t.Context(), &c))
	s.change(func(a *store.Application) { a.SAML.CertificateIDs, a.SAML.RequestsSigned = []string{c.ID}, required })
}

// join makes groups with alice in them.
func (s *site) join(names ...string) (last string) {
	s.t.Helper()
	for _, name := range names {
		g := store.Group{EnvironmentID: s.env, Name: name}
		check(s.t, s.db.CreateGroup(s.t.Context(), &g))
		check(s.t, s.db.AddMember(s.t.Context(), s.env, s.alice.ID, g.ID, s.now()))
		last = g.ID
	}
	return last
}

// browser is somebody's, which stops where it would leave the cloud.
type browser struct {
	*site
	http http.Client
}

func (s *site) browser() *browser {
	b := &browser{site: s, http: http.Client{Jar: must(cookiejar.New(nil)), Transport: s}}
	b.http.CheckRedirect = func(r *http.Request, _ []*http.Request) error {
		if !strings.HasPrefix(r.URL.String(), s.url) {
			return http.ErrUseLastResponse
		}
		return nil
	}
	return b
}

// RoundTrip keeps what was asked for last.
func (s *site) RoundTrip(r *http.Request) (*http.Response, error) {
	s.asked = r
	return http.DefaultTransport.RoundTrip(r)
}

// askedIn sends what was asked for last again, by somebody who speaks a language.
func (s *site) askedIn(lang string) (page string) {
	s.t.Helper()
	r := s.asked.Clone(s.t.Context())
	r.Header.Set("Accept-Language", lang)
	if r.GetBody != nil {
		r.Body = must(r.GetBody())
	}
	resp := must(http.DefaultTransport.RoundTrip(r))
	defer resp.Body.Close()
	return string(must(io.ReadAll(resp.Body)))
}

// place is where a browser has come to.
type place struct {
	status int
	url    *url.URL // of the page, or of where it is sent out of the cloud
	page   string
	header http.Header
}

func (b *browser) went(resp *http.Response, err error) place {
	b.t.Helper()
	check(b.t, err)
	defer resp.Body.Close()
	p := place{resp.StatusCode, resp.Request.URL, string(must(io.ReadAll(resp.Body))), resp.Header}
	if to, err := resp.Location(); err == nil {
		p.url = to
	}
	return p
}

func (b *browser) get(address string) place {
	b.t.Helper()
	return b.went(b.http.Get(address))
}

func (b *browser) send(path string, form url.Values) place {
	b.t.Helper()
	r := must(http.NewRequestWithContext(b.t.Context(), "POST", b.url+"/"+b.env+path, strings.NewReader(form.Encode())))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Origin", "https://app.example")
	r.Header.Set("Sec-Fetch-Site", "cross-site")
	return b.went(b.http.Do(r))
}

// signOn fills in the form of a page and follows where it leads.
func (b *browser) signOn(at place) place {
	b.t.Helper()
	return b.follow(b.went(b.http.PostForm(b.url+"/"+b.env+"/signon", url.Values{
		"flow": {at.url.Query().Get("flow")}, "username": {"alice"}, "password": {"wonderland"},
	})))
}

// follow goes on by a page that leads on.
func (b *browser) follow(p place) place {
	b.t.Helper()
	if next := b.leads(p); next != "" {
		return b.get(next)
	}
	return p
}

// leads is where a page leads on; empty when it does not.
func (b *browser) leads(p place) string {
	_, after, found := strings.Cut(p.page, `content="0; url=`)
	next, _, _ := strings.Cut(after, `"`)
	next = html.UnescapeString(next)
	if !found || strings.HasPrefix(next, "http") {
		return next
	}
	return b.url + next
}

// hidden are the values of a form that posts itself, with its address as "".
func (p place) hidden() map[string]string {
	all := map[string]string{}
	if m := regexp.MustCompile(`action="([^"]*)"`).FindStringSubmatch(p.page); m != nil {
		all[""] = html.UnescapeString(m[1])
	}
	for _, m := range regexp.MustCompile(`name="([^"]*)" value="([^"]*)"`).FindAllStringSubmatch(p.page, -1) {
		all[m[1]] = html.UnescapeString(m[2])
	}
	return all
}

// response is the document that a page posts.
func (b *browser) response(p place) *etree.Element {
	b.t.Helper()
	doc := etree.NewDocument()
	text, err := base64.StdEncoding.DecodeString(p.hidden()["SAMLResponse"])
	if err != nil || doc.ReadFromBytes(text) != nil || doc.Root() == nil {
		b.t.Fatalf("no response: %d %s\n%s", p.status, p.url, p.page)
	}
	return doc.Root()
}

// ask is a request of the application.
type ask struct {
	id, issuer, destination, at, attributes, inner string
}

func (s *site) ask() ask {
	return ask{id: "_r1", issuer: entity, destination: s.url + "/" + s.env + samlidp.SSOPath, at: s.now().UTC().Format(time.RFC3339)}
}

func (a ask) xml() string {
	dest := ""
	if a.destination != "" {
		dest = ` Destination="` + a.destination + `"`
	}
	return `<samlp:AuthnRequest xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" ` +
		`xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID="` + a.id + `" Version="2.0" IssueInstant="` + a.at + `"` +
		dest + " " + a.attributes + `><saml:Issuer>` + a.issuer + `</saml:Issuer>` + a.inner + `</samlp:AuthnRequest>`
}

func deflated(text string) string {
	var b bytes.Buffer
	w := must(flate.NewWriter(&b, 9))
	_ = must(io.WriteString(w, text))
	if err := w.Close(); err != nil {
		panic(err)
	}
	return base64.StdEncoding.EncodeToString(b.Bytes())
}

const rsaSHA256 = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"

// redirect is the address of a request, signed when there is a key.
func (s *site) redirect(path, text, relay string, by *idptest.Pair) string {
	q := "SAMLRequest=" + url.QueryEscape(deflated(text))
	if relay != "" {
		q += "&RelayState=" + url.QueryEscape(relay)
	}
	if by != nil {
		q += "&SigAlg=" + url.QueryEscape(rsaSHA256)
		h := crypto.SHA256.New()
		_ = must(io.WriteString(h, q))
		q += "&Signature=" + url.QueryEscape(base64.StdEncoding.EncodeToString(must(by.Key.Sign(rand.Reader, h.Sum(nil), crypto.SHA256))))
	}
	return s.url + "/" + s.env + path + "?" + q
}

// posted is a request as a form, signed when there is a key.
func posted(text string, by *idptest.Pair) url.Values {
	if by != nil {
		text = string(idptest.Text(by.Sign(rsaSHA256, true, idptest.Parse(text))))
	}
	return url.Values{"SAMLRequest": {base64.StdEncoding.EncodeToString([]byte(text))}, "RelayState": {"r"}}
}
