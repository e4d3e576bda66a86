package hub

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"

	"ldap-gateway/cloudlink/wire"
)

// pending is a sign-on or a password change on its way to an agent. Both are
// handed on, sealed anew and given up by the same rules.
type pending struct {
	Request
	kind wire.Kind
	body func(sealing) any                       // what is sent, sealed afresh
	read func([]byte) (wire.SignOnResult, error) // the body of the answer
}

// sealing seals for one link.
type sealing struct {
	sealer *wire.Sealer // nil: nothing is sealed
	wire   uint16       // version of the link
}

// seal seals a password for one request, with the time where the other end reads it.
func (s sealing) seal(id string, password []byte) wire.Sealed {
	if s.wire < 2 {
		return s.sealer.Seal(id, password)
	}
	return s.sealer.SealAt(id, time.Now(), password)
}

// tells returns what the other end reads of where a password was typed.
func (s sealing) tells(b wire.Browser) wire.Browser {
	if s.wire < 2 {
		return wire.BrowserUnsaid
	}
	return b
}

// mostTries bounds how many instances one request is handed to.
// More would be no use: each was busy or gone, and the person waits.
const mostTries = 4

// run has a live instance do an request.
// Only what certainly sent no bind is handed on. Whatever may have sent one ends it,
// since a second wrong password counts at the directory.
func (h *Hub) run(ctx context.Context, a pending) Answer {
	last := h.nobody(a)
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

// nobody is the answer when no instance can be asked.
func (h *Hub) nobody(a pending) Answer {
	reason := "no instance of the gateway is connected"
	if !h.reachable() {
		reason = errNoBus.Error() + ", and no instance of the gateway is linked to this one"
	}
	return ours(Live{}, a, wire.OutcomeDirectoryUnavailable, false, reason)
}

// await returns the best link not tried yet. Without one, and with patience, it
// waits a moment for an agent that has just gone: none has answered by then. Without the
// bus it does not: the agent is where it was, and may not be reached.
func (h *Hub) await(ctx context.Context, a pending, tried map[string]bool, patient bool) (Live, bool) {
	for ctx.Err() == nil {
		others := h.reachable()
		l, ok := h.presence.best(a.Gateway, a.UserType, tried, others, time.Now())
		back, news := h.presence.returning(a.Gateway, time.Now())
		if ok || !back || !patient || !others {
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

// ask has one instance do the request, sealing anew once when it does not
// know the key.
// That a key is not known is answered before anything is done, so to seal anew is safe.
// It happens after an agent has started anew.
func (h *Hub) ask(ctx context.Context, l Live, a pending) Answer {
	defer h.presence.asking(l.Link)()
	for range 2 {
		sealer, err := h.sealer(ctx, l)
		if err != nil {
			return ours(l, a, wire.OutcomeDirectoryUnavailable, false, "sealing for the instance failed: "+err.Error())
		}
		r := h.request(ctx, l, a, sealer)
		if !r.KeyUnknown || r.BindSent {
			sealer.Known(r.answered && !r.KeyUnknown && r.Outcome != wire.OutcomeBusy && r.Outcome != wire.OutcomeUnknown)
			return r
		}
		sealer.Known(false)
	}
	return ours(l, a, wire.OutcomeDirectoryUnavailable, false, "the instance does not take a sealing key: update it")
}

// ours is an answer in the place of an agent's.
func ours(l Live, a pending, o wire.Outcome, bindSent bool, reason string) Answer {
	return Answer{
		SignOnResult: wire.SignOnResult{ID: a.ID, Outcome: o, BindSent: bindSent, Reason: reason},
		Instance:     l.Instance,
	}
}

// request carries the request to the link and waits: to one of this node at once, to
// another's over the bus.
// Three errors are told apart: nobody was there and nothing was sent; nothing could be
// sent; and all else, which may have been a bind.
func (h *Hub) request(ctx context.Context, l Live, a pending, sealer *wire.Sealer) Answer {
	left := 15 * time.Second
	if end, ok := ctx.Deadline(); ok {
		left = time.Until(end)
	}
	// The agent gives up a little before we do.
	f, err := wire.NewFrame(a.kind, 0, left-left/20, a.body(sealing{sealer, l.Wire}))
	if err != nil {
		return ours(l, a, wire.OutcomeDirectoryUnavailable, false, err.Error())
	}
	h.renew(l, a.Revision)
	r, err := h.carry(ctx, l, f)
	switch {
	case errors.Is(err, nats.ErrNoResponders), errors.Is(err, errNoLink):
		h.presence.expect(a.Gateway, time.Now())
		return ours(l, a, wire.OutcomeDirectoryUnavailable, false, "the link was lost before the request was sent")
	case errors.Is(err, nats.ErrReconnectBufExceeded), errors.Is(err, errNoBus):
		return ours(l, a, wire.OutcomeDirectoryUnavailable, false, errNoBus.Error())
	case err != nil:
		reason := fmt.Sprintf("no answer from the instance: %v", cmp.Or(context.Cause(ctx), err))
		return ours(l, a, wire.OutcomeUnknown, true, reason)
	}
	if r.State == replyNotSent { // it has gone, and this node may not have heard of it yet
		h.presence.expect(a.Gateway, time.Now())
	}
	return h.readReply(ctx, l, a, r)
}

// readReply reads what the node with the link says. What cannot be read may
// have been a bind.
func (h *Hub) readReply(ctx context.Context, l Live, a pending, r reply) Answer {
	switch r.State {
	case replyNotSent:
		return ours(l, a, wire.OutcomeDirectoryUnavailable, false, r.Reason)
	case replyBusy:
		return ours(l, a, wire.OutcomeBusy, false, r.Reason)
	case replyLost:
		return ours(l, a, wire.OutcomeUnknown, true, r.Reason)
	}
	result, err := a.read(r.Body)
	if err == nil {
		err = boundResult(&result)
	}
	if err != nil {
		h.misdeed(ctx, l.Instance, "its answer to a request was malformed")
		return ours(l, a, wire.OutcomeUnknown, true, "the instance's answer is malformed: "+err.Error())
	}
	if result.ID != a.ID || !result.Outcome.Known() {
		h.misdeed(ctx, l.Instance, "its answer was not to what it was asked")
		return ours(l, a, wire.OutcomeUnknown, true, "the instance's answer is for something else")
	}
	return Answer{SignOnResult: result, Instance: l.Instance, answered: true}
}
