package signon

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

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
	Evidence(
		ctx context.Context,
		u *directory.UserType,
		e directory.Entry,
		m directory.Membership,
		asked []directory.Asked,
	) []directory.Sight
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
	// Ceiling is told when Rate keeps somebody out; nil: nobody is.
	Ceiling *Ceiling

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

// SignOn checks one person's password and brings what is wanted besides.
func (s *Service) SignOn(ctx context.Context, m wire.SignOn) (wire.SignOnResult, Trace) {
	start := time.Now()
	a := s.answer(ctx, m)
	a.ID = m.ID
	took := time.Since(start)
	s.Stats.add(took)
	line := []any{logSignOn, m.ID, logUserType, m.UserType, logOutcome, a.Outcome, logReason, a.Reason, "took", took}
	s.log("answered", a.Asked, append(line, a.detail()...))
	return a.SignOnResult, a.Trace
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
		return answered{SignOnResult: failed(ctx, err), Trace: Trace{Asked: true}, said: err}
	}
	return s.prove(ctx, admitted.UserType, entry, password, m)
}

// prove makes the one bind, when nothing speaks against it.
func (s *Service) prove(
	ctx context.Context, t *directory.UserType, entry directory.Entry, password directory.Password, m wire.SignOn,
) answered {
	trace := Trace{entry.DN, true}
	if refusal := s.hold(ctx, m, m.Password.At, entry.DN); refusal != nil {
		return answered{SignOnResult: *refusal, Trace: trace}
	}
	defer s.Guard.leave(entry.DN)
	if err := s.People.Bind(ctx, entry.DN, password); err != nil {
		s.Guard.count(entry.DN, err)
		return answered{SignOnResult: failed(ctx, err), Trace: trace, said: err}
	}
	s.Guard.forget(entry.DN)
	return answered{SignOnResult: s.success(ctx, t, entry, m), Trace: trace}
}

// hold says why no bind is made for the request and the person; nil when one is,
// after which the guard is to be left.
func (s *Service) hold(ctx context.Context, m wire.SignOn, sealed uint64, dn string) *wire.SignOnResult {
	if !s.Seen.first(m.ID, sealed) { // two of them may have come this far at once
		return refuse(wire.OutcomeNotAllowed, answeredBefore)
	}
	wait, err := s.Guard.enter(ctx, dn, leaves(s.Policy.File.WrongPasswords, m.Browser))
	switch {
	case err != nil:
		return refuse(wire.OutcomeTimeout, "the time was over before other sign-ons of this person had ended")
	case wait > 0:
		return refuse(
			wire.OutcomeAccountLocked,
			fmt.Sprintf(
				"held back by the gateway for another %s: so many wrong passwords that the directory might lock the account "+
					"(policy.wrong_passwords)",
				wait.Round(time.Second),
			),
		)
	}
	// What the guard holds back is not counted: else guesses use up what the person may.
	if !s.Persons.allow(dn, s.Policy.File.SignOnsPerPerson) {
		s.Guard.leave(dn)
		// Not busy: that would tell the person that the account exists, and send
		// the cloud to another instance.
		return refuse(wire.OutcomeNotAllowed,
			"more sign-ons of this person than policy.sign_ons_per_person_per_minute allows")
	}
	return nil
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
func (s *Service) success(
	ctx context.Context, t *directory.UserType, e directory.Entry, m wire.SignOn,
) wire.SignOnResult {
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
