package signon

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"
	"github.com/hashicorp/go-hclog"

	"ldap-gateway/cloud/hub"
	"ldap-gateway/cloud/provisioner"
	"ldap-gateway/cloud/store"
	"ldap-gateway/cloud/throttle"
	"ldap-gateway/cloudlink/wire"
)

const (
	// limit is how long a sign-on may take in all.
	limit = 15 * time.Second
	// MaxUsername is the most that a username may be, in characters. A longer one ends
	// before anything is asked of anyone, so nobody is given one either.
	MaxUsername = 256
)

// Agents checks and changes passwords; *hub.Hub does.
type Agents interface {
	SignOn(ctx context.Context, a hub.Request) hub.Answer
	ChangePassword(ctx context.Context, c hub.Change) hub.Changed
	Look(ctx context.Context, q hub.Look) []wire.Sight
}

var _ Agents = (*hub.Hub)(nil)

// Service takes sign-ons and password changes. Safe for concurrent use.
type Service struct {
	Store          *store.Store
	Agents         Agents
	Provisioner    *provisioner.Provisioner
	Vault          throttle.Sealer
	Logger         hclog.Logger
	MinFailureTime time.Duration      // how long a sign-on that fails takes at least; 0: as long as it takes
	Counted        func(store.SignOn) // told of each that was recorded; nil: nobody
	Tell           func(hub.Try)      // has other nodes hear of tries, by their Hear; nil: there are none
	Nodes          func() int         // how many nodes the cloud has; nil: this one
	Now            func() time.Time   // of the throttle; nil: time.Now

	// UnderWay has sign-ons and changes of passwords, by environment; AtGateway those of them
	// that one gateway is asked for. nil: there is any number.
	UnderWay, AtGateway *throttle.Queue
	Bounds              *throttle.Bounds // of what is refused; nil: nobody counts

	once     sync.Once
	wrong    throttle.Window
	gate     throttle.Gate
	refusals throttle.Sample // that are written
}

// Who gives more wrong passwords than these within the window waits, whether
// the name is known or not.
const (
	throttleWindow  = 10 * time.Minute
	wrongPerPerson  = 10
	wrongPerAddress = 100
)

// Request is one person who wants to sign on.
type Request struct {
	EnvironmentID string
	Username      string
	Password      []byte // overwritten before SignOn returns
	Address       string // of the person; may be empty
	Browser       string // what it keeps of KnownBrowser; may be anything
	Actor         string // who asks on the person's behalf, such as "client:ID"; may be empty
	Policy        string // ID of the sign-on policy that the application goes by; empty: the default one
}

// attempt is one sign-on under way.
// It is of one goroutine.
type attempt struct {
	*Service
	request Request
	record  store.SignOn
	read    *store.User // the record for the username as it was given; nil: none
	user    *store.User // the record for the username; nil: none
	outcome wire.Outcome
	held    bool // by the throttle: nobody was asked
	byKnown bool // the person has signed on by this browser before
	person  Person
	astray  bool // the username is for other user types than the record's
	bounded bool // by a policy of the application's, which leaves nobody to ask

	unwritten bool // there are more refusals than are written

	key, near   string   // the throttle's keys for the person and for where they are
	triedBefore int64    // wrong passwords of the person, at all nodes
	leave       []func() // what others wait for
}

// SignOn takes one sign-on to its end and returns its record. An error means
// that nothing could be recorded; the person is to try again. It is
// store.ErrUnavailable before anybody was asked, when that is known ahead, and
// throttle.ErrFull when too many are under way, or it took longer than it may.
func (s *Service) SignOn(ctx context.Context, r Request) (store.SignOn, error) {
	so, _, err := s.SignOnPerson(ctx, r)
	return so, err
}

// Person is who signed on, as far as that was read on the way.
type Person struct {
	Username string        // empty: nobody signed on
	Groups   []store.Group // all that they are in, in no order; nil: they were not looked at
}

