package api_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"ldap-gateway/cloud/api"
	"ldap-gateway/cloud/store"
)

// refusal is a request that is refused, and how: the status, the code, and the first
// detail's code and target; these two empty when there is no detail.
type refusal struct {
	method, path, body string
	status             int
	code               string
	detail, target     string
}

// The codes, short.
const (
	data    = "INVALID_DATA"
	rule    = "INVALID_REQUEST"
	none    = "NOT_FOUND"
	value   = "INVALID_VALUE"
	needed  = "REQUIRED_VALUE"
	unique  = "UNIQUENESS_VIOLATION"
	locked  = "READ_ONLY"
	depends = "DEPENDENTS"
)

// refusals lists what is refused of what a place has.
func refusals(p place) []refusal {
	var all []refusal
	for _, part := range [][]refusal{
		refusalsOfPeople(p), refusalsOfPlaces(p), refusalsOfGateways(p),
		refusalsOfAgents(p), refusalsOfRights(p), refusalsOfLists(p),
	} {
		all = append(all, part...)
	}
	return all
}

func refusalsOfPeople(p place) []refusal {
	user, group := "/users/"+p.user.ID, "/groups/"+p.group.ID
	jit := "/groups/" + p.jit.ID
	long := strings.Repeat("x", 1100)
	return []refusal{
		{"POST", "/users", `{}`, 400, data, needed, "username"},
		{"POST", "/users", `{"username":"Ada"}`, 400, data, unique, "username"},
		{"POST", "/users", `{"username":"` + long + `"}`, 400, data, value, "username"},
		{"POST", "/users", `{"username":"x","population":{"id":"none"}}`, 400, data, value, "population.id"},
		{"POST", "/users", `{"username":7}`, 400, data, value, "username"},
		{"POST", "/users", `{"username":"x","enabled":"yes"}`, 400, data, value, "enabled"},
		{"POST", "/users", `{"username":"x","attributes":{"a":1}}`, 400, data, value, "attributes.a"},
		{"PUT", user, `{}`, 400, data, needed, "username"},
		{"PATCH", user, `{"username":""}`, 400, data, needed, "username"},
		{"PATCH", user, `{"population":{"id":"none"}}`, 400, data, value, "population.id"},
		{"PATCH", "/users/none", `{}`, 404, none, "", ""},
		{"DELETE", "/users/none", "", 404, none, "", ""},
		{"POST", "/users/none/off", "", 404, none, "", ""},
		{"DELETE", "/users/none/secondFactor", "", 404, none, "", ""},

		{"PUT", user + "/password", `{"id":"none"}`, 400, data, value, "id"},
		{"PUT", user + "/password", `{"id":"` + p.gateway.ID + `"}`, 400, data, value, "userType.id"},
		{"PUT", user + "/password", linkOf(p, `{"":"x"}`), 400, data, value, "correlationAttributes"},
		{"PUT", user + "/password", linkOf(p, `{"a b":"x"}`), 400, data, value, "correlationAttributes"},
		{"PUT", user + "/password", linkOf(p, `{"uid":"`+long+`"}`), 400, data, value, "correlationAttributes"},
		{"PUT", user + "/password", linkOf(p, `{"uid":7}`), 400, data, value, "correlationAttributes.uid"},
		{"PUT", user + "/password", `{"currentPassword":"x"}`, 400, data, needed, "newPassword"},
		{"PUT", user + "/password", `{"newPassword":"x"}`, 400, data, needed, "currentPassword"},
		{"PUT", "/users/none/password", `{}`, 404, none, "", ""},

		{"POST", "/groups", `{}`, 400, data, needed, "name"},
		{"POST", "/groups", `{"name":"READERS"}`, 400, data, unique, "name"},
		{"POST", "/groups", `{"name":"` + long + `"}`, 400, data, value, "name"},
		{"POST", "/groups", `{"name":"x","displayName":"` + long + `"}`, 400, data, value, "displayName"},
		{"POST", "/groups", `{"name":"x","sourceType":"GATEWAY"}`, 400, data, locked, "sourceType"},
		{"POST", "/groups", `{"name":"x","population":{"id":"none"}}`, 400, data, value, "population.id"},
		{"POST", "/groups", `{"name":"x","userFilter":{"a":1}}`, 400, data, value, "userFilter"},
		{"PATCH", group, `{"name":""}`, 400, data, needed, "name"},
		{"PATCH", group, `{"userFilter":"x"}`, 400, data, value, "userFilter"},
		{"PATCH", jit, `{"name":"x"}`, 400, data, locked, "name"},
		{"PATCH", jit, `{"displayName":"x"}`, 400, data, locked, "displayName"},
		{"PATCH", jit, `{"userFilter":"x"}`, 400, data, locked, "userFilter"},
		{"PUT", "/groups/none", `{"name":"x"}`, 404, none, "", ""},
		{"DELETE", "/groups/none", "", 404, none, "", ""},
		{"POST", user + "/memberOfGroups", `{}`, 400, data, value, "id"},
		{"POST", user + "/memberOfGroups", `{"id":"none"}`, 400, data, value, "id"},
		{"POST", user + "/memberOfGroups", `{"id":"` + p.jit.ID + `"}`, 400, data, locked, "id"},
		{"POST", "/users/none/memberOfGroups", `{"id":"` + p.group.ID + `"}`, 404, none, "", ""},
		{"DELETE", user + "/memberOfGroups/" + p.group.ID, "", 404, none, "", ""},

		{"POST", "/signOns", `{}`, 400, data, needed, "username"},
		{"POST", "/signOns", `{"username":"a","password":7}`, 400, data, value, "password"},
		{"GET", "/signOns/none", "", 404, none, "", ""},
	}
}

