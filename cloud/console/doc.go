// Package console owns the pages by which administrators see and steer one
// environment: its gateways, identity providers, users, groups, populations and what
// happened.
//
// The cloud's web server gives it every request below /console/. It shows what the
// store holds, calls management for what changes something, and asks administrators
// for proofs. It never decides what a sign-on means, who may do what or what may be
// kept, never sees a password but the administrator's own, and holds no link to an agent.
//
// Pages are HTML made on the server. Every page works with scripts switched off; the
// scripts there are let activities come by themselves, ask for a passkey, copy what is to be
// entered elsewhere and write times as the reader's clock has them, and the
// Content-Security-Policy allows no other.
//
// # The way of one request
//
//	server.go     headers, size limit, refusal of what another site sent
//	routes.go     which action each page and form is for
//	session.go    the session, and the administrator that it belongs to
//	gateways.go   (and its like) reads, or has management change, always within the
//	              administrator's environment, and returns what to show
//	faults.go     beside which field of a form a fault is shown
//	render.go     executes the template into memory, then answers
//
// # Promises
//
//   - Without a session there are the pages to set up and to sign in and what they
//     are drawn with, and nothing else. Each page names the action that it is for.
//   - Everything is looked up with the environment of the administrator who
//     asks: an ID of another environment is answered like one that does not exist.
//   - A GET changes nothing but how long the session lives. A POST that a browser
//     sent for another site is refused before it is read.
//   - A set-up secret is in the fragment of its link, and good for one password and a time; of
//     two who use it at once, one wins.
//   - Five wrong passwords for one name from one address within ten minutes,
//     and that pair waits; fifty for any names, and the address does. A name that
//     does not exist costs the same work and reads the same as a wrong password.
//   - A session ends after 30 minutes without a request, after 12 hours, at
//     sign-out, when its administrator is no more, and when the password, the one-time
//     passwords or a passkey of theirs became others in another session. Its token
//     is another one after each sign-in. A person whose groups give a role is held to
//     the same: their session ends with the role, when they are signed off everywhere, and when
//     the identity provider that they came through is disabled. A stream and an export that
//     are under way are few, and end with the session, and no request that was under way brings it back.
//   - Recovery codes are shown once, when they are made. Tries of them are counted
//     apart from one-time passwords, and they go with the last second factor.
//   - Where the environment wants a second factor nobody goes further without one,
//     whether administrator or person by group, and who has one is asked for it.
//   - A form that replaces what it shows tells whoever saves second that somebody came
//     between, and keeps what they typed.
//   - What a directory or an agent said is text on every page, whatever is in it.
//   - A page that cannot be made is not sent in part.
//   - Every change is an activity with the administrator as actor.
package console