// SignOnPerson is SignOn that also returns who signed on.
func (s *Service) SignOnPerson(ctx context.Context, r Request) (store.SignOn, Person, error) {
	defer clear(r.Password)
	s.once.Do(s.begin)
	start, caller := time.Now(), ctx
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	leave, err := s.UnderWay.Enter(ctx, r.who(r.EnvironmentID))
	if err != nil {
		return store.SignOn{}, Person{}, err
	}
	defer leave()
	if err := s.Store.Writable(ctx); err != nil {
		return store.SignOn{}, Person{}, err
	}
	a := &attempt{
		Service: s,
		request: r,
		record: store.SignOn{
			ID:            uuid.Must(uuid.NewV7()).String(),
			EnvironmentID: r.EnvironmentID,
			At:            start,
			Method:        store.ByPassword,
			Username:      r.Username,
			Address:       r.Address,
		},
	}
	err = late(caller, ctx, a.run(ctx))
	a.hold(ctx, start)
	if err == nil && s.Counted != nil {
		s.Counted(a.record)
	}
	level := hclog.Info
	if a.unwritten {
		level = hclog.Debug // as many as strangers like
	}
	s.Logger.Log(level, "answered", said(err,
		"signOn", a.record.ID, "environment", r.EnvironmentID, "user", a.record.UserID, "gateway", a.record.GatewayID,
		"outcome", a.outcome, "reason", a.record.Reason, "updated", a.record.Updated,
		"took", time.Since(start))...)
	return a.record, a.person, err
}

// hold has a sign-on that failed take as long as the next: a name that nobody has
// is answered sooner than one whose password was tried.
func (a *attempt) hold(ctx context.Context, start time.Time) {
	left := a.MinFailureTime - time.Since(start)
	if a.outcome == wire.OutcomeOK || a.outcome == wire.OutcomeBusy || left <= 0 {
		return
	}
	wait := time.NewTimer(left)
	defer wait.Stop()
	select {
	case <-wait.C:
	case <-ctx.Done():
	}
}

// run goes the way of doc.go and records how it ended. What it returns is an error only
// when that could not be recorded.
func (a *attempt) run(ctx context.Context) error {
	if reason := a.implausible(); reason != "" {
		return a.fail(ctx, wire.OutcomeInvalidCredentials, reason)
	}
	defer a.release()
	reason, err := a.throttled(ctx)
	if err != nil {
		return err
	}
	if reason != "" {
		return a.fail(ctx, wire.OutcomeBusy, reason)
	}
	routes, err := a.routes(ctx)
	if err != nil {
		return err
	}
	if o, reason := a.refusedAhead(routes); reason != "" {
		a.count(ctx, o)
		return a.fail(ctx, o, reason)
	}
	w, answer, err := a.ask(ctx, routes)
	if err != nil {
		return err
	}
	if !heldBack(answer.Outcome, answer.BindSent) {
		a.count(ctx, answer.Outcome)
	}
	a.record.GatewayID, a.record.UserTypeID, a.record.InstanceID = w.Gateway.ID, w.UserType.ID, answer.Instance
	if answer.Outcome != wire.OutcomeOK {
		return a.fail(ctx, answer.Outcome, answer.Reason)
	}
	if answer.Entry == nil && answer.Observed {
		return a.fail(ctx, wire.OutcomeNotAllowed, observedOnly)
	}
	if answer.Entry == nil {
		return a.fail(ctx, wire.OutcomeUnknown, "the instance's answer has no entry: update it")
	}
	return a.provision(ctx, w, answer)
}

// heldBack tells that the agent's own file refused: a user type, or more sign-ons of a person than it allows. No
// password was tried, so none was guessed: who would wait for ten minutes is whoever was right all the time.
func heldBack(o wire.Outcome, bindSent bool) bool { return o == wire.OutcomeNotAllowed && !bindSent }

// observedOnly is why a person who is new does not get in through such a gateway.
const observedOnly = "the password was right, but gateway.hcl has policy.mode = \"observe\":" +
	" it lets nothing out to make a record of"

// implausible says why the request goes nowhere; empty when it may.
// A name that is no text is not kept either: it could not be shown, and nobody has it.
func (a *attempt) implausible() string {
	switch name := a.request.Username; {
	case len(a.request.Password) == 0:
		return "empty password"
	case name == "":
		return "empty username"
	case !utf8.ValidString(name) || utf8.RuneCountInString(name) > MaxUsername:
		a.record.Username = ""
		return fmt.Sprintf("the username is not text, or longer than %d characters", MaxUsername)
	}
	return ""
}

// routes returns the user types to ask, in order.
// Somebody who is known is asked about nowhere else than where their record says:
// another directory that has the name too must not let its person in as them.
func (a *attempt) routes(ctx context.Context) ([]Route, error) {
	u, err := a.recorded(ctx)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return a.policy(ctx)
	case err != nil:
		return nil, err
	}
	a.user = &u
	a.record.UserID = u.ID
	if a.astray, err = a.belongsElsewhere(ctx, u); err != nil || a.astray {
		return nil, err
	}
	g, err := a.Store.Current.Gateway(ctx, u.EnvironmentID, u.GatewayID)
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil // its gateway was deleted: nobody can check the password
	}
	if err != nil || !g.Enabled {
		return nil, err
	}
	for _, t := range g.UserTypes {
		if t.ID == u.UserTypeID {
			return []Route{{g, t}}, nil
		}
	}
	return nil, nil
}

