// Package signon owns a sign-on by password from beginning to end: it finds out
// who might know the person, has the password checked by an agent, has the
// record made or brought up to date, and says how it ended.
//
// It owns a password change in the same way: [Service.ChangePassword].
//
// Called by api and by the sign-on page. It never talks to a directory,
// and it keeps no password: the bytes go to the hub, which seals them, and are
// overwritten.
//
// # Who is asked
//
//	the person is    asked is                              wanted of the agent
//	known            the user type of their record         the outcome alone; the record when its switch is on
//	not known        the user types of all gateways that   the record
//	                 are enabled, in their order, until
//	                 one knows the identifier
//
// A user type may have patterns of the usernames that it is for. A name that one of them
// claims is asked of those that claim it alone, and of nobody else; a user type that has
// patterns is asked for no other name. So nobody's password is shown to a gateway that it
// is not for, and a gateway that is away keeps nobody waiting but its own.
//
// Where an application has a sign-on policy of its own, people who are not known are asked
// about at those user types that its LOGIN action names, in its order, and nowhere else.
// Whom the cloud knows is asked about where they are from, whatever the policy.
//
// A gateway to which no instance has ever linked is left out: it has no people yet, and
// keeps nobody waiting who is new at another. One whose instances are away ends the
// order, with an answer that says so: the people that it has are not to be looked for,
// with their passwords, at the next.
//
// Before an updating sign-on takes groups away, the instance that answered is asked,
// once, about just those groups: see the provisioner's [provisioner.EvidenceWanted].
//
// # Promises
//
//   - Every sign-on that succeeds is in the store before its caller hears of it, and so
//     is every password change that does, as an activity. Those that do not are written
//     with their reason up to so many an hour; beyond that they are counted.
//   - So many sign-ons and changes are under way, in all, of an environment, of a network and at
//     a gateway; whoever finds no room among them is asked of nobody and not written, but counted.
//   - An empty password ends before anything is asked of anyone.
//   - Of wrong passwords for one name ten are tried in ten minutes, over all nodes, and of
//     many at once no more: as many are under way as may still be wrong, at each of several nodes
//     its share of them.
//     Browsers by which somebody has signed on under that name have ten of their own:
//     what strangers try keeps nobody out of them.
//   - A user type after the first is asked only while the answer was that there
//     is no such user, or the gateway had none yet; either comes before any bind.
//   - A password is changed only at a user type whose switch is on. The agent's own
//     file has a switch too, which nobody here can turn. Of somebody who is not known
//     the order ends at the first user type that does not allow it, or whose gateway is
//     switched off, if that has people: they may be one of those. Whom a sign-on has told
//     to change it does so where that was.
//   - What the person is told never shows whether an account exists, unless the
//     password was right; [Message] and [ChangeMessage] are the tables that decide. Whatever reads
//     as a wrong password is counted as one, so that waiting does not show it either,
//     and what fails takes as long: [Service.MinFailureTime]. What the agent's own file holds back
//     is not counted: no password was tried, and it is over when the file has it so, not ten minutes later.
package signon
