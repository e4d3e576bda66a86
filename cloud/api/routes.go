package api

import (
	"maps"
	"strings"

	m "ldap-gateway/cloud/management"
)

// route is who may ask for something, and what answers it. Which role that takes
// is management's to say; what a body decides, it asks of management besides.
// A path without an action cannot be written here, so none is open by mistake.
type route struct {
	action m.Action
	answer endpoint
	or     []m.Action // that the body may ask for instead
}

// endpoints lists every method and path below /v1/environments, and those beside it,
// which begin with "//": see address.
func (s *Server) endpoints() map[string]route {
	all := map[string]route{}
	for _, part := range []map[string]route{
		s.placeRoutes(), s.gatewayRoutes(), s.instanceRoutes(), s.userRoutes(), s.groupRoutes(),
		s.applicationRoutes(), s.providerRoutes(), s.rightsRoutes(), s.policyRoutes(), s.catalogueRoutes(),
	} {
		maps.Copy(all, part)
	}
	return all
}

// placeRoutes are those of the environment itself, of populations, and of what
// happened.
func (s *Server) placeRoutes() map[string]route {
	return map[string]route{
		"GET ":        {action: m.Read, answer: s.listEnvironments},
		"POST ":       {action: m.CreateEnvironment, answer: s.createEnvironment},
		"GET /{e}":    {action: m.Read, answer: s.getEnvironment},
		"PUT /{e}":    {action: m.RenameEnvironment, answer: s.putEnvironment},
		"DELETE /{e}": {action: m.DeleteEnvironment, answer: s.deleteEnvironment},

		"PUT /{e}/type":  {action: m.RenameEnvironment, answer: s.putEnvironmentType},
		"GET /{e}/brand": {action: m.Read, answer: s.getBrand},
		"PUT /{e}/brand": {action: m.SetBrand, answer: s.putBrand},

		"GET /{e}/billOfMaterials": {action: m.Read, answer: s.getProducts},
		"PUT /{e}/billOfMaterials": {action: m.RenameEnvironment, answer: s.putProducts},

		"GET /{e}/populations":        {action: m.Read, answer: s.listPopulations},
		"POST /{e}/populations":       {action: m.CreatePopulation, answer: s.createPopulation},
		"GET /{e}/populations/{p}":    {action: m.Read, answer: s.getPopulation},
		"PUT /{e}/populations/{p}":    {action: m.ChangePopulation, answer: s.putPopulation},
		"PATCH /{e}/populations/{p}":  {action: m.ChangePopulation, answer: s.putPopulation},
		"DELETE /{e}/populations/{p}": {action: m.DeletePopulation, answer: s.deletePopulation},

		"GET /{e}/populations/{p}/defaultIdentityProvider": {action: m.Read, answer: s.getDefaultProvider},
		"PUT /{e}/populations/{p}/defaultIdentityProvider": {action: m.ChangePopulation, answer: s.putDefaultProvider},

		"GET /{e}/signOns":      {action: m.Read, answer: s.listSignOns},
		"POST /{e}/signOns":     {action: m.SignPeopleOn, answer: s.createSignOn},
		"GET /{e}/signOns/{id}": {action: m.ReadSignOn, answer: s.getSignOn},
		"GET /{e}/activities":   {action: m.Read, answer: s.listActivities},
	}
}

