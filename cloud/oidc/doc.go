// Package oidc owns how applications sign people on: an OpenID Connect provider
// (OpenID Connect Core 1.0, RFC 6749, RFC 7636) for each environment, below
// /ENVIRONMENT/as.
//
// Called by cloud, which mounts it, and by signonpage, which asks what an
// application wants and says who signed on. It proves nobody and shows no page.
// The protocol is zitadel/oidc's; what is here is what the applications of a
// cloud are, what is kept of them, and what is stricter than the library.
//
// # The way of one sign-on for an application
//
//	GET  authorize            the request is checked and kept; the browser goes to the sign-on page
//	     signonpage           Flow, then Complete: who it was, and how
//	GET  authorize/callback   only in the browser that signed on: a code, back to the application
//	POST token                the code and its verifier, once: tokens
//	GET  userinfo             the person's record as it is now
//	GET  signoff              with an ID token of the person: the session ends, the tokens are taken back
//
// # Promises
//
//   - Authorization code only, with PKCE S256 from every application.
//   - A code and a refresh token are good once; a second use takes back every
//     token that came of it. Of parallel uses one wins. They are kept as hashes.
//   - A redirect goes to an address that the application registered, exactly;
//     for a program on somebody's machine the port of a loopback one is free
//     (RFC 8252 section 7.3).
//   - An application learns the groups that it is allowed to, when it asks by the
//     scope "groups". An ID token has at most MaxGroups of them: beyond, it has
//     none, and "groups_overflow" says how many there are; userinfo has them all.
//   - What came of a sign-on is good while the person, the application and the identity provider
//     that it was through are there and enabled: each is looked at whenever a code, a token or
//     a session is used, and the answer is an error of OAuth.
//   - Keys that sign are made anew every 30 days, and sealed in the store.
//   - What is kept of sign-ons that nobody ends is bounded: an address begins at most
//     3,000 in a minute, on each node, and each is kept for half an hour.
//   - What a browser of another site may read is nothing: no CORS.
package oidc
