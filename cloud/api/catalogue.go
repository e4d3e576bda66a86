package api

import (
	"net/http"
	"slices"
	"time"

	"ldap-gateway/cloud/store"
)

// What is the same in every environment, and read only: the theme of pages, the schema of
// users, and the one resource that applications are granted, with its scopes.

// themeBody is how pages look. There is one theme: the console sets its logo.
type themeBody struct {
	Links       links     `json:"_links"`
	ID          string    `json:"id"`
	Environment reference `json:"environment"`
	Name        string    `json:"name"`
	Default     bool      `json:"default"`
}

func themes(c *call) []themeBody {
	id := c.derived("theme")
	return []themeBody{{c.self("themes", id), id, reference{c.env}, "Default", true}}
}

// schemaBody is what users have.
type schemaBody struct {
	Links       links     `json:"_links"`
	ID          string    `json:"id"`
	Environment reference `json:"environment"`
	Name        string    `json:"name"`
	Description string    `json:"description"`
}

func schemas(c *call) []schemaBody {
	id := c.derived("schema")
	l := c.self("schemas", id)
	l["attributes"] = c.at("schemas", id, "attributes")
	return []schemaBody{{l, id, reference{c.env}, "User", "What is kept of a user"}}
}

// schemaAttribute is one property of users.
type schemaAttribute struct {
	Links       links     `json:"_links"`
	ID          string    `json:"id"`
	Environment reference `json:"environment"`
	Schema      reference `json:"schema"`
	Name        string    `json:"name"`
	Type        string    `json:"type"`
	SchemaType  string    `json:"schemaType"`
	Enabled     bool      `json:"enabled"`
	Required    bool      `json:"required"`
	Unique      bool      `json:"unique"`
	MultiValued bool      `json:"multiValued"`
}

// schemaAttributes are those of the schema in the path.
func schemaAttributes(c *call) (all []schemaAttribute) {
	id := c.derived("schema")
	if c.PathValue("s") != id {
		return nil
	}
	add := func(name, kind string) {
		a := c.derived("attribute " + name)
		all = append(all, schemaAttribute{
			Links:       c.self("schemas", id, "attributes", a),
			ID:          a,
			Environment: reference{c.env},
			Schema:      reference{id},
			Name:        name,
			Type:        kind,
			SchemaType:  "STANDARD",
			Enabled:     true,
			Required:    name == "username",
			Unique:      name == "username",
		})
	}
	for _, name := range []string{"username", "email", "externalId", "name.given", "name.family"} {
		add(name, "STRING")
	}
	for _, p := range new(userForm).properties() {
		add(p.name, "STRING")
	}
	add("enabled", "BOOLEAN")
	add("population.id", "STRING")
	return all
}

// resourceBody is what applications are granted.
type resourceBody struct {
	Links       links     `json:"_links"`
	ID          string    `json:"id"`
	Environment reference `json:"environment"`
	Name        string    `json:"name"`
	Type        string    `json:"type"`
	Seconds     int       `json:"accessTokenValiditySeconds"`
	CreatedAt   time.Time `json:"createdAt"`
	UpdatedAt   time.Time `json:"updatedAt"`
}

// resourceOf is the resource of OpenID Connect, which is as old as the environment.
func (s *Server) resourceOf(c *call) (resourceBody, error) {
	e, err := s.Store.Environment(c.Context(), c.env)
	id := c.derived("openid")
	l := c.self("resources", id)
	l["scopes"] = c.at("resources", id, "scopes")
	return resourceBody{l, id, reference{c.env}, "openid", openIDConnect, 3600, e.CreatedAt, e.CreatedAt}, err
}

func (s *Server) listResources(c *call) (reply, error) {
	r, err := s.resourceOf(c)
	if err != nil {
		return reply{}, err
	}
	return few(c, "resources", []resourceBody{r}, func(b resourceBody) resourceBody { return b }, "id", "name", "type")
}

// resourceScope is a scope that an application may ask for.
type resourceScope struct {
	Links       links     `json:"_links"`
	ID          string    `json:"id"`
	Environment reference `json:"environment"`
	Resource    reference `json:"resource"`
	Name        string    `json:"name"`
}

// scopeNames are those that applications may ask for.
func scopeNames() []string { return []string{"openid", "profile", "email", "groups", "offline_access"} }

func scopes(c *call) (all []resourceScope) {
	id := c.derived("openid")
	for _, name := range scopeNames() {
		scope := c.derived("scope " + name)
		l := c.self("resources", id, "scopes", scope)
		all = append(all, resourceScope{l, scope, reference{c.env}, reference{id}, name})
	}
	return all
}

// scopesIn are those of the resource in the path.
func scopesIn(c *call) []resourceScope {
	if c.PathValue("r") != c.derived("openid") {
		return nil
	}
	return scopes(c)
}

// identified is a body that has an ID.
type identified interface{ identifier() string }

func (b themeBody) identifier() string       { return b.ID }
func (b schemaBody) identifier() string      { return b.ID }
func (b schemaAttribute) identifier() string { return b.ID }
func (b resourceScope) identifier() string   { return b.ID }

// listFixed answers with a list that is the same at each reading; 404 where it is of
// something that there is not.
func listFixed[T identified](name string, all func(*call) []T, fields ...string) endpoint {
	return func(c *call) (reply, error) {
		found := all(c)
		if len(found) == 0 {
			return reply{}, store.ErrNotFound
		}
		return few(c, name, found, func(b T) T { return b }, fields...)
	}
}

// getFixed answers with one of such a list.
func getFixed[T identified](all func(*call) []T) endpoint {
	return func(c *call) (reply, error) {
		found := all(c)
		i := slices.IndexFunc(found, func(b T) bool { return b.identifier() == c.PathValue("id") })
		if i < 0 {
			return reply{}, store.ErrNotFound
		}
		return reply{http.StatusOK, found[i]}, nil
	}
}

// getResource answers with the one resource.
func (s *Server) getResource(c *call) (reply, error) {
	r, err := s.resourceOf(c)
	if err == nil && r.ID != c.PathValue("r") {
		err = store.ErrNotFound
	}
	return reply{http.StatusOK, r}, err
}

// listResourceClaims answers with what the resource says of a person by itself.
func (s *Server) listResourceClaims(c *call) (reply, error) {
	if c.PathValue("r") != c.derived("openid") {
		return reply{}, store.ErrNotFound
	}
	return few(c, "attributes", nil, func(b claimBody) claimBody { return b }, "id", "name")
}

// organizationBody is whose environments all are: of the one who runs this cloud.
type organizationBody struct {
	Links links  `json:"_links"`
	ID    string `json:"id"`
	Name  string `json:"name"`
	Type  string `json:"type"`
}

func organizations(c *call) []organizationBody {
	id := derivedID("", "organization")
	l := links{"self": {c.root + "/v1/organizations/" + id}}
	return []organizationBody{{l, id, "ldap-cloud", "INTERNAL"}}
}

// listOrganizations answers with the one that there is.
func (s *Server) listOrganizations(c *call) (reply, error) {
	return few(c, "organizations", organizations(c), func(b organizationBody) organizationBody { return b }, "id", "name")
}

// getOrganization answers with the one that there is.
func (s *Server) getOrganization(c *call) (reply, error) {
	if o := organizations(c)[0]; o.ID == c.PathValue("id") {
		return ok(o)
	}
	return reply{}, store.ErrNotFound
}
