package command

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"ldap-gateway/cloud"
	"ldap-gateway/cloud/api"
	"ldap-gateway/cloud/management"
	"ldap-gateway/cloud/store"
	"ldap-gateway/cloud/store/storetest"
	"ldap-gateway/cloud/vault"
)

// running is an API over a real store, and the file with a client's credentials.
func running(t *testing.T) (db *store.Store, env, credentials string) {
	t.Helper()
	db, err := store.Open(t.Context(), storetest.File(t))
	check(t, err)
	t.Cleanup(func() { check(t, db.Close()) })
	e := store.Environment{Name: "Example"}
	check(t, db.NewEnvironment(t.Context(), &e))
	secret, hash := vault.NewSecret()
	c := store.Client{EnvironmentID: e.ID, Name: "c", Role: store.RoleOwner, SecretHash: hash}
	check(t, db.CreateClient(t.Context(), &c))
	server := httptest.NewServer((&api.Server{Store: db, Management: &management.Service{Store: db}}).Handler())
	t.Cleanup(server.Close)
	b, err := json.Marshal(cloud.Setup{
		EnvironmentID: e.ID, ClientID: c.ID, ClientSecret: secret, ConsoleURL: server.URL + "/console/",
	})
	check(t, err)
	credentials = filepath.Join(t.TempDir(), "client.json")
	check(t, os.WriteFile(credentials, b, 0o600))
	return db, e.ID, credentials
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// exported runs the command, and reads what it writes as Terraform does: the resources by
// their address, with their attributes as JSON.
func exported(t *testing.T, credentials string) map[string]string {
	t.Helper()
	var out, problems bytes.Buffer
	if code := Main(t.Context(), []string{"export", "terraform", "--client", credentials}, &out, &problems); code != ExitOK {
		t.Fatalf("%d: %s", code, &problems)
	}
	file, wrong := hclsyntax.ParseConfig(out.Bytes(), "main.tf", hcl.InitialPos)
	if wrong.HasErrors() {
		t.Fatalf("%v\n%s", wrong, &out)
	}
	all := map[string]string{}
	for _, block := range file.Body.(*hclsyntax.Body).Blocks {
		if block.Type != "resource" {
			continue
		}
		var text strings.Builder
		write(t, &text, "", block.Body)
		all[strings.Join(block.Labels, ".")] = text.String()
	}
	return all
}

// write writes the attributes of a body, and of the blocks in it under their names.
func write(t *testing.T, text *strings.Builder, path string, body *hclsyntax.Body) {
	t.Helper()
	for name, attribute := range body.Attributes {
		text.WriteString(path + name + "=" + valueOf(t, attribute.Expr) + "\n")
	}
	for i, block := range body.Blocks {
		write(t, text, fmt.Sprint(path, block.Type, i, "."), block.Body)
	}
}

// valueOf is a value as text; a reference is what it says.
func valueOf(t *testing.T, e hclsyntax.Expression) string {
	t.Helper()
	switch e := e.(type) {
	case *hclsyntax.ScopeTraversalExpr:
		name := e.Traversal.RootName()
		for _, step := range e.Traversal[1:] {
			name += "." + step.(hcl.TraverseAttr).Name
		}
		return name
	case *hclsyntax.ObjectConsExpr:
		text := "{"
		for _, item := range e.Items {
			key, wrong := item.KeyExpr.Value(nil)
			if wrong.HasErrors() {
				t.Fatal(wrong)
			}
			text += key.AsString() + ":" + valueOf(t, item.ValueExpr) + " "
		}
		return text + "}"
	case *hclsyntax.TupleConsExpr:
		text := "["
		for _, item := range e.Exprs {
			text += valueOf(t, item) + " "
		}
		return text + "]"
	}
	value, wrong := e.Value(nil)
	if wrong.HasErrors() {
		t.Fatal(wrong)
	}
	switch value.Type() {
	case cty.String:
		return value.AsString()
	case cty.Bool:
		return map[bool]string{true: "true", false: "false"}[value.True()]
	}
	return value.AsBigFloat().String()
}

// What is exported can be read by Terraform, with every text as it is, whatever is in it,
// and leads from one resource to another by its name.
func TestExportForTerraform(t *testing.T) {
	db, env, credentials := running(t)
	ctx := t.Context()
	staff := store.Population{EnvironmentID: env, Name: "Staff", Description: "quoted \"so\"\nand ${not.this} %{nor} \\ that"}
	check(t, db.CreatePopulation(ctx, &staff))
	check(t, db.CreatePopulation(ctx, &store.Population{EnvironmentID: env, Name: "staff!"}))
	group := store.Group{EnvironmentID: env, Name: "Readers", PopulationID: staff.ID}
	group.Kept.CustomData = map[string]any{"a": 1.0}
	check(t, db.CreateGroup(ctx, &group))
	gateway := store.Gateway{EnvironmentID: env, Name: "Head office", Vendor: "PingDirectory", Enabled: true}
	gateway.Declared = store.Declared{BindDN: "cn=svc", ServersHostAndPort: []string{"a:636"}, ConnectionSecurity: "TLS"}
	gateway.UserTypes = []store.UserType{{
		Name:              "Staff people",
		SearchBaseDN:      "ou=people",
		PasswordAuthority: "LDAP",
		Correlation:       []string{"entryUUID", "uid"},
		FilterPattern:     "(uid=${identifier})",
		PopulationID:      staff.ID,
		Mappings:          []store.Mapping{{Name: "username", Value: "${ldapAttributes.uid}"}},
	}}
	check(t, db.CreateGateway(ctx, &gateway))
	check(t, db.CreateApplication(ctx, &store.Application{
		EnvironmentID: env,
		Name:          "Wiki",
		Type:          store.WebApplication,
		RedirectURIs:  []string{"https://wiki.example/cb"},
		Kept:          store.ApplicationKept{Usual: []string{"includeX5t", "parTimeout"}},
		OpenID:        store.OpenID{AccessRule: store.AccessRule{Access: []string{group.ID}}},
	}))
	all := exported(t, credentials)
	for address, parts := range map[string][]string{
		"pingone_population.r_default": {"name=Default", "environment_id=var.environment_id"},
		"pingone_population.r_staff":   {"name=Staff", "description=" + staff.Description + "\n"},
		"pingone_population.r_staff_2": {"name=staff!"},
		"pingone_group.r_readers":      {"population_id=pingone_population.r_staff.id", `custom_data={"a":1}`},
		"pingone_gateway.r_head_office": {
			"bind_password=var.bind_password_of_", "servers=[a:636 ]", "follow_referrals=false", "vendor=PingDirectory",
			"{Staff people:{password_authority:LDAP search_base_dn:ou=people user_link_attributes:[entryUUID uid ]",
			"ldap_filter_pattern:(uid=${identifier}) population_id:pingone_population.r_staff.id",
			"[{name:username value:${ldapAttributes.uid} } ]",
		},
		"pingone_application.r_wiki": {
			"type:WEB_APP", "grant_types:[AUTHORIZATION_CODE ]", "redirect_uris:[https://wiki.example/cb ]", "enabled=false",
			"access_control_group_options={type:ANY_GROUP groups:[pingone_group.r_readers.id ] }", "include_x5t:false",
			"par_timeout:60",
		},
		"pingone_sign_on_policy.r_default":                 {"name=Default"},
		"pingone_application_attribute_mapping.r_wiki_sub": {"application_id=pingone_application.r_wiki.id", "value=${user.id}"},
		"pingone_application_resource_grant.r_wiki":        {"resource_type=OPENID_CONNECT", "scopes=["},
	} {
		for _, part := range parts {
			if !strings.Contains(all[address], part) {
				t.Errorf("%s has no %q: %q", address, part, all[address])
			}
		}
	}
	if len(all) != 9 {
		t.Errorf("%d resources: %v", len(all), all)
	}
}

// An application of SAML is one of its own kind of options.
func TestExportOfSAMLForTerraform(t *testing.T) {
	db, env, credentials := running(t)
	a := store.Application{
		EnvironmentID: env, Name: "Wiki", Protocol: store.SAML, Type: store.WebApplication, Enabled: true,
		Groups: store.GroupsClaim{Value: store.GroupNames},
		SAML: store.ServiceProvider{
			EntityID: "https://wiki.example/${sp}", ACS: []string{"https://wiki.example/acs"}, AssertionSeconds: 60, AssertionSigned: true,
			RequestsSigned: true, CertificateIDs: []string{"c1"}, Cipher: "AES_256", EncryptedWith: "c1", KeyID: "k1", Algorithm: "SHA256withRSA",
			SLOBinding: "HTTP_REDIRECT", SLOEndpoint: "https://wiki.example/slo", SessionSeconds: 3600,
		},
	}
	check(t, db.CreateApplication(t.Context(), &a))
	all := exported(t, credentials)
	got := all["pingone_application.r_wiki"]
	if got == "" {
		t.Fatalf("%q", all)
	}
	for _, want := range []string{
		"sp_entity_id:https://wiki.example/${sp} ", "acs_urls:[https://wiki.example/acs ]", "assertion_duration:60 ", "assertion_signed_enabled:true ",
		"sp_verification:{authn_request_signed:true certificate_ids:[c1 ]", "sp_encryption:{algorithm:AES_256 certificate:{id:c1 }",
		"idp_signing_key:{algorithm:SHA256withRSA key_id:k1 }", "slo_binding:HTTP_REDIRECT ", "session_not_on_or_after_duration:3600 ",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("no %s in\n%s", want, got)
		}
	}
	if strings.Contains(got, "oidc_options") {
		t.Error(got)
	}
}

