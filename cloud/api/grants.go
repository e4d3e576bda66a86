package api

import (
	"net/http"
	"slices"
	"time"

	"ldap-gateway/cloud/store"
)

// grantForm is which scopes of a resource an application may have.
type grantForm struct {
	Resource *reference  `json:"resource"`
	Scopes   []reference `json:"scopes"`
}

type grantBody struct {
	Links       links     `json:"_links"`
	ID          string    `json:"id"`
	Environment reference `json:"environment"`
	Application reference `json:"application"`
	grantForm
	CreatedAt time.Time `json:"createdAt"`
	UpdatedAt time.Time `json:"updatedAt"`
}

// showGrant is of the one resource that there is. Who was granted nothing in particular
// has all of its scopes.
func showGrant(c *call, a store.Application) grantBody {
	id := derivedID(a.ID, "grant")
	b := grantBody{
		Links:       c.self("applications", a.ID, "grants", id),
		ID:          id,
		Environment: reference{c.env},
		Application: reference{a.ID},
		grantForm:   grantForm{Resource: &reference{c.derived("openid")}, Scopes: []reference{}},
		CreatedAt:   a.CreatedAt,
		UpdatedAt:   a.UpdatedAt,
	}
	for _, scope := range scopes(c) {
		if a.Kept.Scopes == nil || slices.Contains(a.Kept.Scopes, scope.Name) {
			b.Scopes = append(b.Scopes, reference{scope.ID})
		}
	}
	return b
}

// listGrants answers with the one grant of an application.
func (s *Server) listGrants(c *call) (reply, error) {
	a, err := s.applicationOf(c)
	if err != nil {
		return reply{}, err
	}
	show := func(a store.Application) grantBody { return showGrant(c, a) }
	return few(c, "grants", []store.Application{a}, show, "id", "resource.id")
}

// getGrant answers with that grant.
func (s *Server) getGrant(c *call) (reply, error) {
	a, err := s.applicationOf(c)
	if err == nil && showGrant(c, a).ID != c.PathValue("id") {
		err = store.ErrNotFound
	}
	if err != nil {
		return reply{}, err
	}
	return ok(showGrant(c, a))
}

// createGrant says which scopes an application may have, for one of which nothing was said.
func (s *Server) createGrant(c *call) (reply, error) {
	return s.writeGrant(c, http.StatusCreated, func(a store.Application) error {
		if a.Kept.Scopes != nil {
			return invalid(detail{notUnique, "resource.id", "The application was granted this resource already."})
		}
		return nil
	})
}

// putGrant replaces which scopes an application may have.
func (s *Server) putGrant(c *call) (reply, error) {
	return s.writeGrant(c, http.StatusOK, func(a store.Application) error {
		if showGrant(c, a).ID != c.PathValue("id") {
			return store.ErrNotFound
		}
		return c.fresh(showGrant(c, a))
	})
}

func (s *Server) writeGrant(c *call, status int, seen func(store.Application) error) (reply, error) {
	var form grantForm
	if err := c.read(&form); err != nil {
		return reply{}, err
	}
	a, err := s.Management.ChangeApplication(c.Context(), c.by(), c.PathValue("a"), func(a *store.Application) error {
		if err := seen(*a); err != nil {
			return err
		}
		names, err := form.names(c)
		a.Kept.Scopes = names
		return err
	})
	if err != nil {
		return reply{}, err
	}
	return reply{status, showGrant(c, a)}, nil
}

// names are the scopes that a form grants, of the one resource.
func (f grantForm) names(c *call) ([]string, error) {
	names, wrongs := []string{}, []detail(nil)
	if f.Resource.id() != c.derived("openid") {
		wrongs = append(wrongs, wrong("resource.id", "There is no such resource: see GET resources."))
	}
	for i, r := range f.Scopes {
		at := slices.IndexFunc(scopes(c), func(s resourceScope) bool { return s.ID == r.ID })
		if at < 0 {
			wrongs = append(wrongs, wrong(item("scopes", i)+".id", "The resource has no such scope."))
			continue
		}
		names = append(names, scopes(c)[at].Name)
	}
	return names, invalid(wrongs...)
}

// deleteGrant has an application be granted nothing in particular, which is all.
func (s *Server) deleteGrant(c *call) (reply, error) {
	_, err := s.Management.ChangeApplication(c.Context(), c.by(), c.PathValue("a"), func(a *store.Application) error {
		if showGrant(c, *a).ID != c.PathValue("id") || a.Kept.Scopes == nil {
			return store.ErrNotFound
		}
		err := c.fresh(showGrant(c, *a))
		a.Kept.Scopes = nil
		return err
	})
	return gone(err)
}
