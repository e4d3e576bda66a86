package signon

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/hashicorp/go-hclog"

	"ldap-gateway/cloud/hub"
	"ldap-gateway/cloud/store"
	"ldap-gateway/cloudlink/wire"
)

// ChangeRequest is one person who wants another password.
type ChangeRequest struct {
	EnvironmentID string
	Username      string
	Old, New      []byte // overwritten before ChangePassword returns
	Address       string // of the person; may be empty
	Browser       string // as that of a [Request]
	Actor         string // who asks on the person's behalf, such as "client:ID"; may be empty
	Policy        string // as that of a [Request]
	SignOnID      string // of theirs that [Service.OffersChange] said yes of; empty: none
}

// Change is how a password change ended. Nobody is signed on by it.
type Change struct {
	ID      string
	UserID  string // of the record for the username; empty: there is none yet
	Outcome wire.Outcome
	Refusal wire.PasswordRefusal // with OutcomeNewPasswordRefused
	Message string               // the sentence that the person may see
	Reason  string               // for the administrator
}

// OK tells whether the password is the new one.
func (c Change) OK() bool { return c.Outcome == wire.OutcomeOK }

// change is one password change under way. What it shares with a sign-on is
// in its attempt, whose record is never kept.
type change struct {
	attempt
	new      []byte
	signOnID string
	heldBack bool // by the file of the agent that answered
	result   Change
}

// ChangePassword has the password of one person changed in their directory, by
// the old one. The user type has to allow it, and so has the gateway's own file.
// An error means that nothing could be recorded; when the outcome is OK the
// password was changed nevertheless. It is throttle.ErrFull, and nobody was asked or knows the
// person, when too much is under way.
func (s *Service) ChangePassword(ctx context.Context, r ChangeRequest) (Change, error) {
	defer clear(r.Old)
	defer clear(r.New)
	s.once.Do(s.begin)
	caller := ctx
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	who := Request{Username: r.Username, Address: r.Address, Actor: r.Actor}.who(r.EnvironmentID)
	leave, err := s.UnderWay.Enter(ctx, who)
	if err != nil {
		return Change{}, err
	}
	defer leave()
	if err := s.Store.Writable(ctx); err != nil {
		return Change{}, err
	}
	start, id := time.Now(), uuid.Must(uuid.NewV7()).String()
	c := &change{
		new:      r.New,
		signOnID: r.SignOnID,
		result:   Change{ID: id},
		attempt: attempt{
			Service: s,
			record:  store.SignOn{ID: id, At: start, Username: r.Username},
			request: Request{
				EnvironmentID: r.EnvironmentID,
				Username:      r.Username,
				Password:      r.Old,
				Address:       r.Address,
				Browser:       r.Browser,
				Actor:         r.Actor,
				Policy:        r.Policy,
			},
		},
	}
	err = late(caller, ctx, c.run(ctx))
	level := hclog.Info
	if c.unwritten {
		level = hclog.Debug
	}
	s.Logger.Log(level, "password change", said(err,
		"change", id, "environment", r.EnvironmentID,
		"outcome", c.result.Outcome, "reason", c.result.Reason,
		"took", time.Since(start))...)
	return c.result, err
}

// run is the change from beginning to end.
func (c *change) run(ctx context.Context) error {
	if reason := c.implausible(); reason != "" {
		return c.end(ctx, wire.PasswordChanged{Outcome: wire.OutcomeInvalidCredentials, Reason: reason})
	}
	if len(c.new) == 0 {
		return c.end(ctx, wire.PasswordChanged{
			Outcome: wire.OutcomeNewPasswordRefused,
			Refusal: wire.RefusalTooShort,
			Reason:  "empty new password",
		})
	}
	defer c.release()
	reason, err := c.throttled(ctx)
	if err != nil {
		return err
	}
	if reason != "" {
		return c.end(ctx, wire.PasswordChanged{Outcome: wire.OutcomeBusy, Reason: reason})
	}
	ways, err := c.ways(ctx)
	if err != nil {
		return err
	}
	if o, reason := c.refusedAhead(ways); reason != "" {
		c.count(ctx, o)
		return c.end(ctx, wire.PasswordChanged{Outcome: o, Reason: reason})
	}
	asked, otherwise := c.allowed(ctx, ways)
	answer, err := c.ask(ctx, asked, otherwise)
	if err != nil {
		return err
	}
	if !c.heldBack {
		c.count(ctx, answer.Outcome)
	}
	return c.end(ctx, answer)
}

// ways returns the user types that may have the person, in order, also those of
// gateways that are switched off and of such as do not allow a change. Of somebody
// whose sign-on has just told that the password is to be changed it is the one that was
// asked.
func (c *change) ways(ctx context.Context) ([]Route, error) {
	ways, err := c.routes(ctx)
	if err != nil || c.user != nil {
		return ways, err
	}
	ways, err = Routes(ctx, c.Store, c.request.EnvironmentID)
	ways = claimed(ways, c.request.Username)
	ways = slices.DeleteFunc(ways, func(w Route) bool { return w.UserType.LinksOnly })
	if err == nil {
		ways, err = c.within(ctx, ways)
	}
	if err != nil || c.signOnID == "" {
		return ways, err
	}
	so, err := c.Store.SignOn(ctx, c.request.EnvironmentID, c.signOnID)
	if errors.Is(err, store.ErrNotFound) {
		return ways, nil
	}
	at := slices.IndexFunc(ways, func(w Route) bool {
		return w.Ref() == store.UserTypeRef{Gateway: so.GatewayID, UserType: so.UserTypeID}
	})
	if err == nil && at >= 0 && toBeChanged(so) && store.Fold(so.Username) == store.Fold(c.request.Username) {
		ways = ways[at : at+1]
	}
	return ways, err
}

