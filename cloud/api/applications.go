package api

import (
	"fmt"
	"slices"
	"time"

	"ldap-gateway/cloud/applications"
	"ldap-gateway/cloud/store"
)

// openIDConnect is the protocol of an application that says none.
const openIDConnect = string(store.OpenIDConnect)

// The grants and the response that an application may have, as the API names them.
const (
	responseCode = "CODE"
	grantCode    = "AUTHORIZATION_CODE"
	grantRefresh = "REFRESH_TOKEN"
)

// The formats of access tokens: what says nothing to whoever reads it, and RFC 9068.
const (
	formatOpaque = "OPAQUE"
	formatJWT    = "JWT"
)

// applicationForm is what a client may write.
type applicationForm struct {
	Name                   string             `json:"name"`
	Description            *string            `json:"description,omitempty"`
	Enabled                *bool              `json:"enabled"`
	Type                   string             `json:"type"`
	Protocol               string             `json:"protocol"`
	RedirectURIs           []string           `json:"redirectUris"`
	PostLogoutRedirectURIs []string           `json:"postLogoutRedirectUris,omitzero"`
	GrantTypes             []string           `json:"grantTypes"`
	PKCEEnforcement        string             `json:"pkceEnforcement"`
	BackChannelLogoutURI   string             `json:"backchannelLogoutUri,omitempty"` // ours
	AccessTokenFormat      string             `json:"accessTokenFormat"`              // ours: OPAQUE or JWT
	Algorithm              string             `json:"idTokenSignedResponseAlg"`       // ours: RS256 or ES256
	Resources              []string           `json:"resources,omitempty"`            // ours, RFC 8707, as audiences is
	Audiences              []string           `json:"audiences,omitempty"`
	EmailVerified          bool               `json:"emailVerified"` // ours: the claim email_verified is true
	ResponseTypes          []string           `json:"responseTypes"`
	AuthMethod             string             `json:"tokenEndpointAuthMethod"`
	JWKS                   string             `json:"jwks,omitempty"`    // a set of public keys, as JSON in a text
	JWKSURL                string             `json:"jwksUrl,omitempty"` // where that set is
	HomePage               *string            `json:"homePageUrl,omitempty"`
	AskForTicket           bool               `json:"askForTicket"` // ours: browsers are asked for a Kerberos ticket
	GroupsClaim            groupsClaimForm    `json:"groupsClaim"`  // ours
	AccessControl          *accessControlForm `json:"accessControl,omitempty"`
	settledForm
}

// groupsClaimForm is ours: compatible clients know no claim of groups, and get names by
// default.
type groupsClaimForm struct {
	Value   string   `json:"value"`
	Allow   []string `json:"allow,omitempty"`
	Sources []string `json:"sources,omitempty"`
	// IDTokenBytes is how many bytes of groups an ID token may have, as JSON; 0 for none.
	IDTokenBytes *int `json:"idTokenBytes,omitempty"`
}

// groupsClaimOf shows what is kept of a claim.
func groupsClaimOf(g store.GroupsClaim) groupsClaimForm {
	most := g.TokenBytes()
	return groupsClaimForm{g.Value, g.Allow, g.Sources, &most}
}

// kept is the inverse of groupsClaimOf. What is left out is as usual.
func (f groupsClaimForm) kept() store.GroupsClaim {
	g := store.GroupsClaim{Value: f.Value, Allow: f.Allow, Sources: f.Sources}
	switch {
	case f.IDTokenBytes == nil:
	case *f.IDTokenBytes == 0:
		g.Bytes = store.NoGroupBytes
	case *f.IDTokenBytes < 0: // is none that could be kept
		g.Bytes = store.MostGroupBytes + 1
	default:
		g.Bytes = *f.IDTokenBytes
	}
	return g
}

// applicationBody has besides what is the same for all.
// What cannot be otherwise is shown all the same, since clients ask for it: the way in
// which an application with a secret sends it.
type applicationBody struct {
	Links       links     `json:"_links"`
	ID          string    `json:"id"`
	Environment reference `json:"environment"`
	ClientID    string    `json:"clientId"` // the ID
	applicationForm
	HasSecret bool      `json:"hasSecret"`
	CreatedAt time.Time `json:"createdAt"`
	UpdatedAt time.Time `json:"updatedAt"`
}

