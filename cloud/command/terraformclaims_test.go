package command

import (
	"slices"
	"strings"
	"testing"

	"ldap-gateway/cloud/store"
)

// Providers of both protocols are written with all that maps their people, and applications with all
// that they learn and may ask for, to the letter.
func TestExportOfClaimsForTerraform(t *testing.T) {
	db, env, credentials := running(t)
	ctx := t.Context()
	partner := store.IdentityProvider{EnvironmentID: env, Name: "Partner", Type: store.SAML, Enabled: true}
	partner.Config.SAML = &store.SAMLConfig{
		EntityID: "https://partner.example/${idp}", OwnEntityID: "https://id.example/sp", Endpoint: "https://partner.example/sso",
		Binding: "HTTP_POST", CertificateIDs: []string{"c1", "c2"}, SignsRequests: true, KeyID: "k1",
	}
	partner.Mappings = []store.ProviderMapping{
		{ID: "m1", Name: "username", Value: "${samlAssertion.subject}", Update: store.EmptyOnly, Core: true},
		{ID: "m2", Name: "email", Value: "${providerAttributes.mail}", Update: store.Always},
	}
	check(t, db.CreateIdentityProvider(ctx, &partner))
	google := store.IdentityProvider{EnvironmentID: env, Name: "Other", Type: store.OpenIDConnect}
	google.Config.OIDC = &store.OIDCConfig{Issuer: "https://other.example"}
	google.Mappings = []store.ProviderMapping{{ID: "m3", Name: "username", Value: "${providerAttributes.sub}", Update: store.EmptyOnly}}
	check(t, db.CreateIdentityProvider(ctx, &google))
	wiki := store.Application{EnvironmentID: env, Name: "Wiki", Type: store.WebApplication}
	wiki.Kept.Attributes = []store.ApplicationAttribute{{ID: "a1", Name: "full name", Value: "${user.name.given + ', ' + user.name.family}"}}
	wiki.Kept.Scopes = []string{"profile"}
	check(t, db.CreateApplication(ctx, &wiki))
	old := store.Application{EnvironmentID: env, Name: "Old", Protocol: store.SAML, Type: store.WebApplication}
	old.SAML = store.ServiceProvider{EntityID: "https://old.example", ACS: []string{"https://old.example/acs"}, AssertionSeconds: 60}
	old.Kept.Attributes = []store.ApplicationAttribute{{ID: "a2", Name: "mail", Value: "${user.email}", Required: true}}
	check(t, db.CreateApplication(ctx, &old))
	all := exported(t, credentials)
	const mapping, claim = "pingone_identity_provider_attribute.r_", "pingone_application_attribute_mapping.r_"
	for address, parts := range map[string][]string{
		"pingone_identity_provider.r_partner": {
			"enabled=true", "saml={idp_entity_id:https://partner.example/${idp} sp_entity_id:https://id.example/sp sso_binding:HTTP_POST ",
			"sso_endpoint:https://partner.example/sso ", "authentication_request_signed:true ",
			"idp_verification:{certificates:[{id:c1 } {id:c2 } ] }", "sp_signing:{key:{id:k1 } }",
		},
		mapping + "partner_username": {
			"identity_provider_id=pingone_identity_provider.r_partner.id", "update=EMPTY_ONLY", "value=${samlAssertion.subject}\n",
		},
		mapping + "partner_email":  {"name=email\n", "update=ALWAYS", "value=${providerAttributes.mail}\n"},
		mapping + "other_username": {"identity_provider_id=pingone_identity_provider.r_other.id", "value=${providerAttributes.sub}\n"},
		claim + "wiki_full_name": {
			"application_id=pingone_application.r_wiki.id", "name=full name\n", "required=false",
			"value=${user.name.given + ', ' + user.name.family}\n",
		},
		claim + "old_mail":         {"application_id=pingone_application.r_old.id", "name=mail\n", "required=true"},
		claim + "old_saml_subject": {"name=saml_subject\n"},
		"pingone_application_resource_grant.r_wiki": {
			"application_id=pingone_application.r_wiki.id", "resource_type=OPENID_CONNECT",
		},
	} {
		for _, part := range parts {
			if !strings.Contains(all[address], part) {
				t.Errorf("%s has no %q: %q", address, part, all[address])
			}
		}
	}
	_, scopes, _ := strings.Cut(all["pingone_application_resource_grant.r_wiki"], "scopes=[")
	scopes, _, _ = strings.Cut(scopes, "]") // other attributes may come after
	if ids := strings.Fields(scopes); len(ids) != 1 {
		t.Errorf("one scope was granted: %q", scopes)
	}
	if _, is := all["pingone_application_resource_grant.r_old"]; is {
		t.Error("one of SAML has a grant")
	}
	for address, text := range all {
		if strings.Contains(text, "saml_subject_nameformat") && !slices.Contains([]string{claim + "old_saml_subject"}, address) {
			t.Errorf("%s: %s", address, text)
		}
	}
}
