package signon

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/hashicorp/go-hclog"
	"golang.org/x/time/rate"

	"ldap-gateway/agent/policy"
	"ldap-gateway/cloudlink/wire"
	"ldap-gateway/directory"
)

// People is what a sign-on needs of a directory; *directory.Client is one.
type People interface {
	FindUser(ctx context.Context, u *directory.UserType, identifier string) (directory.Entry, error)
	FindCorrelated(ctx context.Context, u *directory.UserType, known []directory.Value) (directory.Entry, error)
	Bind(ctx context.Context, dn string, password directory.Password) error
	ChangePassword(ctx context.Context, dn string, old, fresh directory.Password) error
	DirectGroups(ctx context.Context, u *directory.UserType, e directory.Entry) directory.Membership
	Evidence(ctx context.Context, u *directory.UserType, e directory.Entry, m directory.Membership, asked []directory.Asked) []directory.Sight
	GroupMethod(u *directory.UserType) (method, why string)
	AccountState(ctx context.Context, e directory.Entry) ([]directory.AccountFact, error)
}

var _ People = (*directory.Client)(nil)

// Names of log fields.
const (
	logSignOn   = "signOn"
	logChange   = "change"
	logUserType = "userType"
	logOutcome  = "outcome"
	logReason   = "reason"
	logSaid     = "directorySaid"
	logLeftOut  = "leftOut" // how many lines like this one were not written before it
)

// Service answers sign-ons and password changes. It is safe for concurrent use.
type Service struct {
	People People
	Policy *policy.Policy
	Opener *wire.Opener
	Rate   *rate.Limiter // of sign-ons and password changes in all; nil: no limit
	Logger hclog.Logger
	Stats  *Stats

	Guard   *Guard      // of people whom guessing might lock out
	Seen    *Replays    // requests that went as far as a bind
	Persons *Persons    // requests about each person
	Changes *Deliveries // how often user types change

	// Started is when the program was started: no request of before is answered.
	Started time.Time
	// CloudTime returns what the cloud's clock showed at a moment of this program; nil:
	// what this machine's did.
	CloudTime func(time.Time) time.Time

	types   userTypes
	looks   looks
	refused lines // requests
	badType lines // user types
}

// NewLink lets a cloud deliver older user types than before: a link begins, and
// the cloud may have been restored.
func (s *Service) NewLink() { s.types.newLink() }

// UserTypes takes what the cloud delivered and says which types are refused.
func (s *Service) UserTypes(m wire.UserTypes) wire.UserTypesAnswer {
	d := s.types.take(s.Policy, s.Changes, m)
	for _, r := range d.refused {
		s.badType.write(func(more ...any) {
			line := []any{logUserType, r.ID, logReason, strings.Join(r.Reasons, "; ")}
			s.Logger.Warn("user type refused", append(line, more...)...)
		})
	}
	return wire.UserTypesAnswer{Revision: d.revision, Refused: d.refused}
}

// SignOn checks one person's password and brings what is wanted besides. It tells
// the DN of the entry that the person was found as, empty when none was found.
func (s *Service) SignOn(ctx context.Context, m wire.SignOn) (wire.SignOnResult, string) {
	start := time.Now()
	a := s.answer(ctx, m)
	a.ID = m.ID
	took := time.Since(start)
	s.Stats.add(took)
	line := []any{logSignOn, m.ID, logUserType, m.UserType, logOutcome, a.Outcome, logReason, a.Reason, "took", took}
	s.log("sign-on", a.Outcome, a.BindSent || a.dn != "", append(line, a.detail()...))
	return a.SignOnResult, a.dn
}

// answer goes through the steps of a sign-on; doc.go has them as a table.
func (s *Service) answer(ctx context.Context, m wire.SignOn) answered {
	admitted, refusal := s.admit(ctx, m)
	if refusal != nil {
		return answered{SignOnResult: *refusal}
	}
	password, refusal := s.open(m.ID, m.Password)
	if refusal != nil {
		return answered{SignOnResult: *refusal}
	}
	if s.Seen.has(m.ID) {
		return answered{SignOnResult: refused(wire.OutcomeNotAllowed, answeredBefore)}
	}
	entry, err := s.find(ctx, admitted.UserType, m)
	if err != nil {
		return answered{SignOnResult: failed(ctx, err), said: err}
	}
	return s.prove(ctx, admitted.UserType, entry, password, m)
}

