package hub

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"github.com/hashicorp/go-hclog"
	"github.com/nats-io/nats.go"

	"ldap-gateway/cloud/store"
	"ldap-gateway/cloud/throttle"
	"ldap-gateway/cloudlink/wire"
)

// Heartbeat is how often an agent is told to report.
// It is told to the agent in the welcome, so that it can be changed here alone.
const Heartbeat = 10 * time.Second

// Subjects on the bus.
const (
	subjectPresence = "presence"
	subjectAsk      = "presence.ask"
	subjectLink     = "link."
	subjectChanged  = "changed."
	subjectRevoked  = "revoked."
	subjectRotate   = "rotate."
	subjectNode     = "node."
	subjectTries    = "tries"
	subjectHere     = "here"
)

// Config is what a hub needs.
// The bus is closed by whoever made it.
type Config struct {
	Store     *store.Store
	Bus       *Bus     // that the nodes share; nil: this is the only one
	Node      string   // name of this node
	Audiences []string // URLs that agents know this cloud by
	Logger    hclog.Logger
	Heartbeat time.Duration    // 0: the constant
	NonceKey  []byte           // of the nonces that proofs carry, the same at each node; none: this node's own
	Bounds    *throttle.Bounds // of what is refused; nil: nobody counts
}

// Hub is one node's part of the way to the agents.
// The mutex guards the fields behind it, and no call is made while it is held.
type Hub struct {
	Config
	id       string // unique for each run of a node
	presence presence
	sealers  sealers
	connects throttle.Window
	rotates  throttle.Window
	lines    throttle.Sample // of the log, about strangers
	nonces   wire.Nonces
	subs     []*nats.Subscription
	tries    atomic.Pointer[func(Try)]
	door     door
	busWord  atomic.Pointer[busWord]
	peers    peers
	closed   context.Context
	close    context.CancelFunc

	mu    sync.Mutex
	links map[string]*link // of this node
	// misdeeds is when something that an instance said was last kept as what none says.
	misdeeds map[string]time.Time
	leaving  bool
	serving  sync.WaitGroup
}

// New returns a hub that hears what the other nodes say. Close ends it.
func New(cfg Config) (*Hub, error) {
	if cfg.Heartbeat == 0 {
		cfg.Heartbeat = Heartbeat
	}
	h := &Hub{Config: cfg, id: uuid.NewString(), links: map[string]*link{}, misdeeds: map[string]time.Time{},
		nonces: wire.NewNonces(cfg.NonceKey)}
	h.door = door{make(chan struct{}, mostArriving), cfg.Bounds.Of(throttle.Arrivals)}
	h.connects.Length, h.rotates.Length = time.Minute, time.Hour
	h.connects.Bound, h.rotates.Bound = cfg.Bounds.Of(throttle.Links), cfg.Bounds.Of(throttle.Links)
	h.lines.Bound = cfg.Bounds.Of(throttle.Lines)
	h.presence.life = max(3*cfg.Heartbeat, 3*time.Second)
	h.presence.node = h.id
	h.closed, h.close = context.WithCancel(context.Background())
	if cfg.Bus == nil {
		return h, nil
	}
	return h, h.join()
}

// join hears the other nodes, and asks them what links they have. Until they have
// answered, a gateway may look as if nobody were there.
func (h *Hub) join() error {
	for subject, handle := range map[string]nats.MsgHandler{
		subjectPresence:      h.hearPresence,
		subjectTries:         h.hearTry,
		subjectHere:          h.hearHere,
		subjectAsk:           func(*nats.Msg) { h.sayHere(false); h.each(func(l *link) { l.announce() }) },
		subjectNode + h.id:   func(m *nats.Msg) { _ = m.Respond(nil) },
		subjectChanged + "*": h.hearChanged,
		subjectRotate + "*":  func(m *nats.Msg) { h.hearRotate(m.Subject[len(subjectRotate):]) },
		subjectRevoked + "*": func(m *nats.Msg) { h.hearRevoked(m.Subject[len(subjectRevoked):]) },
	} {
		sub, err := h.Bus.Conn.Subscribe(subject, handle)
		if err != nil {
			return fmt.Errorf("message bus: %w", err)
		}
		h.subs = append(h.subs, sub)
	}
	back := h.refresh
	h.Bus.back.Store(&back)
	go h.keepSaying()
	go h.keepLooking()
	if !h.Bus.connected() {
		return nil // refresh asks when it is
	}
	h.sayHere(false)
	h.publish(subjectAsk, nil)
	return h.Bus.Conn.Flush()
}

// refresh makes up for what was not heard and not said while the bus was away.
func (h *Hub) refresh() {
	h.Logger.Info("the message bus is back")
	// What the others said meanwhile was not heard here either.
	h.sayHere(false)
	h.publish(subjectAsk, nil)
	h.each(func(l *link) {
		l.announce()
		l.deliverSoon()
	})
}

// Ready tells why this node is no good for agents and people now; nil when it is. One
// that has lost the bus serves the links that it holds, and is no good without any.
// The store is not asked: whoever calls this asks it too.
func (h *Hub) Ready(ctx context.Context) error {
	switch {
	case h.isLeaving():
		return errLeaving
	case h.Bus != nil && !h.holdsLinks() && !h.busAnswers(ctx):
		return errors.New("the message bus is lost, and no instance is linked to this node")
	}
	return nil
}

// holdsLinks tells whether an agent is linked to this node.
func (h *Hub) holdsLinks() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.links) > 0
}

// Live returns the live instances of a gateway.
// It is what this node has heard, so it may be late by as long as the bus takes. An
// instance with two links is there once.
func (h *Hub) Live(gateway string) []Live { return h.presence.of(gateway, time.Now()) }

