package api_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"ldap-gateway/cloud/api"
	"ldap-gateway/cloud/usertypes"
	"ldap-gateway/cloudlink/wire"
)

// object is a JSON object in the making.
type object = map[string]any

func text(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // an object above is no JSON
	}
	return string(b)
}

// userType is a user type that is good.
func userType() object {
	return object{
		"name":                                 "people",
		"passwordAuthority":                    "LDAP",
		"searchBaseDn":                         "ou=people,dc=x",
		"orderedCorrelationAttributes":         []string{"entryUUID"},
		"updateUserOnSuccessfulAuthentication": true,
		"newUserLookup": object{
			"ldapFilterPattern": "(uid=${identifier})",
			"attributeMappings": []object{
				{
					"name":  "username",
					"value": "${ldapAttributes.uid}",
				}, {"name": "memberOfExternalGroups", "value": "${ldapAttributes.memberOf}"}},
		},
		"groups": object{
			"nameAttribute": "cn",
			"identity":      "ID",
			"include":       []string{"*,dc=x"},
			"exclude":       []string{"cn=secret,*"},
		},
	}
}

func gateway(types ...object) object {
	return object{
		"name":      "Branch",
		"type":      "LDAP",
		"vendor":    "OpenLDAP",
		"enabled":   true,
		"userTypes": types,
	}
}

// set puts a value at a path into nested objects.
func set(o object, path string, value any) object {
	inner := o
	name, rest, more := strings.Cut(path, ".")
	for ; more; name, rest, more = strings.Cut(rest, ".") {
		inner = inner[name].(object)
	}
	inner[name] = value
	return o
}

func TestGatewayLife(t *testing.T) {
	s := start(t)
	a := s.send("POST", "/gateways", text(gateway(userType()))).want(http.StatusCreated).has(
		"type", "LDAP",
		"enabled", "true",
		"revision", "1",
		"userTypes.0.passwordAuthority", "LDAP",
		"userTypes.0.groups.identity", "ID",
		"userTypes.0.newUserLookup.population.id", s.population.ID,
		"userTypes.0.newUserLookup.ldapFilterPattern", "(uid=${identifier})",
		"_warnings", "<nil>",
	)
	id := a.at("id")
	if a.at("_links.self.href") != publicURL+"/v1/environments/"+s.env+"/gateways/"+id {
		t.Error(a.text)
	}
	got := s.send("GET", "/gateways/"+id, "").want(http.StatusOK)
	if got.text != a.text {
		t.Errorf("read %s\nmade %s", got.text, a.text)
	}
	// What was read can be written back, and changes nothing.
	s.send("PUT", "/gateways/"+id, got.text).want(http.StatusOK).has(
		"revision", "1",
		"userTypes.0.id", a.at("userTypes.0.id"),
	)
	s.send("POST", "/gateways", text(gateway())).refuses("name").has("details.0.code", "UNIQUENESS_VIOLATION")
	s.send("PUT", "/gateways/"+id, text(set(gateway(), "enabled", false))).want(http.StatusOK).has(
		"enabled", "false",
		"revision", "2",
	)
	if want := []string{"changed " + id, "changed " + id}; !slices.Equal(s.links.told, want) {
		t.Errorf("told %v", s.links.told)
	}
	s.send("DELETE", "/gateways/"+id, "").want(http.StatusNoContent)
	s.send("GET", "/gateways/"+id, "").want(http.StatusNotFound)
	s.send("GET", `/activities?filter=subject+eq+"gateway:`+id+`"`, "").want(http.StatusOK).has("size", "4",
		"_embedded.activities.0.action", "gateway.deleted", "_embedded.activities.0.actor", "client:"+s.client)
}

