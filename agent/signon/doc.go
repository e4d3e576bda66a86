// Package signon owns the answer to one sign-on: the steps from an admitted request
// to the closed outcome that leaves, the same for a change of password, and what a
// sign-on would bring, without a password. It holds the user types as the cloud
// delivered them, each checked against the policy.
//
// Called by agent, which gives it what arrives on the link, and by agent/command
// for "check" and "explain". It never decides what a sign-on does to a record, and
// it never asks a directory anything that the policy does not allow.
//
// # The path of one sign-on
//
//	step    where                        what happens; what ends it
//	admit   Service.admit                user type delivered, accepted by the policy, rate kept; notAllowed, busy
//	open    wire.Opener                  password unsealed for this sign-on only; key unknown, notAllowed
//	find    directory.FindUser           one search, exactly one entry; noSuchUser, ambiguousUser
//	        directory.FindCorrelated     only when the identifier leads nowhere and the cloud knows the person
//	hold    Persons.allow                not more sign-ons of one person than the file allows; notAllowed
//	        Guard.enter                  the directory is not asked when it might lock the account; accountLocked
//	bind    directory.Bind               the one bind; invalidCredentials, the account's states, unknown
//	groups  directory.DirectGroups       only when the record is wanted; a verdict, never an error
//	cut     policy.Groups                what may not leave is left out
//	observe observed                     with policy.mode = "observe" nothing leaves but how many groups would
//	look    Service.Look                 when the cloud asks, once, within seconds: how the person stands to groups that
//	                                     the record has and the answer had not; only groups that may leave
//
// A password change goes the same way as far as hold; then one
// directory.ChangePassword takes the place of bind and all after it. Before
// admit, the file's policy.password_changes has to be on, and after it the user
// type's own switch.
//
// Groups are searched for after the bind and not beside it: a wrong password
// then costs the directory no group search, and there is nothing to call off.
//
// # Promises
//
//   - No sign-on and no change makes more than one bind as the person, and an ID that
//     went as far as a bind is never bound for again, whatever a clock shows and over
//     restarts, as [Replays.Remember] is given a journal: the last 100,000 are
//     remembered, and of those before no password is tried that was sealed when they
//     were. Of a cloud of version 1 of the wire, which seals no time, it is the last
//     100,000. Besides, a password is tried for five minutes after it was sealed, and
//     only when that was after the start. After a program that ended without a word, or
//     lost anything of its journal, none is tried that was sealed before the start by
//     this machine's clock either; one without a time may then be bound for again.
//     A journal that cannot be read is not replaced.
//   - A name that the policy keeps back leaves in no field: a reason has words of ours
//     and numbers, and what the directory said in full is in the log.
//   - What costs a cloud nothing, as a request that is refused before the directory is
//     asked, is a line of the log at first and then now and then, with how many were not.
//   - Wrong passwords are counted over restarts, as [Guard.Remember] is given a journal.
//     Where one may have lost some, everybody has one try for as long as they would count.
//     The last of them is not for browsers by which the person has not signed on.
//   - With WantVerify, and an entry that is the one the cloud knows, no group is
//     searched for.
//   - A password is in memory only between open and the end of the bind, or of the
//     change; it is not kept and not logged.
//   - A [Service] is safe for concurrent use. [Guard], [Replays] and [Persons] outlive
//     it: they are shared by the links that follow each other.
package signon