// linkOf is a body that links to the place's user type by values.
func linkOf(p place, values string) string {
	return `{"id":"` + p.gateway.ID + `","userType":{"id":"` + p.user.UserTypeID + `"},` +
		`"correlationAttributes":` + values + `}`
}

func refusalsOfPlaces(p place) []refusal {
	population, application := "/populations/"+p.population.ID, "/applications/"+p.application.ID
	app := func(more string) string {
		return `{"name":"x","type":"WEB_APP","redirectUris":["https://x/"]` + more + `}`
	}
	long := strings.Repeat("x", 201)
	return []refusal{
		{"PUT", "", `{}`, 400, data, needed, "name"},
		{"PUT", "", `{"name":"` + long + `"}`, 400, data, value, "name"},
		{"POST", "/populations", `{}`, 400, data, needed, "name"},
		{"POST", "/populations", `{"name":"staff"}`, 400, data, unique, "name"},
		{"POST", "/populations", `{"name":"` + long + `"}`, 400, data, value, "name"},
		{"PUT", population, `{}`, 400, data, needed, "name"},
		{"PUT", "/populations/none", `{"name":"x"}`, 404, none, "", ""},
		{"DELETE", population, "", 409, rule, "", ""}, // it has users, and is the default one
		{"DELETE", "/populations/none", "", 404, none, "", ""},

		{"POST", "/applications", `{"type":"WEB_APP","redirectUris":["https://x/"]}`, 400, data, needed, "name"},
		{"POST", "/applications", `{"name":"` + long + `","type":"WEB_APP","redirectUris":["https://x/"]}`, 400, data, value, "name"},
		{"POST", "/applications", `{"name":"WIKI","type":"WEB_APP","redirectUris":["https://x/"]}`, 400, data, unique, "name"},
		{"POST", "/applications", `{"name":"x","redirectUris":["https://x/"]}`, 400, data, value, "type"},
		{"POST", "/applications", `{"name":"x","type":"WEB_APP"}`, 400, data, needed, "redirectUris"},
		{"POST", "/applications", app(`,"protocol":"WS_FEDERATION"`), 400, data, value, "protocol"},
		{"POST", "/applications", app(`,"grantTypes":["AUTHORIZATION_CODE","IMPLICIT"]`), 400, data, value, "grantTypes[1]"},
		{"POST", "/applications", app(`,"groupsClaim":{"value":"x"}`), 400, data, value, "groupsClaim.value"},
		{"POST", "/applications", app(`,"postLogoutRedirectUris":["x"]`), 400, data, value, "postLogoutRedirectUris[0]"},
		{"PUT", application, app(`,"redirectUris":"x"`), 400, data, value, "redirectUris"},
		{"PUT", "/applications/none", app(""), 404, none, "", ""},
		{"DELETE", "/applications/none", "", 404, none, "", ""},
		{"POST", "/applications/none/secret", "{}", 404, none, "", ""},
	}
}

