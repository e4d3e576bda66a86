// Package management owns everything that an administrator, a program or a person
// with a role by group may change of an environment: who may, what may be kept,
// the change itself with the activity that tells of it, and who hears of it.
//
// The API and the console call one method for each action. They read a request, say
// who asks, and show the answer; they write nothing themselves but their own
// sessions, tokens and codes. Reading is the store's business and no action.
//
// # One action
//
//	the table of actions.go   may this role do it at all
//	in one transaction:
//	  the actor as they are now: a role that was taken away meanwhile is gone
//	  what is to be changed as it is now, handed to the caller's function
//	  rights.go               does a higher right hang on it
//	  what may be kept        a fault.List names every value that may not
//	  the write, and the activity with before and after
//	then, once it is kept: the links, which hand it on to the instances
//
// A caller's function gets the present value, changes it in place, and may refuse
// by an error: so an If-Match, or the revision that a form was shown with, is
// compared with what is changed and not with what was read before. It must not
// wait for anything, since writers queue behind it.
//
// What is done with all that a filter finds is many of these, some in each turn: see Selection. The actor and the
// rights are looked at in each.
//
// # Rights grow only downward
//
// Nobody gives, by whatever way, a right that they do not have. A right hangs on a
// group that gives a role; on the record of a person who has one by a group; on the
// gateway whose directory checks that person's password, or names the members of
// such a group; on an administrator and on an API client. To change any of these
// takes that right. A gateway stands for all that makes its directory believed: its
// user types, Kerberos keys, and who pairs with it. An identity provider says who
// anybody is, so only owners touch it, and an account is linked to one only by who has
// the rights of both. Only what merely takes away is left to lesser roles: to revoke an
// instance or have its keys changed, to take back a code, to turn an agent away.
// A help desk looks, has a person tried, and signs off who has no more rights than
// itself; it gives nothing to anybody, so that it counts for more than who only looks, though it
// saves no whole lists. Applications and populations give nobody a right here. The owners of an environment
// are owners of those that they make in it, API clients alone, and of none that these make.
//
// # Promises
//
//   - An action does all of it or nothing, and there is no change without its activity. Of what is
//     too much for its turn it decides and tells all, and Service.Finish does the rest, whoever leaves
//     or ends meanwhile.
//   - Nothing secret is in an activity: that a secret changed is.
//   - A sign-on policy has no action that cannot be obeyed beside the others.
//   - What an application or a sign-on policy names by its ID is not deleted without a word:
//     a group and a policy stay as long as they are named, and the rest goes by force.
//   - Who is linked to an identity provider stays the same person: a change that makes
//     its subjects somebody else's is refused until it is said what becomes of the links.
//   - Of two changes at once both are kept, each made on top of the other.
//   - Errors are store.ErrNotFound, a fault.List, ErrRole, *HigherError,
//     *DependentsError, *Refusal, those of the caller's function, or the database's.
package management
