package api

import (
	"cmp"
	"net/http"
	"slices"

	"github.com/google/uuid"

	"ldap-gateway/cloud/store"
)

// assignedForm has an application use a sign-on policy.
type assignedForm struct {
	Policy   *reference `json:"signOnPolicy"`
	Priority int        `json:"priority"`
}

type assignedBody struct {
	Links       links     `json:"_links"`
	ID          string    `json:"id"`
	Environment reference `json:"environment"`
	Application reference `json:"application"`
	assignedForm
}

func showAssigned(c *call, a store.Application, p store.PolicyAssignment) assignedBody {
	l := c.self("applications", a.ID, "signOnPolicyAssignments", p.ID)
	return assignedBody{l, p.ID, reference{c.env}, reference{a.ID}, assignedForm{refer(p.Policy), p.Priority}}
}

// listAssigned answers with the sign-on policies that an application was given.
func (s *Server) listAssigned(c *call) (reply, error) {
	a, err := s.applicationOf(c)
	if err != nil {
		return reply{}, err
	}
	show := func(p store.PolicyAssignment) assignedBody { return showAssigned(c, a, p) }
	return few(c, "signOnPolicyAssignments", a.Kept.Policies, show, "id", "signOnPolicy.id")
}

func assignedAt(c *call, a store.Application) int {
	return slices.IndexFunc(a.Kept.Policies, func(p store.PolicyAssignment) bool { return p.ID == c.PathValue("id") })
}

// getAssigned answers with one of them.
func (s *Server) getAssigned(c *call) (reply, error) {
	a, err := s.applicationOf(c)
	i := assignedAt(c, a)
	if err != nil || i < 0 {
		return reply{}, cmp.Or(err, store.ErrNotFound)
	}
	return ok(showAssigned(c, a, a.Kept.Policies[i]))
}

// createAssigned gives an application a sign-on policy. People sign on for it by that of
// the lowest priority, or by the one whose name it gives as acr_values.
func (s *Server) createAssigned(c *call) (reply, error) {
	id, err := uuid.NewV7()
	if err != nil {
		return reply{}, err
	}
	return s.writeAssigned(c, http.StatusCreated, func(a *store.Application, p store.PolicyAssignment) (string, error) {
		p.ID = id.String()
		a.Kept.Policies = append(slices.Clone(a.Kept.Policies), p)
		return p.ID, nil
	})
}

// putAssigned replaces one of them.
func (s *Server) putAssigned(c *call) (reply, error) {
	return s.writeAssigned(c, http.StatusOK, func(a *store.Application, p store.PolicyAssignment) (string, error) {
		i := assignedAt(c, *a)
		if i < 0 {
			return "", store.ErrNotFound
		}
		err := c.fresh(showAssigned(c, *a, a.Kept.Policies[i]))
		a.Kept.Policies = slices.Clone(a.Kept.Policies)
		p.ID = a.Kept.Policies[i].ID
		a.Kept.Policies[i] = p
		return p.ID, err
	})
}

func (s *Server) writeAssigned(
	c *call, status int, put func(*store.Application, store.PolicyAssignment) (string, error),
) (reply, error) {
	var form assignedForm
	if err := c.read(&form); err != nil {
		return reply{}, err
	}
	if form.Priority < 1 {
		return reply{}, invalid(wrong("priority", "It must be a number from 1."))
	}
	if form.Policy.id() == "" {
		return reply{}, invalid(missing("signOnPolicy.id"))
	}
	var id string
	change := func(a *store.Application) (err error) {
		id, err = put(a, store.PolicyAssignment{Policy: form.Policy.ID, Priority: form.Priority})
		return err
	}
	a, err := s.Management.ChangeApplication(c.Context(), c.by(), c.PathValue("a"), change)
	if err != nil {
		return reply{}, err
	}
	i := slices.IndexFunc(a.Kept.Policies, func(p store.PolicyAssignment) bool { return p.ID == id })
	return reply{status, showAssigned(c, a, a.Kept.Policies[i])}, nil
}

// deleteAssigned takes one of them away.
func (s *Server) deleteAssigned(c *call) (reply, error) {
	_, err := s.Management.ChangeApplication(c.Context(), c.by(), c.PathValue("a"), func(a *store.Application) error {
		i := assignedAt(c, *a)
		if i < 0 {
			return store.ErrNotFound
		}
		err := c.fresh(showAssigned(c, *a, a.Kept.Policies[i]))
		a.Kept.Policies = slices.Delete(slices.Clone(a.Kept.Policies), i, i+1)
		return err
	})
	return gone(err)
}
