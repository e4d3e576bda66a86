package directory_test

import (
	"strings"

	"ldap-gateway/directory"
)

func accountCases() []conformanceCase {
	state := func(kind directory.AccountKind, name, word string) func(*scene) {
		return func(s *scene) { s.showsState(kind, name, word) }
	}
	return []conformanceCase{
		{"explain: an account with nothing wrong", (*scene).showsNothingWrong},
		{caseShowsDisabled, state(directory.Disabled, "account lock", "disabled")},
		{caseShowsLocked, state(directory.Locked, "lock", "locked")},
		{caseShowsPassword, state(directory.PasswordExpired, "password", "expired")},
		{caseShowsChange, state(directory.PasswordMustChange, "password", "must be changed")},
		{caseShowsExpired, state(directory.Expired, "expiry", "expired at 1970-01-01")},
		{caseShowsHours, state(directory.LogonHours, "hours", "logonHours")},
		{caseShowsPlaces, state(directory.LogonWorkstation, "machines", "ELSEWHERE")},
	}
}

func (s *scene) facts(name string) []directory.AccountFact {
	s.Helper()
	facts, err := s.client.AccountState(s.Context(), s.find(name))
	s.must(err)
	if len(facts) == 0 {
		s.Fatal("no facts")
	}
	return facts
}

func (s *scene) showsNothingWrong() {
	s.user("alice")
	for _, f := range s.facts("alice") {
		if f.State == directory.Hinders || f.State == directory.Depends {
			s.Errorf("%+v", f)
		}
	}
}

// showsState wants one fact of these names to say why the person is kept out.
func (s *scene) showsState(kind directory.AccountKind, names, word string) {
	dn := s.user("alice")
	s.account(s.T, dn, kind)
	facts := s.facts("alice")
	for _, f := range facts {
		bad := f.State == directory.Hinders || f.State == directory.Depends
		if bad && strings.Contains(names, f.Name) && strings.Contains(f.Detail, word) {
			return
		}
	}
	s.Errorf("%v is not told: %+v", kind, facts)
}
