package store

import (
	"context"
	"errors"
	"fmt"
)

// NewEnvironment adds an environment with the default population that its users join. It
// fills in ID and times.
func (s *Store) NewEnvironment(ctx context.Context, e *Environment) error {
	return s.Provision(ctx, func(tx *Tx) error {
		db := tx.Store()
		if err := db.CreateEnvironment(ctx, e); err != nil {
			return err
		}
		return db.CreatePopulation(ctx, &Population{
			EnvironmentID: e.ID,
			Name:          "Default",
			Description:   "Where users go whom no user type sends elsewhere",
			Default:       true,
			CreatedAt:     e.CreatedAt,
		})
	})
}

// EnvironmentsOf returns an environment, and those that its owners made, the oldest
// first.
func (r reader) EnvironmentsOf(ctx context.Context, env string) ([]Environment, error) {
	own, err := r.Environment(ctx, env)
	if err != nil {
		return nil, err
	}
	made, err := queryAll(ctx, r.c, scanEnvironment, environmentColumns+` WHERE parent_id = $1 ORDER BY id`, env)
	return append([]Environment{own}, made...), err
}

// ClientIn returns an API client as an environment has it: one of its own, or an owner
// of the environment that made it, who is an owner there as well. ErrNotFound for every
// other.
func (r reader) ClientIn(ctx context.Context, env, id string) (Client, error) {
	c, err := r.Client(ctx, env, id)
	if !errors.Is(err, ErrNotFound) {
		return c, err
	}
	e, err := r.Environment(ctx, env)
	if err != nil {
		return Client{}, err
	}
	if e.ParentID == "" {
		return Client{}, ErrNotFound
	}
	c, err = r.Client(ctx, e.ParentID, id)
	if err == nil && c.Role != RoleOwner {
		return Client{}, ErrNotFound
	}
	return c, err
}

// ClientByID returns an API client of any environment. It is for the token endpoint
// that names no environment: the ID alone leads to it.
func (r reader) ClientByID(ctx context.Context, id string) (Client, error) {
	return queryOne(ctx, r.c, scanClient, clientColumns+` WHERE c.id = $1`, id)
}

// tenantTables are the tables with something of an environment that does not go by
// itself with what it hangs on; each stands before what it refers to.
func tenantTables() []string {
	return []string{
		"applications", "cloud_groups", "users", "identity_providers", "certificates", "arrivals", "gateways",
		"populations", "sign_on_policies", "sign_ons", "activities", "passkeys", "administrators", "clients",
		"signing_keys", "ec_signing_keys", "alerts", "alert_channels",
		"lists_coming", "lists_gone", "goings",
	}
}

// emptied deletes rows of a table of an environment that grows with its people.
func emptied(env, table string, atOnce int) some {
	return func(ctx context.Context, tx *Tx) (bool, error) {
		n, err := tx.c.exec(ctx, `
			DELETE FROM `+table+`
			WHERE id IN (SELECT id FROM `+table+` WHERE environment_id = $1 LIMIT $2)`,
			env, atOnce)
		return n == int64(atOnce), err
	}
}

// EmptyEnvironment deletes the people, groups and history of an environment, in many short
// turns, so that DeleteEnvironment has one that is no longer than others. What happens there
// meanwhile stays.
func (s *Store) EmptyEnvironment(ctx context.Context, id string) error {
	if err := s.finishIn(ctx, id); err != nil {
		return err
	}
	for _, part := range []some{
		groupsIn(id),
		emptied(id, "users", peopleAtOnce),
		emptied(id, "sign_ons", sweptAtOnce),
		emptied(id, "activities", sweptAtOnce),
	} {
		if err := s.inTurns(ctx, id, part); err != nil {
			return err
		}
	}
	return nil
}

// DeleteEnvironment removes an environment with everything that is in it. ErrNotFound when
// there is none; ErrDependents when its owners have made another.
func (s *Store) DeleteEnvironment(ctx context.Context, id string) error {
	return s.Provision(ctx, func(tx *Tx) error {
		all, err := tx.EnvironmentsOf(ctx, id)
		if err != nil {
			return err
		}
		if len(all) > 1 {
			return fmt.Errorf("%w: environment %s was made by its owners", ErrDependents, all[1].Name)
		}
		for _, table := range tenantTables() {
			if _, err := tx.c.exec(ctx, `DELETE FROM `+table+` WHERE environment_id = $1`, id); err != nil {
				return err
			}
		}
		return tx.c.execOne(ctx, `DELETE FROM environments WHERE id = $1`, id)
	})
}
