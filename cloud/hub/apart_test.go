package hub

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/coder/websocket"
	"github.com/hashicorp/go-hclog"

	"ldap-gateway/cloudlink/wire"
)

// TestFaultEndsOneLink: where a part of a link panics, here because there is no store, that link ends
// and is no longer one of the node's, and the program goes on.
func TestFaultEndsOneLink(t *testing.T) {
	h, err := New(Config{Logger: hclog.NewNullLogger()})
	if err != nil {
		t.Fatal(err)
	}
	for name, part := range map[string]func(*link){
		"serving": func(l *link) { l.hub.keep(l) },
		"sending": func(l *link) { l.deliverSoon() },
		"reading": func(l *link) {
			l.guarded(t.Context(), func(ctx context.Context) { _ = l.takeHeartbeat(ctx, heartbeat(t)) })
		},
	} {
		t.Run(name, func(t *testing.T) {
			ended := make(chan struct{})
			site := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				ws, err := websocket.Accept(w, r, nil)
				if err != nil {
					t.Error(err)
					return
				}
				l := newLink(h, ws, Live{Link: name, Instance: name, Gateway: "g"})
				h.enter(l)
				part(l)
				<-l.over
				if name != "serving" {
					h.exit(l)
				}
				close(ended)
			}))
			defer site.Close()
			ws, _, err := websocket.Dial(t.Context(), site.URL, nil)
			if err != nil {
				t.Fatal(err)
			}
			defer ws.CloseNow()
			<-ended
			if len(h.links) != 0 {
				t.Error("it is still a link of the node")
			}
		})
	}
}

// heartbeat is one that confirms the epoch of a link that has begun none.
func heartbeat(t *testing.T) wire.Frame {
	t.Helper()
	f, err := wire.NewFrame(wire.KindHeartbeat, 1, 0, wire.Heartbeat{})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// TestApart: an error, and a panic, of what is run apart are those of who had it run.
func TestApart(t *testing.T) {
	want := errors.New("an error")
	if err := apart(func() error { return want }); err != want {
		t.Error(err)
	}
	if err := apart(func() error { return nil }); err != nil {
		t.Error(err)
	}
	defer func() {
		if recover() == nil {
			t.Error("the panic is lost")
		}
	}()
	_ = apart(func() error { panic("a fault") })
}