// The bind password goes nowhere, and the answer says so.
func TestBindPasswordIsDiscarded(t *testing.T) {
	s := start(t)
	g := gateway()
	g["bindPassword"], g["bindDN"] = "hunter2", "cn=svc,dc=x"
	g["serversHostAndPort"], g["connectionSecurity"] = []string{"ldap.x:636"}, "TLS"
	a := s.send("POST", "/gateways", text(g)).want(http.StatusCreated).has(
		"bindDN", "cn=svc,dc=x",
		"connectionSecurity", "TLS",
		"bindPassword", "<nil>",
	)
	if !strings.Contains(a.at("_warnings.0"), "bindPassword was discarded") || strings.Contains(a.text, "hunter2") {
		t.Error(a.text)
	}
	if again := s.send("GET", "/gateways/"+a.at("id"), "").text; strings.Contains(again, "assword\":\"") ||
		strings.Contains(again, "_warnings") {
		t.Error(again)
	}
}

func TestGatewayRefusals(t *testing.T) {
	s := start(t)
	for target, value := range map[string]any{
		"name":               "",
		"type":               "RADIUS",
		"vendor":             "Notepad",
		"connectionSecurity": "SSL",
	} {
		s.send("POST", "/gateways", text(set(gateway(), target, value))).refuses(target)
	}
	s.send("POST", "/gateways", text(set(gateway(), "serversHostAndPort", []string{"a:1", "nohost"}))).
		refuses("serversHostAndPort[1]")
	for _, c := range []struct {
		path   string
		value  any
		target string
	}{
		{"name", "", "name"},
		{"passwordAuthority", "PING_ONE", "passwordAuthority"},
		{"passwordAuthority", "x", "passwordAuthority"},
		{"searchBaseDn", "people", "searchBaseDn"},
		{"orderedCorrelationAttributes", []string{}, "orderedCorrelationAttributes"},
		{"orderedCorrelationAttributes", []string{"uid", "a b"}, "orderedCorrelationAttributes[1]"},
		{"newUserLookup", object{}, "newUserLookup.ldapFilterPattern"},
		{"newUserLookup.ldapFilterPattern", "(uid=ada)", "newUserLookup.ldapFilterPattern"},
		{"newUserLookup.ldapFilterPattern", "(uid=${identifier}", "newUserLookup.ldapFilterPattern"},
		{"newUserLookup.ldapFilterPattern", "(${identifier}=x)", "newUserLookup.ldapFilterPattern"},
		{"newUserLookup.ldapFilterPattern", "(|(uid=${identifier})(${identifier}=x))", "newUserLookup.ldapFilterPattern"},
		{"newUserLookup.ldapFilterPattern", "(&(uid=${identifier})(o=${org}))", "newUserLookup.ldapFilterPattern"},
		{"newUserLookup.population", object{"id": "none"}, "newUserLookup.population.id"},
		{"newUserLookup.attributeMappings", []object{{
			"name":  "email",
			"value": "${ldapAttributes.mail}",
		}}, "newUserLookup.attributeMappings"},
		{"newUserLookup.attributeMappings", []object{{
			"name":  "username",
			"value": "uid",
		}}, "newUserLookup.attributeMappings[0].value"},
		{"newUserLookup.attributeMappings", []object{{
			"name":  "username",
			"value": "${ldapAttributes.u d}",
		}}, "newUserLookup.attributeMappings[0].value"},
		{"newUserLookup.attributeMappings", []object{{
			"name":  "username",
			"value": "${ldapAttributes.uid}",
		}, {"name": "", "value": "${ldapAttributes.x}"}},
			"newUserLookup.attributeMappings[1].name"},
		{"newUserLookup.attributeMappings", []object{{
			"name":  "username",
			"value": "${ldapAttributes.uid}",
		}, {"name": "username", "value": "${ldapAttributes.cn}"}},
			"newUserLookup.attributeMappings[1].name"},
		{"groups.searchBaseDn", "x", "groups.searchBaseDn"},
		{"groups.nameAttribute", "c n", "groups.nameAttribute"},
		{"groups.identity", "DN", "groups.identity"},
		{"groups.include", []string{"*", ""}, "groups.include[1]"},
		{"id", "00000000-0000-0000-0000-000000000000", "id"},
	} {
		s.send("POST", "/gateways", text(gateway(set(userType(), "name", "first"), set(userType(), c.path, c.value)))).
			refuses("userTypes[1]." + c.target)
	}
	s.send("POST", "/gateways", text(gateway(userType(), set(userType(), "name", "PEOPLE")))).
		refuses("userTypes[1].name")
	a := s.send("POST", "/gateways", text(gateway(set(userType(), "passwordAuthority", "PING_ONE"))))
	if !strings.Contains(a.at("details.0.message"), "would keep people's passwords") {
		t.Error(a.text)
	}
}

