package signon

import (
	"fmt"
	"time"

	"ldap-gateway/cloud/store"
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
func (a *attempt) address() string { return "address:" + a.request.Address }

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
	if wait == 0 {
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
