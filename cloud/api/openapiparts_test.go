package api

import "net/http"

// partOperations are those of what other resources have within them.
var partOperations = map[string]operation{
	"PUT /{e}/type":  {summary: "Say whether an environment is for trials", in: typeForm{}, out: environmentBody{}},
	"GET /{e}/brand": {summary: "Read how pages for people look, and what they lead to", out: brandBody{}},
	"PUT /{e}/brand": {summary: "Change how pages for people look", in: brandForm{}, out: brandBody{}},

	"GET /{e}/billOfMaterials": {summary: "Read the bill of materials", out: productsBody{}},
	"PUT /{e}/billOfMaterials": {summary: "Change the bill of materials", in: productsForm{}, out: productsBody{}},

	"GET /{e}/populations/{p}/defaultIdentityProvider": {
		summary: "Read where people of a population sign on by default",
		out:     defaultProvider{},
	},
	"PUT /{e}/populations/{p}/defaultIdentityProvider": {
		summary: "Say that they sign on here, which they do",
		in:      authority{},
		out:     defaultProvider{},
	},

	"POST /{e}/users/{u}": {
		summary:  "Lock or unlock an account, by the media type of the body",
		out:      userBody{},
		statuses: []int{http.StatusOK},
	},
	"GET /{e}/users/{u}/enabled":    {summary: "Read whether a user is enabled", out: enabledBody{}},
	"PUT /{e}/users/{u}/enabled":    {summary: "Enable or disable a user", in: enabledForm{}, out: enabledBody{}},
	"GET /{e}/users/{u}/mfaEnabled": {summary: "Read the switch for a second factor", out: mfaBody{}},
	"PUT /{e}/users/{u}/mfaEnabled": {
		summary: "Have a user be asked for a second factor at each sign-on by the sign-on page",
		in:      mfaForm{},
		out:     mfaBody{},
	},
	"GET /{e}/users/{u}/population": {summary: "Read the population of a user", out: userPopulation{}},
	"PUT /{e}/users/{u}/population": {
		summary: "Put a user into a population",
		in:      reference{},
		out:     userPopulation{},
	},
	"GET /{e}/users/{u}/identityProvider": {summary: "Read who vouches for a user", out: userProvider{}},
	"PUT /{e}/users/{u}/identityProvider": {
		summary: "Say who vouches for a user, as it is",
		in:      authority{},
		out:     userProvider{},
	},

	"GET /{e}/groups/{id}/memberOfGroups": {
		summary: "List the groups that a group is in: none",
		out:     groupBody{},
		list:    "groupMemberships",
	},
	"POST /{e}/groups/{id}/memberOfGroups": {summary: "Refused: no group is in another", in: reference{}, out: groupBody{}},

	"GET /{e}/groups/{id}/roleAssignments": {
		summary: "List the role that a group gives",
		out:     assignmentBody{},
		list:    "roleAssignments",
	},
	"POST /{e}/groups/{id}/roleAssignments": {
		summary: "Have a group give its members a role",
		in:      assignmentForm{},
		out:     assignmentBody{},
	},
	"GET /{e}/groups/{id}/roleAssignments/{r}":    {summary: "Read a role that a group gives", out: assignmentBody{}},
	"DELETE /{e}/groups/{id}/roleAssignments/{r}": {summary: "Have a group give a role no more"},

	"GET /{e}/users/{u}/roleAssignments":         noRoles("user"),
	"POST /{e}/users/{u}/roleAssignments":        refusedRole("user"),
	"GET /{e}/gateways/{g}/roleAssignments":      noRoles("gateway"),
	"POST /{e}/gateways/{g}/roleAssignments":     refusedRole("gateway"),
	"GET /{e}/applications/{a}/roleAssignments":  noRoles("application"),
	"POST /{e}/applications/{a}/roleAssignments": refusedRole("application"),

	"GET /{e}/applications/{a}/secret": {summary: "Read the secret of an application", out: secretBody{}},

	"GET /{e}/applications/{a}/attributes": {
		summary: "List the claims of an application",
		out:     claimBody{},
		list:    "attributes",
	},
	"POST /{e}/applications/{a}/attributes":        {summary: "Add a claim", in: claimForm{}, out: claimBody{}},
	"GET /{e}/applications/{a}/attributes/{id}":    {summary: "Read a claim", out: claimBody{}},
	"PUT /{e}/applications/{a}/attributes/{id}":    {summary: "Change a claim", in: claimForm{}, out: claimBody{}},
	"DELETE /{e}/applications/{a}/attributes/{id}": {summary: "Delete a claim"},

	"GET /{e}/applications/{a}/grants": {
		summary: "List the scopes that an application may have, by resource",
		out:     grantBody{},
		list:    "grants",
	},
	"POST /{e}/applications/{a}/grants":     {summary: "Grant scopes, and no other", in: grantForm{}, out: grantBody{}},
	"GET /{e}/applications/{a}/grants/{id}": {summary: "Read a grant", out: grantBody{}},
	"PUT /{e}/applications/{a}/grants/{id}": {
		summary: "Change which scopes are granted",
		in:      grantForm{},
		out:     grantBody{},
	},
	"DELETE /{e}/applications/{a}/grants/{id}": {summary: "Grant nothing in particular, which is every scope"},

	"GET /{e}/applications/{a}/signOnPolicyAssignments": {
		summary: "List the sign-on policies of an application",
		out:     assignedBody{},
		list:    "signOnPolicyAssignments",
	},
	"POST /{e}/applications/{a}/signOnPolicyAssignments": {
		summary: "Give an application a sign-on policy, of which the lowest priority counts, or what acr_values names",
		in:      assignedForm{},
		out:     assignedBody{},
	},
	"GET /{e}/applications/{a}/signOnPolicyAssignments/{id}": {
		summary: "Read an assignment of a sign-on policy",
		out:     assignedBody{},
	},
	"PUT /{e}/applications/{a}/signOnPolicyAssignments/{id}": {
		summary: "Change an assignment of a sign-on policy",
		in:      assignedForm{},
		out:     assignedBody{},
	},
	"DELETE /{e}/applications/{a}/signOnPolicyAssignments/{id}": {summary: "Delete an assignment of a sign-on policy"},
}

