package console_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"ldap-gateway/cloud/administrators"
	"ldap-gateway/cloud/store"
)

func urlOf(s string) string { return url.QueryEscape(s) }

func (v *visitor) token() string {
	u, _ := url.Parse(v.url + "/console/")
	for _, c := range v.client.Jar.Cookies(u) {
		if c.Name == "ldap-cloud-console" {
			return c.Value
		}
	}
	return ""
}

func TestSetupWorksOnce(t *testing.T) {
	s := open(t)
	v := s.visitor()
	a := v.post("/console/setup", "name", "ADMIN", "secret", secret, "password", password, "again", password)
	v.follow(a).is(http.StatusOK).has("Your password is set")
	v.post(
		"/console/setup",
		"name", "admin",
		"secret", secret,
		"password", "another long password",
		"again", "another long password",
	).is(http.StatusForbidden).has("used already")
	admin, err := s.store.Administrator(t.Context(), "admin")
	s.must(err)
	if len(admin.SetupHash) > 0 || !strings.HasPrefix(admin.PasswordHash, "$argon2id$v=19$m=65536,t=3,p=4$") {
		t.Errorf("%+v", admin)
	}
	v.post("/console/sign-in", "name", "admin", "password", password).is(http.StatusSeeOther)
	v.get("/console/activity").has("administrator.set-up", "a password was set with the one-time secret by admin")
}

func TestSetupOfTwoAtOnceHasOneWinner(t *testing.T) {
	s := open(t)
	statuses := make(chan int, 2)
	for range 2 {
		v := s.visitor()
		go func() {
			form := url.Values{"name": {"admin"}, "secret": {secret}, "password": {password}, "again": {password}}
			resp, err := v.client.PostForm(v.url+"/console/setup", form)
			if err != nil {
				statuses <- 0
				return
			}
			resp.Body.Close()
			statuses <- resp.StatusCode
		}()
	}
	if a, b := <-statuses, <-statuses; a+b != http.StatusSeeOther+http.StatusForbidden {
		t.Errorf("%d and %d", a, b)
	}
}

func TestSetupRefusals(t *testing.T) {
	s := open(t)
	v := s.visitor()
	v.get("/console/setup").is(http.StatusOK).has("At least 12 characters")
	v.post("/console/setup", "name", "admin", "secret", secret, "password", "elevenchars", "again", "elevenchars").
		is(http.StatusUnprocessableEntity).has("It has 11 characters", "admin")
	v.post("/console/setup", "name", "admin", "secret", secret, "password", password, "again", password+"x").
		is(http.StatusUnprocessableEntity).has("are not the same")
	long := strings.Repeat("x", 600)
	v.post("/console/setup", "name", "admin", "secret", secret, "password", long, "again", long).
		is(http.StatusUnprocessableEntity).has("longer than 512 bytes")
	for range 5 {
		v.post("/console/setup", "name", "admin", "secret", "guess", "password", password, "again", password).
			is(http.StatusForbidden).has("wrong, or the secret was used already, or its time is over")
	}
	a := v.post("/console/setup", "name", "Admin", "secret", secret, "password", password, "again", password).
		is(http.StatusTooManyRequests).has("Wait 10 minutes")
	if a.header.Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
	s.pass(10 * time.Minute)
	v.post("/console/setup", "name", "admin", "secret", secret, "password", password, "again", password).
		is(http.StatusSeeOther)
}

func TestSignInRefusals(t *testing.T) {
	s := open(t)
	v := s.visitor()
	s.newEnvironment("Other", "fresh") // has not set a password
	s.visitor().post("/console/setup", "name", "admin", "secret", secret, "password", password, "again", password).
		is(http.StatusSeeOther)
	wrong := v.post("/console/sign-in", "name", "admin", "password", "wrong password").is(http.StatusForbidden).
		has("The name or the password is wrong.")
	for _, name := range []string{"nobody", "fresh"} {
		a := v.post("/console/sign-in", "name", name, "password", "").is(http.StatusForbidden)
		if strings.ReplaceAll(a.body, name, "admin") != wrong.body {
			t.Errorf("%s reads otherwise than a wrong password:\n%s", name, a.text())
		}
	}
	if v.token() != "" {
		t.Error("a session was made")
	}
	for range 4 {
		v.post("/console/sign-in", "name", "Admin", "password", "wrong password").is(http.StatusForbidden)
	}
	v.post("/console/sign-in", "name", "admin", "password", password).is(http.StatusTooManyRequests).
		has("Wait 10 minutes")
	s.pass(9 * time.Minute)
	v.post("/console/sign-in", "name", "admin", "password", password).is(http.StatusTooManyRequests).
		has("Wait 1 minute and")
	s.pass(time.Minute)
	v.post("/console/sign-in", "name", "admin", "password", password).is(http.StatusSeeOther)
}

