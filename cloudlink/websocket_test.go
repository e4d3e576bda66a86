package cloudlink_test

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"ldap-gateway/cloudlink"
	"ldap-gateway/cloudlink/cloudlinktest"
	"ldap-gateway/cloudlink/wire"
)

// newCloud returns one with the credential that it takes.
func newCloud(t *testing.T) (*cloudlinktest.Cloud, cloudlink.Credential) {
	t.Helper()
	public, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &cloudlinktest.Cloud{Key: public}, cloudlink.Credential{Instance: "i1", Key: private}
}

// raw takes a request's connection over, writes text, and ends it: by a reset, or as usual.
func raw(text string, reset bool) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			panic(err)
		}
		_, _ = fmt.Fprint(conn, strings.ReplaceAll(text, "\n", "\r\n"))
		if tcp, ok := conn.(*net.TCPConn); ok && reset {
			_ = tcp.SetLinger(0)
		}
		_ = conn.Close()
	}
}

// page answers as a proxy does for people.
func page(status int) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		w.Header().Set("Location", "https://portal.example/")
		w.WriteHeader(status)
		_, _ = fmt.Fprintf(w, "<html><h1>%d</h1></html>", status)
	}
}

// switched is an answer of 101 that fits no key.
const switched = "HTTP/1.1 101 Switching Protocols\nUpgrade: websocket\nConnection: Upgrade\n" +
	"Sec-WebSocket-Accept: AAAA\n\n"

// before puts a proxy in front of a cloud that answers an upgrade its own way, and everything
// else as the cloud does.
func before(t *testing.T, cloud *url.URL, upgrade http.Handler) *url.URL {
	t.Helper()
	through := httputil.NewSingleHostReverseProxy(cloud)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if upgrade != nil && r.Header.Get("Upgrade") != "" {
			upgrade.ServeHTTP(w, r)
			return
		}
		r.Header.Del("Upgrade")
		through.ServeHTTP(w, r)
	}))
	t.Cleanup(srv.Close)
	u, err := url.Parse(srv.URL)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// relay passes the upgrade on, and ends the websocket after so many bytes of its answer's body.
func relay(cloud *url.URL, bytes int) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		far, err := net.Dial("tcp", cloud.Host)
		if err != nil {
			panic(err)
		}
		defer far.Close()
		_ = r.Write(far)
		near, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			panic(err)
		}
		defer near.Close()
		head := make([]byte, 4096)
		n, _ := far.Read(head)
		end := strings.Index(string(head[:n]), "\r\n\r\n") + 4
		_, _ = near.Write(head[:min(n, end+bytes)])
	}
}

// TestNoWebsocketsPass: whatever a proxy does in the place of passing a websocket, the link
// and the trial name it, as long as plain requests come as far as the cloud.
func TestNoWebsocketsPass(t *testing.T) {
	cloud, c := newCloud(t)
	at := cloud.Serve(t)
	cases := map[string]http.Handler{
		"strips-the-headers": nil,
		"end-at-the-upgrade": raw("", false), "reset-at-the-upgrade": raw("", true),
		"no-http":            raw("hello\n\n", false),
		"switches-wrongly":   raw(switched, false),
		"switches-and-reset": raw(switched, true),
		"cut-after-the-101":  relay(at, 0), "cut-in-a-frame": relay(at, 1),
	}
	for _, status := range []int{200, 204, 302, 400, 401, 403, 404, 405, 407, 426, 501} {
		cases[fmt.Sprint("page-", status)] = page(status)
	}
	for name, upgrade := range cases {
		t.Run(name, func(t *testing.T) {
			front := before(t, at, upgrade)
			cloud.At(front.String())
			client := cloudlink.NewHTTPClient(nil, nil)
			var named *cloudlink.WebsocketError
			err := cloudlink.TryWebsocket(t.Context(), client, front)
			if !errors.As(err, &named) || named.Host != front.Host {
				t.Errorf("trial: %v", err)
			}
			err = dialOnce(t, &cloudlink.Link{URL: front, Client: client, Credential: c})
			if !errors.As(err, &named) ||
				!strings.HasPrefix(err.Error(), "something between here and the cloud does not pass websockets: ") {
				t.Errorf("link: %v", err)
			}
		})
	}
}

