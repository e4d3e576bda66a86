package api_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"ldap-gateway/cloud/idp/idptest"
	"ldap-gateway/cloud/store"
)

// openID is the body of an identity provider, with something at its end.
func openID(name, issuer, more string) string {
	return fmt.Sprintf(`{"name":%q,"type":"OPENID_CONNECT","enabled":true,"issuer":%q,
"authorizationEndpoint":"https://idp.example.com/a","tokenEndpoint":"https://idp.example.com/t",
"jwksEndpoint":"https://idp.example.com/k","clientId":"c","clientSecret":"s","scopes":["openid"]%s}`, name, issuer, more)
}

// partner makes an identity provider and returns its path.
func (s *site) partner() (path, id string) {
	s.t.Helper()
	a := s.send("POST", "/identityProviders", openID("Partner", "https://idp.example.com", "")).want(http.StatusCreated)
	return "/identityProviders/" + a.at("id"), a.at("id")
}

// TestDeleteProvider is refused while people or groups hang on it, in words of its own.
func TestDeleteProvider(t *testing.T) {
	s := start(t)
	s.as(store.RoleOwner)
	path, id := s.partner()
	chiefs := store.Group{EnvironmentID: s.env, Name: "chiefs", SourceType: store.SourceIDP, SourceID: id}
	s.must(s.store.Provision(t.Context(), func(tx *store.Tx) error { return tx.CreateGroups(t.Context(), []*store.Group{&chiefs}) }))
	s.send("DELETE", path, "").want(http.StatusConflict).has("details.0.target", "groups")
	s.must(s.store.SetRoleGroup(t.Context(), store.RoleGroup{EnvironmentID: s.env, GroupID: chiefs.ID, Role: store.RoleOwner}))
	s.send("POST", "/users/"+s.user.ID+"/linkedAccounts", `{"externalId":"s","identityProvider":{"id":"`+id+`"}}`).want(http.StatusCreated)
	a := s.send("DELETE", path, "").want(http.StatusConflict).has(
		"details.0.target", "users",
		"details.1.target", "users/"+s.user.ID,
		"details.2.target", "groups",
		"details.3.target", "groups/"+chiefs.ID,
		"details.3.message", "The group chiefs gives the role OWNER.",
	)
	for _, word := range []string{"user type", "password"} {
		if strings.Contains(a.text, word) {
			t.Errorf("%q is said of an identity provider: %s", word, a.text)
		}
	}
	s.send("DELETE", path+"?force=true", "").want(http.StatusNoContent)
	s.send("GET", "/groups/"+chiefs.ID, "").want(http.StatusNotFound)
}

// TestIssuerOfOthers wants it said what becomes of whom is linked.
func TestIssuerOfOthers(t *testing.T) {
	s := start(t)
	s.as(store.RoleOwner)
	path, id := s.partner()
	link := `{"externalId":"s","identityProvider":{"id":"` + id + `"}}`
	links := "/users/" + s.user.ID + "/linkedAccounts"
	s.send("POST", links, link).want(http.StatusCreated)
	s.send("POST", links, strings.Replace(link, `"s"`, `"t"`, 1)).refuses("identityProvider.id").has("details.0.code", "UNIQUENESS_VIOLATION")
	other := func(n int) string { return openID("Partner", fmt.Sprintf("https://other%d.example.com", n), "") }
	s.send("PUT", path, other(1)).want(http.StatusConflict).has("details.0.target", "issuer", "details.0.code", "DEPENDENTS")
	s.send("PUT", path+"?links=perhaps", other(1)).refuses("links")
	s.send("PUT", path+"?links=keep", other(1)).want(http.StatusOK)
	s.send("GET", links, "").has("size", "1")
	s.send("PUT", path+"?force=true", other(2)).want(http.StatusOK)
	s.send("GET", links, "").has("size", "0")
	s.send("POST", links, link).want(http.StatusCreated)
	s.send("PUT", path+"?links=drop", other(3)).want(http.StatusOK)
	s.send("GET", links, "").has("size", "0")
}

