package api_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"ldap-gateway/cloud/api"
	"ldap-gateway/cloud/pairing"
	"ldap-gateway/cloud/store"
	"ldap-gateway/cloudlink/wire"
)

// without returns a body without some of its properties.
func without(body any, names ...string) object {
	o := maps.Clone(body.(object))
	for _, name := range names {
		delete(o, name)
	}
	return o
}

// full sets a place up so that what is read of it can be written back: its user type
// lacks what the store does not ask for.
func full(t *testing.T) *site {
	t.Helper()
	s := start(t)
	s.as(store.RoleOwner)
	g := s.gateway
	g.Revision = 0
	g.UserTypes[0].SearchBaseDN, g.UserTypes[0].FilterPattern = "ou=people,dc=x", "(uid=${identifier})"
	g.UserTypes[0].PasswordAuthority = "LDAP"
	g.UserTypes[0].Mappings = []store.Mapping{{Name: "username", Value: "${ldapAttributes.uid}"}}
	g.Declared = store.Declared{
		ServersHostAndPort: []string{"a:636"},
		BindDN:             "cn=x",
		ConnectionSecurity: "TLS",
		FollowReferrals:    true,
	}
	g.Kerberos = &store.Kerberos{
		RetainMinutes: 7,
		Realms:        []string{"A.EXAMPLE"},
		AllowRC4:      true,
		Networks:      []string{"10.0.0.0/8"},
	}
	s.must(s.store.UpdateGateway(t.Context(), &g))
	a := s.application
	a.Groups, a.SignOffURIs, a.Refresh = store.GroupsClaim{
		Value: store.GroupIDs,
		Allow: []string{"cn=*"},
	}, []string{"https://wiki.example/"}, true
	s.must(s.store.UpdateApplication(t.Context(), &a))
	u := s.user
	u.GivenName, u.FamilyName, u.Email, u.ExternalID = "Ada", "Byron", "ada@example.com", "7"
	u.Attributes = map[string]string{"phone": "1"}
	s.must(s.store.UpdateUser(t.Context(), &u))
	s.must(s.store.SetRoleGroup(t.Context(), store.RoleGroup{
		EnvironmentID: s.env,
		GroupID:       s.jit.ID,
		Role:          store.RoleReadOnly,
	}))
	return s
}

// written are the resources that are replaced by what a PUT has.
func (s *site) written() map[string]string {
	return map[string]string{
		"environment": "",
		"user":        "/users/" + s.user.ID,
		"password":    "/users/" + s.user.ID + "/password",
		"group":       "/groups/" + s.group.ID,
		"jit":         "/groups/" + s.jit.ID,
		"population":  "/populations/" + s.population.ID,
		"gateway":     "/gateways/" + s.gateway.ID,
		"user type":   "/gateways/" + s.gateway.ID + "/userTypes/" + s.gateway.UserTypes[0].ID,
		"application": "/applications/" + s.application.ID,
		"role group":  "/roleGroups/" + s.jit.ID,
	}
}

// What was read can be written back as it is, and changes nothing: neither what is
// there nor what hangs on it.
func TestWhatIsReadCanBeWritten(t *testing.T) {
	s := full(t)
	for name, path := range s.written() {
		if name == "password" {
			continue // it shows more than a link says
		}
		before := s.send("GET", path, "").want(http.StatusOK)
		after := s.send("PUT", path, before.text).want(http.StatusOK)
		was := without(before.body, "updatedAt", "lastSeenAt")
		is := without(after.body, "updatedAt", "lastSeenAt", "_warnings")
		if text(was) != text(is) {
			t.Errorf("%s was %s\nand is %s", name, text(was), text(is))
		}
	}
	u, err := s.store.User(t.Context(), s.env, s.user.ID)
	if err != nil || u.GatewayID != s.gateway.ID || len(u.Correlation) != 1 || u.SignOffs != 0 {
		t.Errorf("%+v, %v", u, err)
	}
}

