package api

import (
	"slices"
	"strings"
)

// absence is what compatible clients look for, by what follows the environment in its
// path with a star for an ID, and what to do instead.
type absence struct {
	names, instead string
}

// absences are of settings and things of an environment that this cloud has not.
func absences() []absence {
	return []absence{
		{"activities", "Activities are read as a list: filter it by id."},
		{"adminConfig", "How administrators sign on is set in the console."},
		{"agreements users/*/agreementConsents",
			"There are no agreements here: PUT …/brand has every page lead to your privacy policy and imprint."},
		{"alertChannels", "Channels of alerts are made in the console."},
		{"apiServers authorizationPolicies decisionEndpoints",
			"Requests of other services are not decided here: let them read groups from tokens."},
		{"brandingSettings themes", "There is one theme; its colours and links are at …/brand."},
		{"capabilities", "There is nothing to find out: an environment can do all that GET /v1/openapi.json has."},
		{"credentialIssuers credentialTypes digitalWalletApplications", "Nothing is issued to wallets here."},
		{"customDomains", "People reach this cloud under the hosts of --url, certified by --tls-cert or --acme."},
		{"decryptions encryptions signings",
			"Keys here serve sign-ons alone: nothing is signed, sealed or opened for a client."},
		{"emailDomains", "Mails are sent by the server of --smtp, and come from --mail-from."},
		{"flows flowDefinitions flowPolicies applications/*/flowPolicyAssignments davinciApplications connectors " +
			"connectorInstances variables", "There are no flows here: a sign-on goes by …/signOnPolicies."},
		{"forms", "Pages of sign-ons have this cloud's own forms."},
		{"images", "Pictures are not kept here, but for the logo, which is set in the console."},
		{"integrations", "There is no catalogue here: make …/applications and …/identityProviders."},
		{"languages translations",
			"Pages come in the languages that they were translated into, by what the browser asks for."},
		{"metrics activeIdentityCounts applicationSignons totalIdentities userActivities",
			"Nothing is counted here: read …/signOns and …/activities, or have Prometheus read --metrics."},
		{"notificationsPolicies notificationsSettings templates",
			"No messages are sent to people here; administrators are told by the console's alerts."},
		{"passwordPolicies",
			"The cloud keeps no passwords: the directory's own policy holds, also when one is changed."},
		{"propagation", "Users come by their sign-ons, from directories and providers; nothing is written elsewhere."},
		{"rateLimitIpConfigs", "Limits are the same for all; --trusted-proxy says whose word on addresses counts."},
		{"recaptchaV2Config", "Wrong passwords are bounded by themselves: nobody is shown a puzzle."},
		{"riskEvaluations riskPolicySets riskPredictors",
			"Sign-ons are not weighed: wrong passwords are bounded by themselves."},
		{"status", "An environment is there or deleted, and has no other state."},
		{"subscriptions", "Activities are told to other systems by --audit-to."},
		{"verifications verifyPolicies voicePhrases users/*/verifyStatus users/*/verifyTransactions",
			"Nobody is known by documents or voice here: directories and identity providers vouch for people."},
	}
}

// partAbsences are of parts of what this cloud has, and of what cannot be made in it.
func partAbsences() []absence {
	return []absence{
		{"applications/*/roleAssignments", "An application has no role: make an API client in the console."},
		{"certificates/*/applications keys/*/applications",
			"Read …/applications: each names its certificates and keys."},
		{"deviceAuthenticationPolicies fido2Policies fidoDevicesMetadata fidoPolicies mfaSettings users/*/devices " +
			"users/*/pairingKeys applications/*/pushCredentials", "What a second factor may be is no setting; " +
			"DELETE …/users/{u}/secondFactor takes a person's away."},
		{"gateways/*/roleAssignments", "A gateway has no role."},
		{"groups/*/memberOfGroups", "No group is in another."},
		{"keyRotationPolicies", "Keys go by no schedule that could be set: make the next one at …/keys."},
		{"keys/*/csr", "A key comes with its certificate: nobody else signs it."},
		{"resources", "There is one resource, openid: an application's claims are at …/applications/{a}/attributes, " +
			"and APIs that read its tokens are its property resources."},
		{"roles", "Roles are what they are: see GET /v1/roles."},
		{"schemas", "The schema is the same for all, and can only be read."},
		{"users/*/roleAssignments users/*/applicationRoles",
			"Groups give roles, and nobody has one of their own: see …/groups/{id}/roleAssignments."},
		{"users/*/sessions", "POST …/users/{u}/off signs a person off everywhere."},
	}
}

// absent is what to do instead of something by that name; empty where nothing is known of
// it.
func absent(name string) string {
	for _, a := range slices.Concat(absences(), partAbsences()) {
		if slices.Contains(strings.Fields(a.names), name) {
			return a.instead
		}
	}
	return ""
}

// instead is absent for a whole path.
func instead(path string) string {
	parts := strings.Split(strings.Trim(path, "/"), "/")
	switch {
	case len(parts) < 4 || parts[0] != "v1":
		return ""
	case parts[1] == "organizations":
		return absent(parts[3])
	case parts[1] != "environments":
		return ""
	case len(parts) > 5:
		if why := absent(parts[3] + "/*/" + parts[5]); why != "" {
			return why
		}
	}
	return absent(parts[3])
}
