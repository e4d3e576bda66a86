package cloud

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"ldap-gateway/cloudlink/wire"
)

// TestHostileAgents lets agents do what they must not. Nothing crosses from one
// gateway to another, and after each case the cloud serves the agent that behaves
// well, within five seconds, and holds no more than mostHeap more than before.
func TestHostileAgents(t *testing.T) {
	s := startSiege(t)
	for name, attack := range map[string]func(*siege, *testing.T){
		"stolen-key-of-a-revoked-instance": revokedKey,
		"replayed-assertion":               replayedAssertion,
		"anothers-instance":                anothersInstance,
		"answers-never-asked-for":          unaskedAnswers,
		"answers-for-another-gateway":      answersForAnother,
		"two-answers":                      twoAnswers,
		"ten-megabytes-of-groups":          tenMegabytes,
		"hundred-thousand-groups":          hundredThousandGroups,
		"user-of-another-gateway":          userOfAnother,
		"group-of-another-gateway":         groupOfAnother,
		"user-types-of-another-gateway":    userTypesOfAnother,
		"value-of-a-megabyte":              longValue,
		"thousand-reconnects":              thousandReconnects,
		"half-open-sockets":                halfOpen,
		"slow-loris-before-the-hello":      slowLoris,
		"enormous-heartbeats":              enormousHeartbeats,
		"html-in-every-text":               html,
		"heartbeats-without-end":           manyHeartbeats,
		"rotations-without-end":            manyRotations,
	} {
		t.Run(name, func(t *testing.T) {
			attack(s, t)
			s.stands(t)
		})
	}
}

func revokedKey(s *siege, t *testing.T) {
	r := s.raid(t, wire.Hello{}, nil)
	from := time.Now()
	s.must("DELETE", "/gateways/"+s.hostile.Gateway+"/instances/"+r.c.instance, nil, nil)
	s.await(t, "the link is cut", r.isOver)
	if d := time.Since(from); d > 5*time.Second {
		t.Errorf("cut after %s", d)
	}
	for epoch := range uint64(3) {
		if _, code := s.knock(s.proof(r.c, epoch)); code != wire.RefusedRevoked {
			t.Errorf("at epoch %d: %q", epoch, code)
		}
	}
}

func replayedAssertion(s *siege, t *testing.T) {
	c := s.pair(s.hostile, "x")
	header := s.proof(c, 0)
	ws, code := s.knock(header)
	if ws == nil {
		t.Fatal(code)
	}
	defer ws.CloseNow()
	if _, code := s.knock(header); code != wire.RefusedReplay {
		t.Errorf("%q", code)
	}
}

func anothersInstance(s *siege, t *testing.T) {
	c := s.pair(s.hostile, "x")
	c.instance = s.good.instance
	if _, code := s.knock(s.proof(c, 0)); code != wire.RefusedAssertion {
		t.Errorf("%q", code)
	}
}

func unaskedAnswers(s *siege, t *testing.T) {
	r := s.raid(t, wire.Hello{}, nil)
	for id := range uint64(2000) {
		r.send(wire.KindSignOnResult, id, entryOf("never asked", "alice", "cn=admins,dc=x"))
	}
}

// answersForAnother knows everything of a sign-on at the other gateway, its ID
// included, and answers it first. The right agent's word is the one that counts.
func answersForAnother(s *siege, t *testing.T) {
	r := s.raid(t, wire.Hello{}, nil)
	s.good.mu.Lock()
	s.good.onAsk = func(id string) *wire.SignOnResult {
		for frame := range uint64(500) {
			r.send(wire.KindSignOnResult, frame, entryOf(id, "alice", "cn=admins,dc=x"))
		}
		return &wire.SignOnResult{ID: id, Outcome: wire.OutcomeInvalidCredentials, BindSent: true}
	}
	s.good.mu.Unlock()
	got := s.signOn("alice")
	s.good.mu.Lock()
	s.good.onAsk = nil
	s.good.mu.Unlock()
	if got.Outcome != "invalidCredentials" {
		t.Errorf("%+v", got)
	}
}

