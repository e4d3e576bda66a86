package provisioner

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"ldap-gateway/cloud/store"
)

// What one turn writes at most of a sign-on: more would keep others waiting for longer than they notice.
// What is beyond is written in turns of its own, before the one of the person.
const fewGroups = 200 // that are new, or have another name; of memberships see store.MembershipsAtOnce

// mostPlans is how often a sign-on is planned while others change what it was planned of.
const mostPlans = 3

// bringing says why the groups of a sign-on are left as they are.
const bringing = "another sign-on of the person brings many groups"

// Why a plan comes to nothing.
var (
	errOthers = errors.New("somebody else has changed the record meanwhile")
	errBusy   = errors.New(bringing)
)

// part writes a part of all in a turn, and returns what is told of it.
type part[T any] func(tx *store.Tx, few []T) ([]store.Activity, error)

// inTurns writes parts of all in turns of their own.
func inTurns[T any](ctx context.Context, s *step, all []T, most int, write part[T]) error {
	for few := range slices.Chunk(all, most) {
		if err := s.budget.Store.ProvisionIn(ctx, s.id.EnvironmentID, func(tx *store.Tx) error {
			activities, err := write(tx, few)
			if err != nil {
				return err
			}
			return tx.AddActivity(ctx, activities...)
		}); err != nil {
			return err
		}
	}
	return s.budget.Store.Recount(ctx)
}

// keep notes that so many groups were written for good, whatever becomes of the sign-on.
func (s *step) keep(groups int) {
	s.groups, s.changes, s.made = s.groups-groups, s.changes-groups, s.made+groups
}

// make makes groups that are missing. When the sign-on comes to nothing those that were made ahead stay,
// without members, as those do that have lost their last.
func (s *step) make(ctx context.Context, missing []*store.Group) error {
	if !s.ahead || len(missing) <= fewGroups {
		if err := s.tx.CreateGroups(ctx, missing); err != nil { // it gives them IDs
			return err
		}
		s.activities = append(s.activities, s.groupsCreated(missing)...)
		return nil
	}
	return inTurns(ctx, s, missing, fewGroups, func(tx *store.Tx, few []*store.Group) ([]store.Activity, error) {
		if err := tx.CreateGroups(ctx, few); err != nil {
			return nil, err
		}
		s.keep(len(few))
		return s.groupsCreatedAtOnce(few), nil
	})
}

// renamed is a group as it was, and as the directory has it now.
type renamed struct{ before, after store.Group }

// rename writes what the directory changed of groups. What is written ahead is true of them, whatever
// becomes of the sign-on.
func (s *step) rename(ctx context.Context, all []renamed) error {
	update := func(tx *store.Tx, few []renamed) (told []store.Activity, err error) {
		for _, r := range few {
			if err := tx.UpdateGroup(ctx, &r.after); err != nil {
				return nil, err
			}
			told = append(told, s.groupRenamed(r)...)
		}
		return told, nil
	}
	if s.ahead && len(all) > fewGroups {
		return inTurns(ctx, s, all, fewGroups, func(tx *store.Tx, few []renamed) ([]store.Activity, error) {
			s.keep(len(few))
			return update(tx, few)
		})
	}
	told, err := update(s.tx, all)
	s.activities = append(s.activities, told...)
	return err
}

// join adds memberships, each with the stamp that its group came with.
func (s *step) join(ctx context.Context, groups []store.Group, listed []Group) error {
	stamps := make(map[string]string, len(listed))
	for _, g := range listed {
		stamps[s.key(g.Name)] = g.Stamp
	}
	joined := make([]store.Joined, len(groups))
	for i, g := range groups {
		joined[i] = store.Joined{GroupID: g.ID, Stamp: stamps[s.key(g.Name)]}
	}
	s.change.Added = groups
	s.memberships("membership.added", groups)
	large, err := s.large(ctx, len(groups))
	switch {
	case err != nil:
		return err
	case large != nil:
		return large.Join(ctx, joined, s.so.At)
	}
	return s.tx.AddMemberships(ctx, s.id.EnvironmentID, s.change.User.ID, joined, s.so.At)
}

// leave ends memberships.
func (s *step) leave(ctx context.Context, groups []store.Group) error {
	s.change.Removed = groups
	s.memberships("membership.removed", groups)
	large, err := s.large(ctx, len(groups))
	switch {
	case err != nil:
		return err
	case large != nil:
		return large.Leave(ctx, idsOf(groups))
	}
	return s.tx.RemoveMemberships(ctx, s.id.EnvironmentID, s.change.User.ID, idsOf(groups))
}

// large returns the list by which so many memberships change at once, where they are more than a turn
// writes; nil where they are not. errBusy while another sign-on of the person has one.
func (s *step) large(ctx context.Context, memberships int) (*store.LargeList, error) {
	if !s.ahead || memberships <= store.MembershipsAtOnce {
		return nil, nil
	}
	if s.list != nil {
		return s.list, nil
	}
	list, err := s.budget.Store.BeginLargeList(ctx, s.id.EnvironmentID, s.change.User.ID)
	if errors.Is(err, store.ErrConflict) {
		return nil, fmt.Errorf("%w: %w", errBusy, err)
	}
	if err != nil {
		return nil, err
	}
	s.list = list
	return list, nil
}

// doubt keeps why memberships could not be told, and takes back what is told now. What is written ahead is
// what the directory said, whatever becomes of the sign-on.
func (s *step) doubt(ctx context.Context, d changes) error {
	env, user := s.id.EnvironmentID, s.change.User.ID
	for reason, groups := range d.doubts() {
		note := func(tx *store.Tx, few []string) ([]store.Activity, error) {
			return nil, tx.DoubtMemberships(ctx, env, user, few, reason, s.so.At)
		}
		var err error
		if s.ahead && len(groups) > store.MembershipsAtOnce {
			err = inTurns(ctx, s, groups, store.MembershipsAtOnce, note)
		} else {
			_, err = note(s.tx, groups)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
