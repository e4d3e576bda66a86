// Package pairing owns the exchange of a one-time code for an instance's own
// credential: it makes codes, keeps nobody from guessing for long, and turns a
// code and two public keys into an instance.
//
// Called by management, which keeps the codes that it makes and decides on those that
// agents show, by console, which shows who waits, and by the cloud's web server, which
// gives it the requests of agents. It never sees a private key, and keeps no code, only
// its hash.
//
// # Promises
//
//   - An agent that shows a code itself becomes an instance only when an
//     administrator has seen its host, address and fingerprint and approves; it
//     waits with a ticket that is kept as a hash only.
//   - A code works once and for [Life] only. Of many who redeem it at once, one wins.
//   - Ten wrong codes from one network within ten minutes and that network waits, also
//     with a right code, at every node. Nobody else does. Many at once have no more.
//   - Agents that wait without a code are so many at most, from one network and in all.
//   - Who made a code, who used it and from where is in the instance and in the activities.
package pairing