// prove makes the one bind, when nothing speaks against it.
func (s *Service) prove(ctx context.Context, t *directory.UserType, entry directory.Entry, password directory.Password, m wire.SignOn) answered {
	if refusal := s.hold(ctx, m.ID, m.Password.At, entry.DN); refusal != nil {
		return answered{SignOnResult: *refusal, dn: entry.DN}
	}
	defer s.Guard.leave(entry.DN)
	if err := s.People.Bind(ctx, entry.DN, password); err != nil {
		s.Guard.count(entry.DN, err)
		return answered{SignOnResult: failed(ctx, err), dn: entry.DN, said: err}
	}
	s.Guard.forget(entry.DN)
	return answered{SignOnResult: s.success(ctx, t, entry, m), dn: entry.DN}
}

// hold says why no bind is made for the request and the person; nil when one is,
// after which the guard is to be left.
func (s *Service) hold(ctx context.Context, id string, sealed uint64, dn string) *wire.SignOnResult {
	if !s.Seen.first(id, sealed) { // two of them may have come this far at once
		return refuse(wire.OutcomeNotAllowed, answeredBefore)
	}
	if !s.Persons.allow(dn, s.Policy.File.SignOnsPerPerson) {
		// Not busy: that would tell the person that the account exists, and send
		// the cloud to another instance.
		return refuse(wire.OutcomeNotAllowed, "more sign-ons of this person than policy.sign_ons_per_person_per_minute allows")
	}
	wait, err := s.Guard.enter(ctx, dn, s.Policy.File.WrongPasswords)
	switch {
	case err != nil:
		return refuse(wire.OutcomeTimeout, "the time was over before other sign-ons of this person had ended")
	case wait > 0:
		return refuse(wire.OutcomeAccountLocked, fmt.Sprintf("held back by the gateway for another %s: so many wrong passwords that the directory might lock the account (policy.wrong_passwords)", wait.Round(time.Second)))
	}
	return nil
}

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
		return userType{}, refuse(wire.OutcomeNotAllowed, "the gateway's policy refuses the user type: "+strings.Join(d.why(m.UserType), "; "))
	case !ok:
		return userType{}, refuse(wire.OutcomeNotAllowed, "this instance does not know the user type")
	case ctx.Err() != nil:
		return userType{}, refuse(wire.OutcomeTimeout, "the time for this sign-on was over before the directory was asked")
	case s.Rate != nil && !s.Rate.Allow():
		return userType{}, refuse(wire.OutcomeBusy, "more sign-ons than policy.sign_ons_per_minute allows")
	case len(m.Identifier) > mostIdentifier || strings.ContainsFunc(m.Identifier, unicode.IsControl):
		// A person may have typed it, so it is an answer about persons.
		return userType{}, refuse(wire.OutcomeNoSuchUser, "the identifier is too long or has control characters: the directory was not asked")
	case s.Policy.KeepsBack(m.Identifier): // where a filter compares it with names
		return userType{}, refuse(wire.OutcomeNoSuchUser, "the identifier names what policy.groups keeps back: the directory was not asked")
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
	case len(m.Known) > mostKnown || slices.ContainsFunc(m.Known, func(c wire.Correlation) bool { return len(c.Attribute)+len(c.Value) > mostIdentifier }):
		return "too many correlation values, or one too long"
	}
	return ""
}

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
	return "", refuse(wire.OutcomeInvalidCredentials, "empty password, or one that begins with NUL: the directory was not asked")
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
	case now.Sub(at) > replayLife || s.Seen.forgotten(millis):
		reason = "the password was sealed longer ago than requests are remembered"
	case at.Sub(now) > mostFuture:
		reason = "the password was sealed in the future: set the clocks of the cloud's nodes by NTP"
	default:
		return nil
	}
	r := refuse(wire.OutcomeBusy, reason)
	r.KeyUnknown = true
	return r
}

// find returns the person's entry: by what they typed or, when that leads
// nowhere, by what the cloud knows of them.
func (s *Service) find(ctx context.Context, t *directory.UserType, m wire.SignOn) (directory.Entry, error) {
	entry, err := s.People.FindUser(ctx, t, m.Identifier)
	if errors.Is(err, directory.ErrNoSuchUser) && len(m.Known) > 0 {
		return s.People.FindCorrelated(ctx, t, s.values(m.Known))
	}
	return entry, err
}