// gatewayRoutes are those of gateways, their user types and their Kerberos keys.
func (s *Server) gatewayRoutes() map[string]route {
	return map[string]route{
		"GET /{e}/gateways":        {action: m.Read, answer: s.listGateways},
		"POST /{e}/gateways":       {action: m.CreateGateway, answer: s.createGateway},
		"GET /{e}/gateways/{g}":    {action: m.Read, answer: s.getGateway},
		"PUT /{e}/gateways/{g}":    {action: m.ChangeGateway, answer: s.putGateway},
		"DELETE /{e}/gateways/{g}": {action: m.DeleteGateway, answer: s.deleteGateway},

		"GET /{e}/gateways/{g}/roleAssignments": {action: m.ReadSettings, answer: s.listGatewayRoles},
		"POST /{e}/gateways/{g}/roleAssignments": {
			action: m.SetRoleGroup,
			answer: refuseRole(s.listGatewayRoles, "An agent has no rights here, and a gateway gives none."),
		},

		"GET /{e}/gateways/{g}/userTypes":             {action: m.Read, answer: s.listUserTypes},
		"POST /{e}/gateways/{g}/userTypes":            {action: m.AddUserType, answer: s.createUserType},
		"GET /{e}/gateways/{g}/userTypes/defaults":    {action: m.Read, answer: s.userTypeDefaults},
		"GET /{e}/gateways/{g}/userTypes/{t}":         {action: m.Read, answer: s.getUserType},
		"PUT /{e}/gateways/{g}/userTypes/{t}":         {action: m.ChangeUserType, answer: s.putUserType},
		"DELETE /{e}/gateways/{g}/userTypes/{t}":      {action: m.RemoveUserType, answer: s.deleteUserType},
		"POST /{e}/gateways/{g}/userTypes/{t}/relink": {action: m.RelinkUsers, answer: s.relinkUsers},

		"GET /{e}/gateways/{g}/kerberosKeys":         {action: m.Read, answer: s.listKeys},
		"POST /{e}/gateways/{g}/kerberosKeys":        {action: m.UseKeys, answer: s.createKeys},
		"DELETE /{e}/gateways/{g}/kerberosKeys/{id}": {action: m.DeleteKeys, answer: s.deleteKeys},
	}
}

// instanceRoutes are those of instances and of the codes by which machines become ones,
// under both of their names.
func (s *Server) instanceRoutes() map[string]route {
	return map[string]route{
		"GET /{e}/gateways/{g}/instances":             {action: m.Read, answer: s.listInstances},
		"GET /{e}/gateways/{g}/instances/{i}":         {action: m.Read, answer: s.getInstance},
		"POST /{e}/gateways/{g}/instances/{i}/rotate": {action: m.RotateInstance, answer: s.rotateInstance},
		"DELETE /{e}/gateways/{g}/instances/{i}":      {action: m.RevokeInstance, answer: s.revokeInstance},

		"GET /{e}/gateways/{g}/pairings": {action: m.Read, answer: s.listPairings},
		"POST /{e}/gateways/{g}/pairings": {
			action: m.OfferPairing,
			answer: s.createPairing,
			or:     []m.Action{m.ApprovePairing, m.DenyPairing},
		},
		"GET /{e}/gateways/{g}/pairings/{id}":    {action: m.Read, answer: s.getPairing},
		"DELETE /{e}/gateways/{g}/pairings/{id}": {action: m.WithdrawPairing, answer: s.deletePairing},

		"GET /{e}/gateways/{g}/credentials":         {action: m.Read, answer: s.listCredentials},
		"POST /{e}/gateways/{g}/credentials":        {action: m.OfferPairing, answer: s.createCredential},
		"GET /{e}/gateways/{g}/credentials/{id}":    {action: m.Read, answer: s.getCredential},
		"DELETE /{e}/gateways/{g}/credentials/{id}": {action: m.WithdrawPairing, answer: s.deletePairing},
	}
}