// The usual values of every vendor are themselves accepted.
func TestDefaults(t *testing.T) {
	s := start(t)
	for i, vendor := range usertypes.Vendors() {
		g := gateway()
		g["name"], g["vendor"] = fmt.Sprint("v", i), vendor
		id := s.send("POST", "/gateways", text(g)).want(http.StatusCreated).at("id")
		a := s.send("GET", "/gateways/"+id+"/userTypes/defaults", "").want(http.StatusOK).has("vendor", vendor)
		form := a.body.(object)
		form["name"], form["searchBaseDn"] = "people", "ou=people,dc=example,dc=com"
		s.send("POST", "/gateways/"+id+"/userTypes", text(form)).want(http.StatusCreated)
	}
}

func TestUserTypeLife(t *testing.T) {
	s := start(t)
	base := "/gateways/" + s.gateway.ID + "/userTypes"
	a := s.send("POST", base, text(set(userType(), "name", "guests"))).want(http.StatusCreated).has("userCount", "0")
	guests := a.at("id")
	s.send("POST", base, text(set(userType(), "name", "GUESTS"))).refuses("name")
	s.send("POST", base, text(set(userType(), "searchBaseDn", "x"))).refuses("searchBaseDn")
	s.send("GET", base, "").want(http.StatusOK).has("size", "2", "_embedded.userTypes.0.userCount", "1")
	s.send("PUT", base+"/"+guests, text(set(userType(), "name", "visitors"))).want(http.StatusOK).has(
		"name", "visitors",
		"id", guests,
	)
	s.send("GET", base+"/"+guests, "").want(http.StatusOK).has("name", "visitors")
	people := s.gateway.UserTypes[0].ID
	s.send("POST", base+"/"+people+"/relink", text(object{"userType": object{"id": "none"}})).refuses("userType.id")
	s.send("POST", base+"/"+people+"/relink", text(object{"userType": object{"id": guests}})).want(http.StatusOK).
		has("userCount", "1")
	s.send("DELETE", base+"/"+guests, "").want(http.StatusConflict).
		has("details.0.message", "1 users have their password checked through it.")
	s.send("DELETE", base+"/"+guests+"?force=true", "").want(http.StatusNoContent)
	s.send("GET", base+"/"+guests, "").want(http.StatusNotFound)
	s.send("GET", "/users/"+s.user.ID+"/password", "").want(http.StatusOK).has("status", "NO_PASSWORD")
}

// Of user types that are added at the same time, each that was answered with
// 201 is there: none overwrites another.
func TestUserTypesAddedTogether(t *testing.T) {
	s := start(t)
	base := "/gateways/" + s.gateway.ID + "/userTypes"
	var made atomic.Int32
	var wg sync.WaitGroup
	for i := range 10 {
		wg.Go(func() {
			switch a := s.send("POST", base, text(set(userType(), "name", fmt.Sprint("type", i)))); a.status {
			case http.StatusCreated:
				made.Add(1)
			case http.StatusConflict:
			default:
				t.Errorf("status %d: %s", a.status, a.text)
			}
		})
	}
	wg.Wait()
	g, err := s.store.Gateway(t.Context(), s.env, s.gateway.ID)
	if err != nil || len(g.UserTypes) != 1+int(made.Load()) || made.Load() == 0 {
		t.Errorf("%d user types, %d made, %v", len(g.UserTypes), made.Load(), err)
	}
}

