package api

import (
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"

	"ldap-gateway/cloud/oidc"
	"ldap-gateway/cloud/store"
)

const openIDConnect = "OPENID_CONNECT"

// The grants that an application may have, as the API names them.
const (
	grantCode    = "AUTHORIZATION_CODE"
	grantRefresh = "REFRESH_TOKEN"
)

// applicationForm is what a client may write.
type applicationForm struct {
	Name                   string          `json:"name"`
	Description            string          `json:"description,omitempty"`
	Enabled                *bool           `json:"enabled"`
	Type                   string          `json:"type"`
	Protocol               string          `json:"protocol"`
	RedirectURIs           []string        `json:"redirectUris"`
	PostLogoutRedirectURIs []string        `json:"postLogoutRedirectUris,omitempty"`
	GrantTypes             []string        `json:"grantTypes"`
	AskForTicket           bool            `json:"askForTicket"` // ours: browsers are asked for a Kerberos ticket
	GroupsClaim            groupsClaimForm `json:"groupsClaim"`  // ours
}

type groupsClaimForm struct {
	Value string   `json:"value"`
	Allow []string `json:"allow,omitempty"`
}

// applicationBody has besides what is the same for all.
type applicationBody struct {
	Links       links     `json:"_links"`
	ID          string    `json:"id"`
	Environment reference `json:"environment"`
	applicationForm
	ResponseTypes           []string  `json:"responseTypes"`
	PKCEEnforcement         string    `json:"pkceEnforcement"`
	TokenEndpointAuthMethod string    `json:"tokenEndpointAuthMethod"`
	HasSecret               bool      `json:"hasSecret"`
	CreatedAt               time.Time `json:"createdAt"`
	UpdatedAt               time.Time `json:"updatedAt"`
}

func formOfApplication(a store.Application) applicationForm {
	f := applicationForm{Name: a.Name, Description: a.Description, Enabled: &a.Enabled, Type: a.Type, Protocol: openIDConnect, RedirectURIs: a.RedirectURIs,
		PostLogoutRedirectURIs: a.SignOffURIs, GrantTypes: []string{grantCode}, AskForTicket: a.AskForTicket, GroupsClaim: groupsClaimForm(a.Groups)}
	if a.Refresh {
		f.GrantTypes = append(f.GrantTypes, grantRefresh)
	}
	return f
}

func showApplication(c *call, a store.Application) applicationBody {
	b := applicationBody{Links: c.self("applications", a.ID), ID: a.ID, Environment: reference{c.env}, applicationForm: formOfApplication(a), ResponseTypes: []string{"CODE"}, PKCEEnforcement: "S256_REQUIRED",
		TokenEndpointAuthMethod: "NONE", HasSecret: a.SecretHash != nil, CreatedAt: a.CreatedAt, UpdatedAt: a.UpdatedAt}
	if a.Type == store.WebApplication {
		b.TokenEndpointAuthMethod = "CLIENT_SECRET_BASIC"
	}
	b.Links["secret"] = c.at("applications", a.ID, "secret")
	return b
}

func (s *Server) listApplications(c *call) (reply, error) {
	page, err := c.page()
	if err != nil {
		return reply{}, err
	}
	all, next, err := s.Store.Applications(c.Context(), c.env, page)
	if err != nil {
		return reply{}, err
	}
	return listed(c, "applications", all, next, func(a store.Application) applicationBody { return showApplication(c, a) })
}

func (s *Server) getApplication(c *call) (reply, error) {
	a, err := s.Store.Application(c.Context(), c.env, c.PathValue("a"))
	if err != nil {
		return reply{}, err
	}
	return ok(showApplication(c, a))
}

func (s *Server) createApplication(c *call) (reply, error) {
	a := store.Application{EnvironmentID: c.env}
	if err := readApplication(c, &a); err != nil {
		return reply{}, err
	}
	if err := s.notingApplication(c, "created", &a).CreateApplication(c.Context(), &a); err != nil {
		return reply{}, taken(err, "name")
	}
	return created(showApplication(c, a))
}

func (s *Server) putApplication(c *call) (reply, error) {
	a, err := s.Store.Application(c.Context(), c.env, c.PathValue("a"))
	if err != nil {
		return reply{}, err
	}
	if err := readApplication(c, &a); err != nil {
		return reply{}, err
	}
	if err := s.notingApplication(c, "updated", &a).UpdateApplication(c.Context(), &a); err != nil {
		return reply{}, taken(err, "name")
	}
	return ok(showApplication(c, a))
}

