package management_test

import (
	"encoding/base64"
	"encoding/json"
	"io"
	"ldap-gateway/cloud/api"
	m "ldap-gateway/cloud/management"
	"ldap-gateway/cloud/store"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// listed are the parts of patterns whose things only the API knows: they are the last of
// the list that their path is below.
var listed = []string{
	"//roles/{id}", "//organizations/{id}", "//organizations/{o}", "/licenses/{id}",
	"/themes/{id}", "/schemas/{id}", "/schemas/{s}", "/attributes/{id}",
	"/resources/{r}", "/scopes/{id}", "/grants/{id}", "/signOnPolicyAssignments/{id}", "/roleAssignments/{r}",
	"/actions/{id}",
}

// found is fill, after it has looked for what is listed.
func (w *world) found(h http.Handler, pattern string) (method, path string) {
	for _, part := range listed {
		front, behind, is := strings.Cut(pattern, part)
		if !is {
			continue
		}
		part, _, _ := strings.Cut(part, "{")
		pattern = front + part + w.last(h, front+strings.TrimSuffix(part, "/")) + behind
	}
	return w.fill(pattern)
}

// last is the ID of the last of a list.
func (w *world) last(h http.Handler, pattern string) (id string) {
	w.t.Helper()
	_, list := w.fill("GET " + pattern[strings.Index(pattern, "/"):])
	_, answer := send(w.t, h, "GET", list, w.token(w.as(store.RoleOwner)), "")
	var body struct {
		Embedded map[string][]struct{ ID string } `json:"_embedded"`
	}
	must(w.t, json.Unmarshal([]byte(answer), &body))
	for _, items := range body.Embedded {
		for _, item := range items {
			id = item.ID
		}
	}
	return id
}

// refusedOver are the patterns that a rule refuses to everybody who may ask.
var refusedOver = map[string]int{
	"POST /{e}/users/{u}":                        http.StatusUnsupportedMediaType,
	"POST /{e}/users/{u}/roleAssignments":        http.StatusBadRequest,
	"POST /{e}/gateways/{g}/roleAssignments":     http.StatusBadRequest,
	"POST /{e}/applications/{a}/roleAssignments": http.StatusBadRequest,
	"POST /{e}/groups/{id}/memberOfGroups":       http.StatusBadRequest,
	"GET /{e}/signOns/{id}":                      http.StatusNotFound,
}

// prepare makes what a pattern is for, where the world has it otherwise.
func (w *world) prepare(pattern string) {
	w.t.Helper()
	switch {
	case strings.Contains(pattern, "/roleGroups/{id}"), strings.Contains(pattern, "/roleAssignments/{r}"):
		if !strings.HasPrefix(pattern, "PUT") {
			w.give(w.group, store.RoleReadOnly)
		}
	case pattern == "POST /{e}/applications/{a}/grants":
		a := w.application
		a.Kept.Scopes = nil
		must(w.t, w.Store.UpdateApplication(w.t.Context(), &a))
	}
}

// send makes a request of the API.
func send(t testing.TB, h http.Handler, method, path, token, body string) (status int, answer string) {
	t.Helper()
	whole := "/v1/environments" + path
	if beside, is := strings.CutPrefix(path, "//"); is {
		whole = "/v1/" + beside
	}
	r := httptest.NewRequestWithContext(t.Context(), method, whole, strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer "+token)
	r.Header.Set("Content-Type", "application/json")
	if strings.HasPrefix(body, "--part") {
		r.Header.Set("Content-Type", "multipart/form-data; boundary=part")
	}
	return serve(t, h, r)
}

func serve(t testing.TB, h http.Handler, r *http.Request) (status int, answer string) {
	t.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	b, err := io.ReadAll(w.Body)
	must(t, err)
	return w.Code, string(b)
}

// apiBody is a body that an owner's request of a pattern succeeds with.
func apiBody(w *world, h http.Handler, pattern string) string {
	switch pattern {
	case "PUT /{e}/gateways/{g}", "PUT /{e}/gateways/{g}/userTypes/{t}":
		_, path := w.fill(pattern)
		_, now := send(w.t, h, "GET", path, w.token(w.as(store.RoleOwner)), "")
		return now
	case "POST /{e}/gateways/{g}/userTypes":
		_, path := w.fill("GET /{e}/gateways/{g}/userTypes/{t}")
		_, now := send(w.t, h, "GET", path, w.token(w.as(store.RoleOwner)), "")
		return strings.Replace(now, `"name":"People"`, `"name":"Partners"`, 1)
	case "POST /{e}/gateways/{g}/userTypes/{t}/relink":
		return `{"userType":{"id":"` + w.other.UserType + `"}}`
	case "PUT /{e}/users/{u}/password":
		return `{"id":"` + w.gateway.ID + `","userType":{"id":"` + w.other.UserType + `"}}`
	case "POST /{e}/users/{u}/memberOfGroups":
		return `{"id":"` + w.group.ID + `"}`
	case "POST /{e}/applications/{a}/secret":
		return `{"previous":{"expiresAt":"` + time.Now().Add(time.Hour).UTC().Format(time.RFC3339) + `"}}`
	case "POST /{e}/identityProviders":
		return strings.Replace(openIDBody, "NAME", "Another", 1)
	case "PUT /{e}/identityProviders/{i}":
		return strings.Replace(openIDBody, "NAME", "Partner", 1)
	case "POST /{e}/identityProviders/{i}/attributes", "PUT /{e}/identityProviders/{i}/attributes/{a}":
		return `{"name":"memberOfExternalGroups","value":"${providerAttributes.groups}","update":"ALWAYS"}`
	case "POST /{e}/users/{u}/linkedAccounts":
		return `{"externalId":"s-9","identityProvider":{"id":"` + w.saml.ID + `"}}`
	case "POST /{e}/certificates":
		return "--part\r\nContent-Disposition: form-data; name=\"file\"; filename=\"c.pem\"\r\n\r\n" + w.pem() +
			"\r\n--part\r\nContent-Disposition: form-data; name=\"usageType\"\r\n\r\nSIGNING\r\n--part--\r\n"
	case "PUT /{e}/keys/{id}":
		return `{"default":true}`
	case "POST /{e}/gateways/{g}/kerberosKeys":
		return `{"keytab":"` + base64.StdEncoding.EncodeToString(newKeytab(w.t)) + `"}`
	}
	switch {
	case strings.HasSuffix(pattern, "/roleAssignments") && strings.HasPrefix(pattern, "POST"):
		return `{"role":{"id":"` + w.last(h, "//roles") + `"},"scope":{"id":"` + w.env + `","type":"ENVIRONMENT"}}`
	case strings.Contains(pattern, "/grants"):
		resource := w.last(h, "/{e}/resources")
		return `{"resource":{"id":"` + resource + `"},"scopes":[{"id":"` + w.last(h, "/{e}/resources/"+resource+"/scopes") + `"}]}`
	case strings.HasSuffix(pattern, "/signOnPolicyAssignments"):
		return `{"signOnPolicy":{"id":"` + w.policy.ID + `"},"priority":2}`
	case strings.Contains(pattern, "/signOnPolicyAssignments"):
		return `{"signOnPolicy":{"id":"` + w.standard().ID + `"},"priority":1}`
	}
	for part, body := range apiBodies(w) {
		if strings.HasSuffix(pattern, part) {
			return body
		}
	}
	return `{"name":"new"}`
}

// apiBodies are bodies by what patterns end with.
func apiBodies(w *world) map[string]string {
	application := `{"name":"new","type":"WEB_APP","redirectUris":["https://x.example.com/"]}`
	action := `{"type":"LOGIN","priority":2}`
	return map[string]string{
		"POST /{e}/users":                           `{"username":"new"}`,
		"PUT /{e}/users/{u}":                        `{"username":"new"}`,
		"PATCH /{e}/users/{u}":                      `{"username":"new"}`,
		"PUT /{e}/type":                             `{"type":"SANDBOX"}`,
		"/mfaEnabled":                               `{"mfaEnabled":true}`,
		"/enabled":                                  `{"enabled":true}`,
		"/users/{u}/population":                     `{"id":"` + w.more.ID + `"}`,
		"identityProvider":                          `{"type":"PING_ONE"}`,
		"/defaultIdentityProvider":                  `{}`,
		"POST /{e}/gateways":                        `{"name":"new","type":"LDAP","vendor":"OpenLDAP"}`,
		"POST /{e}/applications":                    application,
		"PUT /{e}/applications/{a}":                 application,
		"/brand":                                    `{"help":"https://example.com/help"}`,
		"/billOfMaterials":                          `{"products":[{"type":"PING_ONE_BASE"}]}`,
		"/administrators":                           `{"name":"new","role":"READ_ONLY"}`,
		"PUT /{e}/roleGroups/{id}":                  `{"role":"READ_ONLY"}`,
		"POST /{e}/signOns":                         `{"username":"new","password":"x"}`,
		"POST /{e}/keys":                            `{"name":"new"}`,
		"/actions":                                  strings.Replace(action, "LOGIN", "IDENTIFIER_FIRST", 1),
		"/actions/{id}":                             action,
		"/pairings":                                 `{}`,
		"POST /{e}/applications/{a}/attributes":     `{"name":"phone","value":"${user.primaryPhone}"}`,
		"PUT /{e}/applications/{a}/attributes/{id}": `{"name":"phone","value":"${user.primaryPhone}"}`,
	}
}

// openIDBody is an identity provider as a client sends it.
const openIDBody = `{"name":"NAME","type":"OPENID_CONNECT","enabled":true,"issuer":"https://idp.example.com",
"authorizationEndpoint":"https://idp.example.com/a","tokenEndpoint":"https://idp.example.com/t",
"jwksEndpoint":"https://idp.example.com/k","clientId":"cloud","clientSecret":"s","scopes":["openid"]}`

// Every role asks for everything over the API: who may is answered, and who may not is
// refused before anything is looked at.
func TestEveryRoleOverTheAPI(t *testing.T) {
	h := open(t)
	face := h.api()
	for pattern, actions := range api.Places() {
		for _, role := range m.ClientRoles() {
			t.Run(name(pattern, role), func(t *testing.T) {
				w := h.world()
				body := apiBody(w, face, pattern)
				w.prepare(pattern)
				method, path := w.found(face, pattern)
				if pattern == "DELETE /{e}" {
					path = "/" + w.child.ID
				}
				token, before := w.token(w.as(role)), w.rows()
				if strings.HasPrefix(pattern, "DELETE") {
					path += "?force=true"
				}
				if pattern == "DELETE /{e}/administrators/{id}" || pattern == "PATCH /{e}/administrators/{id}" {
					path = strings.Replace(path, w.admin.ID, w.asAdmin(store.RoleReadOnly).ID, 1)
					body = `{"role":"IDENTITY_ADMIN"}`
					before = w.rows()
				}
				status, answer := send(t, face, method, path, token, body)
				if !m.May(role, actions[0]) {
					if status != http.StatusForbidden || w.rows() != before {
						t.Errorf("%d, and something changed: %v\n%s", status, w.rows() != before, answer)
					}
					return
				}
				if status >= 300 && status != refusedOver[pattern] {
					t.Errorf("%d: %s", status, answer)
				}
			})
		}
	}
}

func name(pattern string, role store.Role) string {
	return strings.NewReplacer("/", "_", " ", "_").Replace(pattern) + "_" + string(role)
}
