package hub

import (
	"sync"
	"time"

	"github.com/nats-io/nats.go"
)

// peers are the other nodes, by when each was last heard. The zero value is good; safe for
// concurrent use.
type peers struct {
	mu    sync.Mutex
	heard map[string]time.Time
}

// note takes in that a node was heard, or that it goes.
func (p *peers) note(node string, gone bool, now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.heard == nil {
		p.heard = map[string]time.Time{}
	}
	p.heard[node] = now
	if gone {
		delete(p.heard, node)
	}
}

// count returns how many were heard within a time, and forgets the others.
func (p *peers) count(within time.Duration, now time.Time) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	for node, at := range p.heard {
		if now.Sub(at) > within {
			delete(p.heard, node)
		}
	}
	return len(p.heard)
}

// here is what a node says of itself on the bus.
type here struct {
	Node string `json:"node"`
	Gone bool   `json:"gone,omitempty"`
}

// Nodes returns how many nodes the cloud has as far as this one hears, itself among them: 1 while
// the bus is away. One that died counts for three heartbeats more.
func (h *Hub) Nodes() int {
	if h.Bus == nil || !h.reachable() {
		return 1
	}
	return 1 + h.peers.count(3*h.Heartbeat, time.Now())
}

// sayHere tells the other nodes that this one is there, or goes.
func (h *Hub) sayHere(gone bool) { h.publish(subjectHere, here{h.id, gone}) }

// keepSaying tells them with each heartbeat, until the hub is closed.
func (h *Hub) keepSaying() {
	t := time.NewTicker(h.Heartbeat)
	defer t.Stop()
	for {
		select {
		case <-t.C:
			h.sayHere(false)
		case <-h.closed.Done():
			return
		}
	}
}

func (h *Hub) hearHere(m *nats.Msg) {
	var peer here
	if h.decode(m, &peer) && peer.Node != h.id {
		h.peers.note(peer.Node, peer.Gone, time.Now())
	}
}
