package store_test

import (
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"ldap-gateway/cloud/store"
)

// shows adds a request of an agent that shows a code until then.
func shows(t testing.TB, s *store.Store, code string, until int) store.PairingRequest {
	t.Helper()
	p := store.PairingRequest{
		TicketHash:  []byte("ticket " + code),
		CodeHash:    []byte(code),
		PublicKey:   []byte{1, 0},
		SealKey:     []byte{2, 0},
		Fingerprint: "AB12",
		Hostname:    "gw1",
		Software:    "1.0",
		Address:     "192.0.2.1",
		CreatedAt:   moment(0),
		ExpiresAt:   moment(until),
	}
	must(t, s.CreatePairingRequest(t.Context(), &p))
	return p
}

// A request is found by its code while it can be decided, and by its ticket as long as
// the agent may want to know.
func TestPairingRequests(t *testing.T) {
	s := open(t)
	w := build(t, s, "one")
	ctx := t.Context()
	p := shows(t, s, "code", 10)
	got, err := s.PairingRequestByCode(ctx, []byte("code"), moment(9))
	same(t, got, p, err)
	got, err = s.PairingRequestByTicket(ctx, []byte("ticket code"), moment(9))
	same(t, got, p, err)
	_, err = s.PairingRequestByCode(ctx, []byte("none"), moment(9))
	want(t, err, store.ErrNotFound)
	_, err = s.PairingRequestByTicket(ctx, []byte("code"), moment(9)) // a code is no ticket
	want(t, err, store.ErrNotFound)
	_, err = s.PairingRequestByCode(ctx, []byte("code"), moment(10))
	want(t, err, store.ErrExpired)
	_, err = s.PairingRequestByTicket(ctx, []byte("ticket code"), moment(10))
	want(t, err, store.ErrExpired)
	again := p
	again.ID, again.TicketHash = "", []byte("another")
	want(t, s.CreatePairingRequest(ctx, &again), store.ErrConflict)

	i := store.Instance{EnvironmentID: w.env.ID, GatewayID: "none", PairedBy: "ada"}
	want(t, s.ApprovePairing(ctx, []byte("code"), moment(9), &i), store.ErrNotFound)
	i.GatewayID = w.gateway.ID
	want(t, s.ApprovePairing(ctx, []byte("code"), moment(10), &i), store.ErrExpired)
	must(t, s.ApprovePairing(ctx, []byte("code"), moment(9), &i))
	full := store.Instance{
		ID:            i.ID,
		EnvironmentID: w.env.ID,
		GatewayID:     w.gateway.ID,
		PublicKey:     p.PublicKey,
		SealKey:       p.SealKey,
		Fingerprint:   "AB12",
		Hostname:      "gw1",
		Software:      "1.0",
		PairedAt:      moment(9),
		PairedBy:      "ada",
		PairedFrom:    "192.0.2.1",
	}
	kept, err := s.Instance(ctx, i.ID)
	same(t, kept, full, err)
	want(t, s.ApprovePairing(ctx, []byte("code"), moment(9), &i), store.ErrUsed)
	want(t, s.DenyPairing(ctx, []byte("code"), moment(9)), store.ErrUsed)
	got, err = s.PairingRequestByTicket(ctx, []byte("ticket code"), moment(99)) // it has an answer
	same(t, got.InstanceID, i.ID, err)
}

// Who was turned away stays so.
func TestDeniedRequests(t *testing.T) {
	s := open(t)
	w := build(t, s, "one")
	ctx := t.Context()
	shows(t, s, "code", 10)
	want(t, s.DenyPairing(ctx, []byte("none"), moment(1)), store.ErrNotFound)
	want(t, s.DenyPairing(ctx, []byte("code"), moment(10)), store.ErrExpired)
	must(t, s.DenyPairing(ctx, []byte("code"), moment(1)))
	want(t, s.DenyPairing(ctx, []byte("code"), moment(1)), store.ErrUsed)
	i := store.Instance{EnvironmentID: w.env.ID, GatewayID: w.gateway.ID}
	want(t, s.ApprovePairing(ctx, []byte("code"), moment(1), &i), store.ErrUsed)
	got, err := s.PairingRequestByTicket(ctx, []byte("ticket code"), moment(1))
	if err != nil || !got.Denied || got.InstanceID != "" {
		t.Errorf("%+v, %v", got, err)
	}
	if all, err := s.Instances(ctx, w.env.ID, w.gateway.ID); err != nil || len(all) != 0 {
		t.Errorf("%+v, %v", all, err)
	}
}

// What has expired is forgotten when the next agent asks, and its code is free.
func TestRequestsAreForgotten(t *testing.T) {
	s := open(t)
	ctx := t.Context()
	shows(t, s, "old", 1)
	kept := shows(t, s, "kept", 20)
	late := store.PairingRequest{
		TicketHash: []byte("late"),
		CodeHash:   []byte("late"),
		CreatedAt:  moment(10),
		ExpiresAt:  moment(20),
	}
	must(t, s.CreatePairingRequest(ctx, &late))
	_, err := s.PairingRequestByTicket(ctx, []byte("ticket old"), moment(10))
	want(t, err, store.ErrNotFound)
	got, err := s.PairingRequestByCode(ctx, []byte("kept"), moment(10))
	same(t, got, kept, err)
	shows(t, s, "old", 30)
}

