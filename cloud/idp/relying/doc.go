// Package relying owns the client's side of OpenID Connect Core 1.0: the code flow
// with PKCE (RFC 7636), and what an answer must be to prove who somebody is.
//
// Called by idp. It knows no store and no page: what must outlive the way to the
// provider and back is [Kept], which the caller keeps, and its HTTP client is handed
// in, with whatever it may reach.
//
// # What is checked
//
//	state     by the caller, which finds Kept by it
//	iss       of the answer (RFC 9207), demanded of a provider that says so
//	ID token  signature by a key of the provider's, asymmetric algorithms only;
//	          issuer exactly; audience, azp; exp, nbf within a minute; iat, which must be
//	          there, from ten minutes ago to a minute ahead; nonce; at_hash; each of these
//	          in its type; a subject that no store changes
//	auth_time not in the future; young enough when the application says how young
//	UserInfo  the same subject; the signature when it is signed
//
// # Promises
//
//   - All addresses are stated: nothing is discovered at a sign-on, no redirect is
//     followed, and no answer of more than 4 MiB is read.
//   - A key that the provider takes out of its list proves nothing a day later, or sooner
//     when Cache-Control says so ([ShortestUse], [LongestUse]), while the list can be read.
//   - A key that is not known has the keys read anew, once; when that brought nothing
//     they are not read again for [CoolDown].
//   - One text costs little, whoever publishes the keys: of more than [MostRead] none is
//     read, a key ID that fits is tried alone, and nothing is tried twice.
//   - RSA keys of less than 2048 bits prove nothing, and are refused by their ID.
//   - Claims that are not checked may be malformed: they never cost a sign-on.
//   - HS256 and none prove nothing: the client's secret is no key.
//   - The code goes to the one token endpoint that is stated, with the client's
//     credential in the one way that is stated.
//   - No token is in an error or a log.
package relying
