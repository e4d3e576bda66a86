package api_test

import (
	"encoding/base64"
	"ldap-gateway/cloud/store"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/jcmturner/gokrb5/v8/iana/etypeID"
	"github.com/jcmturner/gokrb5/v8/keytab"
)

func TestApplications(t *testing.T) {
	s := start(t)
	made := s.send("POST", "/applications", `{"name":"Docs","type":"WEB_APP","protocol":"OPENID_CONNECT",
 "redirectUris":["https://docs.example/cb"],"grantTypes":["AUTHORIZATION_CODE","REFRESH_TOKEN"],
 "groupsClaim":{"value":"DISPLAY_NAMES","allow":["cn=*"]},"clientId":"x"}`).want(http.StatusCreated).
		has(
			"enabled", "true",
			"pkceEnforcement", "S256_REQUIRED",
			"tokenEndpointAuthMethod", "CLIENT_SECRET_BASIC",
			"hasSecret", "true",
			"groupsClaim.allow.0", "cn=*",
		)
	path := "/applications/" + made.at("id")
	first := s.send("GET", path+"/secret", "").want(http.StatusOK).at("secret")
	secret := s.send("POST", path+"/secret", "{}").want(http.StatusCreated).at("secret")
	s.send("GET", path+"/secret", "").want(http.StatusOK).has("secret", secret)
	if first == secret {
		t.Error("the new secret is the old one")
	}
	shown := s.send("GET", path, "").want(http.StatusOK).has("hasSecret", "true").text
	if len(secret) < 40 || strings.Contains(shown, secret) {
		t.Errorf("the secret %q is too short, or is shown again", secret)
	}
	s.send("POST", "/applications", `{"name":"docs","type":"WEB_APP","redirectUris":["https://docs.example/cb"]}`).
		refuses("name")
	s.send(
		"PUT",
		path,
		`{"name":"Phone","type":"NATIVE_APP","redirectUris":["http://127.0.0.1/cb","com.example.docs:/cb"]}`,
	).want(http.StatusOK).
		has("tokenEndpointAuthMethod", "NONE", "hasSecret", "false", "grantTypes.0", "AUTHORIZATION_CODE")
	s.send("POST", path+"/secret", "{}").want(http.StatusBadRequest)
	s.send("PUT", path, `{"name":"Phone","type":"WEB_APP","redirectUris":["https://x/"],"accessTokenFormat":"JWT",
 "resources":["https://api.example"],"audiences":["urn:other","https://x?y"]}`).want(http.StatusOK).
		has("accessTokenFormat", "JWT", "resources.0", "https://api.example", "audiences.1", "https://x?y")
	for _, bytes := range []string{"0", "1", "2048", "65536"} {
		s.send("PUT", path, `{"name":"Phone","type":"WEB_APP","redirectUris":["https://x/"],"groupsClaim":{"value":"NAMES","idTokenBytes":`+bytes+`}}`).
			want(http.StatusOK).has("groupsClaim.idTokenBytes", bytes)
	}
	s.send("PUT", path, `{"name":"Phone","type":"WEB_APP","redirectUris":["https://x/"]}`).has("groupsClaim.idTokenBytes", "2048")
	for how, kept := range map[string]string{"OPTIONAL": "OPTIONAL", "REQUIRED": "REQUIRED", "S256_REQUIRED": "S256_REQUIRED"} {
		s.send("PUT", path, `{"name":"Phone","type":"WEB_APP","redirectUris":["https://x/"],"pkceEnforcement":"`+how+`"}`).
			want(http.StatusOK).has("pkceEnforcement", kept)
	}
	s.send("GET", "/applications", "").want(http.StatusOK).has("count", "2", "_embedded.applications.0.name", "Phone")
	s.send("DELETE", path, "").want(http.StatusNoContent)
	s.send("GET", path, "").want(http.StatusNotFound)
}

