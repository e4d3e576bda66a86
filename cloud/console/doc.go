// Package console owns the pages by which administrators see and steer one
// environment: its gateways, users, groups, populations and what happened.
//
// The cloud's web server gives it every request below /console/. It shows and
// changes what the store holds, asks pairing for codes and administrators for
// proofs, and tells the hub what changed. It never decides what a sign-on means,
// never sees a password but the administrator's own, and holds no link to an agent.
//
// Pages are HTML made on the server. Every page works with scripts switched off; the
// two scripts there are let activities come by themselves and ask for a passkey,
// and the Content-Security-Policy allows no other.
//
// # The way of one request
//
//	server.go     headers, size limit, refusal of what another site sent
//	session.go    the session, and the administrator that it belongs to
//	gateways.go   (and its like) reads or changes, always within the
//	              administrator's environment, and returns what to show
//	render.go     executes the template into memory, then answers
//
// # Promises
//
//   - Without a session there are the pages to set up and to sign in and what they
//     are drawn with, and nothing else. Each page names the role that it needs.
//   - Everything is looked up with the environment of the administrator who
//     asks: an ID of another environment is answered like one that does not exist.
//   - A GET changes nothing but how long the session lives. A POST that a browser
//     sent for another site is refused before it is read.
//   - A set-up secret is good for one password; of two who use it at once, one wins.
//   - Five wrong passwords for one name from one address within ten minutes,
//     and that pair waits; fifty for any names, and the address does. A name that
//     does not exist costs the same work and reads the same as a wrong password.
//   - A session ends after 30 minutes without a request, after 12 hours, at
//     sign-out, when its administrator is no more, and when the password, the one-time
//     passwords or a passkey of theirs became others in another session. Its token
//     is another one after each sign-in.
//   - What a directory or an agent said is text on every page, whatever is in it.
//   - A page that cannot be made is not sent in part.
//   - Every change is an activity with the administrator as actor.
package console
