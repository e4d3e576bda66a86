package cloudlink

import (
	"context"
	"fmt"
	"runtime/debug"
	"time"

	"ldap-gateway/cloudlink/wire"
)

const (
	// defaultBudget is for a request that does not say how much time it has.
	defaultBudget = 10 * time.Second
	// mostBudget keeps a handler from being taken for as long as a cloud likes.
	mostBudget = time.Minute
)

// work is a request that takes one of the bounded handlers.
type work struct {
	id     string
	answer wire.Kind
	busy   Event // told when no handler is free
	handle func(context.Context) any
	// instead is the answer when there is none of the handler's.
	instead func(o wire.Outcome, bindSent bool, reason string, retryMillis uint32) any
}

func (s *session) takeSignOn(ctx context.Context, f wire.Frame) error {
	var m wire.SignOn
	if err := f.Decode(&m); err != nil {
		return err
	}
	m = m.Bounded()
	return s.start(ctx, f, work{
		id:     m.ID,
		answer: wire.KindSignOnResult,
		busy:   Event{Kind: EventBusy, Frame: f.Kind, SignOn: m},
		handle: func(ctx context.Context) any { return s.link.Handler.SignOn(ctx, m).For(s.welcome.Version) },
		instead: func(o wire.Outcome, bindSent bool, reason string, retry uint32) any {
			return wire.SignOnResult{
				ID:          m.ID,
				Outcome:     o,
				BindSent:    bindSent,
				Reason:      reason,
				RetryMillis: retry,
			}
		},
	})
}

func (s *session) takeChange(ctx context.Context, f wire.Frame) error {
	var m wire.ChangePassword
	if err := f.Decode(&m); err != nil {
		return err
	}
	m = m.Bounded()
	return s.start(ctx, f, work{
		id:     m.ID,
		answer: wire.KindPasswordChanged,
		busy:   Event{Kind: EventBusy, Frame: f.Kind, Change: m},
		handle: func(ctx context.Context) any { return s.link.Handler.ChangePassword(ctx, m) },
		instead: func(o wire.Outcome, bindSent bool, reason string, retry uint32) any {
			return wire.PasswordChanged{
				ID:          m.ID,
				Outcome:     o,
				BindSent:    bindSent,
				Reason:      reason,
				RetryMillis: retry,
			}
		},
	})
}

func (s *session) takeExplain(ctx context.Context, f wire.Frame) error {
	var m wire.Explain
	if err := f.Decode(&m); err != nil {
		return err
	}
	m = m.Bounded()
	return s.start(ctx, f, work{
		id:     m.ID,
		answer: wire.KindExplained,
		busy:   Event{Kind: EventBusy, Frame: f.Kind, Explain: m},
		handle: func(ctx context.Context) any { return s.link.Handler.Explain(ctx, m).For(s.welcome.Version) },
		instead: func(o wire.Outcome, _ bool, reason string, _ uint32) any {
			return wire.Explained{ID: m.ID, Outcome: o, Reason: reason}
		},
	})
}

// delivery is a UserTypes that waits to be looked at, and the request that it came by.
type delivery struct {
	id    uint64
	types wire.UserTypes
}

// takeUserTypes has a delivery be looked at, beside the reading: what compiles long
// holds up no sign-on. One waits at most: a newer one takes its place.
func (s *session) takeUserTypes(ctx context.Context, f wire.Frame) error {
	m, err := f.DecodeUserTypes()
	if err != nil {
		return err
	}
	for {
		select {
		case s.types <- delivery{f.ID, m}:
			return nil
		case older := <-s.types:
			if err := s.send(ctx, wire.KindUserTypesAnswer, older.id, older.refused("a newer delivery came")); err != nil {
				return err
			}
		}
	}
}

// refused is an answer that takes none of the types.
func (d delivery) refused(reason string) wire.UserTypesAnswer {
	a := wire.UserTypesAnswer{Revision: d.types.Revision}
	for _, t := range d.types.Types {
		a.Refused = append(a.Refused, wire.Refused{ID: t.ID, Reasons: []string{reason}})
	}
	return a
}