// notingApplication returns the store, which adds to what is written what was done
// to an application.
func (s *Server) notingApplication(c *call, done string, a *store.Application) *store.Store {
	return s.noting(c, func() note {
		action, _, _ := strings.Cut(done, " ")
		return note{"application." + action, "application:" + a.ID, "application " + a.Name + " was " + done, nil}
	})
}

func (s *Server) deleteApplication(c *call) (reply, error) {
	a, err := s.Store.Application(c.Context(), c.env, c.PathValue("a"))
	if err != nil {
		return reply{}, err
	}
	return gone(s.notingApplication(c, "deleted", &a).DeleteApplication(c.Context(), c.env, a.ID))
}

// makeSecret gives an application a new secret, which is shown this once.
func (s *Server) makeSecret(c *call) (reply, error) {
	a, err := s.Store.Application(c.Context(), c.env, c.PathValue("a"))
	if err != nil {
		return reply{}, err
	}
	if a.Type != store.WebApplication {
		return reply{}, refused(http.StatusBadRequest, "An application of the type "+a.Type+" cannot keep a secret: it proves itself by PKCE alone.")
	}
	secret, hash := oidc.NewSecret()
	a.SecretHash = hash
	if err := s.notingApplication(c, "given a new secret", &a).UpdateApplication(c.Context(), &a); err != nil {
		return reply{}, err
	}
	return created(map[string]any{"_links": c.self("applications", a.ID, "secret"), "secret": secret})
}

// readApplication reads the body into a.
func readApplication(c *call, a *store.Application) error {
	form := applicationForm{Protocol: openIDConnect, GrantTypes: []string{grantCode}, GroupsClaim: groupsClaimForm{Value: store.GroupNames}}
	if err := c.read(&form); err != nil {
		return err
	}
	if err := invalid(form.check()...); err != nil {
		return err
	}
	a.Name, a.Description, a.Type, a.RedirectURIs, a.SignOffURIs = form.Name, form.Description, form.Type, form.RedirectURIs, form.PostLogoutRedirectURIs
	a.Enabled = form.Enabled == nil || *form.Enabled
	a.Refresh, a.AskForTicket, a.Groups = slices.Contains(form.GrantTypes, grantRefresh), form.AskForTicket, store.GroupsClaim(form.GroupsClaim)
	if a.Type != store.WebApplication {
		a.SecretHash = nil
	}
	return nil
}

func (f applicationForm) check() (d []detail) {
	if f.Name == "" {
		d = append(d, missing("name"))
	}
	types := []string{store.WebApplication, store.NativeApplication, store.SinglePage}
	if !slices.Contains(types, f.Type) {
		d = append(d, wrong("type", "It must be one of %q.", types))
	}
	if f.Protocol != openIDConnect {
		d = append(d, wrong("protocol", "It must be %s.", openIDConnect))
	}
	if len(f.RedirectURIs) == 0 {
		d = append(d, missing("redirectUris"))
	}
	for i, uri := range f.RedirectURIs {
		d = append(d, checkRedirect(fmt.Sprintf("redirectUris[%d]", i), uri, f.Type)...)
	}
	for i, uri := range f.PostLogoutRedirectURIs {
		d = append(d, checkRedirect(fmt.Sprintf("postLogoutRedirectUris[%d]", i), uri, f.Type)...)
	}
	for i, g := range f.GrantTypes {
		if g != grantCode && g != grantRefresh {
			d = append(d, wrong(fmt.Sprintf("grantTypes[%d]", i), "It must be %s or %s.", grantCode, grantRefresh))
		}
	}
	if values := []string{store.GroupNames, store.GroupDisplayNames, store.GroupIDs}; !slices.Contains(values, f.GroupsClaim.Value) {
		d = append(d, wrong("groupsClaim.value", "It must be one of %q.", values))
	}
	return d
}

// checkRedirect says what is wrong with an address that browsers are sent to: it
// must be a whole one, by TLS, to this machine, or of a program's own scheme.
func checkRedirect(target, text, applicationType string) []detail {
	u, err := url.Parse(text)
	switch {
	case err != nil || !u.IsAbs() || u.Fragment != "" || u.User != nil:
		return []detail{wrong(target, "%q is not a whole address without a fragment, as in https://app.example.com/callback.", text)}
	case u.Scheme == "https" && u.Host != "", u.Scheme == "http" && loopback(u.Hostname()):
		return nil
	case u.Scheme == "http" || u.Scheme == "https":
		return []detail{wrong(target, "%q goes over the network without TLS: use https.", text)}
	case u.Scheme == "javascript" || u.Scheme == "data" || applicationType != store.NativeApplication:
		return []detail{wrong(target, "%q has a scheme that only a NATIVE_APP may have of its own.", text)}
	}
	return nil
}

func loopback(host string) bool {
	a, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && a.IsLoopback()
}
