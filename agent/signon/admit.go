package signon

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"
	"unicode"

	"ldap-gateway/cloudlink/wire"
	"ldap-gateway/directory"
)

// admit returns the user type, or why the sign-on goes no further.
func (s *Service) admit(ctx context.Context, m wire.SignOn) (userType, *wire.SignOnResult) {
	if reason := malformed(m); reason != "" {
		return userType{}, refuse(wire.OutcomeNotAllowed, reason)
	}
	d := s.types.await(ctx, m.Revision)
	t, ok := d.types[m.UserType]
	switch {
	case ok && m.Revision > d.revision:
		return userType{}, refuse(wire.OutcomeBusy, "the user type has changed and its new form has not arrived yet")
	case !ok && d.why(m.UserType) != nil:
		return userType{}, refuse(wire.OutcomeNotAllowed,
			"the gateway's policy refuses the user type: "+strings.Join(d.why(m.UserType), "; "))
	case !ok:
		return userType{}, refuse(wire.OutcomeNotAllowed, "this instance does not know the user type")
	case s.Rate != nil && !s.Rate.Allow():
		s.Ceiling.meet(time.Now())
		return userType{}, refuse(wire.OutcomeBusy, "more sign-ons than policy.sign_ons_per_minute allows")
	case ctx.Err() != nil:
		return userType{}, refuse(wire.OutcomeTimeout, "the time for this sign-on was over before the directory was asked")
	case len(m.Identifier) > mostIdentifier || strings.ContainsFunc(m.Identifier, unicode.IsControl):
		// A person may have typed it, so it is an answer about persons.
		return userType{}, refuse(wire.OutcomeNoSuchUser,
			"the identifier is too long or has control characters: the directory was not asked")
	case s.Policy.KeepsBack(m.Identifier): // where a filter compares it with names
		// In other words than of anybody who is not there, it would tell what is kept back.
		s.Logger.Info("the identifier names what policy.groups keeps back: the directory was not asked", logSignOn, m.ID)
		return userType{}, refuse(wire.OutcomeNoSuchUser, directory.Told(directory.ErrNoSuchUser))
	}
	return t, nil
}

const answeredBefore = "this sign-on was answered before"

// Limits, in bytes, of what a sign-on names. They are far above what is real,
// and keep what a cloud sends from costing more than it is worth.
const (
	mostID         = 128
	mostIdentifier = 1024
	mostKnown      = 32 // correlation values
)

// malformed says what of a sign-on no well-behaved cloud sends; empty when
// nothing is.
func malformed(m wire.SignOn) string {
	switch {
	case m.ID == "" || len(m.ID) > mostID:
		return "the sign-on's ID is empty or too long"
	case m.Want != wire.WantVerify && m.Want != wire.WantRecord:
		return "the sign-on wants what this gateway does not know"
	case len(m.Known) > mostKnown || slices.ContainsFunc(m.Known, tooLong):
		return "too many correlation values, or one too long"
	}
	return ""
}

func tooLong(c wire.Correlation) bool { return len(c.Attribute)+len(c.Value) > mostIdentifier }

// open unseals the password, or says why not. Nothing has been asked of a
// directory yet.
func (s *Service) open(purpose string, sealed wire.Sealed) (directory.Password, *wire.SignOnResult) {
	password, err := s.Opener.Open(purpose, sealed)
	switch {
	case errors.Is(err, wire.ErrUnknownKey):
		r := refuse(wire.OutcomeBusy, "the sealing key is not known")
		r.KeyUnknown = true
		return "", r
	case err != nil:
		return "", refuse(wire.OutcomeNotAllowed, "the password is sealed for another sign-on or instance, or was altered")
	}
	defer clear(password)
	if refusal := s.untimely(sealed.At); refusal != nil {
		return "", refusal
	}
	if p := directory.Password(password); !p.Refused() {
		return p, nil
	}
	// Before any search: what is no password of anybody is no question about somebody.
	return "", refuse(wire.OutcomeInvalidCredentials,
		"empty password, or one that begins with NUL: the directory was not asked")
}

// mostFuture is how far the cloud's nodes may be ahead of what is known of their clock.
const mostFuture = time.Minute

// untimely says that a password was sealed at a time at which it is not tried: who
// kept a request could send it again to a program that has forgotten it. An honest
// cloud seals it anew. Nil when it is tried, and for a cloud that tells no time.
func (s *Service) untimely(millis uint64) *wire.SignOnResult {
	if millis == 0 {
		return nil
	}
	at, now, started := time.UnixMilli(int64(min(millis, 1<<62))), time.Now(), s.Started
	if s.CloudTime != nil {
		now, started = s.CloudTime(now), s.CloudTime(started)
	}
	reason := ""
	switch {
	case at.Before(started):
		reason = "the password was sealed before this gateway was started"
	case now.Sub(at) > replayLife:
		reason = "the password was sealed longer ago than it is tried"
	case s.Seen.forgotten(millis):
		reason = "the password was sealed when requests were that may be forgotten: if this lasts, set all clocks by NTP"
	case at.Sub(now) > mostFuture:
		reason = "the password was sealed in the future: set the clocks of the cloud's nodes by NTP"
	default:
		return nil
	}
	r := refuse(wire.OutcomeBusy, reason)
	r.KeyUnknown = true
	return r
}
