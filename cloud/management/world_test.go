package management_test

import (
	"context"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"ldap-gateway/cloud/alerts"
	"ldap-gateway/cloud/idp"
	"ldap-gateway/cloud/idp/idptest"
	"ldap-gateway/cloud/kerberos"
	"ldap-gateway/cloud/management"
	"ldap-gateway/cloud/pairing"
	"ldap-gateway/cloud/providers"
	"ldap-gateway/cloud/store"
	"ldap-gateway/cloud/store/pgtest"
	"ldap-gateway/cloud/store/storetest"
	"ldap-gateway/cloud/usertypes"
	"ldap-gateway/cloud/vault"
)

// TestPostgres runs the tests here on PostgreSQL, but for those that walk through all roles.
func TestPostgres(t *testing.T) { pgtest.Again(t, "TestEveryRole", "TestEveryActionWithEveryRole") }

// house is management over a real store.
type house struct {
	*management.Service
	t      testing.TB
	links  *links
	sent   []string // to alert channels
	fails  error    // what sending to them ends with
	made   int      // environments
	parent string   // of those that are made
	der    []byte   // a certificate

	openIDs *idptest.OpenID // that can be asked about itself
}

// links record what they are told.
type links struct {
	mu   sync.Mutex
	told []string
}

func (l *links) tell(what string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.told = append(l.told, what)
}

func (l *links) UserTypesChanged(g string) { l.tell("changed " + g) }
func (l *links) Rotate(i string)           { l.tell("rotate " + i) }
func (l *links) Revoked(i string)          { l.tell("revoked " + i) }

// channels makes real channels, and sends nothing.
type channels struct {
	*alerts.Post
	h *house
}

func (c channels) Send(_ context.Context, ch store.AlertChannel, _ alerts.Message) error {
	c.h.sent = append(c.h.sent, ch.Target)
	return c.h.fails
}

