// Package samlidp owns how applications of SAML 2.0 sign people on: an identity provider
// (saml-profiles 4.1 and 4.4) for each environment, below /ENVIRONMENT/saml20.
//
// Called by cloud, which mounts it, and by signonpage, which asks what an application wants
// and says who signed on. It proves nobody and shows no page but those that post. Requests
// are read and verified by crewjam/saml, behind samlsp's look; answers are made here.
//
//	GET, POST idp/sso       a request is checked; the browser carries it, sealed, to the sign-on page
//	          signonpage    Flow, then Complete: who it was, and how
//	GET       resume        only in the browser that signed on: the answer, once, by a form
//	GET       idp/startsso  as sso, for an application that may be begun here (spEntityId, applicationUrl)
//	GET, POST idp/slo       an application signs somebody off, or answers that it has
//	GET       idp/off       one application after another is told that a session has ended
//	GET       metadata      of the environment; with an application's ID, by the key that signs for it
//
// # Promises
//
//   - A request is looked at once, when it comes: it has 64 KiB, one root, no document type, no
//     comment, no processing instruction, once what comes once, an ID that is one, and is
//     five minutes old at most. What counts afterwards is what was sealed of it.
//   - A signature is verified where the application has certificates, whether or not it must
//     sign; SHA-1 is refused, and so is a request without one where it must. Its
//     certificates may have ended: keys of metadata have no end but the administrator's.
//   - An answer goes to an address that was registered, to the letter, and to nowhere else; so
//     does a status that tells of no sign-on, and that is signed. Whatever cannot be told so
//     is a page of ours with an ID that is in the log.
//   - An answer is given once, in the browser that signed on, to somebody who may sign on at
//     that moment, in the application's groups, and has given all that is wanted by then.
//   - A persistent name ID is one of the application and the person alone. What else may
//     identify people, but the ID and the username, must be nobody else's in the
//     environment, and of a person whom a provider brought it is taken when an administrator said
//     that addresses are people's own (emailVerified), or the environment began with that
//     provider.
//   - A value that XML cannot say is left out, a carriage return is a blank, and more groups
//     than the application takes sign nobody on: a list is never cut.
//   - No answer is signed by SHA-1, none is without a signature, and none is in a log.
//   - Nothing is kept of a sign-on until somebody has signed on for it: the browser carries the
//     wish for half an hour at most. A network sends at most 12,000 messages in a minute, on each node.
package samlidp
