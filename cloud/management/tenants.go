package management

import (
	"context"
	"errors"
	"fmt"

	"ldap-gateway/cloud/fault"
	"ldap-gateway/cloud/store"
)

// CreateEnvironment adds an environment whose owners are those of the actor's, besides
// whom they make one there. It fills in ID and times.
func (s *Service) CreateEnvironment(ctx context.Context, by By, e *store.Environment) error {
	return s.act(ctx, by, CreateEnvironment, func(t *turn) error {
		e.ID, e.ParentID, e.Settings = "", t.env(), store.Settings{}
		wrong, err := t.checkShortName(ctx, store.Environment{}, *e)
		if err != nil {
			return err
		}
		if err := append(checkName("environment", "", e.Name), wrong...).Err(); err != nil {
			return err
		}
		all, err := t.EnvironmentsOf(ctx, t.env())
		if err != nil {
			return err
		}
		for _, other := range all {
			if store.Fold(other.Name) == store.Fold(e.Name) {
				return fault.Of(fault.Name, fault.Taken, "Another environment has this name.")
			}
		}
		t.did(note{
			action:  "environment.created",
			subject: "environment:" + e.Name,
			text:    "environment " + e.Name + " was created",
			after:   factsOfEnvironment(*e),
		})
		return t.NewEnvironment(ctx, e)
	})
}

// DeleteEnvironment removes an environment that owners of the actor's made, with
// everything in it; the links of its instances are cut. The actor is in the environment
// that made it. store.ErrNotFound for every other, their own among it; store.ErrDependents
// when it has made one itself. Its people and its history go first, in short turns, while
// others sign on: when that is cut off, it is there still, and is to be deleted once more.
func (s *Service) DeleteEnvironment(ctx context.Context, by By, id string, seen func(store.Environment) error) error {
	if err := s.act(ctx, by, DeleteEnvironment, func(t *turn) error {
		_, err := t.deletable(ctx, id, seen)
		return err
	}); err != nil {
		return err
	}
	ctx = context.WithoutCancel(ctx) // a client that has gone wants it deleted still
	if err := s.Store.EmptyEnvironment(ctx, id); err != nil {
		return err
	}
	return s.act(ctx, by, DeleteEnvironment, func(t *turn) error {
		e, err := t.deletable(ctx, id, seen)
		if err != nil {
			return err
		}
		if err := t.cutAll(ctx, id); err != nil {
			return err
		}
		t.did(note{
			action:  "environment.deleted",
			subject: "environment:" + e.ID,
			text:    "environment " + e.Name + " was deleted",
			before:  factsOfEnvironment(e),
		})
		return t.Store.DeleteEnvironment(ctx, e.ID)
	})
}

// deletable returns an environment that the actor may delete.
func (t *turn) deletable(
	ctx context.Context, id string, seen func(store.Environment) error,
) (store.Environment, error) {
	e, err := t.Environment(ctx, id)
	if err == nil && e.ParentID != t.env() {
		err = store.ErrNotFound
	}
	if err != nil {
		return e, err
	}
	all, err := t.EnvironmentsOf(ctx, id)
	if err == nil && len(all) > 1 {
		err = fmt.Errorf("%w: environment %s was made by its owners", store.ErrDependents, all[1].Name)
	}
	return e, errors.Join(err, ask(seen, e))
}

// cutAll has the links of all instances of an environment cut, once all is kept.
func (t *turn) cutAll(ctx context.Context, env string) error {
	page := store.Page{Limit: store.MaxLimit}
	for {
		gateways, next, err := t.Gateways(ctx, env, page)
		if err != nil {
			return err
		}
		for _, g := range gateways {
			instances, err := t.Instances(ctx, env, g.ID)
			if err != nil {
				return err
			}
			for _, i := range instances {
				t.after = append(t.after, func() { t.service.Links.Revoked(i.ID) })
			}
		}
		if page.Cursor = next; next == "" {
			return nil
		}
	}
}