// Of many who decide on one code at once, one does.
func TestOneDecides(t *testing.T) {
	s := open(t)
	w := build(t, s, "one")
	shows(t, s, "code", 10)
	var done, late atomic.Int32
	var all sync.WaitGroup
	for i := range 20 {
		all.Go(func() {
			inst := store.Instance{EnvironmentID: w.env.ID, GatewayID: w.gateway.ID}
			err := s.ApprovePairing(t.Context(), []byte("code"), moment(1), &inst)
			if i%2 == 0 {
				err = s.DenyPairing(t.Context(), []byte("code"), moment(1))
			}
			switch {
			case err == nil:
				done.Add(1)
			case errors.Is(err, store.ErrUsed):
				late.Add(1)
			}
		})
	}
	all.Wait()
	if done.Load() > 1 || done.Load()+late.Load() != 20 {
		t.Errorf("%d decided, %d were late", done.Load(), late.Load())
	}
	instances, err := s.Instances(t.Context(), w.env.ID, w.gateway.ID)
	if err != nil || len(instances) > 1 {
		t.Errorf("%d instances, %v", len(instances), err)
	}
}

// A request that comes again under its key gets the answer of the first; the same key
// of another client is another.
func TestIdempotentRequests(t *testing.T) {
	s := open(t)
	w := build(t, s, "one")
	ctx := t.Context()
	client := func(name string) string {
		c := store.Client{EnvironmentID: w.env.ID, Name: name}
		must(t, s.CreateClient(ctx, &c))
		return c.ID
	}
	first := store.IdempotentRequest{
		EnvironmentID: w.env.ID,
		ClientID:      client("a"),
		KeyHash:       []byte("key"),
		Request:       []byte("request"),
	}
	begin := func(o store.IdempotentRequest) *store.IdempotentRequest {
		t.Helper()
		before, err := s.BeginRequest(ctx, o)
		must(t, err)
		return before
	}
	if before := begin(first); before != nil {
		t.Errorf("%+v", before)
	}
	before := begin(first)
	if before == nil || before.Status != 0 || string(before.Request) != "request" || before.Body != nil {
		t.Errorf("under way: %+v", before)
	}
	done := first
	done.Status, done.Body = 201, []byte(`{"id":"x"}`)
	must(t, s.EndRequest(ctx, done))
	before = begin(first)
	if before == nil || before.Status != 201 || string(before.Body) != `{"id":"x"}` || before.CreatedAt.IsZero() {
		t.Errorf("done: %+v", before)
	}

	other := first
	other.ClientID = client("b")
	if before := begin(other); before != nil {
		t.Errorf("of another client: %+v", before)
	}
	must(t, s.EndRequest(ctx, other)) // it failed: it may be made again
	if before := begin(other); before != nil {
		t.Errorf("forgotten: %+v", before)
	}
	done.KeyHash = []byte("none")
	want(t, s.EndRequest(ctx, done), store.ErrNotFound)
	other.ClientID = "none"
	_, err := s.BeginRequest(ctx, other)
	want(t, err, store.ErrNotFound)
	must(t, s.DeleteClient(ctx, w.env.ID, first.ClientID)) // with what it asked for
}

// Of many that begin at once under one key, one is the first.
func TestOneBegins(t *testing.T) {
	s := open(t)
	w := build(t, s, "one")
	c := store.Client{EnvironmentID: w.env.ID, Name: "a"}
	must(t, s.CreateClient(t.Context(), &c))
	o := store.IdempotentRequest{EnvironmentID: w.env.ID, ClientID: c.ID, KeyHash: []byte("key")}
	var first atomic.Int32
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			before, err := s.BeginRequest(t.Context(), o)
			if err != nil {
				t.Error(err)
			}
			if before == nil {
				first.Add(1)
			}
		})
	}
	all.Wait()
	if n := first.Load(); n != 1 {
		t.Errorf("%d were the first", n)
	}
}

// A session ends with its time, and one that is kept again has what was kept last.
func TestSessionsOfAToken(t *testing.T) {
	s := open(t)
	ctx := t.Context()
	later := time.Now().Add(time.Hour)
	for _, data := range []string{"one", "two"} {
		must(t, s.CommitSession(ctx, "token", []byte(data), later))
		got, found, err := s.FindSession(ctx, "token")
		if err != nil || !found || string(got) != data {
			t.Errorf("%q, %t, %v", got, found, err)
		}
	}
	must(t, s.CommitSession(ctx, "token", []byte("three"), time.Now().Add(-time.Minute)))
	if _, found, err := s.FindSession(ctx, "token"); found || err != nil {
		t.Errorf("%t, %v", found, err)
	}
	must(t, s.DeleteSession(ctx, "none"))
}