func TestDeletingNeedsForce(t *testing.T) {
	s := start(t)
	g := "/gateways/" + s.gateway.ID
	s.send("DELETE", g, "").want(http.StatusConflict).has("details.0.target", "users", "details.1.message", "ada")
	kept := set(gateway(), "name", "Head office")
	s.send("PUT", g, text(kept)).want(http.StatusConflict).has("details.0.target", "userTypes")
	s.send("DELETE", g+"?force=true", "").want(http.StatusNoContent)
	if want := []string{"revoked " + s.instance.ID}; !slices.Equal(s.links.told, want) {
		t.Errorf("told %v", s.links.told)
	}
	s.send("GET", "/groups/"+s.jit.ID, "").want(http.StatusNotFound)
	s.send("GET", "/users/"+s.user.ID, "").want(http.StatusOK)
}

func TestInstanceHealth(t *testing.T) {
	s := start(t)
	path := "/gateways/" + s.gateway.ID + "/instances/" + s.instance.ID
	s.send("GET", path, "").want(http.StatusOK).has(
		"healthStatus", "UNHEALTHY",
		"connected", "false",
		"fingerprint", "AB12",
		"pairedBy", "ada",
		"version.versionNumber", "1.0",
		"version.updateStatus", "UPGRADE_AVAILABLE",
	)
	for want, live := range map[string]api.LiveInstance{
		"HEALTHY": {
			Servers:     []wire.Server{{URL: "ldaps://a", State: "up"}, {URL: "ldaps://b", State: "unused"}},
			BusyPercent: 7,
		},
		"DEGRADED": {
			Servers: []wire.Server{
				{URL: "ldaps://a", State: "up"},
				{URL: "ldaps://b", State: "down", Error: "refused"},
			},
			Problems: []wire.Problem{{Code: "directoryServerDown", Text: "ldaps://b: refused"}},
		},
	} {
		live.ID = s.instance.ID
		s.links.live = []api.LiveInstance{{ID: "another"}, live}
		s.send("GET", path, "").want(http.StatusOK).has(
			"healthStatus", want,
			"connected", "true",
			"busyPercentage", fmt.Sprint(live.BusyPercent),
		)
	}
	s.links.live[1] = api.LiveInstance{
		ID:       s.instance.ID,
		Problems: []wire.Problem{{Code: "CLOCK", Text: "wrong", Remedy: "set it"}},
	}
	s.send("GET", path, "").has(
		"healthStatus", "DEGRADED",
		"problems.0.code", "CLOCK",
		"problems.0.remedy", "set it",
		"currentErrors.0", "wrong",
	)
	s.links.live[1] = api.LiveInstance{ID: s.instance.ID, Refused: []wire.Refused{{ID: "t", Reasons: []string{"base"}}}}
	s.send("GET", path, "").has("healthStatus", "DEGRADED", "refusedUserTypes.0.reasons.0", "base")
	s.send("GET", "/gateways/"+s.gateway.ID+"?expand=instances", "").
		has("_embedded.instances.0.healthStatus", "DEGRADED")
}

func TestRevoke(t *testing.T) {
	s := start(t)
	base := "/gateways/" + s.gateway.ID + "/instances"
	s.send("DELETE", base+"/"+s.instance.ID, "").want(http.StatusNoContent)
	if want := []string{"revoked " + s.instance.ID}; !slices.Equal(s.links.told, want) {
		t.Errorf("told %v", s.links.told)
	}
	s.send("GET", base, "").want(http.StatusOK).has("size", "0")
	s.send("GET", base+"?include=revoked", "").has("_embedded.gatewayInstances.0.revokedBy", "API client terraform")
	if i, err := s.store.Instance(t.Context(), s.instance.ID); err != nil || i.RevokedAt.IsZero() {
		t.Errorf("%+v, %v", i, err)
	}
}

