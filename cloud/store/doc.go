// Package store owns everything that the cloud remembers: environments,
// populations, gateways, instances, identity providers, users, groups, memberships, sign-ons,
// activities, and the credentials of administrators and API clients.
//
// The provisioner, the sign-on, pairing, the link's end, the API and the
// console call it. It never decides what a sign-on means, never talks to a
// network, and never sees a password or a token in the clear but to hash it.
//
// # Engines
//
// SQLite, one file, for one node; PostgreSQL for many. One SQL text is for both:
// $n placeholders, times as microseconds since 1970, JSON as text. What differs
// is in sqlite.go and postgres.go.
//
// One writes at a time in an environment, over all nodes; on SQLite one in all, and the
// environments that wait share the time: who has had the least goes first. What writes a
// row or two, as most sign-ons do, has its own share beside what writes many. Writers that
// queue in a node share one transaction, each in a savepoint of its own where it needs one, since waiting for
// the disk is most of what a write costs. It commits after 25 ms, whoever
// waits, on PostgreSQL, where other nodes do, after 3, and once somebody is in it who
// wrote a row or two and the next writes many. What only
// adds rows that nobody else decides on, such as a sign-on that changes nothing, waits for
// no turn of another node.
//
//	read      Plan runs a function on what is committed, and keeps what it would write
//	record    a sign-on that changes nothing is one statement, which looks once more whom it is of; on PostgreSQL
//	          it is that of all who wait in its environment
//	write     Provision takes the turn of all, ProvisionIn that of an environment; within
//	          it Carry writes what was planned, to PostgreSQL all of it at once, and
//	          what the plan does not expect is refused
//	ahead     a LargeList is written in turns before the one that makes it true, and what
//	          hangs on something that goes is deleted in turns after the one that decides
//	          it: see Going; no turn writes more than some hundred rows. So is what management does with
//	          all that a filter finds, who are found by the order of their IDs: see SelectedUsers
//	settings  Current keeps in memory what every sign-on reads, by a revision that
//	          each transaction raises which changes it
//
//	          SQLite                               PostgreSQL
//	turn      immediate transactions               an advisory lock of all, and one of 32 for
//	                                               environments, held by the transaction
//	disk      synchronous(FULL)                    the server's synchronous_commit
//	readers   connections that only read (WAL)     a pool of their own; lists have half of
//	                                               them, in both, in turns by environment
//	refusals  by extended result code              by SQLSTATE
//	new tables by whoever opens the file first     by one node, under a session lock
//
// The turn is what makes two first sign-ons of one person, on two nodes, one
// record, and what lets a function given to Provision run once and never again. A
// node that has the turn and is gone without a word loses it within five seconds;
// a database that says nothing is given up after twenty. When a commit was sent
// and its answer is lost, the error says so, and it may have been kept.
//
// # Promises
//
//   - Every look-up of something in an environment takes the environment's ID
//     and finds nothing of another one; the foreign keys carry it as well, but that of a
//     membership, which has none: its group and user are looked for when it is added. The
//     exceptions are what proves itself by a secret of its own: GatewayByID,
//     Instance, RedeemPairing, TokenClient, ClientByID, Administrator and sessions.
//   - A method that writes does all of it or nothing, in one transaction; of LetGo and Finish
//     the first decides, and what it could not do the second does, however often it is begun.
//   - Lists come in pages, in a fixed order, by keyset: rows that are added
//     or removed meanwhile neither repeat nor hide others. Every list is
//     answered from an index. A cursor is good for the order that it came from alone: ErrCursor.
//   - PostgreSQL is asked to count what is in its tables while the first people come, since what it has planned for
//     empty ones it keeps until then: see countEarly.
//   - Who is found by a part of a name, accents or none, or has signed on last, is found by an index; see UserFilter.
//     In an order that no index has with a filter, up to a thousand are put in order in memory, and of more a
//     walk in the order meets them often enough.
//   - A user's last sign-on, a group's number of members and when it was last
//     seen are worked out on reading; of more than PeopleCounted members, or users of a
//     population or a user type, it is how many there were within the last minute.
//     A sign-on that changes nothing writes its own rows and no other.
//   - Text that is no UTF-8, and NUL in it, is kept and looked for with U+FFFD in
//     its place, since PostgreSQL has none for it.
//   - IDs are UUIDs of version 7 (RFC 9562) in text form unless the caller
//     gave one. Times are UTC, to the microsecond.
//   - A name that must be unique is compared after Unicode simple case folding
//     and NFC, so "Jose" and "JOSE" are one, and so are the two spellings of é.
//   - What Current returns is of a moment after it was asked, or after the first question of a request that holds
//     the revision, at every node.
//   - A method returns ErrNotFound, ErrConflict, ErrUsed, ErrExpired,
//     ErrDependents, ErrReadOnly, ErrStale, ErrFilter or ErrCursor, wrapped, when it says so; every
//     other error is the database's or the context's.
package store