// values are those that a cloud may have somebody be found by.
func (s *Service) values(known []wire.Correlation) []directory.Value {
	var out []directory.Value
	for _, k := range known {
		if !s.Policy.KeepsBack(k.Value) {
			out = append(out, directory.Value{Attribute: k.Attribute, Value: k.Value})
		}
	}
	return out
}

// success is the answer once the bind has succeeded.
func (s *Service) success(ctx context.Context, t *directory.UserType, e directory.Entry, m wire.SignOn) wire.SignOnResult {
	found := e // questions about groups need all of it
	e = s.cut(e, m.ID)
	r := wire.SignOnResult{Outcome: wire.OutcomeOK, BindSent: true, Server: e.Server,
		Entry: &wire.Entry{DN: e.DN, Correlation: correlation(e)}}
	if m.Want == wire.WantRecord || len(m.Known) > 0 && !sameEntry(m.Known, r.Entry.Correlation) {
		r.Entry.Attributes, r.Entry.TooLarge = e.Attributes, e.TooLarge
		if t.Groups() != nil {
			r.Membership = s.groups(ctx, t, found, m.ID)
		}
	}
	if s.Policy.File.Observe {
		return observed(r, m.Known)
	}
	return r
}

// cut takes out of an entry what the policy keeps back, and writes down that it did.
func (s *Service) cut(e directory.Entry, id string) directory.Entry {
	e, kept := s.Policy.Cut(e)
	if len(kept) > 0 {
		s.Logger.Info("values name what the policy keeps back", logSignOn, id, "attributes", kept)
	}
	return e
}

// groups finds the person's direct groups and cuts them to those that may leave.
// Why they are not all is for the log in full, and for the cloud without names. What
// was found is kept for a moment: see Look.
func (s *Service) groups(ctx context.Context, t *directory.UserType, e directory.Entry, id string) *wire.Membership {
	found := s.People.DirectGroups(ctx, t, e)
	if found.Reason != "" {
		s.Logger.Info("not all groups could be read", logSignOn, id, "verdict", found.Verdict, logReason, found.Reason)
	}
	if found.Verdict != directory.Unknown && !s.Policy.File.Observe {
		e.Attributes, e.TooLarge = nil, nil // no question is about them
		s.looks.keep(&finished{id: id, userType: t, entry: e, membership: found, at: time.Now()})
	}
	return membership(s.Policy.Groups(found))
}

func correlation(e directory.Entry) []wire.Correlation {
	out := make([]wire.Correlation, len(e.Correlation))
	for i, v := range e.Correlation {
		out[i] = wire.Correlation{Attribute: v.Attribute, Value: v.Value}
	}
	return out
}

// sameEntry tells whether the first attribute that both have has one value.
func sameEntry(known, found []wire.Correlation) bool {
	_, same := decisive(known, found)
	return same
}

// decisive returns the first of known whose attribute is in found, and whether its
// value is, too.
func decisive(known, found []wire.Correlation) (k wire.Correlation, same bool) {
	for _, k := range known {
		i := slices.IndexFunc(found, func(f wire.Correlation) bool { return strings.EqualFold(f.Attribute, k.Attribute) })
		if i >= 0 {
			return k, strings.EqualFold(found[i].Value, k.Value)
		}
	}
	return wire.Correlation{}, false
}

func membership(m directory.Membership) *wire.Membership {
	out := &wire.Membership{
		Verdict:     verdict(m.Verdict),
		Reason:      m.Told,
		Groups:      make([]wire.Group, len(m.Groups)),
		Unconfirmed: m.Unconfirmed,
		Whole:       m.Whole,
	}
	for i, g := range m.Groups {
		out.Groups[i] = wire.Group{DN: g.DN, Name: g.Name, ID: g.ID, Stamp: g.Stamp}
	}
	return out
}

func verdict(v directory.Verdict) wire.Verdict {
	switch v {
	case directory.Complete:
		return wire.VerdictComplete
	case directory.Partial:
		return wire.VerdictPartial
	}
	return wire.VerdictUnknown
}

func refuse(o wire.Outcome, reason string) *wire.SignOnResult {
	r := refused(o, reason)
	return &r
}

func refused(o wire.Outcome, reason string) wire.SignOnResult {
	return wire.SignOnResult{Outcome: o, Reason: reason}
}
