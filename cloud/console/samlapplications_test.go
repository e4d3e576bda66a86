package console_test

import (
	"context"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"ldap-gateway/cloud/idp/idptest"
	"ldap-gateway/cloud/store"
)

// samlOf is the application of SAML that there is, by its entity ID.
func (s *site) samlOf(entity string) store.Application {
	s.t.Helper()
	a, err := s.store.ApplicationByEntity(s.t.Context(), s.env.ID, entity)
	s.must(err)
	return a
}

// samlForm is a form that changes nothing but what more says.
func (v *visitor) samlForm(a store.Application, more ...string) []string {
	return append([]string{
		"seen", v.seen("/console/applications/" + a.ID), "name", a.Name, "entityId", a.SAML.EntityID, "acs", strings.Join(a.SAML.ACS, "\n"),
		"groups", "NAMES", "signed", "assertion", "assertion", "60", "most", "400", "enabled", "yes",
	}, more...)
}

// TestSAMLApplications: made of what was typed, of metadata that was pasted, and of metadata
// at an address; changed, and with what is wrong beside its field.
func TestSAMLApplications(t *testing.T) {
	s := open(t)
	v := s.admin()
	v.follow(v.post("/console/applications/saml", "name", "Wiki", "entityId", "https://wiki.example/sp", "acs", "https://wiki.example/acs")).
		has("Kept", "/"+s.env.ID+"/saml20/idp/sso", "groups = ${user.memberOfGroups}", "Signs")
	wiki := s.samlOf("https://wiki.example/sp")
	v.get("/console/applications").has("SAML 2.0", "https://wiki.example/acs")
	pair := idptest.NewPair(time.Now().Add(time.Hour))
	text := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: pair.Cert.Raw}))
	described := `<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" entityID="https://ENTITY/sp">
<md:SPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">
<md:AssertionConsumerService index="1" Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" Location="https://ENTITY/acs"/>
</md:SPSSODescriptor></md:EntityDescriptor>`
	v.follow(v.post("/console/applications/saml", "name", "Pasted", "metadata", strings.ReplaceAll(described, "ENTITY", "pasted.example"))).
		has("https://pasted.example/acs")
	there := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, strings.ReplaceAll(described, "ENTITY", "read.example"))
	}))
	defer there.Close()
	v.follow(v.post("/console/applications/saml", "name", "Read", "metadataUrl", there.URL)).has("https://read.example/acs")
	v.post("/console/applications/saml", "name", "Bad", "metadata", "<x>").is(http.StatusUnprocessableEntity).has("could not be used")
	v.post("/console/applications/saml", "name", "None").is(http.StatusUnprocessableEntity).has("Say what the application calls itself", "Say where answers go")

	page := "/console/applications/" + wiki.ID
	v.follow(v.post(page, v.samlForm(wiki, "certificates", text, "requests", "yes", "cipher", "AES_256", "begun", "yes",
		"attributes", "mail = ${user.email}\ntier=gold\n", "format", "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress",
		"verified", "yes", "slo", "https://wiki.example/slo", "sloBinding", "HTTP_REDIRECT", "session", "3600")...)).
		has("Saved", "BEGIN CERTIFICATE", "tier = gold", "startsso?spEntityId=")
	got := s.samlOf("https://wiki.example/sp")
	if p := got.SAML; len(p.CertificateIDs) != 1 || p.EncryptedWith != p.CertificateIDs[0] || !p.RequestsSigned || p.SessionSeconds != 3600 ||
		p.SLOBinding != "HTTP_REDIRECT" || len(got.Kept.Attributes) != 2 || !got.OpenID.EmailVerified {
		t.Errorf("%+v", got)
	}
	v.follow(v.post(page, v.samlForm(got, "certificates", text)...))
	if again := s.samlOf("https://wiki.example/sp").SAML; again.CertificateIDs[0] != got.SAML.CertificateIDs[0] || again.Cipher != "" {
		t.Errorf("the same certificate became another: %+v", again)
	}
	for field, value := range map[string]string{
		"acs": "http://wiki.example/acs", "entityId": "https://pasted.example/sp", "assertion": "soon", "session": "-1", "most": "many",
		"subject": "admin", "certificates": "none", "slo": "javascript:alert(1)", "attributes": "mail", "cipher": "DES",
	} {
		form := v.samlForm(s.samlOf("https://wiki.example/sp"), "certificates", text)
		for i := 0; i < len(form); i += 2 {
			if form[i] == field {
				form[i+1] = value
			}
		}
		a := v.post(page, append(form, field, value)...).is(http.StatusUnprocessableEntity).has("Not saved")
		if !strings.Contains(a.body, `id="`+field+`-error"`) || strings.Count(a.body, `aria-invalid="true"`) != 1 {
			t.Errorf("%s: nothing is said beside it", field)
		}
	}
	stale := v.samlForm(got)
	stale[1] = "1"
	v.post(page, stale...).is(http.StatusUnprocessableEntity)
	v.follow(v.post(page + "/delete")).has("was deleted")
}

