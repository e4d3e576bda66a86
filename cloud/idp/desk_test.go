package idp_test

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"

	"ldap-gateway/cloud/applications"
	"ldap-gateway/cloud/evidence"
	"ldap-gateway/cloud/idp"
	"ldap-gateway/cloud/idp/idptest"
	"ldap-gateway/cloud/provisioner"
	"ldap-gateway/cloud/store"
	"ldap-gateway/cloud/store/pgtest"
	"ldap-gateway/cloud/store/storetest"
	"ldap-gateway/cloud/vault"
)

// TestPostgres runs every test here that opens a store on PostgreSQL.
func TestPostgres(t *testing.T) { pgtest.Again(t) }

const people = "https://cloud.example.com"

// world is a desk with its store, and one provider of each kind.
type world struct {
	testing.TB
	*idp.Desk
	env        store.Environment
	population store.Population
	openID     *idptest.OpenID
	oidc       store.IdentityProvider
	keys       idptest.Pair // of the SAML provider
	saml       store.IdentityProvider
	own        idptest.Pair // ours
	ahead      time.Duration
}

// in is the world of a test within the test.
func (w *world) in(t *testing.T) *world {
	within := *w
	within.TB = t
	return &within
}

func (w *world) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

// groupsAlways maps what both providers say.
func groupsAlways(subject, claim string) []store.ProviderMapping {
	return []store.ProviderMapping{
		{Name: "username", Value: subject, Update: store.EmptyOnly, Core: true},
		{Name: "email", Value: "${providerAttributes.email}", Update: store.Always},
		{Name: "memberOfExternalGroups", Value: claim, Update: store.Always},
	}
}

func build(t testing.TB) *world {
	t.Helper()
	w := &world{TB: t, keys: idptest.NewPair(time.Now().Add(time.Hour)), own: idptest.NewPair(time.Now().Add(time.Hour))}
	db, err := store.Open(t.Context(), storetest.Where(t))
	w.must(err)
	t.Cleanup(func() { w.must(db.Close()) })
	seals, err := vault.New(make([]byte, 32))
	w.must(err)
	w.Desk = &idp.Desk{
		Store:       db,
		Vault:       seals,
		Provisioner: &provisioner.Provisioner{Store: db},
		URL:         people,
		HTTP:        http.DefaultClient,
		Logger:      hclog.NewNullLogger(),
		Now:         func() time.Time { return time.Now().Add(w.ahead) },
	}
	w.env = store.Environment{Name: "test"}
	w.must(db.CreateEnvironment(t.Context(), &w.env))
	w.population = store.Population{EnvironmentID: w.env.ID, Name: "Partners"}
	w.must(db.CreatePopulation(t.Context(), &w.population))
	w.addOpenID(seals)
	w.addSAML(seals)
	return w
}

func (w *world) addOpenID(seals *vault.Vault) {
	w.openID = idptest.StartOpenID(map[string]idptest.Person{
		"eve": {Token: map[string]any{"email": "eve@example.org", "groups": []string{"staff", "Sales, EMEA"}}},
	})
	w.Cleanup(w.openID.Close)
	w.oidc = store.IdentityProvider{
		EnvironmentID: w.env.ID,
		Name:          "Partner",
		Type:          store.OpenIDConnect,
		Enabled:       true,
		PopulationID:  w.population.ID,
		Config:        w.openID.Config(),
		Mappings:      groupsAlways("${providerAttributes.sub}", "${providerAttributes.groups}"),
	}
	w.must(w.Store.CreateIdentityProvider(w.Context(), &w.oidc))
	w.oidc.Sealed = seals.Seal(idp.PurposeSecret, w.oidc.ID, []byte(w.openID.Secret))
	w.must(w.Store.UpdateIdentityProvider(w.Context(), &w.oidc))
}

