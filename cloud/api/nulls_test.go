package api_test

import (
	"net/http"
	"testing"
)

// A null does not turn anything on: what is true or false, and a number, are refused by
// name wherever a body has them, and nothing is changed.
func TestNullsAreRefused(t *testing.T) {
	s := start(t)
	user, place := "/users/"+s.user.ID, "/populations/"+s.population.ID
	gateway, application := "/gateways/"+s.gateway.ID, "/applications/"+s.application.ID
	s.send("PATCH", user, `{"enabled":false}`).want(http.StatusOK).has("enabled", "false")
	s.send("PATCH", place, `{"default":true}`).want(http.StatusOK)
	typ := `{"name":"x","newUserLookup":{},"updateUserOnSuccessfulAuthentication":null}`
	for _, r := range []struct{ method, path, body, target string }{
		{"PATCH", user, `{"enabled":null}`, "enabled"},
		{"PATCH", user, `{"ENABLED":null}`, "enabled"},
		{"PATCH", user, `{"enabled":true,"enabled":null}`, "enabled"},
		{"PUT", user, `{"username":"ada","enabled":null}`, "enabled"},
		{"POST", "/users", `{"username":"eve","enabled":null}`, "enabled"},
		{"PATCH", place, `{"default":null}`, "default"},
		{"PUT", place, `{"name":"Staff","default":null}`, "default"},
		{"POST", "/populations", `{"name":"x","default":null}`, "default"},
		{"PUT", application, `{"name":"x","enabled":null}`, "enabled"},
		{"PUT", application, `{"name":"x","askForTicket":null}`, "askForTicket"},
		{"POST", "/applications", `{"name":"x","enabled":null}`, "enabled"},
		{"PUT", gateway, `{"name":"x","type":"LDAP","enabled":null}`, "enabled"},
		{"PUT", gateway, `{"validateTlsCertificates":null}`, "validateTlsCertificates"},
		{"PUT", gateway, `{"followReferrals":null}`, "followReferrals"},
		{"PUT", gateway, `{"kerberos":{"allowRC4":null}}`, "kerberos.allowRC4"},
		{
			"PUT", gateway, `{"kerberos":{"minutesToRetainPreviousCredentials":null}}`,
			"kerberos.minutesToRetainPreviousCredentials",
		},
		{"PUT", gateway, `{"userTypes":[{},{"allowPasswordChanges":null}]}`, "userTypes[1].allowPasswordChanges"},
		{"POST", "/gateways", `{"name":"x","type":"LDAP","enabled":null}`, "enabled"},
		{"POST", gateway + "/userTypes", typ, "updateUserOnSuccessfulAuthentication"},
	} {
		t.Run(r.method+"_"+r.target, func(t *testing.T) {
			s.t = t
			s.send(r.method, r.path, r.body).refuses(r.target).
				has("code", "INVALID_DATA", "details.0.code", "INVALID_VALUE")
		})
	}
	s.t = t
	s.send("GET", user, "").has("enabled", "false")
	s.send("GET", place, "").has("default", "true")
	s.send("GET", gateway, "").has("enabled", "true", "name", "Head office")
}

// A null takes a text, an item of a map and a reference away (RFC 7396).
func TestNullsTakeAway(t *testing.T) {
	s := start(t)
	path := "/users/" + s.user.ID
	full := object{
		"email":      "ada@example.com",
		"externalId": "7",
		"name":       object{"given": "Ada", "family": "Byron"},
		"attributes": object{"phone": "1", "fax": "2"},
	}
	s.send("PATCH", path, text(full)).want(http.StatusOK).has("email", "ada@example.com", "attributes.fax", "2")
	s.send("PATCH", path, `{"email":null,"name":{"given":null},"attributes":{"phone":null}}`).want(http.StatusOK).
		has(
			"email", "<nil>",
			"externalId", "7",
			"name.given", "<nil>",
			"name.family", "Byron",
		).
		has("attributes.phone", "<nil>", "attributes.fax", "2", "username", "ada")
	s.send("PATCH", path, `{"name":null,"attributes":null}`).want(http.StatusOK).has(
		"name", "<nil>",
		"attributes", "<nil>",
	)
	s.send("PATCH", path, `{"username":null}`).refuses("username")
	s.send("PATCH", path, `{"unheardOf":null}`).want(http.StatusOK).has("username", "ada", "externalId", "7")

	group := "/groups/" + s.group.ID
	in := text(object{"population": object{"id": s.population.ID}, "userFilter": nil})
	s.send("PATCH", group, in).want(http.StatusOK).has("population.id", s.population.ID)
	s.send("PATCH", group, `{"population":null}`).want(http.StatusOK).has("population", "<nil>", "name", "readers")
	s.send("PATCH", "/groups/"+s.jit.ID, `{"name":null}`).refuses("name").has("details.0.code", "READ_ONLY")

	gateway := "/gateways/" + s.gateway.ID
	s.send("PUT", gateway, `{"name":"x","type":"LDAP","vendor":"OpenLDAP","userTypes":[{"newUserLookup":null}]}`).
		refuses("userTypes[0].name")
	s.must(s.store.DeleteGateway(t.Context(), s.env, s.gateway.ID, true))
	made := s.send(
		"POST",
		"/gateways",
		`{"name":"x","type":"LDAP","vendor":"OpenLDAP","kerberos":null,"bindPassword":null}`,
	)
	made.want(http.StatusCreated).has("kerberos", "<nil>", "_warnings", "<nil>")
}
