package cloud

import (
	"runtime"
	"time"

	"ldap-gateway/cloud/throttle"
)

// bounds are those of a node: what counts what was refused, and what is under way, each with an
// end. An office with thousands of people is one network: what is done in a twentieth of a second
// it may do thousands of times in a second, one by one.
type bounds struct {
	*throttle.Bounds
	signOns    throttle.Queue // by environment
	atGateway  throttle.Queue // of them, by gateway
	tokens     throttle.Queue // by environment
	exports    throttle.Queue // by environment, and account
	streams    throttle.Queue // by environment, and account
	handshakes throttle.Queue // what they compute

	biting []throttle.Kind // of which alerts tell; of the one goroutine that looks for them
}

// newBounds returns those of a node, of which count tells.
// Of an environment is half of each, so that one leaves room for another, and of a gateway an
// eighth of its environment's: of one that does not answer each sign-on takes fifteen seconds.
func newBounds(count *throttle.Bounds) *bounds {
	b := &bounds{Bounds: count}
	b.signOns = throttle.Queue{
		Places:    4096,
		OfOwner:   2048,
		OfNear:    512,
		OfNetwork: 256,
		Spare:     true,
		Waiting:   1024,
		Patience:  5 * time.Second,
		Bound:     b.Of(throttle.SignOns),
	}
	b.atGateway = throttle.Queue{
		OfOwner:  256,
		Spare:    true,
		Waiting:  512,
		Patience: 5 * time.Second,
		Bound:    b.Of(throttle.GatewaySignOns),
	}
	b.tokens = throttle.Queue{
		Places:    256,
		OfOwner:   128,
		OfNetwork: 96,
		Spare:     true,
		Waiting:   512,
		Patience:  2 * time.Second,
		Bound:     b.Of(throttle.Tokens),
	}
	b.exports = throttle.Queue{
		Places:   4,
		OfOwner:  2,
		OfName:   1,
		Waiting:  16,
		Patience: 5 * time.Second,
		Bound:    b.Of(throttle.Exports),
	}
	b.streams = throttle.Queue{
		Places:  512,
		OfOwner: 256,
		OfName:  16,
		Bound:   b.Of(throttle.Streams),
	}
	b.handshakes = throttle.Queue{
		Places:   max(1, runtime.GOMAXPROCS(0)/2), // the other half is for everybody else
		Waiting:  1024,
		Patience: 5 * time.Second,
		Bound:    b.Of(throttle.Handshakes),
	}
	return b
}
