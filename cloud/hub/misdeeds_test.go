package hub_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/coder/websocket"

	"ldap-gateway/cloudlink/wire"
)

// TestBadAnswersNameTheInstance has an instance say what none of ours says, in every way:
// nobody signs on by it, and it is kept of the instance, for an alert that names it.
func TestBadAnswersNameTheInstance(t *testing.T) {
	n := startNode(t, time.Second)
	frame := func(t *testing.T, kind wire.Kind, id uint64, body any) []byte {
		f, err := wire.NewFrame(kind, id, 0, body)
		must(t, err)
		return encode(t, f)
	}
	asked := func(t *testing.T, f wire.Frame) wire.SignOn {
		var m wire.SignOn
		must(t, f.Decode(&m))
		return m
	}
	right := func(id string) wire.SignOnResult {
		return wire.SignOnResult{ID: id, Outcome: wire.OutcomeOK, BindSent: true, Entry: &wire.Entry{DN: "uid=x"}}
	}
	for name, c := range map[string]struct {
		say  func(t *testing.T, f wire.Frame) [][]byte
		kept string
	}{
		"right": {func(t *testing.T, f wire.Frame) [][]byte {
			return [][]byte{frame(t, wire.KindSignOnResult, f.ID, right(asked(t, f).ID))}
		}, ""},
		"of another sign-on": {func(t *testing.T, f wire.Frame) [][]byte {
			return [][]byte{frame(t, wire.KindSignOnResult, f.ID, right("another"))}
		}, "not to what it was asked"},
		"unknown outcome": {func(t *testing.T, f wire.Frame) [][]byte {
			return [][]byte{frame(t, wire.KindSignOnResult, f.ID, wire.SignOnResult{ID: asked(t, f).ID, Outcome: 99})}
		}, "not to what it was asked"},
		"of another kind": {func(t *testing.T, f wire.Frame) [][]byte {
			return [][]byte{frame(t, wire.KindPasswordChanged, f.ID, wire.PasswordChanged{ID: asked(t, f).ID, Outcome: wire.OutcomeOK})}
		}, "what it was not asked"},
		"value too long": {func(t *testing.T, f wire.Frame) [][]byte {
			r := right(asked(t, f).ID)
			r.Entry.Attributes = map[string][]string{"mail": {strings.Repeat("x", 70_000)}}
			return [][]byte{frame(t, wire.KindSignOnResult, f.ID, r)}
		}, "malformed"},
		"of no form": {func(t *testing.T, f wire.Frame) [][]byte {
			return [][]byte{frame(t, wire.KindSignOnResult, f.ID, []int{1, 2})}
		}, "malformed"},
		"garbage": {func(*testing.T, wire.Frame) [][]byte { return [][]byte{[]byte("garbage")} }, "no message"},
		"talk": {func(t *testing.T, _ wire.Frame) (all [][]byte) {
			for range 100 {
				all = append(all, frame(t, wire.KindHeartbeat, 0, wire.Heartbeat{}))
			}
			return all
		}, "more than an agent does"},
	} {
		t.Run(name, func(t *testing.T) {
			id := n.answersBy(t, func(f wire.Frame) [][]byte { return c.say(t, f) })
			a := n.signOn("x")
			if (a.Outcome == wire.OutcomeOK) != (c.kept == "") {
				t.Errorf("%+v", a)
			}
			i, err := n.store.Instance(t.Context(), id)
			must(t, err)
			if c.kept == "" && (i.BadAnswer != "" || !i.BadAnswerAt.IsZero()) ||
				!strings.Contains(i.BadAnswer, c.kept) || c.kept != "" && time.Since(i.BadAnswerAt) > time.Minute {
				t.Errorf("kept %q at %s", i.BadAnswer, i.BadAnswerAt)
			}
		})
	}
}

// answersBy links an instance that says the bytes which say makes of each sign-on, and
// returns its ID.
func (n *node) answersBy(t *testing.T, say func(wire.Frame) [][]byte) string {
	t.Helper()
	m := n.pair(ok)
	h, err := wire.NewAssertion(m.instance, n.server.URL, 0, time.Now()).Sign(m.keys.Key)
	must(t, err)
	ws, _, err := websocket.Dial(t.Context(), n.server.URL+wire.PathConnect, &websocket.DialOptions{
		HTTPHeader: http.Header{"Authorization": {h}}, Subprotocols: []string{wire.Subprotocol}})
	must(t, err)
	ws.SetReadLimit(wire.MaxFrame)
	hello, err := wire.NewFrame(wire.KindHello, 0, 0, wire.Hello{Versions: wire.Versions()})
	must(t, err)
	must(t, ws.Write(t.Context(), websocket.MessageBinary, encode(t, hello)))
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for {
			_, b, err := ws.Read(t.Context())
			if err != nil {
				return
			}
			f, err := wire.DecodeFrame(b)
			var said [][]byte
			switch {
			case err != nil:
			case f.Kind == wire.KindUserTypes: // which makes the link known
				taken, err := wire.NewFrame(wire.KindUserTypesAnswer, f.ID, 0, wire.UserTypesAnswer{Revision: n.gateway.Revision})
				must(t, err)
				said = [][]byte{encode(t, taken)}
			case f.Kind == wire.KindSignOn:
				said = say(f)
			}
			for _, out := range said {
				_ = ws.Write(t.Context(), websocket.MessageBinary, out)
			}
		}
	}()
	t.Cleanup(func() {
		_ = ws.CloseNow()
		<-ended
		n.await("it is gone", func() bool { return len(n.hub.Live(n.gateway.ID)) == 0 })
	})
	n.await("it is linked", func() bool { return len(n.hub.Live(n.gateway.ID)) == 1 })
	return m.instance
}

// TestTextsSteerNoTerminal: what an instance says to people has no control characters.
func TestTextsSteerNoTerminal(t *testing.T) {
	n := startNode(t, time.Second)
	n.start(func(_ context.Context, m wire.SignOn, _ string) wire.SignOnResult {
		return wire.SignOnResult{ID: m.ID, Outcome: wire.OutcomeNotAllowed, Reason: "\x1b[31mred\x07\r\nnext\u009b2J " + strings.Repeat("x", 5000)}
	})
	n.await("it is linked", func() bool { return len(n.hub.Live(n.gateway.ID)) == 1 })
	a := n.signOn("x")
	if strings.ContainsFunc(a.Reason, unicode.IsControl) || !strings.Contains(a.Reason, "red") || len(a.Reason) > 1024 {
		t.Errorf("%q", a.Reason)
	}
}
