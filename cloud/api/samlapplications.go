package api

import (
	"bytes"
	"encoding/json"
	"net/http"
	"slices"
	"time"

	"ldap-gateway/cloud/idp/samlsp"
	"ldap-gateway/cloud/store"
)

// samlApplicationForm is what a client may write of an application of SAML 2.0. Durations are
// in seconds.
type samlApplicationForm struct {
	Name        string  `json:"name"`
	Description *string `json:"description,omitempty"`
	Enabled     *bool   `json:"enabled"`
	Type        string  `json:"type"`
	Protocol    string  `json:"protocol"`
	HomePage    *string `json:"homePageUrl,omitempty"`

	SPEntityID        string   `json:"spEntityId"`
	ACSURLs           []string `json:"acsUrls"`
	ACSIndexes        []int    `json:"acsIndexes,omitempty"` // ours: by which requests name them; else from 0 on
	AssertionDuration int      `json:"assertionDuration"`
	SessionDuration   *int     `json:"sessionNotOnOrAfterDuration,omitempty"`
	AssertionSigned   bool     `json:"assertionSigned"`
	ResponseSigned    bool     `json:"responseSigned"`
	NameIDFormat      *string  `json:"nameIdFormat,omitempty"`
	DefaultTarget     *string  `json:"defaultTargetUrl,omitempty"`
	Contexts          *bool    `json:"enableRequestedAuthnContext,omitempty"`

	IDPSigning     *signingForm        `json:"idpSigning,omitempty"`
	SPVerification *spVerificationForm `json:"spVerification,omitempty"`
	SPEncryption   *spEncryptionForm   `json:"spEncryption,omitempty"`
	SLOBinding     string              `json:"sloBinding"`
	SLOEndpoint    *string             `json:"sloEndpoint,omitempty"`
	SLOResponse    *string             `json:"sloResponseEndpoint,omitempty"`
	AccessControl  *accessControlForm  `json:"accessControl,omitempty"`
	IDPInitiated   bool                `json:"idpInitiated"`  // ours: people may begin here
	EmailVerified  bool                `json:"emailVerified"` // ours: what providers say of people may identify them
	AskForTicket   bool                `json:"askForTicket"`  // ours
	GroupsClaim    samlGroupsForm      `json:"groupsClaim"`   // ours
	MaxGroups      int                 `json:"maxGroups"`     // ours: more sign nobody on
	samlSettledForm
}

// spVerificationForm is what requests are held to.
type spVerificationForm struct {
	AuthnRequestSigned bool        `json:"authnRequestSigned"`
	Certificates       []reference `json:"certificates,omitempty"`
}

// spEncryptionForm is what assertions are encrypted by.
type spEncryptionForm struct {
	Algorithm   string     `json:"algorithm"`
	Certificate *reference `json:"certificate"`
}

// accessControlForm says who may use an application.
type accessControlForm struct {
	Role  *accessRoleForm  `json:"role,omitempty"`
	Group *accessGroupForm `json:"group,omitempty"`
}

type accessRoleForm struct {
	Type string `json:"type"`
}

type accessGroupForm struct {
	Type   string      `json:"type"`
	Groups []reference `json:"groups"`
}

// samlGroupsForm is groupsClaimForm without what is of ID tokens.
type samlGroupsForm struct {
	Value   string   `json:"value"`
	Allow   []string `json:"allow,omitempty"`
	Sources []string `json:"sources,omitempty"`
}

// contextsName is the property that has an application say what a sign-on must have been like.
const contextsName = "enableRequestedAuthnContext"

// contextsOf is whether it does; nil: nobody has said, and it does not.
func contextsOf(a store.Application) *bool {
	if a.SAML.Contexts || slices.Contains(a.Kept.Usual, contextsName) {
		return &a.SAML.Contexts
	}
	return nil
}

// samlSettledForm has what can have one value here: see settledForm.
type samlSettledForm struct {
	Hidden  *bool             `json:"hiddenFromAppPortal,omitempty"`
	AnyACS  *bool             `json:"enableAlwaysAcceptAcsUrlInSignedAuthnRequest,omitempty"`
	CORS    *corsSettingsForm `json:"corsSettings,omitempty"`
	Virtual *virtualIDsForm   `json:"virtualServerIdSettings,omitempty"`
}

