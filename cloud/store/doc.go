// Package store owns everything that the cloud remembers: environments,
// populations, gateways, instances, users, groups, memberships, sign-ons,
// activities, and the credentials of administrators and API clients.
//
// The provisioner, the sign-on, pairing, the link's end, the API and the
// console call it. It never decides what a sign-on means, never talks to a
// network, and never sees a password or a token in the clear but to hash it.
//
// # Engine
//
// SQLite, one file. One connection writes, in immediate transactions with
// synchronous(FULL): what a method has acknowledged survives a power loss.
// Writers that queue share one commit, each in a savepoint of its own, since
// waiting for the disk is most of what a write costs: about 1,000 sign-ons a
// second become 10,000. A pool of read-only connections reads beside it (WAL). The SQL is written in
// the subset that PostgreSQL understands too, with $n placeholders, times as
// microseconds since 1970 and JSON as text.
//
// # Promises
//
//   - Every look-up of something in an environment takes the environment's ID
//     and finds nothing of another one; the foreign keys carry it as well. The
//     exceptions are what proves itself by a secret of its own: GatewayByID,
//     Instance, RedeemPairing, TokenClient, Administrator and sessions.
//   - A method that writes does all of it or nothing, in one transaction.
//   - Lists come in pages, in a fixed order, by keyset: rows that are added
//     or removed meanwhile neither repeat nor hide others. Every list is
//     answered from an index.
//   - A user's last sign-on, a group's number of members and when it was last
//     seen are worked out on reading. A sign-on that changes nothing writes its
//     own rows and no other.
//   - IDs are UUIDs of version 7 (RFC 9562) in text form unless the caller
//     gave one. Times are UTC, to the microsecond.
//   - A name that must be unique is compared after Unicode simple case folding
//     and NFC, so "Jose" and "JOSE" are one, and so are the two spellings of é.
//   - A method returns ErrNotFound, ErrConflict, ErrUsed, ErrExpired,
//     ErrDependents, ErrReadOnly, ErrStale, ErrFilter or ErrCursor, wrapped, when it says so; every
//     other error is the database's or the context's.
package store
