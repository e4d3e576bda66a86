package api

import (
	"fmt"
	"math"
	"net/http"
	"strconv"

	"golang.org/x/time/rate"

	"ldap-gateway/cloud/throttle"
)

// DefaultRequests is how many requests a client may make in a minute.
// It keeps a client that is gone wild from the others, and is far above what a program
// does that waits for its answers.
const DefaultRequests = 60_000

// allow counts a request of a client and says in the answer how many are left
// (draft-ietf-httpapi-ratelimit-headers-10). It counts on this node.
// A sixth of a minute's requests may come at once. The count is of this node, so a
// client of three nodes may make three times as many.
func (s *Server) allow(w http.ResponseWriter, client string) error {
	perMinute := s.Requests
	if perMinute == 0 {
		perMinute = DefaultRequests
	}
	// Of a client that was deleted it stays until the program ends.
	perSecond := float64(perMinute) / 60
	made, _ := s.limiters.LoadOrStore(client, rate.NewLimiter(rate.Limit(perSecond), max(1, perMinute/6)))
	limiter := made.(*rate.Limiter)
	allowed := limiter.AllowN(s.now(), 1)
	left := max(0, limiter.TokensAt(s.now()))
	h := w.Header()
	h.Set("RateLimit-Policy", fmt.Sprintf(`"client";q=%d;w=60`, perMinute))
	h.Set("RateLimit", fmt.Sprintf(`"client";r=%d`, int(left)))
	if allowed {
		return nil
	}
	s.Bounds.Of(throttle.Requests).Bite(s.now(), "")
	// It is the time in seconds until one request is allowed, rounded up.
	h.Set("Retry-After", strconv.Itoa(int(math.Ceil(1/perSecond))))
	return &problem{
		status:  http.StatusTooManyRequests,
		Code:    requestLimited,
		Message: "This client makes more requests than it may. Retry-After says when the next is taken.",
	}
}
