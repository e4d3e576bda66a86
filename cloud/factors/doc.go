// Package factors owns the second factor of people: how a user proves who they are beside the
// password, the ticket or the identity provider, and how they set that up and give it up.
//
// Called by signonpage. The proofs themselves are those of administrators, and the rows those by which
// people with a role open the console: whoever has set a factor up at one of the two has it at both.
// It knows no sessions and no pages, and does not decide who is asked.
//
// # Promises
//
//   - A one-time password and a recovery code are good once, over all nodes.
//   - Tries are counted of a user, over all nodes, before they are looked at: ten one-time passwords in
//     an hour, and in ten minutes fifty recovery codes and fifty passkeys. Each kind is counted apart, so
//     that who has guessed one away is let in by another.
//   - A factor is kept once it was shown to work.
//   - Recovery codes are kept when the person says that they have them, and go with the last factor.
//   - Of two who set up the first factor at once, one does.
//   - Each of these is an activity of the user: proven, refused, missing, added, replaced, removed, codes made,
//     code used.
package factors
