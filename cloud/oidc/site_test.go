package oidc_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	gooidc "github.com/coreos/go-oidc/v3/oidc"
	"github.com/hashicorp/go-hclog"
	"golang.org/x/oauth2"

	"ldap-gateway/cloud/administrators"
	"ldap-gateway/cloud/factors"
	"ldap-gateway/cloud/kerberos"
	"ldap-gateway/cloud/oidc"
	"ldap-gateway/cloud/signon"
	"ldap-gateway/cloud/signonpage"
	"ldap-gateway/cloud/store"
	"ldap-gateway/cloud/store/storetest"
	"ldap-gateway/cloud/vault"
	"ldap-gateway/cloudlink/wire"
)

// redirect is where the application's codes go.
const redirect = "https://app.example/cb"

// site is a provider with its sign-on page, an application and alice.
type site struct {
	t      testing.TB
	db     *store.Store
	server *oidc.Server
	url    string
	env    string
	alice  store.User
	app    store.Application
	secret string
	// through is the identity provider by which people sign on; without an ID it is none.
	through store.IdentityProvider
	clock   time.Duration // ahead of the true time
	factors factors.Service
	log     bytes.Buffer // of the server
}

// desk knows one password, for every name.
type desk struct{ *site }

func (d desk) SignOn(ctx context.Context, r signon.Request) (store.SignOn, error) {
	so := store.SignOn{
		EnvironmentID: d.env,
		At:            d.now(),
		Method:        "password",
		Username:      r.Username,
		Outcome:       "invalidCredentials",
		Message:       "The user name or the password is not right.",
	}
	if u, err := d.db.UserByUsername(ctx, d.env, r.Username); err == nil && string(r.Password) == "wonderland" {
		so.UserID, so.Outcome, so.ProviderID = u.ID, "ok", d.through.ID
	}
	return so, d.db.RecordSignOn(ctx, &so)
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

func start(t testing.TB) *site {
	t.Helper()
	return startOn(t, storetest.File(t))
}

// startOn is start with a database of one's own.
func startOn(t testing.TB, where string) *site {
	t.Helper()
	db := must(store.Open(t.Context(), where))
	t.Cleanup(func() { check(t, db.Close()) })
	s := &site{t: t, db: db}
	s.settle()
	mux := http.NewServeMux()
	srv := httptest.NewServer(mux)
	t.Cleanup(srv.Close)
	s.url = srv.URL
	sessions := signonpage.NewSessions(db, false)
	s.server = &oidc.Server{
		Store:    db,
		Vault:    must(vault.New(make([]byte, 32))),
		URL:      srv.URL,
		Sessions: sessions,
		HTTP:     &http.Client{Timeout: 10 * time.Second},
		Logger:   hclog.New(&hclog.LoggerOptions{Output: &s.log}),
		Now:      s.now,
		Clients: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, "the API's")
		}),
	}
	s.factors = factors.Service{Store: db, Now: s.now, Proofs: &administrators.Authenticator{
		Store: db, Vault: s.server.Vault, URLs: []string{srv.URL}, Now: s.now,
	}}
	page := &signonpage.Server{
		Store:     db,
		Passwords: desk{s},
		Tickets:   noTickets{},
		Flows:     s.server,
		Factors:   &s.factors,
		Sessions:  sessions,
		Logger:    hclog.NewNullLogger(),
		Now:       s.now,
	}
	s.server.Pages = page
	mux.Handle("/{e}/as/", sessions.Wrap(s.server.Handler()))
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
		EnvironmentID: env.ID,
		PopulationID:  people.ID,
		Username:      "alice",
		GivenName:     "Alice",
		FamilyName:    "Archer",
		Email:         "alice@acme.example",
		Enabled:       true,
	}
	check(s.t, s.db.CreateUser(ctx, &s.alice))
	s.join("readers", "cn=a,dc=x", "cn=b,dc=x", "cn=b/c,dc=y")
	secret, hash := vault.NewSecret()
	s.secret = secret
	s.app = store.Application{
		EnvironmentID: env.ID,
		Name:          "Wiki",
		Type:          store.WebApplication,
		Enabled:       true,
		SecretHash:    hash,
		RedirectURIs:  []string{redirect},
		SignOffURIs:   []string{"https://app.example/bye"},
		Refresh:       true,
		Groups:        store.GroupsClaim{Value: store.GroupNames},
	}
	check(s.t, s.db.CreateApplication(ctx, &s.app))
}

