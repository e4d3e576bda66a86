package management

import (
	"cmp"
	"context"
	"errors"
	"maps"

	"ldap-gateway/cloud/fault"
	"ldap-gateway/cloud/store"
)

// factsOfUser has the values that an administrator may change; the link has facts of
// its own.
func factsOfUser(u store.User) facts {
	return facts{
		"username":   u.Username,
		"givenName":  u.GivenName,
		"familyName": u.FamilyName,
		"email":      u.Email,
		"externalId": u.ExternalID,
		"population": u.PopulationID,
		"enabled":    u.Enabled,
		"locked":     u.Locked,
		"attributes": maps.Clone(u.Attributes),
	}
}

// CreateUser adds a user who is linked to no directory, and fills in ID, times and,
// when none is named, the default population.
// They cannot sign on until somebody links them: see LinkUser.
func (s *Service) CreateUser(ctx context.Context, by By, u *store.User) error {
	return s.act(ctx, by, CreateUser, func(t *turn) error { return t.createUser(ctx, u) })
}

// ImportUser is CreateUser of somebody whose password a user type checks from then on.
// It takes what LinkUser takes besides, and its errors are those of both.
func (s *Service) ImportUser(ctx context.Context, by By, u *store.User, link Link) error {
	return s.act(ctx, by, CreateUser, func(t *turn) error {
		if !May(t.by.Role, LinkUser) {
			return ErrRole
		}
		if err := t.createUser(ctx, u); err != nil {
			return err
		}
		after, err := t.link(ctx, *u, link)
		if err == nil {
			*u = after
		}
		return err
	})
}

// createUser adds a user who is linked to nothing.
func (t *turn) createUser(ctx context.Context, u *store.User) error {
	u.ID, u.EnvironmentID = "", t.env()
	u.GatewayID, u.UserTypeID, u.DN, u.Correlation = "", "", "", nil
	if err := t.checkUser(ctx, u, store.User{}); err != nil {
		return err
	}
	if err := t.Store.CreateUser(ctx, u); err != nil {
		return usernameTaken(err)
	}
	t.did(note{
		action:  "user.created",
		subject: "user:" + u.ID,
		text:    "user " + u.Username + " was created",
		after:   factsOfUser(*u),
	})
	return nil
}

// ChangeUser changes a user's own values; the link to a directory stays, whatever
// change does to it: see LinkUser.
// Disabling ends what the user has opened as soon as it is next used: sessions and
// tokens ask. Errors are store.ErrNotFound, *HigherError, a fault.List, and what change
// returns.
func (s *Service) ChangeUser(
	ctx context.Context, by By, id string, change func(*store.User) error,
) (u store.User, err error) {
	err = s.act(ctx, by, ChangeUser, func(t *turn) error {
		before, err := t.User(ctx, t.env(), id)
		if err != nil {
			return err
		}
		if err := t.weighUser(ctx, before); err != nil {
			return err
		}
		u = before
		u.Attributes = maps.Clone(before.Attributes)
		if err := change(&u); err != nil {
			return err
		}
		keepIdentity(&u, before)
		if err := t.checkUser(ctx, &u, before); err != nil {
			return err
		}
		if err := t.UpdateUser(ctx, &u); err != nil {
			return usernameTaken(err)
		}
		t.did(userUpdated(before, u))
		return nil
	})
	return u, err
}

// userUpdated tells that a user was changed.
func userUpdated(before, u store.User) note {
	return note{
		action:  "user.updated",
		subject: "user:" + u.ID,
		text:    "user " + u.Username + " was " + changeOfUser(before, u),
		before:  factsOfUser(before),
		after:   factsOfUser(u),
	}
}

// keepIdentity keeps what a user is known again by.
// None of it is a value that change may set: the link has a method of its own.
func keepIdentity(u *store.User, before store.User) {
	u.ID, u.EnvironmentID, u.CreatedAt = before.ID, before.EnvironmentID, before.CreatedAt
	u.GatewayID, u.UserTypeID, u.DN, u.Correlation = before.GatewayID, before.UserTypeID, before.DN, before.Correlation
}

// changeOfUser is the word for what was done: that somebody was disabled is what is
// looked for in a list.
func changeOfUser(before, after store.User) string {
	switch {
	case before.Enabled && !after.Enabled:
		return "disabled"
	case !before.Enabled && after.Enabled:
		return "enabled"
	case before.Locked != after.Locked && after.Locked:
		return "locked"
	case before.Locked != after.Locked:
		return "unlocked"
	}
	return "changed"
}