// A PATCH of nothing changes nothing, and one of one property changes that alone.
func TestPatchesAreSmall(t *testing.T) {
	s := full(t)
	paths := s.written()
	for name, patch := range map[string]string{
		"user":       `{"email":"new@example.com"}`,
		"group":      `{"description":"new"}`,
		"jit":        `{"description":"new"}`,
		"population": `{"description":"new"}`,
	} {
		before := s.send("GET", paths[name], "").want(http.StatusOK)
		same := s.send("PATCH", paths[name], `{}`).want(http.StatusOK)
		if text(without(before.body, "updatedAt")) != text(without(same.body, "updatedAt")) {
			t.Errorf("%s: %s\n%s", name, before.text, same.text)
		}
		after := s.send("PATCH", paths[name], patch).want(http.StatusOK)
		var changed object
		s.must(json.Unmarshal([]byte(patch), &changed))
		for property := range changed {
			if after.at(property) == before.at(property) {
				t.Errorf("%s: %s is as it was", name, property)
			}
			was, is := without(before.body, "updatedAt", property), without(after.body, "updatedAt", property)
			if text(was) != text(is) {
				t.Errorf("%s: %s\n%s", name, text(was), text(is))
			}
		}
	}
}

// Every resource that can be read is changed with its own ETag, and not with that of
// before: neither replaced nor patched nor deleted.
func TestIfMatchOfEveryResource(t *testing.T) {
	for _, c := range []struct {
		name, method, body string
	}{
		{"environment", "PUT", `{"name":"new"}`},
		{"user", "PUT", `{"username":"ada"}`},
		{"user", "PATCH", `{"email":"x@example.com"}`},
		{"user", "DELETE", ""},
		{"password", "PUT", ""},
		{"group", "PUT", `{"name":"new"}`},
		{"group", "PATCH", `{"name":"new"}`},
		{"group", "DELETE", ""},
		{"jit", "PATCH", `{"description":"new"}`},
		{"jit", "DELETE", ""},
		{"population", "PUT", `{"name":"new"}`},
		{"population", "PATCH", `{"name":"new"}`},
		{"gateway", "PUT", ""},
		{"gateway", "DELETE", ""},
		{"user type", "PUT", ""},
		{"user type", "DELETE", ""},
		{"application", "PUT", ""},
		{"application", "DELETE", ""},
		{"role group", "PUT", `{"role":"OWNER"}`},
		{"role group", "DELETE", ""},
	} {
		t.Run(strings.ReplaceAll(c.name, " ", "_")+"_"+c.method, func(t *testing.T) {
			s := full(t)
			path := s.written()[c.name]
			read := s.send("GET", path, "").want(http.StatusOK)
			body := c.body
			if body == "" && c.method == "PUT" {
				body = read.text
			}
			if c.name == "password" {
				body = linkOf(s.place, `{"entryUUID":"9"}`)
			}
			query := ""
			if c.method == "DELETE" && (c.name == "gateway" || c.name == "user type") {
				query = "?force=true"
			}
			s.with(c.method, path+query, body, "If-Match", `"stale", W/"older"`).want(http.StatusPreconditionFailed).
				has("code", "INVALID_REQUEST")
			if again := s.send("GET", path, "").want(http.StatusOK); again.text != read.text {
				t.Errorf("it was changed: %s", again.text)
			}
			a := s.with(c.method, path+query, body, "If-Match", `"stale", `+read.header.Get("ETag"))
			if a.status != http.StatusOK && a.status != http.StatusNoContent {
				t.Errorf("%d %s", a.status, a.text)
			}
		})
	}
}

