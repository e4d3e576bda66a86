// Package wire owns what travels between an agent and its cloud: the messages
// of the link, the signed assertion that opens it, the sealing of passwords,
// and the bodies of the pairing exchange.
//
// Both ends import it; it imports nothing of ours and does no input or output.
//
// # Frames
//
// One websocket message of type binary is one [Frame], encoded in CBOR
// (RFC 8949) with integer keys. A frame with an ID is a request or the answer
// to one; the answer repeats the ID. A frame without is a notice. Budget is the
// time that the receiver has left for a request, in milliseconds, so that the
// two clocks need not agree.
//
// # Versions
//
//	version  since  what changed
//	1        0.1    first
//	2        0.2    Look and Looked; Group.Stamp, Membership.Unconfirmed and Whole; Entry.TooLarge;
//	                SignOnResult.Observed, Sealed.At, Welcome.At, Refused.RetryMillis, SignOn.Browser
//	                and ChangePassword.Browser
//
// An agent's [Hello] lists the versions that it speaks, the cloud's [Welcome]
// names the one in use: the highest that both know. Each end speaks at least
// the version before its own. A field that a version does not have is refused,
// so adding a field means adding a version, and leaving the field out before it:
// see [SignOnResult.For]. A cloud sends no Look to an agent of version 1.
//
// The assertion that opens a link is the same in all of them: one with a nonce of the
// cloud is to a cloud of before what one with a random nonce is. From an instance that
// has sent one, a cloud takes no other: see [RefusedNonce].
//
// # Promises
//
//   - Decoding never panics, and refuses duplicate keys, unknown fields,
//     indefinite lengths, tags, trailing bytes and frames over [MaxFrame].
//   - A number once given to a kind, an outcome or a verdict is never given to another.
//   - No message has a field for a password in the clear.
//
// # Adding a message
//
// A Kind with a new number, its body type, a line in kindNames, a golden file
// in testdata/golden, a row in the table above.
package wire