// lookAtTypes answers deliveries, one after the other, until ctx ends.
func (s *session) lookAtTypes(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case d := <-s.types:
			if err := s.send(ctx, wire.KindUserTypesAnswer, d.id, s.lookAt(ctx, d).For(s.welcome.Version)); err != nil {
				s.link.log().Debug("an answer could not be sent", "request", wire.KindUserTypes, "error", err)
			}
		}
	}
}

// lookAt calls the handler. A panic becomes an answer that takes nothing.
func (s *session) lookAt(ctx context.Context, d delivery) (answer wire.UserTypesAnswer) {
	defer func() {
		if p := recover(); p != nil {
			s.link.log().Error(
				"a delivery failed in an unforeseen way: please report this",
				"panic",
				p,
				"stack",
				string(debug.Stack()),
			)
			answer = d.refused("internal error of the gateway; its log has the details")
		}
	}()
	return s.link.Handler.UserTypes(ctx, d.types)
}

func (s *session) takeLook(ctx context.Context, f wire.Frame) error {
	var m wire.Look
	if err := f.Decode(&m); err != nil {
		return err
	}
	m = m.Bounded()
	return s.start(ctx, f, work{
		id:     m.ID,
		answer: wire.KindLooked,
		busy:   Event{Kind: EventBusy, Frame: f.Kind, Look: m},
		handle: func(ctx context.Context) any { return s.link.Handler.Look(ctx, m) },
		instead: func(o wire.Outcome, _ bool, _ string, _ uint32) any {
			return wire.Looked{ID: m.ID, Outcome: o}
		},
	})
}

// start starts a handler, or answers busy when all are at work.
func (s *session) start(ctx context.Context, f wire.Frame, w work) error {
	if !s.slot() {
		s.link.happened(w.busy)
		return s.send(ctx, w.answer, f.ID,
			w.instead(wire.OutcomeBusy, false, fmt.Sprintf("all %d handlers of this instance are at work", cap(s.slots)), 200))
	}
	id, kind, left := f.ID, f.Kind, f.Left() // a handler keeps no frame
	s.handOver(func() {
		defer func() { <-s.slots }()
		if err := s.send(ctx, w.answer, id, fitted(s.do(ctx, w, left))); err != nil {
			s.link.log().Debug("an answer could not be sent", "request", kind, "id", w.id, "error", err)
		}
	})
	return nil
}

// handOver has a handler run: in a goroutine that has just done with another, if there is one, whose
// stack has grown to what a handler needs.
func (s *session) handOver(handler func()) {
	select {
	case s.handlers <- handler:
	default:
		s.running.Go(func() { s.handleMore(handler) })
	}
}

// handleMore runs one handler after the other, until nil comes or the session is over.
func (s *session) handleMore(handler func()) {
	for handler != nil {
		handler()
		select {
		case handler = <-s.handlers:
		case <-s.over:
			return
		}
	}
}

// dismiss ends the goroutines that wait for a handler.
func (s *session) dismiss() {
	for {
		select {
		case s.handlers <- nil:
		default:
			return
		}
	}
}

// fitted returns an answer as it fits into a frame.
func fitted(answer any) any {
	switch a := answer.(type) {
	case wire.SignOnResult:
		return a.Fitted()
	case wire.Explained:
		return a.Fitted()
	}
	return answer
}

// slot takes a handler's slot, if one is free.
func (s *session) slot() bool {
	select {
	case s.slots <- struct{}{}:
		return true
	default:
		return false
	}
}

// do calls the handler within the request's budget. A panic becomes an answer
// that nobody will try again.
func (s *session) do(ctx context.Context, w work, budget time.Duration) (answer any) {
	if budget <= 0 {
		budget = defaultBudget
	}
	ctx, cancel := context.WithTimeout(ctx, min(budget, mostBudget))
	defer cancel()
	defer func() {
		if p := recover(); p != nil {
			s.link.log().Error(
				"a request failed in an unforeseen way: please report this",
				"id",
				w.id,
				"panic",
				p,
				"stack",
				string(debug.Stack()),
			)
			answer = w.instead(wire.OutcomeUnknown, true, "internal error of the gateway; its log has the details", 0)
		}
	}()
	return w.handle(ctx)
}
