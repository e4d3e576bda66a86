package api_test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"

	"ldap-gateway/cloud/api"
	"ldap-gateway/cloud/store"
)

// lost are the properties of what was sent that an answer does not have as they were.
func lost(path string, sent, got any) (names []string) {
	switch sent := sent.(type) {
	case object:
		told, _ := got.(object)
		for name, value := range sent {
			there, is := told[name]
			if !is {
				names = append(names, path+name+" is not told")
				continue
			}
			names = append(names, lost(path+name+".", value, there)...)
		}
	case []any:
		told, _ := got.([]any)
		if len(told) != len(sent) || told == nil {
			return []string{fmt.Sprintf("%s has %d items, not %d", path, len(told), len(sent))}
		}
		for i := range sent {
			names = append(names, lost(fmt.Sprintf("%s%d.", path, i), sent[i], told[i])...)
		}
	default:
		if !reflect.DeepEqual(sent, got) {
			names = append(names, fmt.Sprintf("%s is %v, not %v", path, got, sent))
		}
	}
	return names
}

// keeps sends a body, and fails unless all of it is told again, also when it is read.
func (s *site) keeps(method, path, body string, secret ...string) answer {
	s.t.Helper()
	var sent object
	s.must(json.Unmarshal([]byte(body), &sent))
	for _, name := range secret {
		delete(sent, name)
	}
	a := s.send(method, path, body).want(map[string]int{"POST": 201, "PUT": 200, "PATCH": 200}[method])
	if method == "POST" {
		path += "/" + a.at("id")
	}
	read := s.send("GET", path, "").want(http.StatusOK)
	for which, got := range map[string]answer{"answered": a, "read": read} {
		if names := lost("", sent, got.body); len(names) > 0 {
			s.t.Errorf("%s %s, %s: %s", method, path, which, strings.Join(names, "; "))
		}
	}
	return a
}

