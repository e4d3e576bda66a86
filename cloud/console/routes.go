package console

import (
	"maps"

	m "ldap-gateway/cloud/management"
)

// route is who may ask for a page, and what answers it. Which role that takes is
// management's to say.
type route struct {
	action m.Action
	answer endpoint
	or     []m.Action // that the form may ask for instead
}

// open lists the pages that need no session.
// Each has to find out for itself who asks.
func (c *console) open() map[string]endpoint {
	return map[string]endpoint{
		"GET /console/setup":    c.showSetup,
		"POST /console/setup":   c.doSetup,
		"GET /console/sign-in":  c.showSignIn,
		"POST /console/sign-in": c.doSignIn,

		"GET /console/organisation": c.enter,

		"GET /console/sign-in/second":           c.showSecond,
		"POST /console/sign-in/second":          c.doSecond,
		"POST /console/sign-in/passkey/options": c.askPasskey,
		"POST /console/sign-in/passkey":         c.takePasskey,
	}
}

// closed lists the pages of those who have signed in.
// A page that only asks, as before a deletion, is for whoever may do it; one that shows
// what is settled, with a form, is for all who read.
func (c *console) closed() map[string]route {
	all := map[string]route{
		"GET /console/{$}":         {action: m.Read, answer: c.showOverview},
		"GET /console/help":        {action: m.Read, answer: c.showHelp},
		"GET /console/help/{page}": {action: m.Read, answer: c.showHelpPage},
		"POST /console/sign-out":   {action: m.Read, answer: c.doSignOut},
	}
	for _, part := range []map[string]route{
		c.gatewayPages(), c.instancePages(), c.kerberosPages(), c.applicationPages(), c.userPages(), c.groupPages(),
		c.populationPages(), c.providerPages(), c.accountPages(), c.settingsPages(), c.rightsPages(), c.alertPages(),
	} {
		maps.Copy(all, part)
	}
	return all
}

// gatewayPages has the trial of a person as an action of its own, to look at as well.
func (c *console) gatewayPages() map[string]route {
	const one, kind = "/console/gateways/{g}", "/console/gateways/{g}/user-types/{t}"
	return map[string]route{
		"GET /console/gateways":       {action: m.Read, answer: c.listGateways},
		"GET /console/gateways/new":   {action: m.CreateGateway, answer: c.newGateway},
		"POST /console/gateways":      {action: m.CreateGateway, answer: c.createGateway},
		"GET " + one:                  {action: m.Read, answer: c.showGateway},
		"GET " + one + "/enabled":     {action: m.ChangeGateway, answer: c.askSwitchGateway},
		"POST " + one + "/enabled":    {action: m.ChangeGateway, answer: c.switchGateway},
		"GET " + one + "/delete":      {action: m.DeleteGateway, answer: c.confirmDeleteGateway},
		"POST " + one + "/delete":     {action: m.DeleteGateway, answer: c.deleteGateway},
		"GET " + one + "/try":         {action: m.TryPerson, answer: c.showTry},
		"POST " + one + "/try":        {action: m.TryPerson, answer: c.tryPerson},
		"POST " + one + "/user-types": {action: m.AddUserType, answer: c.saveUserType},

		"GET " + one + "/user-types/new": {action: m.AddUserType, answer: c.newUserType},
		"GET " + kind:                    {action: m.Read, answer: c.editUserType},
		"POST " + kind:                   {action: m.ChangeUserType, answer: c.saveUserType},
		"GET " + kind + "/delete":        {action: m.RemoveUserType, answer: c.confirmDeleteUserType},
		"POST " + kind + "/relink":       {action: m.RelinkUsers, answer: c.relinkUsers},
		"POST " + kind + "/delete":       {action: m.RemoveUserType, answer: c.deleteUserType},
	}
}