// formOfApplication is the inverse of into: what is read can be written back, and
// changes nothing.
func formOfApplication(a store.Application) applicationForm {
	f := applicationForm{
		Name:                   a.Name,
		Description:            told(a.Description, a.Kept.Blank, "description"),
		Enabled:                &a.Enabled,
		Type:                   a.Type,
		Protocol:               openIDConnect,
		RedirectURIs:           a.RedirectURIs,
		PostLogoutRedirectURIs: a.SignOffURIs,
		GrantTypes:             []string{grantCode},
		PKCEEnforcement:        a.PKCE(),
		EmailVerified:          a.OpenID.EmailVerified,
		BackChannelLogoutURI:   a.OpenID.BackChannel,
		AccessTokenFormat:      formatOpaque,
		Algorithm:              a.Algorithm(),
		Resources:              a.OpenID.Resources,
		Audiences:              a.OpenID.Audiences,
		ResponseTypes:          []string{responseCode},
		AuthMethod:             authMethodOf(a),
		JWKS:                   a.OpenID.JWKS,
		JWKSURL:                a.OpenID.JWKSURL,
		HomePage:               a.Kept.HomePage,
		settledForm:            settledOf(a.Kept.Usual),
		AskForTicket:           a.AskForTicket,
		GroupsClaim:            groupsClaimOf(a.Groups),
		AccessControl:          accessControlOf(a.AccessRule()),
	}
	if a.OpenID.JWT {
		f.AccessTokenFormat = formatJWT
	}
	if a.Refresh {
		f.GrantTypes = append(f.GrantTypes, grantRefresh)
	}
	return f
}

// showApplication shows whether there is a secret. The secret itself is in the one
// answer of makeSecret.
func showApplication(c *call, a store.Application) applicationBody {
	b := applicationBody{
		Links:           c.self("applications", a.ID),
		ID:              a.ID,
		Environment:     reference{c.env},
		applicationForm: formOfApplication(a),
		ClientID:        a.ID,
		HasSecret:       a.SecretHash != nil,
		CreatedAt:       a.CreatedAt,
		UpdatedAt:       a.UpdatedAt,
	}
	b.Links["secret"] = c.at("applications", a.ID, "secret")
	b.Links.ofApplication(c, a)
	return b
}

// ofApplication adds what an application of either protocol has.
func (l links) ofApplication(c *call, a store.Application) links {
	l["sharedGroupNames"] = c.at("applications", a.ID, "sharedGroupNames")
	return l
}

// showOf shows an application as its protocol has it.
func (s *Server) showOf(c *call, a store.Application) any {
	if a.Protocol == store.SAML {
		return s.showSAML(c, a)
	}
	return showApplication(c, a)
}

// applicationSent is the body of an application, of whichever protocol.
type applicationSent interface {
	into(a *store.Application)
	speaks() store.ProviderType
}

func (applicationForm) speaks() store.ProviderType     { return store.OpenIDConnect }
func (samlApplicationForm) speaks() store.ProviderType { return store.SAML }

// listApplications answers with a page of applications by name, without regard to case.
func (s *Server) listApplications(c *call) (reply, error) {
	page, err := c.page("id", "clientId", "name", "description", "type", "protocol", "spEntityId", "enabled?")
	if err != nil {
		return reply{}, err
	}
	all, next, err := s.Store.Applications(c.Context(), c.env, page)
	if err != nil {
		return reply{}, err
	}
	return listed(c, "applications", all, next, func(a store.Application) any { return s.showOf(c, a) })
}

// getApplication answers with one application; 404 when the environment has none of
// that ID.
func (s *Server) getApplication(c *call) (reply, error) {
	a, err := s.Store.Application(c.Context(), c.env, c.PathValue("a"))
	if err != nil {
		return reply{}, err
	}
	return ok(s.showOf(c, a))
}

// listSharedNames answers with groups that an application cannot tell from those of another
// source; no more than store.MostShared.
func (s *Server) listSharedNames(c *call) (reply, error) {
	a, err := s.Store.Application(c.Context(), c.env, c.PathValue("a"))
	if err != nil {
		return reply{}, err
	}
	all, err := applications.SharedNames(c.Context(), s.Store, a)
	if err != nil {
		return reply{}, err
	}
	show := func(g store.Group) groupBody { return showGroup(c, g) }
	return few(c, "groups", all, show, "id", "name", "displayName", "sourceType", "sourceId")
}

// createApplication answers with 201 and the application, which has no secret yet and
// is enabled unless the body says otherwise.
func (s *Server) createApplication(c *call) (reply, error) {
	if c.kind() == "application/samlmetadata+xml" {
		return s.createApplicationOf(c)
	}
	form, err := readApplication(c)
	if err != nil {
		return reply{}, err
	}
	a := store.Application{Enabled: true}
	form.into(&a)
	if err := s.Management.CreateApplication(c.Context(), c.by(), &a); err != nil {
		return reply{}, err
	}
	return created(s.showOf(c, a))
}