func (w *world) addSAML(seals *vault.Vault) {
	theirs := store.Certificate{EnvironmentID: w.env.ID, Usage: "SIGNING", DER: w.keys.Cert.Raw}
	w.must(w.Store.CreateCertificate(w.Context(), &theirs))
	ours := store.Certificate{ID: "own", EnvironmentID: w.env.ID, Usage: "SIGNING", DER: w.own.Cert.Raw}
	ours.Sealed = seals.Seal(idp.PurposeKey, "own", w.own.PKCS8())
	w.must(w.Store.CreateCertificate(w.Context(), &ours))
	w.saml = store.IdentityProvider{
		EnvironmentID: w.env.ID,
		Name:          "Partner SAML",
		Type:          store.SAML,
		Enabled:       true,
		PopulationID:  w.population.ID,
		Config: store.ProviderConfig{SAML: &store.SAMLConfig{
			EntityID:       idptest.EntityID,
			OwnEntityID:    idp.OwnEntityID(people, w.env.ID),
			Endpoint:       "https://idp.example.org/sso",
			Binding:        "HTTP_REDIRECT",
			CertificateIDs: []string{theirs.ID},
			KeyID:          "own",
		}},
		Mappings: groupsAlways("${samlAssertion.subject}", "${providerAttributes.groups}"),
	}
	w.must(w.Store.CreateIdentityProvider(w.Context(), &w.saml))
}

// browser keeps cookies by suffix.
type browser map[string]string

func (b browser) get(suffix string) string { return b[suffix] }
func (b browser) all() []string            { return slices.Collect(maps.Values(b)) }

// anyhow is a sign-on for nothing in particular.
func anyhow() idp.Wish { return idp.Wish{MaxAge: -1} }

// begin starts a sign-on in a browser.
func (w *world) begin(b browser, provider string, wish idp.Wish) idp.Going {
	w.Helper()
	g, err := w.Begin(w.Context(), w.env.ID, provider, wish)
	w.must(err)
	b[g.Cookie.Suffix] = g.Cookie.Value
	return g
}

// TestJourneysFitIntoACookie, with the longest wish of an application and all else that it may name.
func TestJourneysFitIntoACookie(t *testing.T) {
	w := build(t)
	long := func(letters int) (text string) {
		for len(text) < letters {
			text += rand.Text()
		}
		return text[:letters]
	}
	w.oidc.Config.TellsUsername, w.saml.Config.TellsUsername = true, true
	for _, provider := range []store.IdentityProvider{w.oidc, w.saml} {
		w.must(w.Store.UpdateIdentityProvider(w.Context(), &provider))
		for name, acr := range map[string][]string{"none": nil, "many": {long(200), long(200), long(200)}, "long": {long(5000)}} {
			wish := idp.Wish{Flow: long(applications.MostWish), MaxAge: -1, Hint: long(5000), ACR: acr}
			for _, hint := range []string{long(250), long(5000)} {
				wish.Hint = hint
				c := w.begin(browser{}, provider.ID, wish).Cookie.HTTP(w.env.ID, true)
				if n := len(c.Name) + len(c.Value); n > 4096 {
					t.Errorf("%s, contexts: %s, hint of %d letters: %d bytes", provider.Name, name, len(hint), n)
				}
			}
		}
	}
}

// atOpenID signs on there as a browser does, and returns what it brings back.
func (w *world) atOpenID(g idp.Going, login string) url.Values {
	w.Helper()
	c := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	answer, err := c.Get(g.Address + "&user=" + login)
	w.must(err)
	_ = answer.Body.Close()
	back, err := answer.Location()
	w.must(err)
	if got := back.Scheme + "://" + back.Host + back.Path; got != people+"/"+w.env.ID+idp.CallbackPath {
		w.Fatalf("sent back to %s", got)
	}
	return back.Query()
}

// from is an answer at the common address.
func from(query url.Values, cookies idp.Cookies) idp.Answer {
	return idp.Answer{Query: query, Cookies: cookies, Address: "192.0.2.1"}
}

// byOpenID signs somebody on, in a new browser.
func (w *world) byOpenID(login string) (idp.Arrived, error) {
	w.Helper()
	b := browser{}
	g := w.begin(b, w.oidc.ID, anyhow())
	return w.Callback(w.Context(), w.env.ID, from(w.atOpenID(g, login), b.get))
}

// letter begins a sign-on by SAML in a browser, and returns the right answer to it.
func (w *world) letter(b browser) (idptest.Letter, string) {
	w.Helper()
	g := w.begin(b, w.saml.ID, anyhow())
	id, acs, err := idptest.ReadRequest(g.Address)
	w.must(err)
	l := idptest.Answer(id, acs, w.saml.Config.SAML.OwnEntityID, w.Now())
	l.Attributes = idptest.Attribute("groups", "staff", "Sales, EMEA") + idptest.Attribute("email", "eve@example.org")
	return l, g.Relay
}

func form(doc []byte, relay string) url.Values {
	return url.Values{"SAMLResponse": {base64.StdEncoding.EncodeToString(doc)}, "RelayState": {relay}}
}

