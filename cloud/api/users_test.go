package api_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"ldap-gateway/cloud/store"
)

func TestUserLife(t *testing.T) {
	s := start(t)
	a := s.send(
		"POST",
		"/users",
		`{"username":"bob","name":{"given":"Bob","family":"Ross"},"email":"b@x","attributes":{"floor":"2"},"title":"painter"}`,
	).
		want(http.StatusCreated).has(
		"username", "bob",
		"name.family", "Ross",
		"population.id", s.population.ID,
		"account.status", "OK",
		"enabled", "true",
		"attributes.floor", "2",
		"title", "painter",
		"lastSignOn", "<nil>",
	)
	path := "/users/" + a.at("id")
	s.send("POST", "/users", `{"username":"BOB"}`).refuses("username").has("details.0.code", "UNIQUENESS_VIOLATION")
	s.send("POST", "/users", `{"username":""}`).refuses("username")
	s.send("POST", "/users", `{"username":"x","population":{"id":"none"}}`).refuses("population.id")
	s.send("PATCH", path, `{"name":{"given":"Robert"},"enabled":false}`).want(http.StatusOK).has(
		"name.given", "Robert",
		"name.family", "Ross",
		"email", "b@x",
		"enabled", "false",
		"account.canAuthenticate", "false",
		"attributes.floor", "2",
		"title", "painter",
	)
	s.send("PUT", path, `{"username":"bob"}`).want(http.StatusOK).has(
		"name", "<nil>",
		"email", "<nil>",
		"attributes", "<nil>",
		"title", "<nil>",
	)
	s.send("PUT", path, `{"username":"ADA"}`).refuses("username")
	s.send("DELETE", path, "").want(http.StatusNoContent)
	s.send("GET", path, "").want(http.StatusNotFound)
	s.send("PATCH", path, `{}`).want(http.StatusNotFound)
	// The link to a directory outlives a change of the record.
	s.send("PUT", "/users/"+s.user.ID, `{"username":"ada","email":"a@x"}`).want(http.StatusOK)
	s.send("GET", "/users/"+s.user.ID+"/password", "").has(
		"status", "EXTERNAL",
		"external.gateway.id", s.gateway.ID,
		"external.gateway.userType.id", s.user.UserTypeID,
		"external.gateway.correlationAttributes.entryUUID", "1-2",
	)
}

func TestUserInclude(t *testing.T) {
	s := start(t)
	path := "/users/" + s.user.ID
	s.send("GET", path, "").want(http.StatusOK).has(
		"memberOfGroupIDs", "<nil>",
		"lastSignOn.at", s.signOn.At.Format(time.RFC3339Nano),
	)
	s.send("GET", path+"?include=memberOfGroupIDs,memberOfGroupNames", "").has(
		"memberOfGroupIDs.0", s.jit.ID,
		"memberOfGroupNames.0", s.jit.Name,
	)
	s.must(s.store.RemoveMember(t.Context(), s.env, s.user.ID, s.jit.ID))
	s.send("GET", path+"?include=memberOfGroupNames", "").has("memberOfGroupNames", "[]", "memberOfGroupIDs", "<nil>")
}

func TestLinkUser(t *testing.T) {
	s := start(t)
	path := "/users/" + s.user.ID + "/password"
	link := object{
		"id":                    s.gateway.ID,
		"userType":              object{"id": s.user.UserTypeID},
		"correlationAttributes": object{"uid": "ada", "entryUUID": "9", "dn": ""},
	}
	s.send("PUT", path, text(link)).want(http.StatusOK).has(
		"status", "EXTERNAL",
		"external.gateway.correlationAttributes.entryUUID", "9",
	)
	u, err := s.store.User(t.Context(), s.env, s.user.ID)
	if err != nil || fmt.Sprint(u.Correlation) != "[{entryUUID 9} {uid ada}]" {
		t.Errorf("%+v, %v", u, err)
	}
	s.send("PUT", path, text(set(link, "userType", object{"id": "none"}))).refuses("userType.id")
	s.send("PUT", path, `{"id":"none"}`).refuses("id")
}

