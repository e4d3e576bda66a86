package management

import (
	"cmp"
	"context"
	"slices"

	"ldap-gateway/cloud/store"
)

// AddUserType adds a user type behind the others of a gateway, and returns it and
// the gateway as they are then.
// It is asked last for people whom the cloud does not know, until somebody moves it:
// see MoveSignOnOrder.
func (s *Service) AddUserType(
	ctx context.Context, by By, gateway string, u store.UserType,
) (g store.Gateway, _ store.UserType, err error) {
	err = s.act(ctx, by, AddUserType, func(t *turn) error {
		before, err := t.gateway(ctx, gateway)
		if err != nil {
			return err
		}
		g, u.ID = copyOf(before), ""
		l, err := t.checkUserType(ctx, &u, g.UserTypes)
		if err := cmp.Or(err, l.Err()); err != nil {
			return err
		}
		g.UserTypes = append(g.UserTypes, u)
		return t.saveGateway(ctx, &g, before, "user type "+u.Name+" was added to gateway "+g.Name)
	})
	if err != nil {
		return g, u, err
	}
	return g, g.UserTypes[len(g.UserTypes)-1], nil
}

// TypeState is a user type as it is.
type TypeState struct {
	store.UserType
	Revision uint64 // of its gateway
	Users    int    // whose password is checked by it
}

// ChangeUserType changes a user type in its place.
// The ID stays, whatever change does to it. Change gets the revision too, for a form
// that was shown with an older one.
func (s *Service) ChangeUserType(
	ctx context.Context, by By, ref store.UserTypeRef, change func(*TypeState) error,
) (g store.Gateway, u store.UserType, err error) {
	err = s.act(ctx, by, ChangeUserType, func(t *turn) error {
		before, i, state, err := t.typeState(ctx, ref)
		if err != nil {
			return err
		}
		if err := change(&state); err != nil {
			return err
		}
		g, u = copyOf(before), state.UserType
		u.ID = ref.UserType
		l, err := t.checkUserType(ctx, &u, slices.Delete(slices.Clone(g.UserTypes), i, i+1))
		if err := cmp.Or(err, l.Err()); err != nil {
			return err
		}
		g.UserTypes[i] = u
		return t.saveGateway(ctx, &g, before, "user type "+u.Name+" of gateway "+g.Name+" was changed")
	})
	return g, u, err
}

// typeState returns a user type that the actor may change, with its gateway.
// store.ErrNotFound when there is none; *HigherError when the actor may not change its
// gateway.
func (t *turn) typeState(ctx context.Context, ref store.UserTypeRef) (
	g store.Gateway, index int, state TypeState, err error,
) {
	if g, index, err = t.userType(ctx, ref); err != nil {
		return g, index, state, err
	}
	if err := t.weighGateway(ctx, g); err != nil {
		return g, index, state, err
	}
	state = TypeState{UserType: copyOfType(g.UserTypes[index]), Revision: g.Revision}
	state.Users, err = t.GatewayUsers(ctx, t.env(), ref.Gateway, ref.UserType)
	return g, index, state, err
}

// RemoveUserType takes a user type off its gateway. *DependentsError when it has
// users, or a sign-on policy names it, unless force is set: they stay then, without a directory that checks their
// passwords.
// Their sessions and second factors end with it, as with every link that ends.
func (s *Service) RemoveUserType(
	ctx context.Context, by By, ref store.UserTypeRef, force bool, seen func(TypeState) error,
) error {
	return s.act(ctx, by, RemoveUserType, func(t *turn) error {
		before, _, state, err := t.typeState(ctx, ref)
		if err == nil {
			err = ask(seen, state)
		}
		if err == nil && !force {
			err = t.dependents(ctx, ref.Gateway, ref.UserType)
		}
		if err == nil {
			err = t.settled(ctx, ref.Gateway)
		}
		if err != nil {
			return err
		}
		users, err := t.GatewayUsers(ctx, t.env(), ref.Gateway, ref.UserType)
		if err != nil {
			return err
		}
		g, err := t.DropUserType(ctx, t.env(), ref.Gateway, ref.UserType)
		if err == nil {
			_, err = t.goes(ctx, store.UserTypeGoes, ref.Gateway, ref.UserType)
		}
		if err != nil {
			return err
		}
		t.did(note{
			action:  "gateway.updated",
			subject: "gateway:" + g.ID,
			text:    "user type " + state.Name + " of gateway " + g.Name + " was deleted",
			before:  factsOfGateway(before),
			after:   factsOfGateway(g),
			more:    facts{"userType": ref.UserType, "revision": g.Revision, "force": force, "users": users},
		})
		t.changed(g.ID)
		return nil
	})
}
