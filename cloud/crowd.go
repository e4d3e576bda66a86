package cloud

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"strings"

	"ldap-gateway/cloud/throttle"
	"ldap-gateway/cloud/web"
)

// crowd bounds what is under way at once, fairly by environment, network and application.
type crowd struct {
	next  http.Handler
	queue *throttle.Queue
	full  func(w http.ResponseWriter, r *http.Request) // says why not, in the way of next
}

// mostForm is how many bytes a form may have that asks for a token: more than the largest
// proof of an application has.
const mostForm = 64 << 10

// ServeHTTP says 503 with Retry-After when there is no room. Who sends slowly has none: a
// place is taken once all of a request is here.
func (c *crowd) ServeHTTP(w http.ResponseWriter, r *http.Request) {
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
	leave, err := c.queue.Enter(r.Context(), throttle.Who{
		Owner:   r.PathValue("e"),
		Network: throttle.Network(web.Address(r)),
		Name:    application(r, body),
	})
	if err != nil {
		web.Later(w)
		c.full(w, r)
		return
	}
	defer leave()
	c.next.ServeHTTP(w, r)
}

// application is the client that a request says to be of, which may be made up; empty when it
// says nothing.
func application(r *http.Request, form []byte) string {
	if id, _, ok := r.BasicAuth(); ok {
		return id
	}
	for pair := range strings.SplitSeq(string(form), "&") {
		if id, is := strings.CutPrefix(pair, "client_id="); is {
			return id
		}
	}
	return ""
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
