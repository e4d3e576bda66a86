package console_test

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/argon2"

	"ldap-gateway/cloud/administrators"
	"ldap-gateway/cloud/alerts"
	"ldap-gateway/cloud/console"
	"ldap-gateway/cloud/hub"
	"ldap-gateway/cloud/idp"
	"ldap-gateway/cloud/idp/idptest"
	"ldap-gateway/cloud/kerberos"
	"ldap-gateway/cloud/management"
	"ldap-gateway/cloud/pairing"
	"ldap-gateway/cloud/providers"
	"ldap-gateway/cloud/provisioner"
	"ldap-gateway/cloud/store"
	"ldap-gateway/cloud/store/storetest"
	"ldap-gateway/cloud/throttle"
	"ldap-gateway/cloud/usertypes"
	"ldap-gateway/cloud/vault"
	"ldap-gateway/cloudlink/wire"
)

const (
	secret   = "one-time-secret-of-the-test"
	password = "a fine long pass phrase"
)

// site is a console over a real store, served on a real address.
type site struct {
	file   string // the database
	t      testing.TB
	store  *store.Store
	links  *links
	people *people
	url    string
	env    store.Environment

	exports, streams, passwords throttle.Queue // without an end, unless a test sets one

	mu  sync.Mutex
	now time.Time
}

// links knows what instances are live, and records what it was told.
type links struct {
	mu   sync.Mutex
	live []hub.Live
	told []string

	explained wire.Explained
}

func (l *links) Live(gateway string) (all []hub.Live) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, x := range l.live {
		if x.Gateway == gateway {
			all = append(all, x)
		}
	}
	return all
}
func (l *links) UserTypesChanged(g string) { l.tell("changed " + g) }
func (l *links) Explain(_ context.Context, a hub.Request) wire.Explained {
	l.tell("explain " + a.Identifier)
	return l.explained
}
func (l *links) Rotate(i string)  { l.tell("rotate " + i) }
func (l *links) Revoked(i string) { l.tell("revoked " + i) }
func (l *links) tell(s string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.told = append(l.told, s)
}

func (s *site) clock() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.now
}

func (s *site) pass(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now = s.now.Add(d)
}

// open starts a console with one environment, its default population and an
// administrator "admin" who has yet to set a password.
func open(t testing.TB) *site {
	t.Helper()
	s := &site{t: t, links: &links{}, people: &people{}, now: time.Now().UTC().Truncate(time.Second)}
	s.file = storetest.File(t)
	db, err := store.Open(t.Context(), s.file)
	s.must(err)
	t.Cleanup(func() { s.must(db.Close()) })
	s.store = db
	s.env = s.newEnvironment("Example", "admin")
	server := httptest.NewUnstartedServer(nil)
	s.url = "http://" + server.Listener.Addr().String()
	server.Config.Handler = s.server().Handler()
	server.Start()
	t.Cleanup(server.Close)
	return s
}

func (s *site) server() *console.Server {
	v, err := vault.New(make([]byte, 32))
	s.must(err)
	return &console.Server{
		Store: s.store,
		Management: &management.Service{
			Store: s.store,
			Links: s.links,
			Keys:  &kerberos.Verifier{Store: s.store, Vault: v, Now: s.clock},
			Vault: v,
			URL:   "https://id.example.com",
			Channels: &alerts.Post{
				Vault: v,
				SMTP:  "127.0.0.1:1",
				From:  "cloud@example.com",
				URL:   "https://id.example.com",
			},
			Now: s.clock,
		},
		Pairings:  &pairing.Broker{Store: s.store, Now: s.clock},
		Links:     s.links,
		Mails:     true,
		Bytes:     s.store.Size,
		Providers: &idp.Desk{Store: s.store, Vault: v, HTTP: http.DefaultClient, URL: "https://id.example.com", Now: s.clock},
		Services:  []string{"HTTP/id.example.com"},
		URL:       "https://id.example.com",
		Proofs: &administrators.Authenticator{
			Store: s.store, Vault: v, URLs: []string{s.url}, Now: s.clock, Hashing: &s.passwords,
		},
		People:  s.people,
		Now:     s.clock,
		Exports: &s.exports,
		Streams: &s.streams,
	}
}