func (c *console) instancePages() map[string]route {
	const of = "/console/gateways/{g}"
	return map[string]route{
		"POST " + of + "/pairings":             {action: m.OfferPairing, answer: c.createPairing},
		"GET " + of + "/pairings/{id}":         {action: m.Read, answer: c.showPairing},
		"POST " + of + "/pairings/{id}/delete": {action: m.WithdrawPairing, answer: c.deletePairing},
		"GET " + of + "/approve":               {action: m.ApprovePairing, answer: c.showWaiting},
		// One form has a button for either.
		"POST " + of + "/approve": {
			action: m.ApprovePairing,
			answer: c.decideWaiting,
			or:     []m.Action{m.DenyPairing},
		},
		"POST " + of + "/instances/{i}/rotate": {action: m.RotateInstance, answer: c.rotate},
		"GET " + of + "/instances/{i}/revoke":  {action: m.RevokeInstance, answer: c.confirmRevoke},
		"POST " + of + "/instances/{i}/revoke": {action: m.RevokeInstance, answer: c.revoke},
	}
}

// kerberosPages has the end of it as a change of the gateway.
func (c *console) kerberosPages() map[string]route {
	const of = "/console/gateways/{g}/kerberos"
	return map[string]route{
		"GET " + of:                        {action: m.Read, answer: c.showKerberos},
		"POST " + of:                       {action: m.ChangeGateway, answer: c.saveKerberos},
		"GET " + of + "/off":               {action: m.ChangeGateway, answer: c.askStopKerberos},
		"POST " + of + "/off":              {action: m.ChangeGateway, answer: c.stopKerberos},
		"POST " + of + "/keys":             {action: m.UseKeys, answer: c.addKeys},
		"GET " + of + "/keys/{id}/delete":  {action: m.DeleteKeys, answer: c.askDeleteKeys},
		"POST " + of + "/keys/{id}/delete": {action: m.DeleteKeys, answer: c.deleteKeys},
	}
}

func (c *console) applicationPages() map[string]route {
	const one = "/console/applications/{a}"
	return map[string]route{
		"GET /console/applications":       {action: m.Read, answer: c.listApplications},
		"POST /console/applications":      {action: m.CreateApplication, answer: c.createApplication},
		"GET /console/applications/new":   {action: m.CreateApplication, answer: c.newApplication},
		"GET /console/applications/saml":  {action: m.CreateApplication, answer: c.newSAML},
		"POST /console/applications/saml": {action: m.CreateApplication, answer: c.createSAMLApplication},
		"POST /console/own":               {action: m.MakeKey, answer: c.nextKey},
		"GET /console/own/{id}/default":   {action: m.MakeKey, answer: c.askChooseKey},
		"POST /console/own/{id}/default":  {action: m.MakeKey, answer: c.chooseKey},
		"GET /console/own/{id}/delete":    {action: m.DeleteCertificate, answer: c.askDeleteKey},
		"POST /console/own/{id}/delete":   {action: m.DeleteCertificate, answer: c.deleteKey},
		"GET " + one:                      {action: m.Read, answer: c.showApplication},
		"POST " + one:                     {action: m.ChangeApplication, answer: c.changeApplication},
		"GET " + one + "/access":          {action: m.ChangeApplication, answer: c.askAccess},
		"POST " + one + "/access":         {action: m.ChangeApplication, answer: c.changeAccess},
		"GET " + one + "/enabled":         {action: m.ChangeApplication, answer: c.askSwitchApplication},
		"POST " + one + "/enabled":        {action: m.ChangeApplication, answer: c.switchApplication},
		"GET " + one + "/secret":          {action: m.RenewApplication, answer: c.askMakeSecret},
		"POST " + one + "/secret":         {action: m.RenewApplication, answer: c.makeSecret},
		"GET " + one + "/secret/end":      {action: m.RenewApplication, answer: c.askEndSecret},
		"POST " + one + "/secret/end":     {action: m.RenewApplication, answer: c.endSecret},
		"GET " + one + "/delete":          {action: m.DeleteApplication, answer: c.askDeleteApplication},
		"POST " + one + "/delete":         {action: m.DeleteApplication, answer: c.deleteApplication},
	}
}

