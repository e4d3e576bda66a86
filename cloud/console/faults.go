package console

import "ldap-gateway/cloud/fault"

// fields says beside which field of a form a fault is shown.
// A form may have no field of its own for a fault: that one is said of the form as a
// whole. Two forms may use one name for different fields.
var fields = map[fault.Field]string{
	fault.Whole:       "form",
	fault.Name:        "name",
	fault.Role:        "role",
	fault.Username:    "username",
	fault.Population:  "population",
	fault.Group:       "group",
	fault.Gateway:     "form",
	fault.UserType:    "form",
	fault.Entry:       "form",
	fault.DisplayName: "displayName",
	fault.UserFilter:  "form",
	fault.Source:      "form",
	fault.Vendor:      "vendor",
	fault.Security:    "form",
	fault.Servers:     "form",
	fault.UserTypes:   "form",
	fault.UserTypeID:  "form",
	fault.PairingCode: "code",
	fault.Channel:     "target",

	fault.SignOnDays:   "sign-on-days",
	fault.ActivityDays: "activity-days",

	fault.TypeName:      "name",
	fault.TypeUsernames: "usernames",
	fault.Authority:     "form",
	fault.SearchBase:    "base",
	fault.Correlation:   "correlation",
	fault.Filter:        "filter",
	fault.Mappings:      "mappings",
	fault.MappingName:   "mappings",
	fault.MappingValue:  "mappings",
	fault.TypeTarget:    "population",
	fault.GroupBase:     "groupBase",
	fault.GroupName:     "nameAttribute",
	fault.GroupIdentity: "identity",
	fault.GroupInclude:  "include",
	fault.GroupExclude:  "exclude",

	fault.DefaultPolicy:  "form",
	fault.PolicyAction:   "form",
	fault.PolicyGateway:  "form",
	fault.PolicyUserType: "form",
	fault.PolicyProvider: "form",

	fault.ApplicationType: "type",
	fault.Redirects:       "redirects",
	fault.SignOffs:        "signoffs",
	fault.GroupsClaim:     "groups",
	fault.BackChannel:     "backchannel",
	fault.Resources:       "resources",
	fault.Audiences:       "audiences",
	fault.GroupBytes:      "bytes",
	fault.Enforcement:     "enforcement",
	fault.TokenAlgorithm:  "tokenAlgorithm",

	fault.Entity:                "entityId",
	fault.ACS:                   "acs",
	fault.ACSIndexes:            "acs",
	fault.AssertionLife:         "assertion",
	fault.SessionLife:           "session",
	fault.Signed:                "form",
	fault.AssertionKey:          "key",
	fault.AssertionAlgorithm:    "form",
	fault.SubjectFormat:         "format",
	fault.SubjectProperty:       "subject",
	fault.RequestCertificates:   "certificates",
	fault.Cipher:                "cipher",
	fault.EncryptionCertificate: "cipher",
	fault.Target:                "target",
	fault.SLOBinding:            "form",
	fault.SLOEndpoint:           "slo",
	fault.SLOResponse:           "slr",
	fault.MostGroups:            "most",
	fault.Access:                "access",
	fault.Attributes:            "attributes",

	fault.Provider:              "provider",
	fault.ProviderType:          "form",
	fault.Issuer:                "issuer",
	fault.AuthorizationEndpoint: "authorize",
	fault.TokenEndpoint:         "token",
	fault.JWKSEndpoint:          "jwks",
	fault.UserInfoEndpoint:      "userinfo",
	fault.DiscoveryEndpoint:     "form",
	fault.EndSessionEndpoint:    "endSession",
	fault.ClientID:              "clientId",
	fault.ClientSecret:          "secret",
	fault.SecretEnds:            "secretEnds",
	fault.ClientAuth:            "auth",
	fault.PKCE:                  "pkce",
	fault.Scopes:                "scopes",
	fault.EntityID:              "entityId",
	fault.OwnEntityID:           "ownEntityId",
	fault.SSOEndpoint:           "endpoint",
	fault.Binding:               "form",
	fault.Certificates:          "certificates",
	fault.OwnKey:                "key",
	fault.Algorithm:             "form",
	fault.NameIDFormat:          "format",
	fault.SubjectFrom:           "subject",
	fault.Skew:                  "skew",
	fault.MetadataURL:           "metadataUrl",
	fault.Claims:                "mappings",
	fault.ClaimName:             "mappings",
	fault.ClaimValue:            "mappings",
	fault.ClaimUpdate:           "mappings",
	fault.GroupDelimiter:        "delimiter",
	fault.Domains:               "domains",
	fault.Usage:                 "file",
	fault.CertificateFile:       "file",
	fault.KeyLength:             "form",
	fault.KeyLife:               "form",
	fault.Subject:               "subject",

	fault.Retain:          "retain",
	fault.PrincipalValue:  "value",
	fault.Networks:        "networks",
	fault.Realms:          "realms",
	fault.ServiceAccount:  "keys",
	fault.ServicePassword: "keys",
	fault.Keys:            "keys",
}

// messagesOf returns the sentences of faults by the field of the form.
// Of several that belong to one field the first is shown.
func messagesOf(l fault.List) map[string]string {
	all := map[string]string{}
	for _, f := range l {
		if field := fields[f.Field]; all[field] == "" {
			all[field] = f.Message
		}
	}
	return all
}