// joinMany is join for groups of a directory, which one sign-on brings at once.
func (s *site) joinMany(names ...string) {
	s.t.Helper()
	check(s.t, s.db.Provision(s.t.Context(), func(tx *store.Tx) error {
		var all []*store.Group
		for _, name := range names {
			all = append(all, &store.Group{EnvironmentID: s.env, Name: name, SourceType: store.SourceGateway, SourceID: "hq"})
		}
		err := tx.CreateGroups(s.t.Context(), all)
		var joined []store.Joined
		for _, g := range all {
			joined = append(joined, store.Joined{GroupID: g.ID})
		}
		if err == nil {
			err = tx.AddMemberships(s.t.Context(), s.env, s.alice.ID, joined, s.now())
		}
		return err
	}))
}

// join makes groups with alice in them.
func (s *site) join(names ...string) {
	s.t.Helper()
	for _, name := range names {
		g := store.Group{EnvironmentID: s.env, Name: name}
		check(s.t, s.db.CreateGroup(s.t.Context(), &g))
		check(s.t, s.db.AddMember(s.t.Context(), s.env, s.alice.ID, g.ID, s.now()))
	}
}

// browser is somebody's, which stops where it would leave the cloud.
type browser struct {
	*site
	http http.Client
}

func (s *site) browser() *browser {
	b := &browser{site: s, http: http.Client{Jar: must(cookiejar.New(nil))}}
	b.http.CheckRedirect = func(r *http.Request, _ []*http.Request) error {
		if !strings.HasPrefix(r.URL.String(), s.url) {
			return http.ErrUseLastResponse
		}
		return nil
	}
	return b
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

// signOn fills in the form of a page and follows where it leads.
func (b *browser) signOn(at place, name, password string) place {
	b.t.Helper()
	flow := at.url.Query().Get("flow")
	p := b.went(b.http.PostForm(b.url+"/"+b.env+"/signon", url.Values{
		"flow":     {flow},
		"username": {name},
		"password": {password},
	}))
	if _, after, found := strings.Cut(p.page, `content="0; url=`); found {
		next, _, _ := strings.Cut(after, `"`)
		return b.get(b.url + strings.ReplaceAll(next, "&amp;", "&"))
	}
	return p
}

// relying is the application's own library.
func (s *site) relying(scopes ...string) (*oauth2.Config, *gooidc.Provider) {
	p := must(gooidc.NewProvider(s.t.Context(), s.server.Issuer(s.env)))
	return &oauth2.Config{
		ClientID:     s.app.ID,
		ClientSecret: s.secret,
		RedirectURL:  redirect,
		Endpoint:     p.Endpoint(),
		Scopes:       append([]string{"openid"}, scopes...),
	}, p
}

// code signs alice on for the application and returns the code and its verifier.
func (b *browser) code(c *oauth2.Config, more ...oauth2.AuthCodeOption) (code, verifier string) {
	b.t.Helper()
	verifier = oauth2.GenerateVerifier()
	p := b.get(c.AuthCodeURL("state", append(more, oauth2.S256ChallengeOption(verifier))...))
	if !strings.HasPrefix(p.url.String(), redirect) {
		p = b.signOn(p, "alice", "wonderland")
	}
	if p.url.Query().Get("state") != "state" || p.url.Query().Get("code") == "" {
		b.t.Fatalf("%s\n%s", p.url, p.page)
	}
	return p.url.Query().Get("code"), verifier
}

// claims returns what is in an ID token, verified.
func (s *site) claims(token *oauth2.Token) map[string]any {
	s.t.Helper()
	_, p := s.relying()
	raw, _ := token.Extra("id_token").(string)
	id, err := p.VerifierContext(s.t.Context(), &gooidc.Config{ClientID: s.app.ID, Now: s.now}).
		Verify(s.t.Context(), raw)
	check(s.t, err)
	claims := map[string]any{}
	check(s.t, id.Claims(&claims))
	return claims
}

// userinfo returns what the endpoint answers.
func (s *site) userinfo(access string) (int, map[string]any) {
	s.t.Helper()
	r := must(http.NewRequestWithContext(s.t.Context(), "GET", s.server.Issuer(s.env)+"/userinfo", nil))
	r.Header.Set("Authorization", "Bearer "+access)
	r.Header.Set("Origin", "https://evil.example")
	resp := must(http.DefaultClient.Do(r))
	defer resp.Body.Close()
	if resp.Header.Get("Access-Control-Allow-Origin") != "" {
		s.t.Error("another site may read it")
	}
	claims := map[string]any{}
	_ = json.NewDecoder(resp.Body).Decode(&claims)
	return resp.StatusCode, claims
}