func refusalsOfGateways(p place) []refusal {
	gateway := "/gateways/" + p.gateway.ID
	types := gateway + "/userTypes"
	kind := types + "/" + p.gateway.UserTypes[0].ID
	whole := func(more string) string { return `{"name":"x","type":"LDAP","vendor":"OpenLDAP"` + more + `}` }
	return []refusal{
		{"POST", "/gateways", `{"type":"LDAP","vendor":"OpenLDAP"}`, 400, data, needed, "name"},
		{"POST", "/gateways", `{"name":"x","vendor":"OpenLDAP"}`, 400, data, value, "type"},
		{"POST", "/gateways", `{"name":"x","type":"LDAP"}`, 400, data, value, "vendor"},
		{"POST", "/gateways", `{"name":"HEAD OFFICE","type":"LDAP","vendor":"OpenLDAP"}`, 400, data, unique, "name"},
		{"POST", "/gateways", whole(`,"connectionSecurity":"SSL"`), 400, data, value, "connectionSecurity"},
		{"POST", "/gateways", whole(`,"serversHostAndPort":["a:1","b"]`), 400, data, value, "serversHostAndPort[1]"},
		{"POST", "/gateways", whole(`,"userTypes":[{}]`), 400, data, needed, "userTypes[0].name"},
		{"POST", "/gateways", whole(`,"kerberos":{"realms":["A","b"]}`), 400, data, value, "kerberos.realms[1]"},
		{"PUT", gateway, whole(`,"userTypes":[]`), 409, rule, depends, "userTypes"},
		{"PUT", "/gateways/none", whole(""), 404, none, "", ""},
		{"DELETE", gateway, "", 409, rule, depends, "users"},
		{"DELETE", gateway + "?force=false", "", 409, rule, depends, "users"},
		{"DELETE", "/gateways/none?force=true", "", 404, none, "", ""},
		{"POST", types, `{"name":"x"}`, 400, data, needed, "searchBaseDn"},
		{"POST", types, `{"newUserLookup":{}}`, 400, data, needed, "name"},
		{"POST", types, `{"name":"PEOPLE","newUserLookup":{}}`, 400, data, unique, "name"},
		{"PUT", types + "/none", `{"newUserLookup":{}}`, 404, none, "", ""},
		{"GET", types + "/none", "", 404, none, "", ""},
		{"DELETE", kind, "", 409, rule, depends, "users"},
		{"DELETE", types + "/none", "", 404, none, "", ""},
		{"GET", types + "/defaults?vendor=Abacus", "", 400, data, value, "vendor"},
		{"POST", kind + "/relink", `{}`, 400, data, value, "userType.id"},
		{"POST", kind + "/relink", `{"gateway":{"id":"none"}}`, 400, data, value, "id"},
		{"POST", types + "/none/relink", `{}`, 404, none, "", ""},
		{"POST", gateway + "/kerberosKeys", `{}`, 400, data, value, "keytab"},
		{"POST", gateway + "/kerberosKeys", `{"keytab":"?"}`, 400, data, value, "keytab"},
		{"DELETE", gateway + "/kerberosKeys/none", "", 404, none, "", ""},
	}
}

