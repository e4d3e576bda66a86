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
//	POST par                  the request ahead of the browser, by the application itself
//	GET  authorize            the request is checked; who has signed on and is to be asked nothing gets a code;
//	                          else the browser carries it, sealed, to the sign-on page
//	     signonpage           Flow, then Complete: who it was, and how
//	GET  authorize/callback   only in the browser that signed on: a code, back to the application
//	POST token                the code and its verifier, once: tokens
//	GET  userinfo             the person's record as it is now
//	GET  signoff              with an ID token of the person: the session ends, the tokens are taken back;
//	                          without, the sign-on page asks, and leads back to the application
//
// # Promises
//
//   - Authorization code only, with PKCE: by S256 unless an administrator let the
//     application off, which takes a secret. A challenge that was sent is always verified,
//     and a verifier without one is refused: somebody has had it taken away.
//   - No answer of the library reaches anybody: people get a page of ours with an ID that is
//     in the log, an application is told at its address as soon as that is known, and
//     programs get JSON as RFC 6749 section 5.2 or RFC 6750 section 3 say. A database that is
//     away is told as that, with when to try again.
//   - An application proves itself before anything of its request is looked at: a wrong
//     secret costs no code. One that does so by a key (private_key_jwt, RFC 7523) signs each
//     request anew, by an asymmetric algorithm: its proof is for here, good once, and for an hour
//     at most.
//   - A code and a refresh token are good once; a second use takes back every
//     token that came of it. Of parallel uses one wins. They are kept as hashes.
//   - A redirect goes to an address that the application registered, exactly;
//     for a program on somebody's machine the port of a loopback one is free
//     (RFC 8252 section 7.3).
//   - A code is never of somebody else than the ID token that an application named somebody
//     by (OpenID Connect Core section 3.1.2.2).
//   - Who has signed on and is to be asked nothing gets a code by one redirect, and the same answer as by way of
//     the sign-on page, by which a wish of more than a kilobyte goes.
//   - Who was signed off, or disabled, gets nothing of what was on its way: no code, and no token for one of before.
//     A request goes by what is set once all of it has come.
//   - A code is of somebody who has given all that is wanted when it is made, whatever was before: the
//     sign-on page asks for what is lacking.
//   - An application that is for groups gets nobody else: no code, and of what it was given before
//     nothing opens anything once somebody has left them.
//   - An application learns the groups that it is allowed to, when it asks by the
//     scope "groups". An ID token has them when they are
//     no more bytes than the application's rule says, 2 KB by default: else it has none,
//     "groups_overflow" says how many there are, "_claim_names" where, and userinfo has all.
//     With them comes a token that opens them and nothing else, as long as the access token does.
//   - What came of a sign-on is good while the person, the application and the identity provider
//     that it was through are there and enabled: each is looked at whenever a code, a token or
//     a session is used, and the answer is an error of OAuth.
//   - An access token is for this cloud, and for the APIs that the application asked for by
//     "resource" (RFC 8707), of those that its rule names. Such an API may ask about it, and
//     learns the groups that its own rule allows. It says nothing to whoever reads it, unless
//     the application's are JWTs (RFC 9068).
//   - When a session ends by signing off, the applications that got tokens by it are told, if
//     they want to know. Whom that fails with is in the log, and keeps nobody waiting for long.
//   - Keys that sign are made anew every 30 days, and sealed in the store: one of RS256 and one
//     of ES256, of which each application chooses.
//   - Nothing is kept of a sign-on until somebody has signed on for it: the browser carries what
//     the application asked for, also what it pushed, for half an hour at most. A wish is
//     answered once.
//   - What scripts of another site may read is what is public, and for the sites of the
//     applications without a secret what answers those: tokens, userinfo, revoking. No cookie
//     counts there.
package oidc