func twoAnswers(s *siege, t *testing.T) {
	s.raid(t, wire.Hello{}, func(r *raider, f wire.Frame, m wire.SignOn) {
		r.send(wire.KindSignOnResult, f.ID, wire.SignOnResult{
			ID:       m.ID,
			Outcome:  wire.OutcomeInvalidCredentials,
			BindSent: true,
		})
		r.send(wire.KindSignOnResult, f.ID, entryOf(m.ID, "twice"))
	})
	if got := s.signOn("twice"); got.Outcome != "invalidCredentials" {
		t.Errorf("%+v", got)
	}
}

func tenMegabytes(s *siege, t *testing.T) {
	r := s.raid(t, wire.Hello{}, func(r *raider, f wire.Frame, m wire.SignOn) {
		groups := make([]string, 0, 10<<10)
		for i := range cap(groups) {
			groups = append(groups, fmt.Sprintf("cn=%01000d,dc=x", i))
		}
		r.send(wire.KindSignOnResult, f.ID, entryOf(m.ID, "large", groups...))
	})
	if got := s.signOn("large"); got.Outcome != "unknown" {
		t.Errorf("%s, %s", got.Outcome, got.Reason)
	}
	s.await(t, "the link is cut", r.isOver)
}

func hundredThousandGroups(s *siege, t *testing.T) {
	s.raid(t, wire.Hello{}, func(r *raider, f wire.Frame, m wire.SignOn) {
		groups := make([]string, 0, 100_000)
		for i := range cap(groups) {
			groups = append(groups, fmt.Sprintf("cn=%d", i))
		}
		r.send(wire.KindSignOnResult, f.ID, entryOf(m.ID, "popular", groups...))
	})
	got := s.signOn("popular")
	if got.Outcome != "ok" || got.Membership.Verdict != "partial" || len(got.Groups) != 10_000 {
		t.Errorf("%s, %s, %s, %d groups", got.Outcome, got.Reason, got.Membership.Verdict, len(got.Groups))
	}
}

// userOfAnother answers for somebody with all that identifies alice, who came
// through the other gateway.
func userOfAnother(s *siege, t *testing.T) {
	s.raid(t, wire.Hello{}, func(r *raider, f wire.Frame, m wire.SignOn) {
		r.send(wire.KindSignOnResult, f.ID, entryOf(m.ID, "alice", "cn=admins,dc=x"))
	})
	if got := s.signOn("mallory"); got.Outcome != "notAllowed" || got.User.ID != "" {
		t.Errorf("%+v", got)
	}
}

// groupOfAnother brings a group of the name that one of the other gateway has.
func groupOfAnother(s *siege, t *testing.T) {
	s.raid(t, wire.Hello{}, func(r *raider, f wire.Frame, m wire.SignOn) {
		r.send(wire.KindSignOnResult, f.ID, entryOf(m.ID, "namesake", "cn=staff,dc=x"))
	})
	theirs, ours := s.signOn("namesake"), s.signOn("alice")
	if len(theirs.Groups) != 1 || len(ours.Groups) != 1 || theirs.Groups[0].ID == ours.Groups[0].ID {
		t.Errorf("%+v, %+v", theirs, ours)
	}
}

// userTypesOfAnother refuses the other gateway's user types, and claims to have
// a revision that will come.
func userTypesOfAnother(s *siege, t *testing.T) {
	r := s.raid(t, wire.Hello{}, nil)
	r.send(wire.KindUserTypesAnswer, 1, wire.UserTypesAnswer{
		Revision: 1 << 60,
		Refused:  []wire.Refused{{ID: s.honest.UserType, Reasons: []string{"no"}}},
	})
	if got := s.signOn("alice"); got.Outcome != "ok" {
		t.Errorf("%+v", got)
	}
}

func longValue(s *siege, t *testing.T) {
	s.raid(t, wire.Hello{}, func(r *raider, f wire.Frame, m wire.SignOn) {
		answer := entryOf(m.ID, "long")
		answer.Entry.Attributes["uid"] = []string{strings.Repeat("x", 1<<20)}
		r.send(wire.KindSignOnResult, f.ID, answer)
	})
	if got := s.signOn("long"); got.Outcome != "unknown" {
		t.Errorf("%+v", got)
	}
}

