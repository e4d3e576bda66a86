package api_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"ldap-gateway/cloud/api"
	"ldap-gateway/cloud/kerberos"
	"ldap-gateway/cloud/management"
	"ldap-gateway/cloud/pairing"
	"ldap-gateway/cloud/store"
	"ldap-gateway/cloud/store/storetest"
	"ldap-gateway/cloud/vault"

	"github.com/google/uuid"
)

// site is an API over a real store, with one client of one environment.
type site struct {
	t       testing.TB
	store   *store.Store
	server  *api.Server
	handler http.Handler
	signOns *signOner
	links   *linker
	now     time.Time
	place
}

// publicURL is what people know the cloud by.
const publicURL = "https://id.example.com"

// place is an environment with one of everything, and a token for it.
type place struct {
	env, client, secret, token string
	population                 store.Population
	gateway                    store.Gateway
	instance                   store.Instance
	pairing                    store.Pairing
	user                       store.User
	group, jit                 store.Group
	application                store.Application
	signOn                     store.SignOn
	administrator              store.Administrator
}

// signOner records what it is asked, and answers with a recorded sign-on.
type signOner struct {
	asked    api.SignOnRequest
	password string
	answer   store.SignOn
	change   api.ChangeRequest
	changed  api.ChangeAnswer
	err      error
}

func (s *signOner) ChangePassword(_ context.Context, r api.ChangeRequest) (api.ChangeAnswer, error) {
	s.change, s.password = r, string(r.Current)+" "+string(r.New)
	return s.changed, s.err
}

func (s *signOner) SignOn(_ context.Context, r api.SignOnRequest) (store.SignOn, api.Person, error) {
	s.asked, s.password = r, string(r.Password)
	return s.answer, api.Person{Username: s.answer.Username}, s.err
}

// linker knows what instances are live, and records what it was told.
type linker struct {
	live []api.LiveInstance
	mu   sync.Mutex
	told []string
}

func (l *linker) tell(what string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.told = append(l.told, what)
}

func (l *linker) Live(string) []api.LiveInstance { return l.live }
func (l *linker) UserTypesChanged(g string)      { l.tell("changed " + g) }
func (l *linker) Rotate(i string)                { l.tell("rotate " + i) }
func (l *linker) Revoked(i string)               { l.tell("revoked " + i) }

// waits has an agent show a code; its fingerprint is the code.
func (s *site) waits(code string) {
	s.t.Helper()
	s.must(s.store.CreatePairingRequest(s.t.Context(), &store.PairingRequest{
		TicketHash:  []byte("ticket " + code),
		CodeHash:    pairing.HashCode(code),
		Fingerprint: code,
		CreatedAt:   s.now,
		ExpiresAt:   s.now.Add(time.Minute),
	}))
}

func start(t testing.TB) *site {
	t.Helper()
	s := &site{t: t, signOns: &signOner{}, links: &linker{}, now: time.Now()}
	db, err := store.Open(t.Context(), storetest.File(t))
	s.must(err)
	t.Cleanup(func() { s.must(db.Close()) })
	s.store = db
	s.server = &api.Server{
		Store:      db,
		Management: s.management(),
		SignOns:    s.signOns,
		Links:      s.links,
		Now:        s.clock,
		Version:    "2.0",
		URL:        publicURL,
	}
	s.handler = s.server.Handler()
	s.place = s.settle("one")
	return s
}

func (s *site) clock() time.Time { return s.now }

// management is the real one, with the test's links.
func (s *site) management() *management.Service {
	v := s.vault()
	keys := &kerberos.Verifier{Store: s.store, Vault: v, Now: s.clock}
	return &management.Service{Store: s.store, Links: s.links, Keys: keys, Vault: v, Now: s.clock}
}

func (s *site) vault() *vault.Vault {
	v, err := vault.New(make([]byte, 32))
	s.must(err)
	return v
}

// sealed is the secret of an application as it is kept.
func (s *site) sealed(application, secret string) []byte {
	return s.vault().Seal("application secret", application, []byte(secret))
}

func (s *site) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