func open(t testing.TB) *house {
	t.Helper()
	db, err := store.Open(t.Context(), storetest.Where(t))
	must(t, err)
	t.Cleanup(func() { must(t, db.Close()) })
	v, err := vault.New(make([]byte, 32))
	must(t, err)
	openIDs := idptest.StartOpenID(nil)
	t.Cleanup(openIDs.Close)
	h := &house{t: t, openIDs: openIDs, links: &links{}, der: idptest.NewPair(time.Now().Add(time.Hour)).Cert.Raw}
	h.Service = &management.Service{
		Store:    db,
		Links:    h.links,
		Keys:     &kerberos.Verifier{Store: db, Vault: v},
		Vault:    v,
		URL:      "https://cloud.example.com",
		Channels: channels{&alerts.Post{Vault: v, SMTP: "127.0.0.1:1", From: "cloud@example.com"}, h},
	}
	return h
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// world is an environment with one of everything.
type world struct {
	*house
	env              string
	population, more store.Population
	gateway          store.Gateway
	kind, other      store.UserTypeRef // of the gateway
	instance         store.Instance
	pairing          store.Pairing
	waiting          string // code that an agent shows
	user, second     store.User
	group, jit       store.Group
	application      store.Application
	child            store.Environment  // that its owners made
	policy           store.SignOnPolicy // with an action, and not the default one
	provider, saml   store.IdentityProvider
	certificate      store.Certificate // that nothing uses
	used             store.Certificate // by saml
	own              store.Certificate // a key of ours
	link             store.LinkedAccount
	keys             store.KerberosKeys
	admin            store.Administrator
	client           store.Client
	channel          store.AlertChannel
	passkey          store.Passkey
	admins           int
}

func (h *house) world() *world {
	h.t.Helper()
	ctx := h.t.Context()
	h.made++
	env := store.Environment{Name: fmt.Sprint("environment ", h.made), ParentID: h.parent}
	must(h.t, h.Store.CreateEnvironment(ctx, &env))
	w := &world{house: h, env: env.ID}
	w.population = store.Population{EnvironmentID: env.ID, Name: "Staff"}
	w.more = store.Population{EnvironmentID: env.ID, Name: "Guests"}
	must(h.t, h.Store.CreatePopulation(ctx, &w.population))
	must(h.t, h.Store.CreatePopulation(ctx, &w.more))
	w.settleGateway()
	w.settlePeople()
	w.settleProvider()
	w.settleRights()
	w.child = store.Environment{Name: "made", ParentID: env.ID}
	must(h.t, h.Store.NewEnvironment(ctx, &w.child))
	return w
}

// people is a user type that nothing is wrong with.
func (w *world) people(name string) store.UserType {
	u := usertypes.Usual("OpenLDAP")
	u.Name, u.SearchBaseDN, u.PopulationID = name, "ou=people,dc=example,dc=com", w.population.ID
	return u
}

func (w *world) settleGateway() {
	t, ctx := w.t, w.t.Context()
	w.gateway = store.Gateway{
		EnvironmentID: w.env,
		Name:          "Headquarters",
		Vendor:        "OpenLDAP",
		Enabled:       true,
		UserTypes:     []store.UserType{w.people("People"), w.people("Guests")},
		Kerberos:      &store.Kerberos{RetainMinutes: 10},
	}
	must(t, w.Store.CreateGateway(ctx, &w.gateway))
	w.kind = store.UserTypeRef{Gateway: w.gateway.ID, UserType: w.gateway.UserTypes[0].ID}
	w.other = store.UserTypeRef{Gateway: w.gateway.ID, UserType: w.gateway.UserTypes[1].ID}
	used, _ := pairing.Offer(w.gateway, "ada", time.Now())
	must(t, w.Store.CreatePairing(ctx, &used))
	w.instance = store.Instance{Hostname: "gw1", Fingerprint: "AB12"}
	_, err := w.Store.RedeemPairing(ctx, used.CodeHash, time.Now(), &w.instance)
	must(t, err)
	w.pairing, _ = pairing.Offer(w.gateway, "ada", time.Now())
	must(t, w.Store.CreatePairing(ctx, &w.pairing))
	w.waiting = fmt.Sprintf("WAIT-%04d", w.made)
	must(t, w.Store.CreatePairingRequest(ctx, &store.PairingRequest{
		TicketHash:  []byte(w.waiting),
		CodeHash:    pairing.HashCode(w.waiting),
		Hostname:    "gw2",
		Address:     "192.0.2.7",
		Fingerprint: "CD34",
		ExpiresAt:   time.Now().Add(time.Hour),
	}))
	w.keys = store.KerberosKeys{EnvironmentID: w.env, GatewayID: w.gateway.ID, Origin: "keytab", Sealed: []byte("x")}
	must(t, w.Store.ReplaceKerberosKeys(ctx, &w.keys, 0))
}

func (w *world) settlePeople() {
	t, ctx := w.t, w.t.Context()
	w.user = store.User{
		EnvironmentID: w.env,
		PopulationID:  w.population.ID,
		Username:      "ada",
		Enabled:       true,
		GatewayID:     w.gateway.ID,
		UserTypeID:    w.kind.UserType,
		DN:            "uid=ada",
		Correlation:   []store.Correlation{{Attribute: "entryUUID", Value: "1"}},
		Attributes:    map[string]string{"phone": "1"},
	}
	must(t, w.Store.CreateUser(ctx, &w.user))
	w.second = store.User{EnvironmentID: w.env, PopulationID: w.population.ID, Username: "bob", Enabled: true}
	must(t, w.Store.CreateUser(ctx, &w.second))
	w.group = store.Group{EnvironmentID: w.env, Name: "Operators"}
	must(t, w.Store.CreateGroup(ctx, &w.group))
	must(t, w.Store.AddMember(ctx, w.env, w.user.ID, w.group.ID, time.Now()))
	w.jit = store.Group{
		EnvironmentID: w.env,
		Name:          "cn=cooks,dc=example,dc=com",
		DisplayName:   "Cooks",
		SourceType:    store.SourceGateway,
		SourceID:      w.gateway.ID,
	}
	must(t, w.Store.Provision(ctx, func(tx *store.Tx) error { return tx.CreateGroups(ctx, []*store.Group{&w.jit}) }))
	w.application = store.Application{
		EnvironmentID: w.env,
		Name:          "Wiki",
		Type:          store.WebApplication,
		Enabled:       true,
		RedirectURIs:  []string{"https://wiki.example.com/cb"},
		Groups:        store.GroupsClaim{Value: store.GroupNames},
		Kept: store.ApplicationKept{
			Scopes:     []string{"email"},
			Attributes: []store.ApplicationAttribute{{ID: "of-" + w.env, Name: "mail", Value: "${user.email}"}},
			Policies:   []store.PolicyAssignment{{ID: "of-" + w.env, Policy: w.standard().ID, Priority: 1}},
		},
	}
	w.application.ID = "application-of-" + w.env
	w.application.SecretHash = []byte("hash")
	w.application.SecretSealed = w.Vault.Seal("application secret", w.application.ID, []byte("secret"))
	w.application.Former = store.FormerSecret{Hash: []byte("former"), Until: time.Now().Add(time.Hour).UTC().Truncate(time.Microsecond)}
	must(t, w.Store.CreateApplication(ctx, &w.application))
	w.policy = store.SignOnPolicy{
		EnvironmentID: w.env,
		Name:          "Other",
		Actions: []store.PolicyAction{{
			ID:       "of-" + w.env,
			Type:     store.ActionLogin,
			Priority: 9,
			Order:    []store.UserTypeRef{w.other},
		}},
	}
	must(t, w.Store.SavePolicy(ctx, &w.policy))
}

// openID is an identity provider that nothing is wrong with.
func (w *world) openID(name string) store.IdentityProvider {
	id := "of-" + w.env + name
	return store.IdentityProvider{
		ID:            id,
		EnvironmentID: w.env,
		Name:          name,
		Type:          store.OpenIDConnect,
		Enabled:       true,
		PopulationID:  w.population.ID,
		Sealed:        w.Vault.Seal(idp.PurposeSecret, id, []byte("secret")),
		Config: store.ProviderConfig{OIDC: &store.OIDCConfig{
			Issuer:                "https://idp.example.com",
			AuthorizationEndpoint: "https://idp.example.com/authorize",
			TokenEndpoint:         "https://idp.example.com/token",
			JWKSEndpoint:          "https://idp.example.com/keys",
			ClientID:              "cloud",
			Scopes:                []string{"openid"},
			ClientAuth:            "CLIENT_SECRET_BASIC",
			PKCE:                  "S256",
		}},
		Mappings: []store.ProviderMapping{
			providers.Core(store.OpenIDConnect),
			{Name: "email", Value: "${providerAttributes.email}", Update: store.Always},
		},
	}
}

// pem is a certificate in PEM.
func (w *world) pem() string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: w.der}))
}