func refusalsOfAgents(p place) []refusal {
	gateway := "/gateways/" + p.gateway.ID
	return []refusal{
		{"POST", gateway + "/pairings", `{"code":"AAAA-AAAA"}`, 400, data, needed, "approve"},
		{"POST", gateway + "/pairings", `{"code":"AAAA-AAAA","approve":null}`, 400, data, value, "approve"},
		{"POST", gateway + "/pairings", `{"code":"AAAA-AAAA","approve":true}`, 400, data, value, "code"},
		{"POST", gateway + "/pairings", `{"code":"AAAA-AAAA","approve":false}`, 400, data, value, "code"},
		{"POST", "/gateways/none/pairings", `{}`, 404, none, "", ""},
		{"GET", gateway + "/pairings/none", "", 404, none, "", ""},
		{"DELETE", gateway + "/pairings/none", "", 404, none, "", ""},
		{"POST", "/gateways/none/credentials", "", 404, none, "", ""},
		{"GET", gateway + "/credentials/none", "", 404, none, "", ""},
		{"DELETE", gateway + "/credentials/none", "", 404, none, "", ""},
		{"GET", gateway + "/instances/none", "", 404, none, "", ""},
		{"DELETE", gateway + "/instances/none", "", 404, none, "", ""},
		{"POST", gateway + "/instances/none/rotate", "", 404, none, "", ""},
		{"GET", "/gateways/none/instances", "", 404, none, "", ""},
		{"GET", "/gateways/none/pairings", "", 404, none, "", ""},
		{"GET", "/gateways/none/credentials", "", 404, none, "", ""},
		{"GET", "/gateways/none/kerberosKeys", "", 404, none, "", ""},
		{"GET", "/gateways/none/userTypes", "", 404, none, "", ""},
		{"GET", "/gateways/none/userTypes/defaults", "", 404, none, "", ""},
	}
}

func refusalsOfRights(p place) []refusal {
	root, group := "/administrators/"+p.administrator.ID, "/roleGroups/"+p.group.ID
	return []refusal{
		{"POST", "/administrators", `{"role":"OWNER"}`, 400, data, needed, "name"},
		{"POST", "/administrators", `{"name":"x"}`, 400, data, value, "role"},
		{"POST", "/administrators", `{"name":"x","role":"SIGN_ON"}`, 400, data, value, "role"},
		{"POST", "/administrators", `{"name":"` + p.administrator.Name + `","role":"OWNER"}`, 400, data, unique, "name"},
		{"PATCH", root, `{"name":"x"}`, 400, data, locked, "name"},
		{"PATCH", root, `{"role":"KING"}`, 400, data, value, "role"},
		{"PATCH", root, `{"role":"READ_ONLY"}`, 409, rule, "", ""},
		{"PATCH", "/administrators/none", `{}`, 404, none, "", ""},
		{"DELETE", root, "", 409, rule, "", ""},
		{"DELETE", "/administrators/none", "", 404, none, "", ""},
		{"POST", "/administrators/none/reset", "", 404, none, "", ""},
		{"GET", "/administrators/none", "", 404, none, "", ""},
		{"PUT", group, `{}`, 400, data, needed, "role"},
		{"PUT", group, `{"role":"SIGN_ON"}`, 400, data, value, "role"},
		{"PUT", "/roleGroups/none", `{"role":"OWNER"}`, 404, none, "", ""},
		{"GET", group, "", 404, none, "", ""},
		{"DELETE", group, "", 404, none, "", ""},
	}
}

