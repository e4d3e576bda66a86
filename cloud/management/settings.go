package management

import (
	"context"
	"slices"

	"ldap-gateway/cloud/fault"
	"ldap-gateway/cloud/signon"
	"ldap-gateway/cloud/store"
)

// factsOfEnvironment has the settings by name; the logo has facts of its own.
func factsOfEnvironment(e store.Environment) facts {
	return facts{
		"name":         e.Name,
		"shortName":    e.ShortName,
		"kept":         e.Kept,
		"secondFactor": e.Settings.SecondFactor,
		"signOnOrder":  slices.Clone(e.Settings.SignOnOrder),
		"signOnDays":   e.Settings.SignOnDays,
		"activityDays": e.Settings.ActivityDays,
		"brand":        e.Settings.Brand,
	}
}

// mostKept is the longest time that can be given in days: a hundred years.
const mostKept = 36_500

// checkDays wants a time that sign-ons and activities can be kept for.
func checkDays(s store.Settings) (l fault.List) {
	for field, days := range map[fault.Field]int{fault.SignOnDays: s.SignOnDays, fault.ActivityDays: s.ActivityDays} {
		if days < store.Forever || days > mostKept {
			l = append(l, fault.Of(field, fault.Invalid, "Give a number of days, 0 for ever, or nothing for the usual time.")...)
		}
	}
	return l
}

// ChangeSettings changes the name and the settings of the environment.
// Errors are a fault.List, and what change returns.
func (s *Service) ChangeSettings(
	ctx context.Context, by By, change func(*store.Environment) error,
) (e store.Environment, err error) {
	return s.changeEnvironment(ctx, by, ChangeSettings, change)
}

// RenameEnvironment changes the names of the environment, and what clients say of it that
// nothing here goes by, whatever else change does.
func (s *Service) RenameEnvironment(
	ctx context.Context, by By, change func(*store.Environment) error,
) (e store.Environment, err error) {
	return s.changeEnvironment(ctx, by, RenameEnvironment, func(e *store.Environment) error {
		renamed := *e
		err := change(&renamed)
		e.Name, e.ShortName, e.Kept = renamed.Name, renamed.ShortName, renamed.Kept
		return err
	})
}

// SetBrand changes how pages for people look, whatever else change does.
func (s *Service) SetBrand(
	ctx context.Context, by By, change func(*store.Environment) error,
) (e store.Environment, err error) {
	return s.changeEnvironment(ctx, by, SetBrand, func(e *store.Environment) error {
		other := *e
		err := change(&other)
		e.Settings.Brand = other.Settings.Brand
		return err
	})
}

// changeEnvironment is a change of the environment under one of three actions, whose
// roles differ: a name is less than what everybody is held to.
func (s *Service) changeEnvironment(
	ctx context.Context, by By, a Action, change func(*store.Environment) error,
) (e store.Environment, err error) {
	err = s.act(ctx, by, a, func(t *turn) error {
		before, err := t.Environment(ctx, t.env())
		if err != nil {
			return err
		}
		e = copyOfEnvironment(before)
		if err := change(&e); err != nil {
			return err
		}
		e.ID = before.ID
		wrong, err := t.checkShortName(ctx, before, e)
		if err != nil {
			return err
		}
		wrong = slices.Concat(checkName("environment", before.Name, e.Name), wrong, checkDays(e.Settings),
			checkBrand(e.Settings.Brand))
		if err := wrong.Err(); err != nil {
			return err
		}
		return t.saveEnvironment(ctx, &e, before)
	})
	return e, err
}

// saveEnvironment writes an environment, and notes what is other about it.
func (t *turn) saveEnvironment(ctx context.Context, e *store.Environment, before store.Environment) error {
	t.did(note{
		action:  "environment.updated",
		subject: "environment:" + e.ID,
		text:    "the settings were changed",
		before:  factsOfEnvironment(before),
		after:   factsOfEnvironment(*e),
	})
	return t.UpdateEnvironment(ctx, e)
}

// SetLogo keeps the environment's picture, a PNG; nil takes it away.
// Whether it is a picture the face has found out, by drawing it anew.
// The activity tells whether there is one, and not what it shows.
func (s *Service) SetLogo(ctx context.Context, by By, png []byte) error {
	return s.act(ctx, by, SetLogo, func(t *turn) error {
		before, err := t.Environment(ctx, t.env())
		if err != nil {
			return err
		}
		t.did(note{
			action:  "environment.updated",
			subject: "environment:" + t.env(),
			text:    "the logo was changed",
			before:  facts{"logo": before.HasLogo},
			after:   facts{"logo": png != nil},
		})
		return t.Store.SetLogo(ctx, t.env(), png)
	})
}

// MoveSignOnOrder moves a user type up (by -1) or down (by 1) in the order in which
// they are asked for a person whom the cloud does not know. One that is at the end
// already stays there. It returns the user type's name; store.ErrNotFound when there
// is none.
// The order that is kept then has every user type of an enabled gateway in it, so that
// one which is made later comes last, wherever it would have come before.
// By any other number of places it moves nothing.
func (s *Service) MoveSignOnOrder(
	ctx context.Context, by By, ref store.UserTypeRef, places int,
) (name string, err error) {
	err = s.act(ctx, by, MoveSignOnOrder, func(t *turn) error {
		before, err := t.Environment(ctx, t.env())
		if err != nil {
			return err
		}
		routes, err := signon.Routes(ctx, t.Store, t.env())
		if err != nil {
			return err
		}
		i := slices.IndexFunc(routes, func(r signon.Route) bool { return r.Ref() == ref })
		if i < 0 {
			return store.ErrNotFound
		}
		name = routes[i].UserType.Name
		if to := i + places; places*places == 1 && to >= 0 && to < len(routes) {
			routes[i], routes[to] = routes[to], routes[i]
		}
		e := before
		e.Settings.SignOnOrder = nil
		for _, r := range routes {
			e.Settings.SignOnOrder = append(e.Settings.SignOnOrder, r.Ref())
		}
		return t.saveEnvironment(ctx, &e, before)
	})
	return name, err
}
