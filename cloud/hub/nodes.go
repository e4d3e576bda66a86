package hub

import (
	"cmp"
	"context"
	"errors"
	"time"

	"github.com/nats-io/nats.go"

	"ldap-gateway/cloudlink/wire"
)

// askNode is how long an answer may take before its node is asked whether it is
// still there, and then each time again.
const askNode = time.Second

var (
	errNodeGone = errors.New("the node with its link has died")
	errBusLost  = errors.New("the message bus was lost meanwhile")
	errNoBus    = errors.New("the message bus between the nodes is lost")
	errNoLink   = errors.New("the link has ended")
)

// carry hands a frame to a link and waits for the reply.
func (h *Hub) carry(ctx context.Context, l Live, f wire.Frame) (reply, error) {
	if l.NodeID == h.id {
		h.mu.Lock()
		own := h.links[l.Link]
		h.mu.Unlock()
		if own == nil {
			return reply{}, errNoLink
		}
		return own.ask(ctx, f)
	}
	b, err := f.Encode()
	if err != nil {
		return reply{State: replyNotSent, Reason: err.Error()}, nil
	}
	if !h.busAnswers(ctx) {
		return reply{}, errNoBus
	}
	ctx, stop := h.whilePresent(ctx, l.NodeID)
	defer stop()
	msg, err := h.Bus.Conn.RequestWithContext(ctx, subjectLink+l.Link, b)
	if err != nil {
		return reply{}, cmp.Or(context.Cause(ctx), err)
	}
	var r reply
	return r, wire.Unmarshal(msg.Data, &r)
}

const (
	// busTrust is how long the bus is believed to be there after it has answered, and to
	// be away after it has not.
	busTrust = time.Second
	// busWait is how long it may take to answer.
	busWait = 500 * time.Millisecond
)

// busWord is what the bus was last found to be.
type busWord struct {
	at       time.Time
	answered bool
}

// reachable tells whether other nodes can be asked, as far as this one knows.
func (h *Hub) reachable() bool {
	word := h.busWord.Load()
	silent := word != nil && !word.answered && time.Since(word.at) < busTrust
	return h.Bus.connected() && !silent
}

// busAnswers asks the bus whether it is there, unless that was found out a moment ago.
// One that was cut off in silence looks connected for seconds; and what is sent to it
// may have been a bind, which is for nobody to try again.
func (h *Hub) busAnswers(ctx context.Context) bool {
	if h.Bus == nil || !h.reachable() {
		return false
	}
	now := time.Now()
	if word := h.busWord.Load(); word != nil && now.Sub(word.at) < busTrust {
		return true
	}
	ctx, cancel := context.WithTimeout(ctx, busWait)
	defer cancel()
	answered := h.Bus.Conn.FlushWithContext(ctx) == nil
	h.busWord.Store(&busWord{time.Now(), answered})
	return answered
}

// whilePresent returns a context that also ends when no answer can come any more:
// with errNodeGone when a node is not on the bus, with errBusLost when this one
// was not. stop frees it.
func (h *Hub) whilePresent(ctx context.Context, node string) (_ context.Context, stop func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	reconnects := h.Bus.times.Load()
	var look func()
	look = func() {
		limited, done := context.WithTimeout(ctx, 5*askNode)
		defer done()
		// The first look comes after a second: most answers are there before it.
		_, err := h.Bus.Conn.RequestWithContext(limited, subjectNode+node, nil)
		switch {
		case errors.Is(err, nats.ErrNoResponders):
			cancel(errNodeGone)
		// A reconnect in between is enough: the answer may have come while nobody heard
		// it.
		case !h.Bus.connected() || h.Bus.times.Load() != reconnects:
			cancel(errBusLost)
		case ctx.Err() == nil:
			time.AfterFunc(askNode, look)
		}
	}
	first := time.AfterFunc(askNode, look)
	return ctx, func() { cancel(nil); first.Stop() }
}