// belongsElsewhere tells whether the patterns of user types mean a username, and none of
// them is that of its record: whoever made that before the patterns were may be anybody.
func (a *attempt) belongsElsewhere(ctx context.Context, u store.User) (bool, error) {
	all, err := a.Store.Current.Claimants(ctx, u.EnvironmentID, u.Username)
	mine := store.UserTypeRef{Gateway: u.GatewayID, UserType: u.UserTypeID}
	return len(all) > 0 && !slices.Contains(all, mine), err
}

// ask goes through the routes until one knows the person. After a bind nobody else is
// asked: a password is tried once, at one directory. Of a gateway whose instances are
// away the next is not asked either, since the person may be there. The error is that of
// [attempt.at].
func (a *attempt) ask(ctx context.Context, routes []Route) (Route, hub.Answer, error) {
	var last struct {
		w      Route
		answer hub.Answer
	}
	for i, w := range routes {
		leave, err := a.at(ctx, w)
		if err != nil {
			return w, hub.Answer{}, err
		}
		answer := a.Agents.SignOn(ctx, hub.Request{
			ID:         a.record.ID,
			Gateway:    w.Gateway.ID,
			UserType:   w.UserType.ID,
			Revision:   w.Gateway.Revision,
			Identifier: a.request.Username,
			Known:      a.known(),
			Browser:    a.typedIn(),
			Want:       a.want(w.UserType),
			Password:   a.request.Password,
		})
		leave()
		switch {
		case a.passes(ctx, w, answer.Outcome, answer.BindSent, answer.Instance):
			if last.answer.Instance == "" { // the answer is that of who gave one
				last.w, last.answer = w, answer
			}
		case answer.Outcome != wire.OutcomeNoSuchUser || answer.BindSent:
			if i < len(routes)-1 && answer.Instance == "" {
				answer.Reason += "; the gateways after it were not asked, since passwords of its people are not for them:" +
					" say in the user types which usernames they are for"
			}
			return w, answer, nil
		default:
			last.w, last.answer = w, answer
		}
	}
	return last.w, last.answer, nil
}

// known is what identifies the person's entry, so that an agent takes no other entry
// for it that has come to have the name.
func (a *attempt) known() (known []wire.Correlation) {
	if a.user == nil {
		return nil
	}
	for _, c := range a.user.Correlation {
		known = append(known, wire.Correlation{Attribute: c.Attribute, Value: c.Value})
	}
	return known
}

// want is decided here and nowhere else: rules 1 and 2 of just-in-time provisioning. A
// record that no entry has been found for yet is at its first sign-on, as one that is
// not there.
func (a *attempt) want(t store.UserType) wire.Want {
	if a.user != nil && !t.UpdateOnSignOn && len(a.user.Correlation) > 0 {
		return wire.WantVerify
	}
	return wire.WantRecord
}

// fail records a sign-on that did not succeed, one of so many: see keeps.
// The caller's context does not count any more: a browser that went away must not keep
// a wrong password out of the record.
func (a *attempt) fail(ctx context.Context, o wire.Outcome, reason string) error {
	a.finish(o, reason)
	a.record.UpdateReason = "the sign-on did not succeed"
	if !a.keeps(ctx) {
		return nil
	}
	return a.Store.RecordSignOn(context.WithoutCancel(ctx), &a.record, store.Activity{
		EnvironmentID: a.record.EnvironmentID,
		At:            a.record.At,
		Action:        "sign-on",
		Actor:         a.actor(),
		Subject:       a.subject(),
		SignOnID:      a.record.ID,
		Text:          failed(a.record.Username, o, reason),
		Detail: map[string]any{
			"outcome":  o.String(),
			"reason":   reason,
			"gateway":  a.record.GatewayID,
			"instance": a.record.InstanceID,
			"address":  a.request.Address,
		},
	})
}

// finish fills in how it ended, with the sentence that the person may see.
func (a *attempt) finish(o wire.Outcome, reason string) {
	a.outcome = o
	a.record.Outcome, a.record.Reason, a.record.Message = o.String(), reason, Message(o)
	a.record.Duration = time.Since(a.record.At)
}

// actor is who asked on the person's behalf; who signs on themselves is not known to be
// anybody yet.
func (a *attempt) actor() string {
	if a.request.Actor != "" {
		return a.request.Actor
	}
	return "system"
}

// subject is the record that the name leads to; none when it leads to none.
func (a *attempt) subject() string {
	if a.record.UserID == "" {
		return ""
	}
	return "user:" + a.record.UserID
}
