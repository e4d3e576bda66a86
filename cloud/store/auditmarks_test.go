package store_test

import (
	"testing"
	"time"

	"ldap-gateway/cloud/store"
)

// How far a target was told goes by environment and target, is moved by who claimed it, and
// goes with its environment.
func TestAuditMarks(t *testing.T) {
	s := open(t)
	ctx := t.Context()
	one, two := build(t, s, "one"), build(t, s, "two")
	now := time.Now().UTC().Truncate(time.Microsecond)
	_, err := s.AuditMark(ctx, one.env.ID, "a")
	want(t, err, store.ErrNotFound)
	must(t, s.BeginAudit(ctx, one.env.ID, "a", now.Add(-time.Second)))
	must(t, s.BeginAudit(ctx, one.env.ID, "a", now.Add(time.Hour))) // it has begun
	must(t, s.BeginAudit(ctx, two.env.ID, "a", now))
	must(t, s.BeginAudit(ctx, one.env.ID, "b", now))
	want(t, s.BeginAudit(ctx, "none", "a", now), store.ErrNotFound)

	m, err := s.ClaimAudit(ctx, one.env.ID, "a", now, now.Add(time.Minute))
	must(t, err)
	if !m.At.Equal(now.Add(-time.Second)) || m.ActivityID != "" {
		t.Errorf("%+v", m)
	}
	_, err = s.ClaimAudit(ctx, one.env.ID, "a", now, now.Add(time.Minute))
	want(t, err, store.ErrStale)
	late, err := s.ClaimAudit(ctx, one.env.ID, "a", now.Add(2*time.Minute), now.Add(3*time.Minute))
	must(t, err)
	want(t, s.MoveAudit(ctx, m, store.Activity{At: now, ID: "x"}, now), store.ErrStale)
	must(t, s.MoveAudit(ctx, late, store.Activity{At: now, ID: "y"}, now))

	first := store.Activity{EnvironmentID: one.env.ID, At: now, ID: "z", Action: "x"}
	second := store.Activity{EnvironmentID: one.env.ID, At: now.Add(time.Second), Action: "x"}
	must(t, s.AddActivity(ctx, first, second, store.Activity{EnvironmentID: two.env.ID, At: now, Action: "x"}))
	m, err = s.AuditMark(ctx, one.env.ID, "a")
	must(t, err)
	after, err := s.ActivitiesAfter(ctx, m, now.Add(time.Minute), 10)
	must(t, err)
	if len(after) != 2 || after[0].ID != "z" {
		t.Errorf("%+v", after)
	}
	if after, err = s.ActivitiesAfter(ctx, m, now.Add(time.Second), 10); err != nil || len(after) != 1 {
		t.Errorf("%+v, %v", after, err)
	}
}
