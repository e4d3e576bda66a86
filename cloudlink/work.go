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
	return s.start(ctx, f, work{id: m.ID, answer: wire.KindSignOnResult, busy: Event{Kind: EventBusy, Frame: f.Kind, SignOn: m},
		handle: func(ctx context.Context) any { return s.link.Handler.SignOn(ctx, m).For(s.welcome.Version) },
		instead: func(o wire.Outcome, bindSent bool, reason string, retry uint32) any {
			return wire.SignOnResult{ID: m.ID, Outcome: o, BindSent: bindSent, Reason: reason, RetryMillis: retry}
		}})
}

func (s *session) takeChange(ctx context.Context, f wire.Frame) error {
	var m wire.ChangePassword
	if err := f.Decode(&m); err != nil {
		return err
	}
	return s.start(ctx, f, work{id: m.ID, answer: wire.KindPasswordChanged, busy: Event{Kind: EventBusy, Frame: f.Kind, Change: m},
		handle: func(ctx context.Context) any { return s.link.Handler.ChangePassword(ctx, m) },
		instead: func(o wire.Outcome, bindSent bool, reason string, retry uint32) any {
			return wire.PasswordChanged{ID: m.ID, Outcome: o, BindSent: bindSent, Reason: reason, RetryMillis: retry}
		}})
}

func (s *session) takeExplain(ctx context.Context, f wire.Frame) error {
	var m wire.Explain
	if err := f.Decode(&m); err != nil {
		return err
	}
	return s.start(ctx, f, work{id: m.ID, answer: wire.KindExplained, busy: Event{Kind: EventBusy, Frame: f.Kind, Explain: m},
		handle: func(ctx context.Context) any { return s.link.Handler.Explain(ctx, m).For(s.welcome.Version) },
		instead: func(o wire.Outcome, _ bool, reason string, _ uint32) any {
			return wire.Explained{ID: m.ID, Outcome: o, Reason: reason}
		}})
}

// start starts a handler, or answers busy when all are at work.
func (s *session) start(ctx context.Context, f wire.Frame, w work) error {
	if !s.slot() {
		s.link.happened(w.busy)
		return s.send(ctx, w.answer, f.ID, w.instead(wire.OutcomeBusy, false, fmt.Sprintf("all %d handlers of this instance are at work", cap(s.slots)), 200))
	}
	s.running.Go(func() {
		defer func() { <-s.slots }()
		if err := s.send(ctx, w.answer, f.ID, s.do(ctx, w, f.Left())); err != nil {
			s.link.log().Debug("an answer could not be sent", "request", f.Kind, "id", w.id, "error", err)
		}
	})
	return nil
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
			s.link.log().Error("a request failed in an unforeseen way: please report this", "id", w.id, "panic", p, "stack", string(debug.Stack()))
			answer = w.instead(wire.OutcomeUnknown, true, "internal error of the gateway; its log has the details", 0)
		}
	}()
	return w.handle(ctx)
}
