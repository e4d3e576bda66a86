package signon

import (
	"context"
	"fmt"
	"time"

	"ldap-gateway/cloud/store"
	"ldap-gateway/cloud/throttle"
	"ldap-gateway/cloudlink/wire"
)

// now is the time of day, which tests set.
func (s *Service) now() time.Time {
	if s.Now != nil {
		return s.Now()
	}
	return time.Now()
}

// person is the throttle's key for a username, known or not.
func (a *attempt) person() string {
	return "person:" + a.request.EnvironmentID + "/" + store.Fold(a.request.Username)
}

// address is the throttle's key for where the person is; it is not counted when the
// caller did not say.
func (a *attempt) address() string { return "address:" + throttle.Network(a.request.Address) }

// throttled says why the password is not even looked at; empty when it is.
// The counts are of this node, so many nodes allow as many times more: the directory's
// own threshold is what counts in the end.
func (a *attempt) throttled() string {
	a.once.Do(func() { a.wrong.Length = throttleWindow })
	now := a.now()
	wait := a.wrong.Wait(a.person(), wrongPerPerson, now)
	if a.request.Address != "" {
		wait = max(wait, a.wrong.Wait(a.address(), wrongPerAddress, now))
	}
	if a.held = wait > 0; !a.held {
		return ""
	}
	return fmt.Sprintf("throttled for another %s: too many wrong passwords for this name or from this address",
		wait.Round(time.Second))
}

// count notes what the person reads as a wrong password, whatever it was, or takes
// back what was noted of them. Were a locked or a disabled account not counted, it
// would be told from a name that nobody has by never having to wait.
func (a *attempt) count(o wire.Outcome) {
	switch {
	case o == wire.OutcomeOK:
		a.wrong.Forget(a.person())
	case Message(o) == messageWrong:
		now := a.now()
		a.wrong.Count(a.person(), now)
		if a.request.Address != "" {
			a.wrong.Count(a.address(), now)
		}
	}
}

// How many sign-ons that were refused are written within an hour, of one environment at
// one node. Those beyond are counted and answered, and no more: else whoever has no
// account decides how large the database gets.
const (
	keptThrottled = 60
	keptStrangers = 300  // of names that nobody has
	keptPeople    = 3000 // of people who have a record
)

// keeps tells whether a sign-on that did not succeed is to be written.
func (a *attempt) keeps(ctx context.Context) bool {
	kind, most := "strangers", keptStrangers
	switch {
	case a.held:
		kind, most = "throttled", keptThrottled
	case a.user != nil:
		kind, most = "people", keptPeople
	}
	keep, first := a.refusals.Keep(a.now(), kind+" of "+a.request.EnvironmentID, most)
	if first {
		a.tellUnwritten(ctx, most)
	}
	return keep
}

// tellUnwritten says once that there are more than are written.
func (a *attempt) tellUnwritten(ctx context.Context, most int) {
	text := fmt.Sprintf("More than %d sign-ons of one kind were refused within an hour at one node."+
		" Further ones are counted (see the metrics) and not written, until the hour is over."+
		" Somebody may be guessing.", most)
	err := a.Store.AddActivity(context.WithoutCancel(ctx), store.Activity{
		EnvironmentID: a.request.EnvironmentID,
		At:            a.record.At,
		Action:        "sign-on.unwritten",
		Actor:         "system",
		Text:          text,
	})
	a.Logger.Warn(text, "environment", a.request.EnvironmentID, "error", err)
}
