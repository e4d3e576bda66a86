// Package api owns the REST API: the token endpoint and everything below /v1.
//
// The program mounts [Server.Handler] for the paths that [Serves] tells; compatible
// clients, SDKs and Terraform call it. It reads requests, calls management for what
// changes something, and shows the answers. It never shows a page, never keeps a
// password, and decides nothing: not about a sign-on or a password change, which is the
// SignOner's, nor who may do what and what may be kept, which is management's.
//
// # A request
//
//	limit the body → who is it (401) → is it their environment, and may their role do
//	this (403) → read the body (400, 413, 415) → act (403, 404, 409, 412, …) → answer,
//	with _links.self
//
// routes.go says which action each path is for, and faults.go where a body has what a
// fault is of.
//
// # Promises
//
//   - A token opens its own environment, an owner's those as well that owners of it have
//     made, and no other: another answers 403, and 404 where it is read, whether or not it exists.
//
//   - Tokens and the secrets of API clients are kept as SHA-256 hashes; both are 256
//     random bits. A token lives an hour.
//
//   - Bodies are JSON objects of at most 1 MiB. A property that is not known is refused
//     by its path, as is one of the wrong type; what only answers have may be sent back,
//     and is not looked at. A null takes a text, a list or a reference away (RFC 7396);
//     for a number, and for what is true or false, it is refused.
//
//   - What was sent is told again, also what is false, empty or 0, and nothing is told
//     that nobody has said, but defaults. What compatible clients send without being
//     asked, and cannot be otherwise here, is taken as it is and refused when it differs.
//
//   - Every link is a whole URL of the cloud's public address.
//
//   - Every list obeys its filter (RFC 7644: eq, ne, sw, co, ew, pr, and, or, not,
//     parentheses, brackets) or refuses it by what it cannot search.
//
//   - Every refusal is {id, code, message, details[{code, target, message}]};
//     a password that was not changed has its outcome in innerError.
//     A name that is taken is INVALID_DATA with the detail UNIQUENESS_VIOLATION.
//
//   - A list has count and size, both of this page, and _links.next until the
//     last page. The cursor in it is opaque. A short list is whole without a limit.
//
//   - A bind password is discarded, and the answer says so in _warnings.
//
//   - Every change is an activity of the client that made it. Of changes at once each is
//     made on top of the others; a request with If-Match is made only on top of what it
//     names, and 412 otherwise, over all nodes. Where that cannot be, as for a POST, an
//     If-Match is refused.
//
//   - An application's secret is made here with the application. Its hash proves it, and
//     itself is sealed by the vault for those who may make a new one; that they read it
//     is an activity. Keys of Kerberos services go in and never come out.
//
//   - Sign-on policies are another view of the console's sign-on order: the LOGIN action
//     of the default one is that order, after which everybody else is asked. Another one is
//     an application's own, by signOnPolicyAssignments, and is taken at its word: a gateway
//     or provider that it does not name is not asked. What of its actions, taken together,
//     cannot be obeyed is refused.
//
// # Refused, with the reason
//
// The password authority PING_ONE, which would keep passwords in the cloud;
// a lookup without a mapping for username; adding users to a just-in-time group, renaming
// it, giving it a dynamic filter; groups in groups; roles of users, gateways and
// applications, since groups alone give them; passwords of users; actions of a sign-on
// policy that nobody would come to; deleting a policy or a group that an application names;
// deleting what users depend on, what something names, or an identity provider that has
// groups, without force=true;
// making an identity provider's subjects other people's while people are linked, without
// links=keep or links=drop; deleting a core mapping; pictures of providers, and what a
// key of ours never has.
package api
