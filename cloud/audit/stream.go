package audit

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/hashicorp/go-hclog"

	"ldap-gateway/cloud/store"
)

const (
	look = 5 * time.Second // between two looks
	// settled is how old something is that is told. What is of a time is written later: after
	// the turn and the commit, of 20 seconds at most, by a clock that may be off by ten before
	// it is an alert, and for a large list after its groups. A mark that has gone by is never
	// gone back to, so it is more than all of these.
	settled = time.Minute
	claimed = 2 * time.Minute  // that one node has for telling
	again   = 30 * time.Second // after a failure
	atOnce  = 200              // activities of one telling
)

// Stream tells one target what happens, until it is stopped. Safe for concurrent use.
type Stream struct {
	Store  *store.Store
	Target *Target
	Logger hclog.Logger
	Now    func() time.Time // nil: time.Now

	mu       sync.Mutex
	failed   error // why the last telling failed; nil: it did not
	failedAt time.Time
}

// Run tells until ctx ends.
func (s *Stream) Run(ctx context.Context) {
	tick := time.NewTicker(look)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if err := s.Look(ctx); err != nil && ctx.Err() == nil {
			s.Logger.Warn("what happened could not be told", "target", s.Target.URL, "error", err)
		}
	}
}

// Failed returns why what happened could not be told the last time; nil when it could, and
// when that was long ago, since another node tells then.
func (s *Stream) Failed() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.now().Sub(s.failedAt) > 5*again {
		return nil
	}
	return s.failed
}

func (s *Stream) now() time.Time {
	if s.Now == nil {
		return time.Now()
	}
	return s.Now()
}

// Look tells what is to be told now of all environments. One that cannot be told of does
// not keep the others from it.
func (s *Stream) Look(ctx context.Context) error {
	all, err := s.Store.Environments(ctx)
	for _, e := range all {
		if failed := s.tell(ctx, e.ID); failed != nil {
			err = errors.Join(err, fmt.Errorf("environment %s: %w", e.ID, failed))
		}
	}
	return err
}

// tell tells of one environment, as long as there is something.
func (s *Stream) tell(ctx context.Context, env string) error {
	due, err := s.due(ctx, env)
	if err != nil || !due {
		return err
	}
	for {
		more, err := s.some(ctx, env)
		if errors.Is(err, store.ErrStale) {
			return nil // another node tells
		}
		if err != nil || !more {
			return err
		}
	}
}

// due tells whether there is something that nobody tells. Looking costs no turn.
func (s *Stream) due(ctx context.Context, env string) (bool, error) {
	m, err := s.Store.AuditMark(ctx, env, s.Target.URL)
	if errors.Is(err, store.ErrNotFound) {
		return false, s.Store.BeginAudit(ctx, env, s.Target.URL, s.now().Add(-settled))
	}
	if err != nil || m.NextAt.After(s.now()) {
		return false, err
	}
	first, err := s.Store.ActivitiesAfter(ctx, m, s.now().Add(-settled), 1)
	return len(first) > 0, err
}

// some tells some of an environment, and says whether there may be more.
func (s *Stream) some(ctx context.Context, env string) (more bool, err error) {
	now := s.now()
	m, err := s.Store.ClaimAudit(ctx, env, s.Target.URL, now, now.Add(claimed))
	if err != nil {
		return false, err
	}
	all, err := s.Store.ActivitiesAfter(ctx, m, now.Add(-settled), atOnce)
	told, next := store.Activity{At: m.At, ID: m.ActivityID}, now
	if err == nil && len(all) > 0 {
		err = s.send(ctx, all)
		if err == nil {
			told = all[len(all)-1]
		}
	}
	if err != nil {
		next = now.Add(again)
	}
	err = errors.Join(err, s.Store.MoveAudit(context.WithoutCancel(ctx), m, told, next))
	return err == nil && len(all) == atOnce, err
}

// send tells, and keeps why it could not.
func (s *Stream) send(ctx context.Context, all []store.Activity) error {
	err := s.Target.Send(ctx, all, s.now())
	s.mu.Lock()
	defer s.mu.Unlock()
	s.failed, s.failedAt = err, s.now()
	return err
}
