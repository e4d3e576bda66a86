// Package cloudlink owns the agent's end of the link to the cloud: it dials,
// proves whose instance it is, serves the cloud's requests, beats, reconnects
// and drains. It also makes the pairing exchange that comes before any link.
//
// Called by agent, which gives it a [Handler]. It knows nothing of directories,
// files or services, and decides nothing about a sign-on.
//
// # One link's life
//
//	nonce     GET /link/v1/connect without an assertion: the refusal tells what one is to carry. A cloud of
//	          before tells it at GET /link/v1
//	dial      GET /link/v1/connect with a fresh signed assertion, over the same connection; proxy and TLS as
//	          the client says
//	hello     the agent's versions and what it is
//	welcome   the version in use and the heartbeat's interval; the link is up
//	serve     user types in order, as they come; sign-ons and password changes in parallel, at most Handlers
//	          at once, busy beyond
//	          a heartbeat each interval, which is the cloud's choice between 1 s and 30 s; a peer that
//	          is silent, or reads nothing, for two and a half intervals is dead
//	drain     either end says that it is going away: no new requests, answers still go out, then it closes
//
// # Whom the link trusts
//
//	threat                                     what stands against it              test
//	what is between reads a password           it is sealed for one instance       TestSealing (wire)
//	what is between shows its own certificate  only ca_file or the system's count  TestInspectingProxy
//	the proof of the instance is replayed      one audience, one nonce, minutes    TestAssertion (wire)
//	a proof is made for later                  the cloud's own nonce, or our clock TestNoProofIsForLater
//	a cloud sends what is no message           strict decoding, the link ends      TestMalformedFrameEndsTheLinkOnly
//	a cloud asks for more than there is        bounded handlers, budgets, frames   TestBeyondTheHandlersIsBusy,
//	                                                                               TestBudgetIsBounded
//	a cloud listens to nothing                 the link is left                    TestTalkingCloudThatReadsNothingIsLeft
//	a cloud wants absurd heartbeats            1 s to 30 s                         TestAbsurdHeartbeatIsNotFollowed
//	a state folder is copied                   epochs, claimed at each dial        TestEpochIsKeptAndClaimed
//
// The table of the whole product is in .github/SECURITY.md.
//
// # Promises
//
//   - [Link.Run] returns only when its context ends. Whatever goes wrong is a
//     [State] that it reports and leaves by itself.
//   - Every request is answered once, or the link is lost. A panic in a handler
//     is an answer with outcome unknown, never an end of the program.
//   - No request keeps a handler for more than a minute, whatever its budget.
//   - What the cloud sends and should not is told to Watch, never acted on.
//   - The wait before dialling again grows with jitter up to a cap that depends
//     on the reason, and starts over only after a link has held for half a minute.
//   - A cloud that is going away is replaced before the old link closes.
//   - A proxy that is named outright is always used; that of the environment as
//     NO_PROXY says, and never for a loopback address. Its password is in no error.
//   - Whatever answers an upgrade in the cloud's place is a [WebsocketError] that names it, as long
//     as a plain request comes as far as the cloud; [TryWebsocket] tells it without a credential.
//   - The cloud's name is looked up at each dial, and a dial is one connection.
//   - What the welcome says of the epoch is kept before anything is served; a state
//     folder that cannot be written keeps no link down.
//   - Each assertion carries a nonce that the cloud gave a moment before, and is good
//     for minutes of the cloud's own clock. A cloud of before gives none: then the
//     assertion has this machine's time, whatever time the cloud tells.
//   - A clock of this machine that is wrong by an hour at most does not keep the link
//     down: with a nonce, the time that the cloud tells is used for the next assertion,
//     and the difference is reported. A cloud that tells more is not believed.
//   - Of a request about one person no more is kept than its fields may have, and
//     user types are looked at beside the reading: neither fills the memory, nor
//     holds up a sign-on.
package cloudlink
