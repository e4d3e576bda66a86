// Package hub owns the way from a node of the cloud that wants an answer to the
// node that holds an instance's link, and the links themselves.
//
// Called by signon, which asks for sign-ons, by api and console, which ask who is
// live and tell of changes, and by the cloud's web server, which hands it the
// agents' connections. It never decides what a sign-on means, and never sees a
// password: it carries what [Hub.SignOn] and [Hub.ChangePassword] sealed before
// the first step.
//
// # The way of one request
//
//	Hub.run         picks a live instance, one of this node first, and seals for it
//	Hub.carry       hands it to the link, or asks the node that holds it, on the bus
//	link.request    queues a frame, or says that it cannot
//	agent           answers, or the link is lost
//	Hub.run         busy or not sent: another instance; key unknown: sealed anew, once; lost: unknown
//
// # The bus
//
// One node has none. Many nodes join one NATS cluster, which is trusted as their database
// is: who can publish there could answer in an agent's place. So it is talked to over TLS
// unless it is on the same machine. It is not trusted with passwords: they are sealed for
// the key that the store has of the instance.
//
// Without the bus a node serves the links that it holds, and is ready as long as there
// are any; what only another node's link could answer is unavailable at once. Whether the
// bus is there is asked before something is sent that nobody may send twice, once a
// second at most: a node that is cut off in silence looks connected for seconds. When the
// bus is back all is said again that may not have been heard; until then this one looks every
// five seconds whether the instances of its links still are such.
//
// # Subjects on the bus
//
//	presence              what a node knows of a link of its own: at its start, at each heartbeat, at its end
//	presence.ask          a node has just started and asks all others to say theirs
//	link.LINK             a request for the agent at the other end of a link
//	node.ID               is that node still there?
//	changed.GATEWAY       the user types of a gateway are others now
//	revoked.INSTANCE      an instance is no longer one
//	rotate.INSTANCE       an instance is to change its keys
//	tries                 a password was tried, by a key that says of nobody who they are
//
// # Many links
//
// Links are found by gateway and instance: neither a sign-on nor a heartbeat looks at
// others. Of a gateway with more instances than are compared, those that were asked lately are, now and then another:
// to seal for the first time is most of what a sign-on costs here.
// What waits for a link takes memory while it waits, and somebody who writes is there as long: an idle
// link has a reader on a small stack, and small buffers. Whoever arrives costs one write to the database,
// and one at the first heartbeat.
//
// Agents come in so many at once, from the look at their proof until they can be asked: of
// thousands that come back together, as after a restart, the first serve people in a moment.
//
// # For each node
//
// How many links an instance opens is counted by each node for itself: it only
// keeps one that dials all the time from being a burden. Nonces, epochs,
// quarantine and revocation are in the store, for all. Nodes tell each other what was guessed
// wrong at them, and, with each heartbeat, that they are there.
//
// # Promises
//
//   - A request is handed to another instance only while no bind can have
//     happened: it was not written to a link whole, or the agent said that it sent none.
//   - Once a request was written whole to a link that is lost, its answer is unknown: at
//     once, and within two seconds when it was lost with its node.
//   - Without a live instance the answer comes at once, unless one has gone in the
//     last seconds, as at a restart: then a sign-on that nobody has answered waits
//     for it, five seconds at most.
//   - A proof with a nonce that the cloud gave is good for minutes of the cloud's own
//     clock, at any node, whatever time it claims. One of an agent of before, which
//     carries none, is good by the time that it claims.
//   - A revoked instance's link is closed at once and its key refused for ever. An
//     instance may revoke itself, by an assertion made for that alone.
//   - Each link begins a new epoch. Who claims one of the past, and two that are alive
//     with one key, have a copied or restored state folder: the instance goes into
//     quarantine, and both stay outside until one is paired anew. Of two links that is seen at a
//     heartbeat of the older one, two to three after the newer one began, also when that has ended.
//     A claim of what is to come says that the database went back: the link is opened, and an activity tells it.
//   - An answer reaches only the request that was asked on the same link.
//   - A question about single groups goes to the instance that answered the sign-on,
//     and to no other; without a whole answer nothing can be told of any of them.
//   - An agent that says more of its own accord than agents do is cut off, and changes
//     its keys ten times an hour at most.
//   - An agent that takes nothing more, or says nothing more, is cut off within
//     two and a half heartbeats; it holds up no other.
//
// Who asks for a trial (wire.TrialSubprotocol) gets a websocket that is closed at once: it
// proves nobody, keeps nothing, and shows that websockets pass. Who asks for a link and brings no
// proof is refused with the nonce that one is to carry: that costs no place at the door and no look
// into the store. A link that lost its upgrade on the way is told so before its proof is used up.
package hub
