package management

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"ldap-gateway/cloud/fault"
	"ldap-gateway/cloud/store"
)

// factsOfGroup leaves the members out: each membership is an activity of its own.
func factsOfGroup(g store.Group) facts {
	return facts{
		"name":        g.Name,
		"displayName": g.DisplayName,
		"description": g.Description,
		"externalId":  g.ExternalID,
		"population":  g.PopulationID,
	}
}

// CreateGroup adds an ordinary group, and fills in ID and times.
// Its name is unique among the groups without a source; a directory's group may be
// called the same.
func (s *Service) CreateGroup(ctx context.Context, by By, g *store.Group) error {
	return s.act(ctx, by, CreateGroup, func(t *turn) error {
		g.ID, g.EnvironmentID = "", t.env()
		if g.JustInTime() {
			return fault.Of(fault.Source, fault.ReadOnly,
				"A group with a source exists because a sign-on brought it: it cannot be created here.")
		}
		if err := t.checkGroup(ctx, g, store.Group{}); err != nil {
			return err
		}
		if err := t.Store.CreateGroup(ctx, g); err != nil {
			return groupNameTaken(err)
		}
		t.did(note{
			action:  "group.created",
			subject: "group:" + g.ID,
			text:    "group " + g.Name + " was created",
			after:   factsOfGroup(*g),
		})
		return nil
	})
}

// ChangeGroup changes a group. Name and display name of a just-in-time group are
// decided where it comes from.
func (s *Service) ChangeGroup(
	ctx context.Context, by By, id string, change func(*store.Group) error,
) (g store.Group, err error) {
	err = s.act(ctx, by, ChangeGroup, func(t *turn) error {
		before, err := t.group(ctx, id, nil)
		if err != nil {
			return err
		}
		g = before
		if err := change(&g); err != nil {
			return err
		}
		g.ID, g.EnvironmentID = before.ID, before.EnvironmentID
		g.SourceType, g.SourceID, g.DirectoryID = before.SourceType, before.SourceID, before.DirectoryID
		if err := cmp.Or(keepsNames(before, g).Err(), t.checkGroup(ctx, &g, before)); err != nil {
			return err
		}
		if err := t.UpdateGroup(ctx, &g); err != nil {
			return groupNameTaken(err)
		}
		t.did(note{
			action:  "group.updated",
			subject: "group:" + g.ID,
			text:    "group " + g.Name + " was changed",
			before:  factsOfGroup(before),
			after:   factsOfGroup(g),
		})
		return nil
	})
	return g, err
}

// Origin says in words where the members of a just-in-time group are decided.
// It is for sentences, and not for programs.
func Origin(g store.Group) string {
	if g.FromGateway() {
		return "the directory"
	}
	return "the identity provider"
}

// keepsNames tells which names of a just-in-time group would be others.
// That is told by name, and not passed over: a client that renames such a group
// believes that it did.
func keepsNames(before, after store.Group) (l fault.List) {
	if !before.JustInTime() {
		return nil
	}
	if before.Name != after.Name {
		l = append(l, fault.Of(fault.Name, fault.ReadOnly,
			"This group is just-in-time: its name is that in "+Origin(before)+".")...)
	}
	if before.DisplayName != after.DisplayName {
		l = append(l, fault.Of(fault.DisplayName, fault.ReadOnly,
			"This group is just-in-time: its display name is that in "+Origin(before)+".")...)
	}
	return l
}

// checkGroup tells what may not be kept of a group, which was before; without a
// display name it has its name.
// A group without a population is the whole environment's.
func (t *turn) checkGroup(ctx context.Context, g *store.Group, before store.Group) error {
	l := checkLength(fault.Name, "The name of a group", before.Name, g.Name, maxGroupName)
	if g.Name == "" {
		l = fault.Of(fault.Name, fault.Missing, "Give the group a name.")
	}
	if g.DisplayName != "" {
		l = append(l, checkLength(
			fault.DisplayName, "The display name of a group", before.DisplayName, g.DisplayName, maxGroupName)...)
	}
	g.DisplayName = cmp.Or(g.DisplayName, g.Name)
	var err error
	if g.PopulationID != "" {
		_, err = t.Population(ctx, t.env(), g.PopulationID)
	}
	if errors.Is(err, store.ErrNotFound) {
		l, err = append(l, fault.Of(fault.Population, fault.Invalid, "This environment has no such population.")...), nil
	}
	return cmp.Or(err, l.Err())
}

// groupNameTaken is a conflict as the fault that it is here; any other error stays what
// it is.
func groupNameTaken(err error) error {
	if errors.Is(err, store.ErrConflict) {
		return fault.Of(fault.Name, fault.Taken, "Another group of this environment has this name.")
	}
	return err
}