// userPages has the activities as well.
func (c *console) userPages() map[string]route {
	const one = "/console/users/{u}"
	return map[string]route{
		"GET /console/users":          {action: m.Read, answer: c.listUsers},
		"GET /console/users/export":   {action: m.SaveLists, answer: c.whole(c.exportUsers)},
		"GET /console/users/selected": {action: m.SignOffUser, answer: c.askSelected},
		"POST /console/users/selected": {
			action: m.SignOffUser,
			answer: c.doSelected,
			or:     []m.Action{m.ChangeUser, m.DeleteUser},
		},
		"GET /console/users/new":       {action: m.CreateUser, answer: c.newUser},
		"POST /console/users":          {action: m.CreateUser, answer: c.createUser},
		"GET " + one:                   {action: m.Read, answer: c.showUser},
		"GET " + one + "/edit":         {action: m.ChangeUser, answer: c.editUser},
		"POST " + one:                  {action: m.ChangeUser, answer: c.changeUser},
		"GET " + one + "/enabled":      {action: m.ChangeUser, answer: c.askSwitchUser},
		"POST " + one + "/enabled":     {action: m.ChangeUser, answer: c.switchUser},
		"GET " + one + "/off":          {action: m.SignOffUser, answer: c.askSignOffUser},
		"POST " + one + "/off":         {action: m.SignOffUser, answer: c.signOffUser},
		"GET " + one + "/factor":       {action: m.ResetFactor, answer: c.askResetFactor},
		"POST " + one + "/factor":      {action: m.ResetFactor, answer: c.resetFactor},
		"GET " + one + "/delete":       {action: m.DeleteUser, answer: c.confirmDeleteUser},
		"POST " + one + "/delete":      {action: m.DeleteUser, answer: c.deleteUser},
		"POST " + one + "/link":        {action: m.LinkUser, answer: c.linkUser},
		"GET /console/activity":        {action: m.Read, answer: c.listActivity},
		"GET /console/activity/live":   {action: m.Read, answer: c.within(c.Streams, c.streamActivity)},
		"GET /console/activity/export": {action: m.SaveLists, answer: c.whole(c.exportActivity)},

		"GET " + one + "/groups/{group}/remove":  {action: m.RemoveMember, answer: c.confirmRemoveMember},
		"POST " + one + "/groups/{group}/remove": {action: m.RemoveMember, answer: c.removeMember},
	}
}

func (c *console) groupPages() map[string]route {
	const one = "/console/groups/{group}"
	return map[string]route{
		"GET /console/groups":           {action: m.Read, answer: c.listGroups},
		"GET /console/groups/export":    {action: m.SaveLists, answer: c.whole(c.exportGroups)},
		"GET /console/groups/selected":  {action: m.DeleteGroup, answer: c.askSelectedGroups},
		"POST /console/groups/selected": {action: m.DeleteGroup, answer: c.deleteSelectedGroups},
		"GET /console/groups/new":       {action: m.CreateGroup, answer: c.newGroup},
		"POST /console/groups":          {action: m.CreateGroup, answer: c.createGroup},
		"GET " + one:                    {action: m.Read, answer: c.showGroup},
		"GET " + one + "/edit":          {action: m.ChangeGroup, answer: c.editGroup},
		"POST " + one:                   {action: m.ChangeGroup, answer: c.changeGroup},
		"GET " + one + "/delete":        {action: m.DeleteGroup, answer: c.confirmDeleteGroup},
		"POST " + one + "/delete":       {action: m.DeleteGroup, answer: c.deleteGroup},
		"POST " + one + "/members":      {action: m.AddMember, answer: c.addToGroup},
		"GET " + one + "/release":       {action: m.ReleaseGroup, answer: c.askRelease},
		"POST " + one + "/release":      {action: m.ReleaseGroup, answer: c.releaseGroup},
	}
}

func (c *console) populationPages() map[string]route {
	const one = "/console/populations/{p}"
	return map[string]route{
		"GET /console/populations":  {action: m.Read, answer: c.listPopulations},
		"POST /console/populations": {action: m.CreatePopulation, answer: c.createPopulation},
		"GET " + one:                {action: m.ChangePopulation, answer: c.editPopulation},
		"POST " + one:               {action: m.ChangePopulation, answer: c.changePopulation},
		"GET " + one + "/delete":    {action: m.DeletePopulation, answer: c.confirmDeletePopulation},
		"POST " + one + "/delete":   {action: m.DeletePopulation, answer: c.deletePopulation},
	}
}