// userRoutes are those of users, who checks their passwords, and their groups. A PUT of
// the password is LinkUser, and changes a password under the same right.
func (s *Server) userRoutes() map[string]route {
	return map[string]route{
		"GET /{e}/users":          {action: m.Read, answer: s.listUsers},
		"POST /{e}/users":         {action: m.CreateUser, answer: s.createUser},
		"GET /{e}/users/{u}":      {action: m.Read, answer: s.getUser},
		"PUT /{e}/users/{u}":      {action: m.ChangeUser, answer: s.putUser},
		"PATCH /{e}/users/{u}":    {action: m.ChangeUser, answer: s.putUser},
		"DELETE /{e}/users/{u}":   {action: m.DeleteUser, answer: s.deleteUser},
		"POST /{e}/users/{u}/off": {action: m.SignOffUser, answer: s.signOffUser},

		"POST /{e}/users/{u}": {action: m.ChangeUser, answer: s.actOnUser},

		"GET /{e}/users/{u}/enabled":    {action: m.Read, answer: s.getUserPart(showEnabled)},
		"PUT /{e}/users/{u}/enabled":    {action: m.ChangeUser, answer: putUserPart(s, showEnabled, (*enabledForm).into)},
		"GET /{e}/users/{u}/mfaEnabled": {action: m.Read, answer: s.getUserPart(showMFA)},
		"PUT /{e}/users/{u}/mfaEnabled": {action: m.ChangeUser, answer: putUserPart(s, showMFA, (*mfaForm).into)},
		"GET /{e}/users/{u}/population": {action: m.Read, answer: s.getUserPart(showUserPopulation)},
		"PUT /{e}/users/{u}/population": {
			action: m.ChangeUser,
			answer: putUserPart(s, showUserPopulation, (*reference).into),
		},
		"GET /{e}/users/{u}/identityProvider": {action: m.Read, answer: s.getUserPart(showUserProvider)},
		"PUT /{e}/users/{u}/identityProvider": {
			action: m.ChangeUser,
			answer: putUserPart(s, showUserProvider, (*authority).into),
		},

		"GET /{e}/users/{u}/roleAssignments": {action: m.ReadSettings, answer: s.listUserRoles},
		"POST /{e}/users/{u}/roleAssignments": {
			action: m.SetRoleGroup,
			answer: refuseRole(s.listUserRoles, "Users have roles by their groups: give it to a group."),
		},

		"DELETE /{e}/users/{u}/secondFactor": {action: m.ResetFactor, answer: s.resetFactor},

		"GET /{e}/users/{u}/password": {action: m.Read, answer: s.getPassword},
		"PUT /{e}/users/{u}/password": {action: m.LinkUser, answer: s.putPassword},

		"GET /{e}/users/{u}/memberOfGroups":         {action: m.Read, answer: s.listUserGroups},
		"POST /{e}/users/{u}/memberOfGroups":        {action: m.AddMember, answer: s.joinGroup},
		"GET /{e}/users/{u}/memberOfGroups/{id}":    {action: m.Read, answer: s.getUserGroup},
		"DELETE /{e}/users/{u}/memberOfGroups/{id}": {action: m.RemoveMember, answer: s.leaveGroup},
	}
}

// groupRoutes are those of groups of every source.
func (s *Server) groupRoutes() map[string]route {
	return map[string]route{
		"GET /{e}/groups":         {action: m.Read, answer: s.listGroups},
		"POST /{e}/groups":        {action: m.CreateGroup, answer: s.createGroup},
		"GET /{e}/groups/{id}":    {action: m.Read, answer: s.getGroup},
		"PUT /{e}/groups/{id}":    {action: m.ChangeGroup, answer: s.putGroup},
		"PATCH /{e}/groups/{id}":  {action: m.ChangeGroup, answer: s.putGroup},
		"DELETE /{e}/groups/{id}": {action: m.DeleteGroup, answer: s.deleteGroup},

		"GET /{e}/groups/{id}/memberOfGroups":  {action: m.Read, answer: s.listNested},
		"POST /{e}/groups/{id}/memberOfGroups": {action: m.ChangeGroup, answer: s.nest},

		"GET /{e}/groups/{id}/roleAssignments":        {action: m.ReadSettings, answer: s.listGroupRoles},
		"POST /{e}/groups/{id}/roleAssignments":       {action: m.SetRoleGroup, answer: s.createGroupRole},
		"GET /{e}/groups/{id}/roleAssignments/{r}":    {action: m.ReadSettings, answer: s.getGroupRole},
		"DELETE /{e}/groups/{id}/roleAssignments/{r}": {action: m.SetRoleGroup, answer: s.deleteGroupRole},
	}
}