// thousandReconnects dials as fast as it can. All but sixty a minute are refused.
func thousandReconnects(s *siege, t *testing.T) {
	c := s.pair(s.hostile, "x")
	var throttled atomic.Int64
	var dialling sync.WaitGroup
	from := time.Now()
	for range 20 {
		dialling.Go(func() {
			for range 50 {
				ws, code := s.knock(s.proof(c, 0))
				if ws != nil {
					_ = ws.CloseNow()
				}
				if code == wire.RefusedThrottled {
					throttled.Add(1)
				}
			}
		})
	}
	dialling.Wait()
	t.Logf("1000 dials in %s", time.Since(from).Round(time.Millisecond))
	if n := throttled.Load(); n < 1000-2*60 { // a minute may end meanwhile
		t.Errorf("%d of 1000 were refused for their number", n)
	}
}

// halfOpen holds hundreds of connections that never get as far as a link. The
// cloud serves meanwhile, and cuts them.
func halfOpen(s *siege, t *testing.T) {
	address := strings.TrimPrefix(s.url, "http://")
	var conns []net.Conn
	for i := range 300 {
		c, err := net.Dial("tcp", address)
		must(t, err)
		defer c.Close()
		conns = append(conns, c)
		_, _ = c.Write([]byte([]string{
			"",
			"GET /link/v1/connect HTTP/1.1\r\nHost: x\r\nX-",
			"POST /link/v1/pair HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{",
		}[i%3]))
	}
	s.stands(t)
	for _, c := range conns[:2] { // the third kind has half a minute for its body
		_ = c.SetReadDeadline(time.Now().Add(15 * time.Second))
		if _, err := c.Read(make([]byte, 1)); err != nil && isTimeout(err) {
			t.Error("it is still open after 15 seconds")
		}
	}
}

func isTimeout(err error) bool {
	timeout, ok := err.(net.Error)
	return ok && timeout.Timeout()
}

// slowLoris opens a link by hand and sends its first frame a byte at a time.
func slowLoris(s *siege, t *testing.T) {
	c := s.pair(s.hostile, "x")
	conn, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
	must(t, err)
	defer conn.Close()
	nonce := make([]byte, 16)
	rand.Read(nonce)
	fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: %s\r\nSec-WebSocket-Protocol: %s\r\nAuthorization: %s\r\n\r\n",
		wire.PathConnect, base64.StdEncoding.EncodeToString(nonce), wire.Subprotocol, s.proof(c, 0))
	head := make([]byte, 1024)
	n, err := conn.Read(head)
	must(t, err)
	if !strings.HasPrefix(string(head[:n]), "HTTP/1.1 101") {
		t.Fatalf("%s", head[:n])
	}
	frame := binary.BigEndian.AppendUint16([]byte{0x82, 0x80 | 126}, 20_000) // a binary message of 20,000 masked bytes
	_, _ = conn.Write(append(frame, 0, 0, 0, 0))
	cut := make(chan struct{})
	go func() {
		defer close(cut)
		_, _ = conn.Read(make([]byte, 1))
	}()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	limit := time.After(10 * time.Second)
	for {
		select {
		case <-cut:
			return
		case <-tick.C:
			_, _ = conn.Write([]byte{0})
		case <-limit:
			t.Error("it may go on for more than ten seconds")
			return
		}
	}
}

// manyHeartbeats has a link end that talks without end: each word is work for all.
func manyHeartbeats(s *siege, t *testing.T) {
	r := s.raid(t, wire.Hello{}, nil)
	for range 1000 {
		r.send(wire.KindHeartbeat, 0, wire.Heartbeat{})
	}
	s.await(t, "the link is cut", r.isOver)
}