func TestApplicationsAreChecked(t *testing.T) {
	s := start(t)
	for target, body := range map[string]string{
		"name":                     `{"type":"WEB_APP","redirectUris":["https://x/"]}`,
		"type":                     `{"name":"a","type":"WORKER","redirectUris":["https://x/"]}`,
		"protocol":                 `{"name":"a","type":"WEB_APP","protocol":"WS_FEDERATION","redirectUris":["https://x/"]}`,
		"groupsClaim.idTokenBytes": `{"name":"a","type":"WEB_APP","redirectUris":["https://x/"],"groupsClaim":{"value":"NAMES","idTokenBytes":-1}}`,
		"pkceEnforcement":          `{"name":"a","type":"NATIVE_APP","redirectUris":["https://x/"],"pkceEnforcement":"OPTIONAL"}`,
		"idTokenSignedResponseAlg": `{"name":"a","type":"WEB_APP","redirectUris":["https://x/"],"idTokenSignedResponseAlg":"none"}`,
		"accessTokenFormat":        `{"name":"a","type":"WEB_APP","redirectUris":["https://x/"],"accessTokenFormat":"PASETO"}`,
		"backchannelLogoutUri":     `{"name":"a","type":"WEB_APP","redirectUris":["https://x/"],"backchannelLogoutUri":"bye"}`,
		"resources[0]":             `{"name":"a","type":"WEB_APP","redirectUris":["https://x/"],"resources":["api"]}`,
		"audiences[1]":             `{"name":"a","type":"WEB_APP","redirectUris":["https://x/"],"audiences":["https://x","https://x#y"]}`,
		"accessControl.role":       `{"name":"a","type":"WEB_APP","redirectUris":["https://x/"],"accessControl":{"role":{"type":"ADMIN_USERS_ONLY"}}}`,
		"accessControl.group.type": `{"name":"a","type":"WEB_APP","redirectUris":["https://x/"],"accessControl":{"group":{"type":"ANY_GROUP","groups":[]}}}`,
		"accessControl.group.groups[0].id": `{"name":"a","type":"WEB_APP","redirectUris":["https://x/"],` +
			`"accessControl":{"group":{"type":"ANY_GROUP","groups":[{"id":"none"}]}}}`,
		"redirectUris":              `{"name":"a","type":"WEB_APP"}`,
		"grantTypes[0]":             `{"name":"a","type":"WEB_APP","redirectUris":["https://x/"],"grantTypes":["IMPLICIT"]}`,
		"groupsClaim.value":         `{"name":"a","type":"WEB_APP","redirectUris":["https://x/"],"groupsClaim":{"value":"DNS"}}`,
		"postLogoutRedirectUris[0]": `{"name":"a","type":"WEB_APP","redirectUris":["https://x/"],"postLogoutRedirectUris":["//evil"]}`,
	} {
		s.send("POST", "/applications", body).refuses(target)
	}
	for _, uri := range []string{
		"",
		"x",
		"/cb",
		"//host/cb",
		"http://app.example/cb",
		"https://app.example/cb#f",
		"https://user@app.example/cb",
		"javascript:alert(1)",
		"data:text/html,x",
		"app:/cb",
		"https:///cb",
	} {
		s.send("POST", "/applications", text(object{
			"name":         "a",
			"type":         "WEB_APP",
			"redirectUris": []string{uri},
		})).refuses("redirectUris[0]")
	}
	for _, uri := range []string{
		"javascript:alert(1)", "JAVASCRIPT:alert(1)", "data:text/html,x", "vbscript:x", "file:///etc/passwd", "blob:x", "about:blank",
		"urn:ietf:wg:oauth:2.0:oob", "com.example:/*", "http://127.0.0.1:*/cb", "https://*.example.com/cb", "ws://127.0.0.1/",
	} {
		s.send("POST", "/applications", text(object{"name": "a", "type": "NATIVE_APP", "redirectUris": []string{uri}})).
			refuses("redirectUris[0]")
	}
	for _, uri := range []string{"https://*.example.com/cb", "https://app.example.com/*", "urn:ietf:wg:oauth:2.0:oob"} {
		s.send("POST", "/applications", text(object{"name": "a", "type": "WEB_APP", "redirectUris": []string{uri}})).
			refuses("redirectUris[0]")
		s.send("POST", "/applications", text(object{
			"name": "a", "type": "WEB_APP", "redirectUris": []string{"https://x/"}, "postLogoutRedirectUris": []string{uri},
		})).refuses("postLogoutRedirectUris[0]")
	}
}

// TestApplicationsForGroups: who may use an application is read as it was written, goes when it is
// left out, and may go on naming a group that is gone, which takes force: without, it is told who
// names it.
func TestApplicationsForGroups(t *testing.T) {
	s := start(t)
	group := s.send("POST", "/groups", `{"name":"Staff"}`).want(http.StatusCreated).at("id")
	const plain = `"name":"a","type":"WEB_APP","redirectUris":["https://x/"]`
	with := `{` + plain + `,"accessControl":{"group":{"type":"ALL_GROUPS","groups":[{"id":"` + group + `"}]}}}`
	path := "/applications/" + s.send("POST", "/applications", with).want(http.StatusCreated).at("id")
	for range 2 {
		s.send("GET", path, "").want(http.StatusOK).
			has("accessControl.group.type", "ALL_GROUPS", "accessControl.group.groups.0.id", group)
		s.send("PUT", path, with).want(http.StatusOK)
		if _, err := s.store.Group(t.Context(), s.env, group); err == nil {
			s.send("DELETE", "/groups/"+group, "").want(http.StatusConflict).has("details.0.code", "DEPENDENTS",
				"details.0.target", path[1:], "details.0.message", "The application a names it: who may use it.")
			s.must(s.store.DeleteGroup(t.Context(), s.env, group)) // as with its gateway
		}
	}
	if made := s.send("PUT", path, `{`+plain+`}`).want(http.StatusOK); strings.Contains(made.text, "accessControl") {
		t.Error(made.text)
	}
	s.send("PUT", path, with).refuses("accessControl.group.groups[0].id")
}

