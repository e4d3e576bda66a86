package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	gooidc "github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

// application is one that signs people on at the world's cloud, and shows what it
// learnt as JSON. It is written on a library that is not ours.
type application struct {
	*world
	id, url string
	config  *oauth2.Config
}

// learnt is what an ID token says.
type learnt struct {
	Subject string   `json:"sub"`
	AMR     []string `json:"amr"`
	Groups  []string `json:"groups"`
	Name    string   `json:"preferred_username"`
}

// register makes an application of the cloud's, and its secret.
func (w *world) register(form map[string]any) (id, secret string) {
	w.t.Helper()
	var app struct{ ID string }
	w.must("POST", "/applications", form, &app)
	var made struct{ Secret string }
	w.must("POST", "/applications/"+app.ID+"/secret", struct{}{}, &made)
	return app.ID, made.Secret
}

func (w *world) issuer() string { return w.url + "/" + w.api.Environment + "/as" }

func (w *world) application(name string, form map[string]any) *application {
	w.t.Helper()
	a := &application{world: w}
	mux := http.NewServeMux()
	srv := httptest.NewServer(mux)
	w.t.Cleanup(srv.Close)
	a.url = srv.URL
	full := map[string]any{"name": name, "type": "WEB_APP", "redirectUris": []string{a.url + "/callback"}}
	for k, v := range form {
		full[k] = v
	}
	id, secret := w.register(full)
	provider, err := gooidc.NewProvider(w.t.Context(), w.issuer())
	must(w.t, err)
	a.id = id
	a.config = &oauth2.Config{
		ClientID:     id,
		ClientSecret: secret,
		RedirectURL:  a.url + "/callback",
		Endpoint:     provider.Endpoint(),
		Scopes:       []string{"openid", "profile", "groups"},
	}
	verifier := oauth2.GenerateVerifier()
	mux.HandleFunc("GET /callback", func(rw http.ResponseWriter, r *http.Request) {
		token, err := a.config.Exchange(r.Context(), r.URL.Query().Get("code"), oauth2.VerifierOption(verifier))
		if err != nil {
			http.Error(rw, r.URL.RawQuery+" "+err.Error(), http.StatusForbidden)
			return
		}
		raw, _ := token.Extra("id_token").(string)
		idToken, err := provider.Verifier(&gooidc.Config{ClientID: id}).Verify(r.Context(), raw)
		var l learnt
		if err == nil {
			err = idToken.Claims(&l)
		}
		if err != nil {
			http.Error(rw, err.Error(), http.StatusForbidden)
			return
		}
		_ = json.NewEncoder(rw).Encode(l)
	})
	mux.HandleFunc("GET /", func(rw http.ResponseWriter, r *http.Request) {
		http.Redirect(rw, r, a.config.AuthCodeURL("state", oauth2.S256ChallengeOption(verifier)), http.StatusFound)
	})
	return a
}

// window is a real browser's, in whose session somebody has a ticket.
type window struct {
	t   testing.TB
	ctx context.Context
}

// browse opens a browser with more of its environment and flags, as "KEY=VALUE" and
// "name=value".
func browse(t *testing.T, env []string, flags ...string) *window {
	t.Helper()
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath("/usr/bin/chromium"), chromedp.NoSandbox, chromedp.Env(env...),
		chromedp.Flag("disable-component-update", true), chromedp.Flag("no-proxy-server", true))
	for _, f := range flags {
		name, value, _ := strings.Cut(f, "=")
		options = append(options, chromedp.Flag(name, value))
	}
	ctx, cancel := chromedp.NewExecAllocator(t.Context(), options...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	must(t, chromedp.Do(ctx, chromedp.EmulateViewport(1440, 900))) // starts the browser, which a deadline must not end
	ctx, cancel = context.WithTimeout(ctx, time.Minute)
	t.Cleanup(cancel)
	return &window{t, ctx}
}

// at opens a page and returns its text.
func (w *window) at(address string) string {
	w.t.Helper()
	must(w.t, chromedp.Do(w.ctx, chromedp.Navigate(address)))
	return w.text()
}

func (w *window) text() string {
	w.t.Helper()
	page, err := chromedp.Run(w.ctx, chromedp.Text(chromedp.CSS("body")))
	must(w.t, err)
	return strings.Join(strings.Fields(page), " ")
}

