package management

import (
	"context"
	"errors"

	"ldap-gateway/cloud/fault"
	"ldap-gateway/cloud/store"
)

// factsOfPopulation leaves out how many users there are, which is no change of it.
func factsOfPopulation(p store.Population) facts {
	return facts{"name": p.Name, "description": p.Description, "default": p.Default}
}

// CreatePopulation adds a population, and fills in ID and times.
// The first of an environment is the default one, whatever p says.
func (s *Service) CreatePopulation(ctx context.Context, by By, p *store.Population) error {
	return s.act(ctx, by, CreatePopulation, func(t *turn) error {
		p.ID, p.EnvironmentID = "", t.env()
		if err := checkPopulation(*p, store.Population{}); err != nil {
			return err
		}
		if err := t.Store.CreatePopulation(ctx, p); err != nil {
			return populationNameTaken(err)
		}
		t.did(note{
			action:  "population.created",
			subject: "population:" + p.ID,
			text:    "population " + p.Name + " was created",
			after:   factsOfPopulation(*p),
		})
		return nil
	})
}

// ChangePopulation changes a population. The default one stays it until another
// takes it over.
func (s *Service) ChangePopulation(
	ctx context.Context, by By, id string, change func(*store.Population) error,
) (p store.Population, err error) {
	err = s.act(ctx, by, ChangePopulation, func(t *turn) error {
		before, err := t.Population(ctx, t.env(), id)
		if err != nil {
			return err
		}
		p = before
		if err := change(&p); err != nil {
			return err
		}
		p.ID, p.EnvironmentID = before.ID, before.EnvironmentID
		if err := checkPopulation(p, before); err != nil {
			return err
		}
		if err := t.UpdatePopulation(ctx, &p); err != nil {
			return populationNameTaken(err)
		}
		t.did(note{
			action:  "population.updated",
			subject: "population:" + p.ID,
			text:    "population " + p.Name + " was changed",
			before:  factsOfPopulation(before),
			after:   factsOfPopulation(p),
		})
		return nil
	})
	return p, err
}

// checkPopulation tells what may not be kept of a population, which was before.
func checkPopulation(p, before store.Population) error {
	return checkName("population", before.Name, p.Name).Err()
}

// populationNameTaken is a conflict as the fault that it is here; any other error stays
// what it is.
func populationNameTaken(err error) error {
	if errors.Is(err, store.ErrConflict) {
		return fault.Of(fault.Name, fault.Taken, "Another population of this environment has this name.")
	}
	return err
}

// DeletePopulation removes a population. store.ErrDependents when it has users or
// groups, when a user type puts new users into it, or when it is the default one.
// Nobody is moved by it: where they go is to be said first.
func (s *Service) DeletePopulation(ctx context.Context, by By, id string, seen func(store.Population) error) error {
	return s.act(ctx, by, DeletePopulation, func(t *turn) error {
		p, err := t.Population(ctx, t.env(), id)
		if err == nil {
			err = ask(seen, p)
		}
		if err != nil {
			return err
		}
		t.did(note{
			action:  "population.deleted",
			subject: "population:" + p.ID,
			text:    "population " + p.Name + " was deleted",
			before:  factsOfPopulation(p),
		})
		return t.Store.DeletePopulation(ctx, t.env(), p.ID)
	})
}
