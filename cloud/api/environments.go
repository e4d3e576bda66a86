package api

import (
	"cmp"
	"net/http"
	"slices"
	"time"

	"ldap-gateway/cloud/store"
)

// environmentForm is what a client may write. Type, region, license and bill of materials
// are kept and told again; nothing here goes by them.
type environmentForm struct {
	Name        string        `json:"name"`
	ShortName   string        `json:"shortName"` // in addresses for people; empty: none
	Description *string       `json:"description,omitempty"`
	Type        string        `json:"type"`
	Region      string        `json:"region"`
	License     *reference    `json:"license,omitempty"`
	Products    *productsForm `json:"billOfMaterials,omitempty"` // told at a path of its own
}

// productsForm is a bill of materials.
type productsForm struct {
	Products []store.Product `json:"products"`
}

// environmentBody leaves out what only the console sets, as who must have a second factor.
type environmentBody struct {
	Links        links     `json:"_links"`
	ID           string    `json:"id"`
	Organization reference `json:"organization"` // the one that there is
	environmentForm
	CreatedAt time.Time `json:"createdAt"`
	UpdatedAt time.Time `json:"updatedAt"`
}

// What an environment is unless a client says otherwise: the one that is there from the
// start is no trial.
const (
	production  = "PRODUCTION"
	sandbox     = "SANDBOX"
	usualRegion = "EU"
)

// environmentFormOf is the inverse of into.
func environmentFormOf(e store.Environment) environmentForm {
	usual := production
	if e.ParentID != "" {
		usual = sandbox
	}
	license := cmp.Or(e.Kept.License, derivedID("", "license"))
	return environmentForm{
		Name:        e.Name,
		ShortName:   e.ShortName,
		Description: told(e.Kept.Description, e.Kept.Blank, "description"),
		Type:        cmp.Or(e.Kept.Type, usual),
		Region:      cmp.Or(e.Kept.Region, usualRegion),
		License:     &reference{license},
	}
}

// showEnvironment is what reading one answers, and what an If-Match of a change is held
// against.
func showEnvironment(c *call, e store.Environment) environmentBody {
	at := *c
	at.env = e.ID
	l := at.self()
	l["billOfMaterials"], l["populations"] = at.at("billOfMaterials"), at.at("populations")
	return environmentBody{
		Links:           l,
		ID:              e.ID,
		Organization:    reference{derivedID("", "organization")},
		environmentForm: environmentFormOf(e),
		CreatedAt:       e.CreatedAt,
		UpdatedAt:       e.UpdatedAt,
	}
}

// environmentsOf are those that a client may open.
func (s *Server) environmentsOf(c *call) ([]store.Environment, error) {
	all, err := s.Store.EnvironmentsOf(c.Context(), c.client.EnvironmentID)
	if c.client.Role != store.RoleOwner && len(all) > 1 {
		all = all[:1]
	}
	return all, err
}

// listEnvironments lists the client's own and, for an owner, those that it made.
func (s *Server) listEnvironments(c *call) (reply, error) {
	all, err := s.environmentsOf(c)
	if err != nil {
		return reply{}, err
	}
	show := func(e store.Environment) environmentBody { return showEnvironment(c, e) }
	fields := []string{"id", "name", "shortName", "type", "region", "description", "license.id", "organization.id"}
	return few(c, "environments", all, show, fields...)
}

// getEnvironment answers with an environment that the token opens: every other path was
// 403 before.
func (s *Server) getEnvironment(c *call) (reply, error) {
	e, err := s.Store.Environment(c.Context(), c.env)
	if err != nil {
		return reply{}, err
	}
	return ok(showEnvironment(c, e))
}

// createEnvironment answers with 201 and an environment that has a default population,
// and with its bill of materials, which clients look for here.
// The owners of the client's own environment are its owners.
func (s *Server) createEnvironment(c *call) (reply, error) {
	form := environmentForm{Type: sandbox, Region: usualRegion}
	if err := c.read(&form); err != nil {
		return reply{}, err
	}
	var e store.Environment
	if err := form.into(&e); err != nil {
		return reply{}, err
	}
	if err := s.Management.CreateEnvironment(c.Context(), c.by(), &e); err != nil {
		return reply{}, err
	}
	body, at := showEnvironment(c, e), *c
	at.env = e.ID
	body.Products = new(showProducts(&at, e).productsForm)
	return created(body)
}

