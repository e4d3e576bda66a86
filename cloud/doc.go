// Package cloud owns the program ldap-cloud: it puts the rooms below it together
// and answers on one address.
//
// Called by command, which reads what it is told, and by demo. It decides nothing about
// sign-ons, records or links; it says which room answers which path.
//
//	path                    room
//	/link/v1/…              hub, pairing    the agents' end
//	/v1/…, /ENV/as/token    api             programs
//	/ENV/as/…               oidc            applications
//	/ENV/saml20/…           samlidp         applications of SAML; below sp/ signonpage
//	/ENV/signon             signonpage      people, and what identity providers answer
//	/console/…              console         administrators
//	/live, /ready           hub, store      balancers
//	/metrics                metrics         Prometheus, at an address of its own
//
// # Many nodes
//
// Every node is equal: any takes a sign-on, any holds links. What they share is in
// the store (records, sessions, tokens, pairing codes, nonces, epochs, revocations)
// or said on the bus (who is live where, what has changed). What each has for itself
// are throttles and queues: see the throttle room. bounds.go says what may be under way at a
// node, and boundalerts.go what an administrator is told when a bound bites.
//
//	stop        /ready says no, the agents are told to dial another node, and this one
//	            answers on for the time of --grace; then no connection is taken any more,
//	            what is under way is answered, and the links are closed
//	database    away, or takes no writes: the node is not ready, sign-ons are told to come
//	            back (503) and ask no directory, links stay; back by itself. The log says
//	            once that it began, and once that it is over
//	start       while database or bus are away: the node says so and waits for the
//	            database; without the bus it serves
//	bus         away: the node serves the links that it holds, and is not ready without any; back by itself
//	killed      whoever waits on one of its links learns within two seconds that the
//	            outcome is unknown; its agents dial another node
//
// # Promises
//
//   - Plain HTTP is served on loopback addresses only.
//   - No password or token of a database or bus is taken from an argument.
//   - An address that a proxy names is believed of proxies that are trusted only.
//   - A stop is graceful: agents are told to go elsewhere, requests under way are
//     answered, the store is closed last.
//   - What "init" prints as secret is kept as a hash only and cannot be shown again.
package cloud