// people knows whom a test lets have signed on.
type people struct{ by store.SignedOn }

// PersonOf implements console.People.
func (p *people) PersonOf(*http.Request, string) (store.SignedOn, bool, error) {
	return p.by, p.by.UserID != "", nil
}

func (s *site) newEnvironment(name, admin string) store.Environment {
	env := store.Environment{Name: name}
	s.must(s.store.CreateEnvironment(context.Background(), &env))
	s.must(s.store.CreatePopulation(context.Background(), &store.Population{EnvironmentID: env.ID, Name: "Default"}))
	digest := sha256.Sum256([]byte(secret))
	s.must(s.store.CreateAdministrator(context.Background(), &store.Administrator{
		EnvironmentID: env.ID,
		Name:          admin,
		SetupHash:     digest[:],
	}))
	return env
}

func (s *site) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

// visitor is a browser without scripts, which keeps cookies.
type visitor struct {
	*site
	client *http.Client
}

func (s *site) visitor() *visitor {
	jar, err := cookiejar.New(nil)
	s.must(err)
	return &visitor{s, &http.Client{
		Jar:           jar,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// admin returns a visitor who has signed in.
func (s *site) admin() *visitor { return s.signIn("admin") }

// signIn gives the administrator of that name the password, with a hash that
// costs little, and signs in with it.
func (s *site) signIn(name string) *visitor {
	s.t.Helper()
	admin, err := s.store.Administrator(s.t.Context(), name)
	s.must(err)
	salt := []byte("salt of the test")
	admin.SetupHash, admin.PasswordHash = nil, fmt.Sprintf("$argon2id$v=%d$m=8,t=1,p=1$%s$%s", argon2.Version,
		base64.RawStdEncoding.EncodeToString(salt), base64.RawStdEncoding.EncodeToString(argon2.IDKey([]byte(password), salt, 1, 8, 1, 32)))
	s.must(s.store.UpdateAdministrator(s.t.Context(), &admin))
	v := s.visitor()
	v.post("/console/sign-in", "name", name, "password", password).is(http.StatusSeeOther)
	return v
}

// answer is what came back.
type answer struct {
	t      testing.TB
	what   string
	status int
	header http.Header
	body   string
}

func (v *visitor) do(r *http.Request) answer {
	v.t.Helper()
	resp, err := v.client.Do(r)
	v.must(err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	v.must(err)
	return answer{v.t, r.Method + " " + r.URL.RequestURI(), resp.StatusCode, resp.Header, string(body)}
}

func (v *visitor) get(path string) answer {
	v.t.Helper()
	r, err := http.NewRequest("GET", v.url+path, nil)
	v.must(err)
	return v.do(r)
}

// post sends a form; fields are names and values in turn.
func (v *visitor) post(path string, fields ...string) answer {
	v.t.Helper()
	form := url.Values{}
	for i := 0; i < len(fields); i += 2 {
		form.Add(fields[i], fields[i+1])
	}
	r, err := http.NewRequest("POST", v.url+path, strings.NewReader(form.Encode()))
	v.must(err)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	return v.do(r)
}

// follow reads the page that an answer leads to.
func (v *visitor) follow(a answer) answer {
	v.t.Helper()
	a.is(http.StatusSeeOther)
	return v.get(a.header.Get("Location"))
}

func (a answer) is(status int) answer {
	a.t.Helper()
	if a.status != status {
		a.t.Fatalf("%s: status %d, want %d\n%s", a.what, a.status, status, a.text())
	}
	return a
}

func (a answer) has(texts ...string) answer {
	a.t.Helper()
	for _, text := range texts {
		if !strings.Contains(a.text(), text) {
			a.t.Errorf("%s: %q is not on the page:\n%s", a.what, text, a.text())
		}
	}
	return a
}

// warns wants a sentence that says why nothing was done.
func (a answer) warns(text string) answer {
	a.t.Helper()
	if !strings.Contains(a.body, `role="alert">`+text) {
		a.t.Errorf("%s: it does not warn %q:\n%s", a.what, text, a.text())
	}
	return a
}

func (a answer) lacks(texts ...string) answer {
	a.t.Helper()
	for _, text := range texts {
		if strings.Contains(a.text(), text) {
			a.t.Errorf("%s: %q is on the page", a.what, text)
		}
	}
	return a
}

var (
	tags   = regexp.MustCompile(`<[^>]*>`)
	blanks = regexp.MustCompile(`\s+`)
)

// text is the page as people read it, with what fields hold.
func (a answer) text() string {
	values := regexp.MustCompile(` value="([^"]*)"`).ReplaceAllString(a.body, "> $1 <i")
	return blanks.ReplaceAllString(html.UnescapeString(tags.ReplaceAllString(values, " ")), " ")
}

// filled is an environment with one of everything.
type filled struct {
	population  store.Population
	gateway     store.Gateway
	instance    store.Instance
	revoked     store.Instance
	pairing     store.Pairing
	user        store.User
	jit, idp    store.Group
	ordinary    store.Group
	keys        store.KerberosKeys
	application store.Application
	admin       store.Administrator
	client      store.Client
	openID      store.IdentityProvider
	saml        store.IdentityProvider
	certificate store.Certificate // of saml
	link        store.LinkedAccount
	key         store.Certificate // of ours
	channel     store.AlertChannel
	policy      store.SignOnPolicy // that nothing goes by
}

// fill puts one of everything into an environment; every text that a directory
// or an agent can choose has mark in it.
func (s *site) fill(env, mark string) filled {
	s.t.Helper()
	ctx := s.t.Context()
	var f filled
	f.population = store.Population{EnvironmentID: env, Name: "Staff" + mark, Description: "People" + mark}
	s.must(s.store.CreatePopulation(ctx, &f.population))
	people := usertypes.Usual("OpenLDAP")
	people.Name, people.PopulationID, people.SearchBaseDN, people.UpdateOnSignOn = "People"+mark, f.population.ID, "ou=people,dc=example,dc=com", true
	f.gateway = store.Gateway{
		EnvironmentID: env,
		Name:          "Headquarters" + mark,
		Vendor:        "OpenLDAP",
		Enabled:       true,
		UserTypes:     []store.UserType{people},
	}
	s.must(s.store.CreateGateway(ctx, &f.gateway))
	f.instance, f.revoked = s.pair(f.gateway, "gw1.example.com"+mark), s.pair(f.gateway, "old.example.com"+mark)
	s.must(s.store.RevokeInstance(ctx, env, f.gateway.ID, f.revoked.ID, "administrator"+mark, s.clock()))
	f.pairing = store.Pairing{
		EnvironmentID: env,
		GatewayID:     f.gateway.ID,
		CodeHash:      []byte("pending" + env),
		CreatedBy:     "admin" + mark,
		CreatedAt:     s.clock(),
		ExpiresAt:     s.clock().Add(time.Hour),
	}
	s.must(s.store.CreatePairing(ctx, &f.pairing))
	f.gateway.Kerberos = &store.Kerberos{
		ServiceAccount: "svc@example.com" + mark,
		Realms:         []string{"EXAMPLE.COM" + mark},
		Networks:       []string{"10.0.0.0/8" + mark},
		Attribute:      "uid" + mark,
		Value:          "${principal}" + mark,
	}
	s.must(s.store.UpdateGateway(ctx, &f.gateway))
	f.keys = store.KerberosKeys{
		EnvironmentID: env,
		GatewayID:     f.gateway.ID,
		Origin:        "keytab",
		CreatedBy:     "admin" + mark,
		Sealed:        []byte("x"),
		Entries: []store.KerberosEntry{{
			Principal: "HTTP/id.example.com" + mark,
			Realm:     "EXAMPLE.COM" + mark,
			KVNO:      7,
			EType:     18,
		}},
		CreatedAt: s.clock(),
	}
	s.must(s.store.ReplaceKerberosKeys(ctx, &f.keys, 0))
	f.application = store.Application{
		EnvironmentID: env,
		Name:          "Wiki" + mark,
		Description:   mark,
		Type:          store.WebApplication,
		Enabled:       true,
		RedirectURIs:  []string{"https://wiki.example.com/cb" + mark},
		Groups:        store.GroupsClaim{Value: store.GroupNames, Allow: []string{"cn=*" + mark}},
		Former:        store.FormerSecret{Hash: []byte("former"), Until: s.clock().Add(time.Hour)},
	}
	s.must(s.store.CreateApplication(ctx, &f.application))
	s.fillProviders(env, mark, &f)
	s.signOns(env, mark, &f)
	f.link = store.LinkedAccount{EnvironmentID: env, ProviderID: f.openID.ID, UserID: f.user.ID, Subject: store.Subject{ID: "sub" + mark}}
	s.must(s.store.LinkAccount(ctx, &f.link))
	f.key = store.Certificate{EnvironmentID: env, Name: "ours" + mark, Usage: management.Signing, DER: f.certificate.DER, Sealed: []byte("x")}
	s.must(s.store.CreateCertificate(ctx, &f.key))
	f.channel = store.AlertChannel{ID: "channel of " + env, EnvironmentID: env, Kind: "email", Target: "a@example.com" + mark}
	s.must(s.store.CreateAlertChannel(ctx, &f.channel))
	f.admin = store.Administrator{EnvironmentID: env, Name: "another of " + env + mark, Role: store.RoleReadOnly}
	s.must(s.store.CreateAdministrator(ctx, &f.admin))
	f.client = store.Client{
		EnvironmentID: env,
		Name:          "client" + mark,
		SecretHash:    []byte("of now"),
		Former:        store.FormerSecret{Hash: []byte("former"), Until: s.clock().Add(time.Hour)},
	}
	s.must(s.store.CreateClient(ctx, &f.client))
	f.policy = store.SignOnPolicy{EnvironmentID: env, Name: "Twice" + mark, Actions: []store.PolicyAction{
		{ID: "a", Type: store.ActionLogin, Priority: 1}, {ID: "b", Type: store.ActionMultiFactor, Priority: 2},
	}}
	s.must(s.store.SavePolicy(ctx, &f.policy))
	f.ordinary = store.Group{EnvironmentID: env, Name: "Readers" + mark, Description: "Made here" + mark}
	s.must(s.store.CreateGroup(ctx, &f.ordinary))
	s.must(s.store.AddMember(ctx, env, f.user.ID, f.ordinary.ID, s.clock()))
	return f
}

// fillProviders makes an identity provider of each type.
func (s *site) fillProviders(env, mark string, f *filled) {
	s.t.Helper()
	ctx := s.t.Context()
	f.certificate = store.Certificate{
		EnvironmentID: env,
		Name:          "theirs" + mark,
		Usage:         management.Signing,
		DER:           idptest.NewPair(s.clock().Add(20 * 24 * time.Hour)).Cert.Raw,
	}
	s.must(s.store.CreateCertificate(ctx, &f.certificate))
	f.openID = store.IdentityProvider{
		EnvironmentID: env,
		Name:          "Partner" + mark,
		Description:   "d" + mark,
		Type:          store.OpenIDConnect,
		PopulationID:  f.population.ID,
		Enabled:       true,
		Mappings:      []store.ProviderMapping{providers.Core(store.OpenIDConnect), {Name: "x" + mark, Value: "v" + mark}},
		Config: store.ProviderConfig{
			OIDC:    &store.OIDCConfig{Issuer: "https://idp.example.com" + mark, ClientID: "c" + mark, Scopes: []string{"openid"}},
			Domains: []string{"example.org" + mark},
		},
	}
	s.must(s.store.CreateIdentityProvider(ctx, &f.openID))
	f.saml = store.IdentityProvider{
		EnvironmentID: env,
		Name:          "Partner SAML" + mark,
		Type:          store.SAML,
		Mappings:      []store.ProviderMapping{providers.Core(store.SAML)},
		Config: store.ProviderConfig{SAML: &store.SAMLConfig{
			EntityID:       "https://idp.example.com/metadata" + mark,
			OwnEntityID:    "https://cloud.example.com/sp",
			Endpoint:       "https://idp.example.com/sso",
			Binding:        "HTTP_REDIRECT",
			CertificateIDs: []string{f.certificate.ID},
		}},
	}
	s.must(s.store.CreateIdentityProvider(ctx, &f.saml))
	s.must(s.store.SeeProvider(ctx, env, f.openID.ID, func(h *store.ProviderHealth) {
		h.Problem, h.ProblemSince, h.Names, h.Absent, h.CutAt = "down"+mark, s.clock(), []string{"n" + mark}, store.ManyAbsent, s.clock()
		h.Refusals = []store.ProviderRefusal{{At: s.clock(), Kind: "shape" + mark}}
	}))
}

func (s *site) pair(g store.Gateway, host string) store.Instance {
	s.t.Helper()
	code := []byte(g.ID + host)
	s.must(s.store.CreatePairing(s.t.Context(), &store.Pairing{
		EnvironmentID: g.EnvironmentID,
		GatewayID:     g.ID,
		CodeHash:      code,
		CreatedBy:     "administrator admin",
		ExpiresAt:     s.clock().Add(time.Hour),
	}))
	i := store.Instance{
		Hostname:    host,
		Software:    "1.4.0",
		System:      "linux/amd64",
		Fingerprint: "4F2A-91C0-77DE-0B35-A6E1-5C88",
		PairedFrom:  "192.0.2.7",
	}
	_, err := s.store.RedeemPairing(s.t.Context(), code, s.clock(), &i)
	s.must(err)
	return i
}

// signOns makes a user through the provisioner, with a group from the gateway
// and one from an identity provider.
func (s *site) signOns(env, mark string, f *filled) {
	s.t.Helper()
	p := &provisioner.Provisioner{Store: s.store}
	id := provisioner.Identity{
		EnvironmentID: env,
		SourceType:    store.SourceGateway,
		SourceID:      f.gateway.ID,
		UserTypeID:    f.gateway.UserTypes[0].ID,
		PopulationID:  f.population.ID,
		Username:      "alice",
		At:            s.clock(),
		DN:            "uid=alice,ou=people,dc=example,dc=com" + mark,
		Correlation:   []store.Correlation{{Attribute: "entryUUID", Value: "6b1f0e1c" + mark}},
		Update:        true,
		Properties: map[string]string{
			"username":     "alice",
			"name.given":   "Alice" + mark,
			"name.family":  "Archer" + mark,
			"email":        "alice@example.com" + mark,
			"phone" + mark: "1" + mark,
		},
		Membership: &provisioner.Membership{Verdict: provisioner.Complete, Groups: []provisioner.Group{
			{Name: "cn=backend,ou=groups,dc=example,dc=com" + mark, DisplayName: "backend" + mark}}},
	}
	change, err := p.Apply(s.t.Context(), id, &store.SignOn{
		Method:     "password",
		Outcome:    "ok",
		InstanceID: f.instance.ID,
		GatewayID:  f.gateway.ID,
	})
	s.must(err)
	f.user, f.jit = change.User, change.GroupsCreated[0]
	id.SourceType, id.SourceID, id.UserID = store.SourceIDP, "11111111-2222-3333-4444-555555555555", f.user.ID
	id.Membership.Groups = []provisioner.Group{{Name: "partners" + mark, DisplayName: "partners" + mark}}
	change, err = p.Apply(s.t.Context(), id, &store.SignOn{Method: "idp", Outcome: "ok", Reason: "of the test" + mark})
	s.must(err)
	f.idp = change.GroupsCreated[0]
	id.Properties, id.Membership = nil, nil
	_, err = p.Apply(s.t.Context(), id, &store.SignOn{Method: "kerberos", Outcome: "ok"})
	s.must(err)
}
