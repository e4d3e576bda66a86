package console_test

import (
	"context"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/webauthn"
	"github.com/chromedp/chromedp"
	"github.com/pquerna/otp/totp"

	"ldap-gateway/cloud/console"
	"ldap-gateway/cloud/store"
)

// Each role reaches what it may, and nothing else: every page is tried.
func TestRoles(t *testing.T) {
	s := open(t)
	f := s.fill(s.env.ID, "")
	mayNot := map[store.Role]func(method, path string) bool{
		store.RoleOwner: func(string, string) bool { return false },
		store.RoleIdentityAdmin: func(method, path string) bool {
			return isSettings(path) || ofOwners.MatchString(path) || method == "POST" && sentByOwners.MatchString(path)
		},
		store.RoleHelpDesk: func(method, path string) bool {
			return !helps.MatchString(path) && (changes(method, path) || strings.HasSuffix(path, "/export"))
		},
		store.RoleReadOnly: changes,
	}
	_, closed := console.Routes()
	for role, forbidden := range mayNot {
		s.must(s.store.CreateAdministrator(t.Context(), &store.Administrator{
			EnvironmentID: s.env.ID,
			Name:          string(role),
			Role:          role,
		}))
		for _, pattern := range closed {
			method, path := f.at(pattern)
			if role == store.RoleOwner && method == "POST" || strings.HasSuffix(path, "/live") {
				continue // it would do it
			}
			v := s.signIn(string(role))
			a := v.get(path)
			if method == "POST" && forbidden(method, path) {
				a = v.post(path, "force", "yes", "name", "x", "enabled", "no")
			}
			if got := a.status == http.StatusForbidden; got != forbidden(method, path) && (method == "GET" || !got) {
				t.Errorf("%s: %s answers %d", role, pattern, a.status)
			}
		}
	}
	reader := s.signIn(string(store.RoleReadOnly))
	reader.get("/console/gateways/" + f.gateway.ID).is(http.StatusOK).lacks("Settings")
	if g, err := s.store.Gateway(t.Context(), s.env.ID, f.gateway.ID); err != nil || !g.Enabled {
		t.Errorf("%+v, %v", g, err)
	}
}

var (
	ofOwners     = regexp.MustCompile(`^/console/(own/|providers/new|providers/.*/(delete|enabled)$)`)
	sentByOwners = regexp.MustCompile(`^/console/(own|providers)`)
	helps        = regexp.MustCompile(`^/console/(gateways/[^/]*/try|users/selected|users/[^/]*/(off|factor))$`)
	asks         = regexp.MustCompile(`/(new|saml|delete|default|enabled|access|secret|end|approve|revoke|try|off|edit|release|remove|` +
		`factor|selected)$|/populations/`)
)

// changes tells whether a page or a form is for who changes something that is not their own.
func changes(method, path string) bool {
	own := strings.HasPrefix(path, "/console/account") || path == "/console/sign-out"
	return isSettings(path) || !own && (method == "POST" || asks.MatchString(path))
}

func isSettings(path string) bool {
	return strings.HasPrefix(path, "/console/settings") && path != "/console/settings/logo.png"
}

