package management

import (
	"context"
	"errors"

	"ldap-gateway/cloud/idp"
	"ldap-gateway/cloud/store"
)

// goes has something go. What is too much for the action's turn is done once all else of it is kept, and
// goes on then whatever becomes of whoever asked, or of this node. It tells whether all is done.
func (t *turn) goes(ctx context.Context, kind store.GoingKind, of ...string) (done bool, err error) {
	g := store.Going{EnvironmentID: t.env(), Kind: kind, Of: of}
	done, err = t.Store.LetGo(ctx, &g)
	if err == nil && !done {
		t.goings = append(t.goings, g)
	}
	return done, err
}

// settled returns ErrMoving while users are moved from or to one of some gateways: another move, or a deletion,
// would take them from where the first one says they are.
func (t *turn) settled(ctx context.Context, gateways ...string) error {
	for _, g := range gateways {
		moving, err := t.Moving(ctx, t.env(), g)
		if err != nil {
			return err
		}
		if moving {
			return ErrMoving
		}
	}
	return nil
}

// Finish finishes what was begun to go, here or by a node that is no more.
func (s *Service) Finish(ctx context.Context) error {
	all, err := s.Store.Goings(ctx)
	return errors.Join(err, s.finish(ctx, all))
}

// finish finishes some of it.
func (s *Service) finish(ctx context.Context, all []store.Going) (err error) {
	for _, g := range all {
		err = errors.Join(err, s.finishOne(ctx, g))
	}
	return err
}

// finishOne finishes one, and what only is to be done when it is gone.
func (s *Service) finishOne(ctx context.Context, g store.Going) error {
	if g.Kind == store.SelectionGoes {
		return s.finishSelection(ctx, g)
	}
	var instances []store.Instance
	if g.Kind == store.GatewayGoes {
		var err error
		if instances, err = s.Store.Instances(ctx, g.EnvironmentID, g.Of[0]); err != nil {
			return err
		}
	}
	if err := s.Store.Finish(ctx, g); err != nil {
		return err
	}
	for _, i := range instances {
		s.Links.Revoked(i.ID)
	}
	if g.Kind == store.ProviderGoes {
		return idp.DropUnused(ctx, s.Store, g.EnvironmentID, g.Of[1:])
	}
	return nil
}
