package management_test

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/argon2"

	"ldap-gateway/cloud/administrators"
	"ldap-gateway/cloud/api"
	"ldap-gateway/cloud/console"
	"ldap-gateway/cloud/hub"
	"ldap-gateway/cloud/idp"
	m "ldap-gateway/cloud/management"
	"ldap-gateway/cloud/pairing"
	"ldap-gateway/cloud/store"
	"ldap-gateway/cloud/vault"
	"ldap-gateway/cloudlink/wire"
)

// absent says why an action has no place in a face.
var absent = map[m.Action]struct{ api, console string }{
	m.TryPerson:          {api: "it asks an agent while somebody looks on: a page, and no resource"},
	m.SaveLists:          {api: "a program reads lists part by part"},
	m.TryProvider:        {api: "somebody signs on while they look on: a page, and no resource"},
	m.ReleaseGroup:       {api: "a program takes users out of a group one by one"},
	m.KeepOwn:            {api: "a program has no password, and is given a new secret by who made it"},
	m.CreateClient:       {api: "programs are made by people: none makes itself a successor"},
	m.RenewClient:        {api: "programs are made by people: none makes itself a successor"},
	m.DeleteClient:       {api: "programs are made by people: none makes itself a successor"},
	m.ChangeSettings:     {api: "what holds for all who sign on is settled by people, in the console"},
	m.SetLogo:            {api: "what the sign-on page looks like is settled where it is seen"},
	m.SetBrand:           {console: "the page of settings sets it with the rest"},
	m.MoveSignOnOrder:    {api: "the order is moved one by one, beside what it is about"},
	m.CreateEnvironment:  {console: "who runs many makes them by a program"},
	m.DeleteEnvironment:  {console: "who runs many makes them by a program"},
	m.ReadSecret:         {console: "people make a new one where they need it"},
	m.ReadProviderSecret: {console: "people enter another one where they need it"},
	m.AddChannel:         {api: "alerts are told to people, who say where"},
	m.TryChannel:         {api: "alerts are told to people, who say where"},
	m.DeleteChannel:      {api: "alerts are told to people, who say where"},
	m.QuietAlert:         {api: "an alert is made quiet by who has read it"},
	m.RenameEnvironment:  {console: "the page of settings renames it with the rest, and is the owners'"},
	m.SignPeopleOn:       {console: "people sign on at the sign-on page"},
	m.ReadSignOn:         {console: "sign-ons are read with the user"},
}

// Every action has its place in the API and in the console, or a reason why not.
func TestEveryActionHasItsPlaces(t *testing.T) {
	inAPI, inConsole := byAction(api.Places()), byAction(console.Places())
	for _, action := range m.Actions() {
		for face, c := range map[string]struct {
			places []string
			reason string
		}{
			"the API":     {inAPI[action], absent[action].api},
			"the console": {inConsole[action], absent[action].console},
		} {
			if (len(c.places) > 0) == (c.reason != "") {
				t.Errorf("%s in %s: places %q, and the reason for none %q", action, face, c.places, c.reason)
			}
		}
		t.Logf("%s: %s%s; %s%s", action, strings.Join(inAPI[action], ", "), absent[action].api,
			strings.Join(inConsole[action], ", "), absent[action].console)
	}
	for action := range absent {
		if !slices.Contains(m.Actions(), action) {
			t.Errorf("there is no action %s", action)
		}
	}
}

// byAction turns places around.
func byAction(places map[string][]m.Action) map[m.Action][]string {
	all := map[m.Action][]string{}
	for pattern, actions := range places {
		for _, a := range actions {
			all[a] = append(all[a], pattern)
		}
	}
	for _, patterns := range all {
		slices.Sort(patterns)
	}
	return all
}

// signs answers every sign-on.
type signs struct{}

func (signs) SignOn(context.Context, api.SignOnRequest) (store.SignOn, api.Person, error) {
	return store.SignOn{ID: "s", Outcome: "noSuchUser"}, api.Person{}, nil
}