func TestSignInMakesANewSession(t *testing.T) {
	s := open(t)
	v := s.admin()
	first := v.token()
	// Whoever planted or saw the token before gains nothing by the next sign-in.
	spy := s.visitor()
	u, _ := url.Parse(s.url + "/console/")
	spy.client.Jar.SetCookies(u, []*http.Cookie{{Name: "ldap-cloud-console", Value: first, Path: "/console/"}})
	spy.get("/console/gateways").is(http.StatusOK)
	v.post("/console/sign-in", "name", "admin", "password", password).is(http.StatusSeeOther)
	if v.token() == first {
		t.Error("the token stayed")
	}
	spy.get("/console/gateways").is(http.StatusSeeOther)
	planted := s.visitor()
	planted.client.Jar.SetCookies(u, []*http.Cookie{{Name: "ldap-cloud-console", Value: "planted", Path: "/console/"}})
	planted.post("/console/sign-in", "name", "admin", "password", password).is(http.StatusSeeOther)
	if planted.token() == "planted" {
		t.Error("a planted token was taken over")
	}
}

func TestSignOut(t *testing.T) {
	s := open(t)
	v := s.admin()
	token := v.token()
	v.follow(v.post("/console/sign-out")).is(http.StatusOK).has("Sign in")
	u, _ := url.Parse(s.url + "/console/")
	v.client.Jar.SetCookies(u, []*http.Cookie{{Name: "ldap-cloud-console", Value: token, Path: "/console/"}})
	v.get("/console/gateways").is(http.StatusSeeOther)
}

func TestSessionEndsWithItsAdministrator(t *testing.T) {
	s := open(t)
	v := s.admin()
	admin, err := s.store.Administrator(t.Context(), "admin")
	s.must(err)
	admin.Name = "renamed"
	s.must(s.store.UpdateAdministrator(t.Context(), &admin))
	v.get("/console/gateways").is(http.StatusSeeOther)
}

// Whoever changes a password or a factor has a reason: a session that somebody
// else may have opened with the former one ends, the one it is done in does not.
func TestChangedProofsEndOtherSessions(t *testing.T) {
	s := open(t)
	v := s.admin()
	other := s.admin()
	const fresh = "another good password"
	v.follow(v.post("/console/account/password", "current", password, "password", fresh, "again", fresh)).
		is(http.StatusOK).has("Your password was changed")
	other.get("/console/gateways").is(http.StatusSeeOther)

	other.post("/console/sign-in", "name", "admin", "password", fresh).is(http.StatusSeeOther)
	secret := regexp.MustCompile(`<code>([A-Z2-7]{32})</code>`).
		FindStringSubmatch(v.get("/console/account/one-time").body)[1]
	code, err := totp.GenerateCode(secret, s.clock())
	s.must(err)
	v.follow(v.post("/console/account/one-time", "code", code, "password", fresh)).is(http.StatusOK).
		has("From now on you are asked")
	other.get("/console/gateways").is(http.StatusSeeOther)

	// Half of a sign-in is worth nothing either.
	other.post("/console/sign-in", "name", "admin", "password", fresh).is(http.StatusSeeOther)
	other.get("/console/sign-in/second").is(http.StatusOK)
	v.follow(v.post("/console/account/one-time/delete", "password", fresh)).is(http.StatusOK).
		has("not asked for one-time passwords any more")
	other.get("/console/sign-in/second").is(http.StatusSeeOther)

	other.post("/console/sign-in", "name", "admin", "password", fresh).is(http.StatusSeeOther)
	admin, err := s.store.Administrator(t.Context(), "admin")
	s.must(err)
	s.must(s.store.AddPasskey(t.Context(), &store.Passkey{
		ID:              "key",
		EnvironmentID:   s.env.ID,
		Credential:      []byte("{}"),
		AdministratorID: admin.ID,
		Name:            "lost",
		CreatedAt:       s.clock(),
	}))
	other.get("/console/gateways").is(http.StatusSeeOther)

	// A reset ends every session for good, also once there is a password again.
	reset, hash := administrators.NewSetupSecret()
	s.must(s.store.ResetAdministrator(t.Context(), s.env.ID, admin.ID, hash, s.clock().Add(time.Hour)))
	v.get("/console/gateways").is(http.StatusSeeOther)
	s.visitor().post("/console/setup", "name", "admin", "secret", reset, "password", password, "again", password).
		is(http.StatusSeeOther)
	v.get("/console/gateways").is(http.StatusSeeOther)
}

