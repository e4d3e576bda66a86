// Package fault owns what can be wrong with something that is to be kept: which
// value, in which way, and one sentence about it for people.
//
// The rooms that check make faults; the API and the console show each beside the
// property or the field of theirs. A fault names a value by a Field of a closed
// set, so that each face holds a whole table of them, and never by a path in text.
package fault

import "strings"

// Field names a value that an administrator gives.
type Field string

// The values of what an environment has.
const (
	Whole       Field = "" // the thing as a whole, and no value of it
	Name        Field = "name"
	Role        Field = "role"
	Username    Field = "username"
	Email       Field = "e-mail address"
	Population  Field = "population"
	Group       Field = "group"
	Gateway     Field = "gateway"
	UserType    Field = "user type"
	Entry       Field = "entry of a directory"
	DisplayName Field = "display name"
	UserFilter  Field = "user filter"
	Source      Field = "source"
	Vendor      Field = "vendor"
	Security    Field = "connection security"
	Servers     Field = "servers"
	UserTypes   Field = "user types"
	UserTypeID  Field = "ID of a user type"
	PairingCode Field = "pairing code"
	Channel     Field = "alert channel"

	ShortName    Field = "short name"
	Colour       Field = "colour"
	DarkColour   Field = "colour on dark pages"
	HelpLink     Field = "address of help"
	PrivacyLink  Field = "address of the privacy notice"
	ImprintLink  Field = "address of the imprint"
	BrandText    Field = "text on the sign-on page"
	SignOnDays   Field = "days that sign-ons are kept"
	ActivityDays Field = "days that activities are kept"
)

// The values of a user type.
const (
	TypeName      Field = "name of a user type"
	TypeUsernames Field = "usernames of a user type"
	Authority     Field = "password authority"
	SearchBase    Field = "search base"
	Correlation   Field = "correlation attributes"
	Filter        Field = "lookup filter"
	Mappings      Field = "mappings"
	MappingName   Field = "property of a mapping"
	MappingValue  Field = "attribute of a mapping"
	TypeTarget    Field = "population of a user type"
	GroupBase     Field = "search base of groups"
	GroupName     Field = "name attribute of groups"
	GroupIdentity Field = "identity of groups"
	GroupInclude  Field = "groups included"
	GroupExclude  Field = "groups excluded"
)

// The values of a sign-on policy.
const (
	DefaultPolicy  Field = "default policy"
	PolicyAction   Field = "type of an action"
	PolicyGateway  Field = "gateway of an action"
	PolicyUserType Field = "user type of an action"
	PolicyProvider Field = "identity provider of an action"
	PolicyStep     Field = "identity provider that an action leads to"
	PolicyRule     Field = "identity provider of a rule"
	PolicyAssigned Field = "sign-on policy of an application"
	PolicyPriority Field = "priority of a sign-on policy"
)

// The values of an application.
const (
	ApplicationType Field = "type of an application"
	Redirects       Field = "redirect addresses"
	SignOffs        Field = "sign-off addresses"
	GroupsClaim     Field = "groups claim"
	BackChannel     Field = "back-channel address"
	Resources       Field = "resources of an API"
	Audiences       Field = "resources that tokens are for"
	GroupBytes      Field = "bytes of groups in ID tokens"
	Enforcement     Field = "enforcement of PKCE"
	TokenAlgorithm  Field = "algorithm of tokens"
	ClientKeys      Field = "keys of an application"
	ClientKeysURL   Field = "address of an application's keys"
	FormerSecret    Field = "end of the secret before"
	HomePage        Field = "home page of an application"
)

// The values of an application of SAML.
const (
	Entity                Field = "entity ID of an application"
	ACS                   Field = "addresses of answers"
	ACSIndexes            Field = "numbers of the addresses of answers"
	AssertionLife         Field = "seconds that an assertion is good"
	SessionLife           Field = "seconds that a session of an application lasts"
	Signed                Field = "what is signed of an answer"
	AssertionKey          Field = "key that signs answers"
	AssertionAlgorithm    Field = "algorithm of signatures of answers"
	SubjectFormat         Field = "format of an application's name IDs"
	SubjectProperty       Field = "property that an application knows people by"
	RequestCertificates   Field = "certificates of an application's requests"
	Cipher                Field = "encryption of answers"
	EncryptionCertificate Field = "certificate of encryption"
	Target                Field = "default target"
	SLOBinding            Field = "binding of sign-off"
	SLOEndpoint           Field = "address of sign-off"
	SLOResponse           Field = "address of answers of sign-off"
	MostGroups            Field = "most groups of an assertion"
	Access                Field = "groups that may use an application"
	Attributes            Field = "attributes of an assertion"
)