// All returns the connected instances of every gateway, each once.
func (h *Hub) All() []Live { return h.presence.of("", time.Now()) }

// UserTypesChanged has every link of a gateway deliver its user types anew.
// They are read from the store when they are delivered, so that of two changes at once
// the last one arrives, in whatever order they are heard.
func (h *Hub) UserTypesChanged(gateway string) {
	h.renewLinks(gateway, 0)
	h.publish(subjectChanged+gateway, nil)
}

// Revoked cuts the links of an instance that the store says is revoked or in
// quarantine: those of this node even when the bus is lost.
func (h *Hub) Revoked(instance string) {
	h.hearRevoked(instance)
	h.publish(subjectRevoked+instance, nil)
}

// Rotate has an instance change its keys soon. One that is not connected, or that
// changed them within a minute, does not.
func (h *Hub) Rotate(instance string) {
	h.hearRotate(instance)
	h.publish(subjectRotate+instance, nil)
}

// hearRotate has the link of an instance ask it for other keys, if this node holds it.
func (h *Hub) hearRotate(instance string) {
	h.each(func(l *link) {
		if l.live.Instance == instance {
			l.rotateSoon()
		}
	})
}

// publish says something to all other nodes. What cannot be said is not said later:
// refresh says it all again.
func (h *Hub) publish(subject string, body any) {
	if h.Bus == nil || !h.Bus.connected() {
		return
	}
	b, err := json.Marshal(body)
	if err == nil {
		err = h.Bus.Conn.Publish(subject, b)
	}
	if err != nil && h.Bus.connected() { // or else that was said already, and refresh makes up for it
		h.Logger.Error("message bus", "subject", subject, "error", err)
	}
}

// hearPresence takes in what a node says of a link of its own.
func (h *Hub) hearPresence(m *nats.Msg) {
	if l := (Live{}); h.decode(m, &l) {
		h.presence.note(l, time.Now())
	}
}

// decode reads what a node said; false, and a line in the log, when that is nothing.
func (h *Hub) decode(m *nats.Msg, into any) bool {
	err := json.Unmarshal(m.Data, into)
	if err != nil {
		h.Logger.Error("message bus", "subject", m.Subject, "error", err)
	}
	return err == nil
}

// hearChanged takes in that a gateway's user types have changed, and to which revision if it is said.
func (h *Hub) hearChanged(m *nats.Msg) {
	if revision := uint64(0); h.decode(m, &revision) {
		h.renewLinks(m.Subject[len(subjectChanged):], revision)
	}
}

// renewLinks has the links of a gateway that this node holds deliver its user types, unless they were delivered at that
// revision; 0: at whichever.
func (h *Hub) renewLinks(gateway string, revision uint64) {
	h.each(func(l *link) {
		if l.live.Gateway == gateway {
			l.renew(revision)
		}
	})
}

// renew has a link deliver its gateway's user types when a request is by a revision that the agent has not got: that
// they have changed was not heard, while the bus was away, or not said, by a node that ended.
func (h *Hub) renew(l Live, revision uint64) {
	if revision <= l.Revision {
		return
	}
	if l.NodeID != h.id {
		h.publish(subjectChanged+l.Gateway, revision)
		return
	}
	h.mu.Lock()
	own := h.links[l.Link]
	h.mu.Unlock()
	if own != nil {
		own.renew(revision)
	}
}

// hearRevoked cuts the links of an instance that this node holds.
func (h *Hub) hearRevoked(instance string) {
	h.each(func(l *link) {
		if l.live.Instance == instance {
			l.dismiss()
		}
	})
}

// each calls f for every link of this node.
// It is called without the lock, so that f may take its time and the lock itself.
func (h *Hub) each(f func(*link)) {
	h.mu.Lock()
	links := make([]*link, 0, len(h.links))
	for _, l := range h.links {
		links = append(links, l)
	}
	h.mu.Unlock()
	for _, l := range links {
		f(l)
	}
}

// enter makes l one of this node's links; false when the node is leaving.
func (h *Hub) enter(l *link) bool {
	// Decided under the lock: Leave tells every link that is in, and none comes in
	// after it.
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.leaving {
		return false
	}
	h.links[l.live.Link] = l
	h.serving.Add(1)
	return true
}

// exit undoes enter.
func (h *Hub) exit(l *link) {
	h.mu.Lock()
	delete(h.links, l.live.Link)
	h.mu.Unlock()
	h.serving.Done()
}

// isLeaving tells whether the node takes no more links.
func (h *Hub) isLeaving() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.leaving
}

// Leave tells every agent to dial another node, and takes no more links. Sign-ons
// go on, by way of the other nodes' links.
// It may be called again and does nothing then. Agents have another node before they
// lose this one.
func (h *Hub) Leave() {
	h.mu.Lock()
	was := h.leaving
	h.leaving = true
	h.mu.Unlock()
	if !was {
		h.each(func(l *link) { l.leave("this node is stopping") })
	}
}

// Close leaves, waits for the answers under way until ctx ends, and closes the
// links.
// A request that is not answered when ctx ends is lost, and its outcome unknown. It
// returns when every link is closed.
func (h *Hub) Close(ctx context.Context) {
	// In this order the agents have gone elsewhere before their links here end.
	h.Leave()
	h.each(func(l *link) { l.idle(ctx) })
	h.each(func(l *link) { l.end("this node is stopping") })
	h.serving.Wait()
	h.close()
	h.sayHere(true)
	for _, sub := range h.subs {
		_ = sub.Unsubscribe()
	}
}
