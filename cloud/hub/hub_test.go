package hub_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/nats-io/nats.go"

	"ldap-gateway/cloudlink/wire"
)

func TestPasswordArrivesSealedAndIsOpened(t *testing.T) {
	n := startNode(t, time.Second)
	var got atomic.Value
	m := n.start(func(ctx context.Context, s wire.SignOn, password string) wire.SignOnResult {
		got.Store(password + "/" + s.UserType + "/" + s.Identifier)
		return ok(ctx, s, password)
	})
	for range 3 {
		if a := n.signOn("hunter2"); a.Outcome != wire.OutcomeOK || a.Instance != m.instance {
			t.Fatalf("%+v", a)
		}
	}
	if got.Load() != "hunter2/t1/alice" {
		t.Error(got.Load())
	}
}

// TestBusNeverCarriesThePassword listens to every subject of the bus.
func TestBusNeverCarriesThePassword(t *testing.T) {
	c := startNATS(t, 2)
	nodes := startNodes(t, c)
	m, n := nodes[0].start(ok), nodes[1]
	n.await("the other node knows the instance", func() bool { return n.live(m) })
	var heard atomic.Int64
	sub, err := c.listen(func(m *nats.Msg) {
		heard.Add(1)
		if bytes.Contains(m.Data, []byte("hunter2")) ||
			bytes.Contains(m.Data, []byte(base64.StdEncoding.EncodeToString([]byte("hunter2")))) {
			t.Errorf("%s carries the password", m.Subject)
		}
	})
	must(t, err)
	defer func() { must(t, sub.Unsubscribe()) }()
	for range 3 {
		if a := n.signOn("hunter2"); a.Outcome != wire.OutcomeOK {
			t.Errorf("%+v", a)
		}
	}
	n.await("both ways were heard", func() bool { return heard.Load() >= 6 })
}

func TestNoInstanceIsToldAtOnce(t *testing.T) {
	n := startNode(t, time.Second)
	from := time.Now()
	if a := n.signOn("x"); a.Outcome != wire.OutcomeDirectoryUnavailable || a.BindSent {
		t.Errorf("%+v", a)
	}
	if d := time.Since(from); d > time.Second {
		t.Errorf("after %s", d)
	}
}

func TestRestartedAgentGetsTheKeyAgain(t *testing.T) {
	n := startNode(t, time.Second)
	m := n.start(ok)
	n.signOn("x")
	m.forget(t)
	before := m.person.count()
	if a := n.signOn("x"); a.Outcome != wire.OutcomeOK {
		t.Errorf("%+v", a)
	}
	if asked := m.person.count() - before; asked != 2 {
		t.Errorf("asked %d times, want one refusal and one answer", asked)
	}
}

// TestHandOn has a first instance answer each outcome: another is asked only
// when no bind can have happened.
func TestHandOn(t *testing.T) {
	for name, c := range map[string]struct {
		first wire.SignOnResult
		on    bool
	}{
		"busy":              {wire.SignOnResult{Outcome: wire.OutcomeBusy}, true},
		"unavailable":       {wire.SignOnResult{Outcome: wire.OutcomeDirectoryUnavailable}, true},
		"unavailable-bound": {wire.SignOnResult{Outcome: wire.OutcomeDirectoryUnavailable, BindSent: true}, false},
		"busy-bound":        {wire.SignOnResult{Outcome: wire.OutcomeBusy, BindSent: true}, false},
		"key-bound":         {wire.SignOnResult{Outcome: wire.OutcomeBusy, BindSent: true, KeyUnknown: true}, false},
		"wrong":             {wire.SignOnResult{Outcome: wire.OutcomeInvalidCredentials, BindSent: true}, false},
		"unknown":           {wire.SignOnResult{Outcome: wire.OutcomeUnknown, BindSent: true}, false},
		"no-such-user":      {wire.SignOnResult{Outcome: wire.OutcomeNoSuchUser}, false},
		"timeout":           {wire.SignOnResult{Outcome: wire.OutcomeTimeout}, false},
		"no-outcome":        {wire.SignOnResult{}, false},
		"other-sign-on":     {wire.SignOnResult{ID: "another", Outcome: wire.OutcomeOK}, false},
	} {
		t.Run(name, func(t *testing.T) {
			n := startNode(t, time.Second)
			first := n.start(fixed(c.first))
			second := n.start(fixed(c.first))
			a := n.signOn("x")
			asked := first.person.count() + second.person.count()
			if want := map[bool]int{true: 2, false: 1}[c.on]; asked != want {
				t.Errorf("%d instances asked, want %d: %+v", asked, want, a)
			}
			if c.first.Outcome == 0 || c.first.ID != "" {
				if a.Outcome != wire.OutcomeUnknown || !a.BindSent {
					t.Errorf("%+v", a)
				}
			}
		})
	}
}