// TestApplicationsByKey: keys in the place of a secret are kept as they were stated, and what is no
// set of public keys is refused, as is what fits no such application.
func TestApplicationsByKey(t *testing.T) {
	const key = `{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",` +
		`"y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0","kid":"k"`
	const symmetric, ours = `{"kty":"oct","k":"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ"}`, `"PRIVATE_KEY_JWT"`
	private := key + `,"d":"jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LM"}`
	s := start(t)
	body := func(more string) string {
		return `{"name":"a","type":"WEB_APP","redirectUris":["https://x/"],` + more + `}`
	}
	set := func(keys string) string { return `"jwks":` + text(`{"keys":[`+keys+`]}`) }
	path := "/applications/" + s.send("POST", "/applications", body(set(key+"}"))).want(http.StatusCreated).
		has("tokenEndpointAuthMethod", "PRIVATE_KEY_JWT", "hasSecret", "false").at("id")
	s.send("POST", path+"/secret", "{}").want(http.StatusBadRequest)
	s.send("PUT", path, body(`"jwksUrl":"https://x.example/keys","tokenEndpointAuthMethod":`+ours)).want(http.StatusOK).
		has("jwksUrl", "https://x.example/keys")
	s.send("PUT", path, body(`"tokenEndpointAuthMethod":"CLIENT_SECRET_BASIC"`)).want(http.StatusOK).
		has("tokenEndpointAuthMethod", "CLIENT_SECRET_BASIC", "hasSecret", "true")
	s.send("GET", path+"/secret", "").want(http.StatusOK)
	s.send("POST", path+"/secret", "{}").want(http.StatusCreated)
	s.send("PUT", path, body(set(key+"}"))).want(http.StatusOK).has("hasSecret", "false")
	for more, target := range map[string]string{
		`"jwks":"x"`: "jwks", `"jwks":"{}"`: "jwks", `"jwks":"[]"`: "jwks", set(""): "jwks", set(`{}`): "jwks",
		set(`{"kty":"EC","crv":"P-256","x":"AA","y":"AA"}`): "jwks", set(private): "jwks", set(key + "}," + private): "jwks",
		set(symmetric): "jwks", set(key + `,"use":"enc"}`): "jwks",
		set(strings.Repeat(key+"},", 30) + key + "}"):                    "jwks",
		`"jwks":"` + strings.Repeat(" ", 20_000) + `{}"`:                 "jwks",
		`"jwksUrl":"http://x.example/keys"`:                              "jwksUrl",
		`"jwksUrl":"x"`:                                                  "jwksUrl",
		`"jwksUrl":"https://x.example/",` + set(key+"}"):                 "jwksUrl",
		`"tokenEndpointAuthMethod":` + ours:                              "jwks",
		`"tokenEndpointAuthMethod":"CLIENT_SECRET_POST",` + set(key+"}"): "tokenEndpointAuthMethod",
		`"tokenEndpointAuthMethod":"CLIENT_SECRET_JWT"`:                  "tokenEndpointAuthMethod",
		`"type":"SINGLE_PAGE_APP",` + set(key+"}"):                       "jwks",
	} {
		s.send("POST", "/applications", strings.Replace(body(more), `"name":"a"`, `"name":"b"`, 1)).refuses(target)
	}
}

// TestSharedGroupNames: an application that learns names of two sources is told of those that
// they share.
func TestSharedGroupNames(t *testing.T) {
	s := start(t)
	s.must(s.store.CreateGroup(t.Context(), &store.Group{EnvironmentID: s.env, Name: s.jit.Name}))
	for value, n := range map[string]string{"NAMES": "1", "IDS": "0"} {
		made := s.send("POST", "/applications", `{"name":"`+value+`","type":"WEB_APP","redirectUris":["https://x/"],
			"groupsClaim":{"value":"`+value+`"}}`).want(http.StatusCreated)
		path := "/applications/" + made.at("id") + "/sharedGroupNames"
		if !strings.HasSuffix(made.at("_links.sharedGroupNames.href"), path) {
			t.Error(made.text)
		}
		s.send("GET", path, "").want(http.StatusOK).has("count", n)
	}
	s.send("GET", "/applications/none/sharedGroupNames", "").want(http.StatusNotFound)
}

