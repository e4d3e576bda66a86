// Package kerberos owns a sign-on by ticket: it takes what a browser sends after
// "Negotiate", proves it with a gateway's service keys, finds whose it is, and
// has the sign-on recorded.
//
// Called by signonpage, and by api and console for keys. It reaches no agent and
// no directory, and touches no record: rule 3 of just-in-time provisioning.
//
// # The way of a token
//
//	token.go   size, base64, SPNEGO (RFC 4178) or raw Kerberos (RFC 4121): an AP-REQ (RFC 4120), or a Refusal
//	accept.go  service, realm, encryption type; a key opens the ticket; times; the authenticator is of the same client
//	verifier.go replay, whose it is, the sign-on's own rows
//	reply.go   the AP-REP that a client may ask for
//
// # Whose it is
//
// The PAC's own SID ([MS-PAC] 2.5) when it leads to one record by objectSid;
// else the principal and the realm, by the gateway's template, to one value of
// the correlation attribute that the gateway names. Nothing else of a record is
// looked at, and nobody is created: an unknown person is shown the form.
//
// # Promises
//
//   - Who somebody is comes from the decrypted ticket alone. The authenticator
//     must name the same client and the same realm, and the realm must be on the
//     gateway's list.
//   - Only HTTP services of this cloud's names, or those that an uploaded keytab
//     names, are taken. RC4 is, when the gateway says so; DES never.
//   - Tokens are looked at in turn with the sign-ons by password, of which so many are under way.
//   - An authenticator is good once, over all nodes: its hash is a unique row of
//     the store until the clock has passed it by.
//   - Whatever bytes come, the answer is a sign-on or a Refusal.
//   - Every token, a refused one too, is in the store with its reason before the
//     person hears of it; but from an address that sent a hundred that were
//     refused within ten minutes no more are looked at.
//
// What a ticket says of addresses and of realms that it passed through is not
// looked at: people are behind proxies, and the list of realms decides whom we trust.
//
// The library's own acceptor is not used: it believes the authenticator's realm
// (its issue 577), and its replay cache knows one process. Only its codecs,
// ciphers, keytabs and PAC are; [Accept] is the place where another can be put.
package kerberos