// signOn fills in the sign-on page and waits until text is on a page.
func (w *window) signOn(name, password, text string) string {
	w.t.Helper()
	must(w.t, chromedp.Do(w.ctx, chromedp.SetValue(chromedp.ID("username"), name), chromedp.SendKeys(chromedp.ID("password"), password),
		chromedp.Click(chromedp.CSS("form button"))))
	return w.await(text)
}

// await waits until text is on the page.
func (w *window) await(text string) string {
	w.t.Helper()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for page := ""; ; {
		// Between two pages there is no body: that is no failure yet.
		if got, err := chromedp.Run(w.ctx, chromedp.Text(chromedp.CSS("body"))); err == nil {
			page = strings.Join(strings.Fields(got), " ")
		}
		if strings.Contains(page, text) {
			return page
		}
		select {
		case <-tick.C:
		case <-w.ctx.Done():
			w.t.Fatalf("%q does not come:\n%s", text, page)
		}
	}
}

// learns reads what the application shows.
func learns(t *testing.T, page string) (l learnt) {
	t.Helper()
	if err := json.Unmarshal([]byte(page), &l); err != nil {
		t.Fatalf("%v: %s", err, page)
	}
	return l
}

// TestApplicationLearnsGroups signs on by password in a real browser, for an
// application: the direct groups are in its token, and no others.
func TestApplicationLearnsGroups(t *testing.T) {
	w := newWorld(t, plan{})
	a := w.application("Wiki", map[string]any{"groupsClaim": map[string]any{
		"value": "NAMES",
		"allow": []string{"cn=B,*", "cn=staff,*", "cn=A,*"},
	}})
	browser := browse(t, nil)
	if page := browser.at(a.url); !strings.Contains(page, "to go on to Wiki") {
		t.Fatal(page)
	}
	browser.signOn("alice", "not hers", "not right")
	l := learns(t, browser.signOn("alice", "wonderland", "sub"))
	if fmt.Sprint(l.AMR) != "[pwd]" || l.Name != "alice" || fmt.Sprint(l.Groups) != "[cn=B"+groupDN+" cn=staff"+groupDN+"]" {
		t.Errorf("%+v", l)
	}
	if again := learns(t, browser.at(a.url)); again.Subject != l.Subject {
		t.Errorf("the second visit: %+v", again)
	}
	if page := browser.at(w.url + "/" + w.api.Environment + "/signon"); !strings.Contains(page, "You are signed on") || !strings.Contains(page, "alice") {
		t.Error(page)
	}
}

const apacheConf = `ServerRoot %[1]s
ServerName localhost
Listen 127.0.0.1:%[2]s
PidFile %[1]s/pid
ErrorLog %[1]s/error.log
LogLevel auth_openidc:debug
LoadModule mpm_event_module %[3]s/mod_mpm_event.so
LoadModule authn_core_module %[3]s/mod_authn_core.so
LoadModule authz_core_module %[3]s/mod_authz_core.so
LoadModule authz_user_module %[3]s/mod_authz_user.so
LoadModule dir_module %[3]s/mod_dir.so
LoadModule auth_openidc_module %[3]s/mod_auth_openidc.so
DocumentRoot %[1]s/www
DirectoryIndex index.html
OIDCProviderMetadataURL %[4]s/.well-known/openid-configuration
OIDCClientID %[5]s
OIDCClientSecret %[6]s
OIDCRedirectURI http://127.0.0.1:%[2]s/callback
OIDCCryptoPassphrase %[6]s
OIDCScope "openid profile groups"
OIDCPKCEMethod S256
OIDCRemoteUserClaim preferred_username
OIDCCacheShmMax 500
<Directory %[1]s/www>
  AuthType openid-connect
  Require valid-user
</Directory>
<Location /staff>
  AuthType openid-connect
  Require claim "groups:%[7]s"
</Location>
<Location /spare>
  AuthType openid-connect
  Require claim "groups:%[8]s"
</Location>
`

