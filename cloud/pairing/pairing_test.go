package pairing

import (
	"bytes"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"

	"ldap-gateway/cloud/store"
	"ldap-gateway/cloud/store/storetest"
	"ldap-gateway/cloudlink/wire"
)

// office is a desk with a gateway and a clock that the test sets.
type office struct {
	*Broker
	t       *testing.T
	gateway store.Gateway
	mu      sync.Mutex
	now     time.Time
}

func newOffice(t *testing.T) *office {
	t.Helper()
	db, err := store.Open(t.Context(), storetest.File(t))
	must(t, err)
	t.Cleanup(func() { must(t, db.Close()) })
	env := store.Environment{Name: "Example"}
	must(t, db.CreateEnvironment(t.Context(), &env))
	o := &office{t: t, gateway: store.Gateway{EnvironmentID: env.ID, Name: "HQ", Enabled: true}, now: time.Now()}
	must(t, db.CreateGateway(t.Context(), &o.gateway))
	o.Broker = &Broker{
		Store:  db,
		Logger: hclog.NewNullLogger(),
		Now:    func() time.Time { o.mu.Lock(); defer o.mu.Unlock(); return o.now },
	}
	return o
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (o *office) pass(d time.Duration) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.now = o.now.Add(d)
}

func (o *office) code() string {
	o.t.Helper()
	p, code := Offer(o.gateway, "admin:alice", o.Now())
	must(o.t, o.Store.CreatePairing(o.t.Context(), &p))
	return code
}

// approve makes the agent that shows a code an instance, as management does.
func (o *office) approve(code string) (store.Instance, error) {
	i := store.Instance{EnvironmentID: o.gateway.EnvironmentID, GatewayID: o.gateway.ID, PairedBy: "administrator ada"}
	err := o.Store.ApprovePairing(o.t.Context(), HashCode(code), o.Now(), &i)
	return i, err
}

// agent is a machine's keys.
type agent struct {
	public  ed25519.PublicKey
	private ed25519.PrivateKey
	seal    []byte
}

func newAgent(t *testing.T) agent {
	t.Helper()
	public, private, err := ed25519.GenerateKey(nil)
	must(t, err)
	_, seal, err := wire.NewSealKey()
	must(t, err)
	return agent{public, private, seal}
}

func (a agent) request(code string) wire.PairRequest {
	return wire.PairRequest{
		Code:      code,
		PublicKey: a.public,
		SealKey:   a.seal,
		Hostname:  "dc1",
		Software:  "1.0",
		Proof:     ed25519.Sign(a.private, wire.PairProof(code, a.public, a.seal)),
	}
}

// send posts a request from an address and returns the status and what came.
func (o *office) send(from string, r wire.PairRequest) (int, wire.PairAnswer, wire.Refusal) {
	o.t.Helper()
	body, err := json.Marshal(r)
	must(o.t, err)
	req := httptest.NewRequestWithContext(o.t.Context(), http.MethodPost, wire.PathPair, bytes.NewReader(body))
	req.RemoteAddr = net.JoinHostPort(from, "4711")
	w := httptest.NewRecorder()
	o.ServeHTTP(w, req)
	var a wire.PairAnswer
	var refusal wire.Refusal
	if w.Code == http.StatusOK {
		must(o.t, json.Unmarshal(w.Body.Bytes(), &a))
	} else {
		must(o.t, json.Unmarshal(w.Body.Bytes(), &refusal))
	}
	return w.Code, a, refusal
}

func TestCodeBecomesAnInstance(t *testing.T) {
	o, a := newOffice(t), newAgent(t)
	code := o.code()
	status, answer, _ := o.send("192.0.2.1", a.request(strings.ToLower(code)))
	if status != http.StatusOK || answer.Gateway != o.gateway.ID || answer.GatewayName != "HQ" ||
		answer.Environment != "Example" ||
		answer.Fingerprint != wire.Fingerprint(a.public, a.seal) {
		t.Fatalf("%d %+v", status, answer)
	}
	i, err := o.Store.Instance(t.Context(), answer.Instance)
	must(t, err)
	if i.PairedBy != "admin:alice" || i.PairedFrom != "192.0.2.1" || i.Hostname != "dc1" ||
		!bytes.Equal(i.PublicKey, a.public) {
		t.Errorf("%+v", i)
	}
	did, _, err := o.Store.Activities(
		t.Context(),
		o.gateway.EnvironmentID,
		store.ActivityFilter{Action: "instance.paired"},
		store.Page{},
	)
	must(t, err)
	if len(did) != 1 || did[0].Actor != "admin:alice" || did[0].Subject != "instance:"+i.ID ||
		!strings.Contains(did[0].Text, "192.0.2.1") {
		t.Errorf("%+v", did)
	}
}