func TestPairings(t *testing.T) {
	s := start(t)
	base := "/gateways/" + s.gateway.ID + "/pairings"
	a := s.send("POST", base, `{}`).want(http.StatusCreated).has("createdBy", "API client terraform")
	list := s.send("GET", base, "").want(http.StatusOK).has("size", "2")
	if a.at("code") == "" || strings.Contains(list.text, a.at("code")) || strings.Contains(list.text, `"code"`) {
		t.Error(list.text)
	}
	s.send("GET", base+"/"+a.at("id"), "").want(http.StatusOK).has("id", a.at("id"), "code", "<nil>")
	s.send("DELETE", base+"/"+a.at("id"), "").want(http.StatusNoContent)
	s.send("GET", base+"/"+a.at("id"), "").want(http.StatusNotFound)
	s.send("POST", base, `{"code":"ABCD-EFGH","approve":true}`).refuses("code")
	for _, code := range []string{"AAAA-AAAA", "BBBB-BBBB", "CCCC-CCCC"} {
		s.waits(code)
	}
	i := s.send("POST", base, `{"code":"aaaa aaaa","approve":true}`).want(http.StatusCreated).
		has("fingerprint", "AAAA-AAAA").at("id")
	if kept, err := s.store.Instance(t.Context(), i); err != nil || kept.GatewayID != s.gateway.ID ||
		kept.PairedBy != "API client terraform" {
		t.Errorf("%+v, %v", kept, err)
	}
	s.send("POST", base, `{"code":"BBBB-BBBB","approve":false}`).want(http.StatusNoContent)
	for _, body := range []string{
		`{"code":"CCCC-CCCC"}`, `{"code":"OTHER","approve":true}`, `{"code":"OTHER","approve":false}`,
		`{"code":"AAAA-AAAA","approve":true}`, `{"code":"AAAA-AAAA","approve":false}`, `{"code":"BBBB-BBBB","approve":true}`,
	} {
		s.send("POST", base, body).want(http.StatusBadRequest)
	}
	s.send("POST", "/gateways/none/pairings", `{"code":"CCCC-CCCC","approve":true}`).want(http.StatusNotFound)
	s.send("POST", "/gateways/none/pairings", `{}`).want(http.StatusNotFound)
}

func TestPopulations(t *testing.T) {
	s := start(t)
	a := s.send("POST", "/populations", `{"name":"Guests","default":true}`).want(http.StatusCreated).has(
		"default", "true",
		"userCount", "0",
	)
	s.send("GET", "/populations/"+s.population.ID, "").has("default", "false", "userCount", "1")
	s.send("PATCH", "/populations/"+a.at("id"), `{"description":"d"}`).want(http.StatusOK).has(
		"name", "Guests",
		"description", "d",
		"default", "true",
	)
	s.send("POST", "/populations", `{"name":"guests"}`).refuses("name")
	s.send("POST", "/populations", `{}`).refuses("name")
	s.send("DELETE", "/populations/"+s.population.ID, "").want(http.StatusConflict)
	s.send("GET", "/populations?limit=1", "").has("size", "1", "_embedded.populations.0.name", "Guests")
	s.must(s.store.DeleteUser(t.Context(), s.env, s.user.ID))
	s.must(s.store.DeleteGateway(t.Context(), s.env, s.gateway.ID, true))
	s.send("DELETE", "/populations/"+s.population.ID, "").want(http.StatusNoContent)
	s.send("PUT", "", `{"name":"Renamed"}`).want(http.StatusOK).has("name", "Renamed")
	if e, err := s.store.Environment(t.Context(), s.env); err != nil || e.Name != "Renamed" {
		t.Error(e, err)
	}
}