// The values of an identity provider.
const (
	Provider              Field = "identity provider"
	ProviderType          Field = "type of a provider"
	Issuer                Field = "issuer"
	AuthorizationEndpoint Field = "authorization endpoint"
	TokenEndpoint         Field = "token endpoint"
	JWKSEndpoint          Field = "address of keys"
	UserInfoEndpoint      Field = "UserInfo endpoint"
	DiscoveryEndpoint     Field = "discovery endpoint"
	EndSessionEndpoint    Field = "end session endpoint"
	ClientID              Field = "client ID"
	ClientSecret          Field = "client secret"
	SecretEnds            Field = "end of the client secret"
	ClientAuth            Field = "client authentication"
	PKCE                  Field = "PKCE method"
	Scopes                Field = "scopes"
	EntityID              Field = "entity ID of a provider"
	OwnEntityID           Field = "our entity ID"
	SSOEndpoint           Field = "address of single sign-on"
	Binding               Field = "binding"
	Certificates          Field = "certificates"
	OwnKey                Field = "key of ours"
	Algorithm             Field = "algorithm of our signatures"
	NameIDFormat          Field = "format of the name ID"
	SubjectFrom           Field = "attribute that identifies people"
	Skew                  Field = "difference of clocks"
	MetadataURL           Field = "address of metadata"
	Claims                Field = "mappings of a provider"
	ClaimName             Field = "property of a provider's mapping"
	ClaimValue            Field = "claim of a provider's mapping"
	ClaimUpdate           Field = "update of a provider's mapping"
	GroupDelimiter        Field = "delimiter of groups"
	Domains               Field = "domains"
	Usage                 Field = "usage of a certificate"
	CertificateFile       Field = "file of a certificate"
	KeyLength             Field = "length of a key"
	KeyLife               Field = "days that a key is good"
	Subject               Field = "subject at a provider"
)

// The values of how a gateway takes Kerberos tickets.
const (
	Retain          Field = "minutes that keys are retained"
	PrincipalValue  Field = "value of a principal"
	Networks        Field = "networks"
	Realms          Field = "realms"
	ServiceAccount  Field = "service account"
	ServicePassword Field = "password of a service account"
	Keys            Field = "service keys"
)

// Fields lists all of them, for the faces' tables to be held against.
func Fields() []Field {
	return []Field{
		Whole, Name, Role, Username, Email, Population, Group, Gateway, UserType, Entry, DisplayName, UserFilter,
		Source, Vendor, Security, Servers, UserTypes, UserTypeID, PairingCode, Channel,
		ShortName, SignOnDays, ActivityDays, Colour, DarkColour, HelpLink, PrivacyLink, ImprintLink, BrandText,
		TypeName, TypeUsernames, Authority, SearchBase, Correlation, Filter, Mappings, MappingName, MappingValue,
		TypeTarget,
		GroupBase, GroupName, GroupIdentity, GroupInclude, GroupExclude,
		DefaultPolicy, PolicyAction, PolicyGateway, PolicyUserType, PolicyProvider, PolicyStep, PolicyRule,
		PolicyAssigned, PolicyPriority,
		ApplicationType, Redirects, SignOffs, GroupsClaim, GroupBytes, Enforcement, TokenAlgorithm, ClientKeys, ClientKeysURL,
		FormerSecret, HomePage, Resources, Audiences, BackChannel,
		Entity, ACS, ACSIndexes, AssertionLife, SessionLife, Signed, AssertionKey, AssertionAlgorithm, SubjectFormat,
		SubjectProperty, RequestCertificates, Cipher, EncryptionCertificate, Target, SLOBinding, SLOEndpoint, SLOResponse,
		MostGroups, Access, Attributes,
		Provider, ProviderType, Issuer, AuthorizationEndpoint, TokenEndpoint, JWKSEndpoint, UserInfoEndpoint,
		DiscoveryEndpoint, EndSessionEndpoint, ClientID, ClientSecret, SecretEnds, ClientAuth, PKCE, Scopes,
		EntityID, OwnEntityID,
		SSOEndpoint, Binding, Certificates, OwnKey, Algorithm, NameIDFormat, SubjectFrom, Skew, MetadataURL,
		Claims, ClaimName, ClaimValue, ClaimUpdate, GroupDelimiter, Domains, Usage, CertificateFile, KeyLength, KeyLife,
		Subject,
		Retain, PrincipalValue, Networks, Realms, ServiceAccount, ServicePassword, Keys,
	}
}

// Kind says in which way a value is wrong.
type Kind int

// The kinds of faults.
const (
	Invalid  Kind = iota // it cannot be
	Missing              // it must be given
	Taken                // something else has it, and it must be unique
	ReadOnly             // it is decided elsewhere
	Depended             // others depend on what it would end
)

// Fault is one value that is wrong.
type Fault struct {
	Field   Field
	Item    int // which of a list, from 1; 0: the value as a whole
	Type    int // which user type of a gateway, from 1; 0: there is only one
	Kind    Kind
	Message string // one sentence for people
}

// List is everything that is wrong with one thing. As an error it has the
// sentences.
type List []Fault

// Error implements error.
func (l List) Error() string {
	var all []string
	for _, f := range l {
		all = append(all, f.Message)
	}
	return strings.Join(all, " ")
}

// Err returns the list as an error; nil when nothing is wrong.
func (l List) Err() error {
	if len(l) == 0 {
		return nil
	}
	return l
}

// Of returns a list of one.
func Of(field Field, kind Kind, message string) List {
	return List{{Field: field, Kind: kind, Message: message}}
}
