package signon

import (
	"context"
	"errors"
	"time"

	"ldap-gateway/cloudlink/wire"
	"ldap-gateway/directory"
)

// ChangePassword changes one person's password in the directory, by the old one.
// It tells the DN of the entry that the person was found as, empty when none was found.
func (s *Service) ChangePassword(ctx context.Context, m wire.ChangePassword) (wire.PasswordChanged, string) {
	start := time.Now()
	r, dn := s.change(ctx, m)
	r.ID = m.ID
	s.Logger.Info("password change", logChange, m.ID, logUserType, m.UserType, logOutcome, r.Outcome, logReason, r.Reason, "took", time.Since(start))
	return r, dn
}

// change goes the way of a sign-on that wants the outcome alone, as far as the bind.
func (s *Service) change(ctx context.Context, m wire.ChangePassword) (wire.PasswordChanged, string) {
	asSignOn := wire.SignOn{ID: m.ID, UserType: m.UserType, Revision: m.Revision, Identifier: m.Identifier, Known: m.Known, Want: wire.WantVerify}
	if reason := s.Policy.RefuseChanges(); reason != "" {
		return wire.PasswordChanged{Outcome: wire.OutcomeNotAllowed, Reason: reason}, ""
	}
	admitted, refusal := s.admit(ctx, asSignOn)
	if refusal != nil {
		return unchanged(*refusal), ""
	}
	if !admitted.changePasswords {
		return wire.PasswordChanged{Outcome: wire.OutcomeNotAllowed, Reason: "the user type does not allow password changes"}, ""
	}
	old, refusal := s.open(wire.OldPassword(m.ID), m.Old)
	if refusal != nil {
		return unchanged(*refusal), ""
	}
	fresh, refusal := s.open(wire.NewPassword(m.ID), m.New)
	if refusal != nil {
		return unchanged(*refusal), ""
	}
	if s.Seen.known(m.ID) {
		return wire.PasswordChanged{Outcome: wire.OutcomeNotAllowed, Reason: answeredBefore}, ""
	}
	entry, err := s.find(ctx, admitted.UserType, asSignOn)
	if err != nil {
		return unchanged(failed(ctx, err)), ""
	}
	if refusal := s.hold(ctx, m.ID, entry.DN); refusal != nil {
		return unchanged(*refusal), entry.DN
	}
	defer s.Guard.leave(entry.DN)
	return s.makeChange(ctx, entry.DN, old, fresh), entry.DN
}

// makeChange has the directory make the change, once, and counts what it says of the
// old password as it does at a sign-on.
func (s *Service) makeChange(ctx context.Context, dn string, old, fresh directory.Password) wire.PasswordChanged {
	err := s.People.ChangePassword(ctx, dn, old, fresh)
	var refused *directory.PasswordError
	switch {
	case err == nil:
		s.Guard.forget(dn)
		return wire.PasswordChanged{Outcome: wire.OutcomeOK, BindSent: true}
	case errors.As(err, &refused):
		return wire.PasswordChanged{Outcome: wire.OutcomeNewPasswordRefused, Reason: err.Error(), Refusal: refusals[refused.Reason], BindSent: refused.Server != ""}
	case errors.Is(err, directory.ErrClearText):
		return wire.PasswordChanged{Outcome: wire.OutcomeNotAllowed, Reason: err.Error() + ": write ldaps://, or leave allow_clear_text out"}
	}
	s.Guard.count(dn, err)
	return unchanged(failed(ctx, err))
}

// unchanged is an answer about the old password as one about the change.
func unchanged(r wire.SignOnResult) wire.PasswordChanged {
	return wire.PasswordChanged{Outcome: r.Outcome, Reason: r.Reason, BindSent: r.BindSent, KeyUnknown: r.KeyUnknown, RetryMillis: r.RetryMillis}
}

// refusals says which refusal each reason of a directory is.
var refusals = map[directory.PasswordReason]wire.PasswordRefusal{
	directory.Unacceptable: wire.RefusalOther,
	directory.TooShort:     wire.RefusalTooShort,
	directory.TooSimple:    wire.RefusalTooSimple,
	directory.InHistory:    wire.RefusalInHistory,
	directory.TooYoung:     wire.RefusalTooYoung,
	directory.NotPermitted: wire.RefusalNotPermitted,
	directory.SomeRule:     wire.RefusalSomeRule,
}