// dialOnce returns why a link was not opened the first time.
func dialOnce(t *testing.T, l *cloudlink.Link) error {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	failed := make(chan error, 1)
	l.Hello, l.Heartbeat = func() wire.Hello { return wire.Hello{} }, func() wire.Heartbeat { return wire.Heartbeat{} }
	l.Watch = func(e cloudlink.Event) {
		select {
		case failed <- e.Err:
		default:
		}
	}
	ended := make(chan error, 1)
	go func() { ended <- l.Run(ctx) }()
	err := <-failed
	stop()
	<-ended
	return err
}

// TestWebsocketIsSwallowed: a proxy that opens the websocket and hands nothing on is named too.
func TestWebsocketIsSwallowed(t *testing.T) {
	cloud, _ := newCloud(t)
	at := cloud.Serve(t)
	over := make(chan struct{})
	defer close(over)
	front := before(t, at, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.(http.Flusher).Flush() // a beginning, and no more
		conn, _, err := http.NewResponseController(w).Hijack()
		if err == nil {
			defer conn.Close()
		}
		<-over
	}))
	for _, most := range []time.Duration{30 * time.Second, time.Second} {
		ctx, cancel := context.WithTimeout(t.Context(), most)
		var named *cloudlink.WebsocketError
		if err := cloudlink.TryWebsocket(ctx, cloudlink.NewHTTPClient(nil, nil), front); !errors.As(err, &named) {
			t.Errorf("within %s: %v", most, err)
		}
		cancel()
	}
}

// TestWhatIsNoMatterOfWebsockets: a cloud that is away, that refuses, or that is behind a proxy
// which reaches none, is told as that.
func TestWhatIsNoMatterOfWebsockets(t *testing.T) {
	cloud, c := newCloud(t)
	at := cloud.Serve(t)
	nothing := &url.URL{Scheme: "http", Host: closedPort(t)}
	var named *cloudlink.WebsocketError
	troubled := []string{"502", "503", "504"} // at upgrades alone: a link waits, and a trial names it
	for name, front := range map[string]*url.URL{
		"away": nothing, "proxy-before-nothing": before(t, nothing, nil),
		"502-everywhere": before(t, nothing, page(502)), "503-everywhere": before(t, nothing, page(503)),
		"502": before(t, at, page(502)), "503": before(t, at, page(503)), "504": before(t, at, page(504)),
	} {
		client := cloudlink.NewHTTPClient(nil, nil)
		if err := cloudlink.TryWebsocket(t.Context(), client, front); err == nil ||
			errors.As(err, &named) != slices.Contains(troubled, name) {
			t.Errorf("%s, trial: %v", name, err)
		}
		if err := dialOnce(t, &cloudlink.Link{URL: front, Client: client, Credential: c}); err == nil || errors.As(err, &named) {
			t.Errorf("%s, link: %v", name, err)
		}
	}
	if err := cloudlink.TryWebsocket(t.Context(), cloudlink.NewHTTPClient(nil, nil), at); err != nil {
		t.Error(err)
	}
	cloud.Refuse = func() *wire.Refusal { return &wire.Refusal{Code: wire.RefusedRevoked, Message: "revoked"} }
	var refusal *wire.Refusal
	err := dialOnce(t, &cloudlink.Link{URL: at, Client: cloudlink.NewHTTPClient(nil, nil), Credential: c})
	if !errors.As(err, &refusal) || errors.As(err, &named) {
		t.Error(err)
	}
}

// closedPort returns an address where nobody listens.
func closedPort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}