// Every kind of action is written with all that it says, after what it names, and so is
// which policies an application has.
func TestExportOfPoliciesForTerraform(t *testing.T) {
	db, env, credentials := running(t)
	ctx := t.Context()
	partner := store.IdentityProvider{EnvironmentID: env, Name: "Partner", Type: store.OpenIDConnect}
	partner.Config.OIDC = &store.OIDCConfig{}
	check(t, db.CreateIdentityProvider(ctx, &partner))
	gateway := store.Gateway{EnvironmentID: env, Name: "Lab", UserTypes: []store.UserType{{ID: "t1", Name: "Staff"}}}
	check(t, db.CreateGateway(ctx, &gateway))
	yes := true
	two := store.SignOnPolicy{EnvironmentID: env, Name: "Two steps", Actions: []store.PolicyAction{{
		ID: "a1", Type: store.ActionIdentifierFirst, Priority: 1, Providers: []string{partner.ID},
		Rules: []store.PolicyDomain{{Contains: "@${x}", Provider: partner.ID}, {Contains: "b", Provider: partner.ID}},
	}, {
		ID: "a2", Type: store.ActionLogin, Priority: 2, Recovery: &yes,
		Order: []store.UserTypeRef{{Gateway: gateway.ID, UserType: "t1"}},
	}}}
	straight := store.SignOnPolicy{EnvironmentID: env, Name: "Straight", Actions: []store.PolicyAction{
		{ID: "a3", Type: store.ActionProvider, Priority: 7, Providers: []string{partner.ID}},
		{ID: "a4", Type: store.ActionMultiFactor, Priority: 8},
	}}
	check(t, db.SavePolicy(ctx, &two))
	check(t, db.SavePolicy(ctx, &straight))
	app := store.Application{EnvironmentID: env, Name: "Wiki", Type: store.WebApplication}
	app.Kept.Policies = []store.PolicyAssignment{{ID: "x1", Policy: two.ID, Priority: 3}}
	check(t, db.CreateApplication(ctx, &app))
	all := exported(t, credentials)
	const action, to = "pingone_sign_on_policy_action.r_", "pingone_identity_provider.r_partner.id"
	for address, parts := range map[string][]string{
		action + "two_steps_identifier_first": {
			"sign_on_policy_id=pingone_sign_on_policy.r_two_steps.id", "priority=1\n", "social_provider_ids=[" + to + " ]",
			"identifier_first0.discovery_rule0.attribute_contains_text=@${x}\n",
			"identifier_first0.discovery_rule1.attribute_contains_text=b\n",
			"identifier_first0.discovery_rule1.identity_provider_id=" + to,
		},
		action + "two_steps_login": {
			"login0.recovery_enabled=true", "login0.new_user_provisioning0.gateway0.id=pingone_gateway.r_lab.id",
			"login0.new_user_provisioning0.gateway0.user_type_id=t1", "login0.new_user_provisioning0.gateway0.type=LDAP",
		},
		action + "straight_identity_provider": {"priority=7\n", "identity_provider0.identity_provider_id=" + to},
		"pingone_application_sign_on_policy_assignment.r_wiki_3": {
			"application_id=pingone_application.r_wiki.id", "sign_on_policy_id=pingone_sign_on_policy.r_two_steps.id", "priority=3",
		},
	} {
		for _, part := range parts {
			if !strings.Contains(all[address], part) {
				t.Errorf("%s has no %q: %q", address, part, all[address])
			}
		}
	}
}
