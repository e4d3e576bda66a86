package api_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"ldap-gateway/cloud/idp/idptest"
	"ldap-gateway/cloud/store"
)

// samlApplication is a body as compatible clients send it, with more.
func samlApplication(more string) string {
	return `{"name":"Handbook","type":"WEB_APP","protocol":"SAML","enabled":true,"spEntityId":"https://wiki.example/sp",
		"acsUrls":["https://wiki.example/acs"],"assertionDuration":60` + more + `}`
}

// certificate keeps one of somebody else's, and returns its ID.
func (s *site) certificate(pair idptest.Pair) string {
	c := store.Certificate{EnvironmentID: s.env, Name: "theirs", Usage: "SIGNING", DER: pair.Cert.Raw}
	if err := s.store.CreateCertificate(s.t.Context(), &c); err != nil {
		s.t.Fatal(err)
	}
	return c.ID
}

// TestSAMLApplications are told back as they were sent, and written back change nothing.
func TestSAMLApplications(t *testing.T) {
	s := start(t)
	s.as(store.RoleOwner)
	theirs := s.certificate(idptest.NewPair(time.Now().Add(time.Hour)))
	group := s.send("POST", "/groups", `{"name":"wikis"}`).want(http.StatusCreated).at("id")
	key := s.send("POST", "/keys", `{"name":"next","keyLength":2048}`).want(http.StatusCreated).at("id")
	sent := samlApplication(`,"description":"","homePageUrl":"https://wiki.example/","acsIndexes":[3],
		"assertionSigned":false,"responseSigned":true,"sessionNotOnOrAfterDuration":3600,
		"nameIdFormat":"urn:oasis:names:tc:SAML:2.0:nameid-format:persistent","defaultTargetUrl":"home","enableRequestedAuthnContext":true,
		"idpSigning":{"key":{"id":"` + key + `"},"algorithm":"SHA512withRSA"},
		"spVerification":{"authnRequestSigned":true,"certificates":[{"id":"` + theirs + `"}]},
		"spEncryption":{"algorithm":"AES_256","certificate":{"id":"` + theirs + `"}},
		"sloBinding":"HTTP_REDIRECT","sloEndpoint":"https://wiki.example/slo","sloResponseEndpoint":"",
		"accessControl":{"group":{"type":"ALL_GROUPS","groups":[{"id":"` + group + `"}]}},
		"hiddenFromAppPortal":false,"enableAlwaysAcceptAcsUrlInSignedAuthnRequest":false,
		"corsSettings":{"behavior":"ALLOW_NO_ORIGINS"},"virtualServerIdSettings":{"enabled":false},
		"idpInitiated":true,"emailVerified":true,"askForTicket":true,"groupsClaim":{"value":"IDS","allow":["cn=*"]},"maxGroups":7`)
	made := s.send("POST", "/applications", sent).want(http.StatusCreated)
	var asked, answered map[string]any
	if err := json.Unmarshal([]byte(sent), &asked); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(made.text), &answered); err != nil {
		t.Fatal(err)
	}
	for name, want := range asked {
		if !reflect.DeepEqual(answered[name], want) {
			t.Errorf("%s is told as %v, and was %v", name, answered[name], want)
		}
	}
	path := "/applications/" + made.at("id")
	if got := made.at("metadataUrl"); !strings.HasSuffix(got, "/"+s.env+"/saml20/metadata/"+made.at("id")) {
		t.Error(got)
	}
	before := s.send("GET", path, "").want(http.StatusOK).text
	after := s.send("PUT", path, before).want(http.StatusOK).text
	if strip(before) != strip(after) {
		t.Errorf("what was read was written back:\n%s\n%s", before, after)
	}
	s.send("GET", path+"/secret", "").want(http.StatusBadRequest)
	s.send("POST", path+"/secret", "{}").want(http.StatusBadRequest)
	s.send("DELETE", "/keys/"+key, "").want(http.StatusConflict)
	s.send("DELETE", "/certificates/"+theirs, "").want(http.StatusConflict)
	s.send("PUT", path, `{"name":"Handbook","type":"WEB_APP","redirectUris":["https://x/"]}`).refuses("protocol")
	plain := s.send("PUT", path, samlApplication("")).want(http.StatusOK).has("assertionSigned", "true", "responseSigned", "false",
		"sloBinding", "HTTP_POST", "maxGroups", "400")
	for _, name := range []string{"spVerification", "spEncryption", "accessControl", "idpSigning", "description", "corsSettings", "redirectUris", "clientId"} {
		if strings.Contains(plain.text, `"`+name+`"`) {
			t.Errorf("%s is told, and was not sent: %s", name, plain.text)
		}
	}
	s.send("GET", "/applications?filter=protocol%20eq%20%22SAML%22", "").want(http.StatusOK).has("count", "1")
	s.send("DELETE", path, "").want(http.StatusNoContent)
}

