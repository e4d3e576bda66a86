package cloud

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"ldap-gateway/cloud/throttle"
)

// TestTokensAreBounded fills the share of an environment and of a network of what is under
// way: others get theirs, whoever finds no room is told when to come again, and what costs
// little is not counted.
func TestTokensAreBounded(t *testing.T) {
	const places = 8
	var waiting sync.WaitGroup
	open := make(chan struct{})
	entered := make(chan struct{}, places)
	var bounds throttle.Bounds
	c := &crowd{
		queue: &throttle.Queue{Places: places, OfOwner: places / 2, OfNetwork: 3, Bound: bounds.Of(throttle.Tokens)},
		full:  tokensFull,
		next: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Wait") != "" {
				entered <- struct{}{}
				<-open
			}
		}),
	}
	mux := http.NewServeMux()
	mux.Handle("/{e}/as/", c)
	ask := func(path, from, wait string) *httptest.ResponseRecorder {
		r := httptest.NewRequest("POST", path, nil)
		r.Header.Set("Wait", wait)
		r.RemoteAddr = from + ":1"
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, r)
		return w
	}
	fill := func(path, from string, n int) {
		for range n {
			waiting.Go(func() { ask(path, from, "yes") })
		}
		for range n {
			<-entered
		}
	}
	fill("/a/as/token", "192.0.2.1", 3)
	for from, want := range map[string]int{"192.0.2.1": 503, "192.0.2.2": 200} {
		if w := ask("/a/as/token", from, ""); w.Code != want {
			t.Errorf("%s: %d", from, w.Code)
		}
	}
	fill("/a/as/token", "192.0.2.2", 1)
	for path, want := range map[string]int{
		"/a/as/token": 503, "/a/as/userinfo": 503, "/a/as/introspect": 503, "/b/as/token": 200, "/a/as/jwks": 200, "/a/as/authorize": 200,
	} {
		w := ask(path, "192.0.2.3", "")
		if w.Code != want || (want == 503) != (w.Header().Get("Retry-After") != "") {
			t.Errorf("%s: %d %v", path, w.Code, w.Header())
		}
	}
	fill("/b/as/token", "192.0.2.3", 3)
	fill("/b/as/token", "192.0.2.4", 1)
	if w := ask("/c/as/token", "192.0.2.5", ""); w.Code != 503 {
		t.Errorf("beyond all: %d", w.Code)
	}
	if n := bounds.Of(throttle.Tokens).Total(); n != 5 {
		t.Errorf("%d were counted", n)
	}
	close(open)
	waiting.Wait()
	for _, path := range []string{"/a/as/token", "/c/as/token"} {
		busy, _ := c.queue.UnderWay()
		if w := ask(path, "192.0.2.1", ""); w.Code != 200 || busy != 0 {
			t.Errorf("%s afterwards: %d, %d under way", path, w.Code, busy)
		}
	}
}

// TestApplicationsAreTold apart by what they say, however they say it.
func TestApplicationsAreTold(t *testing.T) {
	for form, want := range map[string]string{
		"client_id=a": "a", "grant_type=x&client_id=b&client_secret=c": "b", "": "", "token=x": "", "xclient_id=y": "",
	} {
		if got := application(httptest.NewRequest("POST", "/", nil), []byte(form)); got != want {
			t.Errorf("%q: %q", form, got)
		}
	}
	r := httptest.NewRequest("POST", "/", nil)
	r.SetBasicAuth("d", "secret")
	if got := application(r, []byte("client_id=e")); got != "d" {
		t.Error(got)
	}
}

// TestSlowBodiesTakeNoPlace: whoever sends half of a request, however often, keeps nobody
// from a token; what is too long is refused.
func TestSlowBodiesTakeNoPlace(t *testing.T) {
	queue := &throttle.Queue{Places: 6, OfOwner: 3}
	c := &crowd{queue: queue, full: tokensFull, next: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, err := io.ReadAll(r.Body)
		must(t, err)
		_, _ = w.Write(b)
	})}
	mux := http.NewServeMux()
	mux.Handle("/{e}/as/", c)
	ask := func(env string, body io.Reader) *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, httptest.NewRequest("POST", "/"+env+"/as/token", body))
		return w
	}
	var slow sync.WaitGroup
	var ends []*io.PipeWriter
	for i := range 100 {
		read, write := io.Pipe()
		ends = append(ends, write)
		slow.Go(func() {
			if w := ask(fmt.Sprint(i%3), read); w.Code != 400 {
				t.Errorf("cut off: %d", w.Code)
			}
		})
		_, err := write.Write([]byte("grant_type=")) // it is being read
		must(t, err)
	}
	for _, env := range []string{"0", "1", "other"} {
		if w := ask(env, strings.NewReader("a=b")); w.Code != 200 || w.Body.String() != "a=b" {
			t.Errorf("%s: %d %s", env, w.Code, w.Body)
		}
	}
	if w := ask("0", strings.NewReader(strings.Repeat("x", mostForm+1))); w.Code != 413 {
		t.Errorf("too long: %d", w.Code)
	}
	for _, end := range ends {
		must(t, end.CloseWithError(io.ErrUnexpectedEOF))
	}
	slow.Wait()
}