// settle makes an environment with one of everything.
func (s *site) settle(name string) place {
	s.t.Helper()
	ctx := s.t.Context()
	env := store.Environment{Name: name}
	s.must(s.store.CreateEnvironment(ctx, &env))
	p := place{env: env.ID}
	p.population = store.Population{EnvironmentID: env.ID, Name: "Staff"}
	s.must(s.store.CreatePopulation(ctx, &p.population))
	p.gateway = store.Gateway{
		EnvironmentID: env.ID,
		Name:          "Head office",
		Vendor:        "OpenLDAP",
		Enabled:       true,
		UserTypes: []store.UserType{{
			Name:         "people",
			PopulationID: p.population.ID,
			Correlation:  []string{"entryUUID"},
		}},
	}
	s.must(s.store.CreateGateway(ctx, &p.gateway))
	s.must(s.store.CreatePairing(ctx, &store.Pairing{
		EnvironmentID: env.ID,
		GatewayID:     p.gateway.ID,
		CodeHash:      []byte("used" + name),
		CreatedBy:     "ada",
		ExpiresAt:     s.now.Add(time.Hour),
	}))
	p.instance = store.Instance{Hostname: "gw1", Software: "1.0", Fingerprint: "AB12"}
	_, err := s.store.RedeemPairing(ctx, []byte("used"+name), s.now, &p.instance)
	s.must(err)
	p.pairing = store.Pairing{
		EnvironmentID: env.ID,
		GatewayID:     p.gateway.ID,
		CodeHash:      []byte("pending" + name),
		CreatedBy:     "ada",
		ExpiresAt:     s.now.Add(time.Hour),
	}
	s.must(s.store.CreatePairing(ctx, &p.pairing))
	p.user = store.User{
		EnvironmentID: env.ID,
		PopulationID:  p.population.ID,
		Username:      "ada",
		Enabled:       true,
		GatewayID:     p.gateway.ID,
		UserTypeID:    p.gateway.UserTypes[0].ID,
		Correlation:   []store.Correlation{{Attribute: "entryUUID", Value: "1-2"}},
	}
	s.must(s.store.CreateUser(ctx, &p.user))
	p.group = store.Group{EnvironmentID: env.ID, Name: "readers", PopulationID: ""}
	s.must(s.store.CreateGroup(ctx, &p.group))
	p.jit = store.Group{
		EnvironmentID: env.ID,
		Name:          "cn=cooks,dc=x",
		DisplayName:   "Cooks",
		SourceType:    store.SourceGateway,
		SourceID:      p.gateway.ID,
	}
	p.signOn = store.SignOn{
		EnvironmentID: env.ID,
		GatewayID:     p.gateway.ID,
		Method:        "password",
		Username:      "ada",
		UserID:        p.user.ID,
		Outcome:       "ok",
		Verdict:       "complete",
		Added:         []string{"g"},
	}
	s.must(s.store.Provision(ctx, func(tx *store.Tx) error {
		return errors.Join(
			tx.CreateGroups(ctx, []*store.Group{&p.jit}),
			tx.AddMemberships(ctx, env.ID, p.user.ID, []store.Joined{{GroupID: p.jit.ID}}, s.now),
			tx.RecordSignOn(ctx, &p.signOn, store.Activity{Action: "sign-on", Subject: "user:" + p.user.ID}),
		)
	}))
	p.application = store.Application{
		EnvironmentID: env.ID,
		Name:          "Wiki",
		Type:          store.WebApplication,
		Enabled:       true,
		RedirectURIs:  []string{"https://wiki.example/cb"},
	}
	p.application.ID = uuid.NewString()
	p.application.SecretHash, p.application.SecretSealed = []byte("hash"), s.sealed(p.application.ID, "secret of "+name)
	s.must(s.store.CreateApplication(ctx, &p.application))
	p.administrator = store.Administrator{EnvironmentID: env.ID, Name: "root of " + name, Role: store.RoleOwner}
	s.must(s.store.CreateAdministrator(ctx, &p.administrator))
	secret, hash := vault.NewSecret()
	client := store.Client{EnvironmentID: env.ID, Name: "terraform", SecretHash: hash}
	s.must(s.store.CreateClient(ctx, &client))
	p.client, p.secret = client.ID, secret
	token, hash := vault.NewSecret()
	s.must(s.store.CreateToken(ctx, hash, client.ID, env.ID, s.now.Add(time.Hour)))
	p.token = token
	return p
}