func TestLinkLostAfterSendingIsUnknown(t *testing.T) {
	n := startNode(t, time.Second)
	var once sync.Once
	cut := make(chan struct{})
	hold := func(ctx context.Context, _ wire.SignOn, _ string) wire.SignOnResult {
		once.Do(func() { close(cut) })
		<-ctx.Done()
		return wire.SignOnResult{Outcome: wire.OutcomeUnknown, BindSent: true}
	}
	first, second := n.start(hold), n.start(hold)
	go func() {
		<-cut
		n.server.CloseClientConnections()
		n.hub.Revoked(first.instance) // ends the links at once, as a cable cut would in the end
		n.hub.Revoked(second.instance)
	}()
	if a := n.signOn("x"); a.Outcome != wire.OutcomeUnknown || !a.BindSent {
		t.Errorf("%+v", a)
	}
	if asked := first.person.count() + second.person.count(); asked != 1 {
		t.Errorf("asked %d times", asked)
	}
}

// torn is a listener whose next write of so many bytes or more comes through in part
// only, when it is told so.
type torn struct {
	net.Listener
	least atomic.Int64 // 0: all is well
}

func (l *torn) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	return tornConn{c, l}, err
}

type tornConn struct {
	net.Conn
	by *torn
}

func (c tornConn) Write(b []byte) (int, error) {
	least := c.by.least.Load()
	if least == 0 || int64(len(b)) < least || !c.by.least.CompareAndSwap(least, 0) {
		return c.Conn.Write(b)
	}
	n, _ := c.Conn.Write(b[:len(b)/2])
	return n, syscall.ECONNRESET
}

// TestHalfARequestIsNone has a link break while a request is being written: the
// agent has not seen it, so another link may take it.
func TestHalfARequestIsNone(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	breaking := &torn{Listener: l}
	n := startNodeAt(t, breaking, 10*time.Second)
	m := n.start(ok)
	breaking.least.Store(200) // more than any other frame has
	if a := n.signOn("x"); a.Outcome != wire.OutcomeOK {
		t.Errorf("%+v", a)
	}
	if breaking.least.Load() != 0 || m.person.count() != 1 {
		t.Errorf("asked %d times", m.person.count())
	}
}

// TestBrokenHeartbeatIsNoRequest has a link break while another frame is written
// than the request that waits for its answer: the agent has seen that one.
func TestBrokenHeartbeatIsNoRequest(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	breaking := &torn{Listener: l}
	n := startNodeAt(t, breaking, time.Second)
	m := n.start(func(ctx context.Context, _ wire.SignOn, _ string) wire.SignOnResult {
		// The next is the answer to the second heartbeat, and has the request's number by chance.
		breaking.least.Store(1)
		<-ctx.Done()
		return wire.SignOnResult{Outcome: wire.OutcomeUnknown, BindSent: true}
	})
	if a := n.signOn("x"); a.Outcome != wire.OutcomeUnknown || !a.BindSent || m.person.count() != 1 {
		t.Errorf("asked %d times: %+v", m.person.count(), a)
	}
}

func TestRevokedInstanceIsCutAndRefused(t *testing.T) {
	n := startNode(t, time.Second)
	m := n.start(ok)
	from := time.Now()
	must(t, n.store.RevokeInstance(t.Context(), n.gateway.EnvironmentID, n.gateway.ID, m.instance, "test", time.Now()))
	n.hub.Revoked(m.instance)
	n.await("the link is cut", func() bool { return !n.live(m) })
	if d := time.Since(from); d > 5*time.Second {
		t.Errorf("cut after %s", d)
	}
	n.await("it is refused", func() bool {
		r, is := m.link.State().LastError.(*wire.Refusal)
		return is && r.Code == wire.RefusedRevoked
	})
	if a := n.signOn("x"); a.Outcome != wire.OutcomeDirectoryUnavailable {
		t.Errorf("%+v", a)
	}
}

func TestChangedUserTypesAreDelivered(t *testing.T) {
	n := startNode(t, time.Second)
	m := n.start(ok)
	g, err := n.store.GatewayByID(t.Context(), n.gateway.ID)
	must(t, err)
	g.UserTypes[0].FilterPattern = "(mail=${identifier})"
	must(t, n.store.UpdateGateway(t.Context(), &g))
	n.hub.UserTypesChanged(g.ID)
	n.await("the change is delivered", func() bool {
		d := m.deliveries()
		return d[len(d)-1].Types[0].Filter == "(mail=${identifier})"
	})
	g.Enabled = false
	must(t, n.store.UpdateGateway(t.Context(), &g))
	n.hub.UserTypesChanged(g.ID)
	n.await("a gateway that is switched off has no link", func() bool { return !n.live(m) })
}

