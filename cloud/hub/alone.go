package hub

import (
	"context"
	"errors"
	"time"

	"ldap-gateway/cloud/store"
)

// looks is when a link looks whether its instance still is one, since other nodes may not be heard;
// never where there are none. stop frees it.
func (h *Hub) looks() (at <-chan time.Time, stop func()) {
	if h.Bus == nil {
		return nil, func() {}
	}
	t := time.NewTicker(h.Heartbeat / 2)
	return t.C, t.Stop
}

// lookWhileAlone ends the link of an instance that is none any more, while the bus does not answer
// by which this node would hear of it: whoever has stolen a key gains nothing by that. A store that is
// away as well is asked again at the next look.
func (l *link) lookWhileAlone(ctx context.Context) {
	err := apart(func() error {
		if l.hub.busAnswers(ctx) {
			return nil
		}
		i, err := l.hub.Store.Instance(ctx, l.live.Instance)
		if errors.Is(err, store.ErrNotFound) || err == nil && (!i.RevokedAt.IsZero() || !i.QuarantinedAt.IsZero()) {
			l.dismiss()
			return nil
		}
		return err
	})
	if err != nil {
		l.hub.Logger.Warn("it cannot be seen whether an instance still is one", "instance", l.live.Instance, "error", err)
	}
}
