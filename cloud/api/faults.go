package api

import (
	"fmt"

	"ldap-gateway/cloud/fault"
)

// property is where a value is in a body: of a list, the item's index stands
// between path and tail. A tail of alone is no tail: each item has a body of its own.
// It has the words of bodies, which clients decide by: one that changes breaks them.
type property struct{ path, tail string }

const alone = "\x00"

// ofGateway are the properties of a gateway's body, and of others.
var ofGateway = map[fault.Field]property{
	fault.Whole:       {"", ""},
	fault.Name:        {"name", ""},
	fault.Role:        {"role", ""},
	fault.Username:    {"username", ""},
	fault.Email:       {"email", ""},
	fault.Population:  {"population.id", ""},
	fault.Group:       {"id", ""},
	fault.Gateway:     {"id", ""},
	fault.UserType:    {"userType.id", ""},
	fault.Entry:       {"correlationAttributes", ""},
	fault.DisplayName: {"displayName", ""},
	fault.UserFilter:  {"userFilter", ""},
	fault.Source:      {"sourceType", ""},
	fault.Vendor:      {"vendor", ""},
	fault.Security:    {"connectionSecurity", ""},
	fault.Servers:     {"serversHostAndPort", ""},
	fault.UserTypes:   {"userTypes", ""},
	fault.PairingCode: {"code", ""},
	fault.Channel:     {"target", ""},

	fault.ShortName:    {"shortName", ""},
	fault.SignOnDays:   {"signOnDays", ""}, // the console alone sets them
	fault.ActivityDays: {"activityDays", ""},
	fault.Colour:       {"colour", ""},
	fault.DarkColour:   {"darkColour", ""},
	fault.HelpLink:     {"help", ""},
	fault.PrivacyLink:  {"privacy", ""},
	fault.ImprintLink:  {"imprint", ""},
	fault.BrandText:    {"text", ""},

	fault.DefaultPolicy:  {"default", ""},
	fault.PolicyAction:   {"type", ""},
	fault.PolicyGateway:  {"newUserProvisioning.gateways", ".id"},
	fault.PolicyUserType: {"newUserProvisioning.gateways", ".userType.id"},
	fault.PolicyProvider: {"socialProviders", ".id"},
	fault.PolicyStep:     {"identityProvider.id", ""},
	fault.PolicyRule:     {"discoveryRules", ".identityProvider.id"},
	fault.PolicyAssigned: {"signOnPolicy.id", ""},
	fault.PolicyPriority: {"priority", ""},

	fault.ApplicationType: {"type", ""},
	fault.Redirects:       {"redirectUris", ""},
	fault.SignOffs:        {"postLogoutRedirectUris", ""},
	fault.GroupsClaim:     {"groupsClaim.value", ""},
	fault.BackChannel:     {"backchannelLogoutUri", ""},
	fault.Resources:       {"resources", ""},
	fault.Audiences:       {"audiences", ""},
	fault.GroupBytes:      {"groupsClaim.idTokenBytes", ""},
	fault.Enforcement:     {"pkceEnforcement", ""},
	fault.TokenAlgorithm:  {"idTokenSignedResponseAlg", ""},
	fault.ClientKeys:      {"jwks", ""},
	fault.ClientKeysURL:   {"jwksUrl", ""},
	fault.FormerSecret:    {"previous.expiresAt", ""},
	fault.HomePage:        {"homePageUrl", ""},

	fault.Entity:                {"spEntityId", ""},
	fault.ACS:                   {"acsUrls", ""},
	fault.ACSIndexes:            {"acsIndexes", ""},
	fault.AssertionLife:         {"assertionDuration", ""},
	fault.SessionLife:           {"sessionNotOnOrAfterDuration", ""},
	fault.Signed:                {"assertionSigned", ""},
	fault.AssertionKey:          {"idpSigning.key.id", ""},
	fault.AssertionAlgorithm:    {"idpSigning.algorithm", ""},
	fault.SubjectFormat:         {"nameIdFormat", ""},
	fault.SubjectProperty:       {"value", ""},
	fault.RequestCertificates:   {"spVerification.certificates", ".id"},
	fault.Cipher:                {"spEncryption.algorithm", ""},
	fault.EncryptionCertificate: {"spEncryption.certificate.id", ""},
	fault.Target:                {"defaultTargetUrl", ""},
	fault.SLOBinding:            {"sloBinding", ""},
	fault.SLOEndpoint:           {"sloEndpoint", ""},
	fault.SLOResponse:           {"sloResponseEndpoint", ""},
	fault.MostGroups:            {"maxGroups", ""},
	fault.Access:                {"accessControl.group.groups", ".id"},
	fault.Attributes:            {"name", alone},

	fault.Provider:              {"identityProvider.id", ""},
	fault.ProviderType:          {"type", ""},
	fault.Issuer:                {"issuer", ""},
	fault.AuthorizationEndpoint: {"authorizationEndpoint", ""},
	fault.TokenEndpoint:         {"tokenEndpoint", ""},
	fault.JWKSEndpoint:          {"jwksEndpoint", ""},
	fault.UserInfoEndpoint:      {"userInfoEndpoint", ""},
	fault.DiscoveryEndpoint:     {"discoveryEndpoint", ""},
	fault.EndSessionEndpoint:    {"endSessionEndpoint", ""},
	fault.ClientID:              {"clientId", ""},
	fault.ClientSecret:          {"clientSecret", ""},
	fault.SecretEnds:            {"secretEndsAt", ""},
	fault.ClientAuth:            {"tokenEndpointAuthMethod", ""},
	fault.PKCE:                  {"pkceMethod", ""},
	fault.Scopes:                {"scopes", ""},
	fault.EntityID:              {"idpEntityId", ""},
	fault.OwnEntityID:           {"spEntityId", ""},
	fault.SSOEndpoint:           {"ssoEndpoint", ""},
	fault.Binding:               {"ssoBinding", ""},
	fault.Certificates:          {"idpVerification.certificates", ".id"},
	fault.OwnKey:                {"spSigning.key.id", ""},
	fault.Algorithm:             {"spSigning.algorithm", ""},
	fault.NameIDFormat:          {"nameIdFormat", ""},
	fault.SubjectFrom:           {"subjectAttribute", ""},
	fault.Skew:                  {"skewSeconds", ""},
	fault.MetadataURL:           {"metadataUrl", ""},
	fault.GroupDelimiter:        {"groups.delimiter", ""},
	fault.Domains:               {"domains", ""},
	fault.Usage:                 {"usageType", ""},
	fault.CertificateFile:       {"file", ""},
	fault.KeyLength:             {"keyLength", ""},
	fault.KeyLife:               {"validityPeriod", ""},
	fault.Subject:               {"externalId", ""},
	fault.Claims:                {"name", alone},
	fault.ClaimName:             {"name", alone},
	fault.ClaimValue:            {"value", alone},
	fault.ClaimUpdate:           {"update", alone},

	fault.Retain:          {"kerberos.minutesToRetainPreviousCredentials", ""},
	fault.PrincipalValue:  {"kerberos.principalValue", ""},
	fault.Networks:        {"kerberos.networks", ""},
	fault.Realms:          {"kerberos.realms", ""},
	fault.ServiceAccount:  {"kerberos.serviceAccountUserPrincipalName", ""},
	fault.ServicePassword: {"kerberos.serviceAccountPassword", ""},
	fault.Keys:            {"keytab", ""},
}

