package cloudlink

import (
	"errors"
	"math/rand/v2"
	"time"

	"ldap-gateway/cloudlink/wire"
)

const (
	firstWait = 250 * time.Millisecond
	// capNetwork keeps an agent from being away much longer than what kept it away.
	capNetwork = 5 * time.Second
	// capRefused is for what only an administrator can change.
	capRefused = 5 * time.Minute
	// holdTime is how long a link must have held for the wait to start over.
	holdTime = 30 * time.Second
)

// backoff gives the wait before the next dial.
type backoff struct {
	tries int
}

// next returns how long to wait after a link ended with err, having held for held.
func (b *backoff) next(err error, held time.Duration) time.Duration {
	if held >= holdTime {
		b.tries = 0
	}
	limit := capNetwork
	var refusal *wire.Refusal
	if errors.As(err, &refusal) {
		switch refusal.Code {
		case wire.RefusedClock, wire.RefusedNonce, wire.RefusedGoingAway:
			// the next try is made with another time or nonce, or at another node
		case wire.RefusedThrottled:
			return time.Duration(max(1, refusal.RetryAfter))*time.Second + jitter(time.Second)
		default:
			limit = capRefused
		}
	}
	wait := min(limit, firstWait<<min(b.tries, 20))
	b.tries++
	return wait/2 + jitter(wait/2)
}

func jitter(d time.Duration) time.Duration { return rand.N(d + 1) }
