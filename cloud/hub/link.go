package hub

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/coder/websocket"
	"github.com/hashicorp/go-hclog"

	"ldap-gateway/cloud/store"
	"ldap-gateway/cloudlink/wire"
)

var errLeaving = errors.New("this node is leaving")

const (
	// reportEvery is how often a live instance is written to the store.
	reportEvery = time.Minute
)

// link is one agent's connection to this node.
// A reader is its own, and a writer while there is something to write; all else reaches it under mu.
type link struct {
	hub    *Hub
	ws     *websocket.Conn
	epoch  uint64 // begun by this link
	policy string // hash of the agent's file

	arrived     func() // frees its place at the door
	unsubscribe func() // from what other nodes ask; nil: it did not begin
	send        outbox
	over        chan struct{} // closed when the link has ended
	once        sync.Once
	why         string // it ended; read after over is closed

	mu       sync.Mutex
	live     Live // what is of the link, its node and the hello never changes
	lastID   uint64
	pending  map[uint64]awaited // sent, not answered
	empty    chan struct{}      // closed when leaving and nothing is pending
	owed     int                // user types that were sent and not answered
	told     uint64             // revision of those that were sent last
	reported time.Time          // zero: its first heartbeat is to come
	again    *time.Timer        // sends the user types once more; nil: nothing was refused for now

	confirmed bool // the agent has kept the epoch; this and words are used by the reader only
	words     words
}

// newLink makes a link that is not served yet: the agent has proven itself, and said
// nothing.
func newLink(h *Hub, ws *websocket.Conn, live Live) *link {
	return &link{
		hub:     h,
		ws:      ws,
		live:    live,
		over:    make(chan struct{}),
		pending: map[uint64]awaited{},
		arrived: func() {},
	}
}

// read returns the next frame. Text is no frame: whoever sends it is no agent.
func (l *link) read(ctx context.Context) (wire.Frame, error) {
	kind, r, err := l.ws.Reader(ctx) // where a link waits: the less is on its stack the better
	if err != nil {
		return wire.Frame{}, err
	}
	return frameOf(kind, r)
}

// frameOf reads a frame whole.
func frameOf(kind websocket.MessageType, r io.Reader) (wire.Frame, error) {
	b, err := io.ReadAll(r)
	if err != nil {
		return wire.Frame{}, err
	}
	if kind != websocket.MessageBinary {
		return wire.Frame{}, fmt.Errorf("%w: a text message", wire.ErrFrame)
	}
	return wire.DecodeFrame(b)
}

// writeFrame sends one frame whole, or returns an error and has sent nothing that an
// agent would take for one.
func (l *link) writeFrame(f wire.Frame) error {
	b, err := f.Encode()
	if err != nil {
		return err
	}
	// It has no deadline of its own: to end the link is what ends it.
	return l.ws.Write(context.Background(), websocket.MessageBinary, b)
}

// begin has the agent be asked, and told its user types. It subscribes first, so that whoever hears of
// the link can ask at once.
func (l *link) begin(context.Context) {
	unsubscribe, err := l.subscribe()
	if err != nil {
		l.log().Error("message bus", "error", err)
		return
	}
	l.unsubscribe = unsubscribe
	l.deliverSoon()
}

// finish announces the end last, when what was pending is settled.
func (l *link) finish(ctx context.Context) {
	l.unsubscribe()
	l.settle()
	l.deliverLater(nil)
	l.announce()
	l.hub.report(ctx, l, 0)
	l.log().Info("link is down", "because", l.why)
}

// log is made anew for each of its few lines: a link keeps none.
func (l *link) log() hclog.Logger {
	return l.hub.Logger.With("instance", l.live.Instance, "gateway", l.live.Gateway)
}

// readAll takes frames until the link ends. A peer that is silent for two and a
// half heartbeats is dead.
func (l *link) readAll(ctx context.Context) {
	silence := l.hub.Heartbeat * 5 / 2
	dead := time.AfterFunc(silence, func() { l.end("nothing heard for " + silence.String()) })
	defer dead.Stop()
	for {
		f, err := l.read(ctx)
		if err == nil {
			dead.Reset(silence)
			err = l.take(ctx, f)
		}
		if err != nil {
			l.suspect(ctx, err)
			l.end(err.Error())
			return
		}
	}
}

// sendAll writes what waits, and ends: an idle link has no writer, nor its stack.
func (l *link) sendAll(ctx context.Context) {
	for {
		o, types, more := l.send.next()
		if !more {
			return
		}
		l.guarded(ctx, func(ctx context.Context) {
			if err := l.sendOne(ctx, o, types); err != nil {
				l.end(err.Error())
			}
		})
	}
}

// sendOne writes the user types, or a frame.
// A request gets its ID when it is about to be written: so the replies that are awaited
// are those of frames that may have been seen.
func (l *link) sendOne(ctx context.Context, o outgoing, types bool) error {
	if types {
		return l.deliver(ctx)
	}
	if o.asked != nil {
		o.frame.ID = l.expect(o.frame.Kind, o.asked)
	}
	err := l.writeFrame(o.frame)
	if err != nil && o.asked != nil {
		// The library says so only of a message that it has not written whole, and
		// of that an agent sees nothing.
		l.fail(o.frame.ID, reply{State: replyNotSent, Reason: "the link was lost before the request was sent"})
	}
	return err
}

