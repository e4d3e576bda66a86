package hub_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"ldap-gateway/cloud/hub"
)

// asks are the requests that name a revision of the user types.
var asks = map[string]func(ctx context.Context, n *node, m *machine, revision uint64){
	"sign-on": func(ctx context.Context, n *node, _ *machine, revision uint64) {
		n.hub.SignOn(ctx, hub.Request{ID: uuid.NewString(), Gateway: n.gateway.ID, UserType: "t1", Revision: revision, Password: []byte("x")})
	},
	"change of a password": func(ctx context.Context, n *node, _ *machine, revision uint64) {
		n.hub.ChangePassword(ctx, hub.Change{ID: uuid.NewString(), Gateway: n.gateway.ID, UserType: "t1", Revision: revision})
	},
	"explain": func(ctx context.Context, n *node, _ *machine, revision uint64) {
		n.hub.Explain(ctx, hub.Request{ID: uuid.NewString(), Gateway: n.gateway.ID, UserType: "t1", Revision: revision})
	},
	"look": func(ctx context.Context, n *node, m *machine, revision uint64) {
		n.hub.Look(ctx, hub.Look{ID: uuid.NewString(), Gateway: n.gateway.ID, UserType: "t1", Revision: revision, Instance: m.instance})
	},
}

// TestWhoIsBehindIsTold: user types that have changed, and of whose change no node has heard, are delivered with the first
// request by them, to a link of this node with or without the bus, and to another's.
func TestWhoIsBehindIsTold(t *testing.T) {
	for name, ask := range asks {
		t.Run(name, func(t *testing.T) {
			c := startNATS(t, 2)
			nodes := startNodes(t, c)
			a, b := nodes[0], nodes[1]
			m := a.start(ok)
			b.await("the other node knows it", func() bool { return b.live(m) })
			for _, from := range []*node{a, b} {
				from.changeUnheard()
				askMany(t, from, m, ask)
			}
			c.stop(0)
			c.stop(1)
			b.await("the bus is away", func() bool { return b.hub.Ready(t.Context()) != nil })
			a.changeUnheard()
			askMany(t, a, m, ask)
		})
	}
}

// askMany asks by what the store has, many times at once, and waits until the agent has that; it is not told for each.
func askMany(t *testing.T, n *node, m *machine, ask func(context.Context, *node, *machine, uint64)) {
	t.Helper()
	g, err := n.store.GatewayByID(t.Context(), n.gateway.ID)
	must(t, err)
	before := len(m.deliveries())
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	var all sync.WaitGroup
	for range 40 {
		all.Go(func() { ask(ctx, n, m, g.Revision) })
	}
	all.Wait()
	n.await("the agent has what it is asked by", func() bool {
		told := m.deliveries()
		return told[len(told)-1].Revision == g.Revision
	})
	if told := len(m.deliveries()) - before; told > 5 {
		t.Errorf("told %d times", told)
	}
}

// changeUnheard has the store know of other user types, and nobody else.
func (n *node) changeUnheard() {
	n.t.Helper()
	g, err := n.store.GatewayByID(n.t.Context(), n.gateway.ID)
	must(n.t, err)
	g.UserTypes[0].Name = fmt.Sprint("Staff ", g.Revision)
	must(n.t, n.store.UpdateGateway(n.t.Context(), &g))
}
