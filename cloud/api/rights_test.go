package api_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"ldap-gateway/cloud/pairing"
	"ldap-gateway/cloud/store"
)

// An owner's client makes, changes, resets and removes administrators. A set-up secret is
// in the answer that made it, and nowhere else.
func TestAdministrators(t *testing.T) {
	s := start(t)
	s.as(store.RoleOwner)
	made := s.send("POST", "/administrators", `{"name":"bob","role":"READ_ONLY"}`).want(http.StatusCreated).
		has("name", "bob", "role", "READ_ONLY", "setUp", "false")
	secret, path := made.at("setupSecret"), "/administrators/"+made.at("id")
	if len(secret) < 16 {
		t.Errorf("no secret: %s", made.text)
	}
	got := s.send("GET", path, "").want(http.StatusOK).has("name", "bob", "setupSecret", "<nil>")
	list := s.send("GET", "/administrators", "").want(http.StatusOK).has("count", "2")
	if strings.Contains(list.text+got.text, secret) {
		t.Error("the secret is told again")
	}
	s.send("POST", "/administrators", `{"name":"BOB","role":"READ_ONLY"}`).refuses("name")
	s.send("POST", "/administrators", `{"role":"READ_ONLY"}`).refuses("name")
	s.send("POST", "/administrators", `{"name":"eve","role":"SIGN_ON"}`).refuses("role")
	s.send("PATCH", path, `{"name":"robert"}`).refuses("name")
	s.send("PATCH", path, `{"role":"KING"}`).refuses("role")
	s.with("PATCH", path, `{"role":"OWNER"}`, "If-Match", `"x"`).want(http.StatusPreconditionFailed)
	s.with("PATCH", path, `{"role":"OWNER"}`, "If-Match", got.header.Get("ETag")).want(http.StatusOK).
		has("role", "OWNER")

	again := s.send("POST", path+"/reset", "").want(http.StatusCreated)
	if again.at("setupSecret") == secret || len(again.at("setupSecret")) < 16 {
		t.Errorf("%s", again.text)
	}
	s.with("POST", path+"/reset", "", "Idempotency-Key", "k").want(http.StatusCreated)
	s.with("POST", path+"/reset", "", "Idempotency-Key", "k").want(http.StatusConflict)

	s.send("DELETE", path, "").want(http.StatusNoContent)
	s.send("GET", path, "").want(http.StatusNotFound)
	root := "/administrators/" + s.administrator.ID
	s.send("DELETE", root, "").want(http.StatusConflict)
	s.send("PATCH", root, `{"role":"READ_ONLY"}`).want(http.StatusConflict)
}

// An owner's client has groups give roles, and takes them away again.
func TestRoleGroups(t *testing.T) {
	s := start(t)
	s.as(store.RoleOwner)
	path := "/roleGroups/" + s.jit.ID
	s.send("GET", path, "").want(http.StatusNotFound)
	s.send("DELETE", path, "").want(http.StatusNotFound)
	s.send("PUT", path, `{}`).refuses("role")
	s.send("PUT", path, `{"role":"SIGN_ON"}`).refuses("role")
	s.send("PUT", "/roleGroups/none", `{"role":"OWNER"}`).want(http.StatusNotFound)
	s.send("PUT", path, `{"role":"IDENTITY_ADMIN"}`).want(http.StatusOK).has("id", s.jit.ID, "role", "IDENTITY_ADMIN")
	got := s.send("GET", path, "").want(http.StatusOK).has("role", "IDENTITY_ADMIN")
	s.send("GET", "/roleGroups", "").want(http.StatusOK).has("count", "1", "_embedded.roleGroups.0.id", s.jit.ID)
	if role, err := s.store.UserRole(t.Context(), s.env, s.user.ID); err != nil || role != store.RoleIdentityAdmin {
		t.Errorf("%q, %v", role, err)
	}
	s.with("PUT", path, `{"role":"OWNER"}`, "If-Match", got.header.Get("ETag")).want(http.StatusOK)
	s.with("DELETE", path, "", "If-Match", got.header.Get("ETag")).want(http.StatusPreconditionFailed)
	s.send("DELETE", path, "").want(http.StatusNoContent)
	if role, err := s.store.UserRole(t.Context(), s.env, s.user.ID); err != nil || role != "" {
		t.Errorf("%q, %v", role, err)
	}
}