// Each list comes in pages of the size that is asked for; what follows next has all of
// them once.
func TestEveryListHasPages(t *testing.T) {
	s := full(t)
	for i := range 4 {
		name := fmt.Sprint("more ", i)
		s.send("POST", "/users", text(object{"username": name})).want(http.StatusCreated)
		s.send("POST", "/groups", text(object{"name": name})).want(http.StatusCreated)
		s.send("POST", "/populations", text(object{"name": name})).want(http.StatusCreated)
		s.send("POST", "/gateways", text(set(gateway(), "name", name))).want(http.StatusCreated)
		app := object{"name": name, "type": "SINGLE_PAGE_APP", "redirectUris": []string{"https://x/"}}
		s.send("POST", "/applications", text(app)).want(http.StatusCreated)
		s.must(s.store.RecordSignOn(t.Context(), &store.SignOn{EnvironmentID: s.env, Username: name}))
	}
	for list, n := range map[string]int{
		"users":        5,
		"groups":       6,
		"populations":  5,
		"gateways":     5,
		"applications": 5,
		"signOns":      5,
		"activities":   21,
	} {
		seen := map[string]bool{}
		path, pages := "/"+list+"?limit=2", 0
		for path != "" && pages < 20 {
			a := s.send("GET", path, "").want(http.StatusOK)
			for i := range 2 {
				if id := a.at(fmt.Sprintf("_embedded.%s.%d.id", list, i)); id != "<nothing>" {
					seen[id] = true
				}
			}
			if a.at("count") != a.at("size") || a.at("_links.self.href") == "<nil>" {
				t.Errorf("%s: %s", list, a.text)
			}
			pages++
			_, path, _ = strings.Cut(a.at("_links.next.href"), "/v1/environments/"+s.env)
		}
		if len(seen) != n || pages != (n+1)/2 {
			t.Errorf("%s: %d in %d pages, want %d", list, len(seen), pages, n)
		}
		s.send("GET", "/"+list+"?limit=5000", "").want(http.StatusOK).
			has("count", fmt.Sprint(n), "_links.next", "<nil>")
	}
}

// Every change that a client makes is an activity of the client's.
func TestChangesAreTheClients(t *testing.T) {
	s := full(t)
	s.now = s.now.Add(time.Minute) // behind all that was made by the clock of the machine
	s.waits("WAIT-0001")
	user, gateway := "/users/"+s.user.ID, "/gateways/"+s.gateway.ID
	application, root := "/applications/"+s.application.ID, "/administrators/"+s.administrator.ID
	for _, c := range []struct{ method, path, body, action string }{
		{"PUT", "", `{"name":"new"}`, "environment.updated"},
		{"POST", "/users", `{"username":"new"}`, "user.created"},
		{"PATCH", user, `{"enabled":false}`, "user.updated"},
		{"PUT", user + "/password", linkOf(s.place, `{"entryUUID":"9"}`), "user.linked"},
		{"POST", user + "/off", "", "user.signed-off"},
		{"DELETE", user + "/secondFactor", "", "user.factor-reset"},
		{"POST", user + "/memberOfGroups", `{"id":"` + s.group.ID + `"}`, "membership.added"},
		{"DELETE", user + "/memberOfGroups/" + s.group.ID, "", "membership.removed"},
		{"POST", "/groups", `{"name":"new"}`, "group.created"},
		{"PATCH", "/groups/" + s.group.ID, `{"description":"x"}`, "group.updated"},
		{"DELETE", "/groups/" + s.group.ID, "", "group.deleted"},
		{"POST", "/populations", `{"name":"new"}`, "population.created"},
		{"PATCH", "/populations/" + s.population.ID, `{"description":"x"}`, "population.updated"},
		{"POST", gateway + "/pairings", `{}`, "pairing.created"},
		{"DELETE", gateway + "/pairings/" + s.pairing.ID, "", "pairing.deleted"},
		{"POST", gateway + "/pairings", `{"code":"WAIT-0001","approve":false}`, "pairing.denied"},
		{"POST", gateway + "/instances/" + s.instance.ID + "/rotate", "", "instance.rotation"},
		{"DELETE", gateway + "/instances/" + s.instance.ID, "", "instance.revoked"},
		{"POST", application + "/secret", "{}", "application.updated"},
		{"DELETE", application, "", "application.deleted"},
		{"POST", "/administrators", `{"name":"new","role":"OWNER"}`, "administrator.created"},
		{"PATCH", root, `{"role":"READ_ONLY"}`, "administrator.updated"},
		{"POST", root + "/reset", "", "administrator.reset"},
		{"DELETE", root, "", "administrator.deleted"},
		{"PUT", "/roleGroups/" + s.jit.ID, `{"role":"OWNER"}`, "role.changed"},
		{"DELETE", user, "", "user.deleted"},
		{"DELETE", gateway + "?force=true", "", "gateway.deleted"},
	} {
		if c.action == "user.factor-reset" { // the link that was before ended one
			s.must(s.store.SetPersonFactor(t.Context(), s.env, s.user.ID, []byte("sealed")))
		}
		s.now = s.now.Add(time.Second)
		a := s.with(c.method, c.path, c.body, "X-Request-Id", "request of "+c.action)
		if a.status >= 300 {
			t.Errorf("%s %s: %d %s", c.method, c.path, a.status, a.text)
			continue
		}
		got := s.send("GET", "/activities?limit=1", "").want(http.StatusOK)
		got.has("_embedded.activities.0.action", c.action, "_embedded.activities.0.actor", "client:"+s.client)
		got.has("_embedded.activities.0.detail.request", "request of "+c.action)
	}
}