// apache runs one that restricts locations by groups, and returns its address.
func (w *world) apache() string {
	w.t.Helper()
	for name, pkg := range map[string]string{
		"/usr/sbin/apache2":                            "apache2-bin",
		"/usr/lib/apache2/modules/mod_auth_openidc.so": "libapache2-mod-auth-openidc",
	} {
		if _, err := os.Stat(name); err != nil {
			w.t.Fatalf(`%v: run "make tools" or apt-get install %s`, err, pkg)
		}
	}
	free := httptest.NewServer(nil)
	port := free.URL[strings.LastIndex(free.URL, ":")+1:]
	free.Close()
	dir := w.t.TempDir()
	must(w.t, os.Chmod(dir, 0o755))
	for _, place := range []string{"", "/staff", "/spare"} {
		must(w.t, os.MkdirAll(dir+"/www"+place, 0o755))
		must(w.t, os.WriteFile(dir+"/www"+place+"/index.html", []byte("welcome to "+place), 0o644))
	}
	id, secret := w.register(map[string]any{
		"name":         "Apache",
		"type":         "WEB_APP",
		"redirectUris": []string{"http://127.0.0.1:" + port + "/callback"},
	})
	conf := fmt.Sprintf(apacheConf, dir, port, "/usr/lib/apache2/modules", w.issuer(), id, secret, "cn=staff"+groupDN, "cn=spare"+groupDN)
	must(w.t, os.WriteFile(dir+"/apache.conf", []byte(conf), 0o600))
	cmd := exec.Command("/usr/sbin/apache2", "-f", dir+"/apache.conf", "-DFOREGROUND")
	must(w.t, cmd.Start())
	w.t.Cleanup(func() {
		_ = cmd.Process.Signal(os.Interrupt)
		_ = cmd.Wait()
		if b, err := os.ReadFile(dir + "/error.log"); err == nil && w.t.Failed() {
			w.t.Logf("apache:\n%s", tail(b))
		}
	})
	address := "http://127.0.0.1:" + port
	w.await("Apache answers", func() bool {
		resp, err := (&http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}).Get(address)
		if err == nil {
			resp.Body.Close()
		}
		return err == nil
	})
	return address
}

// TestApacheRestrictsByJustInTimeGroups has Apache's own module decide by a group
// that came with the sign-on.
func TestApacheRestrictsByJustInTimeGroups(t *testing.T) {
	w := newWorld(t, plan{update: true})
	address := w.apache()
	browser := browse(t, nil)
	browser.at(address + "/staff/")
	browser.signOn("alice", "wonderland", "welcome to /staff")
	if page := browser.at(address + "/spare/"); strings.Contains(page, "welcome") {
		t.Errorf("alice is not in spare: %s", page)
	}
	w.slapd.Modify(member("spare", "add", aliceDN))
	fresh := browse(t, nil)
	fresh.at(address + "/spare/")
	fresh.signOn("alice", "wonderland", "welcome to /spare")
}

// TestExpiredPasswordIsCompleted changes a password at the sign-on page because the
// directory wants another, and goes on to the application.
func TestExpiredPasswordIsCompleted(t *testing.T) {
	s := openLDAP(t)
	w := newWorld(t, plan{
		at:     &s.directory,
		change: func(u map[string]any) { u["allowPasswordChanges"] = true },
		policy: "policy {\n  password_changes = true\n}\n",
	})
	w.mustSignOn("grace", rightPassword)
	s.set("pwdReset: TRUE")(w, "grace")
	a := w.application("Wiki", nil)
	browser := browse(t, nil)
	browser.at(a.url)
	browser.signOn("grace", rightPassword, "You have to choose a new password")
	fill := func(old, fresh, again string) {
		must(t, chromedp.Do(browser.ctx, chromedp.SetValue(chromedp.ID("password"), old), chromedp.SetValue(chromedp.ID("new"), fresh),
			chromedp.SetValue(chromedp.ID("again"), again), chromedp.Click(chromedp.CSS("form button"))))
	}
	fill(rightPassword, "An0ther.password", "An0ther.passwort")
	browser.await("differ")
	fill(rightPassword, "An0ther.password", "An0ther.password")
	if l := learns(t, browser.await("sub")); l.Name != "grace" {
		t.Errorf("%+v", l)
	}
	w.mustSignOn("grace", "An0ther.password")
}