// What a client sends is told again as it was: also what is false, empty or nothing, and
// what this cloud does not go by.
func TestWhatIsSentIsToldAgain(t *testing.T) {
	s := full(t)
	population := s.keeps("POST", "/populations", `{"name":"Lab","description":"","preferredLanguage":"",
 "alternativeIdentifiers":[],"default":false}`).at("id")
	s.keeps("PUT", "/populations/"+population, `{"name":"Lab","alternativeIdentifiers":["lab.example.com"],
 "preferredLanguage":"fr"}`)
	group := s.keeps("POST", "/groups", `{"name":"Chemists","description":"","externalId":"","customData":{}}`).at("id")
	s.keeps("PATCH", "/groups/"+group, `{"customData":{"n":1.5,"deep":{"on":false,"list":[]}}}`)
	user := s.keeps("POST", "/users", `{"username":"marie","email":"","externalId":"","enabled":false,
 "name":{"given":"","family":"C","honorificSuffix":"PhD"},"address":{"postalCode":"75005","region":""},
 "accountId":"a-1","photo":{"href":""},"population":{"id":"`+population+`"},"nickname":"",
 "lifecycle":{"status":"ACCOUNT_OK","suppressVerificationCode":false},"emailVerified":false,
 "verifyStatus":"NOT_INITIATED","identityProvider":{"type":"PING_ONE"}}`).at("id")
	s.keeps("PATCH", "/users/"+user, `{"title":"Dr","address":{"streetAddress":"1 rue"},"attributes":{"floor":"2"}}`)
	s.keeps("PUT", "/users/"+user, `{"username":"marie","timezone":"Europe/Paris","account":{"status":"LOCKED"},
 "mfaEnabled":true}`)
	s.keeps("POST", "/gateways", `{"name":"Lab","description":"","type":"LDAP","vendor":"OpenDJ Directory Server",
 "enabled":false,"serversHostAndPort":[],"bindDN":"","followReferrals":false,"validateTlsCertificates":false,
 "connectionSecurity":"StartTLS","userTypes":[],"bindPassword":"x"}`, "bindPassword")
	s.keeps("POST", "/gateways", `{"name":"Linked","type":"LDAP","vendor":"LDAPv3-compliant Directory Server",
 "userTypes":[{"name":"Old","passwordAuthority":"LDAP","searchBaseDn":"o=x","orderedCorrelationAttributes":["uid"],
 "allowPasswordChanges":false,"updateUserOnSuccessfulAuthentication":true}],
 "kerberos":{"serviceAccountUserPrincipalName":"svc@X.EXAMPLE"}}`)
	s.keeps("POST", "/applications", `{"name":"Notebook","description":"","type":"WEB_APP","enabled":false,
 "redirectUris":["https://lab.example/cb"],"postLogoutRedirectUris":[],"tokenEndpointAuthMethod":"CLIENT_SECRET_POST",
 "homePageUrl":"","responseTypes":["CODE"],"grantTypes":["AUTHORIZATION_CODE"],"parTimeout":60,"idpSignoff":false}`)
	provider := `"enabled":false,"type":"OPENID_CONNECT","issuer":"https://i.example","clientId":"c","clientSecret":"s",
 "authorizationEndpoint":"https://i.example/a","tokenEndpoint":"https://i.example/t","jwksEndpoint":"https://i.example/j",
 "scopes":["openid"],"description":"","userInfoEndpoint":"","domains":[],"alwaysUserInfo":false}`
	id := s.keeps("POST", "/identityProviders", `{"name":"Partner",`+provider, "clientSecret").at("id")
	s.keeps("PUT", "/identityProviders/"+id, `{"name":"Partners",`+provider, "clientSecret")
	s.send("PUT", "/type", `{"type":"PRODUCTION"}`).want(http.StatusOK).has("type", "PRODUCTION")
	s.send("PUT", "/type", `{"type":"TOY"}`).refuses("type")
	policy := s.keeps("POST", "/signOnPolicies", `{"name":"Lab first","description":"","default":false}`).at("id")
	s.keeps("POST", "/signOnPolicies/"+policy+"/actions", `{"type":"LOGIN","priority":3,"recovery":{"enabled":true},
 "registration":{"enabled":false},"socialProviders":[],"newUserProvisioning":{"gateways":[{"id":"`+s.gateway.ID+`",
 "type":"LDAP","userType":{"id":"`+s.gateway.UserTypes[0].ID+`"}}]}}`)
	s.keeps("POST", "/signOnPolicies/"+policy+"/actions", `{"type":"IDENTIFIER_FIRST","priority":1,"discoveryRules":[],
 "enforceLockoutForIdentityProviders":false}`)
	straight := s.keeps("POST", "/signOnPolicies", `{"name":"Straight there"}`).at("id")
	s.keeps("POST", "/signOnPolicies/"+straight+"/actions", `{"type":"IDENTITY_PROVIDER","priority":1,
 "passUserContext":false,"identityProvider":{"id":"`+id+`"}}`)
	s.keeps("POST", "/applications/"+s.application.ID+"/attributes",
		`{"name":"tel","value":"${user.primaryPhone}","required":false}`)
	s.keeps("PUT", "/billOfMaterials", `{"products":[{"type":"PING_ONE_BASE","description":"","bookmarks":[],
 "console":{"href":"https://c.example"}}]}`)
	s.keeps("PUT", "", `{"name":"Labs","description":"","type":"SANDBOX","region":"SG","license":{"id":"l-1"}}`)
}

