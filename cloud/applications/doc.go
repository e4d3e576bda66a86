// Package applications owns what is the same for applications of every protocol: what the
// sign-on page knows of an application's wish, what it wants of a sign-on, who may use an application, which of a
// person's groups it learns, how a browser carries the wish, the page that posts an answer to it, and how people and
// administrators learn of what is not taken.
//
// Called by oidc and samlidp, which speak the protocols, and by signonpage, which speaks
// none. It proves nobody and keeps nothing.
//
// # Promises
//
//   - Two sources may have groups of one name: an application learns those of the sources
//     that its rule names. Without, those of gateways, or where there is none, those of the
//     identity provider that the environment began with.
//   - Who may use an application is decided by IDs of groups alone: a group of another source,
//     or one of the same name, lets nobody in.
//   - A wish is sealed for one environment and protocol, and ends with its time: nothing is kept of it
//     until somebody has signed on. It takes 2,600 letters of an address at most.
//   - What is refused is written as far as SECURITY.md says, whoever sends it, and the page says no more than is
//     so: Activity, the log, or neither. What a stranger sent is cut, and is text.
//   - The page that posts runs one script, which is named by its hash, and none else.
package applications
