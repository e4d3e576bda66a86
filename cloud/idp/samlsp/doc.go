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
// one assertion, no ID twice, no text beside the root, no more than [MostBytes] and a
// depth of 64. Then by the library, strictly set: signatures by the certificates that
// are stated, SHA-2 only, what is read being what is signed; issuer, destination,
// recipient, audience, times, the request, replay, no condition that nobody knows,
// CBC only under a signature. Then by us: the times with the skew of the provider's
// setting, the end of the session, the age of the proof, the subject and its format.
//
// # Promises
//
//   - Without a certificate nothing is taken, nor by a key that a document brings along.
//   - An answer that nobody asked for is refused.
//   - Attributes are known by Name, never by FriendlyName.
//   - A refusal names its kind; no document is in an error or a log.
package samlsp