// strip takes off when it was changed.
func strip(text string) string {
	front, behind, _ := strings.Cut(text, `"updatedAt":"`)
	_, behind, _ = strings.Cut(behind, `"`)
	return front + behind
}

// TestSAMLApplicationsAreChecked: each value that cannot be is refused by name.
func TestSAMLApplicationsAreChecked(t *testing.T) {
	s := start(t)
	s.as(store.RoleOwner)
	s.send("POST", "/applications", samlApplication("")).want(http.StatusCreated)
	small := s.send("POST", "/keys", `{"name":"ours"}`).want(http.StatusCreated).at("id")
	theirs := s.certificate(idptest.NewPair(time.Now().Add(time.Hour)))
	for more, target := range map[string]string{
		`"name":""`: "name", `"name":"handbook","spEntityId":"x"`: "name",
		`"name":"b"`: "spEntityId", `"name":"b","spEntityId":""`: "spEntityId", `"name":"b","spEntityId":" x"`: "spEntityId",
		`"type":"SINGLE_PAGE_APP"`: "type", `"acsUrls":[]`: "acsUrls", `"acsUrls":["https://a/","http://b/"]`: "acsUrls[1]",
		`"acsUrls":["javascript:alert(1)"]`: "acsUrls[0]", `"acsUrls":["https://a/*"]`: "acsUrls[0]", `"acsIndexes":[1,2]`: "acsIndexes",
		`"assertionDuration":0`: "assertionDuration", `"assertionDuration":999999`: "assertionDuration",
		`"sessionNotOnOrAfterDuration":-1`: "sessionNotOnOrAfterDuration", `"sessionNotOnOrAfterDuration":0`: "sessionNotOnOrAfterDuration",
		`"assertionSigned":false`: "assertionSigned", `"nameIdFormat":"windows"`: "nameIdFormat",
		`"idpSigning":{"algorithm":"SHA1withRSA"}`: "idpSigning.algorithm", `"idpSigning":{"algorithm":"SHA256withECDSA"}`: "idpSigning.algorithm",
		`"idpSigning":{"key":{"id":"` + theirs + `"}}`: "idpSigning.key.id", `"idpSigning":{"key":{"id":"none"}}`: "idpSigning.key.id",
		`"spVerification":{"authnRequestSigned":true}`:                                   "spVerification.certificates.id",
		`"spVerification":{"certificates":[{"id":"` + small + `"}]}`:                     "spVerification.certificates[0].id",
		`"spVerification":{"certificates":[{"id":"none"}]}`:                              "spVerification.certificates[0].id",
		`"spEncryption":{"algorithm":"AES_256"}`:                                         "spEncryption.certificate.id",
		`"spEncryption":{"algorithm":"TRIPLEDES","certificate":{"id":"` + theirs + `"}}`: "spEncryption.algorithm",
		`"sloBinding":"SOAP"`: "sloBinding", `"sloEndpoint":"http://x/"`: "sloEndpoint", `"sloResponseEndpoint":"https://x/"`: "sloResponseEndpoint",
		`"accessControl":{"role":{"type":"ADMIN_USERS_ONLY"}}`:                    "accessControl.role",
		`"accessControl":{"group":{"type":"SOME","groups":[{"id":"x"}]}}`:         "accessControl.group.type",
		`"accessControl":{"group":{"type":"ANY_GROUP","groups":[{"id":"none"}]}}`: "accessControl.group.groups[0].id",
		`"hiddenFromAppPortal":true`:                                              "hiddenFromAppPortal", `"corsSettings":{"behavior":"ALLOW_SPECIFIC_ORIGINS"}`: "corsSettings.behavior",
		`"enableAlwaysAcceptAcsUrlInSignedAuthnRequest":true`: "enableAlwaysAcceptAcsUrlInSignedAuthnRequest",
		`"virtualServerIdSettings":{"enabled":true}`:          "virtualServerIdSettings.enabled",
		`"maxGroups":0`: "maxGroups", `"maxGroups":100000`: "maxGroups", `"groupsClaim":{"value":"DNS"}`: "groupsClaim.value",
		`"redirectUris":["https://x/"]`: "redirectUris", `"sloWindow":2`: "sloWindow", `"icon":{"id":"x"}`: "icon", `"loginPageUrl":"https://x/"`: "loginPageUrl",
		`"pkceEnforcement":"REQUIRED"`: "pkceEnforcement", `"spVerification":{"x":1}`: "spVerification.x",
		`"defaultTargetUrl":"` + strings.Repeat("x", 3000) + `"`: "defaultTargetUrl",
	} {
		body := map[string]any{}
		if err := json.Unmarshal([]byte(samlApplication("")), &body); err != nil {
			t.Fatal(err)
		}
		body["name"], body["spEntityId"] = "other", "https://other.example"
		if strings.HasPrefix(more, `"name":"b"`) && !strings.Contains(more, "spEntityId") {
			delete(body, "spEntityId")
			more += `,"spEntityId":"https://wiki.example/sp"`
		}
		if err := json.Unmarshal([]byte("{"+more+"}"), &body); err != nil {
			t.Fatalf("%s: %v", more, err)
		}
		b, err := json.Marshal(body)
		if err != nil {
			t.Fatal(err)
		}
		s.send("POST", "/applications", string(b)).refuses(target)
	}
}

