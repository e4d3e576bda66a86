package api

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strconv"
	"time"

	"ldap-gateway/cloud/store"
	"ldap-gateway/cloud/usertypes"
)

// gatewayForm is what a client may write. The properties from
// ServersHostAndPort on are kept as declared, and never used to connect.
type gatewayForm struct {
	Name        string         `json:"name"`
	Description string         `json:"description,omitempty"`
	Type        string         `json:"type"`
	Enabled     *bool          `json:"enabled"`
	Vendor      string         `json:"vendor"`
	UserTypes   []userTypeForm `json:"userTypes"`

	ServersHostAndPort      []string      `json:"serversHostAndPort,omitempty"`
	BindDN                  string        `json:"bindDN,omitempty"`
	BindPassword            discarded     `json:"bindPassword,omitzero" jsonschema:"type=string"`
	ConnectionSecurity      string        `json:"connectionSecurity,omitempty"`
	ValidateTLSCertificates *bool         `json:"validateTlsCertificates,omitempty"`
	FollowReferrals         bool          `json:"followReferrals,omitempty"`
	Kerberos                *kerberosForm `json:"kerberos,omitempty"`
}

// discarded is a secret that a client sent and that is not kept: only that it
// was there.
type discarded bool

// UnmarshalJSON implements json.Unmarshaler.
func (d *discarded) UnmarshalJSON(b []byte) error {
	*d = string(b) != "null" && string(b) != `""`
	return nil
}

type gatewayBody struct {
	Links       links     `json:"_links"`
	ID          string    `json:"id"`
	Environment reference `json:"environment"`
	gatewayForm
	Revision  uint64         `json:"revision"`
	CreatedAt time.Time      `json:"createdAt"`
	UpdatedAt time.Time      `json:"updatedAt"`
	Embedded  map[string]any `json:"_embedded,omitempty"`
	Warnings  []string       `json:"_warnings,omitempty"`
}

func (s *Server) showGateway(c *call, g store.Gateway) gatewayBody {
	form := gatewayForm{Name: g.Name, Description: g.Description, Type: "LDAP", Enabled: &g.Enabled, Vendor: g.Vendor, UserTypes: []userTypeForm{},
		ServersHostAndPort: g.Declared.ServersHostAndPort, BindDN: g.Declared.BindDN, ConnectionSecurity: g.Declared.ConnectionSecurity,
		ValidateTLSCertificates: &g.Declared.ValidateTLSCertificates, FollowReferrals: g.Declared.FollowReferrals, Kerberos: kerberosFormOf(g.Kerberos)}
	for _, t := range g.UserTypes {
		form.UserTypes = append(form.UserTypes, formOf(t))
	}
	l := c.self("gateways", g.ID)
	l["instances"], l["pairings"] = c.at("gateways", g.ID, "instances"), c.at("gateways", g.ID, "pairings")
	return gatewayBody{Links: l, ID: g.ID, Environment: reference{c.env}, gatewayForm: form, Revision: g.Revision, CreatedAt: g.CreatedAt, UpdatedAt: g.UpdatedAt}
}

// showExpanded is showGateway with what the request asks for besides.
func (s *Server) showExpanded(c *call, g store.Gateway) (gatewayBody, error) {
	body := s.showGateway(c, g)
	if !c.asks("expand", "instances") {
		return body, nil
	}
	all, err := s.instances(c, g.ID)
	body.Embedded = map[string]any{"instances": all}
	return body, err
}

func (s *Server) listGateways(c *call) (reply, error) {
	page, err := c.page()
	if err != nil {
		return reply{}, err
	}
	all, next, err := s.Store.Gateways(c.Context(), c.env, page)
	bodies := make([]gatewayBody, len(all))
	for i := 0; i < len(all) && err == nil; i++ {
		bodies[i], err = s.showExpanded(c, all[i])
	}
	if err != nil {
		return reply{}, err
	}
	return listed(c, "gateways", bodies, next, func(b gatewayBody) gatewayBody { return b })
}

func (s *Server) getGateway(c *call) (reply, error) {
	g, err := s.Store.Gateway(c.Context(), c.env, c.PathValue("g"))
	if err != nil {
		return reply{}, err
	}
	body, err := s.showExpanded(c, g)
	return reply{http.StatusOK, body}, err
}

func (s *Server) createGateway(c *call) (reply, error) {
	g := store.Gateway{EnvironmentID: c.env}
	kerberos, warnings, err := s.readGateway(c, &g)
	if err != nil {
		return reply{}, err
	}
	noting := s.noting(c, func() note {
		return note{"gateway.created", "gateway:" + g.ID, "gateway " + g.Name + " was created", nil}
	})
	if err := noting.CreateGateway(c.Context(), &g); err != nil {
		return reply{}, taken(err, "name")
	}
	if err := s.useAccount(c, g, kerberos); err != nil {
		return reply{}, err
	}
	body := s.showGateway(c, g)
	body.Warnings = warnings
	return created(body)
}

func (s *Server) putGateway(c *call) (reply, error) {
	g, err := s.Store.Gateway(c.Context(), c.env, c.PathValue("g"))
	if err != nil {
		return reply{}, err
	}
	kerberos, warnings, err := s.readGateway(c, &g)
	if err != nil {
		return reply{}, err
	}
	if err := s.saveGateway(c, &g); err != nil {
		return reply{}, err
	}
	if err := s.useAccount(c, g, kerberos); err != nil {
		return reply{}, err
	}
	body := s.showGateway(c, g)
	body.Warnings = warnings
	return ok(body)
}