// putEnvironment changes the name, and what is kept for clients. The settings are the
// owner's, in the console. What a body leaves out of it stays.
func (s *Server) putEnvironment(c *call) (reply, error) {
	body, err := c.body()
	if err != nil {
		return reply{}, err
	}
	e, err := s.Management.RenameEnvironment(c.Context(), c.by(), func(e *store.Environment) error {
		form := environmentFormOf(*e)
		form.Name, form.Description = "", nil
		if err := cmp.Or(c.fresh(showEnvironment(c, *e)), decode(body, &form)); err != nil {
			return err
		}
		return form.into(e)
	})
	if err != nil {
		return reply{}, err
	}
	return ok(showEnvironment(c, e))
}

// typeForm is whether an environment is for trials.
type typeForm struct {
	Type string `json:"type"`
}

// putEnvironmentType changes the type alone, and answers with the environment.
func (s *Server) putEnvironmentType(c *call) (reply, error) {
	var kind typeForm
	if err := c.read(&kind); err != nil {
		return reply{}, err
	}
	e, err := s.Management.RenameEnvironment(c.Context(), c.by(), func(e *store.Environment) error {
		form := environmentFormOf(*e)
		form.Type = kind.Type
		return form.into(e)
	})
	if err != nil {
		return reply{}, err
	}
	return ok(showEnvironment(c, e))
}

// The types and regions that compatible clients know.
var (
	environmentTypes = []string{production, sandbox}
	regions          = []string{"AP", "AU", "CA", usualRegion, "NA", "SG"}
)

// into makes an environment what the form says.
func (f environmentForm) into(e *store.Environment) error {
	var wrongs []detail
	if !slices.Contains(environmentTypes, f.Type) {
		wrongs = append(wrongs, wrong("type", "It must be one of %q.", environmentTypes))
	}
	if !slices.Contains(regions, f.Region) {
		wrongs = append(wrongs, wrong("region", "It must be one of %q.", regions))
	}
	e.Name, e.ShortName = f.Name, f.ShortName
	e.Kept.Blank = blanks(map[string]*string{"description": f.Description})
	e.Kept.Description, e.Kept.Type, e.Kept.Region = textOf(f.Description), f.Type, f.Region
	e.Kept.License = f.License.id()
	if f.Products != nil {
		wrongs = append(wrongs, f.Products.into(e, "billOfMaterials.")...)
	}
	return invalid(wrongs...)
}

// deleteEnvironment answers with 204. The client's own environment is not deleted by it:
// 409.
func (s *Server) deleteEnvironment(c *call) (reply, error) {
	if c.env == c.client.EnvironmentID {
		return reply{}, refused(http.StatusConflict, "A client cannot delete the environment that it is of.")
	}
	by := c.by()
	by.Environment = c.client.EnvironmentID
	return gone(s.Management.DeleteEnvironment(c.Context(), by, c.env, func(e store.Environment) error {
		return c.fresh(showEnvironment(c, e))
	}))
}

// productsBody is the bill of materials of an environment.
type productsBody struct {
	Links links `json:"_links"`
	productsForm
	CreatedAt time.Time `json:"createdAt"`
	UpdatedAt time.Time `json:"updatedAt"`
}

// baseProduct is what this cloud is to compatible clients: where people sign on.
const baseProduct = "PING_ONE_BASE"

// showProducts has the one product where nothing was said.
func showProducts(c *call, e store.Environment) productsBody {
	all := e.Kept.Products
	if all == nil {
		all = []store.Product{{ID: c.derived(baseProduct), Type: baseProduct}}
	}
	return productsBody{c.self("billOfMaterials"), productsForm{all}, e.CreatedAt, e.UpdatedAt}
}

// getProducts answers with the bill of materials of an environment.
func (s *Server) getProducts(c *call) (reply, error) {
	e, err := s.Store.Environment(c.Context(), c.env)
	if err != nil {
		return reply{}, err
	}
	return ok(showProducts(c, e))
}

// putProducts replaces the bill of materials.
func (s *Server) putProducts(c *call) (reply, error) {
	body, err := c.body()
	if err != nil {
		return reply{}, err
	}
	e, err := s.Management.RenameEnvironment(c.Context(), c.by(), func(e *store.Environment) error {
		var form productsForm
		if err := cmp.Or(c.fresh(showProducts(c, *e)), decode(body, &form)); err != nil {
			return err
		}
		return invalid(form.into(e, "")...)
	})
	if err != nil {
		return reply{}, err
	}
	return ok(showProducts(c, e))
}

// into keeps a bill of materials. What this cloud is not is refused by its place.
func (f productsForm) into(e *store.Environment, front string) (wrongs []detail) {
	for i, p := range f.Products {
		if p.Type != baseProduct {
			target := item(front+"products", i) + ".type"
			wrongs = append(wrongs, wrong(target, "It must be %s: this cloud has no other service.", baseProduct))
		}
		f.Products[i].ID = cmp.Or(p.ID, derivedID(e.ID, p.Type))
	}
	e.Kept.Products = f.Products
	return wrongs
}
