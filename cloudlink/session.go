package cloudlink

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"

	"ldap-gateway/cloudlink/wire"
)

var (
	errGoingAway  = errors.New("the cloud is going away")
	errUnexpected = errors.New("a message that a cloud does not send now, or that is not known here")
)

const (
	// The heartbeat's interval is the cloud's choice between these. More would
	// let a dead link, or a proxy that cuts idle connections, go unnoticed.
	leastHeartbeat = time.Second
	mostHeartbeat  = 30 * time.Second
)

// session is one websocket, from the welcome to its end.
type session struct {
	link    *Link
	conn    *websocket.Conn
	welcome wire.Welcome
	greeted time.Time     // when the hello was sent, so before the cloud looked at its clock
	slots   chan struct{} // one for each handler that may run
	types   chan delivery // deliveries that wait to be looked at
	// handlers reaches a goroutine that waits for another handler. At each beat those end that wait.
	handlers chan func()
	running  sync.WaitGroup
	lastID   atomic.Uint64
	asked    sync.Map // our requests that wait: ID to chan wire.Frame
	began    time.Time
	heard    atomic.Int64  // when the last frame came, counted from began: the clock on the wall may jump
	leaving  chan struct{} // closed when the cloud says that no more requests come
	leave    sync.Once
	over     chan struct{} // closed when the reader has ended
	err      error         // why; read after over is closed
}

func newSession(l *Link, conn *websocket.Conn) *session {
	conn.SetReadLimit(wire.MaxFrame)
	return &session{
		link:     l,
		conn:     conn,
		began:    time.Now(),
		slots:    make(chan struct{}, l.handlers()),
		types:    make(chan delivery, 1),
		handlers: make(chan func()),
		leaving:  make(chan struct{}),
		over:     make(chan struct{}),
	}
}

// greet sends the hello and waits for the welcome.
func (s *session) greet(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 15*time.Second)
	defer cancel()
	hello := s.link.Hello()
	hello.Versions = wire.Versions()
	s.greeted = time.Now()
	if err := s.send(ctx, wire.KindHello, 0, hello); err != nil {
		return err
	}
	f, err := s.read(ctx)
	if err != nil {
		return err
	}
	if f.Kind != wire.KindWelcome {
		return fmt.Errorf("%w: %s instead of a welcome", wire.ErrFrame, f.Kind)
	}
	if err := f.Decode(&s.welcome); err != nil {
		return err
	}
	_, err = wire.CommonVersion(wire.Versions(), []uint16{s.welcome.Version})
	return err
}

// wait returns when a new link is needed: this one has ended or is about to.
func (s *session) wait() error {
	select {
	case <-s.over:
		return s.err
	case <-s.leaving:
		return errGoingAway
	}
}

// serve reads until the link ends or, after ctx has ended, until all is answered.
func (s *session) serve(ctx context.Context) {
	work, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	var rest sync.WaitGroup
	rest.Go(func() { s.beat(work) })
	rest.Go(func() { s.drain(ctx, work) })
	rest.Go(func() { s.lookAtTypes(work) })
	s.err = s.readAll(work)
	close(s.over)
	s.link.happened(Event{Kind: EventClosed, Node: s.welcome.Node, Err: s.because(ctx)})
	cancel()
	s.running.Wait()
	rest.Wait()
	_ = s.conn.CloseNow()
}

// because returns why the link ended, nil when one end had said that it would.
func (s *session) because(ctx context.Context) error {
	select {
	case <-s.leaving:
		return nil
	default:
	}
	if ctx.Err() != nil {
		return nil
	}
	return s.err
}

// readAll takes frames until the connection ends.
func (s *session) readAll(ctx context.Context) error {
	for {
		f, err := s.read(ctx)
		if err == nil {
			err = s.take(ctx, f)
		}
		if errors.Is(err, wire.ErrFrame) {
			s.link.happened(Event{Kind: EventFrameRefused, Frame: f.Kind, Err: err})
		}
		if err != nil {
			return err
		}
	}
}

// read returns the next frame. A context that ends here closes the connection.
func (s *session) read(ctx context.Context) (wire.Frame, error) {
	kind, b, err := s.conn.Read(ctx)
	if err != nil {
		return wire.Frame{}, err
	}
	s.heard.Store(s.now())
	if kind != websocket.MessageBinary {
		return wire.Frame{}, fmt.Errorf("%w: a text message", wire.ErrFrame)
	}
	f, err := wire.DecodeFrame(b)
	if s.link.log().IsTrace() {
		s.link.log().Trace("received", "frame", f, "bytes", len(b), "error", err)
	}
	return f, err
}