// saveGateway writes a changed gateway and tells those who need to know.
func (s *Server) saveGateway(c *call, g *store.Gateway) error {
	noting := s.noting(c, func() note {
		return note{"gateway.updated", "gateway:" + g.ID, "gateway " + g.Name + " was changed", map[string]any{"revision": g.Revision}}
	})
	err := noting.UpdateGateway(c.Context(), g)
	if errors.Is(err, store.ErrDependents) {
		return refused(http.StatusConflict, "A user type that is missing here has users. Move them to another user type, or delete it with force=true.",
			detail{hasDependents, "userTypes", err.Error()})
	}
	if err != nil {
		return taken(err, "name")
	}
	s.Links.UserTypesChanged(c.Context(), g.ID)
	return nil
}

// readGateway reads the body into g, and returns what it says of Kerberos, and what
// of it was not kept.
func (s *Server) readGateway(c *call, g *store.Gateway) (k *kerberosForm, warnings []string, err error) {
	var form gatewayForm
	if err := c.read(&form); err != nil {
		return nil, nil, err
	}
	types, l, err := s.userTypes(c, g.UserTypes, form.UserTypes)
	if err != nil {
		return nil, nil, err
	}
	details := append(append(form.check(), detailsOf(l)...), checkKerberos(form.Kerberos.value())...)
	if err := invalid(append(details, form.Kerberos.checkAccount(g.Kerberos)...)...); err != nil {
		return nil, nil, err
	}
	g.Name, g.Description, g.Vendor, g.UserTypes = form.Name, form.Description, form.Vendor, types
	g.Enabled, g.Kerberos = form.Enabled == nil || *form.Enabled, form.Kerberos.value()
	g.Declared = store.Declared{ServersHostAndPort: form.ServersHostAndPort, BindDN: form.BindDN, ConnectionSecurity: form.ConnectionSecurity,
		ValidateTLSCertificates: form.ValidateTLSCertificates == nil || *form.ValidateTLSCertificates, FollowReferrals: form.FollowReferrals}
	return form.Kerberos, form.warnings(), nil
}

func (f gatewayForm) check() []detail {
	var d []detail
	if f.Name == "" {
		d = append(d, missing("name"))
	}
	if f.Type != "LDAP" {
		d = append(d, wrong("type", "It must be LDAP: there are no gateways of another type here."))
	}
	if !slices.Contains(usertypes.Vendors(), f.Vendor) {
		d = append(d, wrong("vendor", "It must be one of %q.", usertypes.Vendors()))
	}
	if !slices.Contains([]string{"", "None", "TLS", "StartTLS"}, f.ConnectionSecurity) {
		d = append(d, wrong("connectionSecurity", "It must be None, TLS or StartTLS."))
	}
	for i, server := range f.ServersHostAndPort {
		host, port, err := net.SplitHostPort(server)
		n, err2 := strconv.ParseUint(port, 10, 16)
		if err != nil || err2 != nil || host == "" || n == 0 {
			d = append(d, wrong(fmt.Sprintf("serversHostAndPort[%d]", i), "%q is not a host and a port, as in ldap.example.com:636.", server))
		}
	}
	return d
}

func (f gatewayForm) warnings() []string {
	var w []string
	if f.BindPassword {
		w = append(w, "bindPassword was discarded: the directory's password belongs into the agent's own file, and never leaves the premises.")
	}
	return w
}

func (s *Server) deleteGateway(c *call) (reply, error) {
	id := c.PathValue("g")
	instances, err := s.Store.Instances(c.Context(), c.env, id)
	if err != nil {
		return reply{}, err
	}
	noting := s.noting(c, func() note {
		return note{"gateway.deleted", "gateway:" + id, "gateway was deleted", map[string]any{"force": c.forced()}}
	})
	err = noting.DeleteGateway(c.Context(), c.env, id, c.forced())
	if errors.Is(err, store.ErrDependents) {
		return reply{}, s.dependents(c, id, "")
	}
	if err != nil {
		return reply{}, err
	}
	for _, i := range instances {
		s.Links.Revoked(c.Context(), i.ID)
	}
	return gone(nil)
}

// dependents is the refusal to delete what users depend on, with how many and
// the first ten of them.
func (s *Server) dependents(c *call, gateway, userType string) error {
	n, err := s.Store.GatewayUsers(c.Context(), c.env, gateway, userType)
	if err != nil {
		return err
	}
	users, _, err := s.Store.Users(c.Context(), c.env, store.UserFilter{GatewayID: gateway, UserTypeID: userType}, store.Page{Limit: 10})
	if err != nil {
		return err
	}
	details := []detail{{hasDependents, "users", fmt.Sprintf("%d users have their password checked through it.", n)}}
	for _, u := range users {
		details = append(details, detail{hasDependents, "users/" + u.ID, u.Username})
	}
	return refused(http.StatusConflict, fmt.Sprintf("%d users depend on it. Move them to another user type, or repeat with force=true: "+
		"they stay then, and cannot sign on until they are linked again.", n), details...)
}
