package command

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"ldap-gateway/cloud/api/client"
)

// exportCommand is "export", which has one form so far.
func (c *command) exportCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "export",
		Short: "Write the configuration of a running cloud for other programs",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	var a access
	var within string
	terraform := &cobra.Command{
		Use:   "terraform",
		Short: "Write the configuration of an environment for Terraform",
		Args:  cobra.NoArgs,
		Long: `Write populations, ordinary groups, gateways, applications with their claims and grants, identity
providers with their attributes, and sign-on policies with their actions and assignments of an
environment as the incumbent's Terraform provider has them, each with the block that imports it.
Secrets are variables: none is written. Certificates and keys are named by their IDs. Users,
just-in-time groups, instances, actions that ask for a second factor, and what this cloud has
besides are left out.`,
		Example: "  ldap-cloud export terraform --client client.json > main.tf",
		RunE: func(cmd *cobra.Command, _ []string) error {
			api, err := a.open()
			if err != nil {
				return err
			}
			api.Within = cmp.Or(within, api.Environment)
			e := exporter{api: api, out: c.stdout, names: map[string]string{}, used: map[string]bool{}}
			return e.all(cmd.Context())
		},
	}
	a.addTo(terraform)
	terraform.Flags().StringVar(&within, "environment", "",
		"ID of an environment that the client's own has made (default: the client's own)")
	cmd.AddCommand(terraform)
	return cmd
}

// exporter writes resources. Each has a name of its own, by which others refer to it.
type exporter struct {
	api   *client.Client
	out   io.Writer
	names map[string]string // by ID: "pingone_population.staff"
	used  map[string]bool   // names that are taken
	err   error             // the first of writing

	policies, applications, providers []map[string]any // that were written, whose parts are yet to be
}

// printf writes, until something could not be written.
func (e *exporter) printf(format string, args ...any) {
	if e.err == nil {
		_, e.err = fmt.Fprintf(e.out, format, args...)
	}
}

// all writes everything, in an order in which nobody is named before it is there.
func (e *exporter) all(ctx context.Context) error {
	e.printf("# Written by ldap-cloud export terraform. What it leaves out is said by its --help.\n\n")
	e.printf("variable \"environment_id\" {\n  type    = string\n  default = %s\n}\n", quote(e.api.Within))
	for _, part := range []struct {
		list  string
		write func(map[string]any)
	}{
		{"/populations", e.population},
		{"/groups", e.group},
		{"/gateways", e.gateway},
		{"/identityProviders", e.provider},
		{"/applications", e.application},
		{"/signOnPolicies", e.policy},
	} {
		if err := e.each(ctx, part.list, part.write); err != nil {
			return err
		}
	}
	if err := cmp.Or(e.ways(ctx), e.claims(ctx)); err != nil {
		return err
	}
	return e.err
}

// each calls write for all of a list.
func (e *exporter) each(ctx context.Context, list string, write func(map[string]any)) error {
	return lister{api: e.api, path: list}.each(ctx, func(_ string, item json.RawMessage) error {
		var properties map[string]any
		if err := json.Unmarshal(item, &properties); err != nil {
			return err
		}
		write(properties)
		return nil
	})
}

// notName is what a name of Terraform does not have.
var notName = regexp.MustCompile(`[^a-z0-9]+`)

// begin gives a resource a name, and writes how it is imported: by what it belongs to, too.
func (e *exporter) begin(kind string, r map[string]any, of ...string) (name string) {
	text, _ := r["name"].(string)
	id, _ := r["id"].(string)
	base := "r_" + strings.Trim(notName.ReplaceAllString(strings.ToLower(text), "_"), "_")
	name = base
	for i := 2; e.used[kind+"."+name]; i++ {
		name = base + "_" + strconv.Itoa(i)
	}
	e.used[kind+"."+name] = true
	e.names[id] = kind + "." + name
	path := slices.Concat([]string{e.api.Within}, of, []string{id})
	e.printf("\nimport {\n  to = %s.%s\n  id = %s\n}\n", kind, name, quote(strings.Join(path, "/")))
	return name
}

