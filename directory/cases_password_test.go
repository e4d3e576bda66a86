package directory_test

import (
	"errors"
	"slices"
	"testing"

	"ldap-gateway/directory"
	"ldap-gateway/directory/slapdtest"
)

const freshPassword = "Fr€sh-\"Passw0rd\"" // with what UTF-8, UTF-16 and quotes make difficult

func passwordCases() []conformanceCase {
	refused := func(rule directory.PasswordReason, fresh directory.Password, want ...directory.PasswordReason) func(*scene) {
		return func(s *scene) { s.refusesPassword(rule, fresh, want...) }
	}
	return []conformanceCase{
		{"a password is changed by who knows the old one", (*scene).changesPassword},
		{"a wrong old password changes nothing", (*scene).wrongOldPassword},
		{
			"a new password that is too short is refused in words",
			refused(directory.TooShort, "Ab.1", directory.TooShort, directory.TooSimple, directory.SomeRule),
		},
		{caseHistory, refused(directory.InHistory, rightPassword, directory.InHistory, directory.SomeRule)},
		{caseYoung, refused(directory.TooYoung, freshPassword, directory.TooYoung, directory.SomeRule)},
		{
			caseForbidden,
			refused(directory.NotPermitted, freshPassword, directory.NotPermitted, directory.Unacceptable),
		}, // Samba gives no reason
		{"a password that must be changed is changed", (*scene).completesMustChange},
		{"a password that has expired is changed, by an account that may", (*scene).completesExpired},
	}
}

func (s *scene) change(old, fresh directory.Password, dn string) error {
	return s.client.ChangePassword(s.Context(), dn, old, fresh)
}

func (s *scene) changesPassword() {
	dn := s.user("alice")
	s.find("alice") // as a change does; it tells the vendor
	s.must(s.change(rightPassword, freshPassword, dn))
	s.wantBind(dn, freshPassword, nil)
	if s.domain == "" { // Active Directory takes the last one for another hour
		s.wantBind(dn, rightPassword, directory.ErrInvalidCredentials)
	}
}

func (s *scene) wrongOldPassword() {
	dn := s.user("alice")
	s.find("alice")
	if err := s.change("wrong", freshPassword, dn); !errors.Is(err, directory.ErrInvalidCredentials) {
		s.Errorf("%v", err)
	}
	s.wantBind(dn, rightPassword, nil)
}

// refusesPassword wants the change refused by a rule. The first change makes a history;
// some directories count the age of a password from it only, others from the beginning.
func (s *scene) refusesPassword(
	rule directory.PasswordReason, fresh directory.Password, want ...directory.PasswordReason,
) {
	dn, now := s.user("alice"), directory.Password(rightPassword)
	s.find("alice")
	s.rule(s.T, dn, rule)
	err := s.change(now, "Another-Passw0rd", dn)
	if err == nil {
		now = "Another-Passw0rd"
		err = s.change(now, fresh, dn)
	}
	var refused *directory.PasswordError
	if !errors.As(err, &refused) || !slices.Contains(want, refused.Reason) || refused.Server == "" {
		s.Errorf("%v, want one of %v", err, want)
	}
	s.wantBind(dn, now, nil)
}

func (s *scene) completesMustChange() {
	dn := s.user("alice")
	s.find("alice")
	s.account(s.T, dn, directory.PasswordMustChange)
	wantKind(s.T, "before", s.client.Bind(s.Context(), dn, rightPassword), directory.PasswordMustChange)
	s.must(s.change(rightPassword, freshPassword, dn))
	s.wantBind(dn, freshPassword, nil)
}

// completesExpired has an account do it that may set passwords, and where the reader
// may not it wants that told.
func (s *scene) completesExpired() {
	dn := s.user("alice")
	s.find("alice")
	s.account(s.T, dn, directory.PasswordExpired)
	if s.writer[0] != s.config.BindDN {
		wantKind(s.T, "with an account that may not set passwords", s.change(rightPassword, freshPassword, dn),
			directory.PasswordExpired)
	}
	s.client = s.open(func(c *directory.Config) {
		c.BindDN, c.BindPassword = s.writer[0], directory.Password(s.writer[1])
	})
	s.find("alice")
	if err := s.change("wrong", freshPassword, dn); !errors.Is(err, directory.ErrInvalidCredentials) {
		s.Errorf("a wrong old password: %v", err)
	}
	s.must(s.change(rightPassword, freshPassword, dn))
	s.wantBind(dn, freshPassword, nil)
}

// Nothing that cannot be a password goes out, nor does anything in clear text.
func TestChangeIsRefusedHere(t *testing.T) {
	onBoth(t, slapdtest.Config{LDIF: person("alice")}, func(t *testing.T, b bed) {
		c := open(t, b.ca, b.url)
		for _, fresh := range []directory.Password{"", "\x00x", "\xff"} {
			var refused *directory.PasswordError
			if err := c.ChangePassword(t.Context(), aliceDN, "secret", fresh); !errors.As(err, &refused) ||
				refused.Reason != directory.Unacceptable {
				t.Errorf("%q: %v", string(fresh), err)
			}
		}
		if err := c.ChangePassword(t.Context(), aliceDN, "", "fresh"); !errors.Is(err, directory.ErrEmptyPassword) {
			t.Error(err)
		}
		if n := b.binds(aliceDN); n != 0 {
			t.Errorf("%d binds", n)
		}
	})
}
