package api

import (
	"net/http"
	"time"

	"ldap-gateway/cloud/idp/samlsp"
	m "ldap-gateway/cloud/management"
	"ldap-gateway/cloud/store"
)

// providerForm is what a client may write of an identity provider. Which properties
// count is the type's to say.
type providerForm struct {
	Name         string            `json:"name"`
	Description  string            `json:"description,omitempty"`
	Enabled      bool              `json:"enabled"`
	Type         string            `json:"type"`
	Registration *registrationForm `json:"registration,omitempty"`

	Issuer                string   `json:"issuer,omitempty"`
	AuthorizationEndpoint string   `json:"authorizationEndpoint,omitempty"`
	TokenEndpoint         string   `json:"tokenEndpoint,omitempty"`
	JWKSEndpoint          string   `json:"jwksEndpoint,omitempty"`
	UserInfoEndpoint      string   `json:"userInfoEndpoint,omitempty"`
	DiscoveryEndpoint     string   `json:"discoveryEndpoint,omitempty"`
	EndSessionEndpoint    string   `json:"endSessionEndpoint,omitempty"` // ours
	ClientID              string   `json:"clientId,omitempty"`
	ClientSecret          string   `json:"clientSecret,omitempty"` // see tellProvider
	Scopes                []string `json:"scopes,omitempty"`
	TokenAuthMethod       string   `json:"tokenEndpointAuthMethod,omitempty"`
	PKCEMethod            string   `json:"pkceMethod,omitempty"`
	NamesIssuer           bool     `json:"namesIssuer,omitempty"`    // ours
	AlwaysUserInfo        bool     `json:"alwaysUserInfo,omitempty"` // ours
	SigningKey            *keyForm `json:"signingKey,omitempty"`     // ours: of PRIVATE_KEY_JWT

	IDPEntityID        string            `json:"idpEntityId,omitempty"`
	SPEntityID         string            `json:"spEntityId,omitempty"`
	SSOBinding         string            `json:"ssoBinding,omitempty"`
	SSOEndpoint        string            `json:"ssoEndpoint,omitempty"`
	IDPVerification    *verificationForm `json:"idpVerification,omitempty"`
	AuthnRequestSigned *bool             `json:"authnRequestSigned,omitempty"`
	SPSigning          *signingForm      `json:"spSigning,omitempty"`
	SLOBinding         string            `json:"sloBinding,omitempty"`
	SLOEndpoint        string            `json:"sloEndpoint,omitempty"`
	SLOResponse        string            `json:"sloResponseEndpoint,omitempty"`
	SLOWindow          int               `json:"sloWindow,omitempty"`
	NameIDFormat       string            `json:"nameIdFormat,omitempty"`     // ours
	SubjectAttribute   string            `json:"subjectAttribute,omitempty"` // ours
	TakesExpired       bool              `json:"acceptsExpiredCertificates,omitempty"`
	SkewSeconds        int               `json:"skewSeconds,omitempty"` // ours
	MetadataURL        string            `json:"metadataUrl,omitempty"` // ours

	Groups        *store.ProviderGroups `json:"groups,omitempty"`             // ours
	Domains       []string              `json:"domains,omitempty"`            // ours
	TellsUsername bool                  `json:"tellsUsername,omitempty"`      // ours
	TrustsMethods bool                  `json:"trustsMethods,omitempty"`      // ours
	TrustsFactor  bool                  `json:"trustsSecondFactor,omitempty"` // ours
	SecretEndsAt  time.Time             `json:"secretEndsAt,omitzero"`        // ours

	blank map[string]any // what came empty
}

// registrationForm says where people go who are new: into this population.
type registrationForm struct {
	Population *reference `json:"population,omitempty"`
}

// verificationForm names the certificates that answers are checked with, by ID.
type verificationForm struct {
	Certificates []reference `json:"certificates"`
}

// keyForm names a key of ours.
type keyForm struct {
	ID string `json:"id"`
}

// signingForm says what our requests are signed with.
type signingForm struct {
	Key       *keyForm `json:"key,omitempty"`
	Algorithm string   `json:"algorithm,omitempty"`
}

