package console_test

import (
	"net/http"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"ldap-gateway/cloud/administrators"
	"ldap-gateway/cloud/store"
)

var recoveryCode = regexp.MustCompile(`[a-z2-7]{4}-[a-z2-7]{4}-[a-z2-7]{4}-[a-z2-7]{4}`)

// guarded has the administrator set up one-time passwords, and returns what shows them and
// where the console leads then.
func (v *visitor) guarded() (code func() string, led string) {
	v.t.Helper()
	secret := regexp.MustCompile(`<code>([A-Z2-7]{32})</code>`).
		FindStringSubmatch(v.get("/console/account/one-time").body)[1]
	code = func() string {
		v.pass(time.Minute)
		c, err := totp.GenerateCode(secret, v.clock())
		v.must(err)
		return c
	}
	led = v.post("/console/account/one-time", "code", code(), "password", password).
		is(http.StatusSeeOther).header.Get("Location")
	return code, led
}

// codes makes recovery codes.
func (v *visitor) codes() []string {
	v.t.Helper()
	a := v.post("/console/account/recovery", "password", password).is(http.StatusOK).has("shown this once")
	all := recoveryCode.FindAllString(a.body, -1)
	if len(all) != 10 {
		v.t.Fatalf("%d codes", len(all))
	}
	return all
}

// half signs in by the password alone, so that the second factor is asked for.
func (s *site) half() *visitor {
	s.t.Helper()
	v := s.visitor()
	v.post("/console/sign-in", "name", "admin", "password", password, "next", "/console/users").is(http.StatusSeeOther)
	return v
}

func TestRecoveryCodes(t *testing.T) {
	s := open(t)
	v := s.admin()
	v.follow(v.get("/console/account/recovery")).has("Set one up first").lacks("Each signs you in once")
	v.post("/console/account/recovery", "password", password).is(http.StatusSeeOther)
	code, led := v.guarded()
	v.get(led).has("You have none", "From now on you are asked", "Make ten codes")
	v.post("/console/account/recovery", "password", "wrong").is(http.StatusUnprocessableEntity).has("not your password")
	s.half().get("/console/sign-in/second").lacks("recovery code")

	codes := v.codes()
	if a := v.get("/console/account/recovery").has("You have 10 of 10 left"); recoveryCode.MatchString(a.body) {
		t.Error("the codes are shown again")
	}
	in := s.half()
	in.get("/console/sign-in/second").has("Use a recovery code")
	in.post("/console/sign-in/second", "code", strings.Repeat("abcd-", 4)).is(http.StatusForbidden).
		has("none of your recovery codes")
	in.follow(in.post("/console/sign-in/second", "code", strings.ToUpper(strings.ReplaceAll(codes[0], "-", " ")))).
		has("You signed in by a recovery code, and have 9 recovery codes left", "You have 9 of 10 left")
	in.get("/console/users").is(http.StatusOK).lacks("recovery code")
	s.half().post("/console/sign-in/second", "code", codes[0]).is(http.StatusForbidden).has("used already")

	for _, c := range codes[1:8] {
		in = s.half()
		in.follow(in.post("/console/sign-in/second", "code", c))
	}
	in.get("/console/users").has("You have 2 recovery codes left. Make new ones")
	in.get("/console/account").lacks("Make new ones .")
	in = s.half()
	in.post("/console/sign-in/second", "code", code()).is(http.StatusSeeOther)
	in.get("/console/users").has("You have 2 recovery codes left")
	fresh := in.codes()
	in.get("/console/users").lacks("recovery code")
	s.half().post("/console/sign-in/second", "code", codes[9]).is(http.StatusForbidden)

	in.get("/console/activity?action=administrator.recovery-code-used").has("by admin", "a recovery code was used")
	in.get("/console/activity?action=administrator.updated").has("recovery codes were made")
	for _, text := range append(codes, fresh...) {
		in.get("/console/activity").lacks(text)
	}
	in.follow(in.post("/console/account/one-time/delete", "password", password)).lacks("Recovery codes")
	admin, err := s.store.Administrator(t.Context(), "admin")
	s.must(err)
	if left, err := s.store.RecoveryCodes(t.Context(), admin.ID); err != nil || left.Made > 0 {
		t.Errorf("%+v, %v", left, err)
	}
}

// Whoever has lost the only passkey gets in by a code, and a code is theirs alone; the last
// passkey takes the codes with it.
func TestRecoveryOfAPasskey(t *testing.T) {
	s := open(t)
	s.admin()
	admin, err := s.store.Administrator(t.Context(), "admin")
	s.must(err)
	s.must(s.store.AddPasskey(t.Context(), &store.Passkey{
		ID: "key", EnvironmentID: s.env.ID, AdministratorID: admin.ID, Name: "Blue key",
	}))
	v := s.half()
	v.get("/console/sign-in/second").has("Show your passkey").lacks("recovery code")
	s.newEnvironment("Other", "eve")
	eve := s.signIn("eve")
	eve.guarded()
	theirs := eve.codes()
	v.post("/console/sign-in/second", "code", theirs[0]).is(http.StatusForbidden)

	code, hashes := administrators.NewRecoveryCodes()
	s.must(s.store.SetRecoveryCodes(t.Context(), admin.ID, hashes))
	v.get("/console/sign-in/second").has("Show your passkey", "Use a recovery code")
	v.follow(v.post("/console/sign-in/second", "code", code[0])).has("9 recovery codes left", "Blue key")
	v.follow(v.post("/console/account/passkey/delete", "id", "key", "password", password)).lacks("Recovery codes")
}

// A code of many that come at once lets one in, and who guesses waits as with one-time passwords.
func TestRecoveryCodesAreUsedOnceAndNotGuessed(t *testing.T) {
	s := open(t)
	v := s.admin()
	v.guarded()
	codes := v.codes()
	var all sync.WaitGroup
	ins := make(chan int, 4)
	for range cap(ins) {
		in := s.half()
		all.Go(func() {
			ins <- in.post("/console/sign-in/second", "code", codes[0]).status
		})
	}
	all.Wait()
	close(ins)
	n := 0
	for status := range ins {
		if status == http.StatusSeeOther {
			n++
		}
	}
	if n != 1 {
		t.Errorf("%d came in by one code", n)
	}
	guesser := s.half()
	for range 10 {
		guesser.post("/console/sign-in/second", "code", "123456")
	}
	saved := s.half()
	saved.post("/console/sign-in/second", "code", codes[2]).is(http.StatusSeeOther) // whoever guesses the others
	for range 10 {
		guesser.post("/console/sign-in/second", "code", "aaaa-aaaa-aaaa-aaaa")
	}
	guesser.post("/console/sign-in/second", "code", codes[1]).is(http.StatusTooManyRequests)
}
