package api

import (
	"cmp"
	"net/http"
	"time"

	"ldap-gateway/cloud/management"
	"ldap-gateway/cloud/store"
)

// gatewayForm is what a client may write. The properties from
// ServersHostAndPort on are kept as declared, and never used to connect.
type gatewayForm struct {
	Name        string         `json:"name"`
	Description *string        `json:"description,omitempty"`
	Type        string         `json:"type"`
	Enabled     *bool          `json:"enabled"`
	Vendor      string         `json:"vendor"`
	UserTypes   []userTypeForm `json:"userTypes,omitzero"`

	ServersHostAndPort      []string      `json:"serversHostAndPort,omitzero"`
	BindDN                  *string       `json:"bindDN,omitempty"`
	BindPassword            discarded     `json:"bindPassword,omitzero" jsonschema:"type=string"`
	ConnectionSecurity      string        `json:"connectionSecurity"`
	ValidateTLSCertificates *bool         `json:"validateTlsCertificates,omitempty"`
	FollowReferrals         bool          `json:"followReferrals"`
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

// Warnings are only in the answer to a write that they are of. Embedded has the
// instances when they were asked for.
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

// showGateway shows a gateway with its user types. What was declared of the directory
// is shown as it was sent; the bind password is nowhere.
func (s *Server) showGateway(c *call, g store.Gateway) gatewayBody {
	form := gatewayForm{
		Name:                    g.Name,
		Description:             told(g.Description, g.Declared.Blank, "description"),
		Type:                    "LDAP",
		Enabled:                 &g.Enabled,
		Vendor:                  g.Vendor,
		ServersHostAndPort:      g.Declared.ServersHostAndPort,
		BindDN:                  told(g.Declared.BindDN, g.Declared.Blank, "bindDN"),
		ConnectionSecurity:      cmp.Or(g.Declared.ConnectionSecurity, "None"),
		ValidateTLSCertificates: &g.Declared.ValidateTLSCertificates,
		FollowReferrals:         g.Declared.FollowReferrals,
		Kerberos:                kerberosFormOf(g.Kerberos),
	}
	if g.UserTypes != nil {
		form.UserTypes = []userTypeForm{}
	}
	for _, t := range g.UserTypes {
		form.UserTypes = append(form.UserTypes, formOf(t))
	}
	l := c.self("gateways", g.ID)
	l["instances"], l["pairings"] = c.at("gateways", g.ID, "instances"), c.at("gateways", g.ID, "pairings")
	return gatewayBody{
		Links:       l,
		ID:          g.ID,
		Environment: reference{c.env},
		gatewayForm: form,
		Revision:    g.Revision,
		CreatedAt:   g.CreatedAt,
		UpdatedAt:   g.UpdatedAt,
	}
}

// showExpanded is showGateway with what the request asks for besides.
// Without expand=instances it asks the store for nothing more.
func (s *Server) showExpanded(c *call, g store.Gateway) (gatewayBody, error) {
	body := s.showGateway(c, g)
	if !c.asks("expand", "instances") {
		return body, nil
	}
	all, err := s.instances(c, g.ID)
	body.Embedded = map[string]any{"instances": all}
	return body, err
}

// listGateways answers with a page by name. With expand=instances each has its
// instances in it, which is a query for each.
func (s *Server) listGateways(c *call) (reply, error) {
	page, err := c.page("id", "name", "description", "type", "vendor", "enabled?")
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

// getGateway answers with one gateway; 404 when the environment has none of that ID.
func (s *Server) getGateway(c *call) (reply, error) {
	g, err := s.Store.Gateway(c.Context(), c.env, c.PathValue("g"))
	if err != nil {
		return reply{}, err
	}
	body, err := s.showExpanded(c, g)
	return reply{http.StatusOK, body}, err
}

// createGateway answers with 201, the IDs of the user types and the first revision. A
// bind password that came is told as a warning, and was kept nowhere.
func (s *Server) createGateway(c *call) (reply, error) {
	var form gatewayForm
	if err := c.read(&form); err != nil {
		return reply{}, err
	}
	var d management.Draft
	d.Enabled = true
	if err := form.into(&d); err != nil {
		return reply{}, err
	}
	if err := s.Management.CreateGateway(c.Context(), c.by(), &d); err != nil {
		return reply{}, err
	}
	body := s.showGateway(c, d.Gateway)
	body.Warnings = form.warnings()
	return created(body)
}

// putGateway replaces a gateway. A user type that the body leaves out goes, unless it
// has users: 409. One that it has without an ID is a new one.
func (s *Server) putGateway(c *call) (reply, error) {
	var form gatewayForm
	if err := c.read(&form); err != nil {
		return reply{}, err
	}
	g, err := s.Management.ChangeGateway(c.Context(), c.by(), c.PathValue("g"), func(d *management.Draft) error {
		return cmp.Or(c.fresh(s.showGateway(c, d.Gateway)), form.into(d))
	})
	if err != nil {
		return reply{}, err
	}
	body := s.showGateway(c, g)
	body.Warnings = form.warnings()
	return ok(body)
}

// into makes a gateway what the form says. Whether it is enabled stays when that is
// left out: nobody switches it on without saying so.
func (f gatewayForm) into(d *management.Draft) error {
	if f.Type != "LDAP" {
		return invalid(wrong("type", "It must be LDAP: there are no gateways of another type here."))
	}
	d.Name, d.Description, d.Vendor = f.Name, textOf(f.Description), f.Vendor
	if f.Enabled != nil {
		d.Enabled = *f.Enabled
	}
	d.Declared = store.Declared{
		ServersHostAndPort:      f.ServersHostAndPort,
		BindDN:                  textOf(f.BindDN),
		ConnectionSecurity:      f.ConnectionSecurity,
		ValidateTLSCertificates: f.ValidateTLSCertificates == nil || *f.ValidateTLSCertificates,
		FollowReferrals:         f.FollowReferrals,
		Blank:                   blanks(map[string]*string{"description": f.Description, "bindDN": f.BindDN}),
	}
	d.Kerberos = f.Kerberos.value()
	if f.Kerberos != nil {
		d.ServicePassword = f.Kerberos.Password
	}
	d.UserTypes = nil
	if f.UserTypes != nil {
		d.UserTypes = []store.UserType{}
	}
	for _, u := range f.UserTypes {
		d.UserTypes = append(d.UserTypes, u.value())
	}
	return nil
}

// warnings says what was passed over on purpose, so that nobody believes that it was
// kept.
func (f gatewayForm) warnings() []string {
	if !f.BindPassword {
		return nil
	}
	return []string{"bindPassword was discarded: the directory's password belongs into the agent's own file, " +
		"and never leaves the premises."}
}

// deleteGateway answers with 204. 409 while users have their passwords checked through
// it, unless the request says force=true.
func (s *Server) deleteGateway(c *call) (reply, error) {
	id, force := c.PathValue("g"), c.forced()
	return gone(s.Management.DeleteGateway(c.Context(), c.by(), id, force, func(g store.Gateway) error {
		return c.fresh(s.showGateway(c, g))
	}))
}
