package console_test

import (
	"net/http"
	"testing"
	"time"

	"ldap-gateway/cloud/administrators"
)

// exhaust has everybody try every proof of an account until they are to wait.
func (s *site) exhaust(account string, known ...bool) {
	s.t.Helper()
	d := administrators.Authenticator{Store: s.store}
	for _, proof := range administrators.Proofs() {
		for _, by := range known {
			g := administrators.Guess{Proof: proof, Account: account, Known: by}
			for wait := time.Duration(0); wait == 0; {
				var err error
				wait, err = d.BeginGuess(s.t.Context(), g, s.clock())
				s.must(err)
			}
		}
	}
}

// TestSetUpForgetsTries: whoever sets a password by a link signs in with it in the same browser,
// whatever strangers tried before and go on to try, and for now in any other.
func TestSetUpForgetsTries(t *testing.T) {
	s := open(t)
	v := s.signIn("admin")
	admin, err := s.store.Administrator(t.Context(), "admin")
	s.must(err)
	owner := s.visitor()
	for range 5 {
		owner.post("/console/sign-in", "name", "admin", "password", "wrong").is(http.StatusForbidden)
	}
	s.exhaust(admin.ID, false, true)
	for _, w := range []*visitor{v, owner, s.visitor()} {
		w.post("/console/sign-in", "name", "admin", "password", password).is(http.StatusTooManyRequests)
	}
	link, hash := administrators.NewSetupSecret()
	s.must(s.store.ResetAdministrator(t.Context(), s.env.ID, admin.ID, hash, s.clock().Add(time.Hour)))
	owner.post("/console/setup", "name", "Admin", "secret", link, "password", password, "again", password).
		is(http.StatusSeeOther)
	for _, w := range []*visitor{s.visitor(), owner} {
		w.post("/console/sign-in", "name", "admin", "password", password).is(http.StatusSeeOther)
	}
	s.exhaust(admin.ID, false)
	owner.post("/console/sign-in", "name", "admin", "password", password).is(http.StatusSeeOther)
	s.visitor().post("/console/sign-in", "name", "admin", "password", password).is(http.StatusTooManyRequests)
}

// TestTheFullQueueCostsNoTry: whoever is told to come again in two seconds may do so as often as
// it takes, with each form that has a password checked.
func TestTheFullQueueCostsNoTry(t *testing.T) {
	s := open(t)
	s.passwords.Places, s.passwords.OfOwner = 2, 1
	first := s.visitor()
	setup := func() answer {
		return first.post("/console/setup", "name", "admin", "secret", secret, "password", password, "again", password)
	}
	for _, act := range []struct {
		do   func() answer
		good int
	}{
		{setup, http.StatusSeeOther},
		{func() answer {
			return s.visitor().post("/console/sign-in", "name", "admin", "password", password)
		}, http.StatusSeeOther},
		{func() answer {
			return s.visitor().post("/console/sign-in", "name", "nobody", "password", password)
		}, http.StatusForbidden},
		{func() answer {
			return first.post("/console/sign-in", "name", "admin", "password", password)
		}, http.StatusSeeOther},
		{func() answer {
			return first.post("/console/account/password", "current", password, "password", password, "again", password)
		}, http.StatusSeeOther},
	} {
		leave := s.crowd()
		for range 60 {
			act.do().is(http.StatusServiceUnavailable)
		}
		leave()
		act.do().is(act.good)
	}
}

// crowd has no password be checked until leave is called.
func (s *site) crowd() (leave func()) {
	s.t.Helper()
	stranger, err := s.passwords.Enter(s.t.Context(), administrators.Stranger("192.0.2.1", ""))
	s.must(err)
	other, err := s.passwords.Enter(s.t.Context(), administrators.Known("nobody"))
	s.must(err)
	return func() { stranger(); other() }
}
