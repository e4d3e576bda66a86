package api

import (
	"time"

	"ldap-gateway/cloud/store"
)

// environmentBody leaves out what only the console sets: who must have a second factor,
// and in which order user types are asked.
type environmentBody struct {
	Links     links     `json:"_links"`
	ID        string    `json:"id"`
	Name      string    `json:"name"`
	CreatedAt time.Time `json:"createdAt"`
	UpdatedAt time.Time `json:"updatedAt"`
}

// showEnvironment is what reading one answers, and what an If-Match of a change is held
// against.
func showEnvironment(c *call, e store.Environment) environmentBody {
	return environmentBody{c.self(), e.ID, e.Name, e.CreatedAt, e.UpdatedAt}
}

// listEnvironments lists the one that the token is for.
func (s *Server) listEnvironments(c *call) (reply, error) {
	e, err := s.Store.Environment(c.Context(), c.env)
	if err != nil {
		return reply{}, err
	}
	return listed(c, "environments", []store.Environment{
		e,
	}, "", func(e store.Environment) environmentBody { return showEnvironment(c, e) })
}

// getEnvironment answers with the environment of the token: every other path was 403
// before.
func (s *Server) getEnvironment(c *call) (reply, error) {
	e, err := s.Store.Environment(c.Context(), c.env)
	if err != nil {
		return reply{}, err
	}
	return ok(showEnvironment(c, e))
}

// putEnvironment changes the name, which is all that a client may change. The settings
// are the owner's, in the console.
func (s *Server) putEnvironment(c *call) (reply, error) {
	body, err := c.body()
	if err != nil {
		return reply{}, err
	}
	e, err := s.Management.RenameEnvironment(c.Context(), c.by(), func(e *store.Environment) error {
		if err := c.fresh(showEnvironment(c, *e)); err != nil {
			return err
		}
		var form struct {
			Name string `json:"name"`
		}
		err := decode(body, &form)
		e.Name = form.Name
		return err
	})
	if err != nil {
		return reply{}, err
	}
	return ok(showEnvironment(c, e))
}
