package idp_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"ldap-gateway/cloud/idp/idptest"
)

// TestDiscoverWhatIsNotSaid: scopes need not be told, and the way that a client proves
// itself is one that the provider takes.
func TestDiscoverWhatIsNotSaid(t *testing.T) {
	w := build(t)
	said := ""
	var at *httptest.Server
	at = httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
		_, _ = fmt.Fprintf(rw, `{"issuer":%q,"token_endpoint":"https://idp.example.org/t"%s}`, at.URL, said)
	}))
	defer at.Close()
	const scopes, ways = `,"scopes_supported":`, `,"token_endpoint_auth_methods_supported":`
	for doc, want := range map[string]string{
		``:                                     "openid profile email, ",
		scopes + `[]`:                          "openid profile email, ",
		scopes + `null`:                        "openid profile email, ",
		scopes + `["openid"]`:                  "openid, ",
		scopes + `["groups","email","openid"]`: "openid email groups, ",
		scopes + `["email"]`:                   "openid email, ",
		ways + `["client_secret_post"]`:        "openid profile email, CLIENT_SECRET_POST",
		ways + `["client_secret_post","client_secret_basic"]`: "openid profile email, CLIENT_SECRET_BASIC",
		ways + `["private_key_jwt","client_secret_jwt"]`:      "openid profile email, CLIENT_SECRET_JWT",
		ways + `["none"]`: "openid profile email, ",
		scopes + `["openid","groups"]` + ways + `["client_secret_post"]`: "openid groups, CLIENT_SECRET_POST",
	} {
		said = doc
		o, err := w.Discover(t.Context(), at.URL)
		if got := strings.Join(o.Scopes, " ") + ", " + o.ClientAuth; err != nil || got != want {
			t.Errorf("%s: %q, not %q, %v", doc, got, want, err)
		}
	}
}

// TestCheckTellsOfSignedRequests while they are wanted and are not signed.
func TestCheckTellsOfSignedRequests(t *testing.T) {
	w := build(t)
	at := publish(t, []byte(strings.Replace(string(idptest.Metadata(w.keys)),
		"<md:IDPSSODescriptor ", `<md:IDPSSODescriptor WantAuthnRequestsSigned="true" `, 1)))
	w.saml.Config.SAML.MetadataURL = at.URL
	for signs, want := range map[bool]bool{false: true, true: false} {
		w.saml.Config.SAML.SignsRequests = signs
		told := false
		for _, f := range w.Check(t.Context(), w.saml) {
			told = told || strings.Contains(f.Text, "wants our requests signed") && !f.Good
		}
		if told != want {
			t.Errorf("signs %v: told %v", signs, told)
		}
	}
}