// Nothing is told of what nobody has said.
func TestNothingIsInvented(t *testing.T) {
	s := full(t)
	for path, c := range map[string]struct {
		body    string
		without []string
	}{
		"/populations": {`{"name":"Bare"}`, []string{
			"description", "alternativeIdentifiers", "passwordPolicy",
		}},
		"/groups": {`{"name":"Bare"}`, []string{"description", "externalId", "customData", "population", "userFilter"}},
		"/users": {`{"username":"bare"}`, []string{
			"name", "email", "externalId", "title", "address", "photo", "attributes", "lastSignOn", "password",
		}},
		"/gateways": {`{"name":"Bare","type":"LDAP","vendor":"PingDirectory"}`, []string{
			"description", "userTypes", "bindDN", "serversHostAndPort", "kerberos", "bindPassword",
		}},
		"/applications": {`{"name":"Bare","type":"NATIVE_APP","redirectUris":["bare:/cb"]}`, []string{
			"description", "postLogoutRedirectUris", "parTimeout", "idpSignoff", "homePageUrl", "secret",
		}},
		"/applications?saml": {`{"name":"Bare SAML","protocol":"SAML","type":"CUSTOM_APP","spEntityId":"urn:bare",
 "acsUrls":["https://bare.example/acs"],"assertionDuration":300}`, []string{
			"description", "enableRequestedAuthnContext", "homePageUrl", "nameIdFormat", "sloEndpoint", "defaultTargetUrl",
		}},
		"/signOnPolicies": {`{"name":"Bare"}`, []string{"description"}},
	} {
		body := s.send("POST", path, c.body).want(http.StatusCreated).body.(object)
		for _, name := range c.without {
			if value, is := body[name]; is {
				t.Errorf("%s tells %s: %v", path, name, value)
			}
		}
	}
}