// A member of a group with a role comes in with the organisation's account, as
// long as the membership lasts.
func TestRoleByGroup(t *testing.T) {
	s := open(t)
	f := s.fill(s.env.ID, "")
	owner := s.admin()
	s.visitor().get("/console/sign-in").lacks("organisation’s account")
	owner.post("/console/settings/role-groups", "group", "nonsense", "role", "READ_ONLY").
		is(http.StatusUnprocessableEntity).has("There is no such group any more")
	owner.post("/console/settings/role-groups", "group", f.jit.ID, "role", "SIGN_ON").is(http.StatusBadRequest)
	owner.follow(owner.post("/console/settings/role-groups", "group", f.jit.ID, "role", "READ_ONLY")).
		has("The members of backend are now: Read only", "organisation?e="+s.env.ID)

	enter := "/console/organisation?e=" + s.env.ID
	v := s.visitor()
	v.get("/console/sign-in").has("organisation’s account")
	if to := v.get(enter).is(http.StatusSeeOther).header.Get("Location"); to != "/"+s.env.ID+"/signon?then=console" {
		t.Errorf("who has not signed on is sent to %s", to)
	}
	v.get("/console/organisation?e=none").is(http.StatusNotFound)
	s.people.by = store.SignedOn{UserID: f.user.ID, Method: "password"}
	if to := v.get(enter).is(http.StatusSeeOther).header.Get("Location"); to != "/console/" {
		t.Errorf("a member is sent to %s", to)
	}
	v.get("/console/users").is(http.StatusOK).has("alice")
	v.get("/console/account").is(http.StatusOK).has("Your role comes from your groups").lacks("Add a passkey")
	v.post("/console/account/password", "current", "", "password", password, "again", password).
		is(http.StatusBadRequest)
	v.get("/console/settings").is(http.StatusForbidden)
	owner.get("/console/activity?action=administrator.signed-in").
		has("by alice", "READ_ONLY", "organisation account, password")

	s.must(s.store.RemoveMember(t.Context(), s.env.ID, f.user.ID, f.jit.ID))
	v.get("/console/users").is(http.StatusSeeOther)
	if to := v.get(enter).is(http.StatusSeeOther).header.Get("Location"); to != "/console/sign-in?after=organisation" {
		t.Errorf("who is no member any more is sent to %s", to)
	}
	v.get("/console/sign-in?after=organisation").has("gives you no role")
}

func TestOneTimePasswords(t *testing.T) {
	s := open(t)
	v := s.admin()
	v.get("/console/gateways").has("guarded by a password alone")
	secret := regexp.MustCompile(`<code>([A-Z2-7]{32})</code>`).
		FindStringSubmatch(v.get("/console/account/one-time").body)[1]
	if a := v.get("/console/account/one-time.png").is(http.StatusOK); !strings.HasPrefix(a.body, "\x89PNG") {
		t.Error("no picture")
	}
	code := func() string {
		c, err := totp.GenerateCode(secret, s.clock())
		s.must(err)
		return c
	}
	v.post("/console/account/one-time", "code", code(), "password", "wrong").is(http.StatusUnprocessableEntity).
		has("not your password", secret)
	v.post("/console/account/one-time", "code", "000000", "password", password).is(http.StatusUnprocessableEntity).
		has("not what the app shows")
	v.follow(v.post("/console/account/one-time", "code", code(), "password", password)).
		has("From now on you are asked").lacks("password alone")
	admin, err := s.store.Administrator(t.Context(), "admin")
	s.must(err)
	if strings.Contains(string(admin.TOTP), secret) || len(admin.TOTP) == 0 {
		t.Error("the secret is kept in the clear, or not at all")
	}

	in := s.visitor()
	in.follow(in.post("/console/sign-in", "name", "admin", "password", password, "next", "/console/users")).
		has("The password of admin is right")
	in.get("/console/users").is(http.StatusSeeOther) // not yet
	in.post("/console/sign-in/second", "code", code()).is(http.StatusForbidden).has("used already")
	s.pass(time.Minute)
	now := code()
	in.post("/console/sign-in/second", "code", "000000").is(http.StatusForbidden)
	if to := in.post("/console/sign-in/second", "code", now[:3]+" "+now[3:]).
		is(http.StatusSeeOther).header.Get("Location"); to != "/console/users" {
		t.Errorf("leads to %s", to)
	}
	in.get("/console/users").is(http.StatusOK)
	other := s.visitor()
	other.post("/console/sign-in", "name", "admin", "password", password).is(http.StatusSeeOther)
	for range 5 {
		other.post("/console/sign-in/second", "code", "000000")
	}
	s.pass(time.Minute)
	other.post("/console/sign-in/second", "code", code()).is(http.StatusTooManyRequests)
	// Without a password there is nothing to go on with.
	s.visitor().post("/console/sign-in/second", "code", code()).is(http.StatusSeeOther)
}

func TestSecondFactorIsWanted(t *testing.T) {
	s := open(t)
	v := s.admin()
	v.post("/console/settings", "name", "Example", "second-factor", "yes").is(http.StatusSeeOther)
	v.follow(v.get("/console/gateways")).has("wants a second factor")
	v.post("/console/populations", "name", "x").is(http.StatusSeeOther)
	if all, _, err := s.store.Populations(t.Context(), s.env.ID, store.Page{}); err != nil || len(all) != 1 {
		t.Errorf("%v, %v", all, err)
	}
	v.get("/console/account/one-time").is(http.StatusOK)
	v.post("/console/sign-out").is(http.StatusSeeOther)
}

