package hub_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"runtime"
	"testing"
	"time"

	"github.com/coder/websocket"

	"ldap-gateway/cloudlink/wire"
)

// TestIdleLinkIsSmall: of links over TLS that have beaten, and say nothing now, each has one goroutine
// and at most eight KB of stack: an agent that is there and not asked costs no more. The agents' ends
// have neither here.
func TestIdleLinkIsSmall(t *testing.T) {
	const many = 150
	n := startNode(t, 10*time.Second)
	site := httptest.NewTLSServer(n.server.Config.Handler)
	t.Cleanup(site.Close)
	for range 10 { // what is made once
		n.mute(site)
	}
	stack, goroutines := idle()
	for range many {
		n.mute(site)
	}
	more := func() int { return runtime.NumGoroutine() - goroutines }
	n.await("each has one goroutine", func() bool { return more() == many })
	after, _ := idle()
	if each := (after - stack) / many; each > mostStack {
		t.Errorf("each has %d bytes of stack", each)
	}
	t.Logf("each has %d bytes of stack", (after-stack)/many)
}

// idle returns the bytes of all stacks, and how many there are, once what is over is gone.
func idle() (stack int64, goroutines int) {
	for range 3 {
		runtime.GC()
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.StackInuse), runtime.NumGoroutine()
}

// mute opens a link of an agent that takes its user types, beats, and does nothing more: it has no
// goroutine.
func (n *node) mute(site *httptest.Server) {
	n.t.Helper()
	m := n.pair(ok)
	proof, err := wire.NewAssertion(m.instance, n.server.URL, 0, time.Now()).Sign(m.keys.Key)
	must(n.t, err)
	ws, _, err := websocket.Dial(n.t.Context(), site.URL+wire.PathConnect, &websocket.DialOptions{
		HTTPClient:   site.Client(),
		HTTPHeader:   http.Header{"Authorization": {proof}},
		Subprotocols: []string{wire.Subprotocol},
	})
	must(n.t, err)
	n.t.Cleanup(func() { _ = ws.CloseNow() })
	n.say(ws, wire.KindHello, 0, wire.Hello{Versions: wire.Versions(), Hostname: "h", PolicyHash: "p"})
	n.hear(ws, wire.KindWelcome)
	types := n.hear(ws, wire.KindUserTypes)
	n.say(ws, wire.KindUserTypesAnswer, types.ID, wire.UserTypesAnswer{Revision: 1})
	for beat := range 3 {
		n.say(ws, wire.KindHeartbeat, uint64(beat+1), wire.Heartbeat{
			Epoch:   1,
			Servers: []wire.Server{{URL: "ldaps://dc1", State: "up", Vendor: "OpenLDAP"}},
		})
		n.hear(ws, wire.KindHeartbeat)
	}
}

// say sends a frame as an agent.
func (n *node) say(ws *websocket.Conn, kind wire.Kind, id uint64, body any) {
	n.t.Helper()
	f, err := wire.NewFrame(kind, id, 0, body)
	must(n.t, err)
	b, err := f.Encode()
	must(n.t, err)
	must(n.t, ws.Write(context.Background(), websocket.MessageBinary, b))
}

// hear returns the next frame, which is of a kind.
func (n *node) hear(ws *websocket.Conn, kind wire.Kind) wire.Frame {
	n.t.Helper()
	_, b, err := ws.Read(context.Background())
	must(n.t, err)
	f, err := wire.DecodeFrame(b)
	must(n.t, err)
	if f.Kind != kind {
		n.t.Fatalf("%s instead of %s", f.Kind, kind)
	}
	return f
}