// resource writes one with its attributes; those without a value are left out.
func (e *exporter) resource(kind string, r map[string]any, attributes ...attribute) {
	name := e.begin(kind, r)
	attributes = append([]attribute{{"environment_id", literal("var.environment_id")}, {"name", r["name"]}}, attributes...)
	e.printf("\nresource %s %s %s\n", quote(kind), quote(name), render(attributes, ""))
}

func (e *exporter) population(r map[string]any) {
	e.resource("pingone_population", r,
		attribute{"description", r["description"]},
		attribute{"alternative_identifiers", r["alternativeIdentifiers"]},
		attribute{"preferred_language", r["preferredLanguage"]},
	)
}

// group leaves groups out that sign-ons make: they cannot be made otherwise.
func (e *exporter) group(r map[string]any) {
	if jit, _ := r["justInTime"].(bool); jit {
		return
	}
	var custom any
	if r["customData"] != nil {
		b, _ := json.Marshal(r["customData"]) // it was JSON before
		custom = string(b)
	}
	e.resource("pingone_group", r,
		attribute{"description", r["description"]},
		attribute{"external_id", r["externalId"]},
		attribute{"population_id", e.reference(at(r, "population.id"))},
		attribute{"custom_data", custom},
	)
}

func (e *exporter) gateway(r map[string]any) {
	types := []attribute{}
	list, _ := r["userTypes"].([]any)
	for _, item := range list {
		if t, is := item.(map[string]any); is {
			types = append(types, attribute{quote(fmt.Sprint(t["name"])), e.userType(t)})
		}
	}
	var password, users, kerberos any
	if r["bindDN"] != nil {
		password = e.secret("bind_password", r)
	}
	if len(types) > 0 {
		users = types
	}
	if k, is := r["kerberos"].(map[string]any); is && k["serviceAccountUserPrincipalName"] != nil {
		kerberos = []attribute{
			{"service_account_upn", k["serviceAccountUserPrincipalName"]},
			{"retain_previous_credentials_mins", k["minutesToRetainPreviousCredentials"]},
		}
	}
	e.resource("pingone_gateway", r,
		attribute{"description", r["description"]},
		attribute{"enabled", r["enabled"]},
		attribute{"type", r["type"]},
		attribute{"vendor", r["vendor"]},
		attribute{"servers", r["serversHostAndPort"]},
		attribute{"bind_dn", r["bindDN"]},
		attribute{"bind_password", password},
		attribute{"connection_security", r["connectionSecurity"]},
		attribute{"follow_referrals", r["followReferrals"]},
		attribute{"validate_tls_certificates", r["validateTlsCertificates"]},
		attribute{"kerberos", kerberos},
		attribute{"user_types", users},
	)
}

// userType leaves out how groups are found, which the incumbent has no place for.
func (e *exporter) userType(t map[string]any) []attribute {
	var lookup any
	if l, is := t["newUserLookup"].(map[string]any); is {
		lookup = []attribute{
			{"ldap_filter_pattern", l["ldapFilterPattern"]},
			{"population_id", e.reference(at(l, "population.id"))},
			{"attribute_mappings", l["attributeMappings"]},
		}
	}
	return []attribute{
		{"password_authority", t["passwordAuthority"]},
		{"search_base_dn", t["searchBaseDn"]},
		{"user_link_attributes", t["orderedCorrelationAttributes"]},
		{"allow_password_changes", t["allowPasswordChanges"]},
		{"update_user_on_successful_authentication", t["updateUserOnSuccessfulAuthentication"]},
		{"new_user_lookup", lookup},
	}
}

