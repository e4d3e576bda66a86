package store

import (
	"context"
	"fmt"
)

// populationColumns are a population with the number of its users, as far as that is counted at once.
var populationColumns = `
	SELECT p.id, p.environment_id, p.name, p.description, p.is_default, p.kept, p.created_at, p.updated_at,
		(` + upTo("users u", "u.environment_id = p.environment_id AND u.population_id = p.id") + `)
	FROM populations p`

// uncounted are the columns without the count, which takes as long as there are users.
const uncounted = `
	SELECT p.id, p.environment_id, p.name, p.description, p.is_default, p.kept, p.created_at, p.updated_at, 0
	FROM populations p`

// scanPopulation reads a population with the number of its users, or with 0 where that
// is not asked for.
func scanPopulation(r row) (p Population, err error) {
	err = r.Scan(
		&p.ID,
		&p.EnvironmentID,
		&p.Name,
		&p.Description,
		&p.Default,
		fromJSON{&p.Kept},
		at{&p.CreatedAt},
		at{&p.UpdatedAt},
		&p.UserCount,
	)
	return p, err
}

// CreatePopulation adds p and fills in its ID and times. The first of an
// environment is the default one whatever p says; a later one that says so
// takes it over. ErrConflict when the name is taken.
func (s *Store) CreatePopulation(ctx context.Context, p *Population) error {
	return s.Provision(ctx, func(tx *Tx) error {
		if err := newID(&p.ID); err != nil {
			return err
		}
		stamp(&p.CreatedAt)
		p.UpdatedAt = p.CreatedAt
		if err := tx.takeDefault(ctx, p); err != nil {
			return err
		}
		_, err := tx.c.exec(ctx, `
			INSERT INTO populations (id, environment_id, name, name_folded, description, is_default, created_at,
				updated_at, kept)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $7, $8)`,
			p.ID, p.EnvironmentID, p.Name, Fold(p.Name), p.Description, p.Default, micros(p.CreatedAt), inJSON(p.Kept))
		return err
	})
}

// takeDefault sees to it that exactly one population is the default one.
func (tx *Tx) takeDefault(ctx context.Context, p *Population) error {
	if p.Default {
		_, err := tx.c.exec(ctx, `
			UPDATE populations
			SET is_default = FALSE
			WHERE environment_id = $1 AND is_default AND id <> $2`,
			p.EnvironmentID, p.ID)
		return err
	}
	others, err := queryOne(ctx, tx.c, value[int], `
		SELECT count(*)
		FROM populations
		WHERE environment_id = $1 AND is_default AND id <> $2`,
		p.EnvironmentID, p.ID)
	p.Default = others == 0
	return err
}

// Population returns a population, or ErrNotFound.
func (r reader) Population(ctx context.Context, env, id string) (Population, error) {
	p, err := queryOne(ctx, r.c, scanPopulation, populationColumns+` WHERE p.environment_id = $1 AND p.id = $2`, env, id)
	if err == nil {
		p.UserCount, err = r.populationUsers(ctx, p)
	}
	return p, err
}

// populationUsers is how many users a population has.
func (r reader) populationUsers(ctx context.Context, p Population) (int, error) {
	return r.c.whole(ctx, p.UserCount, `SELECT count(*) FROM users u WHERE u.environment_id = $1 AND u.population_id = $2`,
		p.EnvironmentID, p.ID)
}

// DefaultPopulation returns the one that new users join when nothing names
// another, without its UserCount; ErrNotFound when the environment has none at all.
func (r reader) DefaultPopulation(ctx context.Context, env string) (Population, error) {
	return queryOne(ctx, r.c, scanPopulation, uncounted+` WHERE p.environment_id = $1 AND p.is_default`, env)
}

// Populations lists by name.
func (r reader) Populations(ctx context.Context, env string, page Page) ([]Population, string, error) {
	l := list{query: populationColumns, key: "p.name_folded", id: "p.id", word: "population"}
	l.where("p.environment_id = ?", env)
	if err := l.matching(page.Where, populationField); err != nil {
		return nil, "", err
	}
	all, next, err := queryPage(ctx, r.c, l, page, scanPopulation, func(p Population) (any, string) {
		return Fold(p.Name), p.ID
	})
	for i := 0; err == nil && i < len(all); i++ {
		all[i].UserCount, err = r.populationUsers(ctx, all[i])
	}
	return all, next, err
}

// UpdatePopulation writes name, description and default of p. The default one
// stays it until another takes it over.
func (s *Store) UpdatePopulation(ctx context.Context, p *Population) error {
	return s.Provision(ctx, func(tx *Tx) error {
		if err := tx.takeDefault(ctx, p); err != nil {
			return err
		}
		p.UpdatedAt = now()
		return tx.c.execOne(ctx, `
			UPDATE populations
			SET name = $1, name_folded = $2, description = $3, is_default = $4, updated_at = $5, kept = $8
			WHERE environment_id = $6 AND id = $7`,
			p.Name, Fold(p.Name), p.Description, p.Default, micros(p.UpdatedAt), p.EnvironmentID, p.ID, inJSON(p.Kept))
	})
}

// DeletePopulation removes a population. ErrDependents when it has users or
// groups, when a user type puts new users into it, or when it is the default one.
func (s *Store) DeletePopulation(ctx context.Context, env, id string) error {
	return s.Provision(ctx, func(tx *Tx) error {
		p, err := tx.Population(ctx, env, id)
		if err != nil {
			return err
		}
		if err := tx.populationFree(ctx, p); err != nil {
			return err
		}
		return tx.c.execOne(ctx, `DELETE FROM populations WHERE environment_id = $1 AND id = $2`, env, id)
	})
}

// populationFree returns ErrDependents with the first thing that refers to a
// population. User types are looked through here, since they are kept in their gateways
// and no foreign key sees them.
func (tx *Tx) populationFree(ctx context.Context, p Population) error {
	if p.Default {
		return fmt.Errorf("%w: it is the default population", ErrDependents)
	}
	if p.UserCount > 0 {
		return fmt.Errorf("%w: %d users", ErrDependents, p.UserCount)
	}
	groups, err := queryOne(ctx, tx.c, value[int], `
		SELECT count(*)
		FROM cloud_groups
		WHERE environment_id = $1 AND population_id = $2`,
		p.EnvironmentID, p.ID)
	if err != nil {
		return err
	}
	if groups > 0 {
		return fmt.Errorf("%w: %d groups", ErrDependents, groups)
	}
	newcomers, err := queryOne(ctx, tx.c, value[int], `
		SELECT count(*)
		FROM identity_providers
		WHERE environment_id = $1 AND population_id = $2 AND NOT going`,
		p.EnvironmentID, p.ID)
	if err != nil {
		return err
	}
	if newcomers > 0 {
		return fmt.Errorf("%w: %d identity providers", ErrDependents, newcomers)
	}
	gateways, err := queryAll(ctx, tx.c, scanGateway, gatewayColumns+`
		WHERE environment_id = $1 AND NOT going`, p.EnvironmentID)
	for _, g := range gateways {
		for _, t := range g.UserTypes {
			if t.PopulationID == p.ID {
				return fmt.Errorf("%w: user type %s of gateway %s", ErrDependents, t.Name, g.Name)
			}
		}
	}
	return err
}