type corsSettingsForm struct {
	Behavior string `json:"behavior"`
}

type virtualIDsForm struct {
	Enabled bool `json:"enabled"`
}

// The one value of CORS: no script talks to an identity provider of SAML.
const noOrigins = "ALLOW_NO_ORIGINS"

// Kinds of access by groups.
const (
	anyGroup  = "ANY_GROUP"
	allGroups = "ALL_GROUPS"
)

// sent are the names of the settled values that were sent, and what is wrong with them.
func (f samlSettledForm) sent() (names []string, wrongs []detail) {
	for _, p := range []struct {
		name        string
		sent, usual bool
		may         string
	}{
		{"hiddenFromAppPortal", f.Hidden != nil, f.Hidden != nil && !*f.Hidden, "false"},
		{"enableAlwaysAcceptAcsUrlInSignedAuthnRequest", f.AnyACS != nil, f.AnyACS != nil && !*f.AnyACS,
			"false: answers go to addresses in acsUrls alone"},
		{"corsSettings.behavior", f.CORS != nil, f.CORS != nil && f.CORS.Behavior == noOrigins, noOrigins},
		{"virtualServerIdSettings.enabled", f.Virtual != nil, f.Virtual != nil && !f.Virtual.Enabled, "false"},
	} {
		switch {
		case !p.sent:
		case p.usual:
			names = append(names, p.name)
		default:
			wrongs = append(wrongs, wrong(p.name, "It must be %s, or left out.", p.may))
		}
	}
	return names, wrongs
}

// samlSettledOf are those that a client has sent.
func samlSettledOf(sent []string) (f samlSettledForm) {
	if slices.Contains(sent, "hiddenFromAppPortal") {
		f.Hidden = new(false)
	}
	if slices.Contains(sent, "enableAlwaysAcceptAcsUrlInSignedAuthnRequest") {
		f.AnyACS = new(false)
	}
	if slices.Contains(sent, "corsSettings.behavior") {
		f.CORS = &corsSettingsForm{noOrigins}
	}
	if slices.Contains(sent, "virtualServerIdSettings.enabled") {
		f.Virtual = &virtualIDsForm{}
	}
	return f
}

// samlApplicationBody has besides what is the same for all, and what is to be entered at the
// application.
type samlApplicationBody struct {
	Links       links     `json:"_links"`
	ID          string    `json:"id"`
	Environment reference `json:"environment"`
	samlApplicationForm
	IDPEntityID string    `json:"idpEntityId"` // ours, as the next
	MetadataURL string    `json:"metadataUrl"`
	CreatedAt   time.Time `json:"createdAt"`
	UpdatedAt   time.Time `json:"updatedAt"`
}

// formOfSAML is the inverse of into.
func formOfSAML(a store.Application) samlApplicationForm {
	p := a.SAML
	f := samlApplicationForm{
		Name:              a.Name,
		Description:       told(a.Description, a.Kept.Blank, "description"),
		Enabled:           &a.Enabled,
		Type:              a.Type,
		Protocol:          string(store.SAML),
		HomePage:          a.Kept.HomePage,
		SPEntityID:        p.EntityID,
		ACSURLs:           p.ACS,
		ACSIndexes:        p.ACSIndexes,
		AssertionDuration: p.AssertionSeconds,
		AssertionSigned:   p.AssertionSigned,
		ResponseSigned:    p.ResponseSigned,
		NameIDFormat:      told(p.NameIDFormat, a.Kept.Blank, "nameIdFormat"),
		DefaultTarget:     told(p.DefaultTarget, a.Kept.Blank, "defaultTargetUrl"),
		Contexts:          contextsOf(a),
		SLOBinding:        p.SLOBinding,
		SLOEndpoint:       told(p.SLOEndpoint, a.Kept.Blank, "sloEndpoint"),
		SLOResponse:       told(p.SLOResponse, a.Kept.Blank, "sloResponseEndpoint"),
		IDPInitiated:      p.Unsolicited,
		EmailVerified:     a.OpenID.EmailVerified,
		AskForTicket:      a.AskForTicket,
		GroupsClaim:       samlGroupsForm{a.Groups.Value, a.Groups.Allow, a.Groups.Sources},
		MaxGroups:         p.Groups(),
		samlSettledForm:   samlSettledOf(a.Kept.Usual),
		AccessControl:     accessControlOf(p.AccessRule),
	}
	if p.SessionSeconds > 0 {
		f.SessionDuration = &p.SessionSeconds
	}
	f.keysOf(p)
	return f
}