// manyRotations has the keys changed a few times, and no more: each is a write.
func manyRotations(s *siege, t *testing.T) {
	r := s.raid(t, wire.Hello{}, nil)
	old := r.c.key
	for range 50 {
		public, private, err := ed25519.GenerateKey(nil)
		must(t, err)
		_, seal, err := wire.NewSealKey()
		must(t, err)
		proof := wire.RotateProof(r.c.instance, public, seal)
		r.send(wire.KindRotate, 1, wire.Rotate{
			PublicKey: public,
			SealKey:   seal,
			Old:       ed25519.Sign(old, proof),
			New:       ed25519.Sign(private, proof),
		})
		old = private
	}
	s.await(t, "the link is cut", r.isOver)
	var list struct {
		Embedded struct{ Activities []struct{ Action string } } `json:"_embedded"`
	}
	s.must("GET", `/activities?filter=action+eq+"instance.rotated"`, nil, &list)
	if n := len(list.Embedded.Activities); n == 0 || n > 10 {
		t.Errorf("%d changes of keys were taken", n)
	}
}

func enormousHeartbeats(s *siege, t *testing.T) {
	r := s.raid(t, wire.Hello{}, nil)
	var beat wire.Heartbeat
	for range 200 {
		beat.Problems = append(beat.Problems, wire.Problem{Code: "x", Text: strings.Repeat("x", 16<<10)})
	}
	r.beat.Store(&beat)
	for range 20 {
		r.send(wire.KindHeartbeat, 1, beat)
	}
	var list struct {
		Embedded struct {
			GatewayInstances []struct {
				ID            string
				CurrentErrors []any
			}
		} `json:"_embedded"`
	}
	s.await(t, "a part of it is shown", func() bool {
		s.must("GET", "/gateways/"+s.hostile.Gateway+"/instances", nil, &list)
		for _, i := range list.Embedded.GatewayInstances {
			if i.ID == r.c.instance {
				return len(i.CurrentErrors) == 64
			}
		}
		return false
	})
}

// html has markup in every text that an agent can bring to a page.
func html(s *siege, t *testing.T) {
	const evil = `<script>alert("x")</script>`
	r := s.raid(t, wire.Hello{
		Hostname:   evil,
		Software:   evil,
		System:     evil,
		PolicyHash: evil,
		Policy:     []string{evil},
	}, func(r *raider, f wire.Frame, m wire.SignOn) {
		answer := entryOf(m.ID, "markup")
		answer.Reason, answer.Server, answer.Entry.DN = evil, evil, "cn="+evil+",dc=x"
		answer.Entry.Attributes["uid"] = []string{"markup" + evil}
		answer.Membership.Verdict, answer.Membership.Reason = wire.VerdictPartial, evil
		answer.Membership.Groups = []wire.Group{{DN: "cn=" + evil + ",dc=x", Name: evil}}
		r.send(wire.KindSignOnResult, f.ID, answer)
	})
	r.send(wire.KindUserTypesAnswer, 1, wire.UserTypesAnswer{
		Revision: 1,
		Refused:  []wire.Refused{{ID: s.hostile.UserType, Reasons: []string{evil}}},
	})
	r.beat.Store(&wire.Heartbeat{
		Problems: []wire.Problem{{Code: evil, Text: evil, Remedy: evil, Severity: evil}},
		Servers:  []wire.Server{{URL: evil, State: "down", Vendor: evil, Error: evil}},
	})
	r.send(wire.KindHeartbeat, 1, *r.beat.Load())
	got := s.signOn("markup")
	if got.Outcome != "ok" || len(got.Groups) != 1 {
		t.Fatalf("%+v", got)
	}
	s.signIn()
	shown := 0
	for _, path := range []string{"/console/gateways/" + s.hostile.Gateway, "/console/users", "/console/users/" + got.User.ID, "/console/groups",
		"/console/groups/" + got.Groups[0].ID, "/console/activity"} {
		page := s.page(path)
		if strings.Contains(page, evil) || strings.Contains(page, "<script>") {
			t.Errorf("%s has it as markup", path)
		}
		if strings.Contains(page, "&lt;script&gt;") {
			shown++
		}
	}
	if shown < 6 {
		t.Errorf("only %d pages show it at all", shown)
	}
}
