package hub

import (
	"context"
	"fmt"
	"runtime/debug"
)

// apart runs f, which asks the store, on a stack of its own: that takes a deep one, and a link,
// which waits for hours, would keep it. A panic of f is one of apart.
func apart(f func() error) error {
	done := make(chan error, 1)
	var fault any
	go func() {
		defer close(done)
		defer func() {
			if what := recover(); what != nil {
				fault = fmt.Sprintf("%v\n%s", what, debug.Stack())
			}
		}()
		done <- f()
	}()
	err := <-done
	if fault != nil {
		panic(fault)
	}
	return err
}

// guarded runs a part of a link. A fault of ours in it ends this link, and nothing else.
func (l *link) guarded(ctx context.Context, part func(context.Context)) {
	defer func() {
		if fault := recover(); fault != nil {
			l.hub.Logger.Error("a link ended in a fault of this program: please report it",
				"instance", l.live.Instance, "fault", fault, "stack", string(debug.Stack()))
			l.end("a fault of this program")
		}
	}()
	part(ctx)
}
