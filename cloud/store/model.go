package store

import (
	"errors"
	"time"
)

// Errors that callers decide on. Every method that names one thing returns
// ErrNotFound when there is none.
var (
	ErrNotFound   = errors.New("not found")
	ErrConflict   = errors.New("exists already")         // a name or value that must be unique is taken
	ErrUsed       = errors.New("used already")           // a pairing code or an assertion nonce
	ErrExpired    = errors.New("expired")                // a pairing code
	ErrDependents = errors.New("others depend on it")    // users on a gateway, user type or population
	ErrStale      = errors.New("changed meanwhile")      // what is to be written was read before another change
	ErrReadOnly   = errors.New("comes from a directory") // a change that a just-in-time group does not allow
)

// Environment is one tenant.
// Everything else belongs to one, and nothing is looked up without it.
type Environment struct {
	ID, Name             string
	ShortName            string // in addresses for people, unique in the whole cloud; empty: none
	ParentID             string // of the environment whose owners are its owners, too; empty: none
	Settings             Settings
	Kept                 EnvironmentKept
	HasLogo              bool // filled on reading
	CreatedAt, UpdatedAt time.Time
}

// Settings are an environment's choices.
type Settings struct {
	// SecondFactor has an administrator who has none set one up before anything else.
	SecondFactor bool `json:"secondFactor,omitempty"`
	// SignOnOrder is the order in which user types are asked for a person whom
	// the cloud does not know. Those that are not in it come after.
	SignOnOrder []UserTypeRef `json:"signOnOrder,omitempty"`
	// For how many days sign-ons and activities are kept: 0 for the usual time, Forever
	// for ever.
	SignOnDays   int `json:"signOnDays,omitempty"`
	ActivityDays int `json:"activityDays,omitempty"`
	// Brand is how people's pages look.
	Brand Brand `json:"brand,omitzero"`
}

// Brand is how an environment's pages for people look, besides its name and picture.
type Brand struct {
	// The colours of buttons and links, as in #17598a, where pages are light and where they are
	// dark; empty: the usual ones.
	Colour     string `json:"colour,omitempty"`
	DarkColour string `json:"darkColour,omitempty"`
	// Addresses that every page leads to; empty: it does not.
	Help    string `json:"help,omitempty"`
	Privacy string `json:"privacy,omitempty"`
	Imprint string `json:"imprint,omitempty"`
	// Text is what an administrator has to say on the page that people sign on by; empty: nothing.
	Text string `json:"text,omitempty"`
}

// How long sign-ons and activities are kept unless an environment says otherwise, and
// what it says when they are never to be deleted, as for a legal hold.
const (
	UsualSignOnDays   = 180
	UsualActivityDays = 365
	Forever           = -1
)

// UserTypeRef names a user type of a gateway.
type UserTypeRef struct {
	Gateway  string `json:"gateway"`
	UserType string `json:"userType"`
}

// Population is a named set of users.
// One of an environment is the default, which new users join when nothing names
// another; a user is in exactly one.
type Population struct {
	ID, EnvironmentID, Name, Description string
	Default                              bool
	Kept                                 PopulationKept
	UserCount                            int // filled on reading
	CreatedAt, UpdatedAt                 time.Time
}

// Gateway is one joined directory. Declared is what compatible clients say of
// the directory; it is shown and never used to connect.
type Gateway struct {
	ID, EnvironmentID, Name, Description, Vendor string
	Enabled                                      bool
	Declared                                     Declared
	UserTypes                                    []UserType // in their order
	Kerberos                                     *Kerberos  // nil: no tickets are taken
	Revision                                     uint64     // grows with every change of a user type
	CreatedAt, UpdatedAt                         time.Time
}

// Declared is what an administrator declared about a directory in the cloud.
// There is no field for a bind password.
type Declared struct {
	ServersHostAndPort      []string `json:"serversHostAndPort,omitzero"`
	BindDN                  string   `json:"bindDN,omitempty"`
	ConnectionSecurity      string   `json:"connectionSecurity,omitempty"`
	ValidateTLSCertificates bool     `json:"validateTlsCertificates,omitempty"`
	FollowReferrals         bool     `json:"followReferrals,omitempty"`
	Blank                   []string `json:"blank,omitempty"` // see [PopulationKept]
}

