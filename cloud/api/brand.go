package api

import (
	"cmp"
	"time"

	"ldap-gateway/cloud/store"
)

// brandForm is how pages for people look, and what they lead to. What is empty is as usual.
type brandForm struct {
	Colour     string `json:"colour"`
	DarkColour string `json:"darkColour"`
	Help       string `json:"help"`
	Privacy    string `json:"privacy"`
	Imprint    string `json:"imprint"`
	Text       string `json:"text"`
}

// brandBody is what reading it answers, and what an If-Match of a change is held against.
type brandBody struct {
	Links links `json:"_links"`
	brandForm
	UpdatedAt time.Time `json:"updatedAt"`
}

func showBrand(c *call, e store.Environment) brandBody {
	return brandBody{c.self("brand"), brandForm(e.Settings.Brand), e.UpdatedAt}
}

// getBrand answers with the brand of an environment.
func (s *Server) getBrand(c *call) (reply, error) {
	e, err := s.Store.Environment(c.Context(), c.env)
	if err != nil {
		return reply{}, err
	}
	return ok(showBrand(c, e))
}

// putBrand replaces it.
func (s *Server) putBrand(c *call) (reply, error) {
	body, err := c.body()
	if err != nil {
		return reply{}, err
	}
	e, err := s.Management.SetBrand(c.Context(), c.by(), func(e *store.Environment) error {
		var form brandForm
		if err := cmp.Or(c.fresh(showBrand(c, *e)), decode(body, &form)); err != nil {
			return err
		}
		e.Settings.Brand = store.Brand(form)
		return nil
	})
	if err != nil {
		return reply{}, err
	}
	return ok(showBrand(c, e))
}