func TestRefusalsSayWhatToDo(t *testing.T) {
	o, a := newOffice(t), newAgent(t)
	used, old := o.code(), o.code()
	if status, _, r := o.send("192.0.2.1", a.request(used)); status != http.StatusOK {
		t.Fatal(r)
	}
	o.pass(Life + time.Second)
	unproven := a.request(o.code())
	unproven.SealKey = newAgent(t).seal
	for name, c := range map[string]struct {
		request wire.PairRequest
		status  int
		code    wire.RefusalCode
		says    string
	}{
		"used":     {a.request(used), http.StatusForbidden, wire.RefusedCode, "used already"},
		"expired":  {a.request(old), http.StatusForbidden, wire.RefusedCode, "expired"},
		"wrong":    {a.request("AAAA-AAAA"), http.StatusForbidden, wire.RefusedCode, "not known"},
		"unproven": {unproven, http.StatusBadRequest, wire.RefusedRequest, "proof"},
		"nothing":  {wire.PairRequest{}, http.StatusBadRequest, wire.RefusedRequest, "proof"},
	} {
		t.Run(name, func(t *testing.T) {
			status, _, r := o.send("192.0.2.2", c.request)
			if status != c.status || r.Code != c.code || !strings.Contains(r.Message, c.says) || r.Time.IsZero() {
				t.Errorf("%d %+v", status, r)
			}
		})
	}
}

func TestOneOfManyWins(t *testing.T) {
	o := newOffice(t)
	code := o.code()
	var wg sync.WaitGroup
	won := make(chan string, 8)
	for n := range 8 {
		a := newAgent(t)
		wg.Go(func() {
			if status, answer, _ := o.send(fmt.Sprintf("192.0.2.%d", n), a.request(code)); status == http.StatusOK {
				won <- answer.Instance
			}
		})
	}
	wg.Wait()
	if len(won) != 1 {
		t.Errorf("%d became an instance", len(won))
	}
}

func TestGuessingWaits(t *testing.T) {
	o, a := newOffice(t), newAgent(t)
	for range wrongPerAddress {
		if _, _, r := o.send("192.0.2.1", a.request("AAAA-AAAA")); r.Code != wire.RefusedCode {
			t.Fatal(r)
		}
	}
	good := o.code()
	if status, _, r := o.send("192.0.2.1", a.request(good)); status != http.StatusTooManyRequests ||
		r.Code != wire.RefusedThrottled || r.RetryAfter < 1 {
		t.Errorf("%d %+v", status, r)
	}
	if status, _, r := o.send("192.0.2.9", a.request(good)); status != http.StatusOK {
		t.Errorf("another address: %d %+v", status, r)
	}
	o.pass(throttleWindow)
	if status, _, r := o.send("192.0.2.1", a.request(o.code())); status != http.StatusOK {
		t.Errorf("later: %d %+v", status, r)
	}
}

// TestManyCodesAtOnce: of two hundred of one network, of which each is none, used or late, ten are
// looked up; of those that are right, proven or not, none is refused for the others.
func TestManyCodesAtOnce(t *testing.T) {
	o, a := newOffice(t), newAgent(t)
	used, late := o.code(), o.code()
	o.send("198.51.100.1", a.request(used))
	atOnce := func(from string, requests []wire.PairRequest) map[wire.RefusalCode]int {
		var all sync.WaitGroup
		var mu sync.Mutex
		got := map[wire.RefusalCode]int{}
		for _, r := range requests {
			all.Go(func() {
				_, _, refusal := o.send(from, r)
				mu.Lock()
				defer mu.Unlock()
				got[refusal.Code]++
			})
		}
		all.Wait()
		return got
	}
	var good []wire.PairRequest
	for range 4 * wrongPerAddress {
		good = append(good, newAgent(t).request(o.code()))
	}
	if got := atOnce("192.0.2.9", good); got[""] != len(good) {
		t.Errorf("right codes: %v", got)
	}
	unproven := slices.Repeat([]wire.PairRequest{{Code: "AAAA-AAAA"}}, 4*wrongPerAddress)
	if got := atOnce("192.0.2.8", unproven); got[wire.RefusedRequest] != len(unproven) {
		t.Errorf("not proven: %v", got)
	}
	o.pass(Life + time.Second)
	for n, code := range []string{"AAAA-AAAA", used, late} {
		got := atOnce(fmt.Sprintf("192.0.2.%d", n), slices.Repeat([]wire.PairRequest{a.request(code)}, 200))
		if got[wire.RefusedCode] != wrongPerAddress || got[wire.RefusedThrottled] != 200-wrongPerAddress {
			t.Errorf("%d: %v", n, got)
		}
	}
}

