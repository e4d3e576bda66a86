package signon

import "ldap-gateway/cloudlink/wire"

// unlinked is what an administrator reads of a person whom nobody can check any more.
const unlinked = "the gateway or user type that checks this person's password is switched off or deleted:" +
	" link the user to another"

// misplaced is the same of a person whose username was given to others by a pattern.
const misplaced = "the patterns of another user type mean this username, and the record is not of that one:" +
	" nobody is asked. Link the user to it, or have the patterns of the record's own user type mean the name, too"

// outsidePolicy is the same of somebody new, where an application has a policy of its own.
const outsidePolicy = "the application's sign-on policy names no user type of an enabled gateway for people of this" +
	" username whom the cloud does not know: name it in newUserProvisioning of its LOGIN action"

// refusedAhead says why nobody needs to be asked; the reason is empty when they do.
// These are counted by the throttle as the others are, so that waiting does not tell a
// disabled account from a wrong password.
func (a *attempt) refusedAhead(routes []Route) (o wire.Outcome, reason string) {
	switch {
	case a.user != nil && !a.user.MaySignOn():
		return wire.OutcomeNotAllowed, "the user is disabled or locked in the cloud"
	case a.user != nil && a.astray:
		return wire.OutcomeNotAllowed, misplaced
	case a.user != nil && len(routes) == 0:
		return wire.OutcomeNotAllowed, unlinked
	case len(routes) == 0 && a.bounded:
		return wire.OutcomeNoSuchUser, outsidePolicy
	case len(routes) == 0:
		return wire.OutcomeNoSuchUser, "no enabled gateway has a user type that could know the person"
	}
	return 0, ""
}