// provider writes one of either protocol, without its attributes, which come after all.
func (e *exporter) provider(r map[string]any) {
	e.providers = append(e.providers, r)
	if r["type"] == "SAML" {
		e.samlProvider(r)
		return
	}
	openID := []attribute{
		{"client_id", r["clientId"]},
		{"client_secret", e.secret("client_secret", r)},
		{"issuer", r["issuer"]},
		{"authorization_endpoint", r["authorizationEndpoint"]},
		{"token_endpoint", r["tokenEndpoint"]},
		{"token_endpoint_auth_method", r["tokenEndpointAuthMethod"]},
		{"userinfo_endpoint", r["userInfoEndpoint"]},
		{"jwks_endpoint", r["jwksEndpoint"]},
		{"discovery_endpoint", r["discoveryEndpoint"]},
		{"pkce_method", r["pkceMethod"]},
		{"scopes", r["scopes"]},
	}
	e.ofProvider(r, attribute{"openid_connect", openID})
}

// ofProvider writes what providers of all protocols have, and what one has of its own.
func (e *exporter) ofProvider(r map[string]any, own attribute) {
	e.resource("pingone_identity_provider", r,
		attribute{"description", r["description"]},
		attribute{"enabled", r["enabled"]},
		attribute{"registration_population_id", e.reference(at(r, "registration.population.id"))},
		own,
	)
}

// policy writes a policy without its actions, which come after all policies.
func (e *exporter) policy(r map[string]any) {
	e.policies = append(e.policies, r)
	e.resource("pingone_sign_on_policy", r, attribute{"description", r["description"]})
}

// secret declares a variable for a secret of a resource, and refers to it.
func (e *exporter) secret(what string, r map[string]any) any {
	name := what + "_of_" + strings.ReplaceAll(fmt.Sprint(r["id"]), "-", "")
	e.printf("\nvariable %s {\n  type      = string\n  sensitive = true\n}\n", quote(name))
	return literal("var." + name)
}

// reference is another resource, by its name where it was written, or else by its ID; nil
// for none.
func (e *exporter) reference(id any) any {
	text, is := id.(string)
	if name, written := e.names[text]; is && written {
		return literal(name + ".id")
	}
	return id
}

// at is what is at a path of properties; nil for nothing.
func at(r map[string]any, path string) any {
	var value any = r
	for name := range strings.SplitSeq(path, ".") {
		object, _ := value.(map[string]any)
		value = object[name]
	}
	return value
}

// attribute is one line of a block.
type attribute struct {
	name  string
	value any
}

// block is one that follows its name, as older parts of Terraform have it.
type block []attribute

// literal is written as it is: a reference.
type literal string

// quote is a text of Terraform, in which nothing is a template.
func quote(text string) string {
	var b strings.Builder
	for _, r := range text {
		switch {
		case r == '"' || r == '\\':
			b.WriteString(`\` + string(r))
		case r == '\n':
			b.WriteString(`\n`)
		case r < ' ' || r == 0x7f:
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			b.WriteRune(r)
		}
	}
	return `"` + strings.NewReplacer("${", "$${", "%{", "%%{").Replace(b.String()) + `"`
}

// render writes a value. An object of the API has its properties in order.
func render(value any, indent string) string {
	switch v := value.(type) {
	case literal:
		return string(v)
	case string:
		return quote(v)
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	case []attribute:
		return renderBlock(v, indent)
	case map[string]any:
		var all []attribute
		for name, value := range v {
			all = append(all, attribute{name, value})
		}
		slices.SortFunc(all, func(a, b attribute) int { return strings.Compare(a.name, b.name) })
		return renderBlock(all, indent)
	case []any:
		var items []string
		for _, item := range v {
			items = append(items, render(item, indent))
		}
		return "[" + strings.Join(items, ", ") + "]"
	}
	return fmt.Sprint(value) // true or false
}

func renderBlock(all []attribute, indent string) string {
	var b strings.Builder
	b.WriteString("{\n")
	for _, a := range all {
		if nested, is := a.value.(block); is {
			b.WriteString(indent + "  " + a.name + " " + renderBlock(nested, indent+"  ") + "\n")
		} else if a.value != nil {
			b.WriteString(indent + "  " + a.name + " = " + render(a.value, indent+"  ") + "\n")
		}
	}
	return b.String() + indent + "}"
}