// TestNodesHearOfCodes: what a network guesses counts at every node, one after the other and at once.
func TestNodesHearOfCodes(t *testing.T) {
	o, a := newOffice(t), newAgent(t)
	nodes := make([]*Broker, 3)
	for i := range nodes {
		nodes[i] = &Broker{Store: o.Store, Logger: o.Logger, Now: o.Now, Nodes: func() int { return len(nodes) }}
		nodes[i].Tell = func(network string) {
			for j, other := range nodes {
				if j != i {
					other.Hear(network)
				}
			}
		}
	}
	guess := func(node int, from, code string) (status int) {
		var ignored any
		return o.ask(nodes[node].ServeHTTP, from, a.request(code), &ignored)
	}
	for i := range wrongPerAddress {
		if got := guess(i%2, "192.0.2.1", "AAAA-AAAA"); got == http.StatusTooManyRequests {
			t.Fatalf("guess %d: %d", i, got)
		}
	}
	for i := range nodes {
		if got := guess(i, "192.0.2.1", o.code()); got != http.StatusTooManyRequests {
			t.Errorf("node %d takes another: %d", i, got)
		}
		if got := guess(i, fmt.Sprint("198.51.100.", i), "AAAA-AAAA"); got == http.StatusTooManyRequests {
			t.Errorf("node %d refuses others: %d", i, got)
		}
	}
	var begun atomic.Int64
	var all sync.WaitGroup
	for i := range 200 {
		all.Go(func() {
			if guess(i%len(nodes), "2001:db8::1", "AAAA-AAAA") != http.StatusTooManyRequests {
				begun.Add(1)
			}
		})
	}
	all.Wait()
	if n := int(begun.Load()); n < wrongPerAddress || n > wrongPerAddress+2*(len(nodes)-1) {
		t.Errorf("%d were looked up", n)
	}
}

// TestStrangersStopNobodysPairing: whoever tries codes and tickets, and from wherever, a
// code that an administrator gave works.
func TestStrangersStopNobodysPairing(t *testing.T) {
	o, a := newOffice(t), newAgent(t)
	var ignored any
	for n := range 1000 {
		from := fmt.Sprintf("2001:db8:%x::1", n)
		o.send(from, a.request("AAAA-AAAA"))
		o.ask(o.ServeAwait, from, wire.PairAwait{Ticket: "none"}, &ignored)
		o.ask(o.ServeShow, from, a.request(""), &ignored)
	}
	if status, _, r := o.send("198.51.100.1", a.request(o.code())); status != http.StatusOK {
		t.Error(status, r)
	}
}

// TestNeighboursAreOne: who has a network of IPv6 has not as many tries as addresses.
func TestNeighboursAreOne(t *testing.T) {
	o, a := newOffice(t), newAgent(t)
	var ignored any
	for n := range wrongPerAddress {
		o.send(fmt.Sprintf("2001:db8::%x", n), a.request("AAAA-AAAA"))
	}
	if status, _, _ := o.send("2001:db8::ffff", a.request(o.code())); status != http.StatusTooManyRequests {
		t.Error(status)
	}
	last := 0
	for n := range shownInAll + 1 { // the lines of one site
		last = o.ask(o.ServeShow, fmt.Sprintf("2001:db8:1:%x::1", n), a.request(""), &ignored)
	}
	if last != http.StatusTooManyRequests {
		t.Errorf("more wait than may: %d", last)
	}
	if status := o.ask(o.ServeShow, "198.51.100.1", a.request(""), &ignored); status != http.StatusOK {
		t.Errorf("a site keeps others from pairing: %d", status)
	}
}

func TestCodeIsNotKept(t *testing.T) {
	o := newOffice(t)
	p, code := Offer(o.gateway, "x", o.Now())
	if bytes.Contains(p.CodeHash, []byte(wire.NormalCode(code))) || len(p.CodeHash) != 32 {
		t.Errorf("%x", p.CodeHash)
	}
	if p.GatewayID != o.gateway.ID || p.EnvironmentID != o.gateway.EnvironmentID ||
		!p.ExpiresAt.Equal(o.Now().Add(Life)) {
		t.Errorf("%+v", p)
	}
}

