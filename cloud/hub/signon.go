package hub

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/nats-io/nats.go"

	"ldap-gateway/cloudlink/wire"
)

// Ask is one sign-on for an agent to check.
type Ask struct {
	ID         string // of the sign-on
	Gateway    string
	UserType   string
	Revision   uint64
	Identifier string
	Known      []wire.Correlation
	Want       wire.Want
	Password   []byte // read before SignOn returns, never kept
}

// Answer is what came of an Ask.
type Answer struct {
	wire.SignOnResult
	Instance string // that answered, or was asked last
	answered bool   // by an agent, and not by us in its place
}

// mostTries bounds how many instances one sign-on is handed to.
const mostTries = 4

// SignOn has a live instance check a password. It always returns an answer of
// the closed set: without a live instance the directory is unavailable.
func (h *Hub) SignOn(ctx context.Context, a Ask) Answer {
	last := Answer{SignOnResult: wire.SignOnResult{ID: a.ID, Outcome: wire.OutcomeDirectoryUnavailable,
		Reason: "no instance of the gateway is connected"}}
	tried := map[string]bool{}
	for range mostTries {
		l, ok := h.await(ctx, a, tried, !last.answered)
		if !ok {
			break
		}
		tried[l.Link] = true
		answered := last.answered
		last = h.ask(ctx, l, a)
		last.answered = last.answered || answered
		if last.BindSent || !handOn(last.Outcome) {
			break
		}
	}
	return last
}

// await returns the best link not tried yet. Without one, and with patience, it
// waits a moment for an agent that has just gone: none has answered by then.
func (h *Hub) await(ctx context.Context, a Ask, tried map[string]bool, patient bool) (Live, bool) {
	for ctx.Err() == nil {
		l, ok := h.presence.best(a.Gateway, a.UserType, tried, time.Now())
		back, news := h.presence.returning(a.Gateway, time.Now())
		if ok || !back || !patient {
			return l, ok
		}
		tick := time.NewTimer(returnTime / 10)
		select {
		case <-news:
		case <-tick.C:
		case <-ctx.Done():
		}
		tick.Stop()
	}
	return Live{}, false
}

// handOn tells whether another instance may do better, no bind having been sent.
func handOn(o wire.Outcome) bool {
	return o == wire.OutcomeBusy || o == wire.OutcomeDirectoryUnavailable
}

// ask has one instance check the password, sealing anew once when it does not
// know the key.
func (h *Hub) ask(ctx context.Context, l Live, a Ask) Answer {
	defer h.presence.asking(l.Link)()
	for range 2 {
		sealer, err := h.sealers.of(l.Instance, l.SealKey, time.Now())
		if err != nil {
			return ours(l, a, wire.OutcomeDirectoryUnavailable, false, "sealing for the instance failed: "+err.Error())
		}
		r := h.request(ctx, l, a, sealer.Seal(a.ID, a.Password))
		if !r.KeyUnknown || r.BindSent {
			sealer.Known(!r.KeyUnknown && r.Outcome != wire.OutcomeBusy && r.Outcome != wire.OutcomeUnknown)
			return r
		}
		sealer.Known(false)
	}
	return ours(l, a, wire.OutcomeDirectoryUnavailable, false, "the instance does not take a sealing key: update it")
}

// ours is an answer in the place of an agent's.
func ours(l Live, a Ask, o wire.Outcome, bindSent bool, reason string) Answer {
	return Answer{SignOnResult: wire.SignOnResult{ID: a.ID, Outcome: o, BindSent: bindSent, Reason: reason}, Instance: l.Instance}
}

