package signon

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"time"

	"ldap-gateway/cloud/hub"
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

// begin sets up what counts.
func (s *Service) begin() {
	s.wrong.Length = throttleWindow
	s.refusals.Bound = s.Bounds.Of(throttle.Unwritten)
}

// who is the person to the queues: whoever asks on somebody's behalf without saying where they
// are is one network.
func (r Request) who(owner string) throttle.Who {
	w := throttle.Who{Owner: owner, Network: throttle.Network(r.Address), Name: store.Fold(store.Typed(r.Username))}
	if r.Address == "" {
		w.Network = r.Actor
	}
	return w
}

// at waits until a gateway may be asked, which is over when leave is called: one that does not
// answer holds up so many and no more. The error is throttle.ErrFull, or that of ctx.
func (a *attempt) at(ctx context.Context, w Route) (leave func(), err error) {
	leave, err = a.AtGateway.Enter(ctx, a.request.who(w.Gateway.ID))
	a.unwritten = a.unwritten || err != nil
	return leave, err
}

// personKey is the throttle's key for a username, known or not. Browsers that are known have one of
// their own: what strangers try keeps nobody out of them.
func (a *attempt) personKey() string {
	key := "person:" + person(a.request)
	if a.byKnown {
		key += " by a browser that is known"
	}
	return counted(key)
}

// counted is a key as nodes tell it each other: it says of nobody who they are.
func counted(key string) string {
	sum := sha256.Sum256([]byte(key))
	return string(sum[:16])
}

// placed tells whether tries are counted by where the person is: not when the caller did not
// say, nor by a browser that is known.
func (a *attempt) placed() bool { return a.request.Address != "" && !a.byKnown }

// tries counts wrong passwords of the person in the store; of a name that nobody has the nodes
// count what they hear of each other.
func (a *attempt) tries() store.Tries {
	return store.Tries{Key: a.key, Most: wrongPerPerson, Window: throttleWindow}
}

// throttled says why the password is not even looked at; empty when it is. Of many at
// once as many go on as may still be wrong, and the others wait for them: release ends
// that.
func (a *attempt) throttled(ctx context.Context) (reason string, err error) {
	a.byKnown = a.knows(a.request)
	a.key, a.near = a.personKey(), counted("address "+throttle.Network(a.request.Address))
	now := a.now()
	n, wait, err := a.tried(ctx, now)
	if err != nil {
		return "", err
	}
	a.triedBefore = n
	here := wrongPerPerson - a.wrong.Left(a.key, wrongPerPerson, now)
	elsewhere := max(0, int(n)-here)
	if wait == 0 && (!a.enter(ctx, a.key, wrongPerPerson-elsewhere) ||
		a.placed() && !a.enter(ctx, a.near, wrongPerAddress)) {
		wait = max(time.Second, a.wrong.Wait(a.key, wrongPerPerson, now))
		if a.placed() {
			wait = max(wait, a.wrong.Wait(a.near, wrongPerAddress, now))
		}
	}
	if a.held = wait > 0; !a.held {
		return "", nil
	}
	a.Bounds.Of(throttle.Tries).Bite(now, throttle.Network(a.request.Address))
	return fmt.Sprintf("throttled for another %s: too many wrong passwords for this name or from this address",
		wait.Round(time.Second)), nil
}

// tried reads the record for the username, and returns how many passwords of theirs were wrong at all nodes, and how
// long to wait when those are too many.
func (a *attempt) tried(ctx context.Context, now time.Time) (n int64, wait time.Duration, err error) {
	u, n, wait, err := a.Store.PersonTried(ctx, a.request.EnvironmentID, a.request.Username, a.tries(), now)
	if errors.Is(err, store.ErrNotFound) {
		return a.Store.Tried(ctx, a.tries(), now)
	}
	a.read = &u
	return n, wait, err
}

// enter waits until a try of a key may begin; false when there were too many.
func (a *attempt) enter(ctx context.Context, key string, most int) bool {
	leave, ok := a.gate.Enter(ctx, key, func() int { return throttle.Share(a.wrong.Left(key, most, a.now()), a.nodes()) })
	if ok {
		a.leave = append(a.leave, leave)
	}
	return ok
}

// nodes is how many the cloud has.
func (s *Service) nodes() int {
	if s.Nodes == nil {
		return 1
	}
	return s.Nodes()
}

// release lets those go on who wait for the attempt.
func (a *attempt) release() {
	for _, leave := range a.leave {
		leave()
	}
	a.leave = nil
}

// count notes what the person reads as a wrong password, whatever it was, or takes
// back what was noted of them. Were a locked or a disabled account not counted, it
// would be told from a name that nobody has by never having to wait.
func (a *attempt) count(ctx context.Context, o wire.Outcome) {
	switch {
	case o == wire.OutcomeOK:
		if a.wrong.Forget(a.key) > 0 {
			a.tell(hub.Try{Key: a.key, Right: true})
		}
		if a.triedBefore > 0 {
			a.logged(a.Store.ForgetTries(context.WithoutCancel(ctx), a.key))
		}
	case Message(o) == messageWrong:
		now := a.now()
		a.missed(a.key, now)
		if a.placed() {
			a.missed(a.near, now)
		}
		if a.user != nil {
			a.logged(a.Store.CountTry(context.WithoutCancel(ctx), a.tries(), now))
		}
	}
}

// missed counts a wrong password, here and at the other nodes.
func (a *attempt) missed(key string, now time.Time) {
	a.wrong.Count(key, now)
	a.tell(hub.Try{Key: key})
}

// tell has the other nodes hear of a try.
func (a *attempt) tell(t hub.Try) {
	if a.Tell != nil {
		a.Tell(t)
	}
}

// Hear counts a try that another node tells of.
func (s *Service) Hear(t hub.Try) {
	s.once.Do(s.begin)
	if t.Right {
		s.wrong.Forget(t.Key)
		return
	}
	s.wrong.Count(t.Key, s.now())
}

// logged tells the log that other nodes do not know of a try.
func (a *attempt) logged(err error) {
	if err != nil {
		a.Logger.Warn("a wrong password was not counted for other nodes", "signOn", a.record.ID, "error", err)
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
	a.unwritten = !keep
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