// TestDoor has everyone stand at the door who must stay outside.
func TestDoor(t *testing.T) {
	n := startNode(t, time.Second)
	m, other := n.pair(ok), n.pair(ok)
	now := time.Now()
	sign := func(instance, audience string, at time.Time, key *machine) string {
		h, err := wire.NewAssertion(instance, audience, 0, at).Sign(key.keys.Key)
		must(t, err)
		return h
	}
	given := func(ago time.Duration) string { // whatever time it claims
		a := wire.NewAssertion(m.instance, n.server.URL, 0, now)
		h, err := a.With(wire.NewNonces([]byte(nonceKey)).Give(now.Add(-ago))).Sign(m.keys.Key)
		must(t, err)
		return h
	}
	used := sign(m.instance, n.server.URL, now, m)
	if code := n.knock(used, ""); code != "" {
		t.Fatalf("a good assertion is refused: %s", code)
	}
	if code := n.knock(given(wire.NonceLife+time.Second), ""); code != wire.RefusedClock {
		t.Fatalf("made for later: %q", code)
	}
	for name, c := range map[string]struct {
		header, origin string
		want           wire.RefusalCode
	}{
		"replayed":         {used, "", wire.RefusedReplay},
		"nothing":          {"", "", wire.RefusedAssertion},
		"another-key":      {sign(m.instance, n.server.URL, now, other), "", wire.RefusedAssertion},
		"another-cloud":    {sign(m.instance, "https://id.example.com", now, m), "", wire.RefusedAssertion},
		"old":              {sign(m.instance, n.server.URL, now.Add(-time.Hour), m), "", wire.RefusedClock},
		"unknown-instance": {sign("nobody", n.server.URL, now, m), "", wire.RefusedRevoked},
		"browser":          {sign(m.instance, n.server.URL, now, m), "https://evil.example.com", wire.RefusedAssertion},
	} {
		t.Run(name, func(t *testing.T) {
			if got := n.knock(c.header, c.origin); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

// TestNonceIsDemandedOfWhoHasSentOne has an instance prove itself as agents of before do,
// then with a nonce of the cloud, and then with one of its own, or of another cloud, on
// this node and another: a proof that somebody else had made for later. Paired anew, the
// machine may have any version.
func TestNonceIsDemandedOfWhoHasSentOne(t *testing.T) {
	n := startNode(t, time.Second)
	m := n.pair(ok)
	knock := func(m *machine, nonces *wire.Nonces) wire.RefusalCode {
		i, err := n.store.Instance(t.Context(), m.instance)
		must(t, err)
		a := wire.NewAssertion(i.ID, n.server.URL, m.epoch.Load(), time.Now())
		if nonces != nil {
			a = a.With(nonces.Give(time.Now()))
		}
		h, err := a.Sign(m.keys.Key)
		must(t, err)
		code := n.knock(h, "")
		if code == "" {
			m.epoch.Add(1)
		}
		return code
	}
	ours, others := wire.NewNonces([]byte(nonceKey)), wire.NewNonces(nil)
	for _, before := range []*wire.Nonces{nil, &others, nil, &ours, &ours} {
		if code := knock(m, before); code != "" {
			t.Fatalf("an agent that has sent none of ours is refused: %s", code)
		}
	}
	for range 2 {
		for name, nonces := range map[string]*wire.Nonces{"none": nil, "another-cloud's": &others} {
			if code := knock(m, nonces); code != wire.RefusedNonce {
				t.Errorf("%s: %q", name, code)
			}
		}
		if code := knock(m, &ours); code != "" {
			t.Errorf("with ours: %s", code)
		}
		n.restartHub()
	}
	if code := knock(n.pair(ok), nil); code != "" {
		t.Errorf("paired anew: %s", code)
	}
	status, err := http.Get(n.server.URL + wire.PathStatus)
	must(t, err)
	must(t, status.Body.Close())
	if status.Header.Get("Cache-Control") != "no-store" {
		t.Error("what is between may keep a nonce")
	}
}

// knock dials with an Authorization header and returns why it was refused.
func (n *node) knock(header, origin string) wire.RefusalCode {
	n.t.Helper()
	h := http.Header{"Authorization": {header}}
	if origin != "" {
		h.Set("Origin", origin)
	}
	ws, resp, err := websocket.Dial(n.t.Context(), n.server.URL+wire.PathConnect, &websocket.DialOptions{
		HTTPHeader:   h,
		Subprotocols: []string{wire.Subprotocol},
	})
	if err == nil {
		_ = ws.CloseNow()
		return ""
	}
	var r wire.Refusal
	must(n.t, json.NewDecoder(resp.Body).Decode(&r))
	if r.Message == "" || r.Time.IsZero() {
		n.t.Errorf("a refusal without words or time: %+v", r)
	}
	return r.Code
}

// TestHostileFrames has a proven instance send what no agent sends.
func TestHostileFrames(t *testing.T) {
	n := startNode(t, time.Second)
	good := n.start(ok)
	hello, err := wire.NewFrame(wire.KindHello, 0, 0, wire.Hello{Versions: wire.Versions()})
	must(t, err)
	answer, err := wire.NewFrame(
		wire.KindSignOnResult,
		12345,
		0,
		wire.SignOnResult{ID: "never", Outcome: wire.OutcomeOK},
	)
	must(t, err)
	old, err := wire.NewFrame(wire.KindHello, 0, 0, wire.Hello{Versions: []uint16{99}})
	must(t, err)
	t.Run("all", func(t *testing.T) { n.sendHostile(t, hello, answer, old) })
	if a := n.signOn("x"); a.Outcome != wire.OutcomeOK || a.Instance != good.instance {
		t.Errorf("afterwards: %+v", a)
	}
}

func (n *node) sendHostile(t *testing.T, hello, answer, old wire.Frame) {
	for name, frames := range map[string][][]byte{
		"silence":           {},
		"garbage":           {[]byte("garbage")},
		"no-hello":          {encode(t, answer)},
		"other-version":     {encode(t, old)},
		"large-hello":       {make([]byte, wire.MaxFirstFrame+1)},
		"large-frame":       {encode(t, hello), make([]byte, wire.MaxFrame+1)},
		"unasked-answers":   {encode(t, hello), encode(t, answer), encode(t, answer)},
		"hello-then-silent": {encode(t, hello)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := n.pair(ok)
			h, err := wire.NewAssertion(m.instance, n.server.URL, 0, time.Now()).Sign(m.keys.Key)
			must(t, err)
			ws, _, err := websocket.Dial(t.Context(), n.server.URL+wire.PathConnect, &websocket.DialOptions{
				HTTPHeader: http.Header{"Authorization": {h}}, Subprotocols: []string{wire.Subprotocol}})
			must(t, err)
			defer ws.CloseNow()
			for _, f := range frames {
				_ = ws.Write(t.Context(), websocket.MessageBinary, f)
			}
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			defer cancel()
			for err == nil { // until the hub cuts the connection
				_, _, err = ws.Read(ctx)
			}
			if ctx.Err() != nil {
				t.Error("never cut off")
			}
		})
	}
}

func encode(t *testing.T, f wire.Frame) []byte {
	t.Helper()
	b, err := f.Encode()
	must(t, err)
	return b
}

// signOnsMeanwhile signs on without a pause, several at once, until the returned
// function is called; every one has to be ok.
func (n *node) signOnsMeanwhile(atOnce int) (end func()) {
	stop := make(chan struct{})
	var wg sync.WaitGroup
	var done atomic.Int64
	for range atOnce {
		wg.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				if a := n.signOn("x"); a.Outcome != wire.OutcomeOK {
					n.t.Errorf("%+v", a)
				}
				done.Add(1)
			}
		})
	}
	return func() { close(stop); wg.Wait(); n.t.Logf("%d sign-ons meanwhile", done.Load()) }
}

