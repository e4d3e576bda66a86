package cloud

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
)

// TestTokensAreBounded fills an environment's share of what is under way: others get theirs,
// whoever finds no room is told when to come again, and what costs little is not counted.
func TestTokensAreBounded(t *testing.T) {
	var waiting sync.WaitGroup
	open := make(chan struct{})
	entered := make(chan struct{}, mostTokens)
	c := &crowd{full: tokensFull, next: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Wait") != "" {
			entered <- struct{}{}
			<-open
		}
	})}
	mux := http.NewServeMux()
	mux.Handle("/{e}/as/", c)
	ask := func(path, wait string) *httptest.ResponseRecorder {
		r := httptest.NewRequest("POST", path, nil)
		r.Header.Set("Wait", wait)
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, r)
		return w
	}
	fill := func(path string, n int) {
		for range n {
			waiting.Go(func() { ask(path, "yes") })
		}
		for range n {
			<-entered
		}
	}
	fill("/a/as/token", mostTokensOfIt)
	for path, want := range map[string]int{
		"/a/as/token": 503, "/a/as/userinfo": 503, "/a/as/introspect": 503, "/b/as/token": 200, "/a/as/jwks": 200, "/a/as/authorize": 200,
	} {
		w := ask(path, "")
		if w.Code != want || (want == 503) != (w.Header().Get("Retry-After") != "") {
			t.Errorf("%s: %d %v", path, w.Code, w.Header())
		}
	}
	fill("/b/as/token", mostTokens-mostTokensOfIt)
	if w := ask("/c/as/token", ""); w.Code != 503 {
		t.Errorf("beyond all: %d", w.Code)
	}
	close(open)
	waiting.Wait()
	for _, path := range []string{"/a/as/token", "/c/as/token"} {
		if w := ask(path, ""); w.Code != 200 || len(c.of) != 0 || c.all != 0 {
			t.Errorf("%s afterwards: %d, %d under way", path, w.Code, c.all)
		}
	}
}

// TestSlowBodiesTakeNoPlace: whoever sends half of a request, however often, keeps nobody
// from a token; what is too long is refused.
func TestSlowBodiesTakeNoPlace(t *testing.T) {
	c := &crowd{full: tokensFull, next: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
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
	for i := range 2 * mostTokens {
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