// take acts on one frame of the agent.
// A kind that is not known is passed over, since a newer agent may say more. An error
// ends the link: what is malformed once cannot be trusted to be in step.
func (l *link) take(ctx context.Context, f wire.Frame) error {
	if !l.asked(f) && !l.words.spend(time.Now(), l.hub.Heartbeat) {
		return errTalks
	}
	switch f.Kind {
	case wire.KindHeartbeat:
		return l.takeHeartbeat(ctx, f)
	case wire.KindUserTypesAnswer:
		var a wire.UserTypesAnswer
		if err := f.Decode(&a); err != nil {
			return err
		}
		l.mu.Lock()
		l.live.Revision, l.live.Refused = a.Revision, boundRefused(a.Refused)
		l.mu.Unlock()
		l.announce()
		l.arrived()
		l.deliverLater(a.Refused)
	case wire.KindRotate:
		return l.rotate(ctx, f)
	case wire.KindGoingAway:
		l.leave("no more requests come")
	case wire.KindSignOnResult, wire.KindPasswordChanged, wire.KindExplained, wire.KindLooked:
		l.answer(f)
	case wire.KindUnsupported:
		l.fail(f.ID, reply{State: replyNotSent, Reason: "the instance does not know this kind of request: update it"})
	}
	return nil
}

// takeHeartbeat notes how the agent fares, confirms its epoch, and looks for a twin:
// another machine with the same key.
func (l *link) takeHeartbeat(ctx context.Context, f wire.Frame) error {
	var beat wire.Heartbeat
	if err := f.Decode(&beat); err != nil {
		return err
	}
	boundHeartbeat(&beat)
	l.mu.Lock()
	l.live.Beat = beat
	confirm := beat.Epoch == l.epoch && !l.confirmed
	l.confirmed = l.confirmed || confirm
	live := l.live
	due := confirm || time.Since(l.reported) > reportEvery
	if due {
		l.reported = time.Now()
	}
	l.mu.Unlock()
	l.announce()
	if twin, ok := l.hub.presence.twin(live, time.Now().Add(-2*l.hub.Heartbeat)); ok {
		l.hub.quarantineLive(ctx, live.Instance, "two machines are linked with its key: "+live.Hostname+" and "+twin.Hostname)
	}
	if due {
		l.hub.report(ctx, l, beat.Epoch)
	}
	return l.queue(outgoing{frame: wire.Frame{Kind: wire.KindHeartbeat, ID: f.ID}})
}

// deliverSoon has the user types sent; several wishes become one.
func (l *link) deliverSoon() {
	if l.send.wish() {
		go l.sendAll(context.Background())
	}
}

// renew has the user types sent, unless they were at that revision; 0: whichever were.
func (l *link) renew(revision uint64) {
	l.mu.Lock()
	told := revision > 0 && l.told >= revision
	l.mu.Unlock()
	if !told {
		l.deliverSoon()
	}
}

// soonest and latest bound when user types are sent again that an instance would
// take later.
const (
	soonest = time.Minute
	latest  = time.Hour
)

// deliverLater sends the user types again once one would be taken that was refused.
func (l *link) deliverLater(refused []wire.Refused) {
	var after time.Duration
	for _, r := range refused {
		after = max(after, time.Duration(r.RetryMillis)*time.Millisecond)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.again != nil {
		// A timer of the answer before asks for what has been delivered since.
		l.again.Stop()
		l.again = nil
	}
	if after > 0 {
		l.again = time.AfterFunc(min(max(after, soonest), latest), l.deliverSoon)
	}
}

// deliver sends the gateway's user types as they are now, unless the instance is
// none any more.
func (l *link) deliver(ctx context.Context) error {
	i, err := l.hub.Store.Instance(ctx, l.live.Instance)
	if err == nil && (!i.RevokedAt.IsZero() || !i.QuarantinedAt.IsZero()) {
		l.dismiss()
		return nil
	}
	// With a store that is away this fails as well, and that ends the link
	// below.
	g, err := l.hub.Store.GatewayByID(ctx, l.live.Gateway)
	if errors.Is(err, store.ErrNotFound) || err == nil && !g.Enabled {
		return errors.New("the gateway was deleted or switched off")
	}
	if err != nil {
		return err
	}
	f, err := wire.NewFrame(wire.KindUserTypes, l.expect(wire.KindUserTypes, nil), 0, delivery(g))
	if err != nil {
		return err
	}
	l.mu.Lock()
	l.owed++
	l.told = g.Revision
	l.mu.Unlock()
	return l.writeFrame(f)
}

// announce tells all nodes how the link is, this one first.
func (l *link) announce() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.announceLocked()
}

// announceLocked is announce under the lock, so that an older word never comes after a
// newer one.
func (l *link) announceLocked() {
	l.hub.presence.note(l.live, time.Now())
	l.hub.publish(subjectPresence, l.live)
}

// leave takes no more requests and tells the agent so, after the last of them.
func (l *link) leave(reason string) {
	f, err := wire.NewFrame(wire.KindGoingAway, 0, 0, wire.GoingAway{Reason: reason})
	if err != nil {
		l.end(err.Error())
		return
	}
	l.mu.Lock()
	l.live.Leaving = true
	l.announceLocked()
	// Queued under the lock, so that it is the last: request looks at Leaving under the
	// same lock.
	err = l.queue(outgoing{frame: f})
	l.mu.Unlock()
	if err != nil {
		l.end(err.Error())
	}
}

// dismiss ends the link of an instance that will not come back.
func (l *link) dismiss() {
	l.mu.Lock()
	l.live.Dismissed = true
	l.mu.Unlock()
	l.end("revoked")
}

// end closes the connection, once, and says why.
func (l *link) end(why string) {
	l.once.Do(func() {
		l.why = why
		close(l.over)
		l.send.end()
		go l.ws.CloseNow() // it can wait for a write in progress
	})
}