// group returns a group that the actor may change.
// Seen gets the group as it is and may refuse; nil: it does not.
func (t *turn) group(ctx context.Context, id string, seen func(store.Group) error) (store.Group, error) {
	g, err := t.Group(ctx, t.env(), id)
	if err == nil {
		err = t.weighGroup(ctx, g)
	}
	if err == nil {
		err = ask(seen, g)
	}
	return g, err
}

// DeleteGroup removes a group with its memberships. A just-in-time group may come
// back with the next updating sign-on of a member, as another one: so *DependentsError when
// an application names it.
func (s *Service) DeleteGroup(ctx context.Context, by By, id string, seen func(store.Group) error) error {
	return s.act(ctx, by, DeleteGroup, func(t *turn) error {
		g, err := t.group(ctx, id, seen)
		if err == nil {
			err = t.unnamed(ctx, g.ID)
		}
		if err != nil {
			return err
		}
		t.did(groupDeleted(g))
		_, err = t.goes(ctx, store.GroupGoes, g.ID)
		return err
	})
}

// groupDeleted tells that a group was deleted.
func groupDeleted(g store.Group) note {
	return note{
		action:  "group.deleted",
		subject: "group:" + g.ID,
		text:    "group " + g.DisplayName + " was deleted",
		before:  factsOfGroup(g),
		more:    facts{"members": g.MemberCount},
	}
}

// AddMember puts a user into an ordinary group.
// Who is in it already stays so, with the time of then, and the activity tells that
// somebody asked.
func (s *Service) AddMember(ctx context.Context, by By, user, group string) error {
	return s.act(ctx, by, AddMember, func(t *turn) error {
		u, err := t.User(ctx, t.env(), user)
		if err != nil {
			return err
		}
		g, err := t.group(ctx, group, nil)
		if errors.Is(err, store.ErrNotFound) {
			return fault.Of(fault.Group, fault.Invalid, "This environment has no such group.")
		}
		if err != nil {
			return err
		}
		if g.JustInTime() {
			return fault.Of(fault.Group, fault.ReadOnly, "This group is just-in-time: its members are those whom "+Origin(g)+
				" names when they sign on. Add the user there; the next updating sign-on brings the membership.")
		}
		t.did(note{
			action:  "membership.added",
			subject: "user:" + u.ID,
			text:    "user " + u.Username + " was added to " + g.DisplayName,
			more:    facts{"group": g.ID, "name": g.Name},
		})
		return t.Store.AddMember(ctx, t.env(), u.ID, g.ID, t.service.now())
	})
}

// RemoveMember takes a user out of a group of any kind. A sign-on that updates
// brings them back into a just-in-time group that the directory still has them in.
// Seen may refuse; nil: it does not. It is store.ErrNotFound when the user is not in
// the group.
func (s *Service) RemoveMember(
	ctx context.Context, by By, user, group string, seen func(store.GroupMembership) error,
) error {
	return s.act(ctx, by, RemoveMember, func(t *turn) error {
		u, err := t.User(ctx, t.env(), user)
		if err != nil {
			return err
		}
		m, err := t.membership(ctx, u.ID, group)
		if err == nil {
			err = t.weighGroup(ctx, m.Group)
		}
		if err == nil {
			err = ask(seen, m)
		}
		if err != nil {
			return err
		}
		t.did(note{
			action:  "membership.removed",
			subject: "user:" + u.ID,
			text:    u.Username + " was taken out of " + m.Group.DisplayName,
			more:    facts{"group": m.Group.ID, "name": m.Group.Name},
		})
		return t.Store.RemoveMember(ctx, t.env(), u.ID, m.Group.ID)
	})
}

// ReleaseGroup takes every user out of a group of whom it cannot be told whether they
// are in it still, and returns how many there were. A sign-on that updates brings
// back whom the directory shows in it.
func (s *Service) ReleaseGroup(ctx context.Context, by By, group string) (users int, err error) {
	err = s.act(ctx, by, ReleaseGroup, func(t *turn) error {
		g, err := t.Group(ctx, t.env(), group)
		if err == nil {
			err = t.weighGroup(ctx, g)
		}
		if err == nil {
			users, err = t.CountDoubted(ctx, t.env(), g.ID)
		}
		if err == nil {
			_, err = t.goes(ctx, store.DoubtsGo, g.ID)
		}
		if err != nil {
			return err
		}
		t.did(note{
			action:  "group.released",
			subject: "group:" + g.ID,
			text:    fmt.Sprintf("%d users of whom it could not be told were taken out of %s", users, g.DisplayName),
			more:    facts{"name": g.Name, "users": users},
		})
		return nil
	})
	return users, err
}

// membership returns a user's membership in a group, or store.ErrNotFound.
// It knows the groups of every source.
func (t *turn) membership(ctx context.Context, user, group string) (store.GroupMembership, error) {
	all, err := t.UserGroups(ctx, t.env(), user)
	for _, m := range all {
		if m.Group.ID == group {
			return m, err
		}
	}
	return store.GroupMembership{}, cmp.Or(err, store.ErrNotFound)
}