func (signs) ChangePassword(context.Context, api.ChangeRequest) (api.ChangeAnswer, error) {
	return api.ChangeAnswer{}, nil
}

// nobody is connected, and nobody has signed on.
type nobody struct{}

func (nobody) Live(string) []api.LiveInstance { return nil }

type nobodyHere struct{}

func (nobodyHere) Live(string) []hub.Live                              { return nil }
func (nobodyHere) Explain(context.Context, hub.Request) wire.Explained { return wire.Explained{} }
func (nobodyHere) PersonOf(*http.Request, string) (store.SignedOn, bool, error) {
	return store.SignedOn{}, false, nil
}

// api returns the API over the world.
func (h *house) api() http.Handler {
	return (&api.Server{Store: h.Store, Management: h.Service, SignOns: signs{}, Links: nobody{}}).Handler()
}

// console returns the console over the world.
func (h *house) console() http.Handler {
	v, err := vault.New(make([]byte, 32))
	must(h.t, err)
	return (&console.Server{
		Store:      h.Store,
		Management: h.Service,
		Pairings:   &pairing.Broker{Store: h.Store},
		Links:      nobodyHere{},
		Proofs:     &administrators.Authenticator{Store: h.Store, Vault: v, URLs: []string{"https://id.example.com"}},
		Mails:      true,
		Providers:  &idp.Desk{Store: h.Store, Vault: v, HTTP: http.DefaultClient, URL: "https://id.example.com"},
		People:     nobodyHere{},
		URL:        "https://id.example.com",
	}).Handler()
}

// token returns an access token of a client.
func (w *world) token(by m.By) string {
	w.t.Helper()
	token, hash := vault.NewSecret()
	must(w.t, w.Store.CreateToken(w.t.Context(), hash, by.ID, w.env, time.Now().Add(time.Hour)))
	return token
}

// fill puts the IDs of a world into a pattern.
func (w *world) fill(pattern string) (method, path string) {
	method, path, _ = strings.Cut(pattern, " ")
	id := w.pairing.ID
	for part, of := range map[string]string{
		"/kerberosKeys/":   w.keys.ID,
		"/keys/":           w.keys.ID,
		"/own/":            w.own.ID,
		"/groups/":         w.group.ID,
		"/memberOfGroups/": w.group.ID,
		"/roleGroups/":     w.group.ID,
		"/administrators/": w.admin.ID,
		"/clients/":        w.client.ID,
		"/channels/":       w.channel.ID,
		"/signOns/":        "none",
	} {
		if strings.Contains(path, part+"{id}") {
			id = of
		}
	}
	return method, strings.NewReplacer(
		"help/{page}", "help/concepts", "{policy}", w.policy.ID,
		"signOnPolicies/{p}", "signOnPolicies/"+w.policy.ID,
		"/{e}/certificates/{id}", "/"+w.env+"/certificates/"+w.certificate.ID,
		"/{e}/keys/{id}", "/"+w.env+"/keys/"+w.own.ID,
		"ccounts/{id}", "ccounts/"+w.link.ID,
		"identityProviders/{i}/attributes/{a}", "identityProviders/"+w.provider.ID+"/attributes/"+w.provider.Mappings[1].ID,
		"identityProviders/{i}", "identityProviders/"+w.provider.ID,
		"providers/{p}/certificates/{id}", "providers/"+w.saml.ID+"/certificates/"+w.used.ID,
		"providers/{p}/certificates", "providers/"+w.saml.ID+"/certificates",
		"providers/{p}", "providers/"+w.provider.ID,
		"{e}", w.env, "{p}", w.more.ID, "{g}", w.gateway.ID, "{t}", w.kind.UserType, "{i}", w.instance.ID,
		"{a}", w.application.ID, "{u}", w.user.ID, "{group}", w.group.ID, "{id}", url.PathEscape(id), "{$}", "",
	).Replace(path)
}