// bySAML signs somebody on with an answer that change has made of the right one.
func (w *world) bySAML(change func(*idptest.Letter)) (idp.Arrived, error) {
	w.Helper()
	b := browser{}
	l, _ := w.letter(b)
	change(&l)
	key, err := w.Accept(w.Context(), w.env.ID, form(w.keys.Good(l), ""))
	if err != nil {
		return idp.Arrived{}, err
	}
	return w.Arrive(w.Context(), w.env.ID, key, b.all, "192.0.2.1")
}

// groups lists a user's, with what they come from.
func (w *world) groups(user string) string {
	w.Helper()
	all, err := w.Store.UserGroups(w.Context(), w.env.ID, user)
	w.must(err)
	var names []string
	for _, m := range all {
		names = append(names, m.Group.Name)
	}
	slices.Sort(names)
	return strings.Join(names, "|")
}

// wantKind fails unless nobody was signed on for that reason.
func (w *world) wantKind(err error, kind evidence.Kind) {
	w.Helper()
	var r *idp.Refused
	if !errors.As(err, &r) || r.Kind != kind {
		w.Errorf("%v, want %s", err, kind)
	}
}

// written counts what sign-ons write.
func (w *world) written() string {
	w.Helper()
	users, _, err := w.Store.Users(w.Context(), w.env.ID, store.UserFilter{}, store.Page{})
	w.must(err)
	groups, _, err := w.Store.Groups(w.Context(), w.env.ID, store.GroupFilter{}, store.Page{})
	w.must(err)
	signOns, _, err := w.Store.SignOns(w.Context(), w.env.ID, store.SignOnFilter{}, store.Page{})
	w.must(err)
	return fmt.Sprintf("%d users, %d groups, %d sign-ons", len(users), len(groups), len(signOns))
}

func TestFirstAndSecondSignOn(t *testing.T) {
	for name, sign := range map[string]func(*world, ...string) (idp.Arrived, error){
		"OpenID Connect": func(w *world, groups ...string) (idp.Arrived, error) {
			w.openID.SetPerson("eve", idptest.Person{Token: map[string]any{"email": "eve@example.org", "groups": append([]string{}, groups...)}})
			return w.byOpenID("eve")
		},
		"SAML": func(w *world, groups ...string) (idp.Arrived, error) {
			return w.bySAML(func(l *idptest.Letter) {
				l.Attributes = idptest.Attribute("groups", groups...) + idptest.Attribute("email", "eve@example.org")
			})
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := build(t)
			first, err := sign(w, "staff", "Sales, EMEA")
			w.must(err)
			u, err := w.Store.User(t.Context(), w.env.ID, first.SignOn.UserID)
			w.must(err)
			if u.PopulationID != w.population.ID || u.Email != "eve@example.org" || w.groups(u.ID) != "Sales, EMEA|staff" {
				t.Errorf("%+v %s", u, w.groups(u.ID))
			}
			second, err := sign(w, "staff", "new")
			w.must(err)
			if second.SignOn.UserID != u.ID || second.SignOn.Verdict != "complete" || w.groups(u.ID) != "new|staff" {
				t.Errorf("%+v %s", second.SignOn, w.groups(u.ID))
			}
			before := w.written()
			third, err := sign(w, "staff", "new")
			w.must(err)
			if third.SignOn.UpdateReason != "nothing changed" || third.SignOn.Updated || w.written() == before {
				t.Errorf("%+v", third.SignOn)
			}
			none, err := sign(w)
			w.must(err)
			if none.SignOn.Verdict != "complete" || w.groups(u.ID) != "" {
				t.Errorf("an empty list: %+v %s", none.SignOn, w.groups(u.ID))
			}
		})
	}
}

// TestTwentyAtOnce of one person make one user.
func TestTwentyAtOnce(t *testing.T) {
	w := build(t)
	b := browser{}
	answers := make([]url.Values, 20)
	for i := range answers {
		answers[i] = w.atOpenID(w.begin(b, w.oidc.ID, anyhow()), "eve")
	}
	users := make([]string, len(answers))
	var all sync.WaitGroup
	for i, answer := range answers {
		all.Go(func() {
			a, err := w.Callback(t.Context(), w.env.ID, from(answer, b.get))
			users[i] = fmt.Sprint(a.SignOn.UserID, err)
		})
	}
	all.Wait()
	for _, u := range users {
		if u != users[0] {
			t.Error(u)
		}
	}
	if w.written() != "1 users, 2 groups, 20 sign-ons" {
		t.Error(w.written())
	}
}