// allowed returns those of ways that are asked: up to the first whose gateway is
// switched off or whose switch is, if it has people. The person may be one of those:
// then neither the password nor the username is for the next, and otherwise says so.
func (c *change) allowed(ctx context.Context, ways []Route) (asked []Route, otherwise wire.PasswordChanged) {
	for _, w := range ways {
		reason := ""
		switch {
		case !w.Gateway.Enabled:
			reason = "a gateway that the person may be at is switched off"
		case !w.UserType.AllowPasswords:
			reason = "the user type that the person may be of does not allow password changes: its switch is off"
		default:
			asked = append(asked, w)
			continue
		}
		if c.user == nil && !c.hasPeople(ctx, w) {
			continue
		}
		if c.user == nil {
			reason += "; the gateways after it were not asked. Whom the cloud knows is asked about at their own alone"
		}
		return asked, wire.PasswordChanged{Outcome: wire.OutcomeNotAllowed, Reason: w.Gateway.Name + ": " + reason}
	}
	if len(asked) == 0 {
		otherwise = wire.PasswordChanged{Outcome: wire.OutcomeNotAllowed, Reason: "no user type allows password changes"}
	}
	return asked, otherwise
}

// ask goes through the ways until one knows the person; when none does, the answer is
// otherwise, if that is one. The error is that of [attempt.at].
func (c *change) ask(
	ctx context.Context, ways []Route, otherwise wire.PasswordChanged,
) (wire.PasswordChanged, error) {
	refused, answered := otherwise.Outcome == wire.OutcomeNotAllowed, false
	for _, w := range ways {
		leave, err := c.at(ctx, w)
		if err != nil {
			return wire.PasswordChanged{}, err
		}
		changed := c.Agents.ChangePassword(ctx, hub.Change{
			ID:         c.result.ID,
			Gateway:    w.Gateway.ID,
			UserType:   w.UserType.ID,
			Revision:   w.Gateway.Revision,
			Identifier: c.request.Username,
			Known:      c.known(),
			Browser:    c.typedIn(),
			Old:        c.request.Password,
			New:        c.new,
		})
		leave()
		passed := c.passes(ctx, w, changed.Outcome, changed.BindSent, changed.Instance)
		if passed && answered {
			continue // the answer is that of who gave one
		}
		answered = !passed
		c.record.GatewayID, c.record.UserTypeID, c.record.InstanceID = w.Gateway.ID, w.UserType.ID, changed.Instance
		if !passed && (changed.Outcome != wire.OutcomeNoSuchUser || changed.BindSent) {
			c.heldBack = heldBack(changed.Outcome, changed.BindSent)
			return changed.PasswordChanged, nil
		}
		if !refused {
			otherwise = changed.PasswordChanged
		}
	}
	return otherwise, nil
}

// end records how the change ended, with neither password.
func (c *change) end(ctx context.Context, r wire.PasswordChanged) error {
	c.result.UserID, c.result.Outcome, c.result.Refusal, c.result.Reason = c.record.UserID, r.Outcome, r.Refusal, r.Reason
	c.result.Message = ChangeMessage(r.Outcome, r.Refusal)
	action, detail := "password.notChanged", map[string]any{
		"change":   c.result.ID,
		"outcome":  r.Outcome.String(),
		"reason":   r.Reason,
		"gateway":  c.record.GatewayID,
		"userType": c.record.UserTypeID,
		"instance": c.record.InstanceID,
		"address":  c.request.Address,
	}
	if c.result.OK() {
		action = "password.changed"
	}
	if r.Outcome == wire.OutcomeNewPasswordRefused {
		detail["refusal"] = r.Refusal.String()
	}
	if !c.result.OK() && !c.keeps(ctx) {
		return nil
	}
	return c.Store.AddActivity(context.WithoutCancel(ctx), store.Activity{
		EnvironmentID: c.request.EnvironmentID,
		At:            c.record.At,
		Action:        action,
		Actor:         c.actor(),
		Subject:       c.subject(),
		Detail:        detail,
		Text:          fmt.Sprintf("Password change of %q: %s. %s", c.record.Username, r.Outcome, r.Reason),
	})
}

// OffersChange tells whether a sign-on that ended for its password's sake may be
// followed by ChangePassword: the user type that was asked allows it.
func (s *Service) OffersChange(ctx context.Context, so store.SignOn) bool {
	if !toBeChanged(so) {
		return false
	}
	g, err := s.Store.Gateway(ctx, so.EnvironmentID, so.GatewayID)
	return err == nil && g.Enabled && slices.ContainsFunc(g.UserTypes, func(t store.UserType) bool {
		return t.ID == so.UserTypeID && t.AllowPasswords
	})
}

// toBeChanged tells whether a sign-on ended for its password's sake, which was right.
func toBeChanged(so store.SignOn) bool {
	return so.Outcome == wire.OutcomePasswordExpired.String() || so.Outcome == wire.OutcomePasswordMustChange.String()
}