// applicationRoutes are those of applications. They have no PATCH: compatible clients
// replace them.
func (s *Server) applicationRoutes() map[string]route {
	return map[string]route{
		"GET /{e}/applications":                      {action: m.Read, answer: s.listApplications},
		"POST /{e}/applications":                     {action: m.CreateApplication, answer: s.createApplication},
		"GET /{e}/applications/{a}":                  {action: m.Read, answer: s.getApplication},
		"PUT /{e}/applications/{a}":                  {action: m.ChangeApplication, answer: s.putApplication},
		"DELETE /{e}/applications/{a}":               {action: m.DeleteApplication, answer: s.deleteApplication},
		"GET /{e}/applications/{a}/sharedGroupNames": {action: m.Read, answer: s.listSharedNames},
		"GET /{e}/applications/{a}/secret":           {action: m.ReadSecret, answer: s.getSecret},
		"POST /{e}/applications/{a}/secret":          {action: m.RenewApplication, answer: s.makeSecret},

		"DELETE /{e}/applications/{a}/secret/previous": {action: m.RenewApplication, answer: s.endSecret},

		"GET /{e}/applications/{a}/attributes":         {action: m.Read, answer: s.listClaims},
		"POST /{e}/applications/{a}/attributes":        {action: m.ChangeApplication, answer: s.createClaim},
		"GET /{e}/applications/{a}/attributes/{id}":    {action: m.Read, answer: s.getClaim},
		"PUT /{e}/applications/{a}/attributes/{id}":    {action: m.ChangeApplication, answer: s.putClaim},
		"DELETE /{e}/applications/{a}/attributes/{id}": {action: m.ChangeApplication, answer: s.deleteClaim},

		"GET /{e}/applications/{a}/grants":         {action: m.Read, answer: s.listGrants},
		"POST /{e}/applications/{a}/grants":        {action: m.ChangeApplication, answer: s.createGrant},
		"GET /{e}/applications/{a}/grants/{id}":    {action: m.Read, answer: s.getGrant},
		"PUT /{e}/applications/{a}/grants/{id}":    {action: m.ChangeApplication, answer: s.putGrant},
		"DELETE /{e}/applications/{a}/grants/{id}": {action: m.ChangeApplication, answer: s.deleteGrant},

		"GET /{e}/applications/{a}/signOnPolicyAssignments":         {action: m.Read, answer: s.listAssigned},
		"POST /{e}/applications/{a}/signOnPolicyAssignments":        {action: m.ChangeApplication, answer: s.createAssigned},
		"GET /{e}/applications/{a}/signOnPolicyAssignments/{id}":    {action: m.Read, answer: s.getAssigned},
		"PUT /{e}/applications/{a}/signOnPolicyAssignments/{id}":    {action: m.ChangeApplication, answer: s.putAssigned},
		"DELETE /{e}/applications/{a}/signOnPolicyAssignments/{id}": {action: m.ChangeApplication, answer: s.deleteAssigned},

		"GET /{e}/applications/{a}/roleAssignments": {action: m.ReadSettings, answer: s.listApplicationRoles},
		"POST /{e}/applications/{a}/roleAssignments": {
			action: m.SetRoleGroup,
			answer: refuseRole(s.listApplicationRoles, "An application has people sign on, and no rights of its own: "+
				"make an API client in the console."),
		},
	}
}

