package hub

import (
	"context"
	"errors"
	"sync"
	"time"

	"ldap-gateway/cloud/throttle"
)

const (
	// mostArriving is how many agents are on their way in at once, from the look at their proof
	// until they can be asked.
	mostArriving = 64
	// arriveTime is how long one counts as such: an agent that says nothing keeps nobody out.
	arriveTime = time.Second
	// doorPatience is how long one waits before it: an agent waits 15 seconds for an answer.
	doorPatience = 8 * time.Second
	// comeAgain is what those are told who waited for so long, in seconds.
	comeAgain = 5
)

var errCrowd = errors.New("many agents come at once")

// door has agents come in one after the other. When thousands come back at once, as after a
// restart, the first of them can be asked in a moment; were all of them let in, each would be as
// late as the last. The zero value is shut.
type door struct {
	places chan struct{} // has one of each who is on their way in
	bound  *throttle.Bound
}

// enter waits for its turn. What it returns ends it, is to be called in the end, and does nothing
// the second time.
func (d *door) enter(ctx context.Context) (arrived func(), err error) {
	patience := time.NewTimer(doorPatience)
	defer patience.Stop()
	select {
	case d.places <- struct{}{}:
	case <-patience.C:
		d.bound.Bite(time.Now(), "")
		return nil, errCrowd
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	free := sync.OnceFunc(func() { <-d.places })
	late := time.AfterFunc(arriveTime, free)
	return func() { late.Stop(); free() }, nil
}