// What cannot be kept or obeyed is refused by its name, and nothing of the request is done.
func TestWhatCannotBeIsRefusedByName(t *testing.T) {
	s := full(t)
	gateway := func(more string) string { return `{"name":"x","type":"LDAP","vendor":"PingDirectory"` + more + `}` }
	app := func(more string) string {
		return `{"name":"x","type":"WEB_APP","redirectUris":["https://x.example/"]` + more + `}`
	}
	action := "/signOnPolicies/" + s.policy("x") + "/actions"
	for _, c := range []struct{ method, path, body, target string }{
		{"POST", "/populations", `{"name":"x","passwordPolicy":{"id":"p"}}`, "passwordPolicy"},
		{"POST", "/populations", `{"name":"x","theme":{"id":"p"}}`, "theme.id"},
		{"PUT", "/populations/" + s.population.ID + "/defaultIdentityProvider", `{"id":"p"}`, "id"},
		{"POST", "/groups", `{"name":"x","userFilter":"username eq \"a\""}`, "userFilter"},
		{"POST", "/groups", `{"name":"x","nested":true}`, "nested"},
		{"POST", "/groups", `{"name":"x","customData":{"a":"` + strings.Repeat("x", 1<<14) + `"}}`, "customData"},
		{"POST", "/users", `{"username":"x","emailVerified":true}`, "emailVerified"},
		{"POST", "/users", `{"username":"x","verifyStatus":"ENABLED"}`, "verifyStatus"},
		{"POST", "/users", `{"username":"x","name":{"nick":"y"}}`, "name.nick"},
		{"POST", "/users", `{"username":"x","attributes":{"title":"y"}}`, "attributes.title"},
		{"POST", "/users", `{"username":"x","lifecycle":{"status":"VERIFICATION_REQUIRED"}}`, "lifecycle.status"},
		{"POST", "/users", `{"username":"x","identityProvider":{"type":"SAML"}}`, "identityProvider"},
		{"POST", "/users", `{"username":"x","account":{"canAuthenticate":false}}`, "account.canAuthenticate"},
		{"POST", "/users", `{"username":"x","account":{"status":"GONE"}}`, "account.status"},
		{"POST", "/users", `{"username":"x","password":{"value":"secret-1"}}`, "password.value"},
		{"POST", "/users", `{"username":"x","password":{"external":{"gateway":{"id":"none"}}}}`,
			"password.external.gateway.id"},
		{"POST", "/gateways", gateway(`,"userTypes":[{"name":"a","pushPasswordChangesToLDAP":true}]`),
			"userTypes[0].pushPasswordChangesToLDAP"},
		{"POST", action, `{"type":"LOGIN","priority":5,"enforceLockoutForIdentityProviders":true}`,
			"enforceLockoutForIdentityProviders"},
		{"POST", action, `{"type":"LOGIN","priority":5,"passUserContext":false}`, "passUserContext"},
		{"POST", "/users", `{"username":"x","password":{"external":{}}}`, "password.external.gateway.id"},
		{"POST", "/gateways", gateway(`,"credentials":[]`), "credentials"},
		{"POST", "/gateways", gateway(`,"vendor":"OpenDJ Directory"`), "vendor"},
		{"POST", "/applications", app(`,"parTimeout":61`), "parTimeout"},
		{"POST", "/applications", app(`,"additionalRefreshTokenReplayProtectionEnabled":false`),
			"additionalRefreshTokenReplayProtectionEnabled"},
		{"POST", "/applications", app(`,"accessControl":{"role":{"type":"ADMIN_USERS_ONLY"}}`), "accessControl.role"},
		{"POST", "/applications", app(`,"tokenEndpointAuthMethod":"NONE"`), "tokenEndpointAuthMethod"},
		{"POST", "/applications", app(`,"responseTypes":["TOKEN"]`), "responseTypes"},
		{"POST", "/applications", app(`,"grantTypes":["REFRESH_TOKEN"]`), "grantTypes"},
		{"POST", "/applications/" + s.application.ID + "/attributes", `{"name":"sub","value":"${user.email}"}`, "name"},
		{"POST", "/applications/" + s.application.ID + "/attributes", `{"name":"x","value":"${user.email + 1}"}`, "value"},
		{"POST", "/applications/" + s.application.ID + "/grants", `{"resource":{"id":"x"},"scopes":[]}`, "resource.id"},
		{"POST", "/applications/" + s.application.ID + "/signOnPolicyAssignments",
			`{"signOnPolicy":{"id":"` + s.policy("y") + `"},"priority":0}`, "priority"},
		{"POST", action, `{"type":"AGREEMENT","priority":1}`, "type"},
		{"POST", action, `{"type":"MULTI_FACTOR_AUTHENTICATION","priority":1}`, "priority"},
		{"POST", action, `{"type":"MULTI_FACTOR_AUTHENTICATION","priority":2,"noDevicesMode":"BYPASS"}`, "noDevicesMode"},
		{"POST", action, `{"type":"MULTI_FACTOR_AUTHENTICATION","priority":2,"sms":{"enabled":true}}`, "sms"},
		{"POST", action, `{"type":"MULTI_FACTOR_AUTHENTICATION","priority":2,"recovery":{"enabled":true}}`, "recovery"},
		{"POST", action, `{"type":"LOGIN","priority":1,"noDevicesMode":"BLOCK"}`, "noDevicesMode"},
		{"POST", action, `{"type":"LOGIN","priority":1,"condition":{"secondsSince":1}}`, "condition"},
		{"POST", action, `{"type":"LOGIN","priority":1,"registration":{"enabled":true}}`, "registration.enabled"},
		{"POST", action, `{"type":"LOGIN","priority":1,"identityProvider":{"id":"x"}}`, "identityProvider"},
		{"POST", action, `{"type":"LOGIN","priority":1,"newUserProvisioning":{"gateways":[{"id":"none"}]}}`,
			"newUserProvisioning.gateways[0].id"},
		{"POST", "/identityProviders", `{"name":"x","type":"OPENID_CONNECT","ssoEndpoint":"https://x.example/"}`,
			"ssoEndpoint"},
		{"POST", "/identityProviders", `{"name":"x","type":"SAML","clientId":"c"}`, "clientId"},
		{"PUT", "/billOfMaterials", `{"products":[{"type":"PING_ONE_MFA"}]}`, "products[0].type"},
		{"PUT", "", `{"name":"x","region":"MOON"}`, "region"},
	} {
		s.send(c.method, c.path, c.body).refuses(c.target)
	}
	for _, list := range []string{"/populations", "/users", "/gateways", "/applications"} {
		if a := s.send("GET", list+"?filter="+url.QueryEscape(`id pr`), "").want(http.StatusOK); strings.Contains(a.text,
			`"name":"x"`) || strings.Contains(a.text, `"username":"x"`) {
			t.Errorf("%s has what was refused: %s", list, a.text)
		}
	}
}

// policy makes a sign-on policy.
func (s *site) policy(name string) string {
	s.t.Helper()
	p := store.SignOnPolicy{EnvironmentID: s.env, Name: name}
	s.must(s.store.SavePolicy(s.t.Context(), &p))
	return p.ID
}