func TestInstanceIsRotated(t *testing.T) {
	s := start(t)
	path := "/gateways/" + s.gateway.ID + "/instances/" + s.instance.ID
	s.send("POST", path+"/rotate", "").want(http.StatusAccepted).has("fingerprint", "AB12")
	if want := []string{"rotate " + s.instance.ID}; !slices.Equal(s.links.told, want) {
		t.Errorf("told %v", s.links.told)
	}
	s.send("POST", "/gateways/"+s.gateway.ID+"/instances/none/rotate", "").want(http.StatusNotFound)
	s.send("DELETE", path, "").want(http.StatusNoContent)
	s.send("POST", path+"/rotate", "").want(http.StatusBadRequest).has("code", "INVALID_REQUEST")
}

func TestUserIsSignedOff(t *testing.T) {
	s := start(t)
	s.send("POST", "/users/"+s.user.ID+"/off", "").want(http.StatusNoContent)
	s.send("POST", "/users/none/off", "").want(http.StatusNotFound)
	if u, err := s.store.User(t.Context(), s.env, s.user.ID); err != nil || u.SignOffs != 1 {
		t.Errorf("%d, %v", u.SignOffs, err)
	}
	s.must(s.store.SetPersonFactor(t.Context(), s.env, s.user.ID, []byte("x")))
	s.send("DELETE", "/users/"+s.user.ID+"/secondFactor", "").want(http.StatusNoContent)
	if f, err := s.store.PersonFactor(t.Context(), s.env, s.user.ID); err != nil || f != nil {
		t.Errorf("%x, %v", f, err)
	}
}

// What carries a right that the client lacks is refused with the reason, and 403.
func TestHigherRights(t *testing.T) {
	s := start(t)
	s.must(s.store.SetRoleGroup(t.Context(), store.RoleGroup{
		EnvironmentID: s.env,
		GroupID:       s.jit.ID,
		Role:          store.RoleOwner,
	}))
	for _, r := range []struct{ method, path, body, what string }{
		{"PATCH", "/users/" + s.user.ID, `{"email":"x@example.com"}`, "user ada"},
		{"DELETE", "/users/" + s.user.ID, "", "user ada"},
		{"DELETE", "/groups/" + s.jit.ID, "", "group Cooks"},
		{"DELETE", "/users/" + s.user.ID + "/memberOfGroups/" + s.jit.ID, "", "group Cooks"},
		{"DELETE", "/gateways/" + s.gateway.ID + "?force=true", "", "gateway Head office"},
		{"POST", "/gateways/" + s.gateway.ID + "/pairings", "{}", "gateway Head office"},
		{"POST", "/gateways/" + s.gateway.ID + "/credentials", "", "gateway Head office"},
	} {
		a := s.send(r.method, r.path, r.body).want(http.StatusForbidden).has("code", "ACCESS_FAILED")
		if !strings.Contains(a.at("message"), r.what) || !strings.Contains(a.at("message"), "OWNER") {
			t.Errorf("%s %s: %s", r.method, r.path, a.text)
		}
	}
	s.waits("AAAA-AAAA")
	s.send("POST", "/gateways/"+s.gateway.ID+"/pairings", `{"code":"AAAA-AAAA","approve":true}`).
		want(http.StatusForbidden)
	if _, err := s.store.PairingRequestByCode(t.Context(), pairing.HashCode("AAAA-AAAA"), s.now); err != nil {
		t.Errorf("the code was used: %v", err)
	}
	s.as(store.RoleOwner)
	s.send("POST", "/gateways/"+s.gateway.ID+"/pairings", `{"code":"AAAA-AAAA","approve":true}`).
		want(http.StatusCreated)
}