func refusalsOfLists(p place) (all []refusal) {
	gateway := "/gateways/" + p.gateway.ID
	for _, list := range []string{
		"/users",
		"/groups",
		"/populations",
		"/gateways",
		"/applications",
		"/signOns",
		"/activities",
	} {
		all = append(all,
			refusal{"GET", list + "?limit=0", "", 400, data, value, "limit"},
			refusal{"GET", list + "?limit=-1", "", 400, data, value, "limit"},
			refusal{"GET", list + "?limit=many", "", 400, data, value, "limit"},
			refusal{"GET", list + "?cursor=!", "", 400, rule, value, "cursor"},
		)
	}
	for list, filters := range map[string][]string{
		"/users":  {`x`, `password+eq+"x"`, `username+gt+"a"`, `username+eq+"a"+or`},
		"/groups": {`username+eq+"x"`, `name+gt+"x"`},
		"/signOns": {
			`username+eq+"x"`, `user.id+sw+"x"`, `user.id+eq+""`, `user.id+eq+"a"+and+user.id+eq+"b"`, `user.id+eq+"a"+or+user.id+eq+"b"`,
		},
		"/activities": {
			`text+co+"x"`, `action+co+"x"`, `actor+eq+""`, `action+eq+"a"+and+action+eq+"b"`, `(action+eq+"a"+and+actor+eq+"b")+or+subject+eq+"c"`,
		},
	} {
		for _, filter := range filters {
			all = append(all, refusal{"GET", list + "?filter=" + filter, "", 400, rule, value, "filter"})
		}
	}
	return append(all, refusal{"GET", gateway + "/nothing", "", 404, none, "", ""})
}

// Every refusal has its status, its code, and the property that it is of; and nothing is
// changed by it.
func TestEveryRefusal(t *testing.T) {
	s := start(t)
	s.as(store.RoleOwner)
	before := s.send("GET", "/activities?limit=1000", "").want(http.StatusOK).text
	for i, r := range refusals(s.place) {
		t.Run(fmt.Sprint(i, r.method, strings.ReplaceAll(r.path, "/", "_")), func(t *testing.T) {
			s.t = t
			a := s.send(r.method, r.path, r.body)
			if a.status != r.status || a.at("code") != r.code || a.at("id") == "" || a.at("message") == "" {
				t.Fatalf("%d %s", a.status, a.text)
			}
			if r.detail == "" {
				return
			}
			target := a.at("details.0.target")
			if a.at("details.0.code") != r.detail || target != r.target && (r.target != "" || target != "<nil>") {
				t.Errorf("%s", a.text)
			}
			if message := a.at("details.0.message"); !strings.HasSuffix(message, ".") && r.detail != depends {
				t.Errorf("%q is no sentence", message)
			}
		})
	}
	s.t = t
	if after := s.send("GET", "/activities?limit=1000", "").text; after != before {
		t.Errorf("something was done: %s", after)
	}
	if len(s.links.told) > 0 {
		t.Errorf("told %v", s.links.told)
	}
}

// A path answers the methods that it has, and says which these are to every other.
func TestMethodsOfEveryPath(t *testing.T) {
	s := start(t)
	s.as(store.RoleOwner)
	methods := map[string][]string{}
	for _, route := range s.server.Routes() {
		method, path, _ := strings.Cut(route, " ")
		methods[s.fill(path)] = append(methods[s.fill(path)], method)
	}
	for path, has := range methods {
		if strings.HasSuffix(path, "/defaults") {
			continue // it is the path of a user type as well
		}
		for _, method := range []string{"GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"} {
			if slices.Contains(has, method) {
				continue
			}
			r := httptest.NewRequestWithContext(t.Context(), method, api.Address(path), nil)
			r.Header.Set("Authorization", "Bearer "+s.token)
			a := s.do(r).want(http.StatusMethodNotAllowed).has("code", "INVALID_REQUEST")
			allowed := strings.Split(a.header.Get("Allow"), ", ")
			slices.Sort(allowed)
			slices.Sort(has)
			if !slices.Equal(allowed, has) {
				t.Errorf("%s %s: allowed are %v, and it has %v", method, path, allowed, has)
			}
		}
	}
}