// keysOf shows which certificates and keys there are.
func (f *samlApplicationForm) keysOf(p store.ServiceProvider) {
	if p.KeyID != "" || p.Algorithm != "" {
		f.IDPSigning = &signingForm{Algorithm: p.Algorithm}
		if p.KeyID != "" {
			f.IDPSigning.Key = &keyForm{p.KeyID}
		}
	}
	if p.RequestsSigned || len(p.CertificateIDs) > 0 {
		f.SPVerification = &spVerificationForm{p.RequestsSigned, referencesTo(p.CertificateIDs)}
	}
	if p.Cipher != "" {
		f.SPEncryption = &spEncryptionForm{p.Cipher, &reference{p.EncryptedWith}}
	}
}

func referencesTo(ids []string) (all []reference) {
	for _, id := range ids {
		all = append(all, reference{id})
	}
	return all
}

func idsOf(all []reference) (ids []string) {
	for _, r := range all {
		ids = append(ids, r.ID)
	}
	return ids
}

func accessControlOf(p store.AccessRule) *accessControlForm {
	if len(p.Access) == 0 {
		return nil
	}
	kind := anyGroup
	if p.AccessAll {
		kind = allGroups
	}
	return &accessControlForm{Group: &accessGroupForm{kind, referencesTo(p.Access)}}
}

// showSAML shows an application with where its metadata is.
func (s *Server) showSAML(c *call, a store.Application) samlApplicationBody {
	own := s.URL + "/" + a.EnvironmentID
	return samlApplicationBody{
		Links:               c.self("applications", a.ID).ofApplication(c, a),
		ID:                  a.ID,
		Environment:         reference{c.env},
		samlApplicationForm: formOfSAML(a),
		IDPEntityID:         own,
		MetadataURL:         own + "/saml20/metadata/" + a.ID,
		CreatedAt:           a.CreatedAt,
		UpdatedAt:           a.UpdatedAt,
	}
}

// isSAML tells whether a body is of an application of SAML: its protocol decides what it may
// have.
func isSAML(b []byte) bool {
	var form struct {
		Protocol string `json:"protocol"`
	}
	return json.Unmarshal(b, &form) == nil && form.Protocol == string(store.SAML)
}

// readSAML reads a body, and refuses what only the API has words for.
func readSAML(b []byte) (form samlApplicationForm, err error) {
	form = samlApplicationForm{
		AssertionSigned: true, SLOBinding: samlsp.Post, GroupsClaim: samlGroupsForm{Value: store.GroupNames},
	}
	if err := decode(b, &form); err != nil {
		return form, err
	}
	_, wrongs := form.sent()
	if form.SessionDuration != nil && *form.SessionDuration == 0 {
		wrongs = append(wrongs, wrong("sessionNotOnOrAfterDuration", "Leave it out where sessions have no end of ours."))
	}
	if bytes.Contains(b, []byte(`"maxGroups"`)) && form.MaxGroups == 0 {
		wrongs = append(wrongs, wrong("maxGroups", "It must be a number from 1 to %d.", store.MostGroups))
	}
	if e := form.SPEncryption; e != nil && e.Certificate == nil {
		wrongs = append(wrongs, missing("spEncryption.certificate.id"))
	}
	return form, invalid(append(wrongs, form.AccessControl.check()...)...)
}

// rule is the inverse of accessControlOf.
func (f *accessControlForm) rule() store.AccessRule {
	if f == nil || f.Group == nil {
		return store.AccessRule{}
	}
	return store.AccessRule{Access: idsOf(f.Group.Groups), AccessAll: f.Group.Type == allGroups}
}