func (c *console) providerPages() map[string]route {
	const one = "/console/providers/{p}"
	return map[string]route{
		"GET /console/providers":     {action: m.Read, answer: c.listProviders},
		"GET /console/providers/new": {action: m.CreateProvider, answer: c.newProvider},
		"POST /console/providers":    {action: m.CreateProvider, answer: c.createProvider},
		"GET " + one:                 {action: m.Read, answer: c.showProvider},
		"POST " + one:                {action: m.ChangeProvider, answer: c.changeProvider},
		"GET " + one + "/settings":   {action: m.Read, answer: c.showProviderSettings},
		"POST " + one + "/mappings":  {action: m.ChangeProvider, answer: c.saveMappings},
		"GET " + one + "/enabled":    {action: m.ChangeProvider, answer: c.askSwitchProvider},
		"POST " + one + "/enabled":   {action: m.ChangeProvider, answer: c.switchProvider},
		"POST " + one + "/check":     {action: m.TryProvider, answer: c.checkProvider},
		"POST " + one + "/try":       {action: m.TryProvider, answer: c.tryProvider},
		"POST " + one + "/key":       {action: m.MakeKey, answer: c.makeKey},
		"GET " + one + "/delete":     {action: m.DeleteProvider, answer: c.confirmDeleteProvider},
		"POST " + one + "/delete":    {action: m.DeleteProvider, answer: c.deleteProvider},

		"POST " + one + "/certificates":             {action: m.AddCertificate, answer: c.addProviderCertificate},
		"GET " + one + "/certificates/{id}/delete":  {action: m.DeleteCertificate, answer: c.askDropCertificate},
		"POST " + one + "/certificates/{id}/delete": {action: m.DeleteCertificate, answer: c.dropProviderCertificate},

		"POST /console/users/{u}/accounts":             {action: m.LinkAccount, answer: c.linkAccount},
		"GET /console/users/{u}/accounts/{id}/delete":  {action: m.UnlinkAccount, answer: c.askUnlink},
		"POST /console/users/{u}/accounts/{id}/delete": {action: m.UnlinkAccount, answer: c.unlinkAccount},
	}
}

// accountPages list what somebody settles about their own way in.
func (c *console) accountPages() map[string]route {
	return map[string]route{
		"GET /console/account":                  {action: m.KeepOwn, answer: c.showAccount},
		"POST /console/account/password":        {action: m.KeepOwn, answer: c.changePassword},
		"GET /console/account/one-time":         {action: m.KeepOwn, answer: c.newOneTime},
		"GET /console/account/one-time.png":     {action: m.KeepOwn, answer: c.drawOneTime},
		"POST /console/account/one-time":        {action: m.KeepOwn, answer: c.keepOneTime},
		"POST /console/account/one-time/delete": {action: m.KeepOwn, answer: c.dropOneTime},
		"POST /console/account/passkey/options": {action: m.KeepOwn, answer: c.askNewPasskey},
		"POST /console/account/passkey":         {action: m.KeepOwn, answer: c.keepPasskey},
		"GET /console/account/recovery":         {action: m.KeepOwn, answer: c.showRecovery},
		"POST /console/account/recovery":        {action: m.KeepOwn, answer: c.makeRecovery},
		"POST /console/account/passkey/delete":  {action: m.KeepOwn, answer: c.dropPasskey},
	}
}