// providerRoutes are those of identity providers, of their mappings and certificates,
// and of the accounts that link people to them. A mapping is a part of its provider, so
// to change it is to change that.
func (s *Server) providerRoutes() map[string]route {
	return map[string]route{
		"GET /{e}/identityProviders":  {action: m.Read, answer: s.listProviders},
		"POST /{e}/identityProviders": {action: m.CreateProvider, answer: s.createProvider},
		"GET /{e}/identityProviders/{i}": {
			action: m.Read, answer: s.getProvider, or: []m.Action{m.ReadProviderSecret},
		},
		"PUT /{e}/identityProviders/{i}":    {action: m.ChangeProvider, answer: s.putProvider},
		"DELETE /{e}/identityProviders/{i}": {action: m.DeleteProvider, answer: s.deleteProvider},

		"GET /{e}/identityProviders/{i}/attributes":        {action: m.Read, answer: s.listAttributes},
		"POST /{e}/identityProviders/{i}/attributes":       {action: m.ChangeProvider, answer: s.createAttribute},
		"GET /{e}/identityProviders/{i}/attributes/{a}":    {action: m.Read, answer: s.getAttribute},
		"PUT /{e}/identityProviders/{i}/attributes/{a}":    {action: m.ChangeProvider, answer: s.putAttribute},
		"DELETE /{e}/identityProviders/{i}/attributes/{a}": {action: m.ChangeProvider, answer: s.deleteAttribute},

		"GET /{e}/certificates":         {action: m.Read, answer: s.listCertificates(certificatesPath)},
		"POST /{e}/certificates":        {action: m.AddCertificate, answer: s.createCertificate},
		"GET /{e}/certificates/{id}":    {action: m.Read, answer: s.getCertificate(certificatesPath)},
		"DELETE /{e}/certificates/{id}": {action: m.DeleteCertificate, answer: s.deleteCertificate(certificatesPath)},
		"GET /{e}/keys":                 {action: m.Read, answer: s.listCertificates(keysPath)},
		"POST /{e}/keys":                {action: m.MakeKey, answer: s.createKey},
		"GET /{e}/keys/{id}":            {action: m.Read, answer: s.getCertificate(keysPath)},
		"PUT /{e}/keys/{id}":            {action: m.MakeKey, answer: s.putKey},
		"DELETE /{e}/keys/{id}":         {action: m.DeleteCertificate, answer: s.deleteCertificate(keysPath)},

		"GET /{e}/users/{u}/linkedAccounts":         {action: m.Read, answer: s.listAccounts},
		"POST /{e}/users/{u}/linkedAccounts":        {action: m.LinkAccount, answer: s.createAccount},
		"GET /{e}/users/{u}/linkedAccounts/{id}":    {action: m.Read, answer: s.getAccount},
		"DELETE /{e}/users/{u}/linkedAccounts/{id}": {action: m.UnlinkAccount, answer: s.deleteAccount},
	}
}

// rightsRoutes lists what there is of who may do what.
func (s *Server) rightsRoutes() map[string]route {
	return map[string]route{
		"GET /{e}/administrators":             {action: m.ReadSettings, answer: s.listAdministrators},
		"POST /{e}/administrators":            {action: m.CreateAdministrator, answer: s.createAdministrator},
		"GET /{e}/administrators/{id}":        {action: m.ReadSettings, answer: s.getAdministrator},
		"PATCH /{e}/administrators/{id}":      {action: m.ChangeAdministrator, answer: s.patchAdministrator},
		"DELETE /{e}/administrators/{id}":     {action: m.DeleteAdministrator, answer: s.deleteAdministrator},
		"POST /{e}/administrators/{id}/reset": {action: m.ResetAdministrator, answer: s.resetAdministrator},

		"GET /{e}/roleGroups":         {action: m.ReadSettings, answer: s.listRoleGroups},
		"GET /{e}/roleGroups/{id}":    {action: m.ReadSettings, answer: s.getRoleGroup},
		"PUT /{e}/roleGroups/{id}":    {action: m.SetRoleGroup, answer: s.putRoleGroup},
		"DELETE /{e}/roleGroups/{id}": {action: m.SetRoleGroup, answer: s.deleteRoleGroup},
	}
}

