package demo

import (
	"context"
	"errors"
	"html"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"testing"
)

// said keeps what the demo says, and tells when it is at its end.
type said struct {
	waiting
	strings.Builder
}

func (s *said) Write(b []byte) (int, error) {
	s.Builder.Write(b)
	return s.waiting.Write(b)
}

// visitor is somebody's browser, as far as the demo needs one.
type visitor struct {
	t *testing.T
	http.Client
}

// read returns where an answer came from and what it says, and follows pages that lead on by themselves.
func (v *visitor) read(r *http.Response, err error) (at *url.URL, text string) {
	v.t.Helper()
	if err != nil {
		v.t.Fatal(err)
	}
	b, err := io.ReadAll(r.Body)
	if err = errors.Join(err, r.Body.Close()); err != nil {
		v.t.Fatal(err)
	}
	if on := regexp.MustCompile(`http-equiv="refresh" content="0; url=([^"]+)"`).FindSubmatch(b); on != nil {
		to, err := r.Request.URL.Parse(html.UnescapeString(string(on[1])))
		if err != nil {
			v.t.Fatal(err)
		}
		return v.read(v.Get(to.String()))
	}
	return r.Request.URL, string(b)
}

// TestApplication: what the demo prints is enough to sign on to its application, which shows the groups
// of both sources, and to sign off; an answer that another browser asked for signs nobody on.
func TestApplication(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	out := &said{waiting: waiting{text: []byte("Ctrl-C ends it"), seen: make(chan struct{})}}
	go func() { ended <- Run(ctx, out, Options{Listen: "127.0.0.1:0"}) }()
	select {
	case <-out.seen:
	case err := <-ended:
		t.Fatal(err)
	}
	defer func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}()
	address := regexp.MustCompile(`application  (http://127\.0\.0\.1:\d+)`).FindStringSubmatch(out.String())
	jar, _ := cookiejar.New(nil)
	v := &visitor{t, http.Client{Jar: jar}}
	defer v.CloseIdleConnections()
	if _, text := v.read(v.Get(address[1])); !strings.Contains(text, "Sign on") {
		t.Fatal(text)
	}
	form, _ := v.read(v.Get(address[1] + "/on"))
	flow := form.Query().Get("flow")
	form.RawQuery = ""
	at, text := v.read(v.PostForm(form.String(), url.Values{"flow": {flow}, "username": {"alice"}, "password": {"wonderland"}}))
	for _, want := range []string{"Alice Archer-Lee", "backend <small>from the directory", "audit <small>from the partner"} {
		if at.String() != address[1]+"/" || !strings.Contains(text, want) {
			t.Fatalf("no %q at %s:\n%s", want, at, text)
		}
	}
	another := &visitor{t, http.Client{}}
	defer another.CloseIdleConnections()
	for _, state := range []string{"", "made-up"} {
		if _, text := another.read(another.Get(address[1] + "/back?code=x&state=" + state)); !strings.Contains(text, "not begun here") {
			t.Errorf("%q: %s", state, text)
		}
	}
	if at, text := v.read(v.Get(address[1] + "/off")); at.String() != address[1]+"/" || !strings.Contains(text, "Sign on") {
		t.Errorf("signed off at %s: %s", at, text)
	}
	if _, text := v.read(v.Get(address[1] + "/on")); !strings.Contains(text, `name="password"`) {
		t.Errorf("still signed on at the cloud: %s", text)
	}
}
