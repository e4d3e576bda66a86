package hub_test

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/fxamacker/cbor/v2"

	"ldap-gateway/cloud/hub"
	"ldap-gateway/cloudlink/wire"
)

func (n *node) look(instance string, groups ...string) []wire.Sight {
	n.t.Helper()
	ctx, cancel := context.WithTimeout(n.t.Context(), 5*time.Second)
	defer cancel()
	q := hub.Look{
		ID:       "s1",
		Gateway:  n.gateway.ID,
		Instance: instance,
		UserType: "t1",
		Revision: 1,
	}
	for _, dn := range groups {
		q.Groups = append(q.Groups, wire.LookGroup{DN: dn})
	}
	out := n.hub.Look(ctx, q)
	if len(out) != len(groups) {
		n.t.Fatalf("%d answers for %d groups", len(out), len(groups))
	}
	return out
}

// TestLookAsksTheInstanceOfTheSignOn and no other, and takes an answer for what it is worth.
func TestLookAsksTheInstanceOfTheSignOn(t *testing.T) {
	n := startNode(t, time.Second)
	first, other := n.start(ok), n.start(ok)
	seen := func(groups ...wire.Sight) func(wire.Look) wire.Looked {
		return func(m wire.Look) wire.Looked {
			return wire.Looked{ID: m.ID, Outcome: wire.OutcomeOK, Groups: groups}
		}
	}
	other.person.look = func(wire.Look) wire.Looked {
		t.Error("another instance was asked")
		return wire.Looked{}
	}
	untold := wire.Sight{Finding: wire.FindingUntellable, Reason: wire.LookNotAsked}
	for name, c := range map[string]struct {
		look func(wire.Look) wire.Looked
		want wire.Sight
	}{
		"seen": {seen(wire.Sight{
			Finding: wire.FindingSeen,
			Stamp:   "1",
		}), wire.Sight{Finding: wire.FindingSeen, Stamp: "1"}},
		"untellable": {seen(wire.Sight{
			Finding: wire.FindingUntellable,
			Reason:  wire.LookComputed,
		}), wire.Sight{Finding: wire.FindingUntellable, Reason: wire.LookComputed}},
		"unknown":  {seen(wire.Sight{Finding: 77, Reason: 200}), untold},
		"none":     {seen(), untold},
		"too many": {seen(wire.Sight{Finding: wire.FindingSeen}, wire.Sight{Finding: wire.FindingSeen}), untold},
		"refused":  {nil, untold},
		"other": {func(wire.Look) wire.Looked {
			return wire.Looked{ID: "s2", Outcome: wire.OutcomeOK, Groups: []wire.Sight{{Finding: wire.FindingSeen}}}
		}, untold},
	} {
		first.person.mu.Lock()
		first.person.look = c.look
		first.person.mu.Unlock()
		if got := n.look(first.instance, "cn=g"); got[0] != c.want {
			t.Errorf("%s: %+v", name, got)
		}
	}
	if got := n.look("gone", "cn=g", "cn=h"); got[0] != untold || got[1] != untold {
		t.Errorf("%+v", got)
	}
}

// TestAgentOfTheVersionBeforeIsNotAsked: it would not know the question.
func TestAgentOfTheVersionBeforeIsNotAsked(t *testing.T) {
	n := startNode(t, time.Second)
	m := n.pair(ok)
	h, err := wire.NewAssertion(m.instance, n.server.URL, 0, time.Now()).Sign(m.keys.Key)
	must(t, err)
	ws, _, err := websocket.Dial(t.Context(), n.server.URL+wire.PathConnect, &websocket.DialOptions{
		HTTPHeader: http.Header{"Authorization": {h}}, Subprotocols: []string{wire.Subprotocol}})
	must(t, err)
	defer ws.CloseNow()
	hello, err := wire.NewFrame(wire.KindHello, 0, 0, wire.Hello{Versions: []uint16{1}, Software: "0.1"})
	must(t, err)
	must(t, ws.Write(t.Context(), websocket.MessageBinary, encode(t, hello)))
	_, b, err := ws.Read(t.Context())
	must(t, err)
	f, err := wire.DecodeFrame(b)
	must(t, err)
	var welcome wire.Welcome
	if must(t, f.Decode(&welcome)); welcome.Version != 1 {
		t.Fatalf("%+v", welcome)
	}
	beat, err := wire.NewFrame(wire.KindHeartbeat, 1, 0, wire.Heartbeat{})
	must(t, err)
	must(t, ws.Write(t.Context(), websocket.MessageBinary, encode(t, beat)))
	n.await("it is live", func() bool { return n.live(m) })
	if got := n.look(m.instance, "cn=g"); got[0] != (wire.Sight{
		Finding: wire.FindingUntellable,
		Reason:  wire.LookOldAgent,
	}) {
		t.Errorf("%+v", got)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go n.hub.SignOn(ctx, hub.Request{
		ID: "s1", Gateway: n.gateway.ID, UserType: "t1", Revision: 1, Browser: wire.BrowserKnown, Password: []byte("x"),
	})
	go n.hub.ChangePassword(ctx, hub.Change{
		ID: "c1", Gateway: n.gateway.ID, UserType: "t1", Revision: 1, Browser: wire.BrowserStrange, Old: []byte("x"), New: []byte("y"),
	})
	for asked := 0; asked < 2; {
		_, b, err := ws.Read(t.Context())
		must(t, err)
		f, err := wire.DecodeFrame(b)
		must(t, err)
		if f.Kind != wire.KindSignOn && f.Kind != wire.KindChangePassword {
			continue
		}
		asked++
		var body map[int]any
		must(t, cbor.Unmarshal(f.Body, &body))
		for field, value := range body {
			if field > 7 {
				t.Errorf("%s: field %d is of a later version", f.Kind, field)
			}
			if sealed, is := value.(map[any]any); is && sealed[uint64(5)] != nil {
				t.Errorf("%s: what is sealed in field %d has a time", f.Kind, field)
			}
		}
	}
}
