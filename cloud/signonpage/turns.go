package signonpage

import (
	"context"
	"net/http"
	"runtime"
	"sync"

	"ldap-gateway/cloud/web"
)

// The most answers of SAML that are under way at once, in all and of one address.
const (
	mostAnswers          = 32
	mostAnswersOfAddress = 8
)

// turns bounds the answers of SAML that are under way. To prove one, or that it proves
// nothing, costs a hundred times what a page does, and whoever sends it need be nobody.
type turns struct {
	work chan struct{} // half of the processors: the other half is for everybody else

	mu  sync.Mutex
	all int
	of  map[string]int // by address
}

// newTurns leaves one place at least, on a machine with one processor as well.
func newTurns() *turns {
	return &turns{
		work: make(chan struct{}, max(1, runtime.GOMAXPROCS(0)/2)),
		of:   map[string]int{},
	}
}

// enter lets an answer in, until leave is called; false when there are too many.
// It does not wait: who comes to a full house is told to come again.
func (t *turns) enter(address string) (leave func(), ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.all >= mostAnswers || t.of[address] >= mostAnswersOfAddress {
		return nil, false
	}
	t.all++
	t.of[address]++
	return func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		t.all--
		if t.of[address]--; t.of[address] == 0 {
			delete(t.of, address)
		}
	}, true
}

// take waits for a turn to work, until done is called.
// It gives up when the browser does, with the error of the context.
func (t *turns) take(ctx context.Context) (done func(), err error) {
	select {
	case t.work <- struct{}{}:
		return func() { <-t.work }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// bounded lets in what comes while there are few, before anything of it is read.
// Its address is that of the request: behind a proxy that is not trusted all have one.
func (s *Server) bounded(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		leave, ok := s.turns.enter(web.Address(r))
		if !ok {
			w.Header().Set("Retry-After", "5")
			s.failure(w, http.StatusServiceUnavailable, "Many people come back at once. Please try again in a moment.")
			return
		}
		defer leave()
		next.ServeHTTP(w, r)
	})
}
