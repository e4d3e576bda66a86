package management

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"ldap-gateway/cloud/administrators"
	"ldap-gateway/cloud/fault"
	"ldap-gateway/cloud/store"
)

// factsOfAdministrator leaves the hashes out: an activity is read by more people than
// may know that a password was set, and by programs.
func factsOfAdministrator(a store.Administrator) facts {
	return facts{"name": a.Name, "role": a.Role}
}

// CreateAdministrator adds an administrator, and returns the set-up secret by which
// they set a password. Only this answer has it.
// They have no password until they set one by that secret, so that nobody but
// themselves ever knows it. Errors: a fault.List of the name and the role, and
// *HigherError for a role that the actor does not have.
func (s *Service) CreateAdministrator(ctx context.Context, by By, a *store.Administrator) (secret string, err error) {
	err = s.act(ctx, by, CreateAdministrator, func(t *turn) error {
		*a = store.Administrator{EnvironmentID: t.env(), Name: a.Name, Role: a.Role}
		if err := cmp.Or(checkNamed("administrator", a.Name, a.Role, store.Roles()).Err(), t.mayGive(a.Role)); err != nil {
			return err
		}
		secret, a.SetupHash = administrators.NewSetupSecret()
		a.SetupUntil = s.now().Add(administrators.SetupHandedOn)
		err := t.Store.CreateAdministrator(ctx, a)
		if errors.Is(err, store.ErrConflict) {
			return fault.Of(fault.Name, fault.Taken,
				"This name is taken. Names are unique in the whole cloud, since administrators sign in by them.")
		}
		t.did(note{
			action:  "administrator.created",
			subject: "administrator:" + a.ID,
			text:    "administrator " + a.Name + " was added",
			after:   factsOfAdministrator(*a),
			more:    facts{"role": a.Role},
		})
		return err
	})
	return secret, err
}

// checkName tells what is wrong with the name of something that is not known yet by
// before. What says in words of what.
// A name that stays as it was is not measured again.
func checkName(what, before, name string) fault.List {
	if name == "" {
		return fault.Of(fault.Name, fault.Missing, "Give the "+what+" a name.")
	}
	return checkLength(fault.Name, "The name of the "+what, before, name, maxName)
}

// checkNamed tells what may not be kept of somebody's name and role.
func checkNamed(what, name string, role store.Role, roles []store.Role) (l fault.List) {
	l = checkName(what, "", name)
	if !slices.Contains(roles, role) {
		l = append(l, wrong(fault.Role, 0, "Choose a role: one of %q.", roles)...)
	}
	return l
}

// mayGive refuses to give a role that the actor does not have.
// It holds for every way of giving: to an administrator, a client, a group.
func (t *turn) mayGive(role store.Role) error { return t.needs(role, "what is to be given", nil) }

// administrator returns an administrator whom the actor may change.
// One whose role is higher than the actor's is told of, as a *HigherError: that they
// exist is in the list that the actor may read.
func (t *turn) administrator(ctx context.Context, id string) (store.Administrator, error) {
	a, err := t.AdministratorByID(ctx, t.env(), id)
	return a, t.needs(a.Role, "the administrator "+a.Name, err)
}

// ChangeAdministrator changes an administrator's role. store.ErrLastOwner when no
// owner would be left.
// The name stays, whatever change does to it: administrators sign in by it, and
// activities name them by it. So do the proofs, which are their own to change.
func (s *Service) ChangeAdministrator(
	ctx context.Context, by By, id string, change func(*store.Administrator) error,
) (a store.Administrator, err error) {
	err = s.act(ctx, by, ChangeAdministrator, func(t *turn) error {
		before, err := t.administrator(ctx, id)
		if err != nil {
			return err
		}
		a = before
		if err := change(&a); err != nil {
			return err
		}
		if !slices.Contains(store.Roles(), a.Role) {
			return wrong(fault.Role, 0, "Choose a role: one of %q.", store.Roles())
		}
		if err := t.mayGive(a.Role); err != nil {
			return err
		}
		role := a.Role
		a = before
		a.Role = role
		t.did(note{
			action:  "administrator.updated",
			subject: "administrator:" + a.ID,
			text:    "administrator " + a.Name + " got another role",
			before:  factsOfAdministrator(before),
			after:   factsOfAdministrator(a),
		})
		return t.UpdateAdministrator(ctx, &a)
	})
	return a, err
}

// ResetAdministrator takes away every proof of an administrator, and returns a new
// set-up secret. Only this answer has it.
// It is for who has lost a password or a second factor. Their sessions end, as sessions
// do whose password has become another.
func (s *Service) ResetAdministrator(
	ctx context.Context, by By, id string,
) (a store.Administrator, secret string, err error) {
	err = s.act(ctx, by, ResetAdministrator, func(t *turn) (err error) {
		if a, err = t.administrator(ctx, id); err != nil {
			return err
		}
		var hash []byte
		secret, hash = administrators.NewSetupSecret()
		t.did(note{
			action:  "administrator.reset",
			subject: "administrator:" + a.ID,
			text:    "the password and factors of administrator " + a.Name + " were taken away",
		})
		return t.Store.ResetAdministrator(ctx, t.env(), a.ID, hash, s.now().Add(administrators.SetupHandedOn))
	})
	return a, secret, err
}

// DeleteAdministrator removes an administrator. store.ErrLastOwner when no owner
// would be left.
// Seen gets the administrator as they are and may refuse; nil: it does not. What they
// did stays in the activities under their name.
func (s *Service) DeleteAdministrator(
	ctx context.Context, by By, id string, seen func(store.Administrator) error,
) (a store.Administrator, err error) {
	err = s.act(ctx, by, DeleteAdministrator, func(t *turn) (err error) {
		if a, err = t.administrator(ctx, id); err == nil {
			err = ask(seen, a)
		}
		if err != nil {
			return err
		}
		t.did(note{
			action:  "administrator.deleted",
			subject: "administrator:" + a.ID,
			text:    "administrator " + a.Name + " was removed",
			before:  factsOfAdministrator(a),
		})
		return t.Store.DeleteAdministrator(ctx, t.env(), a.ID)
	})
	return a, err
}

// SetRoleGroup gives the members of a group a role; the empty role takes it away.
// Seen gets the role that it gives now.
// Who gives a role by a group gives it to everybody whom the directory puts there, now
// and later: so the gateway whose group it is carries the role from then on, see
// rights.go.
func (s *Service) SetRoleGroup(
	ctx context.Context, by By, group string, role store.Role, seen func(store.Group, store.Role) error,
) (g store.Group, err error) {
	err = s.act(ctx, by, SetRoleGroup, func(t *turn) error {
		if role != "" && !slices.Contains(store.Roles(), role) {
			return wrong(fault.Role, 0, "Choose a role: one of %q.", store.Roles())
		}
		g, err = t.group(ctx, group, nil)
		if err != nil {
			return err
		}
		before, err := t.GroupRole(ctx, t.env(), g.ID)
		if err == nil && seen != nil {
			err = seen(g, before)
		}
		if err == nil {
			err = t.mayGive(role)
		}
		if err != nil {
			return err
		}
		if role == "" && before == "" {
			return nil // nothing is taken away, so there is nothing to tell
		}
		t.did(note{
			action:  "role.changed",
			subject: "group:" + g.ID,
			text:    "the role of the members of group " + g.DisplayName + " was changed",
			before:  facts{"role": before},
			after:   facts{"role": role},
		})
		return t.Store.SetRoleGroup(ctx, store.RoleGroup{EnvironmentID: t.env(), GroupID: g.ID, Role: role})
	})
	return g, err
}