// wait shows a code as an agent does, and returns the code and the ticket.
func (o *office) wait(from string, a agent) wire.PairTicket {
	o.t.Helper()
	r := a.request("")
	var t wire.PairTicket
	if status := o.ask(o.ServeShow, from, r, &t); status != http.StatusOK {
		o.t.Fatal(status, t)
	}
	return t
}

// ask posts to one of the desk's handlers.
func (o *office) ask(to http.HandlerFunc, from string, in, out any) int {
	o.t.Helper()
	body, err := json.Marshal(in)
	must(o.t, err)
	req := httptest.NewRequestWithContext(o.t.Context(), http.MethodPost, "/", bytes.NewReader(body))
	req.RemoteAddr = net.JoinHostPort(from, "4711")
	w := httptest.NewRecorder()
	to(w, req)
	must(o.t, json.Unmarshal(w.Body.Bytes(), out))
	return w.Code
}

// await asks what became of a code.
func (o *office) await(ticket string) (int, wire.PairAnswer, wire.Refusal) {
	o.t.Helper()
	var both struct {
		wire.PairAnswer
		wire.Refusal
	}
	status := o.ask(o.ServeAwait, "192.0.2.1", wire.PairAwait{Ticket: ticket}, &both)
	return status, both.PairAnswer, both.Refusal
}

func TestShownCodeIsApproved(t *testing.T) {
	o, a := newOffice(t), newAgent(t)
	ticket := o.wait("192.0.2.1", a)
	if status, answer, _ := o.await(ticket.Ticket); status != http.StatusOK || answer.Instance != "" {
		t.Fatalf("%d %+v", status, answer)
	}
	p, err := o.Shown(t.Context(), strings.ToLower(ticket.Code))
	if err != nil || p.Hostname != "dc1" || p.Address != "192.0.2.1" ||
		p.Fingerprint != wire.Fingerprint(a.public, a.seal) {
		t.Fatalf("%+v %v", p, err)
	}
	i, err := o.approve(ticket.Code)
	must(t, err)
	for range 2 { // an answer that was lost is asked for again
		if status, answer, _ := o.await(ticket.Ticket); status != http.StatusOK || answer.Instance != i.ID ||
			answer.GatewayName != "HQ" {
			t.Errorf("%d %+v", status, answer)
		}
	}
	kept, err := o.Store.Instance(t.Context(), i.ID)
	if err != nil || !bytes.Equal(kept.PublicKey, a.public) || kept.PairedBy != "administrator ada" ||
		kept.PairedFrom != "192.0.2.1" {
		t.Errorf("%+v %v", kept, err)
	}
	if _, err := o.approve(ticket.Code); !errors.Is(err, store.ErrUsed) {
		t.Errorf("approved twice: %v", err)
	}
}

func TestShownCodeIsDeniedOrExpires(t *testing.T) {
	o, a := newOffice(t), newAgent(t)
	denied, late := o.wait("192.0.2.1", a), o.wait("192.0.2.1", newAgent(t))
	must(t, o.Store.DenyPairing(t.Context(), HashCode(denied.Code), o.Now()))
	if status, _, r := o.await(denied.Ticket); status != http.StatusForbidden ||
		!strings.Contains(r.Message, "denied") {
		t.Errorf("%d %+v", status, r)
	}
	o.pass(Life)
	if status, _, r := o.await(late.Ticket); status != http.StatusForbidden || !strings.Contains(r.Message, "expired") {
		t.Errorf("%d %+v", status, r)
	}
	if _, err := o.approve(late.Code); !errors.Is(err, store.ErrExpired) {
		t.Error(err)
	}
	if status, _, r := o.await("guessed"); status != http.StatusForbidden || r.Code != wire.RefusedCode {
		t.Errorf("%d %+v", status, r)
	}
}

func TestShowingCodesIsThrottled(t *testing.T) {
	o := newOffice(t)
	for range shownPerAddress {
		o.wait("192.0.2.1", newAgent(t))
	}
	var r wire.Refusal
	if status := o.ask(o.ServeShow, "192.0.2.1", newAgent(t).request(""), &r); status != http.StatusTooManyRequests ||
		r.Code != wire.RefusedThrottled {
		t.Errorf("%d %+v", status, r)
	}
	unproven := newAgent(t).request("")
	unproven.Proof = nil
	if status := o.ask(o.ServeShow, "192.0.2.2", unproven, &r); status != http.StatusBadRequest {
		t.Error(status)
	}
}