// TestCoreAttribute keeps its ID: it is changed, and neither deleted nor made another.
func TestCoreAttribute(t *testing.T) {
	s := start(t)
	s.as(store.RoleOwner)
	path, _ := s.partner()
	all := s.send("GET", path+"/attributes", "").has("_embedded.attributes.0.mappingType", "CORE")
	core := path + "/attributes/" + all.at("_embedded.attributes.0.id")
	s.send("DELETE", core, "").refuses("name").has("details.0.code", "READ_ONLY")
	s.send("PUT", core, `{"name":"email","value":"${providerAttributes.sub}","update":"ALWAYS"}`).refuses("name")
	s.send("PUT", core, `{"name":"username","value":"${providerAttributes.email}","update":"ALWAYS"}`).
		want(http.StatusOK).has("id", all.at("_embedded.attributes.0.id"), "value", "${providerAttributes.email}")
	one := s.send("POST", path+"/attributes", `{"name":"email","value":"${providerAttributes.email}","update":"ALWAYS"}`).want(http.StatusCreated)
	renamed := `{"name":"name.given","value":"${providerAttributes.given_name}","update":"ALWAYS"}`
	s.send("PUT", path+"/attributes/"+one.at("id"), renamed).want(http.StatusOK).has("id", one.at("id"), "name", "name.given")
	s.send("PUT", path+"/attributes/"+one.at("id"), strings.Replace(renamed, "name.given", "UserName", 1)).refuses("name")
	s.send("DELETE", path+"/attributes/"+one.at("id"), "").want(http.StatusNoContent)
	s.send("GET", core, "").want(http.StatusOK).has("name", "username")
}

// TestPicturesAreRefused by name, since they would be lost; none are none.
func TestPicturesAreRefused(t *testing.T) {
	s := start(t)
	s.as(store.RoleOwner)
	path, _ := s.partner()
	for more, target := range map[string]string{
		`,"icon":{"id":"i","href":"https://x.example.com/i"}`: "icon",
		`,"loginButtonIcon":{"href":"https://x.example.com"}`: "loginButtonIcon",
		`,"ICON":{"id":"i"}`: "icon",
		`,"icon":"i.png"`:    "icon",
		`,"icon":null`:       "",
		`,"icon":{},"loginButtonIcon":{"id":"","href":""}`: "",
	} {
		for _, a := range []answer{
			s.send("PUT", path, openID("Partner", "https://idp.example.com", more)),
			s.send("POST", "/identityProviders", openID("of "+more, "https://idp.example.com", more)),
		} {
			if target == "" && a.status < 300 {
				continue
			}
			a.refuses(target)
		}
	}
}

// TestKeyAsAskedFor is made so, or what it would not have is refused by name.
func TestKeyAsAskedFor(t *testing.T) {
	s := start(t)
	s.as(store.RoleOwner)
	s.send("POST", "/keys", `{"name":"k","algorithm":"RSA","keyLength":2048,"signatureAlgorithm":"SHA256withRSA",
"usageType":"SIGNING","subjectDN":"CN=k","issuerDN":"CN=k","validityPeriod":30,"default":false}`).want(http.StatusCreated).
		has("keyLength", "2048", "subjectDN", "CN=k", "signatureAlgorithm", "SHA256withRSA", "validityPeriod", "30", "expiresAt", s.now.AddDate(0, 0, 30).UTC().Truncate(time.Second).Format(time.RFC3339))
	for body, target := range map[string]string{
		`"algorithm":"EC"`:                         "algorithm",
		`"keyLength":1024`:                         "keyLength",
		`"keyLength":3000`:                         "keyLength",
		`"validityPeriod":-1`:                      "validityPeriod",
		`"validityPeriod":36500`:                   "validityPeriod",
		`"signatureAlgorithm":"SHA512withRSA"`:     "signatureAlgorithm",
		`"usageType":"ENCRYPTION"`:                 "usageType",
		`"subjectDN":"CN=other"`:                   "subjectDN",
		`"issuerDN":"CN=other,O=x"`:                "issuerDN",
		`"serialNumber":"7"`:                       "serialNumber",
		`"serialNumber":7`:                         "serialNumber",
		`"startsAt":"2030-01-01T00:00:00Z"`:        "startsAt",
		`"expiresAt":"2031-01-01T00:00:00Z"`:       "expiresAt",
		`"keyLength":"2048"`:                       "keyLength",
		`"algorithm":"RSA","serialNumber":"00:01"`: "serialNumber",
	} {
		s.send("POST", "/keys", `{"name":"k",`+body+`}`).refuses(target)
	}
}