// UserType is a category of directory users on a gateway.
// It is kept as JSON within its gateway, under the names that the API has, so that a
// field is never renamed without a migration.
type UserType struct {
	ID                string    `json:"id"`
	Name              string    `json:"name"`
	SearchBaseDN      string    `json:"searchBaseDn"`
	Correlation       []string  `json:"orderedCorrelationAttributes"`
	PasswordAuthority string    `json:"passwordAuthority"` // "LDAP"
	AllowPasswords    bool      `json:"allowPasswordChanges"`
	UpdateOnSignOn    bool      `json:"updateUserOnSuccessfulAuthentication"`
	FilterPattern     string    `json:"ldapFilterPattern"` // with ${identifier}
	PopulationID      string    `json:"populationId"`
	Mappings          []Mapping `json:"attributeMappings"`
	Groups            GroupRule `json:"groups"`
	// LinksOnly says that nobody is looked for whom the cloud does not know: it is for
	// users who are linked to it. It has neither filter nor mappings then.
	LinksOnly bool `json:"linksOnly,omitempty"`
	// Usernames are patterns of the usernames that the user type is for; see Claims.
	Usernames []string `json:"usernamePatterns,omitempty"`
}

// Mapping fills one property of a user from a template such as "${ldapAttributes.mail}".
type Mapping struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// GroupRule says how a user type's groups become cloud groups. Groups are
// provisioned only when a mapping named memberOfExternalGroups is there.
type GroupRule struct {
	SearchBaseDN  string   `json:"searchBaseDn,omitempty"`
	NameAttribute string   `json:"nameAttribute,omitempty"` // of the display name; empty: cn
	Identity      string   `json:"identity,omitempty"`      // "NAME" (also when empty) or "ID"
	Include       []string `json:"include,omitempty"`
	Exclude       []string `json:"exclude,omitempty"`
}

// Pairing is a pending one-time code. The code itself is not kept.
type Pairing struct {
	ID, EnvironmentID, GatewayID string
	CodeHash                     []byte
	CreatedBy                    string // who made it, in words
	CreatedAt, ExpiresAt         time.Time
}

// PairingRequest is an agent that shows a code and waits for an administrator to
// approve it. It belongs to no environment until then.
// Its ticket is the agent's to ask by, its code the administrator's to recognise; both
// are kept as hashes, and neither leads to the other.
type PairingRequest struct {
	ID                          string
	TicketHash, CodeHash        []byte
	PublicKey, SealKey          []byte
	Fingerprint                 string
	Hostname, Software, Address string
	CreatedAt, ExpiresAt        time.Time
	Denied                      bool
	InstanceID                  string // once approved
}

// Instance is one paired agent.
// It stays when it is revoked: its key must be refused for ever, and who paired and
// revoked it can be read. Its times are the cloud's, and never the machine's.
type Instance struct {
	ID, EnvironmentID, GatewayID string
	PublicKey, SealKey           []byte
	Fingerprint                  string
	Hostname, Software, System   string
	PairedAt                     time.Time
	PairedBy                     string    // who made the code
	PairedFrom                   string    // address that used it
	RevokedAt                    time.Time // zero: not revoked
	RevokedBy                    string
	PolicyHash                   string
	PolicyChangedAt              time.Time // zero: never since it was first told
	InitializedAt                time.Time // of the first link that was admitted; zero: never
	LastReportedAt               time.Time
	QuarantinedAt                time.Time // zero: not in quarantine
	Quarantine                   string    // why it is
	BadAnswer                    string    // what it said last that none of ours says; empty: nothing
	BadAnswerAt                  time.Time // zero: never
	Nonced                       bool      // it has proven itself with a nonce of the cloud: it can, and has to
}

// User is a person's record.
// A user who is linked to no gateway has no password anywhere: the cloud keeps none.
type User struct {
	ID, EnvironmentID, PopulationID string
	Username                        string // unique in its environment, without regard to case
	GivenName, FamilyName           string
	Email, ExternalID               string
	Attributes                      map[string]string // mapped properties beyond those above
	Enabled                         bool
	Locked                          bool // the account: nobody signs on with it
	Kept                            UserKept
	GatewayID, UserTypeID           string        // whose directory checks the password
	DN                              string        // of the entry at the last provisioning
	Correlation                     []Correlation // in the user type's order
	CreatedAt, UpdatedAt            time.Time
	LastSignOnAt                    time.Time    // filled on reading, from the sign-ons
	ProviderID                      string       // filled on reading: of the first identity provider that knows them
	ProviderType                    ProviderType // filled on reading: of that provider
	SignOffs                        int          // filled on reading: how often they were signed off everywhere
}

// MaySignOn tells whether the account can be used.
func (u User) MaySignOn() bool { return u.Enabled && !u.Locked }

// Correlation is one identifying value of a directory entry.
type Correlation struct{ Attribute, Value string }

