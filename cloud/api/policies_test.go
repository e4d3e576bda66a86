package api_test

import (
	"fmt"
	"ldap-gateway/cloud/store"
	"net/http"
	"strings"
	"testing"
)

// assign gives the application a policy, and returns the path of that.
func (s *site) assign(policy string, priority int) answer {
	s.t.Helper()
	path := "/applications/" + s.application.ID + "/signOnPolicyAssignments"
	return s.send("POST", path, fmt.Sprintf(`{"signOnPolicy":{"id":%q},"priority":%d}`, policy, priority))
}

// An application has policies of its own, each once, and in an order; what it goes by stays.
func TestApplicationsHavePolicies(t *testing.T) {
	s := full(t)
	path := "/applications/" + s.application.ID + "/signOnPolicyAssignments"
	lab, shop := s.policy("lab"), s.policy("shop")
	first := s.keeps("POST", path, `{"signOnPolicy":{"id":"`+lab+`"},"priority":2}`).at("id")
	s.keeps("POST", path, `{"signOnPolicy":{"id":"`+shop+`"},"priority":1}`)
	s.assign(lab, 3).refuses("signOnPolicy.id")
	s.assign(s.policy("late"), 2).refuses("priority")
	s.assign("none", 4).refuses("signOnPolicy.id")
	s.send("POST", path, `{"priority":4}`).refuses("signOnPolicy.id")
	s.send("PUT", path+"/"+first, `{"signOnPolicy":{"id":"`+shop+`"},"priority":2}`).refuses("signOnPolicy.id")
	s.keeps("PUT", path+"/"+first, `{"signOnPolicy":{"id":"`+lab+`"},"priority":5}`)
	if a := s.send("DELETE", "/signOnPolicies/"+lab, ""); a.status != http.StatusConflict ||
		!strings.Contains(a.text, s.application.Name) {
		t.Errorf("%d: %s", a.status, a.text)
	}
	s.send("DELETE", path+"/"+first, "").want(http.StatusNoContent)
	s.send("DELETE", "/signOnPolicies/"+lab, "").want(http.StatusNoContent)
	for i := range 19 {
		s.assign(s.policy(fmt.Sprint("more ", i)), 10+i).want(http.StatusCreated)
	}
	s.assign(s.policy("too many"), 40).refuses("signOnPolicy.id")
}

// steps are the actions that a policy can have, each with a priority to fill in.
func (s *site) steps() map[string]string {
	return map[string]string{
		"LOGIN":                       `{"type":"LOGIN","priority":%d,"newUserProvisioning":{"gateways":[]}}`,
		"IDENTIFIER_FIRST":            `{"type":"IDENTIFIER_FIRST","priority":%d}`,
		"IDENTITY_PROVIDER":           `{"type":"IDENTITY_PROVIDER","priority":%d,"identityProvider":{"id":"` + s.provider("p") + `"}}`,
		"MULTI_FACTOR_AUTHENTICATION": `{"type":"MULTI_FACTOR_AUTHENTICATION","priority":%d,"noDevicesMode":"BLOCK"}`,
	}
}

// Of two actions in a policy, in any order, those are taken that can be obeyed, whichever
// is made first; and the default policy has no action that passes by the sign-on order.
func TestActionsThatCanBeObeyed(t *testing.T) {
	s := full(t)
	steps, order := s.steps(), 0
	for a := range steps {
		for b := range steps {
			for _, makeLastFirst := range []bool{false, true} {
				order++
				policy := "/signOnPolicies/" + s.policy(fmt.Sprint(a, b, order))
				one, two := fmt.Sprintf(steps[a], 2), fmt.Sprintf(steps[b], 3)
				if makeLastFirst {
					one, two = two, one
				}
				s.send("POST", policy+"/actions", one).want(http.StatusCreated)
				got := s.send("POST", policy+"/actions", two)
				second := "MULTI_FACTOR_AUTHENTICATION"
				if a == "IDENTIFIER_FIRST" && b == "LOGIN" || b == second && a != second {
					got.want(http.StatusCreated)
				} else {
					got.refuses("type")
				}
			}
		}
	}
	for kind, body := range steps {
		policy := s.policy("default " + kind)
		s.send("POST", "/signOnPolicies/"+policy+"/actions", fmt.Sprintf(body, 2)).want(http.StatusCreated)
		got := s.send("PUT", "/signOnPolicies/"+policy, `{"name":"The default with `+kind+`","default":true}`)
		if kind == "IDENTITY_PROVIDER" {
			got.refuses("type")
		} else {
			got.want(http.StatusOK)
		}
	}
}

