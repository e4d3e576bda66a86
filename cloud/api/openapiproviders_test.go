package api

import "maps"

// together puts tables of operations into one.
func together(parts ...map[string]operation) map[string]operation {
	all := map[string]operation{}
	for _, part := range parts {
		maps.Copy(all, part)
	}
	return all
}

// providerOperations are those of identity providers and what belongs to them.
var providerOperations = map[string]operation{
	"GET /{e}/identityProviders":        {summary: "List identity providers", out: providerBody{}, list: "identityProviders", selects: []string{"expand=attributes"}},
	"POST /{e}/identityProviders":       {summary: "Make an identity provider; also of SAML metadata, as application/samlmetadata+xml", in: providerForm{}, out: providerBody{}, selects: []string{"entityId="}},
	"GET /{e}/identityProviders/{i}":    {summary: "Read an identity provider", out: providerBody{}, selects: []string{"expand=attributes"}},
	"PUT /{e}/identityProviders/{i}":    {summary: "Change an identity provider; what becomes of linked people is said by links when a subject would be another's", in: providerForm{}, out: providerBody{}, selects: []string{"links=keep", "links=drop", "force=true"}},
	"DELETE /{e}/identityProviders/{i}": {summary: "Delete an identity provider; with people or groups only by force=true", selects: []string{"force=true"}},

	"GET /{e}/identityProviders/{i}/attributes":        {summary: "List the mappings of an identity provider", out: attributeBody{}, list: "attributes"},
	"POST /{e}/identityProviders/{i}/attributes":       {summary: "Map a property", in: attributeForm{}, out: attributeBody{}},
	"GET /{e}/identityProviders/{i}/attributes/{a}":    {summary: "Read a mapping", out: attributeBody{}},
	"PUT /{e}/identityProviders/{i}/attributes/{a}":    {summary: "Change a mapping", in: attributeForm{}, out: attributeBody{}},
	"DELETE /{e}/identityProviders/{i}/attributes/{a}": {summary: "Delete a mapping; a core one is refused"},

	"GET /{e}/certificates":         {summary: "List certificates of others", out: certificateBody{}, list: "certificates"},
	"POST /{e}/certificates":        {summary: "Add a certificate: multipart/form-data with file and usageType", out: certificateBody{}},
	"GET /{e}/certificates/{id}":    {summary: "Read a certificate", out: certificateBody{}},
	"DELETE /{e}/certificates/{id}": {summary: "Delete a certificate that nothing uses"},
	"GET /{e}/keys":                 {summary: "List keys of ours, with their certificates", out: certificateBody{}, list: "keys"},
	"POST /{e}/keys":                {summary: "Make a key of ours", in: keyMade{}, out: certificateBody{}},
	"GET /{e}/keys/{id}":            {summary: "Read the certificate of a key of ours", out: certificateBody{}},
	"PUT /{e}/keys/{id}":            {summary: "Have a key of ours sign for the applications that name none", in: keyChosen{}, out: certificateBody{}},
	"DELETE /{e}/keys/{id}":         {summary: "Delete a key of ours that nothing uses"},

	"GET /{e}/users/{u}/linkedAccounts":         {summary: "List a user's accounts at identity providers", out: accountLinked{}, list: "linkedAccounts"},
	"POST /{e}/users/{u}/linkedAccounts":        {summary: "Link a user to an account at an identity provider", in: accountForm{}, out: accountLinked{}},
	"GET /{e}/users/{u}/linkedAccounts/{id}":    {summary: "Read a user's account at an identity provider", out: accountLinked{}},
	"DELETE /{e}/users/{u}/linkedAccounts/{id}": {summary: "Take a user off an account; the groups that came with it go"},
}