// Following next shows every user once; the last page has none.
func TestUserPages(t *testing.T) {
	s := start(t)
	for i := range 6 {
		s.send("POST", "/users", fmt.Sprintf(`{"username":"user%d"}`, i)).want(http.StatusCreated)
	}
	var seen []string
	for path := "/users?limit=3&filter=" + url.QueryEscape(`username sw "USER"`); path != ""; {
		a := s.send("GET", path, "").want(http.StatusOK).has("size", "3", "count", "3")
		for i := range 3 {
			seen = append(seen, a.at(fmt.Sprintf("_embedded.users.%d.username", i)))
		}
		_, path, _ = strings.Cut(a.at("_links.next.href"), "/v1/environments/"+s.env)
	}
	if fmt.Sprint(seen) != "[user0 user1 user2 user3 user4 user5]" {
		t.Error(seen)
	}
	for _, query := range []string{"limit=0", "limit=x", "cursor=x"} {
		s.send("GET", "/users?"+query, "").refuses(strings.Split(query, "=")[0])
	}
	s.send("GET", "/users?filter="+url.QueryEscape(`password eq "x"`), "").refuses("filter")
}

// A just-in-time group belongs to its source: what the API refuses, it explains.
func TestJustInTimeGroup(t *testing.T) {
	s := start(t)
	path := "/groups/" + s.jit.ID
	s.send("GET", path, "").want(http.StatusOK).has(
		"justInTime", "true",
		"sourceType", "GATEWAY",
		"sourceId", s.gateway.ID,
		"directMemberCounts.users", "1",
		"lastSeenAt", s.signOn.At.Format(time.RFC3339Nano),
	)
	s.send("PUT", path, `{"name":"other"}`).refuses("name").has("details.0.code", "READ_ONLY",
		"details.0.message", "This group is just-in-time: its name is that in the directory.")
	s.send("PATCH", path, `{"displayName":"other"}`).refuses("displayName")
	s.send("PATCH", path, `{"userFilter":"username sw \"a\""}`).refuses("userFilter")
	s.send("PUT", path, `{"description":"kitchen"}`).want(http.StatusOK).has(
		"name", s.jit.Name,
		"displayName", "Cooks",
		"description", "kitchen",
	)
	s.send("POST", "/groups", `{"name":"x","sourceType":"GATEWAY"}`).refuses("sourceType")

	groups := "/users/" + s.user.ID + "/memberOfGroups"
	s.send("GET", groups, "").has(
		"size", "1",
		"_embedded.groupMemberships.0.type", "DIRECT",
		"_embedded.groupMemberships.0.justInTime", "true",
	)
	a := s.send("POST", groups, text(object{"id": s.jit.ID})).refuses("id").has("details.0.code", "READ_ONLY")
	if !strings.Contains(a.text, "Add the user there") {
		t.Error(a.text)
	}
	s.send("DELETE", groups+"/"+s.jit.ID, "").want(http.StatusNoContent)
	s.send("DELETE", groups+"/"+s.jit.ID, "").want(http.StatusNotFound)
	s.send("DELETE", path, "").want(http.StatusNoContent)
}

func TestOrdinaryGroup(t *testing.T) {
	s := start(t)
	a := s.send("POST", "/groups", text(object{
		"name":       "writers",
		"population": object{"id": s.population.ID},
	})).want(http.StatusCreated).
		has(
			"displayName", "writers",
			"justInTime", "false",
			"sourceType", "<nil>",
			"population.id", s.population.ID,
		)
	path, groups := "/groups/"+a.at("id"), "/users/"+s.user.ID+"/memberOfGroups"
	s.send("POST", "/groups", `{"name":"WRITERS"}`).refuses("name")
	s.send("POST", "/groups", `{"name":"x","population":{"id":"none"}}`).refuses("population.id")
	s.send("POST", "/groups", `{"name":"x","userFilter":"y"}`).refuses("userFilter")
	s.send("POST", groups, text(object{"id": a.at("id")})).want(http.StatusCreated).
		has("id", a.at("id"), "type", "DIRECT")
	s.send("POST", groups, `{"id":"none"}`).refuses("id")
	s.send("GET", groups+"/"+a.at("id"), "").want(http.StatusOK).has("name", "writers")
	s.send("PATCH", path, `{"displayName":"Writers"}`).want(http.StatusOK).has(
		"name", "writers",
		"displayName", "Writers",
		"directMemberCounts.users", "1",
	)
	for filter, size := range map[string]string{
		`displayName co "RITE"`:                    "1",
		`sourceType eq "GATEWAY"`:                  "1",
		`name eq "writers" and displayName eq "x"`: "0",
		`id eq "` + a.at("id") + `"`:               "1",
	} {
		s.send("GET", "/groups?filter="+url.QueryEscape(filter), "").want(http.StatusOK).has("size", size)
	}
	s.send("DELETE", path, "").want(http.StatusNoContent)
	s.send("GET", groups+"/"+a.at("id"), "").want(http.StatusNotFound)
}

