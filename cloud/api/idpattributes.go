package api

import (
	"slices"
	"time"

	m "ldap-gateway/cloud/management"
	"ldap-gateway/cloud/store"
)

// attributeForm is what a client may write of a mapping.
type attributeForm struct {
	Name   string `json:"name"`
	Value  string `json:"value"`
	Update string `json:"update"`
}

// attributeBody has the times of its provider, of which it is a part.
type attributeBody struct {
	Links       links     `json:"_links"`
	ID          string    `json:"id"`
	Environment reference `json:"environment"`
	Provider    reference `json:"identityProvider"`
	attributeForm
	MappingType string    `json:"mappingType"`
	CreatedAt   time.Time `json:"createdAt"`
	UpdatedAt   time.Time `json:"updatedAt"`
}

// showAttribute tells the core mappings, which cannot be deleted, from the others.
func showAttribute(c *call, p store.IdentityProvider, a store.ProviderMapping) attributeBody {
	b := attributeBody{
		Links:         c.self("identityProviders", p.ID, "attributes", a.ID),
		ID:            a.ID,
		Environment:   reference{c.env},
		Provider:      reference{p.ID},
		attributeForm: attributeForm{a.Name, a.Value, string(a.Update)},
		MappingType:   "CUSTOM",
		CreatedAt:     p.CreatedAt,
		UpdatedAt:     p.UpdatedAt,
	}
	if a.Core {
		b.MappingType = "CORE"
	}
	return b
}

// listAttributes answers with all mappings of a provider in their order; 404 when there
// is no such provider.
func (s *Server) listAttributes(c *call) (reply, error) {
	p, err := s.Store.IdentityProvider(c.Context(), c.env, c.PathValue("i"))
	if err != nil {
		return reply{}, err
	}
	show := func(a store.ProviderMapping) attributeBody { return showAttribute(c, p, a) }
	return few(c, "attributes", p.Mappings, show, "id", "name", "mappingType", "update")
}

// getAttribute answers with one mapping; 404 when the provider has none of that ID.
func (s *Server) getAttribute(c *call) (reply, error) {
	p, err := s.Store.IdentityProvider(c.Context(), c.env, c.PathValue("i"))
	if err != nil {
		return reply{}, err
	}
	i := indexOfMapping(p, c.PathValue("a"))
	if i < 0 {
		return reply{}, store.ErrNotFound
	}
	return ok(showAttribute(c, p, p.Mappings[i]))
}

// indexOfMapping returns where a mapping is; -1 when the provider has none of that ID.
func indexOfMapping(p store.IdentityProvider, id string) int {
	return slices.IndexFunc(p.Mappings, func(a store.ProviderMapping) bool { return a.ID == id })
}

// memberOfNames is another word for the mapping of groups that clients may have.
const memberOfNames = "memberOfExternalGroupNames"

// into makes a mapping what the form says. Its ID, and whether it is a core one, stay.
func (f attributeForm) into(a *store.ProviderMapping) {
	if f.Name == memberOfNames {
		f.Name = "memberOfExternalGroups"
	}
	a.Name, a.Value, a.Update = f.Name, f.Value, store.UpdateRule(f.Update)
}

// createAttribute answers with 201 and the mapping, which is behind the others.
func (s *Server) createAttribute(c *call) (reply, error) {
	var form attributeForm
	if err := c.read(&form); err != nil {
		return reply{}, err
	}
	var a store.ProviderMapping
	form.into(&a)
	p, err := s.Management.ChangeProvider(c.Context(), c.by(), c.PathValue("i"), func(d *m.ProviderDraft) error {
		d.Mappings = append(d.Mappings, a)
		return nil
	})
	if err != nil {
		return reply{}, err
	}
	return created(showAttribute(c, p, p.Mappings[len(p.Mappings)-1]))
}

// putAttribute replaces a mapping in its place.
func (s *Server) putAttribute(c *call) (reply, error) {
	var form attributeForm
	if err := c.read(&form); err != nil {
		return reply{}, err
	}
	at := 0
	p, err := s.Management.ChangeProvider(c.Context(), c.by(), c.PathValue("i"), func(d *m.ProviderDraft) error {
		if at = indexOfMapping(d.IdentityProvider, c.PathValue("a")); at < 0 {
			return store.ErrNotFound
		}
		err := c.fresh(showAttribute(c, d.IdentityProvider, d.Mappings[at]))
		form.into(&d.Mappings[at])
		return err
	})
	if err != nil {
		return reply{}, err
	}
	return ok(showAttribute(c, p, p.Mappings[at]))
}

// deleteAttribute answers with 204.
func (s *Server) deleteAttribute(c *call) (reply, error) {
	_, err := s.Management.ChangeProvider(c.Context(), c.by(), c.PathValue("i"), func(d *m.ProviderDraft) error {
		at := indexOfMapping(d.IdentityProvider, c.PathValue("a"))
		if at < 0 {
			return store.ErrNotFound
		}
		err := c.fresh(showAttribute(c, d.IdentityProvider, d.Mappings[at]))
		d.Mappings = slices.Delete(d.Mappings, at, at+1)
		return err
	})
	return gone(err)
}