func TestRequestsOfOtherSitesAreRefused(t *testing.T) {
	s := open(t)
	v := s.admin()
	for _, header := range []http.Header{
		{"Sec-Fetch-Site": {"cross-site"}},
		{"Sec-Fetch-Site": {"same-site"}},
		{"Origin": {"https://evil.example"}},
		{"Origin": {"null"}},
	} {
		r, err := http.NewRequest("POST", s.url+"/console/populations", strings.NewReader("name=Evil"))
		s.must(err)
		r.Header = header.Clone()
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		v.do(r).is(http.StatusForbidden).has("came from another site")
	}
	v.get("/console/populations").lacks("Evil")
}

func TestCookies(t *testing.T) {
	s := open(t)
	s.admin()
	for _, secure := range []bool{false, true} {
		server := s.server()
		server.Secure = secure
		r := httptest.NewRequest(
			"POST",
			"/console/sign-in",
			strings.NewReader("name=admin&password="+url.QueryEscape(password)),
		)
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		w := httptest.NewRecorder()
		server.Handler().ServeHTTP(w, r)
		all := w.Result().Cookies()
		if len(all) != 2 {
			t.Fatalf("%+v", all)
		}
		for _, c := range all {
			// That the browser is known outlives the session, which ends with the browser.
			known := strings.HasSuffix(c.Name, "-known")
			if !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.Secure != secure ||
				strings.HasPrefix(c.Name, "__Host-") != secure || (c.MaxAge == 0) == known {
				t.Errorf("%+v", c)
			}
		}
	}
}

func TestSignInLeadsBackToTheConsoleOnly(t *testing.T) {
	s := open(t)
	v := s.admin()
	other := s.visitor()
	if to := other.get("/console/users?q=a%26b").header.Get("Location"); to != "/console/sign-in?next="+urlOf("/console/users?q=a%26b") {
		t.Error(to)
	}
	for next, want := range map[string]string{
		"/console/users?q=a":           "/console/users?q=a",
		"":                             "/console/",
		"https://evil.example/":        "/console/",
		"//evil.example/console/":      "/console/",
		"/console/../v1/environments":  "/console/",
		"/console/%2e%2e/v1":           "/console/",
		"/console/\\evil.example":      "/console/",
		"javascript:alert(1)":          "/console/",
		"/v1/environments":             "/console/",
		"/consoleevil":                 "/console/",
		"/console/users\r\nSet-Cookie": "/console/",
	} {
		if to := v.post(
			"/console/sign-in",
			"name", "admin",
			"password", password,
			"next", next,
		).header.Get("Location"); to != want {
			t.Errorf("%q leads to %q", next, to)
		}
	}
}

func TestFormsHaveALimit(t *testing.T) {
	s := open(t)
	v := s.admin()
	v.post("/console/populations", "name", strings.Repeat("x", 300<<10)).is(http.StatusRequestEntityTooLarge).
		has("larger than any form")
	r, err := http.NewRequest("POST", s.url+"/console/populations", strings.NewReader("name=%zz"))
	s.must(err)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	v.do(r).is(http.StatusBadRequest).has("is not a form")
}

func TestAFailureOfOursSaysNothingOfItsCause(t *testing.T) {
	s := open(t)
	v := s.admin()
	admin, err := s.store.Administrator(t.Context(), "admin")
	s.must(err)
	admin.PasswordHash = "spoilt"
	s.must(s.store.UpdateAdministrator(t.Context(), &admin))
	v.post("/console/sign-in", "name", "admin", "password", password).is(http.StatusInternalServerError).
		has("Its log has the reason under").lacks("hash")
}