// checkUser tells what may not be kept of a user, who was before, and fills in the
// population.
func (t *turn) checkUser(ctx context.Context, u *store.User, before store.User) error {
	l := checkUsername(before.Username, u.Username)
	if u.Username == "" {
		l = fault.Of(fault.Username, fault.Missing, "Give the user a username.")
	}
	l = append(l, checkEmail(before.Email, u.Email)...)
	var err error
	u.PopulationID, err = t.populationFor(ctx, u.PopulationID)
	if errors.Is(err, store.ErrNotFound) {
		l, err = append(l, fault.Of(fault.Population, fault.Invalid, "This environment has no such population.")...), nil
	}
	return cmp.Or(err, l.Err())
}

// populationFor returns a population that is there: the default one when none is
// named.
// It is store.ErrNotFound when there is none of that ID, or no default.
func (t *turn) populationFor(ctx context.Context, id string) (string, error) {
	find := t.DefaultPopulation
	if id != "" {
		find = func(ctx context.Context, env string) (store.Population, error) { return t.Population(ctx, env, id) }
	}
	p, err := find(ctx, t.env())
	return p.ID, err
}

// usernameTaken is a conflict as the fault that it is here; any other error stays what
// it is.
func usernameTaken(err error) error {
	if errors.Is(err, store.ErrConflict) {
		return fault.Of(fault.Username, fault.Taken, "Another user of this environment has this username.")
	}
	return err
}

// user returns a user whom the actor may change.
// Errors are store.ErrNotFound, *HigherError, and what seen returns.
func (t *turn) user(ctx context.Context, id string, seen func(store.User) error) (store.User, error) {
	u, err := t.User(ctx, t.env(), id)
	if err == nil {
		err = t.weighUser(ctx, u)
	}
	if err == nil {
		err = ask(seen, u)
	}
	return u, err
}

// DeleteUser removes a user with its memberships. Seen may refuse; nil: it does not.
// What they did stays in sign-ons and activities. Who is in the directory still comes
// back with their next sign-on, as a new record.
func (s *Service) DeleteUser(ctx context.Context, by By, id string, seen func(store.User) error) error {
	return s.act(ctx, by, DeleteUser, func(t *turn) error {
		u, err := t.user(ctx, id, seen)
		if err != nil {
			return err
		}
		t.did(userDeleted(u))
		_, err = t.goes(ctx, store.UserGoes, u.ID)
		return err
	})
}

// userDeleted tells that a user was deleted.
func userDeleted(u store.User) note {
	return note{
		action:  "user.deleted",
		subject: "user:" + u.ID,
		text:    "user " + u.Username + " was deleted",
		before:  factsOfUser(u),
	}
}

// SignOffUser ends a user's sessions and what applications hold for them.
// It holds on every node with the next request of theirs. Whoever knows the password
// may sign on again: to keep somebody out, disable them.
func (s *Service) SignOffUser(ctx context.Context, by By, id string) (u store.User, err error) {
	err = s.act(ctx, by, SignOffUser, func(t *turn) (err error) {
		if u, err = t.user(ctx, id, nil); err != nil {
			return err
		}
		t.did(userSignedOff(u))
		return t.Store.SignOffUser(ctx, t.env(), u.ID)
	})
	return u, err
}

// userSignedOff tells that a user was signed off everywhere.
func userSignedOff(u store.User) note {
	return note{
		action:  "user.signed-off",
		subject: "user:" + u.ID,
		text:    "user " + u.Username + " was signed off everywhere",
	}
}

// ResetFactor takes away all second factors of a user who has lost them, with the recovery codes,
// and signs the user off everywhere. They set up another one when they are asked for it next. Of who has none
// nothing changes.
func (s *Service) ResetFactor(ctx context.Context, by By, id string) (u store.User, err error) {
	err = s.act(ctx, by, ResetFactor, func(t *turn) (err error) {
		if u, err = t.user(ctx, id, nil); err != nil {
			return err
		}
		have, err := t.PersonFactors(ctx, t.env(), u.ID)
		if err != nil || !have.Any() {
			return err
		}
		t.did(note{
			action:  "user.factor-reset",
			subject: "user:" + u.ID,
			text:    "the second factor of user " + u.Username + " was taken away",
		})
		return cmp.Or(t.ForgetPersonFactors(ctx, t.env(), u.ID), t.Store.SignOffUser(ctx, t.env(), u.ID))
	})
	return u, err
}
