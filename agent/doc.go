// Package agent owns the on-premises program, ldap-gateway: it joins the
// directory room to the link, and holds the customer's policy between them.
//
// Called by the main package in ldap-gateway. It never decides what a sign-on
// does to a record, and it never asks a directory anything that gateway.hcl
// does not allow, whoever asks.
//
// # The path of one sign-on
//
//	step    where                        what happens; what ends it
//	admit   SignOns.admit                user type delivered, accepted by the policy, rate kept; notAllowed, busy
//	open    wire.Opener                  password unsealed for this sign-on only; key unknown, notAllowed
//	find    directory.FindUser           one search, exactly one entry; noSuchUser, ambiguousUser
//	        directory.FindCorrelated     only when the identifier leads nowhere and the cloud knows the person
//	person  persons.allow                not more sign-ons of one person than the file allows; notAllowed
//	guard   guard.wait                   the directory is not asked when it might lock the account; accountLocked
//	bind    directory.Bind               the one bind; invalidCredentials, the account's states, unknown
//	groups  directory.DirectGroups       only when the record is wanted; a verdict, never an error
//	cut     Policy.Groups                what may not leave is left out
//	observe observed                     with policy.mode = "observe" nothing leaves but how many groups would
//
// A password change goes the same way as far as the guard; then one
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
//     went as far as a bind is never bound for again.
//   - With WantVerify, and an entry that is the one the cloud knows, no group is
//     searched for.
//   - Each request of the cloud, and each message that was refused, is a line of
//     the audit file, also when it is answered by the link or ends in a panic.
//   - A password is in memory only between open and the end of the bind, or of the
//     change; it is not kept and not logged.
//   - Heartbeats, /ready, /metrics and "status" tell from one list of problems;
//     nothing that they tell is of a person. What listens is a loopback port,
//     when the file asks for it, and a socket that only its owner can open; on
//     Windows a loopback port in its place, for whoever can read the state folder.
//   - Another file is taken on whole or not at all. A link answers from the file
//     that it began with, and is left once another is up.
//   - The set-up writes nothing before its end was agreed to, and diagnose writes
//     no secret.
//   - [Instance.Run] ends only with its context. Not being paired, a lost cloud
//     and a lost directory are states that it leaves by itself.
package agent