func TestSignOn(t *testing.T) {
	s := start(t)
	s.signOns.answer = s.signOn
	s.signOns.answer.Message, s.signOns.answer.UpdateReason = "Welcome.", "nothing changed"
	a := s.send("POST", "/signOns", `{"username":"ada","password":"s3cret \u00e9","address":"10.1.2.3"}`).
		want(http.StatusCreated).has(
		"id", s.signOn.ID,
		"outcome", "ok",
		"message", "Welcome.",
		"user.username", "ada",
		"groups.0.displayName", "Cooks",
		"groups.0.id", s.jit.ID,
		"record.updated", "false",
		"record.reason", "nothing changed",
		"membership.verdict", "complete",
		"membership.added.0", "g",
		"membership.removed", "[]",
	)
	asked := s.signOns.asked
	if s.signOns.password != "s3cret é" || asked.EnvironmentID != s.env || asked.Username != "ada" ||
		asked.Address != "10.1.2.3" || asked.Actor != "client:"+s.client {
		t.Errorf("asked %+v", asked)
	}
	if strings.Trim(string(asked.Password), "\x00") != "" {
		t.Error("the password is still in memory")
	}
	if strings.Contains(a.text, "s3cret") {
		t.Error(a.text)
	}
	s.signOns.answer = store.SignOn{ID: "x", Outcome: "invalidCredentials", UserID: s.user.ID}
	s.send("POST", "/signOns", `{"username":"ada","password":"y"}`).want(http.StatusCreated).
		has("outcome", "invalidCredentials", "groups", "<nil>", "membership", "<nil>")
	s.send("POST", "/signOns", `{"password":"y"}`).refuses("username")
	s.send("POST", "/signOns", `{"username":"ada","password":7}`).want(http.StatusBadRequest)
}

func TestSignOnsAndActivities(t *testing.T) {
	s := start(t)
	s.must(s.store.RecordSignOn(t.Context(), &store.SignOn{
		EnvironmentID: s.env,
		Username:      "nobody",
		Outcome:       "noSuchUser",
		Duration:      1500 * time.Microsecond,
	}))
	s.send("GET", "/signOns", "").want(http.StatusOK).
		has("size", "2", "_embedded.signOns.0.username", "nobody", "_embedded.signOns.0.durationMillis", "1.5")
	s.send("GET", "/signOns?filter="+url.QueryEscape(`user.id eq "`+s.user.ID+`"`), "").
		has("size", "1", "_embedded.signOns.0.id", s.signOn.ID)
	s.send("GET", "/signOns/"+s.signOn.ID, "").want(http.StatusOK).has("user.id", s.user.ID)
	s.send("GET", "/signOns/none", "").want(http.StatusNotFound)
	for filter, size := range map[string]string{
		`action eq "sign-on"`:                "1",
		`signOn.id eq "` + s.signOn.ID + `"`: "1",
		`actor eq "nobody"`:                  "0",
	} {
		s.send("GET", "/activities?filter="+url.QueryEscape(filter), "").want(http.StatusOK).has("size", size)
	}
	s.send("GET", "/activities?filter="+url.QueryEscape(`action sw "sign"`), "").refuses("filter")
}