// provider makes an identity provider.
func (s *site) provider(name string) string {
	s.t.Helper()
	p := store.IdentityProvider{EnvironmentID: s.env, Name: name, Type: store.OpenIDConnect}
	p.Config.OIDC = &store.OIDCConfig{}
	s.must(s.store.CreateIdentityProvider(s.t.Context(), &p))
	return p.ID
}

// hrefsOf are all links in a body.
func hrefsOf(body any) (all []string) {
	switch body := body.(type) {
	case object:
		for name, value := range body {
			if text, is := value.(string); is && name == "href" {
				all = append(all, text)
			}
			all = append(all, hrefsOf(value)...)
		}
	case []any:
		for _, value := range body {
			all = append(all, hrefsOf(value)...)
		}
	}
	return all
}

// lists are the paths of all lists, with what there is in the place.
func (s *site) lists(t *testing.T) (all []string) {
	t.Helper()
	for pattern := range api.Lists() {
		path := s.fill(strings.TrimPrefix(pattern, "GET "))
		path = strings.NewReplacer(
			"signOnPolicies/"+s.population.ID, "signOnPolicies/"+s.policy(pattern),
			"identityProviders/"+s.instance.ID, "identityProviders/"+s.provider(pattern),
		).Replace(path)
		for kind, placeholder := range map[string]string{"/schemas": "{s}", "/resources": "{r}"} {
			if strings.Contains(path, placeholder) {
				id := s.send("GET", kind, "").at("_embedded." + strings.TrimPrefix(kind, "/") + ".0.id")
				path = strings.Replace(path, placeholder, id, 1)
			}
		}
		all = append(all, path)
	}
	slices.Sort(all)
	return all
}

// ask reads an address as a client does.
func (s *site) ask(address string) answer {
	s.t.Helper()
	r := httptest.NewRequestWithContext(s.t.Context(), "GET", strings.TrimPrefix(address, publicURL), nil)
	r.Header.Set("Authorization", "Bearer "+s.token)
	return s.do(r)
}

// Every link of every list is a whole URL of the cloud; a list in pages of one has all of
// it, as the links lead.
func TestLinksAreWhole(t *testing.T) {
	s := full(t)
	for _, name := range []string{"a", "b", "c"} {
		s.send("POST", "/populations", `{"name":"`+name+`"}`).want(http.StatusCreated)
	}
	for _, path := range s.lists(t) {
		whole := s.ask(api.Address(path)).want(http.StatusOK)
		for _, href := range hrefsOf(whole.body) {
			if !strings.HasPrefix(href, publicURL+"/v1/") {
				t.Errorf("%s has the link %s", path, href)
			}
		}
		n, next := 0, publicURL+api.Address(path)+"?limit=1"
		for next != "<nil>" && next != "<nothing>" && n < 50 {
			page := s.ask(next).want(http.StatusOK)
			var size int
			_, err := fmt.Sscan(page.at("size"), &size)
			s.must(err)
			n, next = n+size, page.at("_links.next.href")
		}
		if fmt.Sprint(n) != whole.at("count") {
			t.Errorf("%s has %s, and %d in pages of one", path, whole.at("count"), n)
		}
	}
}

// Every list obeys a filter or refuses it by name, and never passes one over.
func TestEveryListIsFiltered(t *testing.T) {
	s := full(t)
	for _, path := range s.lists(t) {
		for _, filter := range []string{"nonsense", `nosuch eq "x"`, `id eq`, `id gt "1"`, `(id eq "x"`, `id eq "x" and`} {
			s.ask(api.Address(path) + "?filter=" + url.QueryEscape(filter)).refuses("filter")
		}
		own := map[string]string{"/signOns": `user.id eq "none"`, "/activities": `action eq "none"`}
		filter := cmp.Or(own[strings.TrimPrefix(path, "/"+s.env)], `id eq "none"`)
		s.ask(api.Address(path)+"?filter="+url.QueryEscape(filter)).want(http.StatusOK).has("count", "0")
	}
}