// request carries the sign-on over the bus to the node with the link and waits.
func (h *Hub) request(ctx context.Context, l Live, a Ask, sealed wire.Sealed) Answer {
	left := 15 * time.Second
	if end, ok := ctx.Deadline(); ok {
		left = time.Until(end)
	}
	// The agent gives up a little before we do.
	f, err := wire.NewFrame(wire.KindSignOn, 0, left-left/20, wire.SignOn{ID: a.ID, UserType: a.UserType, Revision: a.Revision,
		Identifier: a.Identifier, Known: a.Known, Want: a.Want, Password: sealed})
	if err != nil {
		return ours(l, a, wire.OutcomeDirectoryUnavailable, false, err.Error())
	}
	b, err := f.Encode()
	if err != nil {
		return ours(l, a, wire.OutcomeDirectoryUnavailable, false, err.Error())
	}
	ctx, stop := h.whileThere(ctx, l.NodeID)
	defer stop()
	msg, err := h.Bus.RequestWithContext(ctx, subjectLink+l.Link, b)
	switch {
	case errors.Is(err, nats.ErrNoResponders):
		return ours(l, a, wire.OutcomeDirectoryUnavailable, false, "the link was lost before the request was sent")
	case errors.Is(err, nats.ErrReconnectBufExceeded):
		return ours(l, a, wire.OutcomeDirectoryUnavailable, false, "the message bus between the nodes is lost")
	case err != nil:
		return ours(l, a, wire.OutcomeUnknown, true, fmt.Sprintf("no answer from the instance: %v", cmp.Or(context.Cause(ctx), err)))
	}
	return readReply(l, a, msg.Data)
}

// askNode is how long an answer may take before its node is asked whether it is
// still there, and then each time again.
const askNode = time.Second

var (
	errNodeGone = errors.New("the node with its link has died")
	errBusLost  = errors.New("the message bus was lost meanwhile")
)

// whileThere returns a context that also ends when no answer can come any more:
// with errNodeGone when a node is not on the bus, with errBusLost when this one
// was not. stop frees it.
func (h *Hub) whileThere(ctx context.Context, node string) (_ context.Context, stop func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	reconnects := h.Bus.Stats().Reconnects
	var look func()
	look = func() {
		limited, done := context.WithTimeout(ctx, 5*askNode)
		defer done()
		_, err := h.Bus.RequestWithContext(limited, subjectNode+node, nil)
		switch {
		case errors.Is(err, nats.ErrNoResponders):
			cancel(errNodeGone)
		case !h.Bus.IsConnected() || h.Bus.Stats().Reconnects != reconnects:
			cancel(errBusLost)
		case ctx.Err() == nil:
			time.AfterFunc(askNode, look)
		}
	}
	first := time.AfterFunc(askNode, look)
	return ctx, func() { cancel(nil); first.Stop() }
}

// readReply reads what the node with the link says. What cannot be read may
// have been a bind.
func readReply(l Live, a Ask, b []byte) Answer {
	var r reply
	if err := wire.Unmarshal(b, &r); err != nil {
		return ours(l, a, wire.OutcomeUnknown, true, err.Error())
	}
	switch r.State {
	case replyNotSent:
		return ours(l, a, wire.OutcomeDirectoryUnavailable, false, r.Reason)
	case replyBusy:
		return ours(l, a, wire.OutcomeBusy, false, r.Reason)
	case replyLost:
		return ours(l, a, wire.OutcomeUnknown, true, r.Reason)
	}
	out := Answer{Instance: l.Instance, answered: true}
	if err := wire.Unmarshal(r.Body, &out.SignOnResult); err != nil {
		return ours(l, a, wire.OutcomeUnknown, true, "the instance's answer is malformed: "+err.Error())
	}
	if out.ID != a.ID || !out.Outcome.Known() {
		return ours(l, a, wire.OutcomeUnknown, true, "the instance's answer is for something else")
	}
	return out
}

// sealerLife is how long one sealing key is used.
const sealerLife = time.Hour

// sealers keeps a sealer for each instance.
type sealers struct {
	mu   sync.Mutex
	byID map[string]timedSealer
}

type timedSealer struct {
	*wire.Sealer
	until  time.Time
	public []byte // of the instance; it may rotate
}

func (s *sealers) of(instance string, public []byte, now time.Time) (*wire.Sealer, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if have, ok := s.byID[instance]; ok && now.Before(have.until) && bytes.Equal(have.public, public) {
		return have.Sealer, nil
	}
	fresh, err := wire.NewSealer(instance, public)
	if err != nil {
		return nil, err
	}
	if s.byID == nil {
		s.byID = map[string]timedSealer{}
	}
	s.byID[instance] = timedSealer{fresh, now.Add(sealerLife), public}
	return fresh, nil
}