// providerBody shows that there is a client secret, and to who may replace it the secret.
type providerBody struct {
	Links       links     `json:"_links"`
	ID          string    `json:"id"`
	Environment reference `json:"environment"`
	providerForm
	HasSecret   bool               `json:"hasSecret"`             // ours
	RedirectURI string             `json:"redirectUri,omitempty"` // ours: to be entered at the provider
	CreatedAt   time.Time          `json:"createdAt"`
	UpdatedAt   time.Time          `json:"updatedAt"`
	Embedded    *providerAttribute `json:"_embedded,omitempty"` // with expand=attributes
}

type providerAttribute struct {
	Attributes []attributeBody `json:"attributes"`
}

// formOfProvider is the inverse of into, but for the secret: what is read can be
// written back, and the secret stays.
func formOfProvider(p store.IdentityProvider) providerForm {
	f := providerForm{
		Name:          p.Name,
		Description:   p.Description,
		Enabled:       p.Enabled,
		Type:          string(p.Type),
		Domains:       p.Config.Domains,
		TellsUsername: p.Config.TellsUsername,
		TrustsMethods: p.Config.TrustsMethods,
		TrustsFactor:  p.Config.TrustsFactor,
		SecretEndsAt:  p.Config.SecretEnds,
		Groups:        &p.Config.Groups,
		blank:         p.Config.Blank,
	}
	if p.PopulationID != "" {
		f.Registration = &registrationForm{refer(p.PopulationID)}
	}
	if p.Config.OIDC != nil {
		f.showOpenID(*p.Config.OIDC)
	}
	if p.Config.SAML != nil {
		f.showSAML(*p.Config.SAML)
	}
	return f
}

// showOpenID puts in what only an OpenID Connect provider has.
func (f *providerForm) showOpenID(o store.OIDCConfig) {
	f.Issuer = o.Issuer
	f.AuthorizationEndpoint = o.AuthorizationEndpoint
	f.TokenEndpoint = o.TokenEndpoint
	f.JWKSEndpoint = o.JWKSEndpoint
	f.UserInfoEndpoint = o.UserInfoEndpoint
	f.DiscoveryEndpoint = o.DiscoveryEndpoint
	f.EndSessionEndpoint = o.EndSessionEndpoint
	f.ClientID = o.ClientID
	f.Scopes = o.Scopes
	f.TokenAuthMethod = o.ClientAuth
	f.PKCEMethod = o.PKCE
	f.NamesIssuer = o.NamesIssuer
	f.AlwaysUserInfo = o.AlwaysAsks
	f.SigningKey = keyOf(o.KeyID)
}

// keyOf returns nil for no key, which is left out.
func keyOf(id string) *keyForm {
	if id == "" {
		return nil
	}
	return &keyForm{id}
}

// id is empty for no key.
func (k *keyForm) id() string {
	if k == nil {
		return ""
	}
	return k.ID
}

// showSAML puts in what only a SAML provider has. The certificates are never null, as
// clients count them.
func (f *providerForm) showSAML(s store.SAMLConfig) {
	f.IDPEntityID = s.EntityID
	f.SPEntityID = s.OwnEntityID
	f.SSOBinding = s.Binding
	f.SSOEndpoint = s.Endpoint
	f.IDPVerification = &verificationForm{Certificates: []reference{}}
	for _, id := range s.CertificateIDs {
		f.IDPVerification.Certificates = append(f.IDPVerification.Certificates, reference{id})
	}
	f.AuthnRequestSigned = &s.SignsRequests
	if s.KeyID != "" || s.Algorithm != "" {
		f.SPSigning = &signingForm{keyOf(s.KeyID), s.Algorithm}
	}
	f.SLOBinding = s.SLOBinding
	f.SLOEndpoint = s.SLOEndpoint
	f.SLOResponse = s.SLOResponse
	f.SLOWindow = s.SLOWindow
	f.NameIDFormat = s.NameIDFormat
	f.SubjectAttribute = s.SubjectFrom
	f.TakesExpired = s.Expired
	f.SkewSeconds = s.SkewSeconds
	f.MetadataURL = s.MetadataURL
}

