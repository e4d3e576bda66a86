package cloud

import (
	"context"
	"time"

	"ldap-gateway/cloud/management"
)

// finishEvery is how often a node looks for what was begun to go and not finished, by a node that is no more.
const finishEvery = time.Minute

// finish finishes what was begun to go, now and then until ctx ends.
func (n *node) finish(ctx context.Context) {
	changes := &management.Service{Store: n.db, Links: n.agents}
	next := time.NewTicker(finishEvery)
	defer next.Stop()
	for {
		if err := changes.Finish(ctx); err != nil && ctx.Err() == nil {
			n.Logger.Error("what was deleted is not all gone", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-next.C:
		}
	}
}
