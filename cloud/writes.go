package cloud

import (
	"context"
	"time"

	"ldap-gateway/cloud/store"
)

// writesEvery is how often a node looks whether its database takes writes, once one has failed.
const writesEvery = 2 * time.Second

// watchWrites says in the log when the database begins to take no writes, and when it takes them again: each once,
// however many requests are refused meanwhile. Whoever made them is told to come back, and no more.
func (n *node) watchWrites(ctx context.Context) {
	var since time.Time // zero: it takes them
	next := time.NewTicker(writesEvery)
	defer next.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-next.C:
		}
		if since.IsZero() && !n.db.WriteFailed() {
			continue
		}
		err := n.db.TakesWrites(ctx)
		switch {
		case ctx.Err() != nil:
		case err != nil && since.IsZero():
			since = time.Now()
			n.Logger.Error("the database takes no writes, and nobody can sign on until it does",
				"database", shown(n.Database), "remedy", store.Remedy(err), "error", err)
		case err == nil && !since.IsZero():
			n.Logger.Info("the database takes writes again",
				"database", shown(n.Database), "after", time.Since(since).Round(time.Second))
			since = time.Time{}
		}
	}
}
