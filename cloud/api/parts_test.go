package api_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"ldap-gateway/cloud/api"
	"ldap-gateway/cloud/store"
)

// as sends a request of another media type.
func (s *site) kinded(method, path, kind, body string) answer {
	s.t.Helper()
	r := httptest.NewRequestWithContext(s.t.Context(), method, api.Address("/"+s.env+path), strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer "+s.token)
	r.Header.Set("Content-Type", kind)
	return s.do(r)
}

// The parts of a user are the user: what is changed at one place is read at the other.
func TestPartsOfUsers(t *testing.T) {
	s := full(t)
	path := "/users/" + s.user.ID
	more := s.send("POST", "/populations", `{"name":"More"}`).want(http.StatusCreated).at("id")
	for _, c := range []struct{ part, body, property, value string }{
		{"/enabled", `{"enabled":false}`, "enabled", "false"},
		{"/mfaEnabled", `{"mfaEnabled":true}`, "mfaEnabled", "true"},
		{"/population", `{"id":"` + more + `"}`, "population.id", more},
		{"/identityProvider", `{"type":"PING_ONE"}`, "identityProvider.type", "PING_ONE"},
		{"/enabled", `{"enabled":true}`, "enabled", "true"},
	} {
		before := s.send("GET", path+c.part, "").want(http.StatusOK)
		s.with("PUT", path+c.part, c.body, "If-Match", `"x"`).want(http.StatusPreconditionFailed)
		s.with("PUT", path+c.part, c.body, "If-Match", before.header.Get("ETag")).want(http.StatusOK)
		s.send("GET", path, "").has(c.property, c.value)
	}
	if u, err := s.store.User(t.Context(), s.env, s.user.ID); err != nil || !u.Kept.MFA {
		t.Errorf("%+v, %v", u, err)
	}
	s.send("PUT", path+"/enabled", `{}`).refuses("enabled")
	s.send("PUT", path+"/population", `{"id":"none"}`).refuses("population.id")
	s.send("PUT", path+"/identityProvider", `{"id":"none"}`).refuses("id")
}

// An account is locked and unlocked by a media type of its own, or by its state; that it
// is enabled stays.
func TestAccountsAreLocked(t *testing.T) {
	s := full(t)
	path := "/users/" + s.user.ID
	const front = "application/vnd.pingidentity.account."
	s.kinded("POST", path, front+"lock+json", "").want(http.StatusOK).
		has("account.status", "LOCKED", "account.canAuthenticate", "false", "enabled", "true")
	s.send("GET", "/users?filter="+url.QueryEscape(`account.canAuthenticate eq false`), "").has("count", "1")
	s.kinded("POST", path, front+"unlock+json", "").want(http.StatusOK).has("account.status", "OK")
	s.kinded("POST", path, front+"explode+json", "").want(http.StatusUnsupportedMediaType)
	s.kinded("POST", "/users/none", front+"lock+json", "").want(http.StatusNotFound)
	s.send("PATCH", path, `{"account":{"status":"LOCKED"}}`).want(http.StatusOK).has("account.canAuthenticate", "false")
	s.send("PATCH", path, `{"account":{"canAuthenticate":true}}`).refuses("account.canAuthenticate")
	s.send("PATCH", path, `{"enabled":false,"account":{"status":"OK"}}`).has("account.canAuthenticate", "false")
}

// Who is imported with a link is linked at once, by either media type; one that cannot be
// leaves nobody behind.
func TestImportedUsersAreLinked(t *testing.T) {
	s := full(t)
	link := func(gateway, values string) string {
		return `"password":{"external":{"gateway":{"id":"` + gateway + `","type":"LDAP","userType":{"id":"` +
			s.gateway.UserTypes[0].ID + `"},"correlationAttributes":` + values + `}}}`
	}
	for kind, name := range map[string]string{
		"application/json": "plain",
		"application/vnd.pingidentity.user.import+json": "imported",
	} {
		a := s.kinded("POST", "/users", kind, `{"username":"`+name+`",`+link(s.gateway.ID, `{"entryUUID":"`+name+`"}`)+`}`)
		s.send("GET", "/users/"+a.want(http.StatusCreated).at("id")+"/password", "").want(http.StatusOK).has(
			"status", "EXTERNAL",
			"external.gateway.id", s.gateway.ID,
			"external.gateway.correlationAttributes.entryUUID", name,
		)
	}
	s.send("POST", "/users", `{"username":"x",`+link("none", `{}`)+`}`).refuses("password.external.gateway.id")
	s.send("POST", "/users", `{"username":"x",`+link(s.gateway.ID, `{"entryUUID":"1-2"}`)+`}`).
		refuses("password.external.gateway.correlationAttributes") // ada's
	s.send("GET", "/users?filter="+url.QueryEscape(`username eq "x"`), "").has("count", "0")
}

// A group gives a role under the names of compatible clients as under ours.
func TestRoleAssignments(t *testing.T) {
	s := full(t)
	roles := s.ask("/v1/roles?filter=" + url.QueryEscape(`name eq "Identity Data Admin"`)).want(http.StatusOK)
	role := roles.has("count", "1").at("_embedded.roles.0.id")
	path := "/groups/" + s.group.ID + "/roleAssignments"
	body := func(role, scope string) string {
		return `{"role":{"id":"` + role + `"},"scope":{"id":"` + scope + `","type":"ENVIRONMENT"}}`
	}
	s.send("GET", path, "").want(http.StatusOK).has("count", "0")
	s.send("POST", path, body("none", s.env)).refuses("role.id")
	s.send("POST", path, body(role, "none")).refuses("scope")
	made := s.send("POST", path, body(role, s.env)).want(http.StatusCreated).has("role.id", role, "scope.id", s.env)
	s.send("GET", "/roleGroups/"+s.group.ID, "").has("role", "IDENTITY_ADMIN")
	s.send("POST", path, body(role, s.env)).refuses("role.id").has("details.0.code", "UNIQUENESS_VIOLATION")
	s.send("GET", path+"/"+made.at("id"), "").want(http.StatusOK)
	s.send("DELETE", path+"/none", "").want(http.StatusNotFound)
	s.send("DELETE", path+"/"+made.at("id"), "").want(http.StatusNoContent)
	s.send("GET", path, "").has("count", "0")
	for _, of := range []string{"/users/" + s.user.ID, "/gateways/" + s.gateway.ID, "/applications/" + s.application.ID} {
		s.send("GET", of+"/roleAssignments", "").want(http.StatusOK).has("count", "0")
		s.send("POST", of+"/roleAssignments", body(role, s.env)).want(http.StatusBadRequest)
	}
	s.send("GET", "/users/none/roleAssignments", "").want(http.StatusNotFound)
}

// An owner makes environments, works in them by the same token, and deletes them; nobody
// else comes in.
func TestEnvironmentsAreMade(t *testing.T) {
	s := full(t)
	other := s.settle("two")
	made := s.ask2("POST", "", s.token, `{"name":"Branch","type":"SANDBOX","region":"NA","description":"d",
 "license":{"id":"l-1"},"billOfMaterials":{"products":[{"type":"PING_ONE_BASE"}]}}`).want(http.StatusCreated)
	id := made.at("id")
	if self := made.at("_links.self.href"); self != publicURL+"/v1/environments/"+id {
		t.Error(self)
	}
	s.ask("/v1/environments").want(http.StatusOK).has("count", "2")
	s.ask2("POST", "", s.token, `{"name":"branch"}`).refuses("name").has("details.0.code", "UNIQUENESS_VIOLATION")
	inside := "/" + id
	s.ask2("GET", inside+"/populations", s.token, "").want(http.StatusOK).has("_embedded.populations.0.default", "true")
	g := s.ask2("POST", inside+"/groups", s.token, `{"name":"theirs"}`).want(http.StatusCreated)
	if href := g.at("_links.self.href"); !strings.HasPrefix(href, publicURL+"/v1/environments/"+id+"/groups/") {
		t.Error(href)
	}
	s.ask2("GET", inside+"/groups", other.token, "").want(http.StatusForbidden)
	s.ask2("DELETE", inside, other.token, "").want(http.StatusForbidden)
	s.send("GET", "/groups/"+g.at("id"), "").want(http.StatusNotFound)
	s.as(store.RoleIdentityAdmin)
	s.ask2("GET", inside+"/groups", s.token, "").want(http.StatusForbidden)
	s.ask("/v1/environments").want(http.StatusOK).has("count", "1")
	s.as(store.RoleOwner)
	s.send("DELETE", "", "").want(http.StatusConflict)
	s.ask2("DELETE", inside, s.token, "").want(http.StatusNoContent)
	s.ask2("GET", inside, s.token, "").want(http.StatusNotFound)
	s.ask("/v1/environments").want(http.StatusOK).has("count", "1")
}

// An environment has a short name as it is given one; who knows none of it leaves it.
func TestEnvironmentsHaveShortNames(t *testing.T) {
	s := full(t)
	s.send("GET", "", "").want(http.StatusOK).has("shortName", "")
	s.send("PUT", "", `{"name":"Acme","shortName":"acme"}`).want(http.StatusOK).has("shortName", "acme")
	s.send("PUT", "", `{"name":"Acme Inc."}`).want(http.StatusOK).has("shortName", "acme")
	s.send("PUT", "", `{"name":"Acme","shortName":"Acme"}`).refuses("shortName").has("details.0.code", "INVALID_VALUE")
	s.send("PUT", "", `{"name":"Acme","shortName":"console"}`).refuses("shortName")
	s.ask2("POST", "", s.token, `{"name":"Branch","shortName":"acme"}`).refuses("shortName").
		has("details.0.code", "UNIQUENESS_VIOLATION")
	made := s.ask2("POST", "", s.token, `{"name":"Branch","shortName":"branch"}`).want(http.StatusCreated)
	made.has("shortName", "branch")
	s.send("PUT", "", `{"name":"Acme","shortName":""}`).want(http.StatusOK).has("shortName", "")
	s.send("PUT", "", `{"name":"Acme","shortName":"branch"}`).refuses("shortName")
	s.ask2("DELETE", "/"+made.at("id"), s.token, "").want(http.StatusNoContent)
	s.send("PUT", "", `{"name":"Acme","shortName":"branch"}`).want(http.StatusOK).has("shortName", "branch")
}

// How pages look is read and replaced; what people could not read or follow is refused.
func TestBrand(t *testing.T) {
	s := full(t)
	s.send("GET", "/brand", "").want(http.StatusOK).has("colour", "", "help", "")
	s.keeps("PUT", "/brand", `{"colour":"#7a1fa2","darkColour":"#e1bee7","help":"https://example.com/help",
 "privacy":"https://example.com/privacy","imprint":"https://example.com/imprint","text":"Ask the desk, 1234"}`)
	for body, field := range map[string]string{
		`{"colour":"#ffff00"}`:              "colour",
		`{"darkColour":"#17598a"}`:          "darkColour",
		`{"help":"http://example.com"}`:     "help",
		`{"privacy":"javascript:alert(1)"}`: "privacy",
		`{"imprint":"/imprint"}`:            "imprint",
		`{"text":"two\nlines"}`:             "text",
	} {
		s.send("PUT", "/brand", body).refuses(field)
	}
	s.send("PUT", "/brand", `{"help":"https://example.com/help"}`).want(http.StatusOK).has("colour", "", "imprint", "")
	s.as(store.RoleIdentityAdmin)
	s.send("PUT", "/brand", `{}`).want(http.StatusForbidden)
	s.send("GET", "/brand", "").want(http.StatusOK).has("help", "https://example.com/help")
}

// ask2 makes a request by a token below all environments.
func (s *site) ask2(method, path, token, body string) answer {
	s.t.Helper()
	r := httptest.NewRequestWithContext(s.t.Context(), method, api.Address(path), strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer "+token)
	r.Header.Set("Content-Type", "application/json")
	return s.do(r)
}

// What an application is granted is narrowed and widened again; its claims are its own.
func TestGrantsAndClaims(t *testing.T) {
	s := full(t)
	path := "/applications/" + s.application.ID
	resource := s.send("GET", "/resources", "").at("_embedded.resources.0.id")
	scopes := "/resources/" + resource + "/scopes?filter=" + url.QueryEscape(`name eq "email"`)
	email := s.send("GET", scopes, "").want(http.StatusOK).at("_embedded.scopes.0.id")
	whole := s.send("GET", path+"/grants", "").want(http.StatusOK).has("count", "1")
	grant := path + "/grants/" + whole.at("_embedded.grants.0.id")
	s.send("DELETE", grant, "").want(http.StatusNotFound)
	body := `{"resource":{"id":"` + resource + `"},"scopes":[{"id":"` + email + `"}]}`
	s.keeps("POST", path+"/grants", body)
	s.send("POST", path+"/grants", body).refuses("resource.id")
	s.keeps("PUT", grant, `{"resource":{"id":"`+resource+`"},"scopes":[]}`)
	s.send("DELETE", grant, "").want(http.StatusNoContent)
	if again := s.send("GET", path+"/grants", ""); text(again.body) == "" || again.at("_embedded.grants.0.scopes.4.id") == "<nothing>" {
		t.Errorf("%s", again.text)
	}

	subject := s.send("GET", path+"/attributes", "").want(http.StatusOK).
		has("_embedded.attributes.0.mappingType", "CORE").at("_embedded.attributes.0.id")
	s.keeps("PUT", path+"/attributes/"+subject, `{"name":"sub","value":"${user.id}","required":true}`)
	s.send("PUT", path+"/attributes/"+subject, `{"name":"sub","value":"${user.email}","required":true}`).refuses("value")
	s.send("DELETE", path+"/attributes/"+subject, "").want(http.StatusBadRequest)
	claim := s.keeps("POST", path+"/attributes", `{"name":"fax","value":"${user.fax}","required":false}`).at("id")
	s.send("POST", path+"/attributes", `{"name":"fax","value":"${user.email}"}`).refuses("name")
	at := path + "/attributes/" + claim
	s.keeps("PUT", at, `{"name":"fax","value":"${user.fax}","required":false,"idToken":true,"userInfo":false}`)
	s.send("PUT", at, s.send("GET", at, "").text).want(http.StatusOK).has("userInfo", "false")
	s.send("PUT", at, `{"name":"fax","value":"${user.fax}","idToken":false,"userInfo":false}`).refuses("userInfo")
	s.keeps("PUT", at, `{"name":"fax","value":"${user.fax}","required":false}`)
	s.keeps("PUT", path+"/attributes/"+claim, `{"name":"fax","value":"${user.email}","required":false}`)
	s.send("DELETE", path+"/attributes/"+claim, "").want(http.StatusNoContent)
	s.send("GET", path+"/attributes/"+claim, "").want(http.StatusNotFound)
}

// The default policy is what an application has, so it can be assigned.
func TestPoliciesAreAssigned(t *testing.T) {
	s := full(t)
	path := "/applications/" + s.application.ID + "/signOnPolicyAssignments"
	policy := s.send("GET", "/signOnPolicies?filter="+url.QueryEscape("default eq true"), "").
		has("count", "1").at("_embedded.signOnPolicies.0.id")
	made := s.keeps("POST", path, `{"signOnPolicy":{"id":"`+policy+`"},"priority":1}`).at("id")
	s.keeps("PUT", path+"/"+made, `{"signOnPolicy":{"id":"`+policy+`"},"priority":2}`)
	s.send("POST", path, `{"signOnPolicy":{"id":"none"},"priority":1}`).refuses("signOnPolicy.id")
	s.send("DELETE", path+"/"+made, "").want(http.StatusNoContent)
	s.send("GET", path, "").has("count", "0")
	s.send("DELETE", "/signOnPolicies/"+policy, "").want(http.StatusConflict)
	s.send("PUT", "/signOnPolicies/"+policy, `{"name":"Default","default":false}`).refuses("default")
}

// A token is given without an environment in the path, for the client's own.
func TestTokenWithoutAnEnvironment(t *testing.T) {
	s := start(t)
	form := url.Values{"grant_type": {"client_credentials"}}
	ask := func(secret string) answer {
		r := httptest.NewRequestWithContext(t.Context(), "POST", "/as/token", strings.NewReader(form.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.SetBasicAuth(url.QueryEscape(s.client), url.QueryEscape(secret))
		return s.do(r)
	}
	s.token = ask(s.secret).want(http.StatusOK).at("access_token")
	s.send("GET", "/users", "").want(http.StatusOK)
	ask("wrong").want(http.StatusUnauthorized)
	if !api.Serves("/as/token") {
		t.Error("the path is not served")
	}
}

// Memberships are read with their groups, and groups with what is in them.
func TestMembershipsWithGroups(t *testing.T) {
	s := full(t)
	list := s.send("GET", "/users/"+s.user.ID+"/memberOfGroups?expand=group", "").want(http.StatusOK)
	list.has("_embedded.groupMemberships.0._embedded.group.id", s.jit.ID)
	for filter, n := range map[string]string{
		`memberOfGroups[id eq "` + s.jit.ID + `"]`:                        "1",
		`memberOfGroups[name eq "CN=Cooks,DC=x"]`:                         "1",
		`memberOfGroups[displayName sw "Coo" or name eq "x"]`:             "1",
		`not (memberOfGroups[id eq "` + s.jit.ID + `"])`:                  "0",
		`memberOfGroups.id eq "` + s.group.ID + `"`:                       "0",
		`enabled eq true and not (username eq "bob") and email pr`:        "1",
		`enabled ne true or username ew "x"`:                              "0",
		`(externalId ew "7" and name.given ne "Bob") or enabled eq false`: "1",
	} {
		s.send("GET", "/users?filter="+url.QueryEscape(filter), "").want(http.StatusOK).has("count", n)
	}
	s.send("GET", "/groups/"+s.group.ID+"/memberOfGroups", "").want(http.StatusOK).has("count", "0")
	s.send("POST", "/groups/"+s.group.ID+"/memberOfGroups", `{"id":"x"}`).want(http.StatusBadRequest)
	s.send("POST", "/groups/none/memberOfGroups", `{"id":"x"}`).want(http.StatusNotFound)
}
