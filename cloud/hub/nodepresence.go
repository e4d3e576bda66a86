package hub

import (
	"context"
	"errors"
	"time"

	"github.com/nats-io/nats.go"
)

// askNode is how long an answer may take before its node is asked whether it is
// still there, and then each time again.
const askNode = time.Second

var (
	errNodeGone = errors.New("the node with its link has died")
	errBusLost  = errors.New("the message bus was lost meanwhile")
)

// whilePresent returns a context that also ends when no answer can come any more:
// with errNodeGone when a node is not on the bus, with errBusLost when this one
// was not. stop frees it.
func (h *Hub) whilePresent(ctx context.Context, node string) (_ context.Context, stop func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	reconnects := h.Bus.Stats().Reconnects
	var look func()
	look = func() {
		limited, done := context.WithTimeout(ctx, 5*askNode)
		defer done()
		// The first look comes after a second: most answers are there before it.
		_, err := h.Bus.RequestWithContext(limited, subjectNode+node, nil)
		switch {
		case errors.Is(err, nats.ErrNoResponders):
			cancel(errNodeGone)
		// A reconnect in between is enough: the answer may have come while nobody heard
		// it.
		case !h.Bus.IsConnected() || h.Bus.Stats().Reconnects != reconnects:
			cancel(errBusLost)
		case ctx.Err() == nil:
			time.AfterFunc(askNode, look)
		}
	}
	first := time.AfterFunc(askNode, look)
	return ctx, func() { cancel(nil); first.Stop() }
}
