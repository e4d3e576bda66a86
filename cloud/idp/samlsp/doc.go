// Package samlsp owns the service provider's side of SAML 2.0 (saml-profiles 4.1):
// requests by redirect and by POST, what a response must be to prove who somebody is,
// and metadata in and out.
//
// Called by idp. It knows no store and no page; what was taken before is told by the
// function that it is handed.
//
// # What is checked
//
// Once before the library, over the bytes as they came, and once more over what was
// encrypted: one root, no document type, no processing instruction, no comment, exactly
// one assertion, no ID twice, no text outside the root or beside elements, once what the
// schemas have once; and the bounds:
//
//	bytes        [MostBytes]
//	depth        64
//	elements     40,000
//	attributes   45,000, and 64 of one element
//	namespaces   32 in scope
//	signatures   two; and one at least, seen or encrypted
//
// Then by the library, strictly set: signatures by the certificates that are stated,
// SHA-2 only, what is read being what is signed; issuer, destination, recipient,
// audience, times, the request, replay, no condition that nobody knows, CBC only under a
// signature. Then by us: the times with the skew of the provider's setting, the first
// end of a session, the age of the last proof, the subject and its format.
//
// # Promises
//
//   - Without a certificate nothing is taken, nor by a key that a document brings along.
//   - An answer that nobody asked for is refused.
//   - Attributes are known by Name, never by FriendlyName.
//   - A subject is taken as it is, neither trimmed nor composed, and an attribute that
//     identifies people has one value. Its format is checked, and is no part of it.
//   - What a stranger sends is bounded before any tree is built of it.
//   - A refusal names its kind; no document is in an error or a log.
package samlsp