// into makes a provider what the form says.
// It replaces everything, so what is left out goes. No secret leaves the one that there
// is.
func (f providerForm) into(d *m.ProviderDraft) {
	d.Name, d.Description, d.Enabled, d.Type = f.Name, f.Description, f.Enabled, store.ProviderType(f.Type)
	d.PopulationID = ""
	if f.Registration != nil && f.Registration.Population != nil {
		d.PopulationID = f.Registration.Population.ID
	}
	d.Secret = f.ClientSecret
	d.Config = store.ProviderConfig{
		Domains:       f.Domains,
		TellsUsername: f.TellsUsername,
		TrustsMethods: f.TrustsMethods,
		TrustsFactor:  f.TrustsFactor,
		SecretEnds:    f.SecretEndsAt,
		Blank:         f.blank,
	}
	if f.Groups != nil {
		d.Config.Groups = *f.Groups
	}
	switch d.Type {
	case store.OpenIDConnect:
		d.Config.OIDC = f.openID()
	case store.SAML:
		d.Config.SAML = f.saml()
	}
}

// openID has no word on the address of its own that a provider may have: management
// keeps that.
func (f providerForm) openID() *store.OIDCConfig {
	return &store.OIDCConfig{
		Issuer:                f.Issuer,
		AuthorizationEndpoint: f.AuthorizationEndpoint,
		TokenEndpoint:         f.TokenEndpoint,
		JWKSEndpoint:          f.JWKSEndpoint,
		UserInfoEndpoint:      f.UserInfoEndpoint,
		DiscoveryEndpoint:     f.DiscoveryEndpoint,
		EndSessionEndpoint:    f.EndSessionEndpoint,
		ClientID:              f.ClientID,
		Scopes:                f.Scopes,
		ClientAuth:            f.TokenAuthMethod,
		PKCE:                  f.PKCEMethod,
		KeyID:                 f.SigningKey.id(),
		NamesIssuer:           f.NamesIssuer,
		AlwaysAsks:            f.AlwaysUserInfo,
	}
}

// saml leaves out what reading metadata notes: management keeps that as well.
func (f providerForm) saml() *store.SAMLConfig {
	s := &store.SAMLConfig{
		EntityID:      f.IDPEntityID,
		OwnEntityID:   f.SPEntityID,
		Endpoint:      f.SSOEndpoint,
		Binding:       f.SSOBinding,
		SignsRequests: f.AuthnRequestSigned != nil && *f.AuthnRequestSigned,
		NameIDFormat:  f.NameIDFormat,
		SubjectFrom:   f.SubjectAttribute,
		Expired:       f.TakesExpired,
		SkewSeconds:   f.SkewSeconds,
		MetadataURL:   f.MetadataURL,
		SLOBinding:    f.SLOBinding,
		SLOEndpoint:   f.SLOEndpoint,
		SLOResponse:   f.SLOResponse,
		SLOWindow:     f.SLOWindow,
	}
	if f.SPSigning != nil {
		s.KeyID, s.Algorithm = f.SPSigning.Key.id(), f.SPSigning.Algorithm
	}
	if f.IDPVerification != nil {
		for _, c := range f.IDPVerification.Certificates {
			s.CertificateIDs = append(s.CertificateIDs, c.ID)
		}
	}
	return s
}

// showProvider shows with expand=attributes the mappings too. It is what an If-Match is
// held against, so a change has to name what was read with the same parameters.
func (s *Server) showProvider(c *call, p store.IdentityProvider) providerBody {
	b := providerBody{
		Links:        c.self("identityProviders", p.ID),
		ID:           p.ID,
		Environment:  reference{c.env},
		providerForm: formOfProvider(p),
		HasSecret:    len(p.Sealed) > 0,
		CreatedAt:    p.CreatedAt,
		UpdatedAt:    p.UpdatedAt,
	}
	b.Links["attributes"] = c.at("identityProviders", p.ID, "attributes")
	if p.Type == store.OpenIDConnect {
		b.RedirectURI = s.Management.RedirectURI(p)
	}
	if c.asks("expand", "attributes") {
		b.Embedded = &providerAttribute{[]attributeBody{}}
		for _, mapping := range p.Mappings {
			b.Embedded.Attributes = append(b.Embedded.Attributes, showAttribute(c, p, mapping))
		}
	}
	return b
}

