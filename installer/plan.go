package installer

import (
	"context"
	"errors"
	"fmt"
	"io"
)

// Step is one thing to be done to a machine.
type Step struct {
	Name string                                  // what it does, in words, as an administrator would
	Done func(ctx context.Context) (bool, error) // nil: not to be told, so it is always done
	// Apply does it. errors.ErrUnsupported is of a system that does not have what is
	// asked for: the plan goes on without it.
	Apply func(ctx context.Context) error
	Undo  func(ctx context.Context) error // nil: nothing to undo
}

// Plan is steps in their order.
type Plan []Step

// Show writes what would be done, a line a step.
func (p Plan) Show(ctx context.Context, w io.Writer) error {
	for _, s := range p {
		mark := "would"
		if done, err := s.done(ctx); err != nil {
			return fmt.Errorf("%s: %w", s.Name, err)
		} else if done {
			mark = "done "
		}
		if _, err := fmt.Fprintf(w, "%s  %s\n", mark, s.Name); err != nil {
			return err
		}
	}
	return nil
}

func (s Step) done(ctx context.Context) (bool, error) {
	if s.Done == nil {
		return false, nil
	}
	return s.Done(ctx)
}

// Apply does what is not done yet, and writes a line for each step. When one
// fails, those that this call did are undone in reverse, and the error says both.
func (p Plan) Apply(ctx context.Context, w io.Writer) error {
	var did []Step
	for _, s := range p {
		done, err := s.done(ctx)
		if err == nil && !done {
			err = s.Apply(ctx)
			did = append(did, s)
		}
		if errors.Is(err, errors.ErrUnsupported) {
			fmt.Fprintf(w, "skip  %s: %v\n", s.Name, err)
			continue
		}
		if err != nil {
			fmt.Fprintf(w, "FAIL  %s\n", s.Name)
			return errors.Join(fmt.Errorf("%s: %w", s.Name, err), undo(context.WithoutCancel(ctx), did, w))
		}
		fmt.Fprintf(w, "%s  %s\n", map[bool]string{true: "ok, was so", false: "ok"}[done], s.Name)
	}
	return nil
}

// undo takes back what was done, the last first. It goes on after an error.
func undo(ctx context.Context, did []Step, w io.Writer) (err error) {
	for i := len(did) - 1; i >= 0; i-- {
		s := did[i]
		if s.Undo == nil {
			continue
		}
		if e := s.Undo(ctx); e != nil {
			err = errors.Join(err, fmt.Errorf("undo %s: %w", s.Name, e))
			continue
		}
		fmt.Fprintf(w, "undone  %s\n", s.Name)
	}
	return err
}
