// Package provisioner owns what a proven sign-on does to the cloud's records:
// it creates and updates users, groups and memberships just in time.
//
// The sign-on calls [Provisioner.Apply] once, after the directory (or an
// identity provider) has said who the person is. It never proves anybody, never
// asks a directory, never runs by itself, and knows of no network: it imports
// the store and nothing else of ours.
//
// # What a sign-on does
//
//	record    switch on   properties   what happens
//	unknown   –           given        the user is created, with properties and groups
//	unknown   –           nil          ErrUnknownRecord: ask the directory for the record
//	known     off         –            nothing but the sign-on's own rows
//	known     on          nil          nothing but the sign-on's own rows
//	known     on          given        properties follow, memberships by verdict
//
// A Kerberos sign-on is treated as one without properties, whatever it carries.
//
//	verdict    adds   removes
//	complete   yes    what the evidence shows that the user left
//	partial    yes    the same, of a whole list; else nothing
//	unknown    no     no
//
// That a directory's list lacks a group is no evidence: it lacks what may not be seen
// too. So an Apply that would take a gateway's groups away ends with [EvidenceWanted],
// having written nothing; the caller asks, and calls it again with the answers. What
// could not be told stays, makes the verdict partial, and is kept as the membership's
// doubt until it is told, or an administrator takes the user out of the group. A list
// of a memberOf that the directory does not compute needs evidence to add as well.
// What an identity provider lists is all that it says, so its complete list takes away
// by itself; its verdicts are in evidence.
//
// # Promises
//
//   - One Apply is one transaction, with the sign-on and its activities in it.
//     When it returns an error, nothing of the person was written. What the directory
//     said of groups themselves stays: new ones without members, and other names; and
//     why it could not be told of a membership.
//   - What a sign-on compares is read before its turn, in which others wait. Of much
//     that it changes, some is written in each of many turns before the person's own:
//     200 groups, or [store.MembershipsAtOnce] memberships, which nobody sees before
//     that one makes all of them true. While one sign-on of a person does so, another
//     leaves the groups as they are.
//   - It compares before it writes: a sign-on that changes nothing writes no
//     row of users, correlations, groups or memberships.
//   - Nothing is removed without evidence, and only memberships of groups of the
//     sign-on's own source are. Ordinary groups are never touched.
//   - One sign-on is asked about [MostQuestions] groups at most; of more, each comes in
//     its turn.
//   - Two sources never share a group, even under one name.
//   - One source has a node write so many groups and memberships within an hour; what is
//     beyond is left aside, takes nothing away, and makes the verdict partial. Of its large
//     lists one is taken at a time, with time for others in between.
//   - The number of queries does not grow with the number of groups, but for
//     one more in every 500, and one for each group that was renamed.
//   - Of parallel first sign-ons of one person, one creates the record.
//   - A just-in-time group that has lost its last member stays, for whatever
//     refers to it; an administrator may delete it.
//
// # Which record
//
// The user type's correlation attributes are tried in order; the first that
// leads to exactly one record of the gateway decides. One that leads to several
// is passed over. So a correlation attribute must be one that the directory
// never gives to another person. A record of the gateway that has no
// correlation values yet is found by its username.
//
// An identity provider's record is the one that its subject is linked to, and no other:
// neither a name nor an address is looked at. The link is made in the transaction that
// makes the record, or by an administrator. Where it names no population, somebody who
// is linked to nothing is [ErrUnknownRecord].
//
// What a provider's mapping fills once is written while it is empty. Groups that it
// brings once come while the user has none of it, and take nothing away.
package provisioner
