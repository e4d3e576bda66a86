package signonpage

import (
	"io"
	"net/http"
	"runtime"
	"sync"
	"time"

	"ldap-gateway/cloud/throttle"
	"ldap-gateway/cloud/web"
)

// busy is what people read when too much is under way, and there is no page to show beside.
const busy = "Many people sign on at this moment. Please try again in a moment."

// The most that answers of SAML hold at once, in bytes: in all, and of one network.
const (
	mostHeld          = 96 << 20
	mostHeldOfNetwork = 24 << 20
)

// How long an answer may take to come, and how long it waits for its turn.
const (
	answerTime = 10 * time.Second
	turnTime   = 10 * time.Second
)

// mostAnswers is how many answers of SAML wait for their turn, half of them of one environment.
const mostAnswers = 1024

// turns bounds the answers of SAML that are under way. To prove one, or that it proves
// nothing, costs a hundred times what a page does, and whoever sends it need be nobody.
// What has come of them is counted and not how many there are: a connection that sends
// nothing takes nobody's place.
type turns struct {
	work  throttle.Queue // half of the processors: the other half is for everybody else
	bound *throttle.Bound

	mu  sync.Mutex
	all int
	of  map[string]int // by network
}

// newTurns leaves one place at least, on a machine with one processor as well.
func newTurns(bound *throttle.Bound) *turns {
	return &turns{
		work: throttle.Queue{
			Places:   max(1, runtime.GOMAXPROCS(0)/2),
			Waiting:  mostAnswers,
			Patience: turnTime,
			Bound:    bound,
		},
		bound: bound,
		of:    map[string]int{},
	}
}

// hold counts bytes more, or none when that is too much.
func (t *turns) hold(of string, n int) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.all+n > mostHeld || t.of[of]+n > mostHeldOfNetwork {
		t.bound.Bite(time.Now(), of)
		return false
	}
	t.all += n
	if t.of[of] += n; t.of[of] == 0 {
		delete(t.of, of)
	}
	return true
}

// held is a body whose bytes are counted until all of it is let go.
type held struct {
	io.ReadCloser
	turns *turns
	of    string
	bytes int
}

// Read implements io.Reader. Its error is throttle.ErrFull when there is no room.
func (h *held) Read(p []byte) (int, error) {
	n, err := h.ReadCloser.Read(p)
	if n > 0 && !h.turns.hold(h.of, n) {
		return 0, throttle.ErrFull
	}
	h.bytes += n
	return n, err
}

func (h *held) release() { h.turns.hold(h.of, -h.bytes) }

// bounded counts an answer before anything of it is read, and what is read of it.
func (s *Server) bounded(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		of := throttle.Network(web.Address(r))
		if s.windows.Begin(s.now(), throttle.Limit{Key: "answer " + of, Most: MostAnswers}) > 0 {
			s.tooMany(w, r)
			return
		}
		// Where a connection has no deadlines that of the whole server holds.
		_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(answerTime))
		body := &held{ReadCloser: r.Body, turns: s.turns, of: of}
		defer body.release()
		r.Body = body
		next.ServeHTTP(w, r)
	})
}
