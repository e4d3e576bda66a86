// Package throttle owns what bounds strangers: who made too many tries that went wrong
// within a window of time has to wait until it is over (Window, Gate); of what strangers bring
// about so much is written down (Sample); and so much is under way at once, of which everybody
// has a fair share (Queue). What was refused is counted by the bound that did so (Bound), for
// metrics and alerts.
//
// Called by every room of the cloud that answers strangers, and by metrics, for what was
// refused. It knows keys and numbers only, keeps them in memory, and forgets them all when a
// window ends. What it holds is bounded by maxKeys.
//
// A window counts at one node what strangers can make up: names that nobody has, and networks.
// The rooms whose tries guess at something tell the other nodes of them. Tries of accounts that
// there are the store counts, for all nodes.
//
// A network is an IPv4 address, or 64 bits of IPv6; a neighbourhood, which whoever has one of
// its networks gets as easily, 24 bits of IPv4 or 48 of IPv6.
package throttle
