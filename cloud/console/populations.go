package console

import (
	"errors"
	"net/http"

	"ldap-gateway/cloud/signon"
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

// showPopulations shows the list with what was typed into the form that adds to it.
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
	p := store.Population{Name: form.Name, Description: form.Description}
	err := c.Management.CreatePopulation(k.Context(), k.by(), &p)
	if wrong, ok := faults(err); ok {
		form.Errors = wrong
		return c.showPopulations(k, http.StatusUnprocessableEntity, form)
	}
	if err != nil {
		return err
	}
	return k.done("/console/populations", "The population "+p.Name+" was made.")
}

// populationPage is the form of one population.
type populationPage struct {
	store.Population
	Seen   string // when it was changed, when the form was shown
	Errors map[string]string
}

func (c *console) editPopulation(k *call) error {
	p, err := c.Store.Population(k.Context(), k.env(), k.PathValue("p"))
	if err != nil {
		return err
	}
	return k.render(http.StatusOK, "population", p.Name, populationPage{Population: p, Seen: seenAs(p.UpdatedAt)})
}

// changePopulation changes a population. The default cannot be unticked: another one is
// made the default instead, so that there always is one.
func (c *console) changePopulation(k *call) error {
	page := populationPage{Seen: k.posted("seen")}
	p, err := c.Management.ChangePopulation(k.Context(), k.by(), k.PathValue("p"), func(p *store.Population) error {
		// The copy is what the form shows again, should something be wrong with it.
		page.Population = *p
		page.Name, page.Description = k.posted("name"), k.posted("description")
		page.Default = p.Default || k.posted("default") == "yes"
		if err := unseen(&page.Seen, p.UpdatedAt, "population"); err != nil {
			return err
		}
		*p = page.Population
		return nil
	})
	if wrong, ok := faults(err); ok {
		page.Errors = wrong
		return k.render(http.StatusUnprocessableEntity, "population", "Population", page)
	}
	if err != nil {
		return err
	}
	return k.done("/console/populations", "The population "+p.Name+" was changed.")
}

// populationDeletion returns the population in the path, and what speaks against its end.
// Of several reasons one is told. Without one the deletion may still find groups.
func (c *console) populationDeletion(k *call) (p store.Population, d deletion, err error) {
	if p, err = c.Store.Population(k.Context(), k.env(), k.PathValue("p")); err != nil {
		return p, d, err
	}
	d = deletion{Kind: "population", Name: p.Name, Back: "/console/populations", Count: p.UserCount}
	if d.Users, _, err = c.Store.Users(
		k.Context(),
		k.env(),
		store.UserFilter{PopulationID: p.ID},
		store.Page{Limit: 10},
	); err != nil {
		return p, d, err
	}
	ways, err := signon.Routes(k.Context(), c.Store, k.env())
	for _, w := range ways {
		if w.UserType.PopulationID == p.ID {
			d.Never = "New users of " + w.UserType.Name + " of " + w.Gateway.Name + " join it. " +
				"Give that user type another population first."
		}
	}
	if d.Count > 0 {
		d.Never = "It has " + plural(d.Count, "user") + ". Move or delete them first."
	}
	if p.Default {
		d.Never = "It is where users go whom no user type sends elsewhere. Make another the default first."
	}
	return p, d, err
}

// confirmDeletePopulation asks first, or says why it cannot be.
func (c *console) confirmDeletePopulation(k *call) error {
	p, d, err := c.populationDeletion(k)
	if err != nil {
		return err
	}
	return k.render(http.StatusOK, "delete", "Delete "+p.Name, d)
}

// deletePopulation looks again at what the page showed: meanwhile users may have
// joined. Groups are found by the deletion itself.
func (c *console) deletePopulation(k *call) error {
	p, d, err := c.populationDeletion(k)
	if err != nil {
		return err
	}
	if d.Never != "" {
		return k.render(http.StatusConflict, "delete", "Delete "+p.Name, d)
	}
	err = c.Management.DeletePopulation(k.Context(), k.by(), p.ID, nil)
	if errors.Is(err, store.ErrDependents) {
		return &refusal{http.StatusConflict, "Not deleted", "Groups belong to it. Give them another population first."}
	}
	if err != nil {
		return err
	}
	return k.done("/console/populations", "The population "+p.Name+" was deleted.")
}