// restart ends a machine's link as a stop does, and waits for the next.
func (n *node) restart(m *machine) {
	n.t.Helper()
	m.stop()
	from := time.Now()
	n.run(m)
	n.await("it is back", func() bool { return n.liveSince(m, from) })
}

// TestNothingIsLostWhenAgentsComeAndGo restarts each of two instances in turn.
func TestNothingIsLostWhenAgentsComeAndGo(t *testing.T) {
	n := startNode(t, time.Second)
	machines := []*machine{n.start(ok), n.start(ok)}
	defer n.signOnsMeanwhile(8)()
	for range 3 {
		for _, m := range machines {
			n.restart(m)
		}
	}
}

// TestOnlyAgentRestarts has sign-ons go on while the one agent there is restarts.
func TestOnlyAgentRestarts(t *testing.T) {
	n := startNode(t, time.Second)
	m := n.start(ok)
	defer n.signOnsMeanwhile(4)()
	for range 3 {
		n.restart(m)
	}
}

func TestDeletedGatewayHasNoInstances(t *testing.T) {
	n := startNode(t, time.Second)
	m := n.start(ok)
	must(t, n.store.DeleteGateway(t.Context(), n.gateway.EnvironmentID, n.gateway.ID, true))
	n.hub.UserTypesChanged(n.gateway.ID)
	n.await("its link is cut", func() bool { return !n.live(m) })
	if _, err := n.store.Instance(t.Context(), m.instance); err == nil {
		i, _ := n.store.Instance(t.Context(), m.instance)
		if i.RevokedAt.IsZero() {
			t.Error("its instance is good for another link")
		}
	}
}