// Source is what sort of place a just-in-time group comes from; empty: it is an
// ordinary group, and comes from nowhere. It is kept, and shown by the API, as it is.
type Source string

// The sources of just-in-time groups.
const (
	SourceGateway Source = "GATEWAY"
	SourceIDP     Source = "IDP"
)

// Group is a cloud group. SourceType is empty for an ordinary one. Name is the
// DN of a group that came through a gateway.
type Group struct {
	ID, EnvironmentID, PopulationID string
	Name, DisplayName, Description  string
	ExternalID                      string
	SourceType                      Source
	SourceID                        string // the gateway, or the identity provider
	DirectoryID                     string // the directory's immutable ID of it; may be empty
	Kept                            GroupKept
	MemberCount                     int // filled on reading
	// LastSeenAt is filled by Store.Group: the newest sign-on of a member that brought
	// all of the member's groups.
	LastSeenAt           time.Time
	CreatedAt, UpdatedAt time.Time
}

// JustInTime tells whether a directory or an identity provider owns the group.
func (g Group) JustInTime() bool { return g.SourceType != "" }

// FromGateway tells whether a directory behind a gateway owns the group.
func (g Group) FromGateway() bool { return g.SourceType == SourceGateway }

// Membership is one user in one group.
type Membership struct {
	UserID, GroupID string
	Since           time.Time
}

// Method is how somebody proved who they are.
type Method string

// The methods of sign-ons.
const (
	ByPassword Method = "password"
	ByKerberos Method = "kerberos"
	ByIDP      Method = "idp"
)

// SignedOnOK is the outcome of a sign-on that succeeded; the others say why it did not.
const SignedOnOK = "ok"

// SignOn is the record of one sign-on.
// It names groups by ID, since they may be called otherwise later; and people by what
// they typed as well, since most who fail are nobody's record.
type SignOn struct {
	ID, EnvironmentID             string
	At                            time.Time
	Method                        Method
	Username                      string // as typed
	UserID, GatewayID, UserTypeID string // empty when not known
	InstanceID                    string
	ProviderID                    string   // of the identity provider; empty: none
	Outcome                       string   // of the closed set
	Reason                        string   // for the administrator
	Message                       string   // the sentence the person saw
	Updated                       bool     // the record was brought up to date
	UpdateReason                  string   // why it was not, or what changed
	Verdict, VerdictReason        string   // of the membership; empty: groups were not asked for
	Added, Removed                []string // group IDs
	Duration                      time.Duration
	Address                       string // of the person
	Line                          string // what activities say of it; empty: they have a row of it
}

// Activity is one line of what happened, by whom, to what.
// It is never changed, and stays when what it is of is gone. Nothing secret is in it.
type Activity struct {
	ID, EnvironmentID string
	At                time.Time
	Action            string         // "sign-on", "user.created", "membership.added", …
	Actor             string         // "user:ID", "admin:NAME", "client:ID", "instance:ID", "system"
	Subject           string         // "user:ID", "group:ID", "gateway:ID", "instance:ID", …
	SignOnID          string         // when it happened as part of one
	Text              string         // one sentence for people
	Detail            map[string]any // before and after, verdicts, reasons
}

// Administrator signs in to the console.
type Administrator struct {
	ID, EnvironmentID, Name string
	Role                    Role
	PasswordHash            string    // argon2id; empty until set up
	SetupHash               []byte    // of the one-time set-up secret; nil once used
	SetupUntil              time.Time // when that secret ends; zero: it does not
	TOTP                    []byte    // sealed secret of one-time passwords (RFC 6238); nil: none
	CreatedAt               time.Time
}

// Passkey is a WebAuthn credential of an administrator.
type Passkey struct {
	ID              string // of the credential, in base64url
	EnvironmentID   string
	AdministratorID string // empty: it is a user's
	UserID          string // empty: it is an administrator's
	Name            string // that its owner gave it
	Credential      []byte // what the WebAuthn library keeps of it, in JSON
	CreatedAt       time.Time
	UsedAt          time.Time // zero: never
}

// Client is an API client.
type Client struct {
	ID, EnvironmentID, Name string
	Role                    Role
	SecretHash              []byte
	Former                  FormerSecret
	CreatedAt               time.Time
}

// Property returns a value of a user by the name that the API gives to it; empty when
// there is none.
func (u User) Property(name string) string {
	switch name {
	case "id":
		return u.ID
	case "username":
		return u.Username
	case "name.given":
		return u.GivenName
	case "name.family":
		return u.FamilyName
	case "email":
		return u.Email
	case "externalId":
		return u.ExternalID
	case "population.id":
		return u.PopulationID
	}
	return u.Attributes[name]
}