// importing posts metadata.
func (s *site) importing(doc []byte) answer {
	s.t.Helper()
	r := httptest.NewRequestWithContext(s.t.Context(), "POST", "/v1/environments/"+s.env+"/identityProviders", strings.NewReader(string(doc)))
	r.Header.Set("Authorization", "Bearer "+s.token)
	r.Header.Set("Content-Type", "application/samlmetadata+xml")
	return s.do(r)
}

// TestImportOfMetadata is named after it, asks for what it wants, and has not expired.
func TestImportOfMetadata(t *testing.T) {
	s := start(t)
	s.as(store.RoleOwner)
	good := string(idptest.Metadata(idptest.NewPair(s.now.Add(time.Hour))))
	expired := s.importing([]byte(strings.Replace(good, "entityID=", `validUntil="2001-01-01T00:00:00Z" entityID=`, 1)))
	if expired.want(http.StatusBadRequest); !strings.Contains(expired.text, "expired") {
		t.Error(expired.text)
	}
	long := "https://idp.example.org/" + strings.Repeat("x", 500)
	doc := strings.Replace(good, idptest.EntityID, long, 1)
	doc = strings.Replace(doc, "<md:IDPSSODescriptor ", `<md:IDPSSODescriptor WantAuthnRequestsSigned="true" `, 1)
	a := s.importing([]byte(doc)).want(http.StatusCreated).has("name", long[:200], "idpEntityId", long, "authnRequestSigned", "true")
	s.send("GET", "/keys/"+a.at("spSigning.key.id"), "").want(http.StatusOK)
}

// The secret of a provider is told to who may replace it, where one is read or was written,
// and in no list; that it was read is an activity.
func TestSecretsOfProviders(t *testing.T) {
	s := start(t)
	s.as(store.RoleOwner)
	const body = `{"name":"Partner","enabled":false,"type":"OPENID_CONNECT","issuer":"https://idp.example",
 "authorizationEndpoint":"https://idp.example/a","tokenEndpoint":"https://idp.example/t",
 "jwksEndpoint":"https://idp.example/k","clientId":"c","scopes":["openid"],"clientSecret":"s3cret"}`
	path := "/identityProviders/" + s.send("POST", "/identityProviders", body).want(201).has("clientSecret", "s3cret").at("id")
	without := strings.Replace(body, `,"clientSecret":"s3cret"`, "", 1)
	s.send("PUT", path, without).want(http.StatusOK).has("clientSecret", "s3cret")
	reads := func() string {
		return s.send("GET", "/activities?filter=action+eq+%22identityProvider.secret-read%22", "").at("count")
	}
	if n := reads(); n != "0" {
		t.Error(n, "reads before any")
	}
	read := s.send("GET", path, "").want(http.StatusOK).has("clientSecret", "s3cret")
	if n := reads(); n != "1" {
		t.Error(n, "reads after one")
	}
	s.send("PUT", path, read.text).want(http.StatusOK).has("clientSecret", "s3cret")
	if list := s.send("GET", "/identityProviders", ""); strings.Contains(list.text, "s3cret") {
		t.Error("a list tells the secret")
	}
	s.as(store.RoleIdentityAdmin)
	s.send("GET", path, "").want(http.StatusOK).has("clientSecret", "<nil>", "hasSecret", "true")
}
