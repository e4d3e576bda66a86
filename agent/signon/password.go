package signon

import (
	"context"
	"errors"
	"time"

	"ldap-gateway/cloudlink/wire"
	"ldap-gateway/directory"
)

// ChangePassword changes one person's password in the directory, by the old one.
func (s *Service) ChangePassword(ctx context.Context, m wire.ChangePassword) (wire.PasswordChanged, Trace) {
	start := time.Now()
	r, trace, said := s.change(ctx, m)
	r.ID = m.ID
	line := []any{
		logChange,
		m.ID,
		logUserType,
		m.UserType,
		logOutcome,
		r.Outcome,
		logReason,
		r.Reason,
		"took",
		time.Since(start),
	}
	s.log("password change", trace.Asked, append(line, detail(said)...))
	return r, trace
}

// change goes the way of a sign-on that wants the outcome alone, as far as the
// bind. It tells what the directory said in full, too.
func (s *Service) change(ctx context.Context, m wire.ChangePassword) (r wire.PasswordChanged, _ Trace, said error) {
	asSignOn := wire.SignOn{
		ID:         m.ID,
		UserType:   m.UserType,
		Revision:   m.Revision,
		Identifier: m.Identifier,
		Known:      m.Known,
		Browser:    m.Browser,
		Want:       wire.WantVerify,
	}
	t, old, fresh, refusal := s.admitChange(ctx, m, asSignOn)
	if refusal != nil {
		return *refusal, Trace{}, nil
	}
	entry, err := s.find(ctx, t, asSignOn)
	if err != nil {
		return unchanged(failed(ctx, err)), Trace{Asked: true}, err
	}
	trace := Trace{entry.DN, true}
	if refusal := s.hold(ctx, asSignOn, m.Old.At, entry.DN); refusal != nil {
		return unchanged(*refusal), trace, nil
	}
	defer s.Guard.leave(entry.DN)
	r, said = s.makeChange(ctx, entry.DN, old, fresh)
	return r, trace, said
}

// admitChange returns what a change needs, or why it goes no further.
func (s *Service) admitChange(
	ctx context.Context, m wire.ChangePassword, asSignOn wire.SignOn,
) (t *directory.UserType, old, fresh directory.Password, refusal *wire.PasswordChanged) {
	no := func(r wire.SignOnResult) (*directory.UserType, directory.Password, directory.Password, *wire.PasswordChanged) {
		out := unchanged(r)
		return nil, "", "", &out
	}
	if reason := s.Policy.RefuseChanges(); reason != "" {
		return no(refused(wire.OutcomeNotAllowed, reason))
	}
	admitted, why := s.admit(ctx, asSignOn)
	if why != nil {
		return no(*why)
	}
	if !admitted.changePasswords {
		return no(refused(wire.OutcomeNotAllowed, "the user type does not allow password changes"))
	}
	if old, why = s.open(wire.OldPassword(m.ID), m.Old); why != nil {
		return no(*why)
	}
	if fresh, why = s.open(wire.NewPassword(m.ID), m.New); why != nil {
		return no(*why)
	}
	if s.Seen.has(m.ID) {
		return no(refused(wire.OutcomeNotAllowed, answeredBefore))
	}
	return admitted.UserType, old, fresh, nil
}

// makeChange has the directory make the change, once, and counts what it says of the
// old password as it does at a sign-on. It tells what the directory said in full.
func (s *Service) makeChange(
	ctx context.Context, dn string, old, fresh directory.Password,
) (wire.PasswordChanged, error) {
	err := s.People.ChangePassword(ctx, dn, old, fresh)
	var refused *directory.PasswordError
	switch {
	case err == nil:
		s.Guard.forget(dn)
		return wire.PasswordChanged{Outcome: wire.OutcomeOK, BindSent: true}, nil
	case errors.As(err, &refused):
		return wire.PasswordChanged{
			Outcome:  wire.OutcomeNewPasswordRefused,
			Reason:   directory.Told(err),
			Refusal:  refusals[refused.Reason],
			BindSent: refused.Server != "",
		}, err
	case errors.Is(err, directory.ErrClearText):
		reason := directory.Told(err) + ": write ldaps://, or leave allow_clear_text out"
		return wire.PasswordChanged{Outcome: wire.OutcomeNotAllowed, Reason: reason}, err
	}
	s.Guard.count(dn, err)
	return unchanged(failed(ctx, err)), err
}

// unchanged is an answer about the old password as one about the change.
func unchanged(r wire.SignOnResult) wire.PasswordChanged {
	return wire.PasswordChanged{
		Outcome:     r.Outcome,
		Reason:      r.Reason,
		BindSent:    r.BindSent,
		KeyUnknown:  r.KeyUnknown,
		RetryMillis: r.RetryMillis,
	}
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
