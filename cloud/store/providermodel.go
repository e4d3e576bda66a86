package store

import "time"

// ProviderType is the protocol that an identity provider speaks.
type ProviderType string

// The types, in the words of the API.
const (
	OpenIDConnect ProviderType = "OPENID_CONNECT"
	SAML          ProviderType = "SAML"
)

// IdentityProvider is where people sign on who prove themselves to somebody else.
type IdentityProvider struct {
	ID, EnvironmentID, Name, Description string
	Type                                 ProviderType
	Enabled                              bool
	PopulationID                         string // that people join whom nobody knows yet; empty: they are refused
	Config                               ProviderConfig
	Mappings                             []ProviderMapping
	Sealed                               []byte         // client secret; nil: none
	Health                               ProviderHealth // written by SeeProvider alone
	CreatedAt, UpdatedAt                 time.Time
}

// ProviderConfig is what may be seen of how a provider is reached.
type ProviderConfig struct {
	OIDC   *OIDCConfig    `json:"oidc,omitempty"` // of OpenIDConnect, never nil there
	SAML   *SAMLConfig    `json:"saml,omitempty"` // of SAML, never nil there
	Groups ProviderGroups `json:"groups"`
	// Domains are those whose people sign on here: a name that ends in "@" and one of
	// them leads to the provider.
	Domains []string `json:"domains,omitempty"`
	// TellsUsername has the provider told whom the person says to be.
	TellsUsername bool `json:"tellsUsername,omitempty"`
	// TrustsMethods has applications told how the person proved it, as the provider says.
	TrustsMethods bool `json:"trustsMethods,omitempty"`
	// TrustsFactor has a second factor that the provider asked for count here.
	TrustsFactor bool `json:"trustsSecondFactor,omitempty"`
	// SecretEnds is when the client secret does, as an administrator knows; zero: unknown.
	// First says that the environment had neither gateway nor provider when this one was
	// made, so that applications take its groups where there is no gateway.
	First      bool      `json:"first,omitempty"`
	SecretEnds time.Time `json:"secretEnds,omitzero"`
	// Blank has the properties that a client gave as empty, and is told so again.
	Blank map[string]any `json:"blank,omitempty"`
}

// OIDCConfig is an OpenID Connect provider. All addresses are stated: nothing is
// discovered at a sign-on.
type OIDCConfig struct {
	Issuer                string   `json:"issuer"`
	AuthorizationEndpoint string   `json:"authorizationEndpoint"`
	TokenEndpoint         string   `json:"tokenEndpoint"`
	JWKSEndpoint          string   `json:"jwksEndpoint"`
	UserInfoEndpoint      string   `json:"userInfoEndpoint,omitempty"`  // empty: it is not asked
	DiscoveryEndpoint     string   `json:"discoveryEndpoint,omitempty"` // as it was stated; not used at a sign-on
	EndSessionEndpoint    string   `json:"endSessionEndpoint,omitempty"`
	ClientID              string   `json:"clientId"`
	Scopes                []string `json:"scopes"`
	ClientAuth            string   `json:"tokenEndpointAuthMethod"`
	PKCE                  string   `json:"pkceMethod"`               // "S256" or "NONE"
	KeyID                 string   `json:"keyId,omitempty"`          // certificate whose key signs PRIVATE_KEY_JWT
	NamesIssuer           bool     `json:"namesIssuer,omitempty"`    // every answer carries iss (RFC 9207)
	OwnCallback           bool     `json:"ownCallback,omitempty"`    // its answers come to an address of its own
	AlwaysAsks            bool     `json:"alwaysUserInfo,omitempty"` // UserInfo also when the ID token has all
}