func (f *accessControlForm) check() (wrongs []detail) {
	if f == nil {
		return nil
	}
	if f.Role != nil {
		wrongs = append(wrongs, wrong("accessControl.role", "No role of people decides here who uses what. Leave it out."))
	}
	if g := f.Group; g != nil && (g.Type != anyGroup && g.Type != allGroups || len(g.Groups) == 0) {
		wrongs = append(wrongs, wrong("accessControl.group.type", "It must be %s or %s, with groups.", anyGroup, allGroups))
	}
	return wrongs
}

// into makes an application what the form says.
func (f samlApplicationForm) into(a *store.Application) {
	a.Protocol = store.SAML
	a.Name, a.Description, a.Type = f.Name, textOf(f.Description), f.Type
	a.Kept.Blank = blanks(map[string]*string{
		"description": f.Description, "nameIdFormat": f.NameIDFormat, "defaultTargetUrl": f.DefaultTarget,
		"sloEndpoint": f.SLOEndpoint, "sloResponseEndpoint": f.SLOResponse,
	})
	a.Kept.Usual, _ = f.sent()
	if f.Contexts != nil {
		a.Kept.Usual = append(a.Kept.Usual, contextsName)
	}
	a.Kept.HomePage = f.HomePage
	if f.Enabled != nil {
		a.Enabled = *f.Enabled
	}
	a.OpenID.EmailVerified, a.AskForTicket = f.EmailVerified, f.AskForTicket
	a.Groups = store.GroupsClaim{Value: f.GroupsClaim.Value, Allow: f.GroupsClaim.Allow, Sources: f.GroupsClaim.Sources}
	subject, format := a.SAML.Subject, a.SAML.SubjectFormat // are written with the mappings
	a.SAML = store.ServiceProvider{
		EntityID: f.SPEntityID, ACS: f.ACSURLs, ACSIndexes: f.ACSIndexes,
		AssertionSeconds: f.AssertionDuration, AssertionSigned: f.AssertionSigned, ResponseSigned: f.ResponseSigned,
		NameIDFormat: textOf(f.NameIDFormat), Subject: subject, SubjectFormat: format,
		Contexts: f.Contexts != nil && *f.Contexts, DefaultTarget: textOf(f.DefaultTarget), Unsolicited: f.IDPInitiated,
		SLOBinding: f.SLOBinding, SLOEndpoint: textOf(f.SLOEndpoint), SLOResponse: textOf(f.SLOResponse),
		MostGroups: f.MaxGroups,
	}
	if f.SessionDuration != nil {
		a.SAML.SessionSeconds = *f.SessionDuration
	}
	f.keysInto(&a.SAML)
}

// keysInto is the inverse of keysOf, with who may use the application.
func (f samlApplicationForm) keysInto(p *store.ServiceProvider) {
	if s := f.IDPSigning; s != nil {
		p.Algorithm = s.Algorithm
		if s.Key != nil {
			p.KeyID = s.Key.ID
		}
	}
	if v := f.SPVerification; v != nil {
		p.RequestsSigned, p.CertificateIDs = v.AuthnRequestSigned, idsOf(v.Certificates)
	}
	if e := f.SPEncryption; e != nil {
		p.Cipher, p.EncryptedWith = e.Algorithm, e.Certificate.id()
	}
	p.AccessRule = f.AccessControl.rule()
}

// createApplicationOf makes an application of its metadata, which is not enabled yet: nobody
// has looked at it.
func (s *Server) createApplicationOf(c *call) (reply, error) {
	doc, err := c.raw()
	if err != nil {
		return reply{}, err
	}
	described, err := samlsp.ReadServiceProvider(doc, c.query("entityId"), s.now())
	if err != nil {
		return reply{}, refused(http.StatusBadRequest, sentence(err.Error()))
	}
	a := store.Application{
		Name: c.query("name"), Type: store.WebApplication, Groups: store.GroupsClaim{Value: store.GroupNames},
		SAML: store.ServiceProvider{AssertionSeconds: 60, AssertionSigned: true, SLOBinding: samlsp.Post},
	}
	if a.Name == "" {
		a.Name = described.EntityID
	}
	if err := s.Management.CreateApplicationOf(c.Context(), c.by(), &a, described); err != nil {
		return reply{}, err
	}
	return created(s.showOf(c, a))
}
