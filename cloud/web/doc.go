// Package web owns what the faces of the cloud have in common towards a browser or a
// program: where a request came from, how much it may send, which site sent it, what
// pages may load, and how a session's cookie is kept.
//
// Called by api, console, signonpage, oidc and pairing. It knows no session, no page
// and nothing of the store.
//
// # Promises
//
//   - A page loads nothing but what is this cloud's own, is in no frame, and is kept by
//     no cache.
//   - A cookie is not for scripts, is sent along from other sites only when somebody
//     follows a link, and over TLS is sent over nothing else.
//   - What a browser sends for another site is refused before it is read.
package web