// The settings show how people's pages look, and what is wrong with it beside each field.
func TestBrand(t *testing.T) {
	s := open(t)
	v := s.admin()
	v.post("/console/settings", "name", "Example", "colour", "#7A1FA2", "dark-colour", "#e1bee7",
		"help-link", "https://example.com/help", "privacy-link", "https://example.com/privacy",
		"imprint-link", "https://example.com/imprint", "brand-text", "Ask the desk, 1234").is(http.StatusSeeOther)
	kept := []string{"#7a1fa2", "#e1bee7", "https://example.com/help", "https://example.com/privacy", "https://example.com/imprint", "Ask the desk, 1234"}
	v.get("/console/settings").has(kept...)
	v.post("/console/settings", "name", "Example", "colour", "#ffff00", "dark-colour", "#17598a", "help-link", "help",
		"privacy-link", "http://example.com", "imprint-link", "javascript:x", "brand-text", strings.Repeat("x", 301)).is(http.StatusUnprocessableEntity).
		has("#ffff00 Text in it has a contrast of 1.0 : 1", "#17598a Text in it has", "help An address looks like",
			"http://example.com An address", "javascript:x An address", "The text is one line of at most 300 bytes")
	env, err := s.store.Environment(t.Context(), s.env.ID)
	if b := env.Settings.Brand; err != nil || b.Colour != kept[0] || b.DarkColour != kept[1] || b.Help != kept[2] ||
		b.Privacy != kept[3] || b.Imprint != kept[4] || b.Text != kept[5] {
		t.Errorf("%v, %+v", err, b)
	}
}

// The settings show the address that a short name makes, and what is wrong with one beside it.
func TestShortName(t *testing.T) {
	s := open(t)
	v := s.admin()
	long, short := "https://id.example.com/"+s.env.ID+"/signon", "https://id.example.com/acme"
	v.get("/console/settings").is(http.StatusOK).has(long).lacks(short)
	v.post("/console/settings", "name", "Example", "short-name", "acme").is(http.StatusSeeOther)
	v.get("/console/settings").has(long, short)
	v.post("/console/settings", "name", "Example", "short-name", "Acme").is(http.StatusUnprocessableEntity).
		has("Acme A short name has 1 to 32", short)
	v.post("/console/settings", "name", "Example", "short-name", "").is(http.StatusSeeOther)
	v.get("/console/settings").has(long).lacks(short)
}

func TestAdministrators(t *testing.T) {
	s := open(t)
	v := s.admin()
	v.post("/console/settings/administrators", "name", "", "role", "x").is(http.StatusUnprocessableEntity).
		has("Give the administrator a name", "Choose a role")
	v.post("/console/settings/administrators", "name", "Admin", "role", "OWNER").is(http.StatusUnprocessableEntity).
		has("taken")
	a := v.post("/console/settings/administrators", "name", "bob", "role", "READ_ONLY").is(http.StatusOK)
	secret := regexp.MustCompile(`<pre id="secret">https://id\.example\.com/console/setup\?name=bob#([^<]+)</pre>`).FindStringSubmatch(a.body)[1]
	v.get("/console/settings/administrators").lacks(secret)
	bob := s.visitor()
	bob.post("/console/setup", "name", "bob", "secret", secret, "password", password, "again", password).
		is(http.StatusSeeOther)
	bob.post("/console/sign-in", "name", "bob", "password", password).is(http.StatusSeeOther)
	bob.get("/console/users").is(http.StatusOK)

	admin, err := s.store.Administrator(t.Context(), "admin")
	s.must(err)
	kept, err := s.store.Administrator(t.Context(), "bob")
	s.must(err)
	v.post("/console/settings/administrators/"+admin.ID, "role", "READ_ONLY").is(http.StatusConflict).
		has("needs an owner")
	v.post("/console/settings/administrators/" + admin.ID + "/delete").is(http.StatusConflict)
	v.post("/console/settings/administrators/"+kept.ID+"/reset").is(http.StatusOK).
		has("Set-up link of bob", "within seven days")
	bob.get("/console/users").is(http.StatusSeeOther) // the session is over
	v.follow(v.post("/console/settings/administrators/"+kept.ID, "role", "OWNER")).has("bob is now: Owner")
	v.follow(v.post("/console/settings/administrators/" + kept.ID + "/delete")).has("bob was removed")
	v.get("/console/activity").has(
		"administrator bob was removed by admin",
		"administrator bob got another role",
		"factors of administrator bob were taken away",
	)
}

