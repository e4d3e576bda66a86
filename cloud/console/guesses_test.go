package console_test

import (
	"net/http"
	"testing"

	"ldap-gateway/cloud/administrators"
)

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