// A second factor comes after the order of the default policy, which nobody has made an action of, and
// is told as it was sent.
func TestSecondFactorOfTheDefaultPolicy(t *testing.T) {
	for _, priority := range []string{"2", "7"} {
		s := full(t)
		s.must(s.store.Provision(t.Context(), func(tx *store.Tx) error {
			e, err := tx.Environment(t.Context(), s.env)
			if err == nil {
				e.Settings.SignOnOrder = []store.UserTypeRef{{Gateway: s.gateway.ID, UserType: s.gateway.UserTypes[0].ID}}
				err = tx.Store().UpdateEnvironment(t.Context(), &e)
			}
			return err
		}))
		p, err := s.store.DefaultSignOnPolicy(t.Context(), s.env)
		s.must(err)
		actions := "/signOnPolicies/" + p.ID + "/actions"
		made := s.keeps("POST", actions, `{"type":"MULTI_FACTOR_AUTHENTICATION","priority":`+priority+`,"noDevicesMode":"BLOCK"}`)
		s.send("GET", actions, "").has("count", "2").has("_embedded.actions.0.type", "LOGIN").
			has("_embedded.actions.1.type", "MULTI_FACTOR_AUTHENTICATION")
		if p, err = s.store.DefaultSignOnPolicy(t.Context(), s.env); err != nil || !p.AsksFactor() {
			t.Errorf("%+v, %v", p, err)
		}
		s.send("DELETE", actions+"/"+made.at("id"), "").want(http.StatusNoContent)
		if p, err = s.store.DefaultSignOnPolicy(t.Context(), s.env); err != nil || p.AsksFactor() {
			t.Errorf("%+v, %v", p, err)
		}
	}
}

// What an action leads to has to be there, and is named by where it stands.
func TestActionsNameWhatIsThere(t *testing.T) {
	s := full(t)
	there := s.provider("there")
	path := "/signOnPolicies/" + s.policy("x") + "/actions"
	rule := func(id string) string {
		return `{"condition":{"contains":"@x","value":"${identifier}"},"identityProvider":{"id":"` + id + `"}}`
	}
	for body, target := range map[string]string{
		`{"type":"IDENTITY_PROVIDER","priority":1,"identityProvider":{"id":"gone"}}`:             "identityProvider.id",
		`{"type":"LOGIN","priority":1,"socialProviders":[{"id":"` + there + `"},{"id":"gone"}]}`: "socialProviders[1].id",
		`{"type":"IDENTIFIER_FIRST","priority":1,"discoveryRules":[` + rule(there) + `,` + rule("gone") + `]}`: "" +
			"discoveryRules[1].identityProvider.id",
		`{"type":"IDENTIFIER_FIRST","priority":1,"newUserProvisioning":{"gateways":[]}}`: "newUserProvisioning",
	} {
		s.send("POST", path, body).refuses(target)
	}
}

// A step before the sign-on order leaves it as it is.
func TestIdentifierFirstKeepsTheOrder(t *testing.T) {
	s := full(t)
	s.must(s.store.Provision(t.Context(), func(tx *store.Tx) error {
		e, err := tx.Environment(t.Context(), s.env)
		if err == nil {
			e.Settings.SignOnOrder = []store.UserTypeRef{{Gateway: s.gateway.ID, UserType: s.gateway.UserTypes[0].ID}}
			err = tx.Store().UpdateEnvironment(t.Context(), &e)
		}
		return err
	}))
	p, err := s.store.DefaultSignOnPolicy(t.Context(), s.env)
	s.must(err)
	actions := "/signOnPolicies/" + p.ID + "/actions"
	s.keeps("POST", actions, `{"type":"IDENTIFIER_FIRST","priority":1}`)
	list := s.send("GET", actions, "").has("count", "2").has("_embedded.actions.0.type", "IDENTIFIER_FIRST")
	list.has("_embedded.actions.1.newUserProvisioning.gateways.0.id", s.gateway.ID)
	e, err := s.store.Environment(t.Context(), s.env)
	s.must(err)
	if len(e.Settings.SignOnOrder) != 1 {
		t.Errorf("%+v", e.Settings.SignOnOrder)
	}
}
