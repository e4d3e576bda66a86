package signon

import (
	"sync/atomic"
	"time"
)

// Ceiling knows whether sign-ons were refused for being more than may be. Safe for
// concurrent use; a nil one knows nothing.
type Ceiling struct{ hit atomic.Int64 } // when it was last met, in nanoseconds; 0: never

// hitFor is how long it is told.
const hitFor = 15 * time.Minute

// meet notes that a sign-on was one too many.
func (c *Ceiling) meet(now time.Time) {
	if c != nil {
		c.hit.Store(now.UnixNano())
	}
}

// Met tells whether it was met within the last quarter of an hour.
func (c *Ceiling) Met(now time.Time) bool {
	if c == nil {
		return false
	}
	hit := c.hit.Load()
	return hit != 0 && now.Sub(time.Unix(0, hit)) < hitFor
}