// ofUserType are the properties of a user type's body, which a gateway's has in a list.
var ofUserType = map[fault.Field]property{
	fault.UserTypeID:    {"id", ""},
	fault.TypeName:      {"name", ""},
	fault.TypeUsernames: {"usernamePatterns", ""},
	fault.Authority:     {"passwordAuthority", ""},
	fault.SearchBase:    {"searchBaseDn", ""},
	fault.Correlation:   {"orderedCorrelationAttributes", ""},
	fault.Filter:        {"newUserLookup.ldapFilterPattern", ""},
	fault.Mappings:      {"newUserLookup.attributeMappings", ""},
	fault.MappingName:   {"newUserLookup.attributeMappings", ".name"},
	fault.MappingValue:  {"newUserLookup.attributeMappings", ".value"},
	fault.TypeTarget:    {"newUserLookup.population.id", ""},
	fault.GroupBase:     {"groups.searchBaseDn", ""},
	fault.GroupName:     {"groups.nameAttribute", ""},
	fault.GroupIdentity: {"groups.identity", ""},
	fault.GroupInclude:  {"groups.include", ""},
	fault.GroupExclude:  {"groups.exclude", ""},
}

// targetOf returns the property of a fault, as in "userTypes[0].searchBaseDn".
// Items count from 0 here, as in every path of JSON; faults count them from 1.
func targetOf(f fault.Fault) string {
	front := ""
	p, inType := ofUserType[f.Field]
	if !inType {
		p = ofGateway[f.Field]
	} else if f.Type > 0 {
		front = fmt.Sprintf("userTypes[%d].", f.Type-1)
	}
	if p.tail == alone {
		return p.path
	}
	if f.Item > 0 {
		return fmt.Sprintf("%s%s[%d]%s", front, p.path, f.Item-1, p.tail)
	}
	return front + p.path + p.tail
}

// detailsOf returns faults as details.
// They are in the order in which they were found.
func detailsOf(l fault.List) (details []detail) {
	for _, f := range l {
		details = append(details, detailOf(f))
	}
	return details
}

// detailOf says in which way a value is wrong, by code. What is missing is said in the
// same words for every property, since the name is what counts.
func detailOf(f fault.Fault) detail {
	target := targetOf(f)
	switch f.Kind {
	case fault.Missing:
		if f.Field == fault.Mappings { // they are there, and one is not
			return detail{requiredValue, target, f.Message}
		}
		return missing(target)
	case fault.Taken:
		return detail{notUnique, target, f.Message}
	case fault.ReadOnly:
		return detail{readOnly, target, f.Message}
	case fault.Depended:
		return detail{hasDependents, target, f.Message}
	}
	return detail{invalidValue, target, f.Message}
}