func noRoles(of string) operation {
	return operation{summary: "List the roles of the " + of + " itself: none", out: assignmentBody{}, list: "roleAssignments"}
}

func refusedRole(of string) operation {
	return operation{summary: "Refused: no " + of + " has a role of its own", out: assignmentBody{}}
}

// policyOperations are those of sign-on policies.
var policyOperations = map[string]operation{
	"GET /{e}/signOnPolicies": {
		summary: "List sign-on policies",
		out:     policyBody{},
		list:    "signOnPolicies",
		filter:  "id, name, description, default",
	},
	"POST /{e}/signOnPolicies":       {summary: "Make a sign-on policy", in: policyForm{}, out: policyBody{}},
	"GET /{e}/signOnPolicies/{p}":    {summary: "Read a sign-on policy", out: policyBody{}},
	"PUT /{e}/signOnPolicies/{p}":    {summary: "Change a sign-on policy", in: policyForm{}, out: policyBody{}},
	"DELETE /{e}/signOnPolicies/{p}": {summary: "Delete a sign-on policy that is not the default one, nor any application's"},
	"GET /{e}/signOnPolicies/{p}/actions": {
		summary: "List the actions of a sign-on policy",
		out:     actionBody{},
		list:    "actions",
	},
	"POST /{e}/signOnPolicies/{p}/actions":        {summary: "Add an action; but for the default policy, who is not named is not asked", in: actionForm{}, out: actionBody{}},
	"GET /{e}/signOnPolicies/{p}/actions/{id}":    {summary: "Read an action", out: actionBody{}},
	"PUT /{e}/signOnPolicies/{p}/actions/{id}":    {summary: "Change an action", in: actionForm{}, out: actionBody{}},
	"DELETE /{e}/signOnPolicies/{p}/actions/{id}": {summary: "Delete an action"},
}

// catalogueOperations are those of what nobody changes.
var catalogueOperations = map[string]operation{
	"GET //roles":              {summary: "List the roles that a group can give", out: roleBody{}, list: "roles"},
	"GET //roles/{id}":         {summary: "Read a role", out: roleBody{}},
	"GET //organizations":      {summary: "List the one organization", out: organizationBody{}, list: "organizations"},
	"GET //organizations/{id}": {summary: "Read it", out: organizationBody{}},
	"GET //organizations/{o}/licenses": {
		summary: "List the license of this cloud, and those that environments were made with",
		out:     licenseBody{},
		list:    "licenses",
	},
	"GET //organizations/{o}/licenses/{id}":      {summary: "Read a license", out: licenseBody{}},
	"GET //organizations/{o}/licenses/{id}/name": {summary: "Read the name of a license", out: licenseName{}},
	"GET /{e}/themes":                            {summary: "List the one theme", out: themeBody{}, list: "themes"},
	"GET /{e}/themes/{id}":                       {summary: "Read it", out: themeBody{}},
	"GET /{e}/schemas":                           {summary: "List the one schema, of users", out: schemaBody{}, list: "schemas"},
	"GET /{e}/schemas/{id}":                      {summary: "Read it", out: schemaBody{}},
	"GET /{e}/schemas/{s}/attributes": {
		summary: "List what users have",
		out:     schemaAttribute{},
		list:    "attributes",
	},
	"GET /{e}/schemas/{s}/attributes/{id}": {summary: "Read a property of users", out: schemaAttribute{}},
	"GET /{e}/resources": {
		summary: "List the one resource that applications are granted",
		out:     resourceBody{},
		list:    "resources",
	},
	"GET /{e}/resources/{r}": {summary: "Read it", out: resourceBody{}},
	"GET /{e}/resources/{r}/scopes": {
		summary: "List the scopes of a resource",
		out:     resourceScope{},
		list:    "scopes",
	},
	"GET /{e}/resources/{r}/scopes/{id}": {summary: "Read a scope", out: resourceScope{}},
	"GET /{e}/resources/{r}/attributes": {
		summary: "List the claims of a resource besides those of its scopes: none",
		out:     claimBody{},
		list:    "attributes",
	},
}