func TestClients(t *testing.T) {
	s := open(t)
	v := s.admin()
	v.post("/console/settings/clients", "name", "", "role", "NONE").is(http.StatusUnprocessableEntity).
		has("Give the client a name", "Choose a role")
	v.post("/console/settings/clients", "name", "deploy", "role", "READ_ONLY").is(http.StatusOK).
		has("The secret of deploy", "Reads only")
	all, err := s.store.Clients(t.Context(), s.env.ID)
	s.must(err)
	v.post("/console/settings/clients/" + all[0].ID + "/secret").is(http.StatusOK).has("The secret of deploy")
	again, err := s.store.Clients(t.Context(), s.env.ID)
	if err != nil || string(again[0].SecretHash) == string(all[0].SecretHash) {
		t.Error("the secret is the same")
	}
	v.follow(v.post("/console/settings/clients/"+all[0].ID+"/delete")).has("deploy was deleted", "No API client")
}

// A passkey is made and used in a real browser, with a virtual authenticator.
func TestPasskey(t *testing.T) {
	s := open(t)
	s.admin() // sets the password
	s.url = strings.Replace(s.url, "127.0.0.1", "localhost", 1)
	var authenticator webauthn.AuthenticatorID
	w := s.open(func(ctx context.Context, t *chromedp.Target) error {
		if _, err := cdp.Call(ctx, t, webauthn.Enable, webauthn.EnableParams{}); err != nil {
			return err
		}
		made, err := cdp.Call(ctx, t, webauthn.AddVirtualAuthenticator, webauthn.AddVirtualAuthenticatorParams{Options: &webauthn.VirtualAuthenticatorOptions{
			Protocol:                    webauthn.AuthenticatorProtocolCtap2,
			Transport:                   webauthn.AuthenticatorTransportInternal,
			HasResidentKey:              true,
			HasUserVerification:         true,
			IsUserVerified:              true,
			AutomaticPresenceSimulation: true,
		}})
		authenticator = made.AuthenticatorID
		return err
	})
	w.at("/console/sign-in").fill("name", "admin").fill("password", password).press("form button")
	w.at("/console/account").fill("passkey-name", "Blue key").fill("passkey-password", "wrong").
		click(`button[data-passkey=create]`).waits("That is not your password")
	w.at("/console/account").fill("passkey-name", "Blue key").fill("passkey-password", password).
		press(`button[data-passkey=create]`).sees("The passkey Blue key was added", "Blue key")
	w.press("form.who button").sees("Sign in")
	admin, err := s.store.Administrator(t.Context(), "admin")
	s.must(err)
	s.exhaust(admin.ID, false, true) // what was tried keeps no passkey out, and is forgotten by it
	w.press(`button[data-passkey=get]`).sees("Gateways", "Sign out").press("form.who button")
	w.at("/console/sign-in").fill("name", "admin").fill("password", password).press("form.fields button").
		sees("Second factor", "Show your passkey")
	w.at("/console/users").sees("Administrator") // not signed in
	w.at("/console/sign-in/second").press(`button[data-passkey=get]`).sees("Sign out").press("form.who button")

	keys, err := s.store.Passkeys(t.Context(), admin.ID)
	s.must(err)
	if len(keys) != 1 || keys[0].UsedAt.IsZero() || authenticator == "" {
		t.Fatalf("%+v", keys)
	}
	s.must(s.store.DeletePasskey(t.Context(), admin.ID, keys[0].ID))
	w.at("/console/sign-in").click(`button[data-passkey=get]`).waits("not known here")
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, c := range w.complaints {
		if !strings.Contains(c, "status of 403") { // the two that were refused
			t.Errorf("the browser complains: %q", c)
		}
	}
}