// answer is what came back, its body decoded.
type answer struct {
	t      testing.TB
	status int
	header http.Header
	text   string
	body   any
}

// send makes a request below the environment; body is JSON, or empty.
func (s *site) send(method, path, body string) answer {
	s.t.Helper()
	r := httptest.NewRequestWithContext(s.t.Context(), method, "/v1/environments/"+s.env+path, strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer "+s.token)
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	return s.do(r)
}

func (s *site) do(r *http.Request) answer {
	s.t.Helper()
	w := httptest.NewRecorder()
	s.handler.ServeHTTP(w, r)
	b, err := io.ReadAll(w.Body)
	s.must(err)
	if err := api.CheckAnswer(r.Pattern, w.Code, b); err != nil {
		s.t.Errorf("%s: %d is not as the document says: %v\n%s", r.Pattern, w.Code, err, b)
	}
	a := answer{t: s.t, status: w.Code, header: w.Header(), text: string(b)}
	if len(b) > 0 {
		s.must(json.Unmarshal(b, &a.body))
	}
	return a
}

// want fails the test unless the answer has the status, and returns it.
func (a answer) want(status int) answer {
	a.t.Helper()
	if a.status != status {
		a.t.Fatalf("status %d, want %d: %s", a.status, status, a.text)
	}
	return a
}

// at returns what is at a path such as "_embedded.users.0.name", as text.
func (a answer) at(path string) string {
	a.t.Helper()
	v := a.body
	for part := range strings.SplitSeq(path, ".") {
		switch inner := v.(type) {
		case map[string]any:
			v = inner[part]
		case []any:
			var i int
			if _, err := fmt.Sscan(part, &i); err != nil || i >= len(inner) {
				return "<nothing>"
			}
			v = inner[i]
		default:
			return "<nothing>"
		}
	}
	return fmt.Sprint(v)
}

// has fails the test unless each path, given before its value, has that value.
func (a answer) has(pairs ...string) answer {
	a.t.Helper()
	for i := 0; i < len(pairs); i += 2 {
		if got := a.at(pairs[i]); got != pairs[i+1] {
			a.t.Errorf("%s is %q, want %q in %s", pairs[i], got, pairs[i+1], a.text)
		}
	}
	return a
}

// refuses fails the test unless the answer is a 400 whose details name the target.
func (a answer) refuses(target string) answer {
	a.t.Helper()
	a.want(http.StatusBadRequest)
	if !strings.Contains(a.text, `"target":"`+target+`"`) {
		a.t.Errorf("no detail names %s: %s", target, a.text)
	}
	return a
}

// fill puts the IDs of a place into a route's path.
func (p place) fill(route string) string {
	last := p.pairing.ID
	for part, id := range map[string]string{
		"/groups/":         p.jit.ID,
		"/memberOfGroups/": p.jit.ID,
		"/roleGroups/":     p.jit.ID,
		"/signOns/":        p.signOn.ID,
		"/administrators/": p.administrator.ID,
	} {
		if strings.Contains(route, part+"{id}") {
			last = id
		}
	}
	return strings.NewReplacer(
		"{e}", p.env,
		"{p}", p.population.ID,
		"{g}", p.gateway.ID,
		"{t}", p.gateway.UserTypes[0].ID,
		"{i}", p.instance.ID,
		"{a}", p.application.ID,
		"{u}", p.user.ID,
		"{o}", api.OrganizationID(),
		"{id}", last,
	).Replace(route)
}

// A token opens nothing of another environment: neither under the other's path,
// nor under its own path with the IDs of the other's things.
func TestEveryRouteKeepsToItsEnvironment(t *testing.T) {
	s := start(t)
	s.as(store.RoleOwner)
	theirs := s.settle("two")
	for _, route := range s.server.Routes() {
		method, path, _ := strings.Cut(route, " ")
		t.Run(strings.ReplaceAll(route, "/", "_"), func(t *testing.T) {
			if !strings.Contains(path, "{e}") {
				return // the list of environments, tested below
			}
			request := func(path, token string) answer {
				r := httptest.NewRequestWithContext(
					t.Context(),
					method,
					"/v1/environments"+path,
					strings.NewReader(`{"name":"stolen","username":"stolen","role":"READ_ONLY"}`),
				)
				r.Header.Set("Content-Type", "application/json")
				r.Header.Set("Authorization", token)
				return s.do(r)
			}
			if route == "GET /{e}" { // clients wait for this when they have deleted one
				request(theirs.fill(path), "Bearer "+s.token).want(http.StatusNotFound).has("code", "NOT_FOUND")
			} else {
				request(theirs.fill(path), "Bearer "+s.token).want(http.StatusForbidden).has("code", "ACCESS_FAILED")
			}
			request(s.fill(path), "").want(http.StatusUnauthorized).has("code", "ACCESS_FAILED")
			request(s.fill(path), "Bearer x").want(http.StatusUnauthorized)
			mixed := strings.Replace(theirs.fill(path), theirs.env, s.env, 1)
			if strings.Count(path, "{") > 1 {
				if a := request(mixed, "Bearer "+s.token); a.status != http.StatusNotFound &&
					a.status != http.StatusBadRequest {
					t.Errorf("status %d: %s", a.status, a.text)
				}
			}
		})
	}
	r := httptest.NewRequestWithContext(t.Context(), "GET", "/v1/environments", nil)
	r.Header.Set("Authorization", "Bearer "+s.token)
	list := s.do(r).want(http.StatusOK).has("_embedded.environments.0.id", s.env, "count", "1")
	if strings.Contains(list.text, theirs.env) {
		t.Error("another environment is listed")
	}
	u, err := s.store.User(t.Context(), theirs.env, theirs.user.ID)
	if err != nil || u.Username != "ada" {
		t.Errorf("theirs is now %+v, %v", u, err)
	}
}

// A token whose path names another's gateway and its own instance gets nothing.
func TestMixedPaths(t *testing.T) {
	s := start(t)
	other := store.Gateway{EnvironmentID: s.env, Name: "other"}
	s.must(s.store.CreateGateway(t.Context(), &other))
	for _, path := range []string{
		"/instances/" + s.instance.ID,
		"/pairings/" + s.pairing.ID,
		"/userTypes/" + s.gateway.UserTypes[0].ID,
	} {
		s.send("GET", "/gateways/"+other.ID+path, "").want(http.StatusNotFound)
		s.send("DELETE", "/gateways/"+other.ID+path, "").want(http.StatusNotFound)
	}
}

func (s *site) askToken(form url.Values, id, secret string) answer {
	s.t.Helper()
	r := httptest.NewRequestWithContext(s.t.Context(), "POST", "/"+s.env+"/as/token", strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if id != "" {
		r.SetBasicAuth(url.QueryEscape(id), url.QueryEscape(secret))
	}
	return s.do(r)
}

func TestToken(t *testing.T) {
	s := start(t)
	theirs := s.settle("two")
	grant := url.Values{"grant_type": {"client_credentials"}}
	inForm := url.Values{"grant_type": {"client_credentials"}, "client_id": {s.client}, "client_secret": {s.secret}}
	a := s.askToken(grant, s.client, s.secret).want(http.StatusOK).has("token_type", "Bearer", "expires_in", "3600")
	s.askToken(inForm, "", "").want(http.StatusOK)
	s.token = a.at("access_token")
	s.send("GET", "", "").want(http.StatusOK)
	s.now = s.now.Add(api.TokenLife)
	a = s.send("GET", "", "").want(http.StatusUnauthorized)
	if !strings.HasPrefix(a.header.Get("WWW-Authenticate"), "Bearer") {
		t.Errorf("no challenge: %v", a.header)
	}
	for name, denied := range map[string]answer{
		"secret":      s.askToken(grant, s.client, "wrong"),
		"empty":       s.askToken(grant, s.client, ""),
		"client":      s.askToken(grant, "none", s.secret),
		"environment": s.askToken(grant, theirs.client, theirs.secret),
		"nothing":     s.askToken(grant, "", ""),
	} {
		if denied.status != http.StatusUnauthorized || denied.at("error") != "invalid_client" ||
			denied.header.Get("WWW-Authenticate") == "" {
			t.Errorf("%s: %d %s", name, denied.status, denied.text)
		}
	}
	s.askToken(url.Values{"grant_type": {"password"}}, s.client, s.secret).want(http.StatusBadRequest).
		has("error", "unsupported_grant_type")
}

// While the secret before the present one is good, a client proves itself by either; no longer than until its end, and
// never by what is none.
func TestTokenByTwoSecrets(t *testing.T) {
	s := start(t)
	grant := url.Values{"grant_type": {"client_credentials"}}
	client, err := s.store.Client(t.Context(), s.env, s.client)
	s.must(err)
	fresh, hash := vault.NewSecret()
	for name, c := range map[string]struct {
		former store.FormerSecret
		good   bool // the one before is
	}{
		"none":          {store.FormerSecret{}, false},
		"good":          {store.FormerSecret{Hash: client.SecretHash, Until: s.now.Add(time.Second)}, true},
		"over":          {store.FormerSecret{Hash: client.SecretHash, Until: s.now}, false},
		"without hash":  {store.FormerSecret{Until: s.now.Add(time.Hour)}, false},
		"another":       {store.FormerSecret{Hash: []byte("another"), Until: s.now.Add(time.Hour)}, false},
		"without until": {store.FormerSecret{Hash: client.SecretHash}, false},
	} {
		now := client
		now.SecretHash, now.Former = hash, c.former
		s.must(s.store.SetClientSecrets(t.Context(), &now))
		for secret, good := range map[string]bool{fresh: true, s.secret: c.good, "": false, "wrong": false} {
			if a := s.askToken(grant, s.client, secret); (a.status == http.StatusOK) != good {
				t.Errorf("%s, %q: %d %s", name, secret, a.status, a.text)
			}
		}
	}
}

func TestBodies(t *testing.T) {
	s := start(t)
	s.send("POST", "/groups", `{"name": 7}`).refuses("name")
	s.send("POST", "/users", `{"username": "x", "name": {"given": []}}`).refuses("name.given")
	s.send("POST", "/groups", `{"name": "g", "unheardOf": [1, {}]}`).refuses("unheardOf")
	for _, body := range []string{`[]`, `null`, `"x"`, `{"name":`, `{"name":"x"} {}`, ` `} {
		s.send("POST", "/groups", body).want(http.StatusBadRequest).has("code", "INVALID_REQUEST")
	}
	s.send("POST", "/groups", `{"name":"`+strings.Repeat("x", 1<<20)+`"}`).want(http.StatusRequestEntityTooLarge)
	r := httptest.NewRequestWithContext(
		t.Context(),
		"POST",
		"/v1/environments/"+s.env+"/groups",
		strings.NewReader(`{"name":"h"}`),
	)
	r.Header.Set("Authorization", "Bearer "+s.token)
	s.do(r).want(http.StatusUnsupportedMediaType)
}

func TestPathsAndMethods(t *testing.T) {
	s := start(t)
	s.send("GET", "/nothing", "").want(http.StatusNotFound).has("code", "NOT_FOUND")
	if a := s.send("DELETE", "/signOns", "").want(http.StatusMethodNotAllowed); a.header.Get("Allow") != "GET, POST" {
		t.Errorf("allow %q", a.header.Get("Allow"))
	}
	for path, want := range map[string]bool{
		"/v1":              true,
		"/v1/environments": true,
		"/e/as/token":      true,
		"/v1x":             false,
		"/":                false,
		"/a/b/as/token":    false,
	} {
		if api.Serves(path) != want {
			t.Errorf("%s: %t", path, !want)
		}
	}
}

// What is our fault is told by an ID only.
func TestUnexpected(t *testing.T) {
	s := start(t)
	s.signOns.err = errors.New("secret details")
	a := s.send("POST", "/signOns", `{"username":"ada","password":"x"}`).want(http.StatusInternalServerError).
		has("code", "UNEXPECTED_ERROR")
	if strings.Contains(a.text, "secret") || a.at("id") == "" {
		t.Error(a.text)
	}
}

// address is the whole URL of a path below the environment.
func (s *site) address(path string) string { return publicURL + "/v1/environments/" + s.env + path }
