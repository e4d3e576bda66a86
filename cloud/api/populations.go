package api

import (
	"cmp"
	"net/http"
	"time"

	"ldap-gateway/cloud/store"
)

// reference names another resource.
type reference struct {
	ID string `json:"id"`
}

// refer returns nil for no resource.
// So a body leaves it out.
func refer(id string) *reference {
	if id == "" {
		return nil
	}
	return &reference{id}
}

// id is empty for no reference, and for one that names nothing.
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

// The users are counted at the time of reading.
type populationBody struct {
	Links       links     `json:"_links"`
	ID          string    `json:"id"`
	Environment reference `json:"environment"`
	populationForm
	UserCount int       `json:"userCount"`
	CreatedAt time.Time `json:"createdAt"`
	UpdatedAt time.Time `json:"updatedAt"`
}

// showPopulation is what reading one answers.
func showPopulation(c *call, p store.Population) populationBody {
	return populationBody{
		Links:          c.self("populations", p.ID),
		ID:             p.ID,
		Environment:    reference{c.env},
		populationForm: populationForm{p.Name, p.Description, p.Default},
		UserCount:      p.UserCount,
		CreatedAt:      p.CreatedAt,
		UpdatedAt:      p.UpdatedAt,
	}
}

// listPopulations answers with a page by name.
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

// getPopulation answers with one population; 404 when the environment has none of that
// ID.
func (s *Server) getPopulation(c *call) (reply, error) {
	p, err := s.Store.Population(c.Context(), c.env, c.PathValue("p"))
	if err != nil {
		return reply{}, err
	}
	return ok(showPopulation(c, p))
}

// createPopulation answers with 201. The first of an environment is the default one,
// whatever the body says.
func (s *Server) createPopulation(c *call) (reply, error) {
	var form populationForm
	if err := c.read(&form); err != nil {
		return reply{}, err
	}
	var p store.Population
	form.into(&p)
	if err := s.Management.CreatePopulation(c.Context(), c.by(), &p); err != nil {
		return reply{}, err
	}
	return created(showPopulation(c, p))
}

// putPopulation replaces, or with PATCH changes what the body has.
func (s *Server) putPopulation(c *call) (reply, error) {
	body, err := c.body()
	if err != nil {
		return reply{}, err
	}
	p, err := s.Management.ChangePopulation(c.Context(), c.by(), c.PathValue("p"), func(p *store.Population) error {
		form := populationForm{}
		if c.Method == http.MethodPatch {
			form = populationForm{p.Name, p.Description, p.Default}
		}
		if err := cmp.Or(c.fresh(showPopulation(c, *p)), decode(body, &form)); err != nil {
			return err
		}
		form.into(p)
		return nil
	})
	if err != nil {
		return reply{}, err
	}
	return ok(showPopulation(c, p))
}

// into makes a population what the form says. The default one stays it until another
// takes it over.
func (f populationForm) into(p *store.Population) {
	p.Name, p.Description, p.Default = f.Name, f.Description, f.Default
}

// deletePopulation answers with 204; 409 while users, groups or user types are in it,
// and for the default one.
func (s *Server) deletePopulation(c *call) (reply, error) {
	return gone(s.Management.DeletePopulation(c.Context(), c.by(), c.PathValue("p"), func(p store.Population) error {
		return c.fresh(showPopulation(c, p))
	}))
}
