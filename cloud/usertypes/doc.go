// Package usertypes owns what a user type is: a vendor's usual values, what may be
// kept of one, and what an agent gets to know of it.
//
// Management checks user types here before they are kept, the hub has them compiled
// for the wire, and the API and the console offer the usual values. It reads and
// writes nothing: whether a population exists is for the caller to find out.
//
// # Promises
//
//   - What Check finds nothing wrong with, an agent can compile, but for the patterns of
//     groups: these are the agent's to read, and it says what it refuses.
//   - A filter arrives at an agent with the user type and never with a sign-on; the
//     person's own input stands in it for values only.
//   - The usual values of every vendor pass Check once they have a name and a base.
package usertypes
