package api

import (
	"time"

	"ldap-gateway/cloud/store"
)

// policyForm is what a client may write of a sign-on policy.
type policyForm struct {
	Name        string  `json:"name"`
	Description *string `json:"description,omitempty"`
	Default     bool    `json:"default"`
}

// policyBody leads to the actions, which are at a path of their own.
type policyBody struct {
	Links       links     `json:"_links"`
	ID          string    `json:"id"`
	Environment reference `json:"environment"`
	policyForm
	CreatedAt time.Time `json:"createdAt"`
	UpdatedAt time.Time `json:"updatedAt"`
}

func policyFormOf(p store.SignOnPolicy) policyForm {
	return policyForm{p.Name, told(p.Description, p.Blank, "description"), p.Default}
}

func showPolicy(c *call, p store.SignOnPolicy) policyBody {
	l := c.self("signOnPolicies", p.ID)
	l["actions"] = c.at("signOnPolicies", p.ID, "actions")
	return policyBody{l, p.ID, reference{c.env}, policyFormOf(p), p.CreatedAt, p.UpdatedAt}
}

// listPolicies answers with the policies by name.
func (s *Server) listPolicies(c *call) (reply, error) {
	all, err := s.Store.SignOnPolicies(c.Context(), c.env)
	if err != nil {
		return reply{}, err
	}
	show := func(p store.SignOnPolicy) policyBody { return showPolicy(c, p) }
	return few(c, "signOnPolicies", all, show, "id", "name", "description", "default?")
}

// getPolicy answers with one policy.
func (s *Server) getPolicy(c *call) (reply, error) {
	p, err := s.Store.SignOnPolicy(c.Context(), c.env, c.PathValue("p"))
	if err != nil {
		return reply{}, err
	}
	return ok(showPolicy(c, p))
}

// createPolicy answers with 201 and a policy without actions.
func (s *Server) createPolicy(c *call) (reply, error) {
	var form policyForm
	if err := c.read(&form); err != nil {
		return reply{}, err
	}
	var p store.SignOnPolicy
	form.into(&p)
	if err := s.Management.CreatePolicy(c.Context(), c.by(), &p); err != nil {
		return reply{}, err
	}
	return created(showPolicy(c, p))
}

// putPolicy replaces a policy; its actions stay.
func (s *Server) putPolicy(c *call) (reply, error) {
	var form policyForm
	if err := c.read(&form); err != nil {
		return reply{}, err
	}
	p, err := s.Management.ChangePolicy(c.Context(), c.by(), c.PathValue("p"), func(p *store.SignOnPolicy) error {
		err := c.fresh(showPolicy(c, *p))
		form.into(p)
		return err
	})
	if err != nil {
		return reply{}, err
	}
	return ok(showPolicy(c, p))
}

func (f policyForm) into(p *store.SignOnPolicy) {
	p.Name, p.Description, p.Default = f.Name, textOf(f.Description), f.Default
	p.Blank = blanks(map[string]*string{"description": f.Description})
}

// deletePolicy answers with 204; 409 for the default one.
func (s *Server) deletePolicy(c *call) (reply, error) {
	return gone(s.Management.DeletePolicy(c.Context(), c.by(), c.PathValue("p"), func(p store.SignOnPolicy) error {
		return c.fresh(showPolicy(c, p))
	}))
}
