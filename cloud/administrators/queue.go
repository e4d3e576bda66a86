package administrators

import (
	"time"

	"ldap-gateway/cloud/throttle"
)

// Stranger is who has proven nothing yet, and has a password checked for a name. All strangers
// together have one place, and come to it in turn: first whose neighbourhood, network and name
// came least often lately.
func Stranger(network, name string) throttle.Who { return throttle.Who{Network: network, Name: name} }

// Known is an account that has signed in, or did so before in the same browser. It waits for no
// stranger.
func Known(account string) throttle.Who { return throttle.Who{Owner: account} }

// NewQueue is where passwords wait to be hashed, two at once, each of which takes 64 MiB and a
// tenth of a second. Of those that wait half are strangers', so that none of them waits for
// two seconds.
func NewQueue(bound *throttle.Bound) *throttle.Queue {
	return &throttle.Queue{
		Places:   2,
		OfOwner:  1,
		Waiting:  32,
		Patience: 5 * time.Second,
		Memory:   10 * time.Minute,
		Bound:    bound,
	}
}