// An instance is as healthy as the worst that is known of it.
func TestHealthOfInstances(t *testing.T) {
	s := full(t)
	path := "/gateways/" + s.gateway.ID + "/instances/" + s.instance.ID
	problem := func(severity string) wire.Problem { return wire.Problem{Code: "X", Text: "wrong", Severity: severity} }
	for name, c := range map[string]struct {
		live   *api.LiveInstance
		health string
		errors int
	}{
		"not connected": {nil, "UNHEALTHY", 0},
		"all is well":   {&api.LiveInstance{}, "HEALTHY", 0},
		"information":   {&api.LiveInstance{Problems: []wire.Problem{problem(wire.SeverityInfo)}}, "HEALTHY", 1},
		"warning":       {&api.LiveInstance{Problems: []wire.Problem{problem("warning")}}, "DEGRADED", 1},
		"error":         {&api.LiveInstance{Problems: []wire.Problem{problem("warning"), problem(wire.SeverityError)}}, "UNHEALTHY", 2},
		"refused":       {&api.LiveInstance{Refused: []wire.Refused{{ID: "t", Reasons: []string{"base"}}}}, "DEGRADED", 0},
	} {
		s.links.live = nil
		if c.live != nil {
			c.live.ID, c.live.Since = s.instance.ID, s.now
			s.links.live = []api.LiveInstance{*c.live}
		}
		a := s.send("GET", path, "").want(http.StatusOK).
			has("healthStatus", c.health, "connected", fmt.Sprint(c.live != nil))
		if got, _ := a.body.(object)["currentErrors"].([]any); len(got) != c.errors {
			t.Errorf("%s: %s", name, a.text)
		}
	}
	s.links.live = []api.LiveInstance{{ID: s.instance.ID}}
	s.must(s.store.QuarantineInstance(t.Context(), s.instance.ID, "copied", s.now))
	s.send("GET", path, "").has(
		"healthStatus", "UNHEALTHY",
		"problems.0.code", "quarantine",
		"currentErrors.0", "copied",
	)
}

// How new an agent is, is told when both versions are known.
func TestVersionsOfAgents(t *testing.T) {
	s := full(t)
	path := "/gateways/" + s.gateway.ID + "/instances/" + s.instance.ID
	for _, c := range []struct{ newest, reported, status string }{
		{"2.0", "2.0", "AT_LATEST"},
		{"2.0", "1.9", "UPGRADE_AVAILABLE"},
		{"", "1.9", "<nil>"},
	} {
		s.server.Version = c.newest
		report := store.InstanceReport{Software: c.reported, At: s.now}
		s.must(s.store.ReportInstance(t.Context(), s.instance.ID, report))
		s.send("GET", path, "").has("version.versionNumber", c.reported, "version.updateStatus", c.status)
	}
}

