package hub

import (
	"context"
	"errors"

	"github.com/fxamacker/cbor/v2"
	"github.com/nats-io/nats.go"

	"ldap-gateway/cloudlink/wire"
)

// reply is what the node with the link answers on the bus.
type reply struct {
	State  replyState      `cbor:"1,keyasint"`
	Reason string          `cbor:"2,keyasint,omitempty"`
	Body   cbor.RawMessage `cbor:"3,keyasint,omitempty"` // the agent's
}

// replyState says what a node knows of a request that came to its link.
type replyState uint8

const (
	replyAnswered replyState = 1
	replyNotSent  replyState = 2 // the agent cannot have seen the request
	replyLost     replyState = 3 // it may have seen it, and its answer will not come
	replyBusy     replyState = 4 // too much waits for it already
)

// waiting takes the one reply of a request, and does not wait itself.
type waiting func(reply)

// outgoing is a frame on its way to the agent, with who waits for the answer.
type outgoing struct {
	frame wire.Frame
	asked waiting // nil: nobody waits
}

// awaited is a request whose answer is to come.
type awaited struct {
	kind    wire.Kind // of the request
	respond waiting
}

// answers is the kind of answer that each kind of request has.
var answers = map[wire.Kind]wire.Kind{
	wire.KindSignOn:         wire.KindSignOnResult,
	wire.KindChangePassword: wire.KindPasswordChanged,
	wire.KindExplain:        wire.KindExplained,
	wire.KindLook:           wire.KindLooked,
}

// expect makes an ID, by which the answer will find who waits; nil: nobody does.
func (l *link) expect(kind wire.Kind, asked waiting) uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lastID++
	if asked != nil {
		l.pending[l.lastID] = awaited{kind, asked}
	}
	return l.lastID
}

// subscribe has the other nodes ask this link, until the returned function is called.
func (l *link) subscribe() (end func(), err error) {
	if l.hub.Bus == nil {
		return func() {}, nil
	}
	sub, err := l.hub.Bus.Conn.Subscribe(subjectLink+l.live.Link, l.hearRequest)
	// What was asked already is answered; Unsubscribe would drop it.
	return func() { _ = sub.Drain() }, err
}

// hearRequest takes what another node asks. Nobody may wait there any more, which is no
// error: the asker's deadline covers a bus that is gone.
func (l *link) hearRequest(m *nats.Msg) {
	respond := func(r reply) {
		if b, err := wire.Marshal(r); err == nil {
			_ = m.Respond(b)
		}
	}
	f, err := wire.DecodeFrame(m.Data)
	if err != nil {
		respond(reply{State: replyNotSent, Reason: err.Error()})
		return
	}
	l.request(f, respond)
}

// ask hands the agent a request and waits for the reply. When ctx ends first, the agent
// may have seen it.
func (l *link) ask(ctx context.Context, f wire.Frame) (reply, error) {
	replied := make(chan reply, 1)
	l.request(f, func(r reply) { replied <- r })
	select {
	case r := <-replied:
		return r, nil
	case <-ctx.Done():
		return reply{}, ctx.Err()
	}
}

// request queues a frame. From here on the reply comes by respond, once, whatever
// happens to the link.
func (l *link) request(f wire.Frame, respond waiting) {
	l.mu.Lock() // so that settle misses none
	defer l.mu.Unlock()
	switch {
	case l.live.Leaving || l.live.Over:
		respond(reply{State: replyNotSent, Reason: "the instance is stopping"})
	case l.queue(outgoing{f, respond}) != nil:
		respond(reply{State: replyBusy, Reason: "too much is waiting for the instance"})
	}
}

// queue has a frame sent, after those that are queued already.
func (l *link) queue(o outgoing) error {
	begins, added := l.send.put(o)
	if !added {
		return errors.New("the agent takes nothing more")
	}
	if begins {
		go l.sendAll(context.Background())
	}
	return nil
}

// answer gives the agent's answer to whoever asked; one that was never asked
// for, or was answered before, goes nowhere. One of another kind is none.
func (l *link) answer(f wire.Frame) {
	l.mu.Lock()
	asked, is := l.pending[f.ID]
	l.mu.Unlock()
	if is && answers[asked.kind] != f.Kind {
		l.hub.misdeed(context.Background(), l.live.Instance, "it answered what it was not asked")
		l.fail(f.ID, reply{State: replyLost, Reason: "the instance's answer is of another kind"})
		return
	}
	l.fail(f.ID, reply{State: replyAnswered, Body: f.Body})
}

// fail ends one pending request.
func (l *link) fail(id uint64, r reply) {
	l.mu.Lock()
	asked := l.pending[id]
	delete(l.pending, id)
	l.checkEmpty()
	l.mu.Unlock()
	if asked.respond != nil {
		asked.respond(r)
	}
}

// settle answers everything that will get no answer any more.
// A frame that was still queued was not seen by the agent, so another instance may have
// it.
func (l *link) settle() {
	l.send.wait()
	l.mu.Lock()
	l.live.Over = true
	pending := l.pending
	l.pending = map[uint64]awaited{}
	l.checkEmpty()
	l.mu.Unlock()
	for _, asked := range pending {
		asked.respond(reply{State: replyLost, Reason: "the link was lost after the request was sent: " + l.why})
	}
	for _, o := range l.send.left() {
		if o.asked != nil {
			o.asked(reply{State: replyNotSent, Reason: "the link was lost before the request was sent"})
		}
	}
}

// idle waits until nothing is pending, the link is over, or ctx ends.
func (l *link) idle(ctx context.Context) {
	l.mu.Lock()
	l.empty = make(chan struct{})
	empty := l.empty
	l.checkEmpty()
	l.mu.Unlock()
	select {
	case <-empty:
	case <-l.over:
	case <-ctx.Done():
	}
}

// checkEmpty wakes idle; the caller holds mu.
func (l *link) checkEmpty() {
	if l.empty != nil && len(l.pending) == 0 {
		close(l.empty)
		l.empty = nil
	}
}
