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
	Name         string     `json:"name"`
	Description  *string    `json:"description,omitempty"`
	Default      bool       `json:"default"`
	Language     *string    `json:"preferredLanguage,omitempty"`
	Alternatives []string   `json:"alternativeIdentifiers,omitzero"`
	Theme        *reference `json:"theme,omitempty"` // the one that there is
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

// usualLanguage is that of pages for whoever asks for none that there is.
const usualLanguage = "en"

// populationFormOf is the inverse of into.
func populationFormOf(c *call, p store.Population) populationForm {
	return populationForm{
		Name:         p.Name,
		Description:  told(p.Description, p.Kept.Blank, "description"),
		Default:      p.Default,
		Language:     cmp.Or(p.Kept.Language, new(usualLanguage)),
		Alternatives: p.Kept.Alternatives,
		Theme:        &reference{c.derived("theme")},
	}
}

// showPopulation is what reading one answers.
func showPopulation(c *call, p store.Population) populationBody {
	return populationBody{
		Links:          c.self("populations", p.ID),
		ID:             p.ID,
		Environment:    reference{c.env},
		populationForm: populationFormOf(c, p),
		UserCount:      p.UserCount,
		CreatedAt:      p.CreatedAt,
		UpdatedAt:      p.UpdatedAt,
	}
}

// listPopulations answers with a page by name.
func (s *Server) listPopulations(c *call) (reply, error) {
	page, err := c.page("id", "name", "description", "default?")
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
	if err := form.into(c, &p); err != nil {
		return reply{}, err
	}
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
			form = populationFormOf(c, *p)
		}
		if err := cmp.Or(c.fresh(showPopulation(c, *p)), decode(body, &form)); err != nil {
			return err
		}
		return form.into(c, p)
	})
	if err != nil {
		return reply{}, err
	}
	return ok(showPopulation(c, p))
}

// into makes a population what the form says. The default one stays it until another
// takes it over. Another theme than the one that there is, is refused.
func (f populationForm) into(c *call, p *store.Population) error {
	if f.Theme != nil && f.Theme.ID != c.derived("theme") {
		return invalid(wrong("theme.id", "There is one theme in an environment: see GET themes."))
	}
	p.Name, p.Description, p.Default = f.Name, textOf(f.Description), f.Default
	p.Kept = store.PopulationKept{
		Blank:        blanks(map[string]*string{"description": f.Description}),
		Language:     f.Language,
		Alternatives: f.Alternatives,
	}
	return nil
}

// deletePopulation answers with 204; 409 while users, groups or user types are in it,
// and for the default one.
func (s *Server) deletePopulation(c *call) (reply, error) {
	return gone(s.Management.DeletePopulation(c.Context(), c.by(), c.PathValue("p"), func(p store.Population) error {
		return c.fresh(showPopulation(c, p))
	}))
}

// defaultProvider is where people of a population sign on by default: here. Which identity
// providers they are offered is set at each of these.
type defaultProvider struct {
	Links links `json:"_links"`
	authority
}

// getDefaultProvider answers with the cloud itself.
func (s *Server) getDefaultProvider(c *call) (reply, error) {
	p, err := s.Store.Population(c.Context(), c.env, c.PathValue("p"))
	if err != nil {
		return reply{}, err
	}
	return ok(defaultProvider{c.self("populations", p.ID, "defaultIdentityProvider"), authority{Type: cloudItself}})
}

// putDefaultProvider takes what is, and refuses another.
func (s *Server) putDefaultProvider(c *call) (reply, error) {
	var form authority
	if err := c.read(&form); err != nil {
		return reply{}, err
	}
	if form.ID != "" || form.Type != "" && form.Type != cloudItself {
		return reply{}, invalid(wrong("id",
			"No population has an identity provider of its own: give domains to the provider, or offer it on the sign-on page."))
	}
	return s.getDefaultProvider(c)
}