// TestSAMLMappings: the subject's changes, and stays; others come and go.
func TestSAMLMappings(t *testing.T) {
	s := start(t)
	s.as(store.RoleOwner)
	path := "/applications/" + s.send("POST", "/applications", samlApplication("")).want(http.StatusCreated).at("id") + "/attributes"
	first := s.send("GET", path, "").want(http.StatusOK).has("count", "1", "_embedded.attributes.0.name", "saml_subject",
		"_embedded.attributes.0.value", "${user.id}", "_embedded.attributes.0.mappingType", "CORE")
	subject := path + "/" + first.at("_embedded.attributes.0.id")
	const basic = "urn:oasis:names:tc:SAML:2.0:attrname-format:basic"
	s.send("PUT", subject, `{"name":"saml_subject","value":"${user.username}","required":true,"nameFormat":"`+basic+`"}`).
		want(http.StatusOK).has("value", "${user.username}", "nameFormat", basic, "mappingType", "CORE")
	s.send("GET", subject, "").want(http.StatusOK).has("value", "${user.username}")
	for body, target := range map[string]string{
		`{"name":"other","value":"${user.id}","required":true}`:                         "name",
		`{"name":"saml_subject","value":"${user.id}","required":false}`:                 "required",
		`{"name":"saml_subject","value":"admin","required":true}`:                       "value",
		`{"name":"saml_subject","value":"${user.a + user.b}","required":true}`:          "value",
		`{"name":"saml_subject","value":"${user.id}","required":true,"nameFormat":"x"}`: "nameFormat",
	} {
		s.send("PUT", subject, body).refuses(target)
	}
	s.send("DELETE", subject, "").want(http.StatusBadRequest)
	sent := s.keeps("POST", path, `{"name":"fax","value":"${user.fax}","required":false,"idToken":true,"userInfo":true}`)
	s.send("DELETE", path+"/"+sent.at("id"), "").want(http.StatusNoContent)
	s.send("POST", path, `{"name":"fax","value":"${user.fax}","required":false,"idToken":false}`).refuses("idToken")
	made := s.send("POST", path, `{"name":"groups","value":"${user.memberOfGroupNames}","required":true,"nameFormat":"`+basic+`"}`).
		want(http.StatusCreated).has("required", "true", "nameFormat", basic, "mappingType", "CUSTOM")
	s.send("POST", path, `{"name":"tier","value":"gold","required":false}`).want(http.StatusCreated)
	for body, target := range map[string]string{
		`{"name":"groups","value":"x","required":false}`:                "name",
		`{"name":"SAML_Subject","value":"x","required":false}`:          "name",
		`{"name":"","value":"x","required":false}`:                      "name",
		`{"name":"n","value":"","required":false}`:                      "value",
		`{"name":"n","value":"${user.a}${user.b}","required":false}`:    "value",
		`{"name":"n","value":"x","required":false,"nameFormat":"free"}`: "nameFormat",
	} {
		s.send("POST", path, body).refuses(target)
	}
	s.send("PUT", path+"/"+made.at("id"), `{"name":"groups","value":"${user.memberOfGroupIDs}","required":false}`).want(http.StatusOK)
	s.send("DELETE", path+"/"+made.at("id"), "").want(http.StatusNoContent)
	s.send("GET", path, "").want(http.StatusOK).has("count", "2")
}