// putApplication replaces everything but the secret, which ends only when the new type
// cannot keep one.
func (s *Server) putApplication(c *call) (reply, error) {
	form, err := readApplication(c)
	if err != nil {
		return reply{}, err
	}
	a, err := s.Management.ChangeApplication(c.Context(), c.by(), c.PathValue("a"), func(a *store.Application) error {
		if a.Protocol != form.speaks() {
			return invalid(detail{readOnly, "protocol", "The protocol of an application stays what it is."})
		}
		err := c.fresh(s.showOf(c, *a))
		form.into(a)
		return err
	})
	if err != nil {
		return reply{}, err
	}
	return ok(s.showOf(c, a))
}

// deleteApplication answers with 204. What was signed on by it ends with it.
func (s *Server) deleteApplication(c *call) (reply, error) {
	_, err := s.Management.DeleteApplication(c.Context(), c.by(), c.PathValue("a"), func(a store.Application) error {
		return c.fresh(s.showOf(c, a))
	})
	return gone(err)
}

// readApplication reads a body of either protocol.
func readApplication(c *call) (applicationSent, error) {
	b, err := c.body()
	if err != nil {
		return nil, err
	}
	if isSAML(b) {
		return readSAML(b)
	}
	return readOpenID(b)
}

// readOpenID reads a body, and refuses what only the API has words for.
// Whatever both faces could get wrong is checked by management; grants and protocols
// are words of this API alone.
// Without a grant in the body it is the one by code, without a claim of groups it is
// their names, and without a word about PKCE it is the strictest.
func readOpenID(b []byte) (form applicationForm, err error) {
	form = applicationForm{
		Protocol:          openIDConnect,
		GrantTypes:        []string{grantCode},
		PKCEEnforcement:   store.PKCES256,
		AccessTokenFormat: formatOpaque,
		Algorithm:         store.RS256,
		ResponseTypes:     []string{responseCode},
		GroupsClaim:       groupsClaimForm{Value: store.GroupNames},
	}
	if err := decode(b, &form); err != nil {
		return form, err
	}
	var d []detail
	if form.Protocol != openIDConnect {
		d = append(d, wrong("protocol", "It must be %s or %s.", openIDConnect, store.SAML))
	}
	if f := form.AccessTokenFormat; f != formatOpaque && f != formatJWT {
		d = append(d, wrong("accessTokenFormat", "It must be %s or %s.", formatOpaque, formatJWT))
	}
	for i, g := range form.GrantTypes {
		if g != grantCode && g != grantRefresh {
			d = append(d, wrong(fmt.Sprintf("grantTypes[%d]", i), "It must be %s or %s.", grantCode, grantRefresh))
		}
	}
	if !slices.Contains(form.GrantTypes, grantCode) {
		d = append(d, wrong("grantTypes", "%s must be among them.", grantCode))
	}
	if !slices.Equal(form.ResponseTypes, []string{responseCode}) {
		d = append(d, wrong("responseTypes", "It must be %s alone.", responseCode))
	}
	_, wrongs := form.sent()
	d = slices.Concat(d, wrongs, form.checkAuthMethod(), form.AccessControl.check())
	return form, invalid(d...)
}

// into makes an application what the form says. Whether it is enabled stays when that
// is left out.
func (f applicationForm) into(a *store.Application) {
	a.Name, a.Description, a.Type = f.Name, textOf(f.Description), f.Type
	a.Kept.Blank = blanks(map[string]*string{"description": f.Description})
	a.Kept.Usual, _ = f.sent()
	a.Kept.AuthMethod, a.Kept.HomePage = f.AuthMethod, f.HomePage
	a.RedirectURIs, a.SignOffURIs = f.RedirectURIs, f.PostLogoutRedirectURIs
	if f.Enabled != nil {
		a.Enabled = *f.Enabled
	}
	a.Refresh = slices.Contains(f.GrantTypes, grantRefresh)
	a.OpenID.PKCE, a.OpenID.EmailVerified = f.PKCEEnforcement, f.EmailVerified
	a.OpenID.BackChannel = f.BackChannelLogoutURI
	a.OpenID.JWT, a.OpenID.Algorithm = f.AccessTokenFormat == formatJWT, f.Algorithm
	a.OpenID.JWKS, a.OpenID.JWKSURL = f.JWKS, f.JWKSURL
	a.OpenID.Resources, a.OpenID.Audiences = f.Resources, f.Audiences
	a.AskForTicket, a.Groups = f.AskForTicket, f.GroupsClaim.kept()
	a.OpenID.AccessRule = f.AccessControl.rule()
}