// settingsPages list what owners settle about the environment.
func (c *console) settingsPages() map[string]route {
	return map[string]route{
		"GET /console/settings":          {action: m.ReadSettings, answer: c.showSettings},
		"POST /console/settings":         {action: m.ChangeSettings, answer: c.saveSettings},
		"POST /console/settings/logo":    {action: m.SetLogo, answer: c.saveLogo},
		"GET /console/settings/logo.png": {action: m.Read, answer: c.drawLogo},
		"GET /console/settings/sign-on":  {action: m.ReadSettings, answer: c.showOrder},
		"POST /console/settings/sign-on": {action: m.MoveSignOnOrder, answer: c.moveOrder},

		"GET /console/settings/policies":         {action: m.ReadSettings, answer: c.showPolicies},
		"POST /console/settings/policies":        {action: m.CreatePolicy, answer: c.createPolicy},
		"POST /console/settings/policies/factor": {action: m.ChangePolicy, answer: c.endPolicyFactor},

		"GET /console/settings/policies/{policy}/factor":  {action: m.ChangePolicy, answer: c.askPolicyFactor},
		"POST /console/settings/policies/{policy}/factor": {action: m.ChangePolicy, answer: c.setPolicyFactor},

		"GET /console/settings/policies/{policy}/block":  {action: m.ChangePolicy, answer: c.askBlock},
		"POST /console/settings/policies/{policy}/block": {action: m.ChangePolicy, answer: c.blockFactor},

		"GET /console/settings/policies/{policy}/delete":  {action: m.DeletePolicy, answer: c.askDeletePolicy},
		"POST /console/settings/policies/{policy}/delete": {action: m.DeletePolicy, answer: c.deletePolicy},
	}
}

// rightsPages list what owners settle about who may do what.
func (c *console) rightsPages() map[string]route {
	const admins, clients = "/console/settings/administrators", "/console/settings/clients"
	return map[string]route{
		"GET " + admins:                             {action: m.ReadSettings, answer: c.listAdministrators},
		"POST " + admins:                            {action: m.CreateAdministrator, answer: c.addAdministrator},
		"POST " + admins + "/{id}":                  {action: m.ChangeAdministrator, answer: c.changeAdministrator},
		"GET " + admins + "/{id}/reset":             {action: m.ReadSettings, answer: c.askResetAdministrator},
		"POST " + admins + "/{id}/reset":            {action: m.ResetAdministrator, answer: c.resetAdministrator},
		"GET " + admins + "/{id}/delete":            {action: m.ReadSettings, answer: c.askDeleteAdministrator},
		"POST " + admins + "/{id}/delete":           {action: m.DeleteAdministrator, answer: c.deleteAdministrator},
		"GET /console/settings/role-groups/{group}": {action: m.ReadSettings, answer: c.askRoleGroup},
		"POST /console/settings/role-groups":        {action: m.SetRoleGroup, answer: c.setRoleGroup},

		"GET " + clients:                       {action: m.ReadSettings, answer: c.listClients},
		"POST " + clients:                      {action: m.CreateClient, answer: c.addClient},
		"GET " + clients + "/{id}/secret":      {action: m.ReadSettings, answer: c.askRenewClient},
		"POST " + clients + "/{id}/secret":     {action: m.RenewClient, answer: c.renewClient},
		"GET " + clients + "/{id}/secret/end":  {action: m.ReadSettings, answer: c.askEndClientSecret},
		"POST " + clients + "/{id}/secret/end": {action: m.RenewClient, answer: c.endClientSecret},

		"GET " + clients + "/{id}/delete":  {action: m.ReadSettings, answer: c.askDeleteClient},
		"POST " + clients + "/{id}/delete": {action: m.DeleteClient, answer: c.deleteClient},
	}
}

func (c *console) alertPages() map[string]route {
	const channels = "/console/settings/alerts/channels"
	return map[string]route{
		"GET /console/settings/alerts":        {action: m.ReadSettings, answer: c.showAlerts},
		"POST " + channels:                    {action: m.AddChannel, answer: c.addChannel},
		"POST " + channels + "/{id}/try":      {action: m.TryChannel, answer: c.tryChannel},
		"GET " + channels + "/{id}/delete":    {action: m.ReadSettings, answer: c.askDeleteChannel},
		"POST " + channels + "/{id}/delete":   {action: m.DeleteChannel, answer: c.deleteChannel},
		"POST /console/settings/alerts/quiet": {action: m.QuietAlert, answer: c.quietAlert},
	}
}

// Places says which actions each page and form of those who have signed in is for.
// The console that it asks answers nothing: it has no store.
func Places() map[string][]m.Action {
	places := map[string][]m.Action{}
	for pattern, r := range (&console{Server: &Server{}}).closed() {
		places[pattern] = append([]m.Action{r.action}, r.or...)
	}
	return places
}