// providerForm is the console's form of the provider as it is.
func (w *world) providerForm(seen string) []string {
	o := w.provider.Config.OIDC
	return []string{
		"seen", seen, "name", w.provider.Name, "issuer", o.Issuer, "clientId", o.ClientID, "scopes", "openid",
		"authorize", o.AuthorizationEndpoint, "token", o.TokenEndpoint, "jwks", o.JWKSEndpoint,
		"auth", o.ClientAuth, "pkce", o.PKCE,
	}
}

func (w *world) settleProvider() {
	t, ctx := w.t, w.t.Context()
	w.provider = w.openID("Partner")
	must(t, w.Store.CreateIdentityProvider(ctx, &w.provider))
	w.certificate = store.Certificate{EnvironmentID: w.env, Name: "theirs", Usage: management.Signing, DER: w.der}
	must(t, w.Store.CreateCertificate(ctx, &w.certificate))
	w.used = store.Certificate{EnvironmentID: w.env, Name: "used", Usage: management.Signing, DER: w.der}
	must(t, w.Store.CreateCertificate(ctx, &w.used))
	w.own = store.Certificate{EnvironmentID: w.env, Name: "own", Usage: management.Signing, DER: w.der, Sealed: []byte("sealed")}
	must(t, w.Store.CreateCertificate(ctx, &w.own))
	w.saml = store.IdentityProvider{
		EnvironmentID: w.env,
		Name:          "Partner SAML",
		Type:          store.SAML,
		Mappings:      []store.ProviderMapping{providers.Core(store.SAML)},
		Config: store.ProviderConfig{SAML: &store.SAMLConfig{
			EntityID:       "https://idp.example.com/metadata",
			OwnEntityID:    "https://cloud.example.com/sp",
			Endpoint:       "https://idp.example.com/sso",
			Binding:        "HTTP_REDIRECT",
			CertificateIDs: []string{w.used.ID},
		}},
	}
	must(t, w.Store.CreateIdentityProvider(ctx, &w.saml))
	w.link = store.LinkedAccount{
		EnvironmentID: w.env,
		ProviderID:    w.provider.ID,
		UserID:        w.user.ID,
		Subject:       store.Subject{ID: "s-1"},
	}
	must(t, w.Store.LinkAccount(ctx, &w.link))
}

