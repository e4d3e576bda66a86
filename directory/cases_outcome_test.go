package directory_test

import (
	"errors"

	"ldap-gateway/directory"
)

func outcomeCases() []conformanceCase {
	state := func(kind directory.AccountKind) func(*scene) { return func(s *scene) { s.accountState(kind) } }
	return []conformanceCase{
		{"account disabled (OpenLDAP calls it locked)", state(directory.Disabled)},
		{"account locked by wrong passwords", state(directory.Locked)},
		{caseExpired, state(directory.Expired)},
		{"password expired", state(directory.PasswordExpired)},
		{"password must be changed", state(directory.PasswordMustChange)},
		{caseLogonHours, state(directory.LogonHours)},
		{caseWorkstation, state(directory.LogonWorkstation)},
	}
}

// accountState wants the owner, who knows the password, to be told the state, and
// somebody who does not know it to be told nothing that needs the password.
func (s *scene) accountState(kind directory.AccountKind) {
	dn := s.user("alice")
	s.find("alice") // as a sign-on does; it tells the vendor
	want := s.account(s.T, dn, kind)
	wantKind(s.T, "the right password", s.client.Bind(s.Context(), dn, rightPassword), want)
	err := s.client.Bind(s.Context(), dn, "wrong")
	var account *directory.AccountError
	switch {
	case errors.As(err, &account) && account.Kind.PasswordWasRight():
		s.Errorf("a wrong password is told %v", err)
	case account == nil && !errors.Is(err, directory.ErrInvalidCredentials):
		s.Errorf("a wrong password: %v", err)
	}
}
