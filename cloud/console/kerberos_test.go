package console_test

import (
	"bytes"
	"mime/multipart"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/jcmturner/gokrb5/v8/iana/etypeID"
	"github.com/jcmturner/gokrb5/v8/keytab"

	"ldap-gateway/cloud/store"
)

// upload sends a file as a browser does.
func (v *visitor) upload(path, field string, content []byte) answer {
	v.t.Helper()
	var body bytes.Buffer
	w := multipart.NewWriter(&body)
	if content != nil {
		part, err := w.CreateFormFile(field, "sso.keytab")
		v.must(err)
		_, err = part.Write(content)
		v.must(err)
	}
	v.must(w.Close())
	r, err := http.NewRequest("POST", v.url+path, &body)
	v.must(err)
	r.Header.Set("Content-Type", w.FormDataContentType())
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	return v.do(r)
}

func sampleKeytab(t *testing.T, principal string) []byte {
	t.Helper()
	kt := keytab.New()
	if err := kt.AddEntry(principal, "EXAMPLE.COM", "x", time.Now(), 9, etypeID.AES256_CTS_HMAC_SHA1_96); err != nil {
		t.Fatal(err)
	}
	b, err := kt.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestKerberosKeys(t *testing.T) {
	s := open(t)
	v := s.admin()
	g := store.Gateway{EnvironmentID: s.env.ID, Name: "HQ", Vendor: "Microsoft Active Directory", Enabled: true}
	s.must(s.store.CreateGateway(t.Context(), &g))
	page := "/console/gateways/" + g.ID + "/kerberos"
	v.get("/console/gateways/" + g.ID).has("Off: everybody types a password")
	v.get(page).is(http.StatusOK).has(
		"No keys yet",
		"setspn -S HTTP/id.example.com svc-sso",
		"AuthServerAllowlist",
		"610",
	).lacks("Turn off")

	v.upload(page+"/keys", "keytab", []byte("no keytab")).is(http.StatusUnprocessableEntity).has("that is no keytab")
	v.upload(page+"/keys", "keytab", nil).is(http.StatusUnprocessableEntity).has("no service keys")
	v.upload(page+"/keys", "keytab", sampleKeytab(t, "host/server")).is(http.StatusUnprocessableEntity).
		has("host/server is not an HTTP service")
	v.post(page+"/keys", "account", "svc", "password", "hunter22").is(http.StatusUnprocessableEntity).
		has("user principal name", "svc").lacks("hunter22")
	if kept, err := s.store.Gateway(t.Context(), s.env.ID, g.ID); err != nil || kept.Kerberos != nil {
		t.Errorf("refused keys turned it on: %+v %v", kept.Kerberos, err)
	}

	v.follow(v.post(page+"/keys", "account", "svc@example.com", "password", "hunter22")).
		has("The new keys are in use", "svc@EXAMPLE.COM", "version any, aes256-cts-hmac-sha1-96", "Turn off").
		lacks("hunter22")
	s.pass(time.Minute)
	v.follow(v.upload(page+"/keys", "keytab", sampleKeytab(t, "HTTP/id.example.com"))).
		has("HTTP/id.example.com@EXAMPLE.COM", "version 9,", "replaced, good until", "in use").
		lacks("nobody asks for it here")
	s.pass(time.Minute)
	v.follow(v.upload(page+"/keys", "keytab", sampleKeytab(t, "HTTP/other.example.com"))).has("nobody asks for it here")

	sets, err := s.store.KerberosKeys(t.Context(), s.env.ID, g.ID, s.clock())
	s.must(err)
	if len(sets) != 3 || sets[1].ExpiresAt.Sub(s.clock()) != 610*time.Minute {
		t.Errorf("%+v", sets)
	}
	v.follow(v.post(page + "/keys/" + sets[1].ID + "/delete")).has("The keys were deleted")
	v.get("/console/activity").has("kerberosKeys.replaced", "kerberosKeys.deleted")
	v.follow(v.post(page+"/off")).has("No keys yet", "takes no tickets any more")
}

func TestKerberosSettings(t *testing.T) {
	s := open(t)
	v := s.admin()
	f := s.fill(s.env.ID, "")
	page := "/console/gateways/" + f.gateway.ID + "/kerberos"
	for says, fields := range map[string][]string{
		"Give a number":           {"retain", "soon"},
		"from 0, which is":        {"retain", "10081"},
		"is not a network":        {"retain", "10", "networks", "10.0.0.1"},
		"in capitals":             {"retain", "10", "realms", "example.com"},
		"have ${principal} in it": {"retain", "10", "attribute", "uid", "value", "alice"},
	} {
		v.post(page, fields...).is(http.StatusUnprocessableEntity).has("Not saved", says)
	}
	v.follow(v.post(
		page,
		"retain", "30",
		"networks", "10.0.0.0/8\r\n192.168.0.0/16",
		"realms", "EXAMPLE.COM",
		"attribute", "uid",
		"value", "${principal}",
		"rc4", "yes",
	)).has("Saved.")
	kept, err := s.store.Gateway(t.Context(), s.env.ID, f.gateway.ID)
	s.must(err)
	if k := kept.Kerberos; k.RetainMinutes != 30 || len(k.Networks) != 2 || !k.AllowRC4 || k.Attribute != "uid" ||
		k.ServiceAccount != "svc@example.com" {
		t.Errorf("%+v", k)
	}
}

func TestApplicationPages(t *testing.T) {
	s := open(t)
	v := s.admin()
	v.get("/console/applications").has("No application yet")
	v.get("/console/applications/new").has("New application")
	v.post(
		"/console/applications",
		"name", "Wiki",
		"type", "WEB_APP",
		"redirects", "http://wiki.example.com/cb",
		"groups", "NAMES",
	).is(http.StatusUnprocessableEntity).has(
		"Not saved",
		"without TLS",
		"http://wiki.example.com/cb",
	)
	shown := v.follow(v.post("/console/applications", "name", "Wiki", "type", "WEB_APP", "redirects", "https://wiki.example.com/cb\nhttps://wiki.example.com/cb2", "groups", "IDS",
		"allow", "cn=Domain Users,*\n", "refresh", "yes", "ticket", "yes", "enabled", "yes")).has("Saved.", "https://id.example.com/"+s.env.ID+"/as", "Secret made")
	apps, _, err := s.store.Applications(t.Context(), s.env.ID, store.Page{})
	s.must(err)
	a := apps[0]
	if len(a.RedirectURIs) != 2 || a.Groups.Value != store.GroupIDs || len(a.Groups.Allow) != 1 || !a.Refresh ||
		!a.AskForTicket || !a.Enabled {
		t.Errorf("%+v", a)
	}
	page := "/console/applications/" + a.ID
	shown.has(a.ID)
	secret := v.post(page + "/secret").is(http.StatusOK).has("shown here this once").body
	_, after, _ := strings.Cut(secret, `<pre id="secret">`)
	secret, _, _ = strings.Cut(after, "<")
	if len(secret) < 40 {
		t.Errorf("%q", secret)
	}
	v.get(page).lacks(secret).has("made")
	v.post(
		"/console/applications",
		"name", "WIKI",
		"type", "WEB_APP",
		"redirects", "https://x.example/",
		"groups", "NAMES",
	).is(http.StatusUnprocessableEntity).has("has this name")
	v.follow(v.post(page, "name", "Phone", "type", "NATIVE_APP", "redirects", "com.example:/cb", "groups", "NAMES")).
		has("Phone", "PKCE alone")
	v.post(page + "/secret").is(http.StatusBadRequest)
	v.follow(v.post(page + "/delete")).has("The application Phone was deleted")
}
