package api_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"ldap-gateway/cloud/api"
)

// A parameter that an address does not have is refused by name, with those that there are: a filter that is misspelt
// brings nobody, and each list reads its own. What clients send everywhere to see more is taken.
func TestUnknownParametersAreRefused(t *testing.T) {
	s := full(t)
	single := []string{"/" + s.env, "/" + s.env + "/users/" + s.user.ID, "/" + s.env + "/gateways/" + s.gateway.ID}
	for _, path := range append(s.lists(t), single...) {
		list := !strings.HasSuffix(path, s.env) && !strings.HasSuffix(path, s.user.ID) && !strings.HasSuffix(path, s.gateway.ID)
		address := api.Address(path)
		for _, name := range []string{"unknown", "Filter", "filters", "limt", "username", "population.id", "x y", "é"} {
			a := s.ask(address+"?include=&"+url.QueryEscape(name)+"=1").want(http.StatusBadRequest).has("details.0.target", name)
			if !strings.Contains(a.text, "There is no such parameter.") || list && !strings.Contains(a.text, "limit, cursor, filter") {
				t.Errorf("%s?%s: %s", path, name, a.text)
			}
		}
		s.ask(address + "?expand=all&include=nothing-like-it").want(http.StatusOK)
		s.ask(address+"?include=a&expand=b&include=c").want(http.StatusBadRequest).has("details.0.target", "include")
		if list {
			s.ask(address + "?filter=" + url.QueryEscape(`nobody.has eq "x"`)).want(http.StatusBadRequest)
			s.ask(address + "?limit=5000&filter=").want(http.StatusOK)
			s.ask(address+"?filter=&filter=").want(http.StatusBadRequest).has("details.0.target", "filter")
		}
	}
	many := "?x"
	for i := range 100 {
		many += "&p" + strings.Repeat("p", i)
	}
	if a := s.send("GET", "/users"+many, "").want(http.StatusBadRequest); strings.Count(a.text, "no such parameter") != 20 {
		t.Error(a.text)
	}
	s.send("GET", "/gateways/"+s.gateway.ID+"/userTypes/defaults?vendor="+"OpenLDAP", "").want(http.StatusOK)
}

// The address that a person is said to be at is one.
func TestAddressesOfPeople(t *testing.T) {
	s := start(t)
	send := func(address string) answer {
		return s.send("POST", "/signOns", `{"username":"ada","password":"x","address":"`+address+`"}`)
	}
	for _, address := range []string{"", "192.0.2.1", "2001:db8::1", "::ffff:192.0.2.1"} {
		send(address).want(http.StatusCreated)
	}
	for _, address := range []string{
		"nowhere", "192.0.2.1:443", "192.0.2", "192.0.2.0/24", "fe80::1%eth0", " 192.0.2.1", "[::1]", "example.com", "<b>",
	} {
		send(address).want(http.StatusBadRequest).has("details.0.target", "address")
	}
}