// TestSigningKeysAreRolledOver in three steps, of which none ends a sign-on.
func TestSigningKeysAreRolledOver(t *testing.T) {
	s := open(t)
	v := s.admin()
	v.post("/console/applications/saml", "name", "Wiki", "entityId", "https://wiki.example/sp", "acs", "https://wiki.example/acs")
	wiki := s.samlOf("https://wiki.example/sp")
	first, err := s.store.DefaultKey(t.Context(), s.env.ID)
	s.must(err)
	v.follow(v.post("/console/own/"+first.ID+"/delete", "back", wiki.ID)).has("It signs for applications")
	v.follow(v.post("/console/own", "back", wiki.ID)).has("A key was made")
	all, _, err := s.store.Certificates(t.Context(), s.env.ID, store.Page{})
	s.must(err)
	next := all[len(all)-1]
	v.follow(v.post("/console/own/"+next.ID+"/default", "back", wiki.ID)).has("signs from now on")
	if now, err := s.store.DefaultKey(t.Context(), s.env.ID); err != nil || now.ID != next.ID || first.ID == next.ID {
		t.Errorf("%+v %v", now, err)
	}
	v.follow(v.post("/console/own/"+first.ID+"/delete", "back", wiki.ID)).has("was deleted")
}

// TestSAMLApplicationPage is for everybody, and shows what is kept as text.
func TestSAMLApplicationPage(t *testing.T) {
	s := open(t)
	s.admin()
	v := s.admin()
	a := store.Application{
		EnvironmentID: s.env.ID, Name: "Wiki" + hostile, Description: hostile, Protocol: store.SAML, Type: store.WebApplication,
		Groups: store.GroupsClaim{Value: store.GroupNames, Allow: []string{hostile}},
		SAML: store.ServiceProvider{
			EntityID: "https://wiki.example/" + hostile, ACS: []string{"https://wiki.example/acs" + hostile}, AssertionSeconds: 60, Unsolicited: true,
			AssertionSigned: true, DefaultTarget: hostile, Subject: hostile, SLOEndpoint: hostile, AccessRule: store.AccessRule{Access: []string{hostile}},
		},
		Kept: store.ApplicationKept{Attributes: []store.ApplicationAttribute{{ID: "x", Name: hostile, Value: hostile}}},
	}
	s.must(s.store.CreateApplication(t.Context(), &a))
	harmless(t, v.get("/console/applications/"+a.ID))
	harmless(t, v.post("/console/applications/saml", "name", hostile, "metadata", hostile, "metadataUrl", hostile, "entityId", hostile, "acs", hostile))
	w := s.open(func(context.Context, *chromedp.Target) error { return nil })
	for _, path := range []string{"/console/applications/saml", "/console/applications/" + a.ID} {
		w.looksAt(t, path)
	}
}