// TestSigningKeys: the first is made with the first application; another is chosen, and only
// then the one before can be deleted.
func TestSigningKeys(t *testing.T) {
	s := start(t)
	s.as(store.RoleOwner)
	s.send("GET", "/keys", "").want(http.StatusOK).has("count", "0")
	s.send("POST", "/applications", samlApplication("")).want(http.StatusCreated)
	first := s.send("GET", "/keys", "").want(http.StatusOK).has("count", "1", "_embedded.keys.0.default", "true").at("_embedded.keys.0.id")
	s.send("POST", "/applications", strings.Replace(samlApplication(`,"x":1`), `,"x":1`, "", 1)).want(http.StatusBadRequest)
	s.send("DELETE", "/keys/"+first, "").want(http.StatusConflict)
	next := s.send("POST", "/keys", `{"name":"next"}`).want(http.StatusCreated).has("default", "false").at("id")
	s.send("PUT", "/keys/"+next, `{"default":false}`).refuses("default")
	s.send("PUT", "/keys/none", `{"default":true}`).want(http.StatusNotFound)
	shown := strings.Replace(s.send("GET", "/keys/"+next, "").text, `"default":false`, `"default":true`, 1)
	s.send("PUT", "/keys/"+next, shown).want(http.StatusOK).has("default", "true")
	s.send("GET", "/keys/"+first, "").want(http.StatusOK).has("default", "false")
	s.send("DELETE", "/keys/"+first, "").want(http.StatusNoContent)
	theirs := s.certificate(idptest.NewPair(time.Now().Add(time.Hour)))
	s.send("PUT", "/keys/"+theirs, `{"default":true}`).want(http.StatusNotFound)
}

// serviceMetadata describes an application.
func serviceMetadata(pair idptest.Pair) string {
	return fmt.Sprintf(`<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" entityID="https://files.example/sp">
<md:SPSSODescriptor AuthnRequestsSigned="true" WantAssertionsSigned="true" protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">
<md:KeyDescriptor use="signing"><ds:KeyInfo xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:X509Data><ds:X509Certificate>%s</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>
<md:SingleLogoutService Binding="urn:oasis:names:tc:SAML:2.0:bindings:SOAP" Location="https://files.example/soap"/>
<md:SingleLogoutService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect" Location="https://files.example/slo" ResponseLocation="https://files.example/slr"/>
<md:NameIDFormat>urn:oasis:names:tc:SAML:2.0:nameid-format:transient</md:NameIDFormat>
<md:AssertionConsumerService index="0" Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Artifact" Location="https://files.example/art"/>
<md:AssertionConsumerService index="1" Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" Location="https://files.example/acs"/>
<md:AssertionConsumerService index="2" isDefault="true" Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" Location="https://files.example/acs2"/>
</md:SPSSODescriptor></md:EntityDescriptor>`, base64.StdEncoding.EncodeToString(pair.Cert.Raw))
}

// TestSAMLApplicationOfMetadata is what the metadata says, and switched off until somebody
// has looked at it.
func TestSAMLApplicationOfMetadata(t *testing.T) {
	s := start(t)
	s.as(store.RoleOwner)
	good := serviceMetadata(idptest.NewPair(time.Now().Add(time.Hour)))
	s.kinded("POST", "/applications?name=Files", "application/samlmetadata+xml", good).want(http.StatusCreated).
		has("name", "Files", "enabled", "false", "spEntityId", "https://files.example/sp", "acsUrls.0", "https://files.example/acs2",
			"acsUrls.1", "https://files.example/acs", "acsIndexes.0", "2", "sloEndpoint", "https://files.example/slo",
			"sloResponseEndpoint", "https://files.example/slr", "sloBinding", "HTTP_REDIRECT", "spVerification.authnRequestSigned", "true",
			"nameIdFormat", "urn:oasis:names:tc:SAML:2.0:nameid-format:transient")
	certificates := s.send("GET", "/certificates", "").want(http.StatusOK).at("count")
	for name, doc := range map[string]string{
		"a document type": "<!DOCTYPE x>" + good, "no XML": "x", "a provider's": string(idptest.Metadata(idptest.NewPair(time.Now().Add(time.Hour)))),
		"no POST":               strings.ReplaceAll(good, "HTTP-POST", "PAOS"),
		"a script":              strings.ReplaceAll(good, "https://files.example/acs2", "javascript:alert(1)"),
		"the same entity again": good,
		"expired":               strings.Replace(good, "entityID", `validUntil="2001-01-01T00:00:00Z" entityID`, 1),
		"a broken certificate":  strings.Replace(good, "<ds:X509Certificate>", "<ds:X509Certificate>AAAA", 1),
		"http":                  strings.ReplaceAll(strings.ReplaceAll(good, "https://files", "http://files"), "sp\"", "sp2\""),
		"two of them in a list": `<md:EntitiesDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata">` + good + good + `</md:EntitiesDescriptor>`,
	} {
		if got := s.kinded("POST", "/applications?name=B", "application/samlmetadata+xml", doc); got.status != http.StatusBadRequest {
			t.Errorf("%s: %d %s", name, got.status, got.text)
		}
	}
	s.send("GET", "/certificates", "").want(http.StatusOK).has("count", certificates)
	if bytes.Contains([]byte(good), []byte("PRIVATE")) {
		t.Fatal("never")
	}
}
