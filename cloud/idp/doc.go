// Package idp owns signing on through identity providers: the way of a browser to one
// and back, and what its answer does to the cloud's records.
//
// Called by signonpage, which shows pages and keeps cookies, and by management and
// console, which check a provider. It asks relying and samlsp to prove, mapping to
// read, and the provisioner to write; it knows no page.
//
// # One sign-on
//
//	Begin     the person chose a provider   a sealed cookie, an address
//	          at the provider
//	Callback  OpenID Connect's answer       proven with the cookie, then provisioned
//	Accept    SAML's answer, without cookie proven, kept sealed for two minutes
//	Arrive    the browser comes for it      the cookie is held against it, then provisioned
//
// An answer of SAML that is refused goes the same way, as a sealed text in the address.
// A provider's POST brings no cookie but those that are sent from everywhere, which
// none of ours is. So it is taken without one, and nobody is signed on by it: the
// browser is, that began.
//
// # Promises
//
//   - Until a provider has proven something, nothing is kept: what must be known when
//     the answer comes is in the browser's cookie, sealed, and the ID of a SAML request
//     says whose it is by a seal of its own.
//   - An answer is taken once, on whichever node, and by the browser that began; a
//     request is answered once. A refusal is told to that browser as well, with what
//     the sign-on was for.
//   - An answer of OpenID Connect that does not say whose it is comes to an address of
//     its provider's own, unless no other has that address.
//   - Who somebody is, is (provider, subject). No name and no address leads to a record.
//   - A second factor of the provider counts when its settings say so, and its answer says that there was
//     more than one.
//   - A person whom nobody knows is made only for a provider with a population.
//   - A disabled provider, or user, signs nobody on, also when that happened meanwhile.
//   - Metadata that has expired, is another's, or has more certificates than settings may
//     have changes nothing. What somebody added by hand, it takes off only after listing it.
//   - No code, token, assertion or secret is in a log or an error.
package idp