func (w *world) settleRights() {
	t, ctx := w.t, w.t.Context()
	w.admin = store.Administrator{
		EnvironmentID: w.env,
		Name:          "root of " + w.env,
		Role:          store.RoleOwner,
		PasswordHash:  "secret-hash",
	}
	must(t, w.Store.CreateAdministrator(ctx, &w.admin))
	w.client = store.Client{
		EnvironmentID: w.env,
		Name:          "deploy",
		Role:          store.RoleIdentityAdmin,
		SecretHash:    []byte("secret-hash"),
		Former:        w.application.Former,
	}
	must(t, w.Store.CreateClient(ctx, &w.client))
	w.channel = store.AlertChannel{
		ID:            "channel of " + w.env,
		EnvironmentID: w.env,
		Kind:          alerts.Email,
		Target:        "a@example.com",
	}
	must(t, w.Store.CreateAlertChannel(ctx, &w.channel))
	must(t, w.Store.SeeAlerts(ctx, w.env, time.Now(), time.Hour, []store.Alert{{Key: "k", Code: "noInstance"}}))
}

// as returns an API client of a role.
func (w *world) as(role store.Role) management.By {
	w.t.Helper()
	c := store.Client{EnvironmentID: w.env, Name: "client " + string(role), Role: role}
	must(w.t, w.Store.CreateClient(w.t.Context(), &c))
	return management.By{
		Environment: w.env,
		Kind:        management.Program,
		ID:          c.ID,
		Name:        c.Name,
		Role:        c.Role,
		Address:     "192.0.2.1",
	}
}

// asAdmin returns one of the console's own of a role, who has a passkey.
func (w *world) asAdmin(role store.Role) management.By {
	w.t.Helper()
	w.admins++
	a := store.Administrator{EnvironmentID: w.env, Name: fmt.Sprint(role, w.admins, " of ", w.env), Role: role}
	must(w.t, w.Store.CreateAdministrator(w.t.Context(), &a))
	w.passkey = store.Passkey{ID: "key of " + a.ID, EnvironmentID: w.env, AdministratorID: a.ID, Name: "key"}
	must(w.t, w.Store.AddPasskey(w.t.Context(), &w.passkey))
	return management.By{
		Environment: w.env,
		Kind:        management.Administrator,
		ID:          a.ID,
		Name:        a.Name,
		Role:        role,
	}
}

// asPerson returns a user whose group gives a role.
func (w *world) asPerson(role store.Role) management.By {
	w.t.Helper()
	u := store.User{
		EnvironmentID: w.env,
		PopulationID:  w.population.ID,
		Username:      "person " + string(role),
		Enabled:       true,
	}
	must(w.t, w.Store.CreateUser(w.t.Context(), &u))
	g := store.Group{EnvironmentID: w.env, Name: "gives " + string(role)}
	must(w.t, w.Store.CreateGroup(w.t.Context(), &g))
	must(w.t, w.Store.AddMember(w.t.Context(), w.env, u.ID, g.ID, time.Now()))
	w.give(g, role)
	return management.By{
		Environment: w.env,
		Kind:        management.Person,
		ID:          u.ID,
		Name:        u.Username,
		Role:        role,
	}
}

// asPersonOnce is asPerson for a test that needs the same one again.
func (w *world) asPersonOnce(role store.Role) management.By {
	w.t.Helper()
	u, err := w.Store.UserByUsername(w.t.Context(), w.env, "person "+string(role))
	if errors.Is(err, store.ErrNotFound) {
		return w.asPerson(role)
	}
	must(w.t, err)
	return management.By{
		Environment: w.env,
		Kind:        management.Person,
		ID:          u.ID,
		Name:        u.Username,
		Role:        role,
	}
}

