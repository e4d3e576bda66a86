package cloud

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
)

// Answers to applications that cost a signature, or several questions to the database: so
// many are under way at once, and half as many of one environment.
const (
	mostTokens     = 256
	mostTokensOfIt = mostTokens / 2
)

// crowd bounds what is under way at once, fairly by environment.
type crowd struct {
	next http.Handler
	full func(w http.ResponseWriter, r *http.Request) // says why not, in the way of next

	mu  sync.Mutex
	all int
	of  map[string]int // by environment
}

// mostForm is how many bytes a form may have that asks for a token: more than the largest
// proof of an application has.
const mostForm = 64 << 10

// ServeHTTP says 503 with Retry-After when there is no room. Who sends slowly has none: a
// place is taken once all of a request is here.
func (c *crowd) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	env := r.PathValue("e")
	if !expensive(r.URL.Path) {
		c.next.ServeHTTP(w, r)
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, mostForm))
	if err != nil {
		tellUnread(w, err)
		return
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	if !c.enter(env) {
		w.Header().Set("Retry-After", "2") // seconds
		c.full(w, r)
		return
	}
	defer c.leave(env)
	c.next.ServeHTTP(w, r)
}

// tellUnread says why a request could not be read: it is too long, or took too long.
func tellUnread(w http.ResponseWriter, err error) {
	status := http.StatusBadRequest
	var long *http.MaxBytesError
	if errors.As(err, &long) {
		status = http.StatusRequestEntityTooLarge
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, `{"error":"invalid_request","error_description":"the request could not be read whole"}`+"\n")
}

// tokensFull tells a program.
func tokensFull(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusServiceUnavailable)
	_, _ = io.WriteString(w, `{"error":"temporarily_unavailable","error_description":"too much is under way"}`+"\n")
}

// expensive tells whether a path is of tokens, or of assertions.
func expensive(path string) bool {
	_, what, _ := strings.Cut(path, "/as/")
	return what == "token" || what == "userinfo" || what == "introspect" || what == "groups" ||
		strings.HasSuffix(path, "/saml20/resume")
}

func (c *crowd) enter(env string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.all >= mostTokens || c.of[env] >= mostTokensOfIt {
		return false
	}
	if c.of == nil {
		c.of = map[string]int{}
	}
	c.all++
	c.of[env]++
	return true
}

func (c *crowd) leave(env string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.all--
	if c.of[env]--; c.of[env] == 0 {
		delete(c.of, env)
	}
}