// listProviders answers with a page by name.
func (s *Server) listProviders(c *call) (reply, error) {
	page, err := c.page("id", "name", "description", "type", "enabled?")
	if err != nil {
		return reply{}, err
	}
	all, next, err := s.Store.IdentityProviders(c.Context(), c.env, page)
	if err != nil {
		return reply{}, err
	}
	show := func(p store.IdentityProvider) providerBody { return s.showProvider(c, p) }
	return listed(c, "identityProviders", all, next, show)
}

// getProvider answers with one provider; 404 when the environment has none of that ID. That
// its secret was told is an activity.
func (s *Server) getProvider(c *call) (reply, error) {
	p, err := s.Store.IdentityProvider(c.Context(), c.env, c.PathValue("i"))
	if err != nil {
		return reply{}, err
	}
	b, err := s.tellProvider(c, p)
	if err == nil && b.ClientSecret != "" {
		_, err = s.Management.ReadProviderSecret(c.Context(), c.by(), p.ID)
	}
	return reply{http.StatusOK, b}, err
}

// createProvider makes a provider of a form, or of the metadata of a SAML provider.
func (s *Server) createProvider(c *call) (reply, error) {
	if c.kind() == "application/samlmetadata+xml" {
		return s.createFromMetadata(c)
	}
	form, err := c.readProvider()
	if err != nil {
		return reply{}, err
	}
	var d m.ProviderDraft
	form.into(&d)
	if err := s.Management.CreateProvider(c.Context(), c.by(), &d); err != nil {
		return reply{}, err
	}
	return s.toldProvider(c, http.StatusCreated, d.IdentityProvider)
}

// createFromMetadata keeps the certificates of the metadata, and makes a provider that
// is not enabled yet: nobody has looked at it.
func (s *Server) createFromMetadata(c *call) (reply, error) {
	doc, err := c.raw()
	if err != nil {
		return reply{}, err
	}
	described, err := samlsp.ReadMetadata(doc, c.query("entityId"), s.now())
	if err != nil {
		return reply{}, refused(http.StatusBadRequest, sentence(err.Error()))
	}
	d := m.ProviderDraft{IdentityProvider: store.IdentityProvider{
		Type: store.SAML,
		Config: store.ProviderConfig{SAML: &store.SAMLConfig{
			EntityID: described.EntityID,
			Endpoint: described.Endpoint,
			Binding:  described.Binding,
		}},
	}}
	if err := s.Management.CreateProviderWith(c.Context(), c.by(), &d, described); err != nil {
		return reply{}, err
	}
	return created(s.showProvider(c, d.IdentityProvider))
}

// putProvider replaces a provider. 409 when people are linked whose subjects would be
// others', and links says nothing of them.
func (s *Server) putProvider(c *call) (reply, error) {
	form, err := c.readProvider()
	if err != nil {
		return reply{}, err
	}
	people, err := c.peopleOf()
	if err != nil {
		return reply{}, err
	}
	p, err := s.Management.ChangeProvider(c.Context(), c.by(), c.PathValue("i"), func(d *m.ProviderDraft) error {
		err := s.freshProvider(c, d.IdentityProvider)
		form.into(d)
		d.People = people
		return err
	})
	if err != nil {
		return reply{}, err
	}
	return s.toldProvider(c, http.StatusOK, p)
}

// deleteProvider answers with 204; 409 while people are linked to it or it has groups,
// unless the request says force=true.
func (s *Server) deleteProvider(c *call) (reply, error) {
	fresh := func(p store.IdentityProvider) error { return s.freshProvider(c, p) }
	return gone(s.Management.DeleteProvider(c.Context(), c.by(), c.PathValue("i"), c.forced(), fresh))
}