// SAMLConfig is a SAML 2.0 provider.
type SAMLConfig struct {
	EntityID       string   `json:"idpEntityId"`
	OwnEntityID    string   `json:"spEntityId"`
	Endpoint       string   `json:"ssoEndpoint"`
	Binding        string   `json:"ssoBinding"`                 // "HTTP_REDIRECT" or "HTTP_POST"
	CertificateIDs []string `json:"certificates"`               // that its signatures are checked with
	SignsRequests  bool     `json:"authnRequestSigned"`         // ours
	KeyID          string   `json:"keyId,omitempty"`            // certificate whose key signs and decrypts
	NameIDFormat   string   `json:"nameIdFormat,omitempty"`     // asked for; empty: persistent
	SubjectFrom    string   `json:"subjectAttribute,omitempty"` // attribute that identifies people; empty: the NameID
	Expired        bool     `json:"acceptsExpiredCertificates,omitempty"`
	SkewSeconds    int      `json:"skewSeconds,omitempty"` // 0: 60
	MetadataURL    string   `json:"metadataUrl,omitempty"` // read daily; empty: never
	MetadataETag   string   `json:"metadataEtag,omitempty"`
	FromMetadata   []string `json:"fromMetadata,omitempty"` // those of CertificateIDs that follow the metadata

	// Taken and told back; not used yet.
	SLOBinding  string `json:"sloBinding,omitempty"`
	SLOEndpoint string `json:"sloEndpoint,omitempty"`
	SLOResponse string `json:"sloResponseEndpoint,omitempty"`
	SLOWindow   int    `json:"sloWindow,omitempty"`
	Algorithm   string `json:"algorithm,omitempty"` // of our signatures; empty: SHA256withRSA
}

// ProviderGroups says how the groups that a provider lists are read.
type ProviderGroups struct {
	Delimiter    string   `json:"delimiter,omitempty"`    // splits one text; empty: never split
	AbsentIsNone bool     `json:"absentIsNone,omitempty"` // no claim says that there are no groups
	TakesObjects bool     `json:"takesObjects,omitempty"` // an object counts by its "name"
	Include      []string `json:"include,omitempty"`      // RE2, of whole names; empty: all
	Exclude      []string `json:"exclude,omitempty"`
}

// UpdateRule says when a property follows the provider.
type UpdateRule string

// The update rules.
const (
	EmptyOnly UpdateRule = "EMPTY_ONLY" // once: while there is none
	Always    UpdateRule = "ALWAYS"     // at each sign-on that has a value
)

// ProviderMapping fills one property of a user from a template such as
// "${providerAttributes.email}".
type ProviderMapping struct {
	ID     string     `json:"id"`
	Name   string     `json:"name"`
	Value  string     `json:"value"`
	Update UpdateRule `json:"update"`
	Core   bool       `json:"core,omitempty"` // that of the username, which stays
}

// ProviderHealth is what was seen of a provider lately.
type ProviderHealth struct {
	MetadataReadAt time.Time         `json:"metadataReadAt,omitzero"`
	MetadataUntil  time.Time         `json:"metadataUntil,omitzero"`  // when what was read ends; zero: never
	Problem        string            `json:"problem,omitempty"`       // with its metadata or keys
	ProblemSince   time.Time         `json:"problemSince,omitzero"`   // zero: none
	Names          []string          `json:"names,omitempty"`         // of what came with the last sign-on
	Absent         int               `json:"absent,omitempty"`        // sign-ons in a row without the claim of the groups
	InfoFailed     int               `json:"infoFailed,omitempty"`    // sign-ons in a row at which UserInfo did not answer
	CutAt          time.Time         `json:"cutAt,omitzero"`          // when groups were left out for their number, last
	Refusals       []ProviderRefusal `json:"refusals,omitempty"`      // the last three, those in a row not each
	SkewSeconds    int               `json:"skewSeconds,omitempty"`   // of its clock, at the last sign-on
	CertificateID  string            `json:"certificateId,omitempty"` // that the last answer was proven by
}

// ProviderRefusal is an answer that was not taken.
type ProviderRefusal struct {
	At   time.Time `json:"at"`
	ID   string    `json:"id,omitempty"` // that the person was told
	Kind string    `json:"kind"`
}

// From these on a provider's health is told.
const (
	MuchSkew   = 30 * time.Second
	ManyAbsent = 10 // sign-ons in a row
)

// Certificate is one of somebody else's, or with Sealed, of our own.
type Certificate struct {
	ID, EnvironmentID, Name string
	Usage                   string // "SIGNING" or "ENCRYPTION"
	DER                     []byte
	Sealed                  []byte // private key in PKCS #8; nil: it is somebody else's
	Default                 bool   // of keys of ours: it signs for applications that name none
	CreatedAt               time.Time
}

// LinkedAccount says which user somebody is whom a provider knows.
type LinkedAccount struct {
	ID, EnvironmentID, ProviderID, UserID string
	Subject                               Subject
	CreatedAt                             time.Time
}

// Subject is whom a provider speaks of. It is compared as it is.
type Subject struct {
	ID         string // sub, NameID, or the attribute that the provider's configuration names
	Qualifiers string // NameQualifier and SPNameQualifier of a SAML NameID; empty: none
}
