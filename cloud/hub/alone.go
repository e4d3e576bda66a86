package hub

import (
	"context"
	"errors"
	"time"

	"ldap-gateway/cloud/store"
)

// keepLooking has this node look whether the instances of its links still are such, while the bus does
// not answer by which it would hear of it, until the hub is closed.
func (h *Hub) keepLooking() {
	t := time.NewTicker(h.Heartbeat / 2)
	defer t.Stop()
	for {
		select {
		case <-t.C:
			h.lookWhileAlone(h.closed)
		case <-h.closed.Done():
			return
		}
	}
}

// lookWhileAlone ends the links of instances that are none any more: whoever has stolen a key gains
// nothing by a bus that is away. A store that is away as well is asked again at the next look.
func (h *Hub) lookWhileAlone(ctx context.Context) {
	if h.busAnswers(ctx) {
		return
	}
	var away error
	h.each(func(l *link) {
		if away != nil {
			return
		}
		l.guarded(ctx, func(ctx context.Context) { away = l.look(ctx) })
	})
	if away != nil && ctx.Err() == nil {
		h.Logger.Warn("it cannot be seen whether the instances of links still are such", "error", away)
	}
}

// look ends the link when its instance is none any more.
func (l *link) look(ctx context.Context) error {
	i, err := l.hub.Store.Instance(ctx, l.live.Instance)
	if errors.Is(err, store.ErrNotFound) || err == nil && (!i.RevokedAt.IsZero() || !i.QuarantinedAt.IsZero()) {
		l.dismiss()
		return nil
	}
	return err
}
