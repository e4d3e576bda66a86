package console

import (
	"errors"
	"net/http"

	"ldap-gateway/cloud/store"
)

// populationList is the list, with the form that adds to it.
type populationList struct {
	Populations       []store.Population
	Pager             pager
	Name, Description string
	Errors            map[string]string
}

func (c *console) listPopulations(k *call) error {
	return c.showPopulations(k, http.StatusOK, populationList{})
}

func (c *console) showPopulations(k *call, status int, list populationList) error {
	all, next, err := c.Store.Populations(k.Context(), k.env(), k.part())
	if err != nil {
		return err
	}
	list.Populations, list.Pager = all, k.pagerOf(next)
	return k.render(status, "populations", "Populations", list)
}

func (c *console) createPopulation(k *call) error {
	form := populationList{Name: k.posted("name"), Description: k.posted("description")}
	if form.Name == "" {
		form.Errors = map[string]string{"name": "Give the population a name."}
		return c.showPopulations(k, http.StatusUnprocessableEntity, form)
	}
	p := store.Population{EnvironmentID: k.env(), Name: form.Name, Description: form.Description}
	noting := k.noting(func() note {
		return note{"population.created", "population:" + p.ID, "population " + p.Name + " was created", nil}
	})
	err := noting.CreatePopulation(k.Context(), &p)
	if errors.Is(err, store.ErrConflict) {
		form.Errors = map[string]string{"name": "Another population of this environment has this name."}
		return c.showPopulations(k, http.StatusUnprocessableEntity, form)
	}
	if err != nil {
		return err
	}
	return k.done("/console/populations", "The population "+p.Name+" was made.")
}