func TestKerberos(t *testing.T) {
	s := start(t)
	gateway := func(kerberos string) string {
		return `{"name":"Head office","type":"LDAP","vendor":"OpenLDAP","userTypes":[],"kerberos":` + kerberos + `}`
	}
	made := s.send("POST", "/gateways", `{"name":"Other","type":"LDAP","vendor":"Microsoft Active Directory",
 "userTypes":[],"kerberos":{"serviceAccountUserPrincipalName":"svc@corp.example.com",
 "serviceAccountPassword":"hunter22"}}`).want(http.StatusCreated).
		has(
			"kerberos.minutesToRetainPreviousCredentials", "610",
			"kerberos.serviceAccountUserPrincipalName", "svc@corp.example.com",
		)
	if strings.Contains(made.text, "hunter22") {
		t.Error("the password is shown")
	}
	path := "/gateways/" + made.at("id")
	s.send("GET", path+"/kerberosKeys", "").want(http.StatusOK).has(
		"count", "1",
		"_embedded.kerberosKeys.0.origin", "password",
		"_embedded.kerberosKeys.0.inUse", "true",
		"_embedded.kerberosKeys.0.keys.0.realm", "CORP.EXAMPLE.COM",
		"_embedded.kerberosKeys.0.keys.0.encryptionType", "aes256-cts-hmac-sha1-96",
	)

	kt := keytab.New()
	s.must(kt.AddEntry("HTTP/id.example.com", "CORP.EXAMPLE.COM", "x", time.Now(), 7, etypeID.AES256_CTS_HMAC_SHA1_96))
	b, err := kt.Marshal()
	s.must(err)
	s.now = s.now.Add(time.Minute)
	s.send("POST", path+"/kerberosKeys", `{"keytab":"`+base64.StdEncoding.EncodeToString(b)+`"}`).
		want(http.StatusCreated).
		has("keys.0.principal", "HTTP/id.example.com", "keys.0.kvno", "7", "origin", "keytab")
	keys := s.send("GET", path+"/kerberosKeys", "").want(http.StatusOK).has(
		"count", "2",
		"_embedded.kerberosKeys.1.inUse", "false",
	)
	if keys.at("_embedded.kerberosKeys.1.expiresAt") == "<nil>" {
		t.Error(keys.text)
	}
	s.send("GET", path, "").has("kerberos.serviceAccountUserPrincipalName", "<nil>")
	s.send("DELETE", path+"/kerberosKeys/"+keys.at("_embedded.kerberosKeys.1.id"), "").want(http.StatusNoContent)
	s.send("POST", path+"/kerberosKeys", `{"keytab":"AAAA"}`).refuses("keytab")

	for target, form := range map[string]string{
		"kerberos.serviceAccountUserPrincipalName":    `{"serviceAccountUserPrincipalName":"svc","serviceAccountPassword":"x"}`,
		"kerberos.minutesToRetainPreviousCredentials": `{"minutesToRetainPreviousCredentials":10081}`,
		"kerberos.principalValue":                     `{"principalAttribute":"uid","principalValue":"x"}`,
		"kerberos.networks[0]":                        `{"networks":["10.0.0.1"]}`,
		"kerberos.realms[0]":                          `{"realms":["corp.example.com"]}`,
	} {
		s.send("PUT", "/gateways/"+s.gateway.ID, gateway(form)).refuses(target)
	}
}

// A new secret leaves the one before good until the client says, and ends it when it says so.
func TestTwoSecretsAtOnce(t *testing.T) {
	s := start(t)
	made := s.send("POST", "/applications", `{"name":"Docs","type":"WEB_APP","redirectUris":["https://docs.example/cb"]}`)
	path := "/applications/" + made.want(http.StatusCreated).at("id") + "/secret"
	first := s.send("GET", path, "").want(http.StatusOK).has("previous", "<nil>").at("secret")
	until := time.Now().Add(24 * time.Hour).UTC().Truncate(time.Second).Format(time.RFC3339)
	second := s.send("POST", path, `{"previous":{"expiresAt":"`+until+`"}}`).want(http.StatusCreated).
		has("previous.expiresAt", until).has("previous.secret", "<nil>").at("secret")
	s.send("GET", path, "").want(http.StatusOK).
		has("secret", second, "previous.secret", first, "previous.expiresAt", until)
	for name, body := range map[string]string{
		"over":    `{"previous":{"expiresAt":"2020-01-01T00:00:00Z"}}`,
		"far":     `{"previous":{"expiresAt":"2999-01-01T00:00:00Z"}}`,
		"no time": `{"previous":{"expiresAt":"soon"}}`,
	} {
		t.Run(name, func(*testing.T) { s.send("POST", path, body).refuses("previous.expiresAt") })
	}
	s.send("DELETE", path+"/previous", "").want(http.StatusNoContent)
	s.send("GET", path, "").want(http.StatusOK).has("previous", "<nil>")
	s.send("DELETE", path+"/previous", "").want(http.StatusNotFound)
	s.send("POST", path, "").want(http.StatusCreated).has("previous", "<nil>")
}