// signIn returns the cookie of an administrator of the console.
func (w *world) signIn(h http.Handler, role store.Role) *http.Cookie {
	w.t.Helper()
	by := w.asAdmin(role)
	must(w.t, w.Store.DeletePasskey(w.t.Context(), by.ID, w.passkey.ID))
	a, err := w.Store.AdministratorByID(w.t.Context(), w.env, by.ID)
	must(w.t, err)
	salt := []byte("salt of the test")
	a.PasswordHash = fmt.Sprintf(
		"$argon2id$v=%d$m=8,t=1,p=1$%s$%s",
		argon2.Version,
		base64.RawStdEncoding.EncodeToString(salt),
		base64.RawStdEncoding.EncodeToString(argon2.IDKey([]byte(passphrase), salt, 1, 8, 1, 32)),
	)
	must(w.t, w.Store.UpdateAdministrator(w.t.Context(), &a))
	r := form(w.t, "/console/sign-in", nil, "name", a.Name, "password", passphrase)
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, r)
	cookies := rec.Result().Cookies()
	session := slices.IndexFunc(cookies, func(c *http.Cookie) bool { return c.MaxAge == 0 }) // not what the browser is known by
	if rec.Code != http.StatusSeeOther || session < 0 {
		w.t.Fatalf("not signed in: %d", rec.Code)
	}
	return cookies[session]
}

const passphrase = "a fine long pass phrase"

