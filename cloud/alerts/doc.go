// Package alerts owns who is told when something is wrong with a gateway, an identity
// provider, an application of SAML or a node of the cloud: what counts as wrong, when it is
// told, by which way, and when not.
//
// Called by cloud, which starts it, and by console, which asks it to try a way.
// It promises that:
//
//   - what lasts a minute is told once by each way, again every day as long as it
//     lasts, and once when it is over, by the next look; what comes back after that was
//     told is told as what is new. What an administrator made quiet is not told
//   - of several nodes one tells
//   - a webhook is called by https at addresses that are not of the cloud's own
//     network, unless its operator allowed that network; it is not redirected, and
//     what it answers is not shown
//   - what a webhook gets is signed, so that it can tell it from a stranger's
//   - a way that fails is tried again, two minutes later each time
//
// It reads the store, where idp notes how providers fare, and what instances report. It
// changes nothing else.
package alerts