// policyRoutes are those of sign-on policies, which are another view of the sign-on order.
// An action is a part of its policy.
func (s *Server) policyRoutes() map[string]route {
	return map[string]route{
		"GET /{e}/signOnPolicies":        {action: m.Read, answer: s.listPolicies},
		"POST /{e}/signOnPolicies":       {action: m.CreatePolicy, answer: s.createPolicy},
		"GET /{e}/signOnPolicies/{p}":    {action: m.Read, answer: s.getPolicy},
		"PUT /{e}/signOnPolicies/{p}":    {action: m.ChangePolicy, answer: s.putPolicy},
		"DELETE /{e}/signOnPolicies/{p}": {action: m.DeletePolicy, answer: s.deletePolicy},

		"GET /{e}/signOnPolicies/{p}/actions":         {action: m.Read, answer: s.listActions},
		"POST /{e}/signOnPolicies/{p}/actions":        {action: m.ChangePolicy, answer: s.createAction},
		"GET /{e}/signOnPolicies/{p}/actions/{id}":    {action: m.Read, answer: s.getAction},
		"PUT /{e}/signOnPolicies/{p}/actions/{id}":    {action: m.ChangePolicy, answer: s.putAction},
		"DELETE /{e}/signOnPolicies/{p}/actions/{id}": {action: m.ChangePolicy, answer: s.deleteAction},
	}
}

// catalogueRoutes are those of what nobody changes.
func (s *Server) catalogueRoutes() map[string]route {
	return map[string]route{
		"GET //roles":      {action: m.Read, answer: s.listRoles},
		"GET //roles/{id}": {action: m.Read, answer: s.getRole},

		"GET //organizations":      {action: m.Read, answer: s.listOrganizations},
		"GET //organizations/{id}": {action: m.Read, answer: s.getOrganization},

		"GET //organizations/{o}/licenses":           {action: m.Read, answer: s.listLicenses},
		"GET //organizations/{o}/licenses/{id}":      {action: m.Read, answer: s.getLicense},
		"GET //organizations/{o}/licenses/{id}/name": {action: m.Read, answer: s.getLicenseName},

		"GET /{e}/themes":      {action: m.Read, answer: listFixed("themes", themes, "id", "name")},
		"GET /{e}/themes/{id}": {action: m.Read, answer: getFixed(themes)},

		"GET /{e}/schemas":      {action: m.Read, answer: listFixed("schemas", schemas, "id", "name")},
		"GET /{e}/schemas/{id}": {action: m.Read, answer: getFixed(schemas)},
		"GET /{e}/schemas/{s}/attributes": {
			action: m.Read,
			answer: listFixed("attributes", schemaAttributes, "id", "name", "schemaType", "enabled?"),
		},
		"GET /{e}/schemas/{s}/attributes/{id}": {action: m.Read, answer: getFixed(schemaAttributes)},

		"GET /{e}/resources":                 {action: m.Read, answer: s.listResources},
		"GET /{e}/resources/{r}":             {action: m.Read, answer: s.getResource},
		"GET /{e}/resources/{r}/scopes":      {action: m.Read, answer: listFixed("scopes", scopesIn, "id", "name")},
		"GET /{e}/resources/{r}/scopes/{id}": {action: m.Read, answer: getFixed(scopesIn)},
		"GET /{e}/resources/{r}/attributes":  {action: m.Read, answer: s.listResourceClaims},
	}
}

// address is the whole path of one in the table.
func address(path string) string {
	if beside, is := strings.CutPrefix(path, "//"); is {
		return "/v1/" + beside
	}
	return "/v1/environments" + path
}

// Places says which actions each method and path below /v1/environments is for.
// It needs no server that works: only the table is read.
func Places() map[string][]m.Action {
	places := map[string][]m.Action{}
	for pattern, r := range (&Server{}).endpoints() {
		places[pattern] = append([]m.Action{r.action}, r.or...)
	}
	return places
}