// form is a form that a browser sends.
func form(t testing.TB, path string, cookie *http.Cookie, fields ...string) *http.Request {
	values := url.Values{}
	for i := 0; i < len(fields); i += 2 {
		values.Add(fields[i], fields[i+1])
	}
	r := httptest.NewRequestWithContext(t.Context(), "POST", path, strings.NewReader(values.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	sum := sha256.Sum256([]byte(t.Name()))
	r.RemoteAddr = fmt.Sprintf("10.%d.%d.%d:4711", sum[0], sum[1], sum[2]) // no test is throttled for another
	if cookie != nil {
		r.AddCookie(cookie)
	}
	return r
}

// consoleForm is what an owner's form of a pattern succeeds with.
func consoleForm(w *world, h http.Handler, cookie *http.Cookie, pattern string) []string {
	seen := func(page string) string {
		r := httptest.NewRequestWithContext(w.t.Context(), "GET", page, nil)
		r.AddCookie(cookie)
		_, body := serve(w.t, h, r)
		found := regexp.MustCompile(`name="(?:seen|revision)" value="(\d+)"`).FindStringSubmatch(body)
		if found == nil {
			return ""
		}
		return found[1]
	}
	kind := []string{
		"name", "Partners", "base", "ou=x,dc=example,dc=com", "filter", "(uid=${identifier})", "correlation", "entryUUID",
		"population", w.population.ID, "property", "username", "attribute", "uid", "identity", "NAME",
	}
	of := "/console/gateways/" + w.gateway.ID
	switch pattern {
	case "POST /console/providers":
		return []string{"preset", "oidc", "name", "Another", "issuer", w.openIDs.URL, "clientId", "c", "secret", "s"}
	case "POST /console/providers/{p}":
		return w.providerForm(seen("/console/providers/" + w.provider.ID))
	case "POST /console/providers/{p}/mappings":
		return []string{"name0", "username", "value0", "${providerAttributes.sub}", "update0", "EMPTY_ONLY"}
	case "POST /console/providers/{p}/certificates":
		return []string{"file", w.pem()}
	case "POST /console/applications/saml":
		return []string{"name", "Handbook", "entityId", "https://wiki.example/sp", "acs", "https://wiki.example/acs"}
	case "POST /console/users/{u}/accounts":
		return []string{"provider", w.saml.ID, "subject", "s-9"}
	case "POST /console/users/{u}":
		return []string{
			"username",
			"ada",
			"population",
			w.population.ID,
			"seen",
			seen("/console/users/" + w.user.ID + "/edit"),
		}
	case "POST /console/groups/{group}":
		return []string{"name", "Operators", "seen", seen("/console/groups/" + w.group.ID + "/edit")}
	case "POST /console/gateways/{g}/user-types":
		return kind
	case "POST /console/gateways/{g}/user-types/{t}":
		return append(kind, "revision", seen(of+"/user-types/"+w.kind.UserType))
	case "POST /console/gateways/{g}/user-types/{t}/relink", "POST /console/users/{u}/link":
		return []string{"to", w.gateway.ID + "/" + w.other.UserType}
	case "POST /console/groups/{group}/members":
		return []string{"username", "bob"}
	case "POST /console/gateways/{g}/approve":
		return []string{"code", w.waiting, "approve", "yes"}
	case "POST /console/gateways/{g}/kerberos":
		return []string{"retain", "10"}
	case "POST /console/gateways/{g}/kerberos/keys":
		return []string{"account", newKeys().Account, "password", newKeys().Password}
	case "POST /console/account/password":
		return []string{
			"current",
			passphrase,
			"password",
			"another long pass phrase",
			"again",
			"another long pass phrase",
		}
	case "POST /console/settings/administrators/{id}":
		return []string{"role", "OWNER"}
	case "POST /console/settings/alerts/channels":
		return []string{"kind", "email", "target", "b@example.com"}
	case "POST /console/settings/policies/factor":
		return []string{"policy", w.policy.ID}
	case "POST /console/settings/sign-on":
		return []string{"gateway", w.gateway.ID, "type", w.kind.UserType, "by", "1"}
	}
	return []string{
		"name", "new of " + w.env, "username", "new", "vendor", "OpenLDAP", "type", "WEB_APP", "redirects", "https://x.example.com/",
		"groups", "NAMES", "role", "READ_ONLY", "force", "yes", "group", w.group.ID, "key", "k", "enabled", "no",
		"population", w.population.ID, "password", passphrase, "id", "none",
	}
}

// special are forms that need what a browser has, and are tried in the console's own tests.
var special = []string{
	"POST /console/account/one-time", "POST /console/account/passkey", "POST /console/account/passkey/options",
	"POST /console/account/passkey/delete", "POST /console/account/one-time/delete", "GET /console/account/one-time.png",
	"GET /console/settings/logo.png", "GET /console/activity/live", "GET /console/account/one-time",
}

// Every role opens every page and sends every form of the console: who may is answered,
// and who may not is refused before anything is looked at.
func TestEveryRoleInTheConsole(t *testing.T) {
	h := open(t)
	face := h.console()
	for pattern, actions := range console.Places() {
		for _, role := range store.Roles() {
			may := m.May(role, actions[0])
			if may && slices.Contains(special, pattern) {
				continue
			}
			t.Run(name(pattern, role), func(t *testing.T) {
				w := h.world()
				cookie := w.signIn(face, role)
				method, path := w.fill(pattern)
				before := w.rows()
				r := httptest.NewRequestWithContext(t.Context(), method, path, nil)
				r.AddCookie(cookie)
				if method == "POST" {
					r = form(t, path, cookie, consoleForm(w, face, cookie, pattern)...)
				}
				status, answer := serve(t, face, r)
				if !may {
					if status != http.StatusForbidden || w.rows() != before {
						t.Errorf("%d, and something changed: %v\n%s", status, w.rows() != before, answer)
					}
					return
				}
				if status >= 400 {
					t.Errorf("%d: %s", status, answer)
				}
			})
		}
	}
}

// The first finding, as it was exploited over both faces, with the reason.
func TestExploitsOverHTTP(t *testing.T) {
	h := open(t)
	programs, pages := h.api(), h.console()
	refused := func(w *world, status int, answer, carrier string) {
		t.Helper()
		if status != http.StatusForbidden {
			t.Errorf("%d: %s", status, answer)
		}
		has(t, answer, carrier, "carries the role OWNER")
		if role, err := w.Store.UserRole(t.Context(), w.env, w.second.ID); err != nil || role != "" {
			t.Errorf("bob is %q, %v", role, err)
		}
	}
	own := func(w *world, by m.By) store.UserTypeRef {
		d := m.Draft{Gateway: store.Gateway{
			Name:      "Mine",
			Vendor:    "OpenLDAP",
			UserTypes: []store.UserType{w.people("Mine")},
		}}
		must(t, w.CreateGateway(t.Context(), by, &d))
		return store.UserTypeRef{Gateway: d.ID, UserType: d.UserTypes[0].ID}
	}
	w := h.world()
	w.give(w.group, store.RoleOwner)
	by := w.as(store.RoleIdentityAdmin)
	users := "/" + w.env + "/users/"
	status, answer := send(
		t,
		programs,
		"POST",
		users+w.second.ID+"/memberOfGroups",
		w.token(by),
		`{"id":"`+w.group.ID+`"}`,
	)
	refused(w, status, answer, "he group Operators")
	to := own(w, by)
	body, err := json.Marshal(map[string]any{"id": to.Gateway, "userType": map[string]any{"id": to.UserType}})
	must(t, err)
	status, answer = send(t, programs, "PUT", users+w.user.ID+"/password", w.token(by), string(body))
	refused(w, status, answer, "he user ada")

	cookie := w.signIn(pages, store.RoleIdentityAdmin)
	status, answer = serve(t, pages, form(t, "/console/groups/"+w.group.ID+"/members", cookie, "username", "bob"))
	refused(w, status, answer, "he group Operators")
	status, answer = serve(
		t,
		pages,
		form(t, "/console/users/"+w.user.ID+"/link", cookie, "to", to.Gateway+"/"+to.UserType),
	)
	refused(w, status, answer, "he user ada")
	status, answer = serve(t, pages, form(t, "/console/gateways/"+w.gateway.ID+"/pairings", cookie))
	refused(w, status, answer, "he gateway Headquarters")
}

// Forty programs change forty attributes of one user at once: all of them are there.
// With the validator of what they read, one is served and the others are told.
func TestParallelPatches(t *testing.T) {
	h := open(t)
	face := h.api()
	w := h.world()
	token := w.token(w.as(store.RoleIdentityAdmin))
	path := "/" + w.env + "/users/" + w.user.ID
	const many = 40
	patch := func(validator string) (counts map[int]int) {
		answers := make(chan int, many)
		for i := range many {
			go func() {
				name := fmt.Sprintf("%s%d", map[bool]string{true: "a", false: "b"}[validator == ""], i)
				_, now := send(t, face, "GET", path, token, "")
				var u struct{ Attributes map[string]string }
				if err := json.Unmarshal([]byte(now), &u); err != nil {
					t.Error(err)
				}
				// A client that knows nothing of others sends its own attribute alone.
				body := fmt.Sprintf(`{"attributes":{%q:"x"}}`, name)
				r := httptest.NewRequestWithContext(
					t.Context(),
					"PATCH",
					"/v1/environments"+path,
					strings.NewReader(body),
				)
				r.Header.Set("Authorization", "Bearer "+token)
				r.Header.Set("Content-Type", "application/json")
				if validator != "" {
					r.Header.Set("If-Match", validator)
				}
				rec := httptest.NewRecorder()
				face.ServeHTTP(rec, r)
				answers <- rec.Code
			}()
		}
		counts = map[int]int{}
		for range many {
			counts[<-answers]++
		}
		return counts
	}
	if counts := patch(""); counts[http.StatusOK] != many {
		t.Errorf("%v", counts)
	}
	u, err := w.Store.User(t.Context(), w.env, w.user.ID)
	if err != nil || len(u.Attributes) != many+1 {
		t.Errorf("%d attributes, %v", len(u.Attributes), err)
	}
	r := httptest.NewRequestWithContext(t.Context(), "GET", "/v1/environments"+path, nil)
	r.Header.Set("Authorization", "Bearer "+token)
	rec := httptest.NewRecorder()
	face.ServeHTTP(rec, r)
	if counts := patch(rec.Header().Get("ETag")); counts[http.StatusOK] != 1 ||
		counts[http.StatusPreconditionFailed] != many-1 {
		t.Errorf("%v", counts)
	}
}