// A user's password is their directory's, or none; a link says which, and which entry.
func TestPasswordOfAUser(t *testing.T) {
	s := full(t)
	made := s.send("POST", "/users", `{"username":"free"}`).want(http.StatusCreated)
	path := "/users/" + made.at("id") + "/password"
	s.send("GET", path, "").want(http.StatusOK).has("status", "NO_PASSWORD", "external", "<nil>")
	s.send("PUT", path, linkOf(s.place, `{"uid":"free","entryUUID":"7","empty":""}`)).want(http.StatusOK).
		has("status", "EXTERNAL", "external.gateway.id", s.gateway.ID, "external.gateway.type", "LDAP").
		has(
			"external.gateway.correlationAttributes.entryUUID", "7",
			"external.gateway.correlationAttributes.empty", "<nil>",
		)
	s.send("PUT", path, linkOf(s.place, `{"entryUUID":"1-2"}`)).refuses("correlationAttributes").
		has("details.0.code", "UNIQUENESS_VIOLATION") // it is ada's
	s.send("PUT", path, linkOf(s.place, `null`)).want(http.StatusOK).
		has("external.gateway.correlationAttributes", "map[]")
	s.send("GET", "/users/none/password", "").want(http.StatusNotFound)
}

// A code is told once, under either of its names, and found under both.
func TestCodesUnderBothNames(t *testing.T) {
	s := full(t)
	base := "/gateways/" + s.gateway.ID
	p := s.send("POST", base+"/pairings", `{}`).want(http.StatusCreated)
	c := s.send("POST", base+"/credentials", "").want(http.StatusCreated)
	for _, made := range []answer{p, c} {
		id := made.at("id")
		s.send("GET", base+"/pairings/"+id, "").want(http.StatusOK).
			has("code", "<nil>", "createdBy", "API client terraform")
		s.send("GET", base+"/credentials/"+id, "").want(http.StatusOK).has("credential", "<nil>", "id", id)
	}
	if _, err := s.store.RedeemPairing(
		t.Context(),
		pairing.HashCode(c.at("credential")),
		s.now,
		&store.Instance{},
	); err != nil {
		t.Error(err)
	}
	s.send("GET", base+"/credentials/"+c.at("id"), "").want(http.StatusNotFound) // it was used
	etag := s.send("GET", base+"/credentials/"+p.at("id"), "").header.Get("ETag")
	s.with("DELETE", base+"/pairings/"+p.at("id"), "", "If-Match", etag).want(http.StatusPreconditionFailed)
	s.with("DELETE", base+"/credentials/"+p.at("id"), "", "If-Match", etag).want(http.StatusNoContent)
}

// Users of one type move to another, and who is asked about them with it.
func TestUsersAreRelinked(t *testing.T) {
	s := full(t)
	base := "/gateways/" + s.gateway.ID + "/userTypes"
	added := s.send("POST", base, text(set(userType(), "name", "others"))).want(http.StatusCreated).
		has("userCount", "0")
	from := base + "/" + s.gateway.UserTypes[0].ID
	to := object{"userType": object{"id": added.at("id")}}
	s.send("POST", from+"/relink", text(to)).want(http.StatusOK).has("userCount", "1")
	s.send("GET", base+"/"+added.at("id"), "").has("userCount", "1")
	s.send("POST", from+"/relink", text(to)).want(http.StatusOK).has("userCount", "0")
	s.send("DELETE", from, "").want(http.StatusNoContent)
	names := []string{}
	for _, t := range s.send("GET", base, "").body.(object)["_embedded"].(object)["userTypes"].([]any) {
		names = append(names, t.(object)["name"].(string))
	}
	if !slices.Equal(names, []string{"others"}) {
		t.Errorf("%v", names)
	}
}