// give has a group give its members a role.
func (w *world) give(g store.Group, role store.Role) {
	w.t.Helper()
	must(w.t, w.Store.SetRoleGroup(w.t.Context(), store.RoleGroup{EnvironmentID: w.env, GroupID: g.ID, Role: role}))
}

// activities returns what is noted of an environment, the newest first.
func (w *world) activities() []store.Activity {
	w.t.Helper()
	all, _, err := w.Store.Activities(w.t.Context(), w.env, store.ActivityFilter{}, store.Page{Limit: store.MaxLimit})
	must(w.t, err)
	return all
}

// rows is everything that an environment has, as JSON, without what was noted.
func (w *world) rows() string {
	w.t.Helper()
	ctx := w.t.Context()
	page := store.Page{Limit: store.MaxLimit}
	var all []any
	keep := func(v any, err error) {
		w.t.Helper()
		must(w.t, err)
		all = append(all, v)
	}
	env, err := w.Store.Environment(ctx, w.env)
	keep(env, err)
	environments, err := w.Store.EnvironmentsOf(ctx, w.env)
	keep(environments, err)
	policies, err := w.Store.SignOnPolicies(ctx, w.env)
	keep(policies, err)
	populations, _, err := w.Store.Populations(ctx, w.env, page)
	keep(populations, err)
	gateways, _, err := w.Store.Gateways(ctx, w.env, page)
	keep(gateways, err)
	for _, g := range gateways {
		instances, err := w.Store.Instances(ctx, w.env, g.ID)
		keep(instances, err)
		codes, err := w.Store.Pairings(ctx, w.env, g.ID, time.Now())
		keep(codes, err)
		keys, err := w.Store.KerberosKeys(ctx, w.env, g.ID, time.Now())
		keep(keys, err)
	}
	users, _, err := w.Store.Users(ctx, w.env, store.UserFilter{}, page)
	keep(users, err)
	for _, u := range users {
		groups, err := w.Store.UserGroups(ctx, w.env, u.ID)
		keep(groups, err)
	}
	groups, _, err := w.Store.Groups(ctx, w.env, store.GroupFilter{}, page)
	keep(groups, err)
	keepers, _, err := w.Store.IdentityProviders(ctx, w.env, page)
	keep(keepers, err)
	certificates, _, err := w.Store.Certificates(ctx, w.env, page)
	keep(certificates, err)
	for _, u := range users {
		accounts, err := w.Store.LinkedAccounts(ctx, w.env, u.ID)
		keep(accounts, err)
	}
	applications, _, err := w.Store.Applications(ctx, w.env, page)
	keep(applications, err)
	admins, err := w.Store.Administrators(ctx, w.env)
	keep(admins, err)
	roles, err := w.Store.RoleGroups(ctx, w.env)
	keep(roles, err)
	clients, err := w.Store.Clients(ctx, w.env)
	keep(clients, err)
	told, err := w.Store.AlertChannels(ctx, w.env)
	keep(told, err)
	open, err := w.Store.Alerts(ctx, w.env)
	keep(open, err)
	b, err := json.Marshal(all)
	must(w.t, err)
	return string(b)
}

// refusedByRole tells whether an action is refused for the role alone.
func refusedByRole(err error) bool { return errors.Is(err, management.ErrRole) }

// higher tells whether an action is refused for a right that hangs on something.
func higher(err error) bool {
	var e *management.HigherError
	return errors.As(err, &e)
}

// has fails unless a text has all words.
func has(t testing.TB, text string, words ...string) {
	t.Helper()
	if i := slices.IndexFunc(words, func(word string) bool { return !strings.Contains(text, word) }); i >= 0 {
		t.Errorf("%q is not in %s", words[i], text)
	}
}

// standard is the default sign-on policy.
func (w *world) standard() store.SignOnPolicy {
	w.t.Helper()
	p, err := w.Store.DefaultSignOnPolicy(w.t.Context(), w.env)
	must(w.t, err)
	return p
}
