package api_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"ldap-gateway/cloud/api"
)

// What compatible clients compute from, and take to be there, is told also where nobody
// has said anything: who does not find it plans a change for ever.
func TestWhatClientsWaitForIsTold(t *testing.T) {
	s := start(t)
	s.send("POST", "/populations", `{"name":"Bare"}`).want(http.StatusCreated).has("preferredLanguage", "en")
	s.send("POST", "/populations", `{"name":"Blank","preferredLanguage":""}`).want(201).has("preferredLanguage", "")
	s.as("OWNER")
	made := s.ask2("POST", "", s.token, `{"name":"Branch"}`).want(http.StatusCreated)
	made.has("billOfMaterials.products.0.type", "PING_ONE_BASE")
	path := "/" + made.at("id")
	sent := s.ask2("POST", "", s.token, `{"name":"Other","billOfMaterials":{"products":[
 {"type":"PING_ONE_BASE","description":"ours"}]}}`).want(http.StatusCreated)
	sent.has("billOfMaterials.products.0.description", "ours")
	products := s.ask2("GET", "/"+sent.at("id")+"/billOfMaterials", s.token, "").want(http.StatusOK)
	products.has("products.0.id", sent.at("billOfMaterials.products.0.id"))
	s.ask2("DELETE", path, s.token, "").want(http.StatusNoContent)
	s.ask2("GET", path, s.token, "").want(http.StatusNotFound)
	s.ask2("GET", path+"/groups", s.token, "").want(http.StatusForbidden)
	for _, name := range []string{"Environment Admin", "Identity Data Admin", "Help Desk Admin", "Identity Data Read Only"} {
		roles := s.ask("/v1/roles?filter=name+eq+%22"+url.QueryEscape(name)+"%22").want(http.StatusOK).has("count", "1")
		if id := roles.at("_embedded.roles.0.permissions.0.id"); strings.HasPrefix(id, "<") {
			t.Error(name, "may do nothing")
		}
	}
}

// The license is the cloud's own, besides those that environments say they are of.
func TestLicenses(t *testing.T) {
	s := start(t)
	s.as("OWNER")
	at := "/v1/organizations/" + api.OrganizationID() + "/licenses"
	own := s.ask(at).want(http.StatusOK).has("count", "1").at("_embedded.licenses.0.id")
	for _, body := range []string{`{"name":"a","license":{"id":"theirs"}}`, `{"name":"b","license":{"id":"theirs"}}`} {
		s.ask2("POST", "", s.token, body).want(http.StatusCreated)
	}
	s.ask(at).want(http.StatusOK).has("count", "2", "_embedded.licenses.1.assignedEnvironmentsCount", "2")
	s.ask(at+"/theirs").want(http.StatusOK).has("status", "ACTIVE", "gateways.allowLdapGateway", "true")
	s.ask(at+"/"+own+"/name").want(http.StatusOK).has("name", "ldap-cloud")
	s.ask(at+"?filter=status+eq+%22EXPIRED%22").want(http.StatusOK).has("count", "0")
	s.ask(at + "/none").want(http.StatusNotFound)
	s.ask("/v1/organizations/none/licenses").want(http.StatusNotFound)
}
