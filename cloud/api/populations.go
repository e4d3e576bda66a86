package api

import (
	"net/http"
	"time"

	"ldap-gateway/cloud/store"
)

// reference names another resource.
type reference struct {
	ID string `json:"id"`
}

// refer returns nil for no resource.
func refer(id string) *reference {
	if id == "" {
		return nil
	}
	return &reference{id}
}

func (r *reference) id() string {
	if r == nil {
		return ""
	}
	return r.ID
}

// populationForm is what a client may write.
type populationForm struct {
	Name        string `json:"name"`
	Description string `json:"description,omitempty"`
	Default     bool   `json:"default"`
}

type populationBody struct {
	Links       links     `json:"_links"`
	ID          string    `json:"id"`
	Environment reference `json:"environment"`
	populationForm
	UserCount int       `json:"userCount"`
	CreatedAt time.Time `json:"createdAt"`
	UpdatedAt time.Time `json:"updatedAt"`
}

func showPopulation(c *call, p store.Population) populationBody {
	return populationBody{c.self("populations", p.ID), p.ID, reference{c.env}, populationForm{p.Name, p.Description, p.Default}, p.UserCount, p.CreatedAt, p.UpdatedAt}
}

func (s *Server) listPopulations(c *call) (reply, error) {
	page, err := c.page()
	if err != nil {
		return reply{}, err
	}
	all, next, err := s.Store.Populations(c.Context(), c.env, page)
	if err != nil {
		return reply{}, err
	}
	return listed(c, "populations", all, next, func(p store.Population) populationBody { return showPopulation(c, p) })
}

func (s *Server) getPopulation(c *call) (reply, error) {
	p, err := s.Store.Population(c.Context(), c.env, c.PathValue("p"))
	if err != nil {
		return reply{}, err
	}
	return ok(showPopulation(c, p))
}

func (s *Server) createPopulation(c *call) (reply, error) {
	p := store.Population{EnvironmentID: c.env}
	if err := readPopulation(c, &p, populationForm{}); err != nil {
		return reply{}, err
	}
	noting := s.noting(c, func() note {
		return note{"population.created", "population:" + p.ID, "population " + p.Name + " was created", nil}
	})
	if err := noting.CreatePopulation(c.Context(), &p); err != nil {
		return reply{}, taken(err, "name")
	}
	return created(showPopulation(c, p))
}

// putPopulation replaces, or with PATCH changes what the body has.
func (s *Server) putPopulation(c *call) (reply, error) {
	p, err := s.Store.Population(c.Context(), c.env, c.PathValue("p"))
	if err != nil {
		return reply{}, err
	}
	form := populationForm{}
	if c.Method == http.MethodPatch {
		form = populationForm{p.Name, p.Description, p.Default}
	}
	if err := readPopulation(c, &p, form); err != nil {
		return reply{}, err
	}
	noting := s.noting(c, func() note {
		return note{"population.updated", "population:" + p.ID, "population " + p.Name + " was changed", nil}
	})
	if err := noting.UpdatePopulation(c.Context(), &p); err != nil {
		return reply{}, taken(err, "name")
	}
	return ok(showPopulation(c, p))
}

func readPopulation(c *call, p *store.Population, form populationForm) error {
	if err := c.read(&form); err != nil {
		return err
	}
	if form.Name == "" {
		return invalid(missing("name"))
	}
	p.Name, p.Description, p.Default = form.Name, form.Description, form.Default
	return nil
}

func (s *Server) deletePopulation(c *call) (reply, error) {
	id := c.PathValue("p")
	noting := s.noting(c, func() note {
		return note{"population.deleted", "population:" + id, "population was deleted", nil}
	})
	if err := noting.DeletePopulation(c.Context(), c.env, id); err != nil {
		return reply{}, err
	}
	return gone(nil)
}