// take acts on one frame.
func (s *session) take(ctx context.Context, f wire.Frame) error {
	switch f.Kind {
	case wire.KindSignOn:
		return s.takeSignOn(ctx, f)
	case wire.KindChangePassword:
		return s.takeChange(ctx, f)
	case wire.KindExplain:
		return s.takeExplain(ctx, f)
	case wire.KindLook:
		return s.takeLook(ctx, f)
	case wire.KindUserTypes:
		return s.takeUserTypes(ctx, f)
	case wire.KindRotateSoon:
		s.link.happened(Event{Kind: EventRotate})
	case wire.KindGoingAway:
		s.leave.Do(func() { close(s.leaving) })
	case wire.KindHeartbeat, wire.KindUnsupported, wire.KindRotated: // answers to ours
		if answer, ok := s.asked.LoadAndDelete(f.ID); ok {
			answer.(chan wire.Frame) <- f
		} else if f.Kind != wire.KindHeartbeat {
			s.link.happened(Event{Kind: EventFrameRefused, Frame: f.Kind, Err: errUnexpected})
		}
	default:
		s.link.happened(Event{Kind: EventFrameRefused, Frame: f.Kind, Err: errUnexpected})
		if f.ID != 0 {
			return s.send(ctx, wire.KindUnsupported, f.ID, nil)
		}
	}
	return nil
}

// send writes one frame. It does not give up on its own: beat closes a
// connection that takes nothing any more.
func (s *session) send(ctx context.Context, kind wire.Kind, id uint64, body any) error {
	f, err := wire.NewFrame(kind, id, 0, body)
	if err != nil {
		return err
	}
	b, err := f.Encode()
	if err != nil {
		return err
	}
	if s.link.log().IsTrace() {
		s.link.log().Trace("sent", "frame", f, "bytes", len(b))
	}
	return s.conn.Write(context.WithoutCancel(ctx), websocket.MessageBinary, b)
}

// ask sends a request of ours and returns its answer.
func (s *session) ask(ctx context.Context, kind wire.Kind, body any) (wire.Frame, error) {
	id, answer := s.lastID.Add(1), make(chan wire.Frame, 1)
	s.asked.Store(id, answer)
	defer s.asked.Delete(id)
	if err := s.send(ctx, kind, id, body); err != nil {
		return wire.Frame{}, err
	}
	select {
	case f := <-answer:
		return f, nil
	case <-s.over:
		return wire.Frame{}, fmt.Errorf("the link was lost before the answer: %w", s.err)
	case <-ctx.Done():
		return wire.Frame{}, ctx.Err()
	}
}

// beat sends heartbeats, and closes the connection when nothing comes back or
// when the other end reads no more.
func (s *session) beat(ctx context.Context) {
	interval := min(max(time.Duration(s.welcome.HeartbeatMillis)*time.Millisecond, leastHeartbeat), mostHeartbeat)
	tick := time.NewTicker(interval)
	defer tick.Stop()
	var sending sync.WaitGroup
	defer sending.Wait()
	var writing atomic.Int64 // since when a heartbeat waits for the socket, counted from began; 0: none does
	for {
		silent, stuck := s.since(&s.heard), s.since(&writing)
		if silent > interval*5/2 || stuck > interval*5/2 {
			s.link.log().Warn(
				"the cloud says nothing or reads nothing, closing the link",
				"silent",
				silent.Round(time.Second),
				"unread",
				stuck.Round(time.Second),
			)
			_ = s.conn.CloseNow()
			return
		}
		if writing.CompareAndSwap(0, s.now()) {
			sending.Go(func() { defer writing.Store(0); s.sendHeartbeat(ctx) })
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			s.dismiss()
		}
	}
}

// now returns the nanoseconds from began; never 0.
func (s *session) now() int64 { return max(1, int64(time.Since(s.began))) }

// since returns the time since a moment counted from began; zero without one.
func (s *session) since(moment *atomic.Int64) time.Duration {
	n := moment.Load()
	if n == 0 {
		return 0
	}
	return time.Since(s.began) - time.Duration(n)
}

func (s *session) sendHeartbeat(ctx context.Context) {
	h := s.link.Heartbeat()
	h.Epoch = s.link.Credential.epoch()
	h.BusyPercent = uint8(100 * len(s.slots) / cap(s.slots))
	if err := s.send(ctx, wire.KindHeartbeat, s.lastID.Add(1), h); err != nil {
		s.link.log().Debug("heartbeat not sent", "error", err)
	}
}

// drain waits for the end of ctx, or for the cloud to go away, and then for
// what is running; then it closes the connection. The cloud's word that it is
// going away, which is also its answer to ours, comes after its last request.
func (s *session) drain(ctx, work context.Context) {
	select {
	case <-work.Done():
		return
	case <-s.leaving:
	case <-ctx.Done():
		_ = s.send(work, wire.KindGoingAway, 0, wire.GoingAway{Reason: "the agent is stopping"})
	}
	limited, cancel := context.WithTimeout(work, s.link.drainTime())
	defer cancel()
	select {
	case <-s.leaving:
		s.idle(limited)
	case <-limited.Done():
	}
	s.close()
}

// idle waits until no handler runs. It takes every slot, so none may be wanted
// any more.
func (s *session) idle(ctx context.Context) {
	for range cap(s.slots) {
		select {
		case s.slots <- struct{}{}:
		case <-ctx.Done():
			return
		}
	}
}

// close says goodbye for a moment, then closes.
func (s *session) close() {
	done := make(chan struct{})
	go func() { _ = s.conn.Close(websocket.StatusGoingAway, ""); close(done) }()
	limit := time.NewTimer(time.Second)
	defer limit.Stop()
	select {
	case <-done:
	case <-limit.C:
	}
	_ = s.conn.CloseNow()
}
